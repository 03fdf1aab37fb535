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

"""The contracts of checks. A check judges; it never asks a server.

A check remembers only what it has been shown, and what is wrong with it.
"""

from __future__ import annotations

import collections.abc
import typing

from nova_image import exception
from nova_image.image import reasons
from nova_image.status import facts
from nova_image.status import verdicts

Code = verdicts.Code


class Check:
    """A check.

    :cvar name: stable name for scripts
    :cvar title: a few words
    :cvar why: what goes wrong otherwise
    :cvar advice: what to do about what was found
    :cvar cost: requests that it needs
    :cvar result: what it is if something is found
    :cvar option: the option that enables it; empty for one that always runs
    """

    name: str
    title: str
    why: str
    advice: str = ''
    cost: str = 'none'
    result: str = 'warning'
    option: str = ''

    def __init__(self) -> None:
        """Begin with nothing."""
        self.items: list[verdicts.Item] = []
        self.unchecked: list[str] = []
        self.skipped = ''
        self.note = ''

    def find(self, name: str, text: str = '',
             code: Code = Code.WARNING) -> None:
        """Remember something that is wrong."""
        self.items.append(verdicts.Item(name, text, code))

    def doubt(self, why: str) -> None:
        """Remember why it, or a part of it, could not be checked."""
        if why not in self.unchecked:
            self.unchecked.append(why)

    def found(self) -> str:
        """Return what is wrong, as a sentence that ends with a colon."""
        return '%d found:' % len(self.items)

    def verdict(self) -> verdicts.Verdict:
        """Return the conclusion."""
        return verdicts.Verdict(
            self.found() if self.items else '', list(self.items),
            self.advice, list(self.unchecked), self.skipped, self.note)


class FactCheck(Check):
    """A check that looks at nova_image.status.facts.Gathered.

    :cvar fact: the name of the fact that it needs; empty for several
    """

    fact = ''

    def run(self, gathered: facts.Gathered) -> None:
        """Judge the facts, unless they could not be gathered."""
        problem = gathered.problems.get(self.fact)
        if problem:
            return self.doubt(problem)
        for why in gathered.gaps.get(self.fact, ()):
            self.doubt(why)
        self.judge(gathered)

    def judge(self, gathered: facts.Gathered) -> None:
        """Judge the facts."""
        raise NotImplementedError


class ImageCheck(Check):
    """A check that looks at images.

    :cvar of: what is wrong with the images, for people: "Images that <of>"
    :cvar half: version of the half whose images it looks at; None for the
        first one that the cloud has
    :cvar kinds: kinds of questions whose answers it hears, whoever asks
    :cvar unlisted: whether to look at Half.unlisted(), too
    """

    cost = 'the listing'
    of: str
    half: str | None = None
    kinds: frozenset[str] = frozenset()
    unlisted = False

    def begin(self, about: facts.About) -> None:
        """Prepare for the images of one half."""

    def look(self, image: facts.Image) -> None:
        """Look at an image."""

    def ask(self, image: facts.Image
            ) -> collections.abc.Iterable[facts.Question]:
        """Return what else has to be known about an image."""
        return ()

    def hear(self, image: facts.Image, question: facts.Question,
             answer: typing.Any) -> None:
        """Look at an answer of Half.answer()."""

    def unheard(self, image: facts.Image, question: facts.Question,
                error: Exception) -> None:
        """Remember that a question has no answer.

        An image that has been deleted in the meantime is no matter.
        """
        if isinstance(error, exception.NotFound):
            return
        self.doubt('image %s: %s' % (question.image_id, _briefest(error)))

    def unanswered(self, image: facts.Image,
                   question: facts.Question) -> None:
        """Remember that no API of this cloud answers a question."""
        self.skipped = self.skipped or (
            'no API that this Glance serves shows it')

    def found(self) -> str:
        """Return how many images are concerned."""
        return 'Images that %s (%d):' % (
            self.of, len({item.id for item in self.items}))


def _briefest(error: Exception) -> str:
    """Return an error without the image, the server and the advice."""
    status = getattr(error, 'status', None)
    if status is None:
        return str(reasons.brief(error))
    return '%d %s' % (status, getattr(error, 'reason', '') or '')
