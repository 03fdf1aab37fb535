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

"""nova-image-status upgrade rehearse: what will change for callers?

Removed with the Images API v1.
"""

from __future__ import annotations

import argparse
import collections.abc
import json
import logging
import shutil
import sys
import textwrap
import time
import typing

from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image.cmd import safe_text
from nova_image.cmd import status_cloud
from nova_image.cmd import streams
from nova_image import exception
from nova_image.status.v1 import differences
from nova_image.status.v1 import listings
from nova_image.status.v1 import rehearsal

NAME = 'rehearse'
SUMMARY = 'Compare all images as callers see them through v1 and through v2.'
SAME, DIFFERENT, UNREADABLE = 0, 1, 2
#: the word for all kinds of differences that are documented
DOCUMENTED = 'documented'

_DESCRIPTION = """\
Read all images through v1 and through v2, and list the differences that
callers of nova_image will see when they move from one to the other. Nothing
is changed. Use the credentials of an administrator, who sees all images, or
those of a project to see what it will see.

The two listings show almost everything. v1 reads an image by its ID in another
way than it lists images: unless --show is specified, the differences that this
makes are derived from the listings."""
_UNREADABLE = ('unreadable-v1', 'unreadable-v2')
#: seconds between two updates of the progress
_PAUSE = 0.2
_NARROWEST = 60


def add_parser(subparsers: typing.Any) -> None:
    """Add the parser of the subcommand."""
    parser = subparsers.add_parser(
        NAME, help=SUMMARY, description=_DESCRIPTION, epilog=_epilog(),
        formatter_class=options.Formatter, allow_abbrev=False)
    parser.add_argument(
        '--show', action='store_true',
        help='Also read each image by its ID through both APIs: two requests '
             'for each image.')
    parser.add_argument(
        '--members', action='store_true',
        help='Also find the members to whom v1 lists an image and v2 does '
             'not: one request for each shared image.')
    parser.add_argument(
        '--threads', metavar='<number>', type=options.number(1, 64),
        default=rehearsal.Options.threads,
        help='How many images to read by their IDs at a time (default: '
             '%(default)s).')
    parser.add_argument(
        '--ignore', metavar='<kind>', action='append', default=[],
        choices=[DOCUMENTED, *differences.KINDS],
        help='Kind of difference to leave out; documented means all that are '
             'by design. Can be repeated.')
    parser.add_argument(
        '--json', action='store_true',
        help='Write all differences as JSON instead of a table.')
    parser.set_defaults(run=run)


def _epilog() -> str:
    lines = ['Kinds of differences; those with * are documented, by design::',
             '']
    for name, kind in differences.KINDS.items():
        lines.append('    %-17s %s %s' % (
            name, '*' if kind.documented else ' ', kind.title))
    return '\n'.join(lines + ['', 'Exit codes::', '', """\
    0    no differences
    1    differences
    2    an image, or a listing, could not be read; or the command line, the
         environment or clouds.yaml is invalid
    130  Ctrl-C
    255  any other error"""])


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    cloud = status_cloud.open_cloud(arguments)
    _quieten(arguments)
    chosen = rehearsal.Options(arguments.show, arguments.members,
                               arguments.threads)
    work = rehearsal.Rehearsal(*_apis(cloud), chosen)
    ignored = _ignored(arguments.ignore)
    progress = _Progress(work, status_cloud.shows_progress(arguments))
    tally, began, error = rehearsal.Tally(), time.monotonic(), None
    output = _Json() if arguments.json else None
    try:
        for found in work.run():
            left = [one for one in found if one.kind not in ignored]
            tally.add(left)
            if output:
                output.write(left)
            progress.update(tally)
    except exception.GlanceVersionNotServed as raised:
        error = 'A rehearsal requires a Glance with both v1 and v2: %s' % (
            errors.line_of(raised.but(advice='')))
    except exception.NovaImageException as raised:
        error = errors.line_of(raised)
    finally:
        progress.end()
    if output:
        output.end(tally, error)
    else:
        _report(tally, time.monotonic() - began, error is None)
    if error:
        status_cloud.say(error)
    return code_of(tally, error is not None)


def _quieten(arguments: argparse.Namespace) -> None:
    """Leave out warnings about single images, which the result names."""
    if arguments.verbose_level <= 1 and not (
            arguments.debug or arguments.log_file):
        for name in ('urllib3.connection', 'nova_image.image'):
            logging.getLogger(name).setLevel(logging.ERROR)


def code_of(tally: rehearsal.Tally, failed: bool) -> int:
    """Return the exit code.

    :param failed: whether not all images could be read
    """
    if failed or tally.count(_UNREADABLE):
        return UNREADABLE
    return DIFFERENT if tally.different else SAME


def _apis(cloud: status_cloud.Cloud) -> tuple[listings.Api, listings.Api]:
    """Return both APIs of a cloud, which do not retry by themselves."""
    chosen = cloud.conf.glance
    retries, longest = chosen.num_retries, chosen.max_retry_wait
    cloud.conf.set_override('num_retries', 0, 'glance')
    drivers = cloud.drivers()
    first, second = (listings.Api(name, drivers[name], cloud.caller, retries,
                                  longest) for name in ('v1', 'v2'))
    return first, second


def _ignored(names: list[str]) -> set[str]:
    """Return the kinds of differences to leave out."""
    return {*names} | {
        name for name, kind in differences.KINDS.items()
        if kind.documented and DOCUMENTED in names}


class _Progress:
    """One line on a terminal that shows how far the rehearsal is."""

    def __init__(self, work: rehearsal.Rehearsal, shown: bool) -> None:
        self._work = work
        self._shown = shown
        self._file = streams.for_progress()
        self._last = 0.0
        self._width = 0

    def update(self, tally: rehearsal.Tally) -> None:
        """Show the progress, if it has not been shown just now."""
        if not self._shown or time.monotonic() < self._last + _PAUSE:
            return
        self._last = time.monotonic()
        text = '%d images listed by v1, %d by v2; %d compared, %d differ' % (
            *self._work.pairs.counts, tally.images, tally.different)
        self._write(status_cloud.one_row(text, self._file))

    def end(self) -> None:
        """Remove the line."""
        if self._width:
            self._write('')
            self._write('')

    def _write(self, text: str) -> None:
        self._file.write('\r' + text.ljust(self._width))
        self._file.flush()
        self._width = len(text)


class _Json:
    """The differences as JSON, written as they are found."""

    def __init__(self) -> None:
        self._separator = '{"differences": [\n'

    def write(self, found: collections.abc.Iterable[differences.Difference]
              ) -> None:
        """Write the differences of one image."""
        for one in found:
            sys.stdout.write(self._separator + json.dumps(
                _as_dict(one), default=str))
            self._separator = ',\n'

    def end(self, tally: rehearsal.Tally, error: str | None) -> None:
        """Write the summary."""
        if self._separator.startswith('{'):
            sys.stdout.write(self._separator)
        rest = {'images': tally.images, 'different': tally.different,
                'kinds': {name: {
                    'images': tally.kinds[name].images,
                    'documented': differences.KINDS[name].documented}
                    for name in _order(tally)}, 'error': error}
        sys.stdout.write('\n],\n%s\n' % json.dumps(rest)[1:])


def _as_dict(one: differences.Difference) -> dict[str, typing.Any]:
    return {**one._asdict(),
            'documented': differences.KINDS[one.kind].documented}


def _order(tally: rehearsal.Tally) -> list[str]:
    """Return the kinds that were found, those to be surprised by first."""
    return [name for name in differences.KINDS if name in tally.kinds]


def _report(tally: rehearsal.Tally, seconds: float, whole: bool) -> None:
    """Write the differences as a table, and the first of each kind.

    :param whole: whether all images could be read
    """
    say, kinds = sys.stdout.write, _order(tally)
    say('%d images compared in %.1f s%s: %s\n' % (
        tally.images, seconds, '' if whole else ', but not all',
        '%d differ' % tally.different if tally.different else
        'callers see no differences' if whole else 'none differs'))
    if not kinds:
        return
    say('\n  images  %-17s  difference\n' % 'kind')
    for name in kinds:
        kind = differences.KINDS[name]
        mark = '*' if kind.documented else ' '
        say('%8d  %-16s %s %s\n' % (
            tally.kinds[name].images, name, mark, kind.title))
    if any(differences.KINDS[name].documented for name in kinds):
        say('\n* by design: see "Incompatibilities of the Images APIs v1 and '
            'v2"\n')
    for name in kinds:
        _report_kind(name, tally.kinds[name])


def _report_kind(name: str, count: rehearsal.Count) -> None:
    width = max(_NARROWEST, shutil.get_terminal_size((80, 24)).columns)
    sys.stdout.write('\n%s: %s\n' % (name, '\n'.join(textwrap.wrap(
        differences.KINDS[name].advice, width - len(name) - 2))))
    for one in count.examples:
        line = '    %s  %s' % (one.image_id, _detail(one))
        sys.stdout.write(line[:width].rstrip() + '\n')
    more = count.images - len(count.examples)
    if more:
        sys.stdout.write('    and %d more, which --json lists\n' % more)


def _detail(one: differences.Difference) -> str:
    """Return what differs, as one line."""
    if one.kind.startswith('unreadable'):
        return _text(one.v2 if one.kind.endswith('v2') else one.v1)
    if one.kind.startswith('only-'):
        return _text(one.v2 if one.kind == 'only-v1' else one.v1)
    if one.kind == 'members':
        return '%s: %s' % (_text(one.name), one.v2)
    if one.kind in ('field', 'property-value', 'white-space'):
        return '%s: %s, %s' % (_text(one.name), _text(one.v1), _text(one.v2))
    return _text(one.name)


def _text(value: typing.Any) -> str:
    return safe_text.shown(exception.redact(str(value)))
