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

"""What a check concludes, and how that reads."""

from __future__ import annotations

import collections.abc
import dataclasses
import typing

from oslo_upgradecheck import upgradecheck

Code = upgradecheck.Code
#: how many items the table shows
SHOWN = 10


class Item(typing.NamedTuple):
    """One thing that was found.

    :ivar id: ID of an image, or another name
    :ivar text: what is wrong with it; may be empty
    :ivar code: how bad it is
    """

    id: str
    text: str = ''
    code: Code = Code.WARNING


@dataclasses.dataclass
class Verdict:
    """The conclusion of one check.

    :ivar found: what is wrong, as a sentence; empty if nothing is
    :ivar items: what was found
    :ivar advice: what to do about it
    :ivar unchecked: why it, or a part of it, could not be checked
    :ivar skipped: why it was not meant to be checked
    :ivar note: further information
    """

    found: str = ''
    items: list[Item] = dataclasses.field(default_factory=list)
    advice: str = ''
    unchecked: list[str] = dataclasses.field(default_factory=list)
    skipped: str = ''
    note: str = ''

    @property
    def code(self) -> Code:
        """Return how bad it is."""
        worst = max((item.code for item in self.items), default=Code.SUCCESS)
        return max(worst, Code.WARNING) if self.unchecked else worst

    def lines(self, shown: int | None = SHOWN) -> list[str]:
        """Return the conclusion as lines of text.

        :param shown: how many items to show; None for all
        """
        found: list[str] = []
        if self.items:
            found.append(self.found)
            found += _listed(self.items, shown)
            if self.advice:
                found.append('What to do: ' + self.advice)
        found += ['could not be checked: ' + why
                  for why in _few(self.unchecked, shown)]
        if self.skipped:
            found.append('not checked: ' + self.skipped)
        if self.note:
            found.append(self.note)
        return found


def _listed(items: collections.abc.Sequence[Item], shown: int | None
            ) -> list[str]:
    """Return a line for each of the worst items."""
    ordered = sorted(items, key=lambda one: -one.code)
    return _few(['- ' + one.id + (': ' + one.text if one.text else '')
                 for one in ordered], shown)


def _few(lines: collections.abc.Sequence[str], shown: int | None
         ) -> list[str]:
    """Return the first lines, and how many more there are."""
    if shown is None or len(lines) <= shown:
        return list(lines)
    return [*lines[:shown], 'and %d more' % (len(lines) - shown)]
