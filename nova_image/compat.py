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

"""What newer Pythons have in their library, for all supported ones."""

import datetime
import re
import sys

from six import moves

#: options of dataclasses.dataclass() that Python 3.9 lacks: objects without
#: a dictionary, which take less memory, and fields that are only keywords
SLOTS = {'slots': True} if sys.version_info >= (3, 10) else {}
KEYWORDS = {'kw_only': True} if sys.version_info >= (3, 10) else {}

_MISSING = object()
_TIME = re.compile(
    r'(?P<year>[0-9]{4})(?:(?P<dash>-?)(?:'
    r'(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})'
    r'|W(?P<week>[0-9]{2})(?:(?P=dash)(?P<weekday>[0-9]))?))'
    r'(?:.(?P<hour>[0-9]{2})(?:(?P<colon>:?)(?P<minute>[0-9]{2})'
    r'(?:(?P=colon)(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?)?'
    r'(?P<zone>Z|(?P<sign>[-+])(?P<hours>[0-9]{2})(?:(?P<zone_colon>:?)'
    r'(?P<minutes>[0-9]{2})(?:(?P=zone_colon)(?P<seconds>[0-9]{2})'
    r'(?:[.,](?P<zone_fraction>[0-9]+))?)?)?)?)?\Z', re.DOTALL)


def zip_strict(*iterables):
    """Return an iterator of tuples, as ``zip(strict=True)`` of Python 3.10.

    :raises ValueError: while iterating, if the iterables differ in length
    """
    for items in moves.zip_longest(*iterables, fillvalue=_MISSING):
        if any(item is _MISSING for item in items):
            raise ValueError('the iterables differ in length')
        yield items


def parse_time(text):
    """Return a datetime of ISO 8601 text, on Python 3.

    The forms are those of datetime.fromisoformat() of Python 3.11.

    :param text: text, such as 2026-11-21T04:16:28.5Z or 20261121
    :returns: with a zone if the text has one
    :raises ValueError: if it is no such time
    :raises TypeError: if it is no text
    """
    if sys.version_info >= (3, 11):
        return datetime.datetime.fromisoformat(text)
    return _parse_time(text)


def _parse_time(text):
    found = _TIME.match(text)
    if found is None:
        raise ValueError('Invalid isoformat string: %r' % text)
    fields = found.groupdict()
    if fields['week']:
        day = datetime.date.fromisocalendar(
            int(fields['year']), int(fields['week']),
            int(fields['weekday'] or 1))
    else:
        day = datetime.date(*(int(fields[name])
                              for name in ('year', 'month', 'day')))
    return datetime.datetime(
        day.year, day.month, day.day,
        *[int(fields[name] or 0) for name in ('hour', 'minute', 'second')],
        microsecond=_microseconds(fields['fraction']), tzinfo=_zone(fields))


def _zone(fields):
    if not fields['zone']:
        return None
    if fields['zone'] == 'Z':
        return datetime.timezone.utc
    offset = datetime.timedelta(
        hours=int(fields['hours']), minutes=int(fields['minutes'] or 0),
        seconds=int(fields['seconds'] or 0),
        microseconds=_microseconds(fields['zone_fraction']))
    return datetime.timezone(
        -offset if fields['sign'] == '-' else offset)


def _microseconds(digits):
    return int((digits or '')[:6].ljust(6, '0'))
