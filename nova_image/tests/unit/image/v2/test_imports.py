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

import hashlib

import six

from nova_image import exception
from nova_image.image import import_result
from nova_image.image.v2 import imports
from nova_image.tests.unit import base
from nova_image.tests.unit.image.v2 import import_case as case
from nova_image.tests.unit import recordings

URI = 'https://user:pass@example.org/image?signature=secret'
SHA512 = case.IMPORTED.json['os_hash_value']


class ImportingTestCase(case.ImportTestCase):
    """Base class: a Glance with known methods, and calls of the driver."""

    def setUp(self):
        super(ImportingTestCase, self).setUp()
        self.know()

    def _create(self, method, *answers, **options):
        self.glance.answers(case.CREATED, *answers)
        image, result = self.service.create_via_import(
            self.context, case.META, method, **options)
        self.assertEqual(image is not None, result.succeeded)
        return result

    def _download(self, *answers, **options):
        return self._create('web-download', case.ACCEPTED, *answers,
                            uri='https://example.org/image', **options)

    def _import(self, method, before, *answers, **options):
        self.glance.answers(before, *answers)
        return self.service.import_image(self.context, case.NEW, method,
                                         **options)


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
                                      imports.Order, method, **options)
            self.assertIn(words, error.reason)
        self.assertRaises(TypeError, imports.Order, 'copy-image', odd=1)

    def test_stores_and_conditions_are_sent(self):
        for options, more in (
                ({}, {'all_stores_must_succeed': False}),
                ({'stores': ['a']}, {'stores': ['a'],
                                     'all_stores_must_succeed': False}),
                ({'stores': ['a', 'b']}, {'stores': ['a', 'b']}),
                ({'all_stores': True}, {'all_stores': True}),
                ({'all_stores_must_succeed': True},
                 {'all_stores_must_succeed': True})):
            order = imports.Order('glance-direct', **options)
            self.assertEqual(dict(more, method={'name': 'glance-direct'}),
                             order.to_glance(True))
        self.assertEqual({'method': {'name': 'glance-direct'}},
                         imports.Order('glance-direct').to_glance(False))
        self.assertFalse(imports.Order('copy-image', stores=[
            'a', 'b']).to_glance(True)['all_stores_must_succeed'])

    def test_the_source_of_glance_download_is_sent(self):
        self.assertEqual(
            {'name': 'glance-download', 'glance_region': 'r',
             'glance_image_id': 'i', 'glance_service_interface': 'internal'},
            imports.Order(
                'glance-download', glance_region='r', glance_image_id='i',
                glance_service_interface='internal').to_glance(True)['method'])

    def test_secrets_of_the_url_are_redacted(self):
        order = imports.Order('web-download', uri=URI)
        self.assertEqual('not from https://***@example.org/image?***',
                         order.without_secrets('not from ' + URI))


class TestDirect(ImportingTestCase):
    """The method glance-direct: stage, import, wait."""

    BEGIN = (recordings.Answer(204), case.STAGED, case.ACCEPTED)
    BEGUN = [case.CREATE, case.STAGE, case.LOOK, case.IMPORT]

    def test_data_is_staged_and_imported(self):
        seen = []
        result = self._create('glance-direct', *self.BEGIN + (
            case.WORKING, case.IMPORTED), data=case.DATA,
            progress=seen.append)
        self.assertIs(import_result.Imported, type(result))
        self.assertEqual(
            (case.NEW, ['fast'], {}, case.REQUEST, 100, ('sha512', SHA512)),
            (result.image_id, result.stores, result.failed,
             result.request_id, result.size, result.hash))
        self.assert_calls(self.BEGUN + [case.LOOK] * 2)
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

    def test_staged_data_is_imported(self):
        result = self._import('glance-direct', case.STAGED, case.ACCEPTED,
                              case.IMPORTED)
        self.assertTrue(result.succeeded)
        self.assert_calls([case.LOOK, case.IMPORT, case.LOOK])

    def test_a_smaller_staged_size_is_an_upload_failure(self):
        self.glance.answers(case.CREATED, recordings.Answer(204),
                            case.STAGED.but(size=99), case.DELETED)
        self.assertRaises(
            exception.ImageUploadFailed, self.service.create_via_import,
            self.context, case.META, 'glance-direct', data=case.DATA)
        self.assert_calls(self.BEGUN[:3] + [case.DELETE])

    def test_staged_data_is_found_after_a_lost_answer(self):
        self.glance.answers(base.Lost(), case.IMPORTS('stage_409'),
                            case.STAGED, case.STAGED)
        self.assertEqual(100, self.service.stage(
            self.context, case.NEW, case.DATA))

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
            result = self._create('glance-direct', *self.BEGIN + (
                case.IMPORTED.but(**wrong), case.DELETED), data=case.DATA)
            self.assertIs(import_result.Failed, type(result))
            self.assertTrue(result.cleaned)

    def test_an_import_into_an_image_with_data_is_impossible(self):
        self.assertRaises(
            exception.ImageImportImpossible, self._import, 'glance-direct',
            case.IMPORTED, data=case.DATA)
        self.assert_calls([case.LOOK])

    def test_no_store_is_named_if_glance_has_only_one(self):
        self.know(stores=[])
        self._create('glance-direct', *self.BEGIN + (
            case.IMPORTED.without('stores'),), data=case.DATA)
        self.assertEqual({'method': {'name': 'glance-direct'}},
                         self.sent_json(3))


class TestConverted(ImportingTestCase):
    """Plugins of Glance may change the imported image."""

    def test_a_converted_format_is_reported(self):
        raw = case.IMPORTED.but(disk_format='qcow2', size=7,
                                os_hash_value='00')
        result = self._create('glance-direct', *TestDirect.BEGIN + (raw,),
                              data=case.DATA)
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual({'disk_format': ('raw', 'qcow2')}, result.changes)
        self.assertTrue(result.succeeded)

    def test_added_properties_are_reported(self):
        result = self._download(case.IMPORTED.but(os_checked='yes'))
        self.assertEqual({'os_checked': (None, 'yes')}, result.changes)

    def test_a_changed_name_is_not_reported(self):
        result = self._download(case.IMPORTED.but(name='another name'))
        self.assertEqual({}, result.changes)

    def test_properties_of_glance_download_are_not_reported(self):
        result = self._create(
            'glance-download', case.ACCEPTED, case.IMPORTED.but(os_type='bsd'),
            glance_region='r', glance_image_id='i')
        self.assertIs(import_result.Imported, type(result))


class TestFailed(ImportingTestCase):
    """Failed imports, and what remains of them."""

    LOOKS = (case.WORKING, case.FAILED, case.FAILURE)

    def _assert_failed(self, result, cleaned, **stores):
        self.assertIs(import_result.Failed, type(result))
        self.assertEqual(cleaned, result.cleaned)
        self.assertEqual(set(stores), set(result.failed))
        for store, words in stores.items():
            self.assertIn(words, result.failed[store])

    def test_the_created_image_is_deleted(self):
        result = self._download(*self.LOOKS + (case.DELETED,))
        self._assert_failed(result, True, fast='Task failed')
        self.assertIn(case.TASK, result.reason)
        self.assertEqual(case.DELETE, (self.glance.calls[-1].method,
                                       self.glance.calls[-1].path))

    def test_keep_leaves_the_created_image(self):
        self.glance.answers(case.CREATED, case.ACCEPTED, *self.LOOKS)
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a',
            keep=True)
        self._assert_failed(result, False, fast='Task failed')
        self.assertEqual(case.NEW, image['id'])

    def test_an_image_that_cannot_be_deleted_is_reported(self):
        self.set(num_retries=0)
        self.glance.answers(case.CREATED, case.ACCEPTED, *self.LOOKS + (
            base.Lost(),))
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a')
        self.assertEqual(case.NEW, image['id'])
        self._assert_failed(result, False, fast='')
        self.assertIn('was left behind', self.log.output)

    def test_an_existing_image_is_not_deleted(self):
        options = {'uri': 'http://a'}
        result = self._import('web-download', case.CREATED, case.ACCEPTED,
                              *self.LOOKS, **options)
        self._assert_failed(result, True, fast='')

    def test_staged_data_that_remains_is_reported(self):
        result = self._import(
            'glance-direct', case.STAGED, case.ACCEPTED, case.WORKING,
            case.FAILED.but(status='importing'), case.FAILURE,
            stores=['fast', 'slow'])
        self._assert_failed(result, False, fast='Task', slow='undone')
        # Glance checks this limit only when it begins.
        result = self._import(
            'glance-direct', case.STAGED, case.ACCEPTED,
            case.STAGED.but(status='queued'), case.FAILURE)
        self._assert_failed(result, False)

    def test_a_wrong_hash_is_a_failure(self):
        for algorithm in ('sha512', 'md5', 'sha256'):
            result = self._download(case.IMPORTED, case.DELETED,
                                    os_hash_algo=algorithm,
                                    os_hash_value='00')
            self._assert_failed(result, True)
            self.assertIn('the %s of the data is' % algorithm, result.reason)
        self.assertIn('not known to Glance', result.reason)

    def test_an_existing_image_with_wrong_data_is_deleted(self):
        result = self._import(
            'web-download', case.CREATED, case.ACCEPTED, case.IMPORTED,
            case.DELETED, uri='http://a', os_hash_algo='md5',
            os_hash_value='00')
        self._assert_failed(result, True)

    def test_the_expected_hash_is_a_success(self):
        md5 = hashlib.md5(case.DATA).hexdigest()
        for algorithm, value in (('sha512', SHA512.upper()), ('md5', md5)):
            self.assertTrue(self._download(
                case.IMPORTED, os_hash_algo=algorithm,
                os_hash_value=value).succeeded)

    def _late(self, **options):
        self.glance.answers(case.CREATED, case.ACCEPTED, *[self._look] * 100)
        return self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a',
            **options)[1]

    def _look(self, call):
        if call.method == 'DELETE':
            return case.DELETED
        return (case.PROCESSING if call.path.endswith('/tasks') else
                case.WORKING)

    def test_an_image_is_not_deleted_at_the_deadline(self):
        """Its data may still be on its way to a store."""
        result = self._late(timeout=30)
        self.assertEqual(('deadline', 'importing', False), (
            result.reason, result.seen.state, result.cleaned))
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])

    def test_an_image_is_deleted_after_a_long_stall(self):
        for options in ({'timeout': 300}, {}):
            self.set(import_stall_timeout=3600 if options else 200)
            self.assertTrue(self._late(**options).cleaned)
            self.assertEqual('DELETE', self.glance.calls[-1].method)
            self.glance._script.clear()
        self.assertFalse(self._late(timeout=300, keep=True).cleaned)

    def test_import_timeout_is_the_default_deadline(self):
        self.set(import_timeout=1)
        self.glance.answers(case.CREATED, case.ACCEPTED,
                            *[case.WORKING] * 12)
        _, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a',
            keep=True)
        self.assertIs(import_result.TimedOut, type(result))
        self.assertFalse(result.cleaned)

    def test_an_import_may_succeed_in_some_stores_only(self):
        result = self._download(
            case.WORKING, case.IMPORTED.but(os_glance_failed_import='slow'),
            case.SUCCESS, all_stores=True, all_stores_must_succeed=False)
        self.assertIs(import_result.Imported, type(result))
        self.assertEqual({'slow': 'Glance does not give a reason'},
                         result.failed)


class TestBegin(ImportingTestCase):
    """The import request itself."""

    def _refused(self, kind, *answers, **options):
        self.glance.answers(*answers)
        return self.assertRaises(
            kind, self.service.create_via_import, self.context, case.META,
            'web-download', uri=URI, **options)

    def test_a_refused_import_deletes_the_image_and_shows_no_secrets(self):
        refusal = case.IMPORTS('import_400')
        refusal = refusal.changed(content=refusal.content.replace(
            b'http://10.0.0.1/', URI.encode('ascii')))
        error = self._refused(exception.ImageBadRequest, case.CREATED, refusal,
                              case.DELETED)
        text = six.text_type(error)
        self.assertIn('does not pass filtering', text)
        self.assertNotIn('secret', text)
        self.assertNotIn('pass@', text)
        self.assert_calls([case.CREATE, case.IMPORT, case.DELETE])

    def test_keep_leaves_the_image_of_a_refused_import(self):
        self._refused(exception.ImageImportImpossible, case.CREATED,
                      case.GLANCE33('import_409'), keep=True)
        self.assert_calls([case.CREATE, case.IMPORT])

    def test_an_unsupported_method_is_refused_before_the_create(self):
        self.know([])
        self._refused(exception.ImageImportImpossible,
                      case.GLANCE33('show_404'))
        self.assert_calls([case.METHODS])

    def test_an_unprocessed_import_is_retried(self):
        result = self._create('web-download', recordings.Answer(503),
                              case.ACCEPTED, case.IMPORTED, uri=URI)
        self.assertTrue(result.succeeded)

    def test_the_import_is_found_after_a_lost_answer(self):
        for lost in (base.Lost(), recordings.Answer(500)):
            result = self._create('web-download', lost, case.WORKING,
                                  case.IMPORTED, uri=URI)
            self.assertTrue(result.succeeded)
            self.assertIsNone(result.request_id)

    def test_an_import_that_did_not_begin_is_a_connection_failure(self):
        waiting = case.CREATED.changed(status=200)
        nothing = recordings.Answer(content=b'{"tasks": []}')
        self._refused(exception.GlanceConnectionFailed, case.CREATED,
                      base.Lost(), *(waiting, nothing) * 3 + (case.DELETED,))

    def test_a_lost_answer_without_wait_is_a_connection_failure(self):
        self._refused(exception.GlanceConnectionFailed, case.CREATED,
                      base.Lost(), case.DELETED, wait=False)

    def test_there_is_no_result_without_wait(self):
        self.glance.answers(case.CREATED, case.ACCEPTED)
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri=URI, wait=False)
        self.assertEqual((case.NEW, None), (image['id'], result))

    def test_an_image_with_a_member_is_shared(self):
        self.glance.answers(case.CREATED, case.GLANCE33('member_200'),
                            case.ACCEPTED, case.IMPORTED)
        self.service.create_via_import(
            self.context, dict(case.META, properties={
                'instance_owner': 'another-project'}), 'web-download',
            uri=URI)
        self.assertEqual('shared', self.sent_json(0)['visibility'])


class TestCopy(ImportingTestCase):
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


class TestUpload(ImportingTestCase):
    """[glance] import_uploads: create() and update() import their data."""

    def setUp(self):
        super(TestUpload, self).setUp()
        self.set(import_uploads=True)

    def test_create_imports_the_data(self):
        self.glance.answers(case.CREATED, *TestDirect.BEGIN + (
            case.WORKING, case.IMPORTED))
        image = self.service.create(self.context, case.META, case.DATA)
        self.assertEqual(('active', False),
                         (image['status'], 'os_hash_value' in image))
        self.assert_calls(TestDirect.BEGUN + [case.LOOK] * 2)

    def test_update_imports_the_data(self):
        self.glance.answers(case.CREATED.changed(status=200),
                            *TestDirect.BEGIN + (case.IMPORTED,))
        image = self.service.update(self.context, case.NEW, {}, case.DATA)
        self.assertEqual('active', image['status'])

    def test_a_conversion_is_logged(self):
        self.glance.answers(case.CREATED, *TestDirect.BEGIN + (
            case.IMPORTED.but(disk_format='qcow2', size=7),))
        image = self.service.create(self.context, case.META, case.DATA)
        self.assertEqual(('qcow2', 7), (image['disk_format'], image['size']))
        self.assertIn('has changed disk_format of', self.log.output)

    def test_a_failed_import_is_an_upload_failure(self):
        self.glance.answers(case.CREATED, *TestDirect.BEGIN +
                            TestFailed.LOOKS + (case.DELETED,))
        error = self.assertRaises(exception.ImageUploadFailed,
                                  self.service.create, self.context,
                                  case.META, case.DATA)
        self.assertIn('Task failed', error.reason)

    def test_a_failed_import_of_an_update_is_an_upload_failure(self):
        self.glance.answers(case.CREATED.changed(status=200),
                            *TestDirect.BEGIN + TestFailed.LOOKS)
        self.assertRaises(exception.ImageUploadFailed, self.service.update,
                          self.context, case.NEW, {}, case.DATA)

    def test_an_import_beyond_the_deadline_is_an_upload_failure(self):
        self.set(import_timeout=1)
        self.glance.answers(case.CREATED, *TestDirect.BEGIN +
                            (case.WORKING,) * 12 + (case.DELETED,))
        error = self.assertRaises(exception.ImageUploadFailed,
                                  self.service.create, self.context,
                                  case.META, case.DATA)
        self.assertIn('still importing', error.reason)
