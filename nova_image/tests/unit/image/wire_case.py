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
"""What the tests of real connections share: the other end of a socket.

The connections of requests and urllib3 are used as they are, but lead to a
socketpair instead of a server. What a test scripts for each connection is
called with the other end, in a thread::

    self.serve(wire_case.saying(b'HTTP/1.1 204 No Content\\r\\n\\r\\n'))
"""

import re
import socket
import threading

import fixtures
import requests
import six

from nova_image.image import deadline
from nova_image.image import messages
from nova_image.tests.unit import base

#: the methods that requests_mock replaces
_ORIGINAL = {'requests.Session.get_adapter': requests.Session.get_adapter,
             'requests.Session.send': requests.Session.send}
_LENGTH = re.compile(br'(?i)content-length: *(\d+)')

PATH = '/v2/images/ID'
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}'
#: seconds between two pieces of what arrives slowly
PACE = 0.02
#: seconds within which something ends that would otherwise never end
SOON = 30


class Peer(object):
    """The other end of a connection.

    :param sock: a socket
    """

    def __init__(self, sock):
        self.sock = sock
        self._read = sock.makefile('rb')
        self._ended = threading.Event()

    def request(self):
        """Return the head of a request, and skip its body."""
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            line = self._read.readline()
            if not line:
                return b''
            head += line
        length = _LENGTH.search(head)
        self._read.read(int(length.group(1)) if length else 0)
        return head

    def head(self):
        """Return the head of a request only."""
        return b''.join(iter(self._read.readline, b'\r\n'))

    def read(self, size):
        """Return the next bytes of a body."""
        return self._read.read(size)

    def say(self, data):
        """Send bytes."""
        self.sock.sendall(data)

    def drip(self, data=b'x'):
        """Send bytes now and then until the connection ends."""
        while not self._ended.wait(PACE):
            self.say(data)

    def be_silent(self):
        """Wait for the end of the connection."""
        self._read.read()

    def end(self):
        """Make the script end."""
        self._ended.set()
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except EnvironmentError:
            pass


def saying(*answers):
    """Return a script that answers one request with each of some bytes."""
    def script(peer):
        for answer in answers:
            peer.request()
            peer.say(answer)
        peer.be_silent()
    return script


def dripping(begin, data=b'x'):
    """Return a script whose answer begins with bytes and never ends."""
    def script(peer):
        peer.request()
        peer.say(begin)
        peer.drip(data)
    return script


class WireCase(base.TestCase):
    """Base class: requests go to scripts.

    :ivar peers: list of the Peers so far
    """

    def setUp(self):
        super(WireCase, self).setUp()
        for name, method in _ORIGINAL.items():
            self.useFixture(fixtures.MonkeyPatch(name, method))
        self.useFixture(fixtures.MonkeyPatch(
            'requests.packages.urllib3.util.connection.create_connection',
            self._connect))
        for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
            self.useFixture(fixtures.EnvironmentVariable(name))
        self.set(num_retries=0)
        self.peers = []
        self._scripts = []

    def serve(self, *scripts):
        """Append scripts, one for each connection."""
        self._scripts.extend(scripts)

    def _connect(self, address, timeout=None, *args, **kwargs):
        ours, theirs = socket.socketpair()
        if six.PY2:  # those are what is below its sockets
            ours, theirs = [socket.socket(_sock=one) for one in (ours, theirs)]
        if isinstance(timeout, (int, float)):
            ours.settimeout(timeout)
        peer = Peer(theirs)
        self.peers.append(peer)
        thread = threading.Thread(target=self._run,
                                  args=(self._scripts.pop(0), peer))
        thread.daemon = True
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(peer.end)
        return ours

    def _run(self, script, peer):
        try:
            script(peer)
        except EnvironmentError:
            pass  # the connection was closed
        finally:
            peer.end()

    def request(self, method='GET', seconds=None, **options):
        """Return a request, with a deadline if there are seconds."""
        if seconds is not None:
            options['deadline'] = deadline.Deadline(
                seconds, 'request_deadline', pausable='body' in options)
        return messages.Request(method, PATH, 'show', 'ID', **options)

    def call(self, method='GET', **options):
        """Make a call; return the Answer."""
        return self.one_client().call(self.context,
                                      self.request(method, **options))

    def one_client(self):
        """Return the same client each time."""
        if not hasattr(self, '_client'):
            self._client = self.client()
        return self._client
