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

"""Who still uses the Images API v1, by the access logs of a cloud.

Knows nothing about any API but the paths of v1. Remains useful after v1 is
switched off, when its callers get errors.
"""

from __future__ import annotations

import bz2
import collections
import collections.abc
import contextlib
import dataclasses
import datetime
import gzip
import lzma
import re
import sys
import typing
import zlib

from nova_image import redaction
from nova_image.status import access_formats

#: the name of standard input
INPUT = '-'
#: how many clients, and how many paths, are told apart; others are one
MAX_CLIENTS = 10000
OTHERS = '(others)'
#: how many lines that could not be read are kept
EXAMPLES = 3
#: the longest line, in bytes
_LONGEST = 64 * 1024
_QUOTED = 200
#: why a file is left out
_NO_TEXT = 'it is not text. Compressed files can be gzip, bzip2 or xz'

#: a path of the Images API v1; other services have a v1 of their own
_V1 = re.compile(r'(?:^|/)v1(?:\.[0-9])?/(?:shared-)?images(?:/|\Z)')
_V1_BYTES = re.compile(rb'/v1(?:\.[0-9])?/(?:shared-)?images')
#: what a line with a request has; faster than reading the line
_REQUEST = re.compile(rb'HTTP/[0-9]')
_MAGIC = ((b'\x1f\x8b', gzip.open), (b'BZh', bz2.open),
          (b'\xfd7zXZ', lzma.open))

_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error)

Progress = collections.abc.Callable[[int], None]


@dataclasses.dataclass
class Client:
    """A client, as far as the logs tell it from others.

    What no line of it has is None.

    :ivar address: its address
    :ivar agent: its User-Agent
    :ivar user: ID of its user
    :ivar project: ID of its project
    :ivar calls: number of its calls of v1
    :ivar first: time of the first call, or None
    :ivar last: time of the last call, or None
    """

    address: str | None
    agent: str | None
    user: str | None
    project: str | None
    calls: int = 0
    first: datetime.datetime | None = None
    last: datetime.datetime | None = None

    @property
    def title(self) -> str:
        """What is known about the client, in one line."""
        words = [self.agent or 'an unknown program']
        for word, value in (('from', self.address), ('project', self.project),
                            ('user', self.user)):
            if value:
                words.append('%s %s' % (word, value))
        return ', '.join(words)

    def add(self, calls: int, first: datetime.datetime | None,
            last: datetime.datetime | None) -> None:
        """Count further calls."""
        self.calls += calls
        if first and (self.first is None or first < self.first):
            self.first = first
        if last and (self.last is None or last > self.last):
            self.last = last


@dataclasses.dataclass
class Usage:
    """What is in some access logs.

    :ivar lines: number of lines
    :ivar requests: number of lines with a request, of any API
    :ivar calls: number of calls of v1
    :ivar unknown: number of lines that name v1, but fit no format
    :ivar examples: the first of these
    :ivar clients: list of Client, the one with most calls first
    :ivar operations: ``'GET /v1/images/ID'`` -> number of calls
    :ivar statuses: status -> number of calls
    :ivar unreadable: path -> why the file could not be read
    """

    lines: int = 0
    requests: int = 0
    calls: int = 0
    unknown: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)
    clients: list[Client] = dataclasses.field(default_factory=list)
    operations: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter)
    statuses: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter)
    unreadable: dict[str, str] = dataclasses.field(default_factory=dict)

    def __iter__(self) -> collections.abc.Iterator[tuple[str, int]]:
        """Yield (client, number of its calls)."""
        for one in self.clients:
            yield one.title, one.calls

    @property
    def lacks_requests(self) -> bool:
        """Whether none of the lines is a request."""
        return bool(self.lines and not self.requests)

    def by(self, name: str) -> list[Client]:
        """Return the clients, told apart by one attribute.

        :param name: ``address``, ``agent``, ``user`` or ``project``
        :returns: list of Client with only this attribute; the one with most
            calls first, without those that lack it
        """
        found: dict[str, Client] = {}
        for one in self.clients:
            value = getattr(one, name)
            if value is None:
                continue
            if value not in found:
                found[value] = Client(None, None, None, None)
                setattr(found[value], name, value)
            found[value].add(one.calls, one.first, one.last)
        return _sorted(found.values())


def clients(paths: collections.abc.Iterable[str],
            since: datetime.datetime | None = None,
            progress: Progress | None = None) -> Usage:
    """Read access logs, and return who calls v1.

    Files that cannot be read are left out, and named in the result. They are
    read as streams: the memory depends only on the number of clients.

    :param paths: paths of the files, which may be compressed by gzip, bzip2
        or xz; INPUT for standard input
    :param since: leave out earlier calls; aware datetime
    :param progress: called with the number of lines so far, now and then
    """
    reading = _Reading(since, progress)
    for path in paths:
        try:
            with _opened(path) as stream:
                if not reading.read(stream):
                    reading.usage.unreadable[path] = _NO_TEXT
        except _ERRORS as error:
            reading.usage.unreadable[path] = (
                getattr(error, 'strerror', None) or str(error))
    return reading.end()


def is_v1(path: str) -> bool:
    """Return whether a path is one of the Images API v1."""
    return _V1.search(path) is not None


class _Reading:
    """Counts the lines of some files."""

    def __init__(self, since: datetime.datetime | None,
                 progress: Progress | None) -> None:
        self.usage = Usage()
        self._since = since
        self._progress = progress
        self._clients: dict[tuple[str | None, ...], Client] = {}

    def read(self, stream: typing.BinaryIO) -> bool:
        """Count the lines of one file, and return whether it is text."""
        usage, cut, binary = self.usage, False, False
        before = usage.requests
        while line := stream.readline(_LONGEST):
            begins, cut = not cut, not line.endswith(b'\n')
            if not begins:
                continue  # the rest of a line that is too long
            usage.lines += 1
            if self._progress and usage.lines % 100000 == 0:
                self._progress(usage.lines)
            is_request = _REQUEST.search(line) is not None
            if _V1_BYTES.search(line):
                self._count(line.decode(errors='replace').rstrip('\r\n'),
                            is_request)
            else:
                usage.requests += is_request
                binary = binary or b'\0' in line
        return usage.requests > before or not binary

    def _count(self, line: str, is_request: bool) -> None:
        """Count a line that may be a call of v1.

        :param is_request: whether it names HTTP, as all requests do
        """
        usage, found = self.usage, access_formats.parse(line)
        if found is None:
            if not is_request:
                return  # such as a message of a debug log
            usage.unknown += 1
            if len(usage.examples) < EXAMPLES:
                usage.examples.append(redaction.redact(line)[:_QUOTED])
            return
        usage.requests += 1
        if not is_v1(found.path) or (
                self._since and found.moment and found.moment < self._since):
            return
        usage.calls += 1
        usage.operations[self._operation(found)] += 1
        usage.statuses[str(found.status or 'none')] += 1
        self._client(found).add(1, found.moment, found.moment)

    def _operation(self, found: access_formats.Request) -> str:
        text = ('%s %s' % (found.method, _template(found.path)))[:_QUOTED]
        known = self.usage.operations
        return text if text in known or len(known) < MAX_CLIENTS else OTHERS

    def _client(self, found: access_formats.Request) -> Client:
        """Return the client of a request."""
        key = (found.address, found.agent, found.user, found.project)
        if key not in self._clients and len(self._clients) >= MAX_CLIENTS:
            key = (OTHERS, OTHERS, OTHERS, OTHERS)
        if key not in self._clients:
            self._clients[key] = Client(*key)
        return self._clients[key]

    def end(self) -> Usage:
        """Return the result."""
        self.usage.clients = _sorted(self._clients.values())
        return self.usage


def _sorted(found: collections.abc.Iterable[Client]) -> list[Client]:
    return sorted(found, key=lambda one: (-one.calls, str(one)))


def _template(path: str) -> str:
    """Return a path of v1 without what is in front of it, and without IDs."""
    found = _V1.search(path)
    parts = path[found.start() if found else 0:].strip('/').split('/')
    parts[0] = '/v1'
    if len(parts) > 2 and parts[2] != 'detail':
        parts[2] = 'ID'
    if len(parts) > 4:
        parts[4:] = ['ID']
    return '/'.join(parts)


@contextlib.contextmanager
def _opened(path: str) -> collections.abc.Iterator[typing.BinaryIO]:
    """Open a file, which is uncompressed if need be."""
    with contextlib.ExitStack() as stack:
        stream: typing.Any = (
            sys.stdin.buffer if path == INPUT
            else stack.enter_context(open(path, 'rb')))
        begin = stream.peek(6)
        for magic, uncompress in _MAGIC:
            if begin.startswith(magic):
                stream = stack.enter_context(uncompress(stream))
        yield stream
