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

import datetime
from typing import Any
from typing import overload
from typing import TypeVar
from collections.abc import Iterable
from collections.abc import Iterator

_A = TypeVar('_A')
_B = TypeVar('_B')

SLOTS: dict[str, Any]
KEYWORDS: dict[str, Any]

@overload
def zip_strict(one: Iterable[_A], other: Iterable[_B], /
               ) -> Iterator[tuple[_A, _B]]: ...
@overload
def zip_strict(*iterables: Iterable[_A]) -> Iterator[tuple[_A, ...]]: ...

def parse_time(text: str) -> datetime.datetime: ...
