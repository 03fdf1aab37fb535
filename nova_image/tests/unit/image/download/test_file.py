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


"""Tests of nova_image.image.download.file: which files it opens."""

import errno
import os

import mock

from nova_image import exception
from nova_image.image.download import file as file_download
from nova_image.tests.unit.image.download import case

MIB = case.MIB
DATA = os.urandom(5 * MIB + 12345)


class FileTest(case.DownloadTest):
    """Base class: an allowed folder ``store`` with a file."""

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

    def test_a_path_is_served(self):
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://' + self.source))
        self.assertEqual([], self.open_descriptors())

    def test_localhost_is_served(self):
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://localhost' + self.source))

    def test_paths_are_percent_decoded(self):
        self.write(u'store/Z\xfcrich 100%', b'data')
        url = u'file://%s/store/Z%%C3%%BCrich%%20100%%25' % self.folder
        self.assertEqual(b'data', self.copied(self.handler, url))

    def test_encoded_slashes_and_dots_do_not_leave_the_root(self):
        for way in ('/store/../elsewhere/secret',
                    '/store/%2e%2e/elsewhere/secret',
                    '/store%2f..%2felsewhere%2fsecret'):
            self.secret_refused('file://' + self.folder + way)

    def test_other_urls_are_refused(self):
        for url in ('file://other' + self.source, 'http://' + self.source,
                    'file:store/image', 'file://' + self.source + '?a=b',
                    'file://' + self.source + '#a', 'file://',
                    'file://' + self.source + '%00'):
            self.secret_refused(url, 'not the URL of a file')

    def test_credentials_are_not_shown(self):
        error = self.assertRaises(
            exception.ImageDownloadUnavailable, self.copied, self.handler,
            'file://user:password@host/image')
        self.assertNotIn('password', str(error))

    def test_a_missing_file_is_refused(self):
        self.secret_refused('file://' + self.source + '2', os.strerror(
            errno.ENOENT))

    def test_folders_and_pipes_are_refused(self):
        os.mkdir(self.path('store/folder'))
        os.mkfifo(self.path('store/pipe'))
        for name in ('folder', 'pipe'):
            self.secret_refused('file://' + self.path('store', name),
                                'not a regular file')


class TestRoots(FileTest):
    """Where a file may be."""

    def test_files_outside_the_roots_are_refused(self):
        self.secret_refused('file://' + self.secret)
        self.secret_refused('file:///etc/passwd')

    def test_the_root_itself_is_refused(self):
        self.secret_refused('file://' + self.path('store'))

    def test_a_path_that_only_begins_like_a_root_is_refused(self):
        os.mkdir(self.path('store2'))
        self.secret_refused('file://' + self.write('store2/image', DATA))

    def test_symbolic_links_out_of_the_root_are_refused(self):
        os.symlink(self.secret, self.path('store/link'))
        os.symlink(self.path('elsewhere'), self.path('store/folder'))
        self.secret_refused('file://' + self.path('store/link'))
        self.secret_refused('file://' + self.path('store/folder/secret'))

    def test_symbolic_links_within_the_root_are_followed(self):
        os.symlink('image', self.path('store/link'))
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://' + self.path('store/link')))

    def test_a_root_may_be_a_symbolic_link(self):
        os.symlink(self.path('store'), self.path('mounted'))
        self.set(direct_file_roots=['/nowhere/', self.path('mounted') + '/'])
        for name in ('store', 'mounted'):
            self.assertEqual(DATA, self.copied(
                self.handler, 'file://' + self.path(name, 'image')))

    def test_a_slash_allows_all_files(self):
        self.set(direct_file_roots=['/'])
        self.assertEqual(DATA, self.copied(
            self.handler, 'file://' + self.source))

    def test_a_relative_root_allows_nothing(self):
        self.set(direct_file_roots=[os.path.relpath(self.path('store'))])
        self.secret_refused('file://' + self.source)

    def _swapped(self, path, swap):
        """Return a patch that changes a file between its check and open()."""
        original = os.open

        def swap_and_open(opened, *args):
            if opened == path:
                swap()
            return original(opened, *args)

        return mock.patch.object(os, 'open', swap_and_open)

    def test_a_file_that_becomes_a_symbolic_link_is_refused(self):
        def swap():
            os.unlink(self.source)
            os.symlink(self.secret, self.source)

        with self._swapped(self.source, swap):
            self.secret_refused('file://' + self.source,
                                os.strerror(errno.ELOOP))

    def test_a_folder_that_becomes_a_symbolic_link_is_refused(self):
        os.mkdir(self.path('store/folder'))
        source = self.write('store/folder/secret', DATA)

        def swap():
            os.rename(self.path('store/folder'), self.path('store/away'))
            os.symlink(self.path('elsewhere'), self.path('store/folder'))

        with self._swapped(source, swap):
            self.secret_refused('file://' + source)
        with open(source, 'rb') as stream:
            self.assertEqual(b'secret', stream.read())


class TestEnabled(FileTest):
    """When the handler is enabled."""

    def test_the_handler_is_enabled_only_with_roots(self):
        self.assertTrue(file_download.FileHandler.enabled(self.conf))
        self.assertFalse(file_download.FileHandler.enabled(self.new_conf()))
