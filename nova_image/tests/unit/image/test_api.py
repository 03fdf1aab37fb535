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

"""Tests of nova_image.image.api: the interface for callers."""

import inspect

import mock
import six

from nova_image import exception
from nova_image.image import api
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE33 = recordings.load('v2_glance33')
ACTIVE = recordings.ACTIVE


class ApiTestCase(base.TestCase):
    """Base class: an API object."""

    def setUp(self):
        super(ApiTestCase, self).setUp()
        self.set(api_servers=['http://one:9292', 'http://two:9292/image/v2'])
        self.api = api.API(self.conf, sleep=self.waits.append)


class TestSignatures(ApiTestCase):
    """Nova's own signatures, and those for imports, which Nova lacks."""

    def test_signatures_are_those_of_nova(self):
        expected = {
            'get_all': ['context'],
            'get': ['context', 'id_or_uri', 'include_locations',
                    'show_deleted'],
            'create': ['context', 'image_info', 'data'],
            'update': ['context', 'id_or_uri', 'image_info', 'data',
                       'purge_props'],
            'unset': ['context', 'id_or_uri', 'properties', 'tags'],
            'deactivate': ['context', 'id_or_uri'],
            'reactivate': ['context', 'id_or_uri'],
            'delete': ['context', 'id_or_uri'],
            'download': ['context', 'id_or_uri', 'data', 'dest_path',
                         'trusted_certs'],
            'copy_image_to_store': ['context', 'image_id', 'store'],
            'generate_image_url': ['image_ref', 'context'],
            'import_info': ['context'],
            'stage': ['context', 'id_or_uri', 'data', 'progress'],
            'import_image': ['context', 'id_or_uri', 'method'],
            'create_via_import': ['context', 'image_info', 'method'],
            'members': ['context', 'id_or_uri'],
            'add_member': ['context', 'id_or_uri', 'member'],
            'set_member_status': ['context', 'id_or_uri', 'member', 'status'],
            'remove_member': ['context', 'id_or_uri', 'member'],
            'locations': ['context', 'id_or_uri'],
            'add_location': ['context', 'id_or_uri', 'url', 'store'],
            'remove_location': ['context', 'id_or_uri', 'location'],
            'remove_from_store': ['context', 'id_or_uri', 'store'],
            'import_status': ['context', 'id_or_uri']}
        public = {name: list(inspect.getargs(six.get_function_code(
            six.get_unbound_function(value)))[0])[1:]
            for name, value in inspect.getmembers(api.API, callable)
            if not name.startswith('_')}
        self.assertEqual(expected, public)

    def test_update_keeps_properties_by_default(self):
        driver = self.api._driver = mock.Mock()
        driver.resolve.return_value = driver, 'ID'
        self.api.update(self.context, 'ID', {})
        driver.update.assert_called_once_with(
            self.context, 'ID', {}, data=None, purge_props=False)


class TestDelegation(ApiTestCase):
    """Each method calls the method of the driver."""

    def setUp(self):
        super(TestDelegation, self).setUp()
        self.driver = self.api._driver = mock.Mock()
        self.driver.resolve.return_value = self.driver, 'ID'

    def _assert_called(self, found, name, *args, **kwargs):
        method = getattr(self.driver, name)
        self.assertIs(method.return_value, found)
        method.assert_called_once_with(self.context, *args, **kwargs)

    def test_get_all(self):
        filters = {'name': 'x'}
        self._assert_called(
            self.api.get_all(self.context, filters=filters, limit=5),
            'detail', filters=filters, limit=5)

    def test_get(self):
        self._assert_called(
            self.api.get(self.context, 'ID', show_deleted=False), 'show',
            'ID', include_locations=False, show_deleted=False)

    def test_get_with_all_fields(self):
        self._assert_called(
            self.api.get(self.context, 'ID', all_fields=True), 'show',
            'ID', include_locations=False, show_deleted=True,
            all_fields=True)

    def test_update_with_tags(self):
        self._assert_called(
            self.api.update(self.context, 'ID', {}, add_tags=['t']),
            'update', 'ID', {}, data=None, purge_props=False, add_tags=['t'])

    def test_unset(self):
        self._assert_called(
            self.api.unset(self.context, 'ID', ['a'], ['t'],
                           all_fields=True),
            'unset', 'ID', properties=['a'], tags=['t'], all_fields=True)

    def test_deactivate_and_reactivate(self):
        for name in ('deactivate', 'reactivate'):
            self._assert_called(
                getattr(self.api, name)(self.context, 'ID'), name, 'ID')

    def test_create(self):
        self._assert_called(self.api.create(self.context, {'a': 1}, b'data'),
                            'create', {'a': 1}, data=b'data')

    def test_delete(self):
        self._assert_called(self.api.delete(self.context, 'ID'), 'delete',
                            'ID')

    def test_download(self):
        self._assert_called(
            self.api.download(self.context, 'ID', dest_path='/to',
                              trusted_certs=['cert']),
            'download', 'ID', data=None, dst_path='/to',
            trusted_certs=['cert'])

    def test_download_with_more_options(self):
        self._assert_called(
            self.api.download(self.context, 'ID', inspect=True,
                              progress=len),
            'download', 'ID', data=None, dst_path=None, trusted_certs=None,
            inspect=True, progress=len)

    def test_copy_image_to_store(self):
        self._assert_called(
            self.api.copy_image_to_store(self.context, 'ID', 'slow'),
            'image_import_copy', 'ID', ['slow'])

    def test_copy_image_to_store_and_wait(self):
        self._assert_called(
            self.api.copy_image_to_store(self.context, 'ID', 'slow',
                                         wait=True),
            'image_import_copy', 'ID', ['slow'], wait=True)

    def test_import_info(self):
        self._assert_called(self.api.import_info(self.context), 'import_info')

    def test_stage(self):
        self._assert_called(self.api.stage(self.context, 'ID', b'data'),
                            'stage', 'ID', b'data', progress=None)

    def test_import_image(self):
        self._assert_called(
            self.api.import_image(self.context, 'ID', 'web-download',
                                  uri='http://a'),
            'import_image', 'ID', 'web-download', uri='http://a')

    def test_create_via_import(self):
        self._assert_called(
            self.api.create_via_import(self.context, {}, 'glance-direct',
                                       data=b''),
            'create_via_import', {}, 'glance-direct', data=b'')

    def test_locations(self):
        for name, args in (('locations', ()), ('remove_location', ({},)),
                           ('remove_from_store', ('fast',))):
            self._assert_called(
                getattr(self.api, name)(self.context, 'ID', *args), name,
                'ID', *args)
        self._assert_called(
            self.api.add_location(self.context, 'ID', 'x://y', os_hash_algo=1),
            'add_location', 'ID', 'x://y', store=None, os_hash_algo=1)

    def test_import_status(self):
        self._assert_called(
            self.api.import_status(self.context, 'ID', watch=True),
            'import_status', 'ID', watch=True)

    def test_members(self):
        for name, args in (('members', ()), ('add_member', ('project',)),
                           ('set_member_status', ('project', 'accepted')),
                           ('remove_member', ('project',))):
            found = getattr(self.api, name)(self.context, 'ID', *args)
            self._assert_called(found, name, 'ID', *args)


class TestConf(ApiTestCase):
    """The configuration of the API."""

    def test_conf_is_the_one_that_was_passed(self):
        self.assertIs(self.conf, self.api.conf)


class TestReferences(ApiTestCase):
    """URLs instead of IDs: the caller's token is sent to their server."""

    def _assert_requested(self, url, reference):
        self.glance.answers(GLANCE33('show_active'))
        image = self.api.get(self.context, reference)
        self.assertEqual(ACTIVE, image['id'])
        self.assertEqual(url, self.glance.calls[-1].url)

    def test_urls_of_known_servers_are_followed(self):
        one = 'http://one:9292/v2/images/' + ACTIVE
        two = 'http://two:9292/image/v2/images/' + ACTIVE
        for version in ('', '/v1', '/v2', '/v2.9'):
            self._assert_requested(
                one, 'http://one:9292%s/images/%s' % (version, ACTIVE))
            self._assert_requested(
                two, 'http://two:9292/image%s/images/%s' % (version, ACTIVE))

    def test_unknown_servers_get_no_request(self):
        for base_url in ('http://evil:9292', 'http://one:9293',
                         'https://one:9292', 'http://one',
                         'http://two:9292', 'http://two:9292/image/x',
                         'http://one:9292@evil', 'http://user:x@one:9292',
                         'http://one:9292.evil', 'ftp://one:9292',
                         '//one:9292'):
            for method in (self.api.get, self.api.delete, self.api.download):
                error = self.assertRaises(
                    exception.InvalidImageRef, method, self.context,
                    base_url + '/v2/images/' + ACTIVE)
                self.assertNotIn('user:x', six.text_type(error))
        self.assert_calls([])

    def test_invalid_references_are_refused(self):
        for reference in ('/', '/images/', 'a/b', 'http://one:9292/x'):
            self.assertRaises(exception.InvalidImageRef, self.api.get,
                              self.context, reference)

    def test_a_generated_url_is_accepted(self):
        url = self.api.generate_image_url(ACTIVE, self.context)
        self.assertTrue(url.endswith('/images/' + ACTIVE), url)
        self._assert_requested(url.replace('/images/', '/v2/images/'), url)

    def test_urls_are_generated_for_every_server(self):
        self.assertEqual(
            {'http://one:9292/images/ID', 'http://two:9292/image/images/ID'},
            {self.api.generate_image_url('ID', self.context)
             for _ in range(2)})

    def test_servers_of_the_catalog_are_known(self):
        self.set(api_servers=None)
        self.context.service_catalog = [{
            'type': 'image', 'endpoints': [
                {'interface': 'public', 'url': 'http://public:9292/v2'}]}]
        self.api = api.API(self.conf)
        self._assert_requested('http://public:9292/v2/images/' + ACTIVE,
                               'http://public:9292/images/' + ACTIVE)
        self.assertRaises(exception.InvalidImageRef, self.api.get,
                          self.context, 'http://one:9292/images/' + ACTIVE)
