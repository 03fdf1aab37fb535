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

"""Progress of what is read."""

import fcntl
import io
import os
import struct
import termios

import fixtures
import six

from nova_image.image import import_result
from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import progress


class TestReading(case.TestCase):
    """progress.Reading"""

    def setUp(self):
        super(TestReading, self).setUp()
        self.told = []

    def _tell(self, done, total, rate):
        self.told.append((done, total))

    def test_counts_from_the_first_position(self):
        stream = io.BytesIO(b'0123456789')
        stream.seek(4)
        reading = progress.Reading(stream, self._tell)
        self.assertEqual(4, reading.tell())
        self.assertEqual(b'456', reading.read(3))
        self.assertEqual(b'789', reading.read())
        self.assertEqual([(3, 6), (6, 6)], self.told)

    def test_seek_resets_the_count(self):
        reading = progress.Reading(io.BytesIO(b'0123'), self._tell)
        reading.read()
        reading.seek(0)
        reading.read(1)
        self.assertEqual([(4, 4), (1, 4)], self.told)

    def test_pipe_has_no_total(self):
        class Pipe(io.RawIOBase):
            def readable(self):
                return True

            def readinto(self, buffer):
                buffer[:1] = b'x'
                return 1

        reading = progress.Reading(Pipe(), self._tell)
        self.assertRaises(IOError, reading.tell)
        reading.read(1)
        self.assertEqual([(1, None)], self.told)

    def test_hidden_bar(self):
        with progress.bar('x', False) as report:
            report(1, 2, 0.0)
        with progress.watch('x', False) as watch:
            self.assertIsNone(watch)


class TestBar(case.TestCase):
    """The bars on a terminal."""

    def setUp(self):
        super(TestBar, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.cmd.streams.for_progress', lambda: self.terminal))
        self._open(80)

    def _open(self, columns):
        """Begin a terminal with a width; 0 if it does not tell."""
        self.reading, writing = os.openpty()
        self.addCleanup(os.close, self.reading)
        self.terminal = open(writing, 'w')
        self.addCleanup(self.terminal.close)
        fcntl.ioctl(writing, termios.TIOCSWINSZ,
                    struct.pack('4H', 24, columns, 0, 0))

    def _text(self):
        """Close the terminal, and return all that was written to it."""
        self.terminal.close()
        pieces = []
        try:
            while True:
                pieces.append(os.read(self.reading, 65536))
        except OSError:  # the end of a terminal on Linux
            return b''.join(pieces).decode()

    def _last_line(self, columns):
        """Return what a transfer of 3 of 4 MiB leaves on a terminal."""
        self._open(columns)
        with progress.bar('ubuntu-24.04-server.img', True) as report:
            report(3 * 1024 ** 2, 4 * 1024 ** 2, 0.0)
        return self._text().rstrip().rpartition('\r')[2]

    def test_widths(self):
        for columns in (200, 80, 0):
            line = self._last_line(columns)
            self.assertIn('ubuntu-24.04-server.img:  75%|', line)
            self.assertIn('3.00M/4.00M', line)
            self.assertLessEqual(len(line), columns or 80)
        line = self._last_line(30)
        self.assertIn('ubun...img: 75% ', line)
        self.assertIn('B/s', line)
        self.assertLessEqual(len(line), 30)

    def test_names_are_cut_in_the_middle(self):
        for name, columns, text in (
                ('disk.img', 80, 'disk.img'),
                ('n' * 40 + '.img', 60, 'nnnnnnnnn...nnnn.img'),
                (u'\u6f22' * 9 + '.img', 30, u'\u6f22\u6f22...img'),
                ('a\x1b[1m', 80, 'a\\x1b[1m'),
                ('disk-of-mine', 0, 'dis...ne')):
            self.assertEqual(text, progress._fitting(name, columns))

    def test_unknown_total(self):
        with progress.bar('stdin', True) as report:
            report(3 * 1024 ** 2, None, 0.0)
        text = self._text()
        self.assertIn('stdin: 3.00MB [', text)
        self.assertNotIn(': :', text)

    def test_bar_without_data_disappears(self):
        self._open(80)
        with progress.bar('disk', True):
            pass
        self.assertEqual('', self._text().rpartition('\r')[2].strip())

    def test_state_of_an_import(self):
        with progress.watch('disk', True) as report:
            for state, done in (('staging', 1), ('impor\x1bting', None)):
                report(import_result.Seen(
                    state, 'uploading', [], [], [], done, 2))
        text = self._text()
        self.assertIn('disk: staging:  50%|', text)
        self.assertIn('disk: impor\\x1bting:  50%|', text)

    def test_other_process_shows_its_bar_first(self):
        lock, unlock = os.pipe(), os.pipe()
        child = os.fork()
        if not child:
            fcntl.lockf(self.terminal, fcntl.LOCK_EX)
            os.write(lock[1], b'x')
            os.read(unlock[0], 1)
            os._exit(0)
        os.read(lock[0], 1)
        with progress.bar('a', True) as report:
            report(1, 2, 0.0)
            os.write(unlock[1], b'x')
            os.waitpid(child, 0)
            report(2, 2, 0.0)
        text = self._text()
        self.assertIn('a: 100%|', text)
        self.assertNotIn('50%', text)
        for number in lock + unlock:
            os.close(number)
