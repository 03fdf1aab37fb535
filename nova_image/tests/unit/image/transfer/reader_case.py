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
"""What the tests of nova_image.image.transfer.reader share."""

from nova_image.image.transfer import reader as readers
from nova_image.tests.unit.image.transfer import transfer_case as case

DATA = case.DATA


class ReaderCase(case.TransferCase):
    """Base class: a reader, which is read to its end."""

    def reader(self, record=case.RECORDED, record_of=None):
        """Return a new reader, with a new client."""
        return readers.Reader(self.origin(
            record_of or (lambda answer: record)), record)

    def assert_read(self, *answers, **options):
        """Read all data; return the reader.

        :keyword begin_at: how many bytes are there already
        """
        begin_at = options.pop('begin_at', 0)
        self.glance.answers(*answers)
        reader = self.reader(**options)
        if begin_at:
            reader.begin_at(begin_at)
        self.assertEqual(DATA[begin_at:], b''.join(reader.chunks()))
        self.assertEqual(case.SIZE, reader.offset)
        return reader

    def assert_fails(self, kind, *answers, **options):
        """Read until it raises; return the error."""
        self.glance.answers(*answers)
        reader = self.reader(**options)
        return self.assertRaises(kind, list, reader.chunks())
