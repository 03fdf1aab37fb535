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

"""What data looks like by its first and last bytes."""

import testtools

from nova_image.image import disk_formats


def at(*pieces):
    """Return 4 KiB with bytes at offsets."""
    data = bytearray(4096)
    for offset, piece in pieces:
        data[offset:offset + len(piece)] = piece
    return bytes(data)


MBR = at((450, b'\x83'), (510, b'\x55\xaa'))


class TestGuess(testtools.TestCase):
    """disk_formats.guess()"""

    def _disk_format(self, start, end=None):
        found = disk_formats.guess(start, end)
        return found and found.disk_format

    def test_formats_of_glance(self):
        for name, start in (
                ('qcow2', at((0, b'QFI\xfb'))), ('vmdk', at((0, b'KDMV'))),
                ('vhdx', at((0, b'vhdxfile'))), ('vhd', at((0, b'conectix'))),
                ('vdi', at((64, b'\x7f\x10\xda\xbe'))),
                ('ploop', at((0, b'WithouFreSpacExt'))),
                ('luks', at((0, b'LUKS\xba\xbe'))),
                ('iso', at() + b'\0' * 28673 + b'CD001'),
                ('aki', at((510, b'\x55\xaa'), (514, b'HdrS')))):
            self.assertEqual(name, self._disk_format(start))
            self.assertIn(name if name != 'aki' else 'kernel',
                          disk_formats.guess(start).looks)

    def test_raw_disks(self):
        for words, start in (
                ('GPT', at((450, b'\xee'), (510, b'\x55\xaa'),
                           (512, b'EFI PART'))),
                ('GPT', at((4096, b'EFI PART'))),
                ('MBR', MBR),
                ('boot sector', at((510, b'\x55\xaa'))),
                ('file system', at((1080, b'\x53\xef'))),
                ('file system', at((0, b'XFSB')))):
            found = disk_formats.guess(start)
            self.assertEqual('raw', found.disk_format)
            self.assertIn(words, found.looks)

    def test_iso_that_boots_from_a_disk(self):
        self.assertEqual('iso', self._disk_format(
            MBR + b'\0' * 28673 + b'CD001'))

    def test_vhd_of_a_fixed_size(self):
        for start in (MBR, at(), b''):
            for end in (b'conectix' + b'\0' * 504,
                        b'\0conectix' + b'\0' * 503):
                self.assertEqual(disk_formats.FIXED_VHD,
                                 disk_formats.guess(start, end))
        self.assertIsNone(disk_formats.guess(at(), b'\0conectix'))
        self.assertIsNone(disk_formats.guess(at(), b''))

    def test_data_without_a_format(self):
        for start in (b'', b'Q', b'?' * 100, at()):
            self.assertIsNone(disk_formats.guess(start))

    def test_what_is_no_image_of_glance(self):
        for words, start in (
                ('qed', b'QED\0'), ('gzip', b'\x1f\x8b\x08'),
                ('xz', b'\xfd7zXZ\0'), ('zip', b'PK\x03\x04'),
                ('zstd', b'\x28\xb5\x2f\xfd'),
                ('OVA', at((0, b'disk.ovf'), (257, b'ustar'))),
                ('tar', at((0, b'disk.img'), (257, b'ustar'))),
                ('descriptor', b'# Disk DescriptorFile\nversion=1\n'),
                ('web page', b'\n<!DOCTYPE html>\n<p>404'),
                ('web page', b'<HTML lang=en>'),
                ('OVF', b'<?xml version="1.0"?>\n<ovf:Envelope xmlns=""'),
                ('ESX', b'COWD'), ('bochs', b'Bochs Virtual HD Image')):
            found = disk_formats.guess(start)
            self.assertIsNone(found.disk_format)
            self.assertIn(words, found.looks)
            self.assertTrue(found.advice)

    def test_visible_formats(self):
        self.assertTrue(disk_formats.is_visible('qcow2', None))
        self.assertFalse(disk_formats.is_visible('raw', b''))
        self.assertTrue(disk_formats.is_visible('vhd', b''))
        self.assertFalse(disk_formats.is_visible('vhd', None))
