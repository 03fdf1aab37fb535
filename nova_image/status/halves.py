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

"""The contract of a half: what an audit does through one Images API.

There is one implementation for each driver, found by its own entry point:
removing a driver removes its half.
"""

from __future__ import annotations

import abc
import collections.abc
import typing

from nova_image.image import answers
from nova_image.status import facts

if typing.TYPE_CHECKING:
    from nova_image.image import client as clients
    from nova_image.status import checks as contracts
    from nova_image.status import fixes

NAMESPACE = 'nova_image.status.halves'


class Half(abc.ABC):
    """One Images API of a cloud.

    All methods may be called from several threads. They raise exceptions of
    nova_image.exception, like a driver.

    :cvar title: what messages call it
    :cvar version: the beginning of its IDs in GET /versions, such as 'v2'
    :cvar order: halves are asked in this order
    :cvar answers: kinds of facts.Question that it can answer
    :cvar shows: what its images have: 'visibility', 'hashes' (of all kinds),
        'locations', 'formats' (which of them are accepted)
    :param client: for calls to Glance
    :param context: the context of the calls, an administrator's
    """

    title: str
    version: str
    order: int
    answers: frozenset[str]
    shows: frozenset[str] = frozenset()

    def __init__(self, client: 'clients.Client',
                 context: typing.Any) -> None:
        """Remember how to make calls."""
        self.client = client
        self.context = context

    @abc.abstractmethod
    def probe(self) -> None:
        """Make one short request.

        :raises GlanceVersionNotServed: if the cloud does not have this API
        """

    @abc.abstractmethod
    def images(self) -> collections.abc.Iterator[facts.Image]:
        """Yield all images of all projects."""

    def unlisted(self) -> collections.abc.Iterator[facts.Image]:
        """Yield what images() lacks: images that only rest in the database."""
        return iter(())

    @abc.abstractmethod
    def answer(self, question: facts.Question) -> typing.Any:
        """Return the answer to a question of one of the kinds ``answers``.

        'members': a list of facts.Member; 'readable': None; 'exists':
        whether there is such an image; 'start': bytes.
        """

    def formats(self) -> facts.Formats:
        """Return the formats that the Glance accepts."""
        return facts.Formats()

    @classmethod
    def checks(cls) -> 'list[contracts.Check]':
        """Return new checks that only make sense with this API."""
        return []

    def repairs(self) -> 'dict[str, fixes.Repair]':
        """Return what can be mended through this API, by kind of change."""
        return {}

    def write_tests(self) -> collections.abc.Iterator[
            tuple[str, str | None]]:
        """Try on a scratch image what the caller may do, and remove it.

        :returns: what was tried, and why it is refused, or None
        """
        return iter(())


def kinds() -> list[type[Half]]:
    """Return the halves that are installed, in order."""
    from stevedore import extension

    found: typing.Any = extension.ExtensionManager(NAMESPACE)
    return sorted((one.plugin for one in found), key=lambda kind: kind.order)


def load(client: 'clients.Client', context: typing.Any) -> list[Half]:
    """Return a half for each Images API that is installed, in order."""
    return [kind(client, context) for kind in kinds()]


def text(value: typing.Any) -> str | None:
    """Return a string of an answer; None for any other value."""
    return value if isinstance(value, str) else None


def moment(value: typing.Any) -> typing.Any:
    """Return a time of an answer as a datetime; None if it is unreadable."""
    try:
        return answers.moment(value)
    except answers.Unreadable:
        return None
