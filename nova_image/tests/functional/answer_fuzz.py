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


"""The base of the answer fuzz: calls of a driver, and answers to them.

A Hypothesis test draws a call, and faults of the answers to it. The call
returns what it should, or raises one exception of nova_image.exception; it
ends in time, and a create leaves nothing that its error does not name. What
a server has said does not break the next call.

``NOVA_IMAGE_FUZZ=N`` draws N examples, other ones in each run.
"""

import collections.abc
import dataclasses
import datetime
import hashlib
import io
import logging
import os
import time
import typing

import fixtures as lib_fixtures
import hypothesis
from hypothesis import strategies
import testtools

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import false_glance

TOKEN = 'a-secret-token'
IMAGE_ID = '71c675ab-d94f-49cd-a114-e12490b328d9'
DATA = b'0123456789' * 10
TIME = '2026-01-01T00:00:00'
#: seconds: that of a request or a download, and what a call may add to it
DEADLINE, GRACE = 5, 1
#: bytes over idle
MAX_MEMORY = 64 * 1024 * 1024
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
SHA512 = hashlib.sha512(DATA).hexdigest()
META = {'name': 'x', 'disk_format': 'raw', 'container_format': 'bare'}

_EXAMPLES = int(os.environ.get('NOVA_IMAGE_FUZZ', 0))
# Hypothesis keeps what it has drawn, 15 KiB an example, which is not memory of
# the driver.
_ROUND = 1000
_OPTIONS = {'num_retries': 2, 'download_retries': 2, 'max_retry_wait': 2.0,
            'timeout': 3, 'request_deadline': DEADLINE,
            'download_deadline': DEADLINE, 'verify_uploads': True}

_RAW_JSON = [false_glance.Raw(text) for text in (
    'NaN', 'Infinity', '1e999', '-1e999', '9' * 5000, '-1', '1.5', '-0',
    '[' * 1500 + ']' * 1500, '{"a":' * 500 + '1' + '}' * 500, '"\\ud800"',
    '"\\ud83d\\ude00"', '[' * 100000, '\x00', '', '"', '{"status": 1,'
    ' "id": "x"}')]
_NASTY = [
    None, True, False, 0, -1, 1, 5, 1.5, 2 ** 31, 2 ** 63, 10 ** 30, '', ' ',
    'x', 'garbageZ', 'Z', [], [1], [None], [{}], {}, {'a': 1}, [[]], '9' * 30,
    '\u0663', '\xb2', '2026-13-01T00:00:00Z', '0000-00-00T00:00:00Z',
    '10000-01-01T00:00:00Z', '0001-01-01T00:00:00+23:59',
    '2026-01-01T00:00:00+99:99', '[' * 1500, '{"a":' * 1500, 'md5', 'sha1',
    'sha512', 'shake_128', '00', 'http://[::1/v2/images?a',
    'http://[::1]:99999/v2/images', '/v2/images?marker=x', '/v2/../x?',
    'active', 'queued', 'importing', 'deleted', 'killed', IMAGE_ID,
    IMAGE_ID.upper(), 'file:///etc/passwd', 'rbd://[', 'fast,slow', ',',
    {'status': 'active', 'id': IMAGE_ID}, {'url': 5, 'metadata': []},
    '\ud800', 'a\x00b', 'a' * 70000]
_JSON = strategies.recursive(
    strategies.sampled_from(_NASTY) | strategies.text(max_size=8) |
    strategies.integers() | strategies.floats(),
    lambda inner: strategies.lists(inner, max_size=3) |
    strategies.dictionaries(strategies.sampled_from(
        ('id', 'status', 'url', 'metadata', 'value', 'limit', 'a')), inner,
        max_size=3), max_leaves=6)
_VALUES = (strategies.sampled_from(_NASTY) | strategies.just(...) |
           strategies.sampled_from(_RAW_JSON) | _JSON)
_EDITS = strategies.lists(strategies.tuples(
    strategies.integers(0, 120), _VALUES), min_size=1, max_size=3).map(tuple)
_STATUSES = strategies.sampled_from((
    200, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 302, 304, 307, 400,
    401, 403, 404, 405, 406, 409, 410, 413, 415, 416, 418, 429, 451, 499, 500,
    501, 502, 503, 504, 505, 511, 599, 600, 999))
_HEADERS = strategies.lists(strategies.tuples(
    strategies.sampled_from((
        'Retry-After', 'Location', 'Content-Type', 'Content-Range',
        'Content-Length', 'Content-Encoding', 'Transfer-Encoding',
        'Connection', 'Set-Cookie', 'WWW-Authenticate', 'Link',
        'OpenStack-image-import-methods', 'x-openstack-request-id',
        'x-image-meta-id', 'x-image-meta-size', 'x-image-meta-created_at',
        'x-image-meta-property-mappings', 'Content-MD5', '', 'a b')),
    strategies.sampled_from((
        '', '0', '-1', '1', '7, 7', '9' * 5000, 'nan', 'inf', '1e400', '\xb2',
        'Wed, 21 Oct 99999 07:28:00 GMT', 'Wed, 99', 'http://[::1/v2',
        '//[', 'text/html', 'text/html; charset=\xff', 'application/json',
        'bytes 0-99/100', 'bytes %s-1/2' % ('9' * 5000), 'bytes */*', 'gzip',
        'deflate', 'br', 'zstd', 'gzip, gzip', 'chunked', 'identity', 'close',
        'a=b; expires=x', '[' * 1500, IMAGE_ID, '\xc3\xff', 'x' * 20000))),
    min_size=1, max_size=3).map(tuple)
_BODIES = strategies.sampled_from((
    b'', b'null', b'[]', b'{}', b'5', b'"x"', b'\xff\xfe', b'{"id": ',
    b'<html><h1>x</h1><body>Log in</body></html>', b'[' * 100000,
    b'{"a":' * 50000, b'\xef\xbb\xbf{}', b'\x1f\x8b\x08\x00', b'\x00' * 100,
    b'9' * 100000, b'{"images": [], "images": 5}')) | strategies.binary(
        max_size=60)
_WIRE = strategies.sampled_from((
    b'', b'\r\n', b'x', b'HTTP/1.1', b'HTTP/1.1 200', b'HTTP/1.1 200 OK',
    b'HTTP/1.1 abc OK\r\n\r\n', b'HTTP/1.1 99 OK\r\n\r\n',
    b'HTTP/1.1 1000 OK\r\n\r\n', b'HTTP/1.1 -200 OK\r\n\r\n',
    b'HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n', b'HTTP/0.9 200 OK\r\n\r\n{}',
    b'HTTP/2.0 200 OK\r\n\r\n{}', b'ICY 200 OK\r\n\r\n', b'\x16\x03\x01\x02',
    b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}',
    b'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}',
    b'HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n{}',
    b'HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n{}' % (b'9' * 5000),
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n{}' % (
        b'f' * 50),
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}',
    b'HTTP/1.1 200 OK\r\n%s\r\n{}' % (b'a: b\r\n' * 200),
    b'HTTP/1.1 200 OK\r\na: %s\r\n\r\n{}' % (b'x' * 70000),
    b'HTTP/1.1 200 OK\r\nno colon\r\n: x\r\n\x00: y\r\n\r\n{}',
    b'HTTP/1.1 200 OK\r\n folded\r\n\r\n{}',
    b'HTTP/1.1 100 Continue\r\n\r\n' * 50 + b'HTTP/1.1 200 OK\r\n\r\n{}',
    b'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    b'HTTP/1.1 200 ' + b'x' * 70000)) | strategies.binary(max_size=40)


def _faults() -> strategies.SearchStrategy[false_glance.Fault]:
    make = false_glance.Fault
    plain = {'edits': _EDITS, 'body': _BODIES, 'status': _STATUSES,
             'headers': _HEADERS, 'wire': _WIRE,
             'cut': strategies.integers(0, 400)}
    kinds = [strategies.builds(make, **{name: plain[name]})
             for name in ('edits', 'edits', 'edits', *plain)]
    return strategies.one_of(*kinds, strategies.builds(
        make, status=_STATUSES, headers=_HEADERS, body=_BODIES),
        strategies.builds(make, edits=_EDITS, headers=_HEADERS))


FAULTS = strategies.dictionaries(
    strategies.integers(0, 7) | strategies.integers(0, 2) |
    strategies.just(false_glance.REST), _faults(), min_size=1, max_size=4)


@dataclasses.dataclass
class Peak:
    """The largest values of a run."""

    seconds: float = 0.0
    memory: int = 0
    examples: int = 0
    failed: int = 0


def resident() -> int:
    """Return the memory of this process that is in RAM, in bytes."""
    with open('/proc/self/statm') as stream:
        return int(stream.read().split()[1]) * os.sysconf('SC_PAGESIZE')


class Clock:
    """Time that passes only as fast as something waits for it."""

    def __init__(self) -> None:
        """Begin at the present."""
        self._waited = 0.0
        self._real = time.monotonic

    def now(self) -> float:
        """Return the seconds since some moment."""
        return self._real() + self._waited

    def sleep(self, seconds: float) -> None:
        """Let seconds pass at once."""
        self._waited += seconds


#: a call of a driver, given the test
Call = collections.abc.Callable[['AnswerFuzz'], typing.Any]
#: {name: (fields of the image before the call, the call)}
Calls = dict[str, tuple[dict[str, typing.Any], Call]]


class _Log(logging.Handler):
    """Formats every record, as a log file would, and drops it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Fail if a message cannot be formatted, or has the token."""
        if TOKEN in record.getMessage():
            raise AssertionError(record.getMessage())


class AnswerFuzz(testtools.TestCase):
    """Base class: one example after the other, on one driver.

    :cvar api: ``v1`` or ``v2``
    :cvar calls: Calls
    :cvar truth: class of the right answers for one example; its objects have
        ``made``, whether the image was created, and ``deleted``
    :cvar examples: how many to draw if NOVA_IMAGE_FUZZ is not set
    """

    api: str
    calls: Calls
    truth: typing.Any
    examples: int

    def setUp(self) -> None:
        """Start the server and load the driver."""
        super().setUp()
        self.server = self.useFixture(false_glance.FalseGlance())
        self.clock = Clock()
        self.useFixture(lib_fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', self.clock.now))
        self.useFixture(lib_fixtures.LogHandler(
            _Log(), level=logging.DEBUG, nuke_handlers=True))
        self.context = base.Context(auth_token=TOKEN)
        self.driver = base.make_driver(
            self.api, [self.server.url], _OPTIONS, sleep=self.clock.sleep)
        self.path = os.path.join(self.useFixture(base.folder()).path, 'disk')
        self.peak = Peak()
        self.idle = 0
        self.addCleanup(self._report)

    def test_right_answers_are_no_errors(self) -> None:
        for name in self.calls:
            self.example(name, {})
            self.assertEqual(0, self.peak.failed, (name, self.server.calls))

    def test_any_answers(self) -> None:
        @hypothesis.settings(
            max_examples=min(_EXAMPLES or self.examples, _ROUND),
            deadline=None, derandomize=not _EXAMPLES, print_blob=True,
            database=None, suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink))
        @hypothesis.given(strategies.sampled_from(sorted(self.calls)), FAULTS)
        def draw(name: str, faults: dict[int, false_glance.Fault]) -> None:
            self.example(name, faults)

        while self.peak.examples < (_EXAMPLES or self.examples):
            draw()

    def example(self, name: str,
                faults: dict[int, false_glance.Fault]) -> None:
        """Make a call with faulty answers, and then one with right ones."""
        before, call = self.calls[name]
        truth = self.truth(**before)
        self.server.begin(truth, faults)
        began, error = time.monotonic(), None
        try:
            self.check(call(self))
        except exception.NovaImageException as raised:
            error = raised
            self.assertTrue(str(error))
        seconds = time.monotonic() - began
        self.assertLess(seconds, DEADLINE + GRACE, self.server.calls)
        if error is not None and name.startswith('create'):
            self.check_undone(truth, faults, error)
        self.server.begin(self.truth(), {})
        image = self.driver.create(self.context, META, DATA)
        self.assertEqual('active', image['status'])
        self._measure(seconds, error)

    def check_undone(self, truth: typing.Any,
                     faults: dict[int, false_glance.Fault],
                     error: exception.NovaImageException) -> None:
        """Check that a create has left nothing that its error does not name.

        :param error: what it has raised, which is not the error of the undo
        """
        self.assertNotEqual('delete', error.action)
        lied = any(fault.has_no_effect for fault in faults.values())
        if truth.made and not lied:
            self.assertTrue(truth.deleted or error.left,
                            (self.server.calls, str(error)))

    def check(self, found: typing.Any) -> None:
        """Check the types of what a call has returned."""
        if isinstance(found, list):
            for one in found:
                self.check(one)
        elif isinstance(found, dict) and 'min_ram' in found:
            self._check_image(found)

    def _check_image(self, image: dict[str, typing.Any]) -> None:
        self.assertIsInstance(image['id'], str)
        for field in ('name', 'status', 'disk_format', 'container_format',
                      'checksum', 'owner'):
            self.assertIsInstance(image[field], str | None, field)
        for field in ('size', 'min_disk', 'min_ram'):
            self.assertIs(int, type(image[field]), field)
            self.assertGreaterEqual(image[field], 0)
        for field in ('created_at', 'updated_at', 'deleted_at'):
            self.assertIsInstance(image[field], datetime.datetime | None)
            if image[field]:
                self.assertEqual(datetime.timedelta(0),
                                 image[field].utcoffset())
        for field in ('is_public', 'deleted'):
            self.assertIs(bool, type(image[field]), field)
        self.assertIsInstance(image['properties'], dict)
        repr(image).encode('utf-8')
        for place in image.get('locations', ()):
            self.assertIsInstance(place['url'], str)
            self.assertIsInstance(place['metadata'], dict)

    def _measure(self, seconds: float,
                 error: exception.NovaImageException | None) -> None:
        peak = self.peak
        peak.examples += 1
        peak.failed += error is not None
        peak.seconds = max(peak.seconds, seconds)
        if peak.examples == 20:  # everything is imported and connected
            self.idle = resident()
        elif self.idle:
            peak.memory = max(peak.memory, resident() - self.idle)
            self.assertLess(peak.memory, MAX_MEMORY)

    def _report(self) -> None:
        """Print the largest values, if this is a long run."""
        if _EXAMPLES:
            print('%s: %d examples, %d of them errors; the longest call took '
                  '%.2f s, memory over idle %.1f MiB' % (
                      self.api, self.peak.examples, self.peak.failed,
                      self.peak.seconds, self.peak.memory / 1024 ** 2))


def body() -> io.BytesIO:
    """Return the data as a file."""
    return io.BytesIO(DATA)
