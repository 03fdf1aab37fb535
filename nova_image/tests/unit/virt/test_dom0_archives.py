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

"""The plugin for dom0: archives on their way to tar."""

import gzip
import io
import os
import random
import struct
import tarfile
import zlib

import mock
import testtools

from nova_image.tests.unit.virt.dom0 import plugin

_SPACE = 10 ** 12


def member(name, data=b'', **fields):
    """Return a member of an archive, and its data."""
    found = tarfile.TarInfo(name)
    found.size = len(data)
    for field, value in fields.items():
        setattr(found, field, value)
    return found, data


def tar(*members, **options):
    """Return an archive."""
    made = io.BytesIO()
    archive = tarfile.open(fileobj=made, mode='w', **options)
    for found, data in members:
        archive.addfile(found, io.BytesIO(data))
    archive.close()
    return made.getvalue()


def compressed(data):
    """Return data as gzip compresses it."""
    made = io.BytesIO()
    stream = gzip.GzipFile(fileobj=made, mode='wb')
    stream.write(data)
    stream.close()
    return made.getvalue()


def vhd_start(disk, kind=3):
    """Return the beginning of a VHD."""
    return b'conectix'.ljust(48, b'\0') + struct.pack(
        '>QII', disk, 0, kind).ljust(464, b'\0')


class TestMembers(testtools.TestCase):
    """Archives on their way to tar."""

    def read(self, data, space=_SPACE, step=None):
        """Read an archive, in pieces."""
        found = plugin.Members(space)
        step = step or len(data) or 1
        for start in range(0, len(data), step):
            found.feed(data[start:start + step])
        found.finish()
        return found.names

    def refused(self, words, data, **options):
        """Check that an archive is refused, in one piece and in many."""
        for step in (None, 7):
            error = self.assertRaises(plugin.BadData, self.read, data,
                                      step=step, **options)
            self.assertIn(words, str(error))

    def refused_member(self, words, name, **fields):
        """Check that an archive is refused because of a member."""
        good = member('0.vhd', b'data')
        self.refused(words, compressed(tar(good, member(name, **fields))))

    def test_files_and_folders(self):
        folder = member('.', type=tarfile.DIRTYPE)
        data = compressed(tar(
            folder, member('./0.vhd', b'x' * 1000), member('1.vhd'),
            member('notes/read.me', b'y' * 513)))
        for step in (None, 1, 511, 512, 513):
            self.assertEqual({'', '0.vhd', '1.vhd', 'notes/read.me'},
                             self.read(data, step=step))

    def test_formats(self):
        name = 'n' * 90 + '/' + 'm' * 90 + '.vhd'
        for form in (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT):
            data = tar(member(name, b'x' * 700), format=form)
            self.assertEqual({name}, self.read(compressed(data)))

    def test_large_sizes(self):
        """GNU and POSIX write sizes of 8 GiB and more differently."""
        for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            found, _ = member('0.vhd', size=2 ** 34)
            start = compressed(found.tobuf(form) + b'data')
            self.refused('has 17179869184 bytes', start, space=2 ** 34 - 1)
            self.refused('no end', start, space=2 ** 34)

    def test_several_streams(self):
        data = tar(member('0.vhd', b'x' * 5000))
        self.assertEqual({'0.vhd'}, self.read(
            compressed(data[:700]) + compressed(data[700:])))

    def test_bytes_after_the_end(self):
        data = compressed(tar(member('0.vhd', b'x'))) + b'bytes'
        self.assertEqual({'0.vhd'}, self.read(data, step=10))

    def test_paths_that_lead_out(self):
        for name in ('/0.vhd', '../0.vhd', 'a/../../0.vhd', '..'):
            self.refused_member('leads out', name)

    def test_paths_of_posix_that_lead_out(self):
        found, _ = member('0.vhd', pax_headers={u'path': u'../0.vhd'})
        self.refused('leads out', compressed(tar(
            (found, b''), format=tarfile.PAX_FORMAT)))

    def test_headers_for_all_files(self):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode='w', format=tarfile.PAX_FORMAT,
                          pax_headers={u'path': u'x'}):
            pass
        self.refused("has 'path'", compressed(made.getvalue()))

    def test_sparse_files_of_posix(self):
        found, _ = member('0.vhd', pax_headers={u'GNU.sparse.major': u'1'})
        self.refused('GNU.sparse', compressed(tar(
            (found, b''), format=tarfile.PAX_FORMAT)))

    def test_other_types(self):
        for kind in (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE,
                     tarfile.BLKTYPE, tarfile.FIFOTYPE, b'S', b'L', b'K',
                     b'M', b'V', b'?'):
            self.refused_member('is not a file', 'a', type=kind,
                                linkname='b')

    def test_same_name_twice(self):
        self.refused_member('twice', './0.vhd')

    def test_folder_with_data(self):
        folder, _ = member('a', type=tarfile.DIRTYPE, size=512)
        self.refused('has data', compressed(folder.tobuf()))

    def test_too_many_members(self):
        self.refused('more than 1000', compressed(tar(
            *[member('%d' % number) for number in range(1001)])))

    def test_no_space(self):
        data = compressed(tar(member('0.vhd', b'x' * 10),
                              member('1.vhd', b'x' * 10)))
        self.assertEqual(2, len(self.read(data, space=20)))
        self.refused('no space', data, space=19)

    def test_vhd_larger_than_its_disk(self):
        most = plugin.VHD_METADATA + 1024 * 257
        for kind, size, bad in ((3, most, False), (3, most + 1, True),
                                (4, most + 1, True), (2, most + 1, False)):
            found, _ = member('0.vhd', size=size)
            start = compressed(found.tobuf() + vhd_start(256 * 1024, kind))
            self.refused('its disk only' if bad else 'no end', start)

    def test_data_after_a_vhd(self):
        """The blocks of the next header are where they belong."""
        data = vhd_start(10 ** 6) + b'y' * 700
        self.assertEqual({'0.vhd', '1.vhd'}, self.read(compressed(tar(
            member('0.vhd', data), member('1.vhd', data[:512]))), step=100))

    def test_small_archive_of_large_data(self):
        """Its data is never in memory at once."""
        archive = tar(member('0.vhd', b'\0' * 10 ** 7))
        with mock.patch.object(plugin.zlib, 'decompressobj',
                               wraps=zlib.decompressobj) as made:
            self.read(compressed(archive))
        self.assertEqual(1, made.call_count)
        found = plugin.Members(_SPACE)
        found._read = mock.Mock()
        found.feed(compressed(archive))
        self.assertLessEqual(max(
            len(call[1][0]) for call in found._read.mock_calls), 2 ** 20)

    def test_not_gzip(self):
        self.refused('not compressed', tar(member('0.vhd', b'x')))
        self.refused('not compressed', b'<html>')

    def test_not_tar(self):
        self.refused('a number is wrong', compressed(b'x' * 1000))
        self.refused('not an archive', compressed(b'1' * 1000))

    def test_damaged_header(self):
        data = bytearray(tar(member('0.vhd', b'x')))
        data[124] ^= 1
        self.refused('not an archive', compressed(bytes(data)))

    def test_no_end(self):
        whole = tar(member('0.vhd', b'x' * 2000))
        for size in (0, 100, 512, 600, 2560):
            self.refused('no end', compressed(whole[:size]))
        self.refused('no end', b'')

    def test_cut(self):
        whole = compressed(tar(member('0.vhd', os.urandom(2000))))
        self.refused('no end', whole[:1500])

    def test_random_bytes(self):
        """Whatever arrives, the only error is BadData."""
        draw = random.Random(1)
        whole = bytearray(tar(member('0.vhd', b'x' * 600), member('a'),
                              format=tarfile.PAX_FORMAT))
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(draw.choice((1, 3, 10))):
                data[draw.randrange(len(data))] = draw.randrange(256)
            if draw.random() < 0.5:  # with the right checksum
                data[148:156] = b' ' * 8
                data[148:156] = ('%06o\0 ' % sum(data[:512])).encode()
            try:
                self.read(compressed(bytes(data)))
            except plugin.BadData:
                pass
