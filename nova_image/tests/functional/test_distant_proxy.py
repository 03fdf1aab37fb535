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

"""The proxy that delays like a network, against the formula of a network."""

import collections.abc
import concurrent.futures
import contextlib
import functools
import heapq
import itertools
import socket
import threading
import time

import fixtures as lib_fixtures
import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import distance as distances

_MIB = 1024 ** 2
_FIRST = distances.FIRST_WINDOW
# Seconds and a factor by which a loaded machine may be late.
_LATE, _SLOW = 10, 3


class Simulation:
    """Downloads over a distance, with a clock that jumps.

    The pieces are as small as segments, so the link is shared evenly.
    """

    def __init__(self, distance: distances.Distance) -> None:
        """Begin with an idle link."""
        self.distance = distance
        self._link = distances.Link(distance.rate)
        self._events: list[tuple[float, int, collections.abc.Callable[
            [float], None]]] = []
        self._number = itertools.count()

    def at(self, when: float,
           event: collections.abc.Callable[[float], None]) -> None:
        """Call a function at a time."""
        heapq.heappush(self._events, (when, next(self._number), event))

    def run(self, size: int, connections: int = 1) -> float:
        """Return the time at which the last connection has its share."""
        done: list[float] = []
        for _ in range(connections):
            self._download(size // connections, done)
        while self._events:
            when, _, event = heapq.heappop(self._events)
            event(when)
        return max(done)

    def _download(self, left: int, done: list[float]) -> None:
        window, rtt = distances.Window(self.distance), self.distance.rtt

        def send(now: float) -> None:
            nonlocal left
            while left and window.room:
                size = min(1460, left, window.room)
                left -= size
                window.sent(now, size)
                arrival = self._link.send(now, size) + rtt / 2
                done.append(arrival)
                self.at(arrival + rtt / 2,
                        functools.partial(acknowledge, size))

        def acknowledge(size: int, now: float) -> None:
            window.acknowledged(size)
            send(now)
        self.at(1.5 * rtt, send)


class ModelTest(testtools.TestCase):
    """The model, with a clock that jumps."""

    def test_times_of_one_connection(self) -> None:
        for rtt, rate, window, size in itertools.product(
                (0.001, 0.05, 0.2), (10e9 / 8, 1e9 / 8, 5e6),
                (64 * 1024, _MIB, 3 * _MIB), (1000, 100000, 8 * _MIB)):
            distance = distances.Distance(rtt, rate, window)
            found, least = (Simulation(distance).run(size),
                            distance.least(size))
            details = '%s: %s, %s' % (distance, found, least)
            self.assertGreater(found, least * (1 - 1e-9), details)
            # least() ignores what a window's first acknowledgements let
            # through while its rest is still being sent.
            self.assertLess(found, least + 10 * rtt, details)

    def test_times_on_an_infinite_link_are_exact(self) -> None:
        for size, rounds in ((1, 2), (_FIRST, 2), (_FIRST + 1, 3),
                             (3 * _FIRST, 3), (3 * _FIRST + 1, 4),
                             (7 * _FIRST, 4), (15 * _FIRST + 1, 6)):
            distance = distances.Distance(1.0, 1e18, 8 * _FIRST)
            for found in (Simulation(distance).run(size),
                          distance.least(size)):
                self.assertAlmostEqual(float(rounds), found, 9)

    def test_a_window_limits_a_connection(self) -> None:
        distance = distances.Distance(0.05, 1e18, _MIB)
        small, large = (Simulation(distance).run(size * _MIB)
                        for size in (16, 32))
        self.assertAlmostEqual(16 * 0.05, large - small, 9)

    def test_connections_share_the_link(self) -> None:
        distance = distances.Distance(0.01, 10e6)
        for connections in (1, 4):
            self.assertAlmostEqual(
                0.8, Simulation(distance).run(8000000, connections), delta=(
                    0.11))

    def test_connections_multiply_the_windows(self) -> None:
        distance = distances.Distance(0.05, 1e18, _MIB)
        one, four = (Simulation(distance).run(32 * _MIB, connections)
                     for connections in (1, 4))
        self.assertAlmostEqual(24 * 0.05, one - four, 9)

    def test_an_idle_connection_starts_slowly_again(self) -> None:
        window = distances.Window(distances.Distance(0.1, 1e9))
        for _ in range(4):
            size = window.room
            window.sent(1, size)
            window.acknowledged(size)
        self.assertEqual(16 * _FIRST, window.size)
        for now, expected in ((1.3, 16), (1.31, 8), (1.61, 4), (3, 1)):
            window.size = 16 * _FIRST
            window.restart(now)
            self.assertEqual(expected * _FIRST, window.size, str(now))

    def test_a_window_that_is_not_used_does_not_grow(self) -> None:
        window = distances.Window(distances.Distance(0.1, 1e9))
        for _ in range(1000):
            window.sent(1, 1000)
            window.acknowledged(1000)
        self.assertEqual(_FIRST, window.size)


class _Source(lib_fixtures.Fixture):
    """A server that sends as many bytes as it is asked for.

    :ivar url: its URL
    :ivar accepted: bytes that the kernel has accepted from it
    """

    def _setUp(self) -> None:
        self.accepted = 0
        self.ended = threading.Event()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % self._listener.getsockname()[1]
        thread = threading.Thread(target=self._accept)
        thread.start()
        self.addCleanup(self._listener.close)
        self.addCleanup(thread.join)
        self.addCleanup(self._listener.shutdown, socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError), \
                concurrent.futures.ThreadPoolExecutor(8) as pool:
            while True:
                pool.submit(self._serve, self._listener.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        data = bytes(_MIB)
        with connection, contextlib.suppress(OSError):
            while asked := connection.recv(8, socket.MSG_WAITALL):
                left = int.from_bytes(asked, 'big')
                while left:
                    count = connection.send(data[:left])
                    left -= count
                    self.accepted += count
        self.ended.set()


class ProxyTest(testtools.TestCase):
    """The proxy in front of a server that sends bytes."""

    def setUp(self) -> None:
        super().setUp()
        self.source = self.useFixture(_Source())

    def open(self, distance: distances.Distance) -> tuple[str, int]:
        """Return the address of a new proxy."""
        proxy = self.useFixture(fixtures.DistantProxy(
            self.source.url, distance))
        return '127.0.0.1', int(proxy.url.rpartition(':')[2])

    def connect(self, address: tuple[str, int], size: int) -> socket.socket:
        """Return a connection that has asked for bytes."""
        client = socket.create_connection(address, 60)
        self.addCleanup(client.close)
        client.sendall(size.to_bytes(8, 'big'))
        return client

    def _seconds(self, address: tuple[str, int], size: int) -> float:
        began = time.monotonic()
        client = self.connect(address, size)
        room = bytearray(_MIB)
        while size:
            count = client.recv_into(room)
            self.assertTrue(count)
            size -= count
        return time.monotonic() - began

    def _check(self, distance: distances.Distance,
               *sizes: tuple[int, int]) -> None:
        address = self.open(distance)
        for size, connections in sizes:
            began = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(connections) as pool:
                list(pool.map(functools.partial(self._seconds, address),
                              [size // connections] * connections))
            found, least = (time.monotonic() - began,
                            distance.least(size, connections))
            details = '%s bytes, %s connections: %s, at least %s' % (
                size, connections, found, least)
            self.assertGreaterEqual(found, least, details)
            self.assertLess(found, least * _SLOW + _LATE, details)

    def test_times_on_a_fast_link(self) -> None:
        self._check(distances.Distance(0.05, 10e9 / 8),
                    (1000, 1), (100000, 1), (16 * _MIB, 1), (16 * _MIB, 4))

    def test_times_on_a_slow_link(self) -> None:
        self._check(distances.Distance(0.02, 20e6),
                    (1000, 1), (8 * _MIB, 1), (8 * _MIB, 4))

    def test_times_with_a_small_window(self) -> None:
        self._check(distances.Distance(0.03, 10e9 / 8, 64 * 1024),
                    (_MIB, 1), (4 * _MIB, 4))

    def test_a_client_that_does_not_read_stops_the_server(self) -> None:
        """Only the buffers of two kernels and a window are filled."""
        client = self.connect(self.open(distances.Distance(
            0.001, 10e9 / 8, 256 * 1024)), 256 * _MIB)
        seen = -1
        while seen != self.source.accepted or not seen:
            seen = self.source.accepted
            time.sleep(0.3)  # no event tells that nothing happens
        self.assertLess(seen, 128 * _MIB)
        client.close()
        self.assertTrue(self.source.ended.wait(60))

    def test_a_client_that_leaves_ends_the_connection(self) -> None:
        client = self.connect(self.open(distances.Distance(
            0.01, 10e9 / 8)), 1024 * _MIB)
        self.assertTrue(client.recv(1))
        client.close()
        self.assertTrue(self.source.ended.wait(60))
        self.assertLess(self.source.accepted, 1024 * _MIB)

    def test_data_in_both_directions(self) -> None:
        client = self.connect(self.open(distances.Distance(
            0.01, 10e9 / 8)), 10)
        self.assertEqual(bytes(10), client.recv(10, socket.MSG_WAITALL))
        client.sendall((20).to_bytes(8, 'big'))
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(bytes(20), client.recv(21, socket.MSG_WAITALL))
        self.assertEqual(b'', client.recv(1))
