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


"""Tests of nova_image.image.transfer.format_check.

The images are created here, as far as an inspector reads them.
"""

import struct
import uuid
import zlib

import fixtures
import mock
import six
import testtools

from nova_image import exception
from nova_image.image.transfer import format_check

SECTOR = 512
SIZES = (1, 7, 4096, 65536, 10 ** 9)

DESCRIPTOR = (
    b'# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n'
    b'createType="%s"\n\n# Extent description\n%s\n\n'
    b'#DDB\nddb.adapterType = "ide"\n')
SPARSE_EXTENT = b'RW 128 SPARSE "a.vmdk"'
FLAT_EXTENT = b'RW 8 FLAT "secret" 0'
AT_END = 2 ** 64 - 1


def padded(data, size=40 * 1024):
    """Return data, padded with zeros."""
    return data + b'\0' * (size - len(data))


def at(*pieces):
    """Return an image with some bytes at given offsets.

    :param pieces: (offset, bytes)
    """
    image = bytearray(padded(b''))
    for offset, data in pieces:
        image[offset:offset + len(data)] = data
    return bytes(image)


def qcow2(version=3, backing=0, features=0):
    """Return a qcow2 header with the fields that matter."""
    return padded(struct.pack('>4sIQIIQ', b'QFI\xfb', version, backing, 0, 16,
                              1024 ** 3).ljust(72, b'\0') +
                  struct.pack('>Q', features))


def descriptor(kind=b'monolithicSparse', extents=SPARSE_EXTENT, more=b''):
    """Return the descriptor of a VMDK."""
    return DESCRIPTOR.replace(b'%s', kind, 1).replace(b'%s', extents) + more


def sparse_header(**changes):
    """Return the first sector of a sparse VMDK."""
    fields = dict({'version': 1, 'capacity': 128, 'start': 1, 'size': 20,
                  'directory': 21}, **changes)
    return struct.pack(
        '<4sIIQQQQIQQ', b'KDMV', fields['version'], 3, fields['capacity'], 128,
        fields['start'], fields['size'], SECTOR, 0, fields['directory']).ljust(
            SECTOR, b'\0')


def vmdk(text=None, **changes):
    """Return a sparse VMDK."""
    return padded(sparse_header(**changes) + (text or descriptor()))


def stream_vmdk(**changes):
    """Return a VMDK with a footer, which replaces its header."""
    return b''.join((
        vmdk(descriptor(b'streamOptimized'), directory=AT_END),
        struct.pack('<QII', 1, 0, 3).ljust(SECTOR, b'\0'),
        sparse_header(**changes), b'\0' * SECTOR))


def vhdx():
    """Return a VHDX: from the regions to the metadata to the size."""
    def guid(text):
        return uuid.UUID(text).bytes_le

    table, regions = 256 * 1024, 192 * 1024
    inspector = format_check.format_inspector.VHDXInspector
    image = bytearray(padded(b'vhdxfile', table + 2048 * 32 + 8))
    region = guid(inspector.METAREGION) + struct.pack('<QII', table, 65536, 1)
    head = struct.pack('<IIII', 0x69676572, 0, 1, 0)
    image[regions:regions + 48] = head + region
    entry = guid(inspector.VIRTUAL_DISK_SIZE) + struct.pack(
        '<III', 65536, 8, 0)
    head = struct.pack('<8sHH', b'metadata', 0, 1).ljust(32, b'\0')
    image[table:table + 60] = head + entry
    return bytes(image)


def mbr(*partitions):
    """Return a disk with a partition table.

    :param partitions: of each (boot flag, type, first sector)
    """
    entries = b''.join(
        struct.pack('<B3BB3BII', boot, 0, 2, 0, kind, 0, 0, 0, first, 8)
        for boot, kind, first in partitions)
    return at((446, entries), (510, b'\x55\xaa'))


GPT = mbr((0, 0xee, 1))
ISO = at((32 * 1024, b'\x01CD001'))
ISO_WITH_TABLE = GPT[:SECTOR] + ISO[SECTOR:]
FAT = at((0x10, b'\x02'), (0x15, b'\xf8'), (510, b'\x55\xaa'))
VDI = at((0x40, struct.pack('<I', 0xbeda107f)))
VHD = padded(b'conectix')


def luks(version):
    """Return a LUKS header."""
    return padded(struct.pack('>6sH', b'LUKS\xba\xbe', version))


@testtools.skipIf(format_check.format_inspector is None,
                  'this oslo.utils has no format inspectors; no '
                  'release for Python 2.7 has them')
class FormatCheckTest(testtools.TestCase):
    """The verdict does not depend on the size of the pieces."""

    def setUp(self):
        super(FormatCheckTest, self).setUp()
        self.useFixture(fixtures.FakeLogger())

    def _verify(self, declared, image, size):
        check = format_check.FormatCheck(
            declared, image_id='ID', action='download',
            endpoint='http://glance')
        for start in range(0, len(image), size):
            check.update(image[start:start + size])
        check.verify()
        return check.detected

    def assert_good(self, declared, image, detected=None):
        for size in SIZES:
            self.assertEqual(detected or declared,
                             self._verify(declared, image, size))

    def assert_bad(self, words, declared, image):
        for size in SIZES:
            error = self.assertRaises(exception.ImageUnacceptable,
                                      self._verify, declared, image, size)
            self.assertIn(words, error.reason)
            self.assertFalse(error.retriable)
            self.assertTrue(error.advice)
            self.assertEqual(('ID', 'download', 'http://glance'), (
                error.image_id, error.action, error.endpoint))

    def test_qcow2_is_accepted(self):
        for version, features in ((2, 0), (3, 0), (3, 1), (3, 2)):
            self.assert_good('qcow2', qcow2(version, features=features))

    def test_qcow2_with_a_backing_file_is_refused(self):
        for version in (2, 3):
            self.assert_bad('is qcow2 and fails the safety check backing_file '
                            '(Image has a backing file)', 'qcow2',
                            qcow2(version, backing=0x200))

    def test_qcow2_with_a_data_file_is_refused(self):
        self.assert_bad('data_file (Image has data_file set)', 'qcow2',
                        qcow2(features=4))

    def test_all_failed_safety_checks_are_named(self):
        self.assert_bad('backing_file (Image has a backing file); data_file (',
                        'qcow2', qcow2(backing=1, features=4))

    def test_qcow2_with_unknown_features_or_versions_is_refused(self):
        self.assert_bad('unknown_features', 'qcow2', qcow2(features=1 << 20))
        for version in (1, 4):
            self.assert_bad('unknown_features', 'qcow2', qcow2(version))

    def test_truncated_qcow2_is_refused(self):
        self.assert_bad('but its data is raw', 'qcow2', qcow2()[:100])

    def test_vmdk_is_accepted(self):
        self.assert_good('vmdk', vmdk())
        self.assert_good('vmdk', stream_vmdk(capacity=128))

    def test_vmdk_with_extents_in_other_files_is_refused(self):
        for kind in (b'monolithicFlat', b'twoGbMaxExtentSparse', b'vmfs',
                     b'x' * 100, b'custom'):
            self.assert_bad('is vmdk and fails the safety check descriptor',
                            'vmdk', vmdk(descriptor(kind)))
        for extents in (b'RW 8 FLAT "/etc/passwd" 0', b'', b'what is this'):
            self.assert_bad('descriptor', 'vmdk',
                            vmdk(descriptor(extents=extents)))

    def test_vmdk_that_is_only_text_is_refused(self):
        for kind in (b'monolithicFlat', b'vmfs'):
            text = descriptor(kind, FLAT_EXTENT)
            self.assert_bad('descriptor', 'vmdk', text)
            self.assert_bad('descriptor', 'raw', text)

    def test_vmdk_that_deceives_the_inspector_is_refused(self):
        # The inspector reads the first line, qemu the second.
        text = descriptor(b'monolithicSparse"\ncreateType="monolithicFlat',
                          FLAT_EXTENT).replace(b'createT', b'createt', 1)
        for image in (text, vmdk(text, capacity=0)):
            self.assert_bad('data in other files', 'vmdk', image)

    def test_vmdk_with_a_parent_is_refused(self):
        hint = b'parentFileNameHint="/etc/passwd"\n'
        for image in (vmdk(descriptor(more=hint)),
                      # behind the end that the header declares
                      vmdk(descriptor(more=b'#'.ljust(2000, b'x') + b'\n' +
                                      hint), size=1)):
            self.assert_bad('parent (Image has a backing file)', 'vmdk',
                            image)

    def test_vmdk_with_a_wrong_footer_is_refused(self):
        for changes in ({'start': 2}, {'size': 2}, {'version': 2}):
            self.assert_bad('footer', 'vmdk', stream_vmdk(**changes))
        self.assert_bad('footer', 'vmdk', stream_vmdk(directory=AT_END))
        self.assert_bad('footer', 'vmdk', stream_vmdk() + b'more')

    def test_vmdk_with_an_unknown_header_is_refused(self):
        for changes in ({'start': 3}, {'version': 9}):
            self.assert_bad('fails the safety check descriptor', 'vmdk',
                            vmdk(**changes))

    def test_other_formats_are_accepted(self):
        for declared, image in (
                ('vhd', VHD), ('vhdx', vhdx()), ('vdi', VDI),
                ('luks', luks(1)), ('iso', ISO), ('iso', ISO_WITH_TABLE),
                ('gpt', GPT), ('gpt', mbr((0x80, 0x83, 8), (0, 7, 99)))):
            self.assert_good(declared, image)

    def test_raw_data_is_accepted(self):
        for image in (b'', b'short', padded(b''), padded(b'\x7fELF'), FAT,
                      padded(b'', 3 * 1024 ** 2 + 1)[:300 * 1024]):
            self.assert_good('raw', image)

    def test_raw_data_with_a_partition_table_is_accepted(self):
        self.assert_good('raw', GPT, 'gpt')
        self.assert_good('raw', mbr((0x80, 0x83, 8)), 'gpt')

    def test_an_invalid_partition_table_is_refused(self):
        for image in (mbr(), mbr((0x33, 0x83, 8)), mbr((0, 0xee, 7)),
                      mbr((0, 0xee, 1), (0, 0x83, 8))):
            self.assert_bad('is gpt and fails the safety check mbr', 'raw',
                            image)

    def test_luks_of_another_version_is_refused(self):
        self.assert_bad('is luks and fails the safety check version', 'luks',
                        luks(2))

    def test_another_format_than_declared_is_refused(self):
        for declared, image, detected in (
                ('raw', qcow2(), 'qcow2'), ('raw', vmdk(), 'vmdk'),
                ('raw', luks(1), 'luks'), ('raw', ISO, 'iso'),
                ('qcow2', padded(b''), 'raw'), ('qcow2', GPT, 'gpt'),
                ('vmdk', qcow2(), 'qcow2'), ('iso', padded(b''), 'raw'),
                ('vhd', vhdx(), 'vhdx'), ('gpt', padded(b''), 'raw')):
            self.assert_bad('its disk_format is %s, but its data is %s' % (
                declared, detected), declared, image)

    def test_archives_are_named_with_what_to_do(self):
        packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        gzip = packer.compress(qcow2()) + packer.flush()
        for image, words, advice in (
                (padded(gzip), 'gzip', 'gunzip, and upload the disk image in '
                 'it with the disk_format qcow2'),
                (padded(b'\xfd7zXZ\0'), 'xz', 'unxz'),
                (padded(b'BZh9'), 'bzip2', 'bunzip2'),
                (padded(b'\x28\xb5\x2f\xfd'), 'zstd', 'unzstd'),
                (padded(b'PK\x03\x04'), 'zip', 'unzip'),
                (at((0, b'disk.OVF'), (257, b'ustar')), 'an OVA', 'vmdk'),
                (at((0, b'disk.img'), (257, b'ustar')), 'a tar', 'tar xf')):
            error = self.assertRaises(exception.ImageUnacceptable,
                                      self._verify, 'qcow2', image, 4096)
            self.assertIn(words, error.reason)
            self.assertIn(advice, error.advice)
            self.assertNotIn('disk_format raw', error.advice)

    def test_unknown_data_is_not_simply_raw(self):
        error = self.assertRaises(exception.ImageUnacceptable, self._verify,
                                  'qcow2', padded(b'?'), 4096)
        self.assertIn('qemu-img info', error.advice)

    def test_a_safety_check_is_reported_before_a_wrong_format(self):
        self.assert_bad('backing_file', 'raw', qcow2(backing=1))

    def test_a_banned_format_is_refused(self):
        self.assert_bad('banned', 'qed', padded(b'QED\0'))

    def test_formats_of_amazon_may_be_raw_gpt_or_iso(self):
        for declared in ('ami', 'aki', 'ari'):
            for image, detected in ((padded(b'\x1f\x8b'), 'raw'),
                                    (GPT, 'gpt'), (ISO, 'iso')):
                self.assert_good(declared, image, detected)
            self.assert_bad('but its data is qcow2', declared, qcow2())
            self.assert_bad('backing_file', declared, qcow2(backing=1))

    def test_data_in_two_formats_at_once_is_refused(self):
        for other, names in ((qcow2(), 'iso and qcow2'),
                             (vmdk(), 'iso and vmdk')):
            both = other[:32 * 1024] + ISO[32 * 1024:]
            for declared in ('iso', 'qcow2', 'raw'):
                self.assert_bad('its data is %s at the same time' % names,
                                declared, both)

    def test_formats_that_only_qemu_detects_are_refused(self):
        hidden = (b'# \xe9\n' + descriptor(b'monolithicFlat', FLAT_EXTENT))
        for start in (b'COWD', b'WithoutFreeSpace', b'WithouFreSpacExt',
                      b'Bochs Virtual HD Image',
                      b'#!/bin/sh\n#V2.0 Format\n', hidden,
                      b'  \r\nversion=2\r\n'):
            for declared in ('raw', 'ami'):
                self.assert_bad('qemu may detect another format',
                                declared, padded(start))
        self.assert_good('raw', padded(b'# version=1\nversion=9\n'))

    def test_data_that_breaks_an_inspector_is_refused(self):
        # ASCII at first, so it may be a VMDK, but then it is not
        image = b'text ' * 200 + b'\xe9' * 4000
        self.assert_bad('cannot be inspected', 'raw', image)

    def test_an_error_of_an_inspector_refuses_the_image(self):
        for name in ('safety_check', 'format_match'):
            broken = mock.PropertyMock(side_effect=KeyError('a mistake'))
            with mock.patch.object(
                    format_check.format_inspector.RawFileInspector
                    if name == 'safety_check'
                    else format_check.format_inspector.VDIInspector,
                    name, broken):
                self.assert_bad('a mistake', 'raw', padded(b''))

    def test_a_format_without_an_inspector_is_refused(self):
        for declared in ('ploop', None, ''):
            error = self.assertRaises(
                exception.ImageUnacceptable, format_check.FormatCheck,
                declared, image_id='ID')
            self.assertIn('its disk_format %s cannot be inspected' % declared,
                          error.reason)
            self.assertEqual('ID', error.image_id)

    def test_the_end_of_a_large_image_is_not_kept(self):
        check = format_check.FormatCheck('raw')
        piece = padded(b'', 1024 ** 2)
        for _ in range(3):
            check.update(piece)
        self.assertEqual((0, True), (len(check._rest), check._decided))
        check.verify()

    def test_a_footer_far_behind_the_headers_is_checked(self):
        middle = padded(b'', 3 * 1024 ** 2 + 5)
        good = stream_vmdk(capacity=128)
        image = good[:40 * 1024] + middle + good[40 * 1024:]
        for size in (10 ** 5, 1024 ** 2):
            self.assertEqual('vmdk', self._verify('vmdk', image, size))
            self.assertRaises(exception.ImageUnacceptable, self._verify,
                              'vmdk', image + b'more', size)

    def test_no_format_is_detected_before_the_verdict(self):
        check = format_check.FormatCheck('qcow2')
        check.update(padded(b'', 1024 ** 2))
        self.assertRaises(exception.ImageUnacceptable, check.verify)
        self.assertIsNone(check.detected)


class WithoutInspectorsTest(testtools.TestCase):
    """Hosts whose oslo.utils is too old."""

    def test_the_error_names_the_required_version(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.format_check.format_inspector', None))
        error = self.assertRaises(
            exception.ImageUnacceptable, format_check.FormatCheck, 'raw',
            image_id='ID', action='download')
        for words in ('cannot be inspected (image ID): download',
                      'no format inspectors on this host',
                      'Install oslo.utils 7.4'):
            self.assertIn(words, six.text_type(error))
