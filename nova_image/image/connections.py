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
"""Connections that keep a deadline and bound what they read.

A timeout of urllib3 limits each wait. A server that sends a byte now and then
never exceeds it, neither in the head of an answer nor in its body. These
connections shorten each wait to the rest of the deadline, below urllib3 and
http.client, so that everything that waits for a server ends in time.

http.client refuses an answer with more than 100 headers; the Images API v1
sends one for each property. They are read here, up to a larger limit.
"""

import errno
import functools
import io
import socket
import struct
try:
    import ssl
except ImportError:  # Python without TLS
    ssl = None

import six
from six.moves import http_client

from nova_image.image import deadline as deadlines
from nova_image.image import idle
from nova_image.image import sizes

#: the most of an answer's head, in bytes and in headers. Glance 15 accepts
#: 64 KiB of headers in a request (eventlet 0.20), some 2,300 properties.
MAX_HEAD = 1024 * 1024
MAX_HEADERS = 8192
#: the longest line within a body, such as the size of a chunk, in bytes
_MAX_LINE = 64 * 1024
#: bytes that are sent in one wait
_PIECE = 64 * 1024
#: http.client counts 100; the rest is kept from it and added afterwards
_COUNTED = 90
#: the headers that http.client itself needs
_FRAMING = (b'content-length', b'transfer-encoding', b'connection',
            b'keep-alive', b'proxy-connection')
#: tcpi_rtt of struct tcp_info, in microseconds (include/uapi/linux/tcp.h)
_RTT = struct.Struct('=68xI')
_TLS_ERRORS = (ssl.SSLError,) if ssl else ()
_LINE_ENDS = (b'\r\n', b'\n', b'')


class UnreadableHead(Exception):
    """The server answered, but the head of its answer cannot be read.

    This is not an HTTPException, which urllib3 takes for a lost connection.
    """


def adopt(manager):
    """Make the pools of an urllib3 PoolManager use these connections.

    :param manager: PoolManager, of whatever copy of urllib3
    """
    manager.pool_classes_by_scheme = {
        scheme: _pool_of(kind)
        for scheme, kind in manager.pool_classes_by_scheme.items()}


_POOLS = {}


def _pool_of(kind):
    """Return a subclass of a class of pools, with these connections."""
    usual = kind.ConnectionCls
    if issubclass(usual, _Connection) or not hasattr(usual, 'putrequest'):
        return kind  # the latter without ssl
    if kind not in _POOLS:
        _POOLS[kind] = type(kind.__name__, (kind,), {
            'QueueCls': idle.Idle,
            'ConnectionCls': type(usual.__name__, (_Connection, usual), {})})
    return _POOLS[kind]


def round_trip(sock):
    """Return the seconds of a round trip to the peer of a socket.

    :returns: what the kernel has measured; None if it has not, or the peer
        is on this host
    """
    peer = sock.getpeername()[0]
    number = getattr(socket, 'TCP_INFO', None)
    if number is None or peer.startswith('127.') or peer in (
            '::1', sock.getsockname()[0]):
        return None
    found = sock.getsockopt(socket.IPPROTO_TCP, number, _RTT.size)
    return _RTT.unpack(found)[0] / 1e6 or None


class _Connection(object):
    """What a connection of urllib3 does in addition."""

    _deadline = deadlines.NONE

    def connect(self):
        """Connect within the deadline."""
        self._deadline = deadlines.current()
        timeout = self.timeout
        self.timeout = self._deadline.shorten(_seconds(timeout))
        self._expect_answer(self.timeout)  # that of a proxy
        try:
            super(_Connection, self).connect()
        finally:
            self.timeout = timeout

    def putrequest(self, *args, **kwargs):
        """Begin a request, with the deadline of this thread."""
        self._deadline = deadlines.current()
        return super(_Connection, self).putrequest(*args, **kwargs)

    def send(self, data):
        """Send bytes, or what a file object or an iterable has.

        Each piece may take as long as the timeout: a body may be slow if it
        moves.
        """
        if self.sock is None:
            if not self.auto_open:
                raise http_client.NotConnected
            self.connect()
        self._deadline.pause()
        if hasattr(data, 'read'):
            data = iter(functools.partial(data.read, sizes.CHUNK), b'')
        elif isinstance(data, (bytes, bytearray, memoryview, six.text_type)):
            data = (data,)
        for piece in data:
            self._send_all(piece)

    def _send_all(self, piece):
        if isinstance(piece, six.text_type):  # a head in Python 2
            piece = piece.encode('latin-1')
        piece, timeout = memoryview(piece), _seconds(self.timeout)
        for first in range(0, len(piece), _PIECE):
            self.sock.settimeout(self._deadline.shorten(timeout))
            self.sock.sendall(piece[first:first + _PIECE])

    def getresponse(self, *args, **kwargs):
        """Return the answer, which is read within the deadline."""
        self._deadline.resume()
        self._expect_answer(_seconds(self.timeout))
        return super(_Connection, self).getresponse(*args, **kwargs)

    def _expect_answer(self, timeout):
        self.response_class = functools.partial(
            _Response, self._deadline, timeout)


def _seconds(timeout):
    """Return a timeout; None for urllib3's marks of a default."""
    return timeout if isinstance(timeout, (int, float)) else None


class _Response(http_client.HTTPResponse, object):
    """An answer that is read within a deadline.

    :param deadline: Deadline
    :param timeout: seconds to wait for the next byte, or None
    """

    def __init__(self, deadline, timeout, sock, *args, **kwargs):
        if six.PY2:  # otherwise anything is an answer, that of HTTP/0.9
            kwargs['strict'] = True
        http_client.HTTPResponse.__init__(self, sock, *args, **kwargs)
        self.fp = _timed(self.fp, sock, _Clock(deadline, timeout))

    def begin(self):
        """Read the head of the answer, and of those of 1xx before it."""
        if self.msg is not None:
            return
        stream = self.fp
        head = self.fp = _Head(stream)
        try:
            http_client.HTTPResponse.begin(self)
            while self.status < 200:
                # http.client skips only 100, and would take the next head
                # for the answer to the next request.
                self._refuse_switch()
                self.headers = self.msg = None
                http_client.HTTPResponse.begin(self)
        except http_client.BadStatusLine:
            raise  # no answer, or not HTTP
        except http_client.HTTPException as error:
            raise UnreadableHead(error)
        if self.fp is head:
            self.fp = stream
        head.add_to(self.msg)
        # Nobody uses cookies here. requests would parse them, by regular
        # expressions of quadratic cost in Python 2.7.
        for name in ('Set-Cookie', 'Set-Cookie2'):
            if name in self.msg:
                del self.msg[name]

    def _refuse_switch(self):
        if self.status == http_client.SWITCHING_PROTOCOLS:
            raise UnreadableHead('it switches to another protocol')


class _Clock(object):
    """Waits for a socket within a deadline.

    :param deadline: Deadline
    :param timeout: seconds to wait for the next byte, or None
    """

    def __init__(self, deadline, timeout):
        self._deadline = deadline
        self._timeout = timeout
        self._is_set = False
        self._last = None

    def receive(self, sock, receive, *args):
        """Wait for a socket, and return what it receives.

        :param receive: a function of the socket
        :raises EnvironmentError: never one of TLS, which urllib3 and requests
            do not take for a lost connection while they read a body
        """
        wait = self._deadline.shorten(self._timeout)
        if not self._is_set or wait != self._last:
            sock.settimeout(wait)
            self._is_set, self._last = True, wait
        try:
            return receive(*args)
        except _TLS_ERRORS as error:
            if 'timed out' in six.text_type(error):  # eventlet, Python 2.7
                raise socket.timeout('timed out')
            raise socket.error(errno.ECONNRESET, six.text_type(error))


class _Arriving(io.RawIOBase):
    """The bytes of a socket of Python 3.

    :param raw: socket.SocketIO, which keeps the socket open
    """

    def __init__(self, raw, sock, clock):
        super(_Arriving, self).__init__()
        self._raw = raw
        self._sock = sock
        self._clock = clock

    def readable(self):
        """Return True."""
        return True

    def readinto(self, buffer):
        """Wait for bytes, within the deadline."""
        return self._clock.receive(self._sock, self._raw.readinto, buffer)

    def fileno(self):
        """Return the descriptor of the socket."""
        return self._raw.fileno()

    def close(self):
        """Release the socket."""
        self._raw.close()
        super(_Arriving, self).close()


class _Reader(io.BufferedReader):
    """The stream of an answer, whose lines are never endless."""

    def readline(self, size=-1):
        """Return a line, or the beginning of one that is too long."""
        return io.BufferedReader.readline(self, _line_limit(size))


class _Receiving(object):
    """The socket below a stream of Python 2."""

    def __init__(self, sock, clock):
        self._sock = sock
        self._clock = clock

    def recv(self, *args):
        """Wait for bytes, within the deadline."""
        return self._clock.receive(self._sock, self._sock.recv, *args)

    def __getattr__(self, name):
        return getattr(self._sock, name)


class _Stream(object):
    """The stream of an answer in Python 2."""

    def __init__(self, stream, clock):
        # With eventlet it has a socket of its own, a duplicate.
        stream._sock = _Receiving(stream._sock, clock)
        self._stream = stream

    def readline(self, size=-1):
        """Return a line, or the beginning of one that is too long."""
        return self._stream.readline(_line_limit(size))

    def __getattr__(self, name):
        return getattr(self._stream, name)


def _line_limit(size):
    return _MAX_LINE + 1 if size is None or size < 0 else size


def _timed(stream, sock, clock):
    """Return the stream of a socket, with the clock's timeouts."""
    if six.PY2:
        return _Stream(stream, clock)
    return _Reader(_Arriving(stream.detach(), sock, clock))


class _Head(object):
    """The lines of an answer's head, without those that are too many.

    :param stream: what to read them from
    """

    def __init__(self, stream):
        self._stream = stream
        self._size = 0
        self._forget()

    def _forget(self):
        self._lines = 0
        self._is_begun = False
        self._is_kept = False
        self._kept = []

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def readline(self, size=-1):
        """Return the next line that http.client shall see."""
        while True:
            line = self._stream.readline(size)
            self._count(len(line))
            if not self._is_begun:
                self._forget()  # what belongs to an answer of 1xx
                self._is_begun = True
                return line
            if line in _LINE_ENDS:
                self._is_begun = False
                return line
            if not self._keeps(line):
                return line

    def _count(self, size):
        self._size += size
        self._lines += 1
        if self._size > MAX_HEAD or self._lines > MAX_HEADERS:
            raise UnreadableHead('its head has more than %d bytes or %d '
                                 'headers' % (MAX_HEAD, MAX_HEADERS))

    def _keeps(self, line):
        """Return whether a line of a header is kept for add_to()."""
        if line[:1] in (b' ', b'\t'):  # it continues the one before
            if self._is_kept:
                self._kept[-1] += line
        else:
            name = line.partition(b':')[0].strip().lower()
            self._is_kept = self._lines > _COUNTED and name not in _FRAMING
            if self._is_kept:
                self._kept.append(line)
        return self._is_kept

    def add_to(self, message):
        """Add the headers that http.client has not seen."""
        for line in self._kept:
            name, colon, value = line.partition(b':')
            if not colon:
                continue
            value = b' '.join(part.strip() for part in value.splitlines())
            if six.PY2:
                message.headers.append(name + b': ' + value + b'\r\n')
                message.addheader(name.strip().lower(), value)
            else:
                message[name.strip().decode('latin-1')] = (
                    value.decode('latin-1'))
