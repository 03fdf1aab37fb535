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
"""Tests of nova_image.image.v2.imports: failures, and refused imports."""

import hashlib

import six

from nova_image import exception
from nova_image.image import import_result
from nova_image.image.v2 import uploads
from nova_image.tests.unit import base
from nova_image.tests.unit.image.v2 import import_case as case
from nova_image.tests.unit import recordings

URI = 'https://user:pass@example.org/image?signature=secret'
SHA512 = case.IMPORTED.json['os_hash_value']


class TestFailed(case.DriverTestCase):
    """Failed imports, and what remains of them."""

    def _assert_failed(self, result, cleaned, **stores):
        self.assertIs(import_result.Failed, type(result))
        self.assertEqual(cleaned, result.cleaned)
        self.assertEqual(set(stores), set(result.failed))
        for store, words in stores.items():
            self.assertIn(words, result.failed[store])

    def test_the_created_image_is_deleted(self):
        result = self.download(*case.FAILING + (case.DELETED,))
        self._assert_failed(result, True, fast='Task failed')
        self.assertIn(case.TASK, result.reason)
        self.assertEqual(case.DELETE, (self.glance.calls[-1].method,
                                       self.glance.calls[-1].path))

    def test_keep_leaves_the_created_image(self):
        self.glance.answers(case.CREATED, case.ACCEPTED, *case.FAILING)
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a',
            keep=True)
        self._assert_failed(result, False, fast='Task failed')
        self.assertEqual(case.NEW, image['id'])

    def test_an_image_that_cannot_be_deleted_is_reported(self):
        self.set(num_retries=0)
        self.glance.answers(case.CREATED, case.ACCEPTED, *case.FAILING + (
            base.Lost(),))
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a')
        self.assertEqual(case.NEW, image['id'])
        self._assert_failed(result, False, fast='')
        self.assertIn('was left behind', self.log.output)

    def test_an_existing_image_is_not_deleted(self):
        options = {'uri': 'http://a'}
        result = self.import_into('web-download', case.CREATED, case.ACCEPTED,
                                  *case.FAILING, **options)
        self._assert_failed(result, True, fast='')

    def test_staged_data_that_remains_is_reported(self):
        result = self.import_into(
            'glance-direct', case.STAGED, case.ACCEPTED, case.WORKING,
            case.FAILED.but(status='importing'), case.FAILURE,
            stores=['fast', 'slow'])
        self._assert_failed(result, False, fast='Task', slow='undone')
        # Glance checks this limit only when it begins.
        result = self.import_into(
            'glance-direct', case.STAGED, case.ACCEPTED,
            case.STAGED.but(status='queued'), case.FAILURE)
        self._assert_failed(result, False)

    def test_a_wrong_hash_is_a_failure(self):
        for algorithm, digits in (('sha512', 128), ('md5', 32)):
            result = self.download(case.IMPORTED, case.DELETED,
                                   os_hash_algo=algorithm,
                                   os_hash_value='0' * digits)
            self._assert_failed(result, True)
            self.assertIn('the %s of the data is' % algorithm, result.reason)

    def test_data_that_cannot_be_verified_stays(self):
        self.glance.answers(case.CREATED, case.ACCEPTED, case.IMPORTED)
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri='http://a',
            os_hash_algo='sha256', os_hash_value='0' * 64)
        self.assertEqual(case.NEW, image['id'])
        self._assert_failed(result, False)
        self.assertIn('no sha256 of it, only md5 and sha512', result.reason)

    def test_a_hash_that_glance_does_not_record_is_refused(self):
        self.service.client.knowledge(self.context).remember(
            uploads.HASH_ALGORITHM, 'sha512')
        error = self.assertRaises(
            exception.ImageBadRequest, self.service.create_via_import,
            self.context, case.META, 'web-download', uri='http://a',
            os_hash_algo='sha256', os_hash_value='0' * 64)
        self.assertIn('only md5 and sha512', error.reason)
        self.assert_calls([])

    def test_an_existing_image_with_wrong_data_stays(self):
        result = self.import_into(
            'web-download', case.CREATED, case.ACCEPTED, case.IMPORTED,
            uri='http://a', os_hash_algo='md5', os_hash_value='0' * 32)
        self._assert_failed(result, False)

    def test_a_hash_of_the_data_is_compared_before_it_is_sent(self):
        for data, calls in ((case.DATA, []),
                            (iter([case.DATA]), [case.CREATE, case.STAGE,
                                                 case.LOOK, case.DELETE])):
            del self.glance.calls[:]
            if calls:
                self.glance.answers(case.CREATED, recordings.Answer(204),
                                    case.STAGED, case.DELETED)
            self.assertRaises(
                (exception.ImageUploadFailed if calls else
                 exception.ImageBadRequest), self.service.create_via_import,
                self.context, case.META, 'glance-direct', data=data,
                os_hash_algo='SHA-256', os_hash_value='0' * 64)
            self.assert_calls(calls)

    def test_a_right_hash_in_any_spelling_is_a_success(self):
        digest = hashlib.sha256(case.DATA).hexdigest()
        for algorithm in ('sha256', 'SHA-256'):
            result = self.create(
                'glance-direct', recordings.Answer(204), case.STAGED,
                case.ACCEPTED, case.IMPORTED, data=case.DATA,
                os_hash_algo=algorithm, os_hash_value=digest.upper())
            self.assertTrue(result.succeeded)

    def test_the_expected_hash_is_a_success(self):
        md5 = hashlib.md5(case.DATA).hexdigest()
        for algorithm, value in (('sha512', SHA512.upper()), ('md5', md5)):
            self.assertTrue(self.download(
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
        result = self.download(
            case.WORKING, case.IMPORTED.but(os_glance_failed_import='slow'),
            case.SUCCESS, all_stores=True, all_stores_must_succeed=False)
        self.assertIs(import_result.Imported, type(result))
        self.assertEqual({'slow': 'Glance does not give a reason'},
                         result.failed)


class TestDoubt(case.DriverTestCase):
    """Nothing is deleted that may be somebody's, or in use."""

    CONFLICT = case.GLANCE33('import_409')

    def test_a_conflict_after_an_unavailable_server_may_be_our_import(self):
        result = self.create('web-download', recordings.Answer(503),
                             self.CONFLICT, case.WORKING, case.IMPORTED,
                             uri=URI, id_is_new=True)
        self.assertTrue(result.succeeded)
        self.assertIsNone(result.request_id)

    def test_a_conflict_may_be_another_clients_import(self):
        for call in self.create, self.import_into:
            begun = [case.CREATED] * (call == self.import_into)
            error = self.assertRaises(
                exception.ImageImportImpossible, call, 'web-download',
                *begun + [recordings.Answer(503), self.CONFLICT], uri=URI)
            self.assertIn('may be importing', error.left)
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])

    def test_a_first_conflict_is_an_error(self):
        error = self.assertRaises(
            exception.ImageImportImpossible, self.import_into,
            'web-download', case.CREATED, self.CONFLICT, uri=URI)
        self.assertIsNone(error.left)

    def test_an_import_that_may_have_begun_is_not_deleted(self):
        self.glance.answers(case.CREATED, base.Lost())
        error = self.assertRaises(
            exception.GlanceConnectionFailed, self.service.create_via_import,
            self.context, case.META, 'web-download', uri=URI, wait=False)
        self.assertIn('may be importing', error.left)
        self.assert_calls([case.CREATE, case.IMPORT])

    def test_a_copy_is_compared_with_the_known_hashes_beforehand(self):
        for algorithm, value, words in (
                ('sha512', '0' * 128, 'it should be'),
                ('sha256', '0' * 64, 'only md5 and sha512')):
            error = self.assertRaises(
                exception.ImageBadRequest, self.import_into, 'copy-image',
                case.IMPORTED, stores=['slow'], os_hash_algo=algorithm,
                os_hash_value=value)
            self.assertIn(words, error.reason)
        self.assert_calls([case.LOOK] * 2)

    def test_a_copy_with_the_right_hash_is_made(self):
        result = self.import_into(
            'copy-image', case.IMPORTED, case.ACCEPTED,
            case.IMPORTED.but(stores='fast,slow'), stores=['slow'],
            os_hash_algo='sha512', os_hash_value=SHA512)
        self.assertEqual(['fast', 'slow'], result.stores)

    def test_a_decompressed_image_is_converted(self):
        data = b'\x1f\x8b\x08' + case.DATA
        result = self.create(
            'glance-direct', recordings.Answer(204),
            case.STAGED.but(size=len(data)), case.ACCEPTED,
            case.IMPORTED.but(size=1000, os_hash_value='00'), data=data)
        self.assertIs(import_result.Converted, type(result))
        self.assertEqual({'size': (len(data), 1000)}, result.changes)

    def test_an_answer_about_another_image_is_refused(self):
        self.glance.answers(case.CREATED.but(id=recordings.ACTIVE))
        self.assertRaises(
            exception.GlanceBadAnswer, self.service.create_via_import,
            self.context, case.META, 'web-download', uri=URI)
        self.assert_calls([case.CREATE])


class TestBegin(case.DriverTestCase):
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
        result = self.create('web-download', recordings.Answer(503),
                             case.ACCEPTED, case.IMPORTED, uri=URI)
        self.assertTrue(result.succeeded)

    def test_the_import_is_found_after_a_lost_answer(self):
        for lost in (base.Lost(), recordings.Answer(500)):
            result = self.create('web-download', lost, case.WORKING,
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
                      base.Lost(), wait=False)

    def test_there_is_no_result_without_wait(self):
        self.glance.answers(case.CREATED, case.ACCEPTED)
        image, result = self.service.create_via_import(
            self.context, case.META, 'web-download', uri=URI, wait=False)
        self.assertEqual((case.NEW, None), (image['id'], result))

    def test_an_image_with_a_member_is_shared(self):
        member = case.GLANCE33('member_200').but(image_id=case.NEW)
        self.glance.answers(case.CREATED, member, case.ACCEPTED,
                            case.IMPORTED)
        self.service.create_via_import(
            self.context, dict(case.META, properties={
                'instance_owner': 'another-project'}), 'web-download',
            uri=URI)
        self.assertEqual('shared', self.sent_json(0)['visibility'])
