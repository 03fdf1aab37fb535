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

"""Data that is read in a thread of its own."""

import threading

import six

from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import tee

MIB = 1024 ** 2


class Data(object):
    """Data in pieces; iteration after iteration.

    :ivar read: the pieces that were read
    :ivar closed: set when an iteration has ended
    """

    hashes = {'md5': 'AA'}

    def __init__(self, *pieces):
        self.pieces = pieces
        self.read = []
        self.closed = threading.Event()

    def __iter__(self):
        try:
            for piece in self.pieces:
                if isinstance(piece, BaseException):
                    raise piece
                self.read.append(piece)
                yield piece
        finally:
            self.closed.set()


class TestTee(case.TestCase):
    """Tee()."""

    def test_each_reader_gets_all_data(self):
        data = Data(b'a', b'b', b'c')
        shared = tee.Tee(data, 2)
        found = [[], []]
        threads = [threading.Thread(
            target=lambda one=one: found[one].extend(shared.branch(one)))
            for one in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual([[b'a', b'b', b'c']] * 2, found)
        self.assertEqual([b'a', b'b', b'c'], data.read)
        self.assertEqual({'md5': 'aa'}, shared.branch(0).hashes)

    def test_small_data_is_read_ahead_to_its_end(self):
        data = Data(b'x' * (MIB - 1), b'y')
        one = tee.Tee(data, 1)
        one.begin()
        self.assertTrue(one.is_over.wait(60))
        self.assertTrue(data.closed.is_set())
        self.assertEqual(list(data.pieces), list(one.branch(0)))

    def test_large_data_is_not_read_ahead_to_its_end(self):
        data = Data(*[b'x' * MIB] * 9)
        one = tee.Tee(data, 1)
        pieces = iter(one.branch(0))
        next(pieces)
        self.assertFalse(one.is_over.wait(0.1))
        self.assertLessEqual(len(data.read), 3)
        pieces.close()
        self.assertTrue(data.closed.wait(60))
        self.assertTrue(one.is_over.wait(60))
        self.assertLessEqual(len(data.read), 4)

    def test_failure_belongs_to_its_reader(self):
        for error in (ValueError('mine'), KeyboardInterrupt('mine')):
            one = tee.Tee(Data(b'a', error), 1)
            one.begin()
            self.assertTrue(one.is_over.wait(60))
            pieces = iter(one.branch(0))
            self.assertEqual(b'a', next(pieces))
            self.assertIs(error, self.assertRaises(type(error), next, pieces))

    def test_reader_that_begins_again(self):
        data = Data(b'a', b'b')
        branch = tee.Tee(data, 1).branch(0)
        self.assertEqual([b'a', b'b'], list(branch))
        self.assertEqual([b'a', b'b'], list(branch))
        self.assertEqual([b'a', b'b'] * 2, data.read)

    def test_check_comes_before_each_piece(self):
        checks = []

        def check():
            checks.append(None)
            if len(checks) % 3 == 0:
                raise ValueError('stop')

        data = Data(*[b'a'] * 9)
        one = tee.Tee(data, 1)
        one.begin()
        self.assertTrue(one.is_over.wait(60))
        branch = one.branch(0, check)
        for number in (1, 2):  # shared data, and its own
            pieces = iter(branch)
            self.assertEqual(b'a', next(pieces))
            self.assertRaises(ValueError, list, pieces)
            self.assertLessEqual(len(checks), 3 * number)

    def test_check_ends_a_wait_for_the_source(self):
        stalled = threading.Event()
        self.addCleanup(stalled.set)

        class Stalled(object):
            def __iter__(self):
                stalled.wait(60)
                yield b'late'

        stop = threading.Event()

        def check():
            if stop.is_set():
                raise ValueError('stop')
            stop.set()

        branch = tee.Tee(Stalled(), 1).branch(0, check)
        self.assertRaises(ValueError, list, branch)

    def test_one_begins_after_another(self):
        first = tee.Tee(Data(b'a'), 1)
        data = Data(b'b')
        second = tee.Tee(data, 1, first.is_over)
        second.begin()
        self.assertFalse(second.is_over.wait(0.1))
        self.assertEqual([], data.read)
        self.assertEqual([b'a'], list(first.branch(0)))
        self.assertTrue(second.is_over.wait(60))
        self.assertEqual([b'b'], list(second.branch(0)))

    def test_closing_what_was_never_read(self):
        first, data = tee.Tee(Data(b'a'), 1), Data(b'b')
        second = tee.Tee(data, 1, first.is_over)
        second.begin()
        second.close()
        first.close()
        self.assertTrue(second.is_over.wait(60))
        self.assertEqual([], data.read)

    def test_closing_while_it_is_read(self):
        data = Data(*[b'x' * MIB] * 9)
        one = tee.Tee(data, 1)
        one.begin()
        one.close()
        self.assertTrue(one.is_over.wait(60))
        self.assertTrue(not data.read or data.closed.wait(60))
        self.assertLessEqual(len(data.read), 3)
