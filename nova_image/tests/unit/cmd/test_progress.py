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

import io

import six

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
