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
from typing import Any
from typing import Literal
from typing import NamedTuple
from typing import Self

class Seen(NamedTuple):
    state: Literal['staging', 'pending', 'importing', 'finishing', 'unknown']
    status: str | None
    stores: list[str]
    waiting: list[str]
    failed: list[str]
    done: int | None
    total: int | None

class _Imported(NamedTuple):
    image_id: str
    image: dict[str, Any]
    stores: list[str]
    failed: dict[str, str]
    request_id: str | None

class Imported(_Imported):
    succeeded: Literal[True]
    changes: Mapping[str, tuple[Any, Any]]
    @property
    def size(self) -> int: ...
    @property
    def hash(self) -> tuple[str | None, str | None]: ...

class Converted(Imported):
    def __new__(cls, changes: Mapping[str, tuple[Any, Any]],
                *args: Any) -> Self: ...

class _Failed(NamedTuple):
    image_id: str
    reason: str
    stores: dict[str, str]
    request_id: str | None
    cleaned: bool

class Failed(_Failed):
    succeeded: Literal[False]

class _TimedOut(NamedTuple):
    image_id: str
    reason: Literal['deadline', 'stalled']
    seen: Seen
    request_id: str | None
    cleaned: bool

class TimedOut(_TimedOut):
    succeeded: Literal[False]
