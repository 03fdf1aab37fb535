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


"""Tests of nova_image.image.download: the contract, and loading handlers."""

import gzip
import os
import sys
import textwrap

import fixtures
import mock
import six
from stevedore import extension

from nova_image.image import download
from nova_image.image.download import file as file_download
from nova_image.image.download import rbd
from nova_image.image.download import swift
from nova_image.tests.unit.image.download import case

_PAGE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 5 + [
        'doc', 'source', 'contributor', 'adding-a-download-handler.rst'])


class Working(download.Handler):
    """A handler that does nothing."""

    def copy(self, url, output, check):
        """Do nothing."""


class Broken(Working):
    """A handler that cannot be created."""

    def __init__(self, conf):
        raise ValueError('no such thing')


class TestLoad(case.DownloadTest):
    """Which handlers are loaded, and what is logged about the others."""

    def setUp(self):
        super(TestLoad, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.download._WARNED', set()))

    def _load(self, *found):
        extensions = [extension.Extension(name, None, kind, None)
                      for name, kind in found]
        with mock.patch.object(download, '_installed', lambda: extensions):
            return download.load(self.conf)

    def test_nothing_is_enabled_by_default(self):
        self.assertEqual({}, download.load(self.conf))
        self.assertEqual([], self.warnings())

    def test_enabled_handlers_are_loaded(self):
        self.set(direct_file_roots=['/srv'], enable_rbd_download=True,
                 direct_swift_endpoints=['https://swift'])
        loaded = download.load(self.conf)
        self.assertEqual(
            {'file': file_download.FileHandler, 'rbd': rbd.RbdHandler,
             'swift+http': swift.SwiftHandler,
             'swift+https': swift.SwiftHandler},
            {scheme: type(loaded[scheme]) for scheme in loaded})
        self.assertIs(self.conf, loaded['rbd'].conf)

    def test_handlers_are_enabled_one_by_one(self):
        self.set(enable_rbd_download=True)
        self.assertEqual(['rbd'], list(download.load(self.conf)))

    def test_a_broken_handler_is_logged_once_and_left_out(self):
        for _ in range(2):
            loaded = self._load(('good', Working), ('bad', Broken))
            self.assertEqual(['good'], list(loaded))
        warning, = self.warnings()
        self.assertIn('from bad: URLs are disabled', warning)
        self.assertIn('ValueError: no such thing', warning)

    def test_an_incomplete_handler_is_left_out(self):
        incomplete = type('Incomplete', (download.Handler,), {})
        self.assertEqual({}, self._load(('mine', incomplete)))
        self.assertEqual(1, len(self.warnings()))

    def test_a_handler_that_cannot_be_imported_is_logged(self):
        with mock.patch.object(download.extension,
                               'ExtensionManager') as manager:
            manager.return_value = []
            download.load(self.conf)
        point = mock.Mock()
        point.name = 'bad'
        manager.call_args[1]['on_load_failure_callback'](
            manager, point, ImportError('no module x'))
        warning, = self.warnings()
        self.assertIn('ImportError: no module x', warning)

    def test_two_handlers_of_one_scheme_are_left_out(self):
        self.assertEqual(['other'], list(self._load(
            ('mine', Working), ('other', Working), ('mine', Broken))))
        self.assertIn('more than one package', self.warnings()[0])

    def test_a_handler_that_is_found_twice_is_loaded(self):
        self.assertEqual(['mine'], list(self._load(
            ('mine', Working), ('mine', Working))))
        self.assertEqual([], self.warnings())


class TestDocumentedExample(case.DownloadTest):
    """The handler of the documentation is installed, loaded and used."""

    def setUp(self):
        super(TestDocumentedExample, self).setUp()
        with open(_PAGE) as page:
            code, points = page.read().split('.. code-block:: ')[1:]
        self._install({
            'my_package/__init__.py': '',
            'my_package/images.py': _block(code),
            'my_package-1.dist-info/METADATA':
                'Metadata-Version: 2.1\nName: my_package\nVersion: 1\n',
            'my_package-1.dist-info/entry_points.txt':
                _block(points).replace('[entry_points]\n', '').replace(
                    'nova_image.image.download =',
                    '[nova_image.image.download]').replace('    ', '')})

    def _install(self, files):
        os.mkdir(self.path('my_package'))
        os.mkdir(self.path('my_package-1.dist-info'))
        for name in files:
            self.write(name, files[name].encode('utf-8'))
        self.useFixture(fixtures.MonkeyPatch(
            'sys.path', [self.folder] + sys.path))
        self.addCleanup(sys.modules.pop, 'my_package', None)
        self.addCleanup(sys.modules.pop, 'my_package.images', None)
        self.useFixture(fixtures.MonkeyPatch(
            'stevedore.extension.ExtensionManager.ENTRY_POINT_CACHE', {}))
        _tell_pkg_resources(self, self.folder)

    def test_the_documented_handler_copies_images(self):
        self.assertEqual({}, download.load(self.conf))
        sys.modules['my_package.images'].FOLDER = self.folder
        data = os.urandom(3 * case.MIB + 5)
        with gzip.open(self.path('image 1.gz'), 'wb', 1) as stream:
            stream.write(data)
        handler = download.load(self.conf)['gz']
        for url in (u'gz:///any/folder/image%201.gz', u'gz:///image%201.gz'):
            self.assertEqual(data, self.copied(handler, url))
        self.assertRaises((IOError, OSError), self.copied, handler,
                          u'gz:///etc/passwd')
        self.assertEqual([], self.warnings())


def _block(text):
    """Return the content of the directive at the beginning of a text."""
    lines = text.split('\n')[1:]
    end = next(number for number, line in enumerate(lines)
               if line and not line.startswith(' '))
    return textwrap.dedent('\n'.join(lines[:end]).strip('\n')) + '\n'


def _tell_pkg_resources(test, folder):
    """Let an old stevedore find the packages in a folder."""
    if not six.PY2:
        return
    resources = __import__('pkg_resources')
    state = resources.working_set.__getstate__()
    test.addCleanup(resources.working_set.__setstate__, state)
    resources.working_set.add_entry(folder)
