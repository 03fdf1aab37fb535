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
"""Tests of nova_image.image.v2.imports: the requests of each import."""

from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import import_result
from nova_image.image.v2 import import_order
from nova_image.tests.unit import base
from nova_image.tests.unit.image.v2 import import_case as case
from nova_image.tests.unit import recordings

URI = 'https://user:pass@example.org/image?signature=secret'
SHA512 = case.IMPORTED.json['os_hash_value']


class TestOrder(base.TestCase):
    """Which options go together."""

    def test_invalid_combinations_are_refused(self):
        for method, options, words in (
                ('web-download', {'data': b''}, 'only the method glance-'),
                ('web-download', {}, 'requires uri'),
                ('glance-download', {'glance_region': 'r'}, 'glance_image'),
                ('copy-image', {'stores': ['a'], 'all_stores': True},
                 'exclude each other'),
                ('glance-direct', {'os_hash_algo': 'md5'}, 'each other')):
            error = self.assertRaises(exception.ImageBadRequest,
                                      import_order.Order, method, **options)
            self.assertIn(words, error.reason)
        self.assertRaises(TypeError, import_order.Order, 'copy-image', odd=1)

    def test_timeouts_that_cannot_be_are_refused(self):
        for value in (-1, float('nan'), float('inf'), '', 'soon', [5]):
            error = self.assertRaises(
                exception.ImageBadRequest, import_order.Order, 'copy-image',
                timeout=value)
            self.assertIn('timeout', error.reason)
        for value in (None, 0, 5, 0.5):
            self.assertEqual(value, import_order.Order(
                'copy-image', timeout=value).timeout)

    def test_stores_and_conditions_are_sent(self):
        for options, more in (
                ({}, {'all_stores_must_succeed': False}),
                ({'stores': ['a']}, {'stores': ['a'],
                                     'all_stores_must_succeed': False}),
                ({'stores': ['a', 'b']}, {'stores': ['a', 'b']}),
                ({'all_stores': True}, {'all_stores': True}),
                ({'all_stores_must_succeed': True},
                 {'all_stores_must_succeed': True})):
            order = import_order.Order('glance-direct', **options)
            self.assertEqual(dict(more, method={'name': 'glance-direct'}),
                             order.to_glance(True))
        self.assertEqual({'method': {'name': 'glance-direct'}},
                         import_order.Order('glance-direct').to_glance(False))
        self.assertFalse(import_order.Order('copy-image', stores=[
            'a', 'b']).to_glance(True)['all_stores_must_succeed'])

    def test_the_source_of_glance_download_is_sent(self):
        self.assertEqual(
            {'name': 'glance-download', 'glance_region': 'r',
             'glance_image_id': 'i', 'glance_service_interface': 'internal'},
            import_order.Order(
                'glance-download', glance_region='r', glance_image_id='i',
                glance_service_interface='internal').to_glance(True)['method'])

    def test_secrets_of_the_url_are_redacted(self):
        order = import_order.Order('web-download', uri=URI)
        self.assertEqual('not from https://***@example.org/image?***',
                         order.without_secrets('not from ' + URI))
        for spelling in (parse.quote(URI, safe=''), URI.partition('.org')[2],
                         URI.replace('?', '/?'), repr(URI), URI[:-2]):
            self.assertNotIn('secr', order.without_secrets(
                'Task failed: %s,\n see above' % spelling))


class TestDirect(case.DriverTestCase):
    """The method glance-direct: stage, import, wait."""

    def test_data_is_staged_and_imported(self):
        seen = []
        result = self.create('glance-direct', *case.STAGING + (
            case.WORKING, case.IMPORTED), data=case.DATA,
            progress=seen.append)
        self.assertIs(import_result.Imported, type(result))
        self.assertEqual(
            (case.NEW, ['fast'], {}, case.REQUEST, 100, ('sha512', SHA512)),
            (result.image_id, result.stores, result.failed,
             result.request_id, result.size, result.hash))
        self.assert_calls(case.STAGING_CALLS + [case.LOOK] * 2)
        self.assertEqual(case.DATA, self.glance.calls[1].body)
        self.assertEqual('100', self.glance.calls[1].headers[
            'x-openstack-image-size'])
        self.assertEqual(('staging', 100, 100),
                         (seen[0].state, seen[0].done, seen[0].total))

    def test_stage_does_not_import(self):
        self.glance.answers(recordings.Answer(204), case.STAGED)
        self.assertEqual(100, self.service.stage(
            self.context, case.NEW, iter([case.DATA])))
        self.assert_calls([case.STAGE, case.LOOK])

    def test_the_size_of_staged_data_is_always_announced(self):
        self.glance.answers(recordings.Answer(500), recordings.Answer(204),
                            case.STAGED)
        self.service.stage(self.context, case.NEW, case.DATA)
        self.assertEqual([True, True], [
            'x-openstack-image-size' in call.headers
            for call in self.glance.calls if call.method == 'PUT'])

    def test_staged_data_is_imported(self):
        result = self.import_into('glance-direct', case.STAGED, case.ACCEPTED,
                                  case.IMPORTED)
        self.assertTrue(result.succeeded)
        self.assert_calls([case.LOOK, case.IMPORT, case.LOOK])

    def test_a_smaller_staged_size_is_an_upload_failure(self):
        self.glance.answers(case.CREATED, recordings.Answer(204),
                            case.STAGED.but(size=99), case.DELETED)
        self.assertRaises(
            exception.ImageUploadFailed, self.service.create_via_import,
            self.context, case.META, 'glance-direct', data=case.DATA)
        self.assert_calls(case.STAGING_CALLS[:3] + [case.DELETE])

    def test_staged_data_is_found_after_a_lost_answer(self):
        result = self.create(
            'glance-direct', base.Lost(), case.IMPORTS('stage_409'),
            case.STAGED, case.STAGED, case.ACCEPTED, case.IMPORTED,
            data=case.DATA, id_is_new=True)
        self.assertTrue(result.succeeded)

    def test_staged_data_may_be_another_clients_after_a_lost_answer(self):
        self.glance.answers(base.Lost(), case.IMPORTS('stage_409'),
                            case.STAGED, case.STAGED)
        error = self.assertRaises(
            exception.ImageUploadFailed, self.service.stage, self.context,
            case.NEW, case.DATA)
        self.assertIn('which may have the data', error.left)

    def test_interrupted_staging_is_retried(self):
        self.glance.answers(
            base.Lost(pieces=0), case.IMPORTS('stage_409'),
            case.STAGED.but(size=None), recordings.Answer(204), case.STAGED)
        self.assertEqual(100, self.service.stage(
            self.context, case.NEW, case.DATA))
        self.assert_calls([case.STAGE] * 2 + [case.LOOK, case.STAGE,
                                              case.LOOK])

    def test_other_data_than_was_sent_is_a_failure(self):
        for wrong in ({'os_hash_value': '00'}, {'size': 99}):
            result = self.create('glance-direct', *case.STAGING + (
                case.IMPORTED.but(**wrong), case.DELETED), data=case.DATA)
            self.assertIs(import_result.Failed, type(result))
            self.assertTrue(result.cleaned)

    def test_an_import_into_an_image_with_data_is_impossible(self):
        self.assertRaises(
            exception.ImageImportImpossible, self.import_into, 'glance-direct',
            case.IMPORTED, data=case.DATA)
        self.assert_calls([case.LOOK])

    def test_no_store_is_named_if_glance_has_only_one(self):
        self.know(stores=[])
        self.create('glance-direct', *case.STAGING + (
            case.IMPORTED.without('stores'),), data=case.DATA)
        self.assertEqual({'method': {'name': 'glance-direct'}},
                         self.sent_json(3))


class TestConverted(case.DriverTestCase):
    """Plugins of Glance may change the imported image."""

    def test_a_converted_format_is_reported(self):
        raw = case.IMPORTED.but(disk_format='qcow2', size=7,
                                os_hash_value='00')
        result = self.create('glance-direct', *case.STAGING + (raw,),
                             data=case.DATA)
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual({'disk_format': ('raw', 'qcow2')}, result.changes)
        self.assertTrue(result.succeeded)

    def test_added_properties_are_reported(self):
        result = self.download(case.IMPORTED.but(os_checked='yes'))
        self.assertEqual({'os_checked': (None, 'yes')}, result.changes)

    def test_a_changed_name_is_not_reported(self):
        result = self.download(case.IMPORTED.but(name='another name'))
        self.assertEqual({}, result.changes)

    def test_properties_of_glance_download_are_not_reported(self):
        result = self.create(
            'glance-download', case.ACCEPTED, case.IMPORTED.but(os_type='bsd'),
            glance_region='r', glance_image_id='i')
        self.assertIs(import_result.Imported, type(result))


class TestCopy(case.DriverTestCase):
    """image_import_copy() with wait."""

    def _copy(self, *answers, **options):
        self.glance.answers(case.IMPORTED, case.ACCEPTED, *answers)
        return self.service.image_import_copy(
            self.context, case.NEW, ['slow'], wait=True, **options)

    def test_a_copy_reports_all_stores(self):
        result = self._copy(
            case.IMPORTED.but(os_glance_import_task=case.TASK),
            case.IMPORTED.but(stores='fast,slow'))
        self.assertEqual(['fast', 'slow'], result.stores)
        self.assertEqual({'method': {'name': 'copy-image'},
                          'stores': ['slow'],
                          'all_stores_must_succeed': False},
                         self.sent_json(1))

    def test_a_failed_copy_is_a_failure(self):
        result = self._copy(
            case.IMPORTED.but(os_glance_import_task=case.TASK),
            case.IMPORTED.but(os_glance_failed_import='slow'), case.SUCCESS)
        self.assertIs(import_result.Failed, type(result))
        self.assertEqual((['slow'], True),
                         (list(result.failed), result.cleaned))

    def test_a_failed_copy_to_all_stores_is_not_cleaned(self):
        result = self._copy(
            case.IMPORTED.but(os_glance_import_task=case.TASK),
            case.IMPORTED.but(os_glance_failed_import='slow'), case.FAILURE,
            all_stores_must_succeed=True)
        self.assertFalse(result.cleaned)

    def test_an_earlier_failure_of_another_store_is_ignored(self):
        result = self._copy(case.IMPORTED.but(
            stores='fast,slow', os_glance_failed_import='broken'))
        self.assertEqual({}, result.failed)
