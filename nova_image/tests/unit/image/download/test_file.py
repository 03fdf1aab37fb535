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


"""Tests of nova_image.image.download.file and sparse: real files."""

import errno
import os

import fixtures
import mock

from nova_image import exception
from nova_image.image.download import file as file_download
from nova_image.image.download import sparse
from nova_image.tests.unit.image.download import case

MIB = case.MIB
DATA = os.urandom(5 * MIB + 12345)


def _without(name):
    """Let the system be unable to do something; see mock.patch.object."""
    return mock.patch.object(
        os, name, side_effect=OSError(errno.EXDEV, 'other disk'), create=True)


class FileTest(case.DownloadTest):
    """A folder ``store`` that is allowed, and a file in it."""

    def setUp(self):
        super(FileTest, self).setUp()
        for name in ('store', 'elsewhere'):
            os.mkdir(self.path(name))
        self.source = self.write('store/image', DATA)
        self.secret = self.write('elsewhere/secret', b'secret')
        self.set(direct_file_roots=[self.path('store')])
        self.handler = file_download.FileHandler(self.conf)

    def refused(self, url, reason, check=None):
        """Assert that a URL is refused for a reason, and nothing is read."""
        check = check or case.Check()
        error = self.assertRaises(exception.ImageDownloadUnavailable,
                                  self.copied, self.handler, url, check)
        self.assertIn(reason, str(error))
        self.assertEqual([], self.open_descriptors())
        return check.data

    def secret_refused(self, url, reason='direct_file_roots'):
        """Assert that a URL that leads elsewhere is refused."""
        self.assertEqual(b'', self.refused(url, reason))
        self.assertEqual(0, os.path.getsize(self.path('output')))


class TestUrls(FileTest):
    """Which URLs are served."""

    def test_path(self):
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://' + self.source))
        self.assertEqual([], self.open_descriptors())

    def test_localhost(self):
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://localhost' + self.source))

    def test_text_and_percent_encoding(self):
        self.write(u'store/Z\xfcrich 100%', b'data')
        url = u'file://%s/store/Z%%C3%%BCrich%%20100%%25' % self.folder
        self.assertEqual(b'data', self.copied(self.handler, url))

    def test_encoded_slashes_and_dots_are_no_way_out(self):
        for way in ('/store/../elsewhere/secret',
                    '/store/%2e%2e/elsewhere/secret',
                    '/store%2f..%2felsewhere%2fsecret'):
            self.secret_refused('file://' + self.folder + way)

    def test_other_urls(self):
        for url in ('file://other' + self.source, 'http://' + self.source,
                    'file:store/image', 'file://' + self.source + '?a=b',
                    'file://' + self.source + '#a', 'file://',
                    'file://' + self.source + '%00'):
            self.secret_refused(url, 'not the URL of a file')

    def test_credentials_are_not_told(self):
        error = self.assertRaises(
            exception.ImageDownloadUnavailable, self.copied, self.handler,
            'file://user:password@host/image')
        self.assertNotIn('password', str(error))

    def test_missing(self):
        self.secret_refused('file://' + self.source + '2', os.strerror(
            errno.ENOENT))

    def test_a_folder_and_a_pipe_are_no_images(self):
        os.mkdir(self.path('store/folder'))
        os.mkfifo(self.path('store/pipe'))
        for name in ('folder', 'pipe'):
            self.secret_refused('file://' + self.path('store', name),
                                'no regular file')


class TestRoots(FileTest):
    """Where a file may be."""

    def test_outside(self):
        self.secret_refused('file://' + self.secret)
        self.secret_refused('file:///etc/passwd')

    def test_root_itself(self):
        self.secret_refused('file://' + self.path('store'))

    def test_a_name_that_begins_like_a_root(self):
        os.mkdir(self.path('store2'))
        self.secret_refused('file://' + self.write('store2/image', DATA))

    def test_symbolic_link_that_leads_out(self):
        os.symlink(self.secret, self.path('store/link'))
        os.symlink(self.path('elsewhere'), self.path('store/folder'))
        self.secret_refused('file://' + self.path('store/link'))
        self.secret_refused('file://' + self.path('store/folder/secret'))

    def test_symbolic_link_within(self):
        os.symlink('image', self.path('store/link'))
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://' + self.path('store/link')))

    def test_root_that_is_a_symbolic_link(self):
        os.symlink(self.path('store'), self.path('mounted'))
        self.set(direct_file_roots=['/nowhere/', self.path('mounted') + '/'])
        for name in ('store', 'mounted'):
            self.assertEqual(DATA, self.copied(
                self.handler, 'file://' + self.path(name, 'image')))

    def test_everything(self):
        self.set(direct_file_roots=['/'])
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://' + self.source))

    def test_relative_root_allows_nothing(self):
        self.set(direct_file_roots=[os.path.relpath(self.path('store'))])
        self.secret_refused('file://' + self.source)

    def _swapped(self, path, swap):
        """Let somebody change a folder between the check and open()."""
        original = os.open

        def swap_and_open(opened, *args):
            if opened == path:
                swap()
            return original(opened, *args)

        return mock.patch.object(os, 'open', swap_and_open)

    def test_file_that_becomes_a_symbolic_link(self):
        def swap():
            os.unlink(self.source)
            os.symlink(self.secret, self.source)

        with self._swapped(self.source, swap):
            self.secret_refused('file://' + self.source,
                                os.strerror(errno.ELOOP))

    def test_folder_that_becomes_a_symbolic_link(self):
        os.mkdir(self.path('store/folder'))
        source = self.write('store/folder/secret', DATA)

        def swap():
            os.rename(self.path('store/folder'), self.path('store/away'))
            os.symlink(self.path('elsewhere'), self.path('store/folder'))

        with self._swapped(source, swap):
            self.secret_refused('file://' + source)
        with open(source, 'rb') as stream:
            self.assertEqual(b'secret', stream.read())


class TestCopy(FileTest):
    """What the copy is like, whoever makes it."""

    def setUp(self):
        super(TestCopy, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.download.file.STEP', MIB))
        self.url = 'file://' + self.source

    def _sparse(self):
        """Make the source a file of 32 MiB with data at three places."""
        with open(self.source, 'wb') as stream:
            for place in (4, 16, 30):
                stream.seek(place * MIB)
                stream.write(b'x' * 70000)
            stream.truncate(32 * MIB)
        with open(self.source, 'rb') as stream:
            return stream.read()

    def _is_sparse(self):
        return self.allocated() < 2 * MIB

    def test_by_the_system(self):
        self.assertEqual(DATA, self.copied(self.handler, self.url))

    def test_by_reading(self):
        with _without('copy_file_range') as tried:
            self.assertEqual(DATA, self.copied(self.handler, self.url))
        self.assertEqual(1, tried.call_count)

    def test_where_the_system_stops_half_way(self):
        with mock.patch.object(os, 'copy_file_range', create=True,
                               return_value=0):
            self.assertEqual(DATA, self.copied(self.handler, self.url))

    def test_empty(self):
        self.write('store/image', b'')
        self.assertEqual(b'', self.copied(self.handler, self.url))

    def test_holes_by_the_system(self):
        self.assertEqual(self._sparse(), self.copied(self.handler, self.url))
        self.assertTrue(self._is_sparse())

    def test_holes_by_reading(self):
        data = self._sparse()
        with _without('copy_file_range'):
            self.assertEqual(data, self.copied(self.handler, self.url))
        self.assertTrue(self._is_sparse())

    def test_zeros_are_not_written(self):
        self.write('store/image', bytes(bytearray(8 * MIB)) + b'end')
        with _without('copy_file_range'):
            data = self.copied(self.handler, self.url)
        self.assertEqual(8 * MIB + 3, len(data))
        self.assertTrue(self._is_sparse())

    def test_holes_all_over(self):
        with open(self.source, 'wb') as stream:
            stream.truncate(3 * MIB + 1)
        self.assertEqual(bytes(bytearray(3 * MIB + 1)),
                         self.copied(self.handler, self.url))
        self.assertEqual(0, self.allocated())

    def test_file_system_that_knows_no_holes(self):
        data = self._sparse()
        original = os.lseek

        def lseek(number, offset, whence):
            if whence in (3, 4):
                raise OSError(errno.EINVAL, 'what?')
            return original(number, offset, whence)

        with mock.patch.object(os, 'lseek', lseek):
            self.assertEqual(data, self.copied(self.handler, self.url))

    def test_shared_blocks(self):
        data = self._sparse()

        def share(target, request, source):
            self.assertEqual(0x40049409, request)
            os.ftruncate(target, len(data))
            for begin, end in sparse.extents(source, len(data)):
                sparse.put(target, begin, sparse.read(
                    source, begin, end - begin), case.Check())

        with mock.patch.object(file_download.fcntl, 'ioctl', share):
            with _without('copy_file_range') as copy:
                self.assertEqual(data, self.copied(self.handler, self.url))
        self.assertFalse(copy.called)
        self.assertTrue(self._is_sparse())

    def test_full_disk(self):
        full = OSError(errno.ENOSPC, 'full')
        for place in (mock.patch.object(file_download.fcntl, 'ioctl',
                                        side_effect=full),
                      mock.patch.object(os, 'copy_file_range', create=True,
                                        side_effect=full)):
            with place as called:
                try:
                    self.copied(self.handler, self.url)
                except OSError as error:
                    self.assertEqual(errno.ENOSPC, error.errno)
                else:
                    # Python 2.7 cannot ask the system to copy.
                    self.assertFalse(called.called)

    def test_what_the_check_raises_comes_out(self):
        def refuse(count):
            raise exception.ImageUnacceptable(reason='I do not like it')

        self.assertRaises(exception.ImageUnacceptable, self.copied,
                          self.handler, self.url, case.Check(refuse))
        self.assertEqual([], self.open_descriptors())

    def _truncated(self):
        """Return a check that makes the source shorter at once."""
        def truncate(count):
            with open(self.source, 'r+b') as stream:
                stream.truncate(MIB + 5)

        return case.Check(truncate)

    def test_truncated_meanwhile_by_the_system(self):
        got = self.refused(self.url, 'changed', self._truncated())
        self.assertEqual(DATA[:len(got)], got)

    def test_truncated_meanwhile_by_reading(self):
        with _without('copy_file_range'):
            got = self.refused(self.url, 'changed', self._truncated())
        self.assertEqual(DATA[:MIB + 5], got)

    def test_truncated_meanwhile_to_what_would_be_a_hole(self):
        self._sparse()
        self.refused(self.url, 'changed', self._truncated())

    def test_written_meanwhile(self):
        def overwrite(count):
            os.utime(self.source, (0, 0))

        self.refused(self.url, 'changed', case.Check(overwrite))


class TestEnabled(FileTest):
    """When the handler is there."""

    def test_only_with_roots(self):
        self.assertTrue(file_download.FileHandler.enabled(self.conf))
        self.assertFalse(file_download.FileHandler.enabled(self.new_conf()))
