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

"""Tests of nova_image.image.driver: the contract, and loading a driver."""

import inspect
import logging

import fixtures
import mock
import six
from stevedore import exception as stevedore_exc
import testtools

from nova_image import exception
from nova_image.image import driver
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings


class Deprecated(object):
    """A deprecated driver."""

    deprecation = 'this driver is deprecated'

    def __init__(self, client):
        self.client = client


class Supported(Deprecated):
    """A driver that is not deprecated."""

    deprecation = ''


class TestContract(testtools.TestCase):
    """The methods of every driver."""

    def test_signatures_of_all_methods(self):
        expected = {
            'detail': ['self', 'context'],
            'show': ['self', 'context', 'image_id', 'include_locations',
                     'show_deleted', 'all_fields'],
            'create': ['self', 'context', 'image_meta', 'data', 'id_is_new',
                       'all_fields'],
            'update': ['self', 'context', 'image_id', 'image_meta', 'data',
                       'purge_props', 'all_fields', 'add_tags'],
            'delete': ['self', 'context', 'image_id'],
            'download': ['self', 'context', 'image_id', 'data', 'dst_path',
                         'trusted_certs'],
            'members': ['self', 'context', 'image_id'],
            'add_member': ['self', 'context', 'image_id', 'member'],
            'set_member_status': ['self', 'context', 'image_id', 'member',
                                  'status'],
            'remove_member': ['self', 'context', 'image_id', 'member']}
        self.assertEqual(set(expected),
                         set(driver.ImageDriver.__abstractmethods__))
        for name, arguments in expected.items():
            code = six.get_function_code(six.get_unbound_function(
                getattr(driver.ImageDriver, name)))
            found, _, more = inspect.getargs(code)
            self.assertEqual(arguments, list(found))
            self.assertEqual(
                {'detail': 'kwargs', 'download': 'options'}.get(name), more)

    def test_an_incomplete_driver_cannot_be_created(self):
        incomplete = type('Incomplete', (driver.ImageDriver,), {})
        self.assertRaises(TypeError, incomplete, None)

    def test_fetch_downloads_by_default(self):
        calls = []

        def download(*args, **kwargs):
            calls.append((args[1:], kwargs))

        kind = type('Kind', (driver.ImageDriver,), dict(dict.fromkeys(
            driver.ImageDriver.__abstractmethods__), download=download))
        self.assertIsNone(kind(None).fetch(
            'context', 'ID', dst_path='path', trusted_certs=['cert'],
            inspect=True))
        self.assertEqual([(('context', 'ID', None, 'path', ['cert']),
                           {'inspect': True})], calls)

    def test_optional_methods_are_not_supported_by_default(self):
        kind = type('Kind', (driver.ImageDriver,), dict.fromkeys(
            driver.ImageDriver.__abstractmethods__))
        for name, args in (('unset', ()), ('deactivate', ()),
                           ('reactivate', ()),
                           ('data_requests', ('download',))):
            error = self.assertRaises(
                exception.ImageActionNotSupported,
                getattr(kind(None), name), None, 'ID', *args)
            self.assertEqual('ID', error.image_id)

    def test_imports_are_not_supported_by_default(self):
        kind = type('Kind', (driver.ImageDriver,), dict.fromkeys(
            driver.ImageDriver.__abstractmethods__))
        kind.no_import = ('it is too old', 'Buy another')
        for name, args in (
                ('import_info', ()), ('stage', ('ID', b'')),
                ('import_image', ('ID', 'web-download')),
                ('create_via_import', ({}, 'web-download')),
                ('image_import_copy', ('ID', ['slow'])),
                ('import_status', ('ID',))):
            error = self.assertRaises(exception.ImageActionNotSupported,
                                      getattr(kind(None), name), None, *args)
            self.assertIn('too old. Buy another', six.text_type(error))
            self.assertEqual(args[0] if 'ID' in args else None,
                             error.image_id)

    def test_locations_are_not_supported_by_default(self):
        kind = type('Kind', (driver.ImageDriver,), dict.fromkeys(
            driver.ImageDriver.__abstractmethods__))
        kind.no_locations = ('it is too old', 'Buy another')
        for name, args in (('locations', ()), ('add_location', ('x://y',)),
                           ('remove_location', ({},)),
                           ('remove_from_store', ('fast',))):
            error = self.assertRaises(
                exception.ImageActionNotSupported,
                getattr(kind(None), name), None, 'ID', *args)
            self.assertIn('too old. Buy another', six.text_type(error))
            self.assertEqual('ID', error.image_id)


class TestLoad(base.TestCase):
    """Which driver is loaded, and what is logged about it."""

    def _load(self, kind=Supported, **options):
        with mock.patch.object(driver.stevedore_driver,
                               'DriverManager') as manager:
            manager.return_value.driver = kind
            loaded = driver.load(self.conf, **options)
        self.loaded_name = manager.call_args[0]
        return loaded

    def test_v2_is_the_default(self):
        self._load()
        self.assertEqual(('nova_image.image.drivers', 'v2'), self.loaded_name)
        self.assertEqual('GlanceImageServiceV2', type(self.driver()).__name__)

    def test_use_glance_v1_loads_v1(self):
        self.set(use_glance_v1=True)
        self._load()
        self.assertEqual(('nova_image.image.drivers', 'v1'), self.loaded_name)

    def test_the_option_is_read_once(self):
        image_driver = self.driver()
        self.set(use_glance_v1=True)
        self.glance.answers(recordings.load('v2_glance33')('show_active'))
        image_driver.show(self.context, recordings.ACTIVE)
        self.assert_calls([('GET', '/v2/images/' + recordings.ACTIVE)])

    def test_the_deprecation_is_logged_once(self):
        loaded = self._load(Deprecated)
        self.assertEqual(['WARNING nova_image.image.driver this driver is '
                          'deprecated'], self.warnings())
        self.assertIs(self.conf, loaded.client.conf)

    def test_the_deprecation_waits_until_the_log_is_ready(self):
        loaded = self._load(Deprecated, log_is_ready=False)
        self.assertEqual([], self.warnings())
        driver.begin_log(loaded, self.conf)
        self.assertEqual(['WARNING nova_image.image.driver this driver is '
                          'deprecated'], self.warnings())

    def test_a_driver_without_deprecation_logs_nothing(self):
        self._load()
        self.assertEqual([], self.warnings())

    def test_options_are_passed_to_the_client(self):
        loaded = self._load(pinned='http://other')
        self.assertEqual('http://other',
                         loaded.client.endpoints.choose(self.context))

    def test_the_global_configuration_is_the_default(self):
        with mock.patch.object(driver.cfg, 'CONF', self.conf):
            with mock.patch.object(driver.stevedore_driver,
                                   'DriverManager') as manager:
                manager.return_value.driver = Supported
                self.assertIs(self.conf, driver.load().client.conf)

    def test_an_id_is_resolved_to_the_same_driver(self):
        loaded = self.driver()
        self.assertEqual((loaded, 'ID'), loaded.resolve(self.context, 'ID'))

    def test_a_url_is_resolved_to_its_server(self):
        self.set(api_servers=['http://one', 'http://two'])
        loaded = self.driver()
        for url in ('http://one', 'http://two'):
            pinned, image_id = loaded.resolve(
                self.context, url + '/v2/images/ID')
            self.assertIs(type(loaded), type(pinned))
            self.assertEqual('ID', image_id)
            self.assertEqual(url + '/images/ID',
                             pinned.url_of(self.context, image_id))

    def test_a_url_of_an_unknown_server_is_refused(self):
        self.assertRaises(exception.InvalidImageRef, self.driver().resolve,
                          self.context, 'http://other/v2/images/ID')

    def test_debug_sets_the_log_level(self):
        names = ('glanceclient', 'nova_image')
        for name in names:
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
            logger.setLevel(logging.INFO)
        self._load()
        self.assertEqual([logging.INFO] * 2, [
            logging.getLogger(name).level for name in names])
        self.set(debug=True)
        self._load()
        self.assertEqual([logging.DEBUG] * 2, [
            logging.getLogger(name).level for name in names])


class TestLoadFailures(base.TestCase):
    """Entry points that are missing or broken."""

    def _error(self):
        return six.text_type(self.assertRaises(
            exception.DriverLoadError, self.driver))

    def test_a_missing_driver_is_reported(self):
        with mock.patch.object(
                driver.stevedore_driver, 'DriverManager',
                side_effect=stevedore_exc.NoMatches('none')):
            with mock.patch.object(driver, '_installed',
                                   return_value=['v3', 'v4']):
                message = self._error()
        for words in ('no v2', driver.NAMESPACE, 'v3, v4', 'use_glance_v1'):
            self.assertIn(words, message)

    def test_two_drivers_with_one_name_are_reported(self):
        with mock.patch.object(
                driver.stevedore_driver, 'DriverManager',
                side_effect=stevedore_exc.MultipleMatches('two')):
            message = self._error()
        self.assertIn('more than one v2 in ' + driver.NAMESPACE, message)

    def test_the_absence_of_all_drivers_is_reported(self):
        with mock.patch.object(driver, 'NAMESPACE', 'no.such.namespace'):
            message = self._error()
        self.assertIn('installed: none', message)
        self.assertIn('no.such.namespace', message)

    def test_a_driver_that_cannot_be_imported_is_reported(self):
        point = mock.Mock(spec=['name', 'value', 'load'])
        point.name, point.value = 'v2', 'some.module:Kind'
        with mock.patch.object(driver, '_installed',
                               return_value=['v2']):
            error = self.assertRaises(
                exception.DriverLoadError, driver._raise_load_failure,
                mock.Mock(), point, ImportError('no module named x'))
        message = six.text_type(error)
        for words in ('v2 of ' + driver.NAMESPACE, 'some.module:Kind',
                      'ImportError: no module named x', 'Installed: v2'):
            self.assertIn(words, message)

    def test_a_driver_without_its_class_is_reported(self):
        module = inspect.getmodule(type(self.driver()))
        with fixtures.MonkeyPatch(
                module.__name__ + '.GlanceImageServiceV2',
                fixtures.MonkeyPatch.delete):
            message = self._error()
        for words in ('v2 of ' + driver.NAMESPACE, 'glance_v2', 'Installed',
                      'GlanceImageServiceV2'):
            self.assertIn(words, message)

    def test_the_names_of_installed_drivers_are_found(self):
        self.assertIn('v2', driver._installed())


class Undoing(Supported):
    """A driver whose delete() is a mock."""

    _undone_on_failure = six.get_unbound_function(
        driver.ImageDriver._undone_on_failure)

    def __init__(self, error=None):
        super(Undoing, self).__init__(None)
        self.delete = mock.Mock(side_effect=error)


class TestUndoing(base.TestCase):
    """The deletion of an image after a failed call."""

    def _fail(self, image_driver, error):
        def block():
            with image_driver._undone_on_failure(self.context, 'ID'):
                raise error
        self.assertIs(error, self.assertRaises(type(error), block))

    def test_the_image_is_deleted_and_the_first_error_raised(self):
        for error in (ValueError(), KeyboardInterrupt(),
                      exception.ImageConflict()):
            image_driver = Undoing()
            self._fail(image_driver, error)
            image_driver.delete.assert_called_once_with(self.context, 'ID')

    def test_nothing_is_deleted_after_a_success(self):
        image_driver = Undoing()
        with image_driver._undone_on_failure(self.context, 'ID'):
            pass
        image_driver.delete.assert_not_called()

    def test_an_image_that_is_gone_already_is_not_logged(self):
        self._fail(Undoing(exception.ImageNotFound()), ValueError())
        self.assertEqual([], self.warnings())

    def test_an_image_that_is_left_behind_is_logged(self):
        self._fail(Undoing(exception.ImageDeleteConflict()), ValueError())
        (line,) = self.warnings()
        self.assertIn('Image ID was left behind', line)
