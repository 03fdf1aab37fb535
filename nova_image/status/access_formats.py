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

"""One line of an access log as a request, whatever server wrote it.

Knows the logs of Glance itself (eventlet, with the context of oslo.log),
gunicorn, Apache and nginx (common and combined, also with a virtual host in
front or further fields behind), uwsgi, and the HTTP log of haproxy. A syslog
may have added its own words in front of a line, and Docker may have wrapped it
in JSON. Every pattern takes linear time: no two of its parts that repeat can
match the same text.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import re
import typing

#: METHOD URL of a request line, in quotation marks
_QUOTED = re.compile(
    r'"([A-Z]{3,10}) ([^\s"]{1,16384}) HTTP/[0-9](?:\.[0-9])?"')
#: the same as uwsgi writes it, with the time before and the status after
_UWSGI = re.compile(
    r'\] ([^\s\[\]()]{1,255}) \([^()]{0,255}\) \{[^{}]{0,99}\} '
    r'\[([^\[\]]{24})\] ([A-Z]{3,10}) (\S{1,16384}) => generated '
    r'[0-9]{1,20} bytes in [0-9]{1,20} [a-z]{4,6} '
    r'\(HTTP/[0-9.]{1,3} ([0-9]{3})\)')
#: the time before a request line
_TIME = re.compile(
    r'\[([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4})[ :]([0-9]{2}:[0-9]{2}:[0-9]{2})'
    r'(?:\.[0-9]{1,6})?(?: ([+-][0-9]{2})([0-9]{2}))?\]')
#: what haproxy writes between the time and the request line
_HAPROXY = re.compile(
    r' \S{1,255} [^\s/]{1,255}/\S{1,255} [-+0-9]{1,12}(?:/[-+0-9]{1,12}){3,4} '
    r'([0-9]{3}|-1) [+0-9]{1,20} \S{1,255} \S{1,255} [-A-Za-z]{2,6} '
    r'[-+0-9/]{3,60} [0-9/]{3,30} (?:\{([^{}]{0,4096})\} )?')
#: the status after a request line; oslo.service has a word in front of it
_STATUS = re.compile(r' (?:status: )?([0-9]{3})(?![0-9])')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
#: the beginning of oslo.log's context: IDs of requests, user and project
_CONTEXT = re.compile(
    r'\[(?:(?:None|-|req-[0-9a-f-]{36}) )?req-[0-9a-f-]{36} '
    r'([^\s\[\]]{1,255}) ([^\s\[\]]{1,255})[ \]]')
_OSLO_TIME = re.compile(
    r'(?<![0-9])([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]'
    r'([0-9]{2}:[0-9]{2}:[0-9]{2})')
_MONTHS = ('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep',
           'Oct', 'Nov', 'Dec')
#: where oslo.log writes the time, in characters from the start
_PREFIX = 200
#: fields of JSON with a line of a log
_LINES = ('log', 'message', 'MESSAGE', 'msg')
#: the most that is kept of a name
_LONGEST = 200


class Request(typing.NamedTuple):
    """A request in an access log; what the line lacks is None.

    :ivar method: such as ``GET``
    :ivar path: the path, without the query
    :ivar status: the status of the answer
    :ivar moment: aware datetime (UTC); a time without a zone counts as UTC
    :ivar address: of the client; of the first one if proxies name several
    :ivar agent: the User-Agent
    :ivar user: ID of the user
    :ivar project: ID of the project
    """

    method: str
    path: str
    status: int | None = None
    moment: datetime.datetime | None = None
    address: str | None = None
    agent: str | None = None
    user: str | None = None
    project: str | None = None


def parse(line: str) -> Request | None:
    """Return the request in a line; None if there is none.

    :param line: without its end
    """
    if line.startswith('{'):
        line = _unwrapped(line)
    found = _QUOTED.search(line)
    if found:
        return _quoted(line[:found.start()], found[1], found[2],
                       line[found.end():])
    found = _UWSGI.search(line)
    if found is None:
        return None
    address, moment, method, target, status = found.groups()
    return Request(method, _path(target), int(status), _ctime(moment),
                   _address(address))


def _unwrapped(line: str) -> str:
    """Return the line in JSON of Docker, journald or others."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return line
    for name in _LINES:
        text = fields.get(name) if isinstance(fields, dict) else None
        if isinstance(text, str):
            return text.rstrip()
    return line


def _quoted(head: str, method: str, target: str, tail: str) -> Request | None:
    """Return the request whose request line has quotation marks.

    :param head: the line before them
    :param tail: the line after them
    """
    path, times = _path(target), [*_TIME.finditer(head)]
    if not times:
        return _of_oslo(head, method, path, tail)
    time = times[-1]
    proxied = _HAPROXY.match(head, time.end())
    if proxied:
        return _of_haproxy(head, method, path, time, proxied)
    status = _STATUS.match(tail)
    if status is None:
        return None
    user, project = _context(head)
    strings = [one.replace('\\"', '"') for one in _STRING.findall(tail)]
    forwarded = _forwarded(strings[2]) if len(strings) > 2 else None
    return Request(
        method, path, int(status[1]), _moment(time),
        forwarded or _client(head[:time.start()]),
        _known(strings[1]) if len(strings) > 1 else None, user, project)


def _of_oslo(head: str, method: str, path: str, tail: str) -> Request | None:
    """Return the request in a line of oslo.service, which has one time."""
    status = _STATUS.match(tail)
    user, project = _context(head)
    time = _OSLO_TIME.search(head[:_PREFIX])
    words = head.split()
    if status is None or time is None or not words:
        return None
    year, month, day, clock = time.groups()
    return Request(method, path, int(status[1]),
                   _utc(year, int(month), day, clock, None, None),
                   _address(words[-1]), None, user, project)


def _of_haproxy(head: str, method: str, path: str, time: 're.Match[str]',
                found: 're.Match[str]') -> Request:
    """Return the request in a line of haproxy.

    Captured headers are in the configured order, without their names. They
    are most often those that identify a client.
    """
    words = head[:time.start()].split()
    address = words[-1].rpartition(':')[0] if words else ''
    captured = '|'.join(filter(None, (found[2] or '').split('|')))
    status = int(found[1])
    return Request(method, path, status if status > 0 else None,
                   _moment(time), _address(address), _known(captured))


def _client(head: str) -> str | None:
    """Return the address before the two names in front of a time."""
    words = head.split()
    if len(words) < 3:
        return None
    # A user's name may contain blanks.
    for word in (words[-3], *reversed(words[:-3][-6:])):
        if _is_address(word.partition(',')[0]):
            return _address(word)
    return _address(words[-3])


def _address(text: str) -> str | None:
    """Return the first of several addresses."""
    return _known(text.partition(',')[0])


def _forwarded(text: str) -> str | None:
    """Return the first address of an X-Forwarded-For."""
    first = text.partition(',')[0].strip()
    return first if _is_address(first) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _known(text: str) -> str | None:
    """Return a name; None for one that is unknown."""
    return text[:_LONGEST] if text.strip('- ') else None


def _context(head: str) -> tuple[str | None, str | None]:
    """Return the user and the project in oslo.log's context."""
    found = _CONTEXT.search(head)
    return (_known(found[1]), _known(found[2])) if found else (None, None)


def _path(target: str) -> str:
    """Return the path of a URL, or of its part in a request line."""
    path = target.partition('?')[0]
    if '://' in path:
        path = '/' + path.partition('://')[2].partition('/')[2]
    return path


def _moment(found: 're.Match[str]') -> datetime.datetime | None:
    day, month, year, clock, hours, minutes = found.groups()
    if month not in _MONTHS:
        return None
    return _utc(year, _MONTHS.index(month) + 1, day, clock, hours, minutes)


def _utc(year: str, month: int, day: str, clock: str, hours: str | None,
         minutes: str | None) -> datetime.datetime | None:
    """Return a time as UTC; None if there is no such time."""
    try:
        hour, minute, second = map(int, clock.split(':'))
        found = datetime.datetime(int(year), month, int(day), hour, minute,
                                  second, tzinfo=datetime.timezone.utc)
        if hours and minutes:
            sign = -1 if hours.startswith('-') else 1
            found -= datetime.timedelta(
                hours=int(hours), minutes=sign * int(minutes))
    except (ValueError, OverflowError):
        return None
    return found


def _ctime(text: str) -> datetime.datetime | None:
    """Return the time in a form such as ``Thu Nov 26 11:08:17 2026``."""
    _, month, day, clock, year = (text.split() + [''] * 5)[:5]
    if month not in _MONTHS:
        return None
    return _utc(year, _MONTHS.index(month) + 1, day, clock, None, None)
