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

"""A replication that is repeated: health lines and metrics."""

from __future__ import annotations

import collections.abc
import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
import types
import typing

from nova_image.cmd import codes
from nova_image.cmd import errors
from nova_image.replication import results

LOG = logging.getLogger(__name__)

_HELP = {
    'images': ('gauge', 'Images of the last run, by their result.'),
    'last_run_timestamp_seconds': (
        'gauge', 'Time at which the last run ended.'),
    'last_success_timestamp_seconds': (
        'gauge', 'Time at which the last run with all images equal ended.'),
    'last_run_duration_seconds': ('gauge', 'Duration of the last run.'),
    'runs_total': ('counter', 'Runs of this process.'),
    'failed_runs_total': ('counter', 'Runs that could not list an end.'),
    'sent_bytes_total': ('counter', 'Bytes that were sent.'),
}


class Health:
    """Counts the runs of a process, and writes their metrics.

    :param path: file for the metrics in the format of Prometheus, such as
        one that the textfile collector of its node exporter reads; or None
    :raises OSError: if the file cannot be written
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._values: dict[str, float] = dict.fromkeys(
            ('runs_total', 'failed_runs_total', 'sent_bytes_total'), 0)
        self._images: dict[str, int] = {}
        if path is not None:  # not only after hours
            with _named(path), tempfile.TemporaryFile(dir=_folder(path)):
                pass

    def ran(self, report: results.Report, seconds: float) -> None:
        """Count a run that has ended."""
        now = time.time()
        self._values['runs_total'] += 1
        self._values['sent_bytes_total'] += report.sent
        self._values['last_run_timestamp_seconds'] = now
        self._values['last_run_duration_seconds'] = seconds
        if report.equal:
            self._values['last_success_timestamp_seconds'] = now
        self._images = {result.value: report.counts[result]
                        for result in results.Result}
        self._write()

    def failed(self) -> None:
        """Count a run that could not start."""
        self._values['runs_total'] += 1
        self._values['failed_runs_total'] += 1
        self._values['last_run_timestamp_seconds'] = time.time()
        self._write()

    def text(self) -> str:
        """Return the metrics."""
        lines = []
        for name, (kind, help_text) in _HELP.items():
            full = 'nova_image_replication_' + name
            values = [('{result="%s"}' % result, float(count))
                      for result, count in self._images.items()]
            if name != 'images':
                values = [('', self._values[name])] if (
                    name in self._values) else []
            if values:
                lines += ['# HELP %s %s' % (full, help_text),
                          '# TYPE %s %s' % (full, kind)]
                lines += ['%s%s %s' % (full, labels, repr(value))
                          for labels, value in values]
        return '\n'.join(lines) + '\n'

    def _write(self) -> None:
        """Replace the file; if that fails, the service continues."""
        if self._path is None:
            return
        try:
            with _named(self._path):
                _replace(self._path, self.text())
        except OSError as error:
            LOG.warning('The metrics were not written: %s',
                        errors.line_of(error))


def _folder(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))


@contextlib.contextmanager
def _named(path: str) -> collections.abc.Iterator[None]:
    """Make errors name a file rather than the temporary one."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise


def _replace(path: str, text: str) -> None:
    """Write a file that is never seen half."""
    with tempfile.NamedTemporaryFile(
            'w', prefix='.nova-image-', dir=_folder(path), delete=False,
            encoding='utf-8') as stream:
        try:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.replace(stream.name, path)
        except BaseException:
            os.unlink(stream.name)
            raise


def repeat(run: collections.abc.Callable[[Health], int], every: int,
           health: Health,
           say: collections.abc.Callable[[str], None]) -> int:
    """Run once, or repeatedly until the process ends.

    :param run: runs once, reports to the health and returns the exit code
    :param every: seconds from the start of one run to the start of the next;
        0 to run once
    :param say: called with a line for people
    :returns: the exit code of the only run, or that of a signal
    """
    if not every:
        return run(health)
    ending = _note_signals()
    while not ending:
        began = time.monotonic()
        try:
            code = run(health)
            text = 'all images are equal' if code == codes.DONE else (
                'exit code %d' % code)
        except Exception as error:
            health.failed()
            text = errors.line_of(error)
        wait = max(began + every - time.monotonic(), 0)
        sys.stdout.flush()
        say('%s: %s; next run in %d s' % (
            time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), text, wait))
        time.sleep(0 if ending else wait)
    return 128 + ending[0]


def _note_signals() -> list[int]:
    """Return a list that gets the signals that end the process.

    Their handlers raise an exception wherever the process is. If that is a
    place that ignores exceptions, such as a destructor, the loop still ends.
    """
    found: list[int] = []

    def note(before: typing.Any) -> collections.abc.Callable[
            [int, types.FrameType | None], None]:
        def noted(number: int, frame: types.FrameType | None) -> None:
            found.append(number)
            before(number, frame)
        return noted

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, note(before))
    return found
