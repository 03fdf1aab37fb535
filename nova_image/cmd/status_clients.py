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

"""nova-image-status upgrade clients: who still uses v1?"""

from __future__ import annotations

import argparse
import collections.abc
import datetime
import json
import re
import sys
import typing

from nova_image.cmd import options
from nova_image.cmd import safe_text
from nova_image.cmd import status_cloud
from nova_image.cmd import streams
from nova_image import compat
from nova_image.status import access_logs

NAME = 'clients'
SUMMARY = 'Find out who still uses v1, by access logs.'
NOBODY, SOMEBODY, UNREADABLE = 0, 1, 2

_DESCRIPTION = """\
Read access logs and show which user agents, addresses and projects call the
Images API v1, how often, and when last. No cloud is asked.

A file can be the log of Glance itself (eventlet), of gunicorn, Apache, nginx
(common or combined), uwsgi or haproxy (option httplog), also with words of a
syslog in front of each line, and compressed by gzip, bzip2 or xz. - means
standard input."""
_EXIT_CODES = """\
Exit codes::

    0    nobody calls v1
    1    somebody does
    2    nobody was found, but a line that names v1 is in no known format; a
         file could not be read; no line is a request; or the command line is
         invalid
    130  Ctrl-C
    255  any other error"""
#: how many rows of a table are shown
_ROWS = 10
_TIMES = '%Y-%m-%d %H:%M:%S'
_UNITS = {'m': 'minutes', 'h': 'hours', 'd': 'days', 'w': 'weeks'}
#: attribute of a client -> title of its table
_TABLES = {'agent': 'user agent', 'address': 'address', 'project': 'project',
           'user': 'user'}


def add_parser(subparsers: typing.Any) -> None:
    """Add the parser of the subcommand."""
    parser = subparsers.add_parser(
        NAME, help=SUMMARY, description=_DESCRIPTION, epilog=_EXIT_CODES,
        formatter_class=options.Formatter, allow_abbrev=False)
    parser.add_argument('logs', metavar='<log>', nargs='+',
                        help='Access log; - for standard input.')
    parser.add_argument(
        '--since', metavar='<time>', type=moment,
        help='Leave out calls before this time: ISO 8601, in UTC unless it '
             'has a zone, such as 2026-11-01 or 2026-11-01T08:00; or an age '
             'in minutes, hours, days or weeks, such as 90m, 24h, 7d or 2w.')
    parser.add_argument('--json', action='store_true',
                        help='Write everything as JSON instead of tables.')
    parser.set_defaults(run=run)


def moment(text: str) -> datetime.datetime:
    """Return a time, as UTC; the ``type`` of an argument."""
    age = re.fullmatch('([0-9]{1,6})([mhdw])', text)
    try:
        if age:
            return (datetime.datetime.now(datetime.timezone.utc)
                    - datetime.timedelta(**{_UNITS[age[2]]: int(age[1])}))
        found = compat.parse_time(text)
        if found.tzinfo is None:
            return found.replace(tzinfo=datetime.timezone.utc)
        return found.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            '%r is neither a time, such as 2026-11-01T08:00, nor an age, '
            'such as 7d' % text) from None


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    shows = status_cloud.shows_progress(arguments)
    usage = access_logs.clients(arguments.logs, arguments.since,
                                _progress if shows else None)
    if shows:
        streams.for_progress().write('\x1b[K')
    if arguments.json:
        json.dump(_as_dict(usage), sys.stdout, indent=2, default=_iso)
        sys.stdout.write('\n')
    else:
        _report(usage)
    for path, reason in usage.unreadable.items():
        status_cloud.say('%s cannot be read: %s' % (path, reason))
    if usage.unknown and not usage.calls:
        status_cloud.say('Calls of v1 cannot be ruled out: %d lines that name '
                         'it are in no known format' % usage.unknown)
    elif usage.lacks_requests:
        status_cloud.say('None of the lines is a request. Is it an access '
                         'log, and one of the known formats?')
    return code_of(usage)


def code_of(usage: access_logs.Usage) -> int:
    """Return the exit code."""
    if usage.unreadable or usage.lacks_requests:
        return UNREADABLE
    if usage.calls:
        return SOMEBODY
    return UNREADABLE if usage.unknown else NOBODY


def _progress(lines: int) -> None:
    stream = streams.for_progress()
    stream.write('\r%s\r' % status_cloud.one_row('%d lines' % lines, stream))
    stream.flush()


def _iso(value: datetime.datetime) -> str:
    return value.strftime('%Y-%m-%dT%H:%M:%SZ')


def _as_dict(usage: access_logs.Usage) -> dict[str, typing.Any]:
    return vars(usage) | {'clients': [vars(one) for one in usage.clients]}


def _report(usage: access_logs.Usage) -> None:
    """Write tables of those who call v1."""
    say = sys.stdout.write
    say('%d of %d requests call v1\n' % (usage.calls, usage.requests))
    if usage.unknown:
        say('%d lines that name v1 are in no known format, such as:\n' % (
            usage.unknown))
        for line in usage.examples:
            say('    %s\n' % safe_text.shown(line)[:75])
    if not usage.calls:
        return
    if set(usage.statuses) - {'200'}:
        say('The answers: %s\n' % ', '.join(
            '%s (%d)' % item for item in sorted(usage.statuses.items())))
    for name, title in _TABLES.items():
        _table(title, [
            (one.calls, one.last, getattr(one, name)) for one in usage.by(name)
        ], usage.calls)
    _table('request', [(calls, None, text) for text, calls
                       in usage.operations.most_common()], usage.calls)


def _table(title: str, rows: collections.abc.Sequence[
        tuple[int, datetime.datetime | None, str]], calls: int) -> None:
    """Write a table of names.

    :param rows: (calls, time of the last one, name)
    :param calls: number of all calls
    """
    if not rows:
        return
    has_times = any(last for _, last, _ in rows)
    known = sum(number for number, _, _ in rows)
    if known < calls:
        rows = [*rows[:_ROWS], (calls - known, None, '(unknown)')]
    say = sys.stdout.write
    say('\n   calls  %s%s\n' % (
        '%-19s  ' % 'last call (UTC)' if has_times else '', title))
    for number, last, name in rows[:_ROWS + 1]:
        say('%8d  %s%s\n' % (
            number, '%-19s  ' % (last.strftime(_TIMES) if last else '')
            if has_times else '', safe_text.shown(name)))
    if len(rows) > _ROWS + 1:
        say('          and %d more, which --json lists\n' % (
            len(rows) - _ROWS - 1))
