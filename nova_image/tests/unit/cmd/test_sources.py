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

"""The data that commands send, and what they say about its format."""

import contextlib
import os

import fixtures
import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import errors
    from nova_image.cmd import format_advice
    from nova_image.cmd import sources

QCOW2 = b'QFI\xfb' + b'\0' * 100
BARE = {'container_format': 'bare'}


class SourceTestCase(case.TestCase):
    """A test that opens files."""

    def setUp(self):
        super(SourceTestCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def opened(self, content, name='disk'):
        """Return the Source of a file."""
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as stream:
            stream.write(content)
        return sources.open_source(path, self.stack)

    def piped(self, content):
        """Return the Source of a pipe."""
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        stream = self.stack.enter_context(open(reading, 'rb'))
        return sources.Source(stream, 'pipe')


class TestSource(SourceTestCase):
    """sources.Source"""

    def test_file_stays_where_it_was(self):
        content = os.urandom(50000)
        source = self.opened(content)
        self.assertEqual((content[:36864], content[-512:], 0, 'disk'), (
            source.start, source.end, source.stream.tell(), source.title))
        self.assertEqual(content, source.stream.read())
        source.stream.seek(49900)
        rest = sources.Source(source.stream, 'rest')
        self.assertEqual((content[49900:],) * 2, (rest.start, rest.end))
        self.assertEqual(content[49900:], rest.stream.read())

    def test_pipe_keeps_its_first_bytes(self):
        content = os.urandom(50000)
        for size in (1, 1000, 40000, -1):
            source = self.piped(content)
            self.assertEqual((content[:36864], None, True), (
                source.start, source.end, source.is_pipe))
            self.assertRaises(OSError, source.stream.tell)
            self.assertRaises(OSError, source.stream.seek, 0)
            self.assertFalse(source.stream.closed)
            pieces = [source.stream.read(size)]
            while pieces[-1]:
                pieces.append(source.stream.read(size))
            self.assertEqual(content, b''.join(pieces))

    def test_short_and_empty(self):
        for content in (b'', b'x'):
            source = self.opened(content)
            self.assertEqual((content, content, content), (
                source.start, source.end, source.stream.read()))
            source = self.piped(content)
            self.assertEqual((content, content),
                             (source.start, source.stream.read()))

    def test_terminal(self):
        terminal = os.ttyname(os.openpty()[1])
        self.assertRaises(errors.Usage, sources.open_source, terminal,
                          self.stack)

    def test_titles(self):
        for path, title in (('a/b', 'b'), ('/dev/fd/63', '/dev/fd/63'),
                            ('/dev/sda', '/dev/sda'), ('b', 'b')):
            self.assertEqual(title, sources.title_of(path))


class TestMissing(SourceTestCase):
    """format_advice.missing()"""

    def _missing(self, source, **formats):
        return format_advice.missing(source, formats)

    def test_nothing_is_missing(self):
        self.assertIsNone(self._missing(
            self.opened(QCOW2), disk_format='x', container_format='y'))

    def test_suggestions(self):
        both = 'The disk format and container format are missing: '
        for content, text in (
                (QCOW2, 'disk looks like qcow2. Use --disk-format qcow2 '
                        '--container-format bare'),
                (b'\0' * 600, 'disk is in no format that can be detected. If '
                 'it is raw, use --disk-format raw --container-format bare'),
                (b'', 'disk is empty. For an image without data, use '
                      '--disk-format raw --container-format bare'),
                (b'PK\x03\x04', 'disk is a zip archive. Unpack the file with '
                 'unzip, and upload the disk image in it'),
                (b'QED\0', 'disk looks like qed, which Glance does not '
                 'accept. Convert it with qemu-img convert -O qcow2'),
                (b'LUKS\xba\xbe', 'disk looks like luks. Use --disk-format '
                 'luks --container-format bare. If Glance does not accept '
                 'luks, use --disk-format raw'),
                (b'\0' * 514 + b'HdrS', 'disk looks like a Linux kernel. Use '
                 '--disk-format aki --container-format aki')):
            self.assertEqual(both + text, self._missing(self.opened(content)))

    def test_one_format_is_missing(self):
        source = self.opened(QCOW2)
        self.assertEqual(
            'The disk format is missing: disk looks like qcow2. Use '
            '--disk-format qcow2', self._missing(source, **BARE))
        for disk, container in (('raw', 'bare'), ('ari', 'ari')):
            self.assertEqual(
                'The container format is missing. Use --container-format '
                '%s' % container, self._missing(source, disk_format=disk))

    def test_command_without_the_options(self):
        self.assertEqual(
            'The disk format is missing: disk looks like qcow2. Run set x '
            '--disk-format qcow2', format_advice.missing(
                self.opened(QCOW2), BARE, 'run set x'))


class TestDoubt(SourceTestCase):
    """format_advice.doubt()"""

    def _doubt(self, content, disk_format, pipe=False, **formats):
        source = self.piped(content) if pipe else self.opened(content)
        return format_advice.doubt(source, dict(
            BARE, disk_format=disk_format, **formats))

    def test_formats_that_fit(self):
        fixed = b'\0' * 600 + b'conectix' + b'\0' * 504
        kernel = b'\0' * 514 + b'HdrS'
        for content, names in (
                (QCOW2, ['qcow2', None]), (b'?' * 600, ['raw', 'ploop', 'x']),
                (fixed, ['vhd', 'raw']), (kernel, ['aki', 'raw', 'ami']),
                (b'LUKS\xba\xbe', ['luks', 'raw']),
                (b'\x1f\x8b\x08', ['ari'])):
            for name in names:
                self.assertIsNone(self._doubt(content, name))
        self.assertIsNone(self._doubt(fixed, 'vhd', pipe=True))

    def test_data_in_another_container(self):
        for container in ('ova', 'docker', 'compressed', None):
            self.assertIsNone(self._doubt(
                b'\x1f\x8b\x08', 'qcow2', container_format=container))

    def test_contradictions(self):
        for content, name, text in (
                (QCOW2, 'raw', 'looks like qcow2, not raw. If that is right, '
                               'use --disk-format qcow2'),
                (QCOW2, 'ami', 'looks like qcow2, not ami'),
                (b'?' * 600, 'qcow2', 'does not look like qcow2. Check'),
                (b'?' * 600, 'vhd', 'does not look like vhd'),
                (b'PK\x03\x04', 'raw', 'is a zip archive, not raw. Unpack'),
                (b'\0' * 510 + b'\x55\xaa', 'vmdk',
                 'looks like raw, with a boot sector, not vmdk'),
                (b'', 'raw', 'is empty')):
            self.assertIn('disk ' + text, self._doubt(content, name))
