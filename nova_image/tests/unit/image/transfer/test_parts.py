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

"""Tests of nova_image.image.transfer.parts: threads that end early."""

import mock
import testtools

from nova_image.image.transfer import parts


class Killed(BaseException):
    """What ends a thread that nobody expects to end."""


class TestCrew(testtools.TestCase):
    """Two parts that two threads read."""

    def _crew(self, *pieces):
        """Return a crew whose connections return pieces, or raise them."""
        readers = [mock.Mock(chunks=mock.Mock(side_effect=[one]))
                   for one in pieces]
        crew = parts.Crew(mock.Mock(side_effect=readers), 0,
                          2 * parts.PART, 2)
        self.addCleanup(crew.close)
        crew.start()
        return crew

    def test_parts_arrive_in_order(self):
        crew = self._crew([b'a'], [b'b'])
        found = []
        while crew.first() is not None:
            crew.wait()
            found.append(crew.first().pieces)
            crew.drop()
        self.assertEqual([[b'a'], [b'b']], sorted(found))

    def test_nobody_waits_for_a_thread_that_was_killed(self):
        for error in (Killed(), ValueError()):
            crew = self._crew(error, error)
            crew.wait()
            self.assertIs(error, crew.first().error)
            self.assertIsNone(crew.first().pieces)
