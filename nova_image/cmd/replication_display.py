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

"""The output of a replication, for people and for programs."""

from __future__ import annotations

import collections.abc
import contextlib
import json
import sys
import threading
import time
import typing

from nova_image.cmd import display
from nova_image.cmd import safe_text
from nova_image.cmd import streams
from nova_image.replication import record as records
from nova_image.replication import results
from nova_image.replication import watching

Result = results.Result

#: results of which people see a line only if they ask for all
_QUIET = (Result.SAME, Result.SKIPPED)
#: the order of the results in the report
_ORDER = (Result.COPIED, Result.UPDATED, Result.DIFFERENT, Result.SAME,
          Result.SKIPPED, Result.LEFT, Result.CONFLICT, Result.FAILED)
#: the bar while there is nothing to transfer yet
_LISTING = '{desc}{elapsed}'
#: reasons that the report lists at most
_REASONS = 20
#: characters of a name in the line of an image
_LONGEST = 64
#: transfers that the bar names at most
_NAMED = 3


class Lines(watching.Watcher):
    """Writes a line for each image to standard output.

    :param as_json: whether the lines are JSON
    :param all_images: whether to write a line for unchanged and skipped
        images too
    :param several: whether there are several targets
    :param bar: the bar, or None
    """

    def __init__(self, as_json: bool, all_images: bool, several: bool,
                 bar: 'Bar | None') -> None:
        self._as_json = as_json
        self._all = all_images or as_json
        self._several = several
        self._bar = bar
        self._guard = threading.Lock()

    def listed(self, images: int) -> None:
        """Show the number of images that were listed."""
        if self._bar:
            self._bar.listed(images)

    def planned(self, images: int, size: int) -> None:
        """Show the bytes to transfer."""
        if self._bar:
            self._bar.planned(images, size)

    def began(self, image: records.Record, target: str) -> None:
        """Show that the transfer of an image begins."""
        if self._bar:
            self._bar.began(image)

    def sent(self, image: records.Record, target: str, size: int) -> None:
        """Show the number of bytes that have been sent."""
        if self._bar:
            self._bar.sent(image, target, size)

    def ended(self, outcome: results.Outcome) -> None:
        """Write the line of an image."""
        if self._bar:
            self._bar.ended(outcome)
        if outcome.result in _QUIET and not self._all:
            return
        line = json.dumps(outcome.as_dict()) if self._as_json else (
            self.line(outcome))
        with self._guard, (self._bar.hidden() if self._bar
                           else contextlib.nullcontext()):
            sys.stdout.write(line + '\n')
            sys.stdout.flush()

    def line(self, outcome: results.Outcome) -> str:
        """Return the line for people."""
        image = outcome.image
        parts = ['%-9s' % outcome.result.value, image.id,
                 '%10s' % display.human_size(image.size or 0),
                 _short(image.name or '(no name)')]
        if self._several:
            parts.append('at ' + outcome.target)
        if outcome.target_id not in (None, image.id):
            parts.append('as ' + str(outcome.target_id))
        line = '  '.join(parts)
        if outcome.reason:
            line += ': ' + outcome.reason
        elif outcome.changes:
            line += ': ' + ', '.join(outcome.changes)
        elif outcome.action == 'create' and (
                outcome.result is Result.DIFFERENT):
            line += ': the target lacks it'
        if outcome.losses:
            line += ' (lost: %s)' % ', '.join(
                loss.field for loss in outcome.losses)
        return safe_text.shown(line)


def _short(name: str) -> str:
    """Return the beginning of a long name."""
    return name if len(name) <= _LONGEST else name[:_LONGEST - 3] + '...'


def write_report(report: results.Report, seconds: float,
                 write: collections.abc.Callable[[str], typing.Any]) -> None:
    """Write the report of a run for people.

    :param seconds: how long it took
    :param write: called with text
    """
    counted = ['%d %s' % (report.counts[result], result.value)
               for result in _ORDER if report.counts[result]]
    total = sum(report.counts.values())
    write('%d image%s, %s: %s\n' % (
        total, '' if total == 1 else 's', display.human_size(report.size),
        ', '.join(counted) or 'nothing to do'))
    if report.sent:
        write('%s sent in %.1f s (%s/s)\n' % (
            display.human_size(report.sent), seconds,
            display.human_size(int(report.sent / max(seconds, 0.001)))))
    for counts, form in (
            ({'%s: %s' % (result.value, reason): count for (result, reason),
              count in report.reasons.items()}, '%5d %s'),
            ({'%s: %s' % loss: count for loss, count in
              report.losses.items()}, '%5d without %s')):
        most = sorted(counts.items(), key=lambda one: -one[1])
        for text, count in most[:_REASONS]:
            write(safe_text.shown(form % (count, text)) + '\n')
        if len(most) > _REASONS:
            write(form % (sum(count for _, count in most[_REASONS:]),
                          '... (%d more reasons)' % (
                              len(most) - _REASONS)) + '\n')
    if report.unverified:
        write('%5d not verified by a hash of the data\n' % report.unverified)
    if report.stopped:
        write(safe_text.shown('Stopped: %s' % report.stopped) + '\n')


def report_as_dict(report: results.Report,
                   seconds: float) -> dict[str, typing.Any]:
    """Return the last line of the output as JSON.

    :param seconds: how long the run took
    """
    return {'report': {
        'images': sum(report.counts.values()), 'size': report.size,
        'bytes_sent': report.sent, 'seconds': round(seconds, 3),
        'unverified': report.unverified, 'stopped': report.stopped,
        'results': {result.value: report.counts[result]
                    for result in _ORDER if report.counts[result]},
        'reasons': [
            {'result': result.value, 'reason': reason, 'images': count}
            for (result, reason), count in report.reasons.most_common()]}}


class Bar:
    """A bar on a terminal for all transfers of a run."""

    def __init__(self) -> None:
        import tqdm
        self._guard = threading.RLock()
        self._bar = tqdm.tqdm(
            desc='listed 0 images', bar_format=_LISTING, unit='B',
            unit_scale=True, unit_divisor=1024,
            miniters=1, dynamic_ncols=True, file=streams.for_progress(),
            total=0, leave=False)
        self._names: dict[str, str] = {}
        self._sent: dict[tuple[str, str], int] = {}
        self._failed = 0
        self._shown = 0.0

    def close(self) -> None:
        """Remove the bar."""
        with self._guard:
            self._bar.close()

    @contextlib.contextmanager
    def hidden(self) -> collections.abc.Iterator[None]:
        """Hide the bar while a line is written to the terminal."""
        with self._guard:
            self._bar.clear()
            try:
                yield
            finally:
                self._bar.refresh()

    def listed(self, images: int) -> None:
        """Show the number of images that were listed."""
        with self._guard:
            now = time.monotonic()
            if now - self._shown > 0.2:
                self._shown = now
                self._bar.set_description('listed %d images' % images)

    def planned(self, images: int, size: int) -> None:
        """Set the bytes to transfer."""
        with self._guard:
            self._bar.total = size
            self._bar.bar_format = None
            self._describe()

    def began(self, image: records.Record) -> None:
        """Show the name of an image whose transfer begins."""
        with self._guard:
            self._names[image.id] = image.name or image.id
            self._describe()

    def sent(self, image: records.Record, target: str, size: int) -> None:
        """Count the bytes that were sent."""
        with self._guard:
            before = self._sent.get((image.id, target), 0)
            self._sent[image.id, target] = size
            self._bar.update(size - before)

    def ended(self, outcome: results.Outcome) -> None:
        """Count an image that is done."""
        with self._guard:
            self._names.pop(outcome.image.id, None)
            self._sent.pop((outcome.image.id, outcome.target), None)
            self._failed += outcome.result in (Result.FAILED,
                                               Result.CONFLICT)
            self._describe()

    def _describe(self) -> None:
        names = list(self._names.values())
        text = ', '.join(name[:16] for name in names[:_NAMED])
        if len(names) > _NAMED:
            text += ' and %d more' % (len(names) - _NAMED)
        if self._failed:
            text = '%d failed; %s' % (self._failed, text)
        self._bar.set_description(safe_text.shown(text), False)
