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

"""Shows all images to the checks, and asks what the listings do not tell.

Memory: a batch of images at a time, the IDs of all images (about 150 bytes
each) if there are two halves, and what the checks have found.
"""

from __future__ import annotations

import collections.abc
import functools
import itertools
import typing

from nova_image import exception
from nova_image.image import reasons
from nova_image.status import checks
from nova_image.status import facts
from nova_image.status import halves
from nova_image.status import threads

#: images whose questions are asked together
_BATCH = 200
#: questions that are asked at a time
_WORKERS = 8
#: answers about kernels and others that are remembered
_REMEMBERED = 1000

Progress = collections.abc.Callable[[str], None]


class Survey:
    """A survey of the images.

    :param found: the halves of the cloud, in order
    :param watching: the checks
    :param newest: returns the newest minor version of a major one
    :param progress: called with what has been done so far
    """

    def __init__(self, found: collections.abc.Sequence[halves.Half],
                 watching: collections.abc.Sequence[checks.ImageCheck],
                 newest: collections.abc.Callable[
                     [str], tuple[int, ...] | None],
                 progress: Progress = lambda text: None) -> None:
        """Remember what to do."""
        self._halves = list(found)
        self._checks = list(watching)
        self._newest = newest
        self._progress = progress
        self._answers: dict[facts.Question, typing.Any] = {}
        self._seen: set[str] = set()
        self.listed = 0

    def run(self) -> None:
        """Show all images to all checks."""
        served = [half for half in self._halves if self._is_served(half)]
        if not served:
            return self._report_none()
        for check in self._checks:
            versions = [half.version for half in served]
            if check.half not in (None, *versions):
                check.skipped = check.skipped or (
                    'this Glance does not serve %s, and no other API shows it'
                    % self._title(check.half))
        with threads.Pool(_WORKERS) as pool:
            self._run(served, pool)

    def _run(self, served: list[halves.Half],
             pool: threads.Pool) -> None:
        """Show the images of each half to the checks that look at them."""
        remaining = [check for check in self._checks if check.half is None]
        for half in served:
            own = [check for check in self._checks
                   if check.half == half.version]
            about = self._about(half)
            for check in own + remaining:
                _safely(check, check.begin, about)
            if own or remaining:
                whole = self._look(half, own, remaining, served, pool)
                remaining = [] if whole else remaining
        for half in served:
            self._look_at_unlisted(half)

    def _title(self, version: str | None) -> str:
        return next((half.title for half in self._halves
                     if half.version == version), 'the API')

    def _is_served(self, half: halves.Half) -> bool:
        """Return whether the cloud has an API, or may have it."""
        try:
            half.probe()
        except exception.GlanceVersionNotServed:
            return False
        except exception.NovaImageException as error:
            self._doubt(half, error, self._checks)
            return False
        return True

    @staticmethod
    def _doubt(half: halves.Half, error: Exception,
               affected: collections.abc.Iterable[checks.ImageCheck],
               listed: int = 0) -> None:
        """Report a listing that has failed to the checks."""
        for check in affected:
            if check.half in (None, half.version):
                check.doubt('the list of images by %s%s: %s' % (
                    half.title, ' failed after %d images' % listed
                    if listed else '', reasons.brief(error)))

    def _report_none(self) -> None:
        for check in self._checks:
            if not check.unchecked:
                check.doubt('this Glance serves none of: %s' % ', '.join(
                    half.title for half in self._halves))

    def _about(self, half: halves.Half) -> facts.About:
        """Return what is known of an API."""
        formats = facts.Formats()
        try:
            formats = half.formats()
        except exception.NovaImageException as error:
            for check in self._checks:
                if check.name == 'formats':
                    check.doubt('the formats that Glance accepts: %s' %
                                reasons.brief(error))
        return facts.About(half.title, half.shows, formats,
                           self._newest(half.version))

    def _look(self, half: halves.Half, own: list[checks.ImageCheck],
              remaining: list[checks.ImageCheck],
              served: list[halves.Half],
              pool: threads.Pool) -> bool:
        """Show the images of a half, and return whether these are all.

        :param own: checks of this half
        :param remaining: checks of any half that have not seen all images
        """
        known, listed = frozenset(self._seen), 0
        try:
            for batch in _batches(half.images()):
                fresh = [one for one in batch if one.id not in known]
                self._show(half, batch, own, served, pool)
                self._show(half, fresh, remaining, served, pool)
                if len(served) > 1:
                    self._seen.update(one.id for one in fresh)
                listed += len(batch)
                self.listed += len(fresh) if remaining else 0
                self._progress('%d images by %s' % (listed, half.title))
        except exception.NovaImageException as error:
            self._doubt(half, error, own + remaining, listed)
            return False
        return True

    def _show(self, half: halves.Half, batch: list[facts.Image],
              watching: list[checks.ImageCheck],
              served: list[halves.Half],
              pool: threads.Pool) -> None:
        """Show images to checks, and then the answers to their questions."""
        asked: dict[tuple[facts.Question, str], facts.Image] = {}
        for image, check in itertools.product(batch, watching):
            _safely(check, check.look, image)
            for question in _safely(check, check.ask, image) or ():
                if self._can_answer(half, question, served):
                    asked[question, image.id] = image
                else:
                    _safely(check, check.unanswered, image, question)
        questions = {question for question, _ in asked}
        answers = {question: pool.submit(functools.partial(
            self._answer, half, served, question)) for question in questions}
        for (question, _), image in asked.items():
            answer = answers[question].result()
            for check in watching:
                if question.kind in check.kinds:
                    _safely(check, check.unheard if isinstance(
                        answer, Exception) else check.hear, image, question,
                        answer)

    @staticmethod
    def _can_answer(half: halves.Half, question: facts.Question,
                    served: list[halves.Half]) -> list[halves.Half]:
        """Return the halves that can answer a question, the best first."""
        return [one for one in (half, *served)
                if question.kind in one.answers]

    def _answer(self, half: halves.Half, served: list[halves.Half],
                question: facts.Question) -> typing.Any:
        """Return the answer to a question, or the exception."""
        if question in self._answers:
            return self._answers[question]
        try:
            found = self._can_answer(half, question, served)[0].answer(
                question)
        except exception.NovaImageException as error:
            return error
        if question.kind == 'exists' and len(self._answers) < _REMEMBERED:
            self._answers[question] = found
        return found

    def _look_at_unlisted(self, half: halves.Half) -> None:
        """Show the images that only rest in the database."""
        watching = [check for check in self._checks if check.unlisted]
        if not watching:
            return
        try:
            for image in half.unlisted():
                for check in watching:
                    _safely(check, check.look, image)
        except exception.NovaImageException as error:
            self._doubt(half, error, watching)


def _batches(images: collections.abc.Iterator[facts.Image]
             ) -> collections.abc.Iterator[list[facts.Image]]:
    """Yield images in batches; those before an error are not lost."""
    while True:
        batch: list[facts.Image] = []
        try:
            batch.extend(itertools.islice(images, _BATCH))
        except exception.NovaImageException:
            if batch:
                yield batch
            raise
        if not batch:
            return
        yield batch


def _safely(check: checks.Check, method: collections.abc.Callable[
        ..., typing.Any], *args: typing.Any) -> typing.Any:
    """Call a method of a check, whose errors must not end the others."""
    try:
        return method(*args)
    except Exception as error:
        check.doubt('%s: %s' % (type(error).__name__, reasons.brief(error)))
        return None
