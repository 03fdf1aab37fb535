#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

from collections.abc import Mapping
import datetime
from typing import Any
from typing import ClassVar
from typing import Literal
from typing import NamedTuple

class Seen(NamedTuple):
    state: Literal['staging', 'pending', 'importing', 'finishing', 'unknown']
    status: str | None
    stores: list[str]
    waiting: list[str]
    failed: list[str]
    done: int | None
    total: int | None

class Status(NamedTuple):
    state: Literal['none', 'staged', 'importing', 'failed', 'incomplete',
                   'done']
    status: str | None
    stores: list[str]
    waiting: list[str]
    failed: list[str]
    method: str | None
    task_id: str | None
    task_status: str | None
    message: str | None
    request_id: str | None
    began_at: datetime.datetime | None
    changed_at: datetime.datetime | None
    ended: Literal['deadline', 'stalled'] | None

class _Result(NamedTuple):
    image_id: str
    image: dict[str, Any] | None
    reason: str | None
    stores: list[str]
    failed: dict[str, str]
    changes: Mapping[str, tuple[Any, Any]]
    seen: Seen | None
    request_id: str | None
    cleaned: bool

class Result(_Result):
    succeeded: bool
    timed_out: bool
    def __eq__(self, other: object) -> bool: ...
    def __ne__(self, other: object) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]  # as at runtime
    @property
    def size(self) -> int | None: ...
    @property
    def hash(self) -> tuple[str | None, str | None] | None: ...

class Imported(Result):
    succeeded: Literal[True]
    timed_out: Literal[False]
    @property
    def image(self) -> dict[str, Any]: ...
    @property
    def size(self) -> int: ...
    @property
    def hash(self) -> tuple[str | None, str | None]: ...

class Converted(Imported): ...

class Failed(Result):
    succeeded: Literal[False]
    timed_out: Literal[False]
    @property
    def reason(self) -> str: ...

class TimedOut(Result):
    succeeded: Literal[False]
    timed_out: Literal[True]
    @property
    def reason(self) -> Literal['deadline', 'stalled']: ...
