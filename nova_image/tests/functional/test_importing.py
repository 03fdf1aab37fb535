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

"""Tests of imports on a real Glance 33: each result matches the facts."""

import datetime
import hashlib
import typing

from nova_image import exception
from nova_image.image import import_result
from nova_image.tests.functional import base
from nova_image.tests.functional import import_case as case


class DirectTest(case.ImportCase):
    """glance-direct: the caller sends the data."""

    def test_create_and_import_in_one_call(self) -> None:
        seen: list[import_result.Seen] = []
        self.assertImported(self.create('glance-direct', data=case.DATA,
                                        progress=seen.append))
        self.assertEqual('staging', seen[0].state)
        self.assertIn((len(case.DATA), len(case.DATA)),
                      [(one.done, one.total) for one in seen])
        self.assertEqual('finishing', seen[-1].state)

    def test_stage_then_import(self) -> None:
        image_id = self.image(None)
        self.assertEqual(len(case.DATA),
                         self.driver.stage(self.ctx, image_id, case.DATA))
        self.assertEqual([image_id], self.glance.staged)
        self.assertImported(self.driver.import_image(
            self.ctx, image_id, 'glance-direct'))

    def test_import_into_two_stores(self) -> None:
        self.assertImported(self.create(
            'glance-direct', data=case.DATA, stores=['fast', 'slow']),
            'fast', 'slow')

    def test_failing_store_fails_the_import(self) -> None:
        self.assertFailed(self.create(
            'glance-direct', data=case.DATA, stores=['broken']), 'broken')

    def test_one_of_two_failing_stores_fails_the_import(self) -> None:
        result = self.create('glance-direct', data=case.DATA,
                             stores=['fast', 'broken'])
        self.assertFailed(result, 'broken', 'fast')
        self.assertIn('undone', result.failed['fast'])

    def test_store_may_fail_if_not_all_must_succeed(self) -> None:
        result = self.create('glance-direct', data=case.DATA, all_stores=True,
                             all_stores_must_succeed=False)
        self.assertImported(result, 'fast', 'slow')
        self.assertEqual(['broken'], list(result.failed))

    def test_existing_image_can_be_imported_after_a_failure(self) -> None:
        image_id = self.image(None)
        self.assertFailed(self.driver.import_image(
            self.ctx, image_id, 'glance-direct', data=case.DATA,
            stores=['broken']), 'broken', images=1)
        self.assertImported(self.driver.import_image(
            self.ctx, image_id, 'glance-direct', data=case.DATA))

    def test_reason_names_the_task_in_glances_log(self) -> None:
        result = self.create('glance-direct', data=case.DATA,
                             stores=['broken'])
        self.assertIn('Task failed', result.reason)
        task_id = result.reason.rpartition(' ')[2]
        self.assertIn('Failed to execute task %s' % task_id,
                      self.glance.log.read_text())

    def test_failed_image_is_kept_on_request(self) -> None:
        image, result = self.driver.create_via_import(
            self.ctx, case.META, 'glance-direct', data=case.DATA, keep=True,
            stores=['broken', 'fast'])
        self.assertFalse(result.cleaned)
        self.assertEqual([image['id']], self.glance.staged)

    def test_failing_source_leaves_nothing_behind(self) -> None:
        def pieces() -> typing.Iterator[bytes]:
            yield case.DATA
            raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, self.create, 'glance-direct',
                          data=pieces())
        self.assertEqual([], self.raw.images())
        self.wait_for(lambda: not self.glance.staged, 'unstaged')


class WebTest(case.ImportCase):
    """web-download: Glance downloads the data."""

    def test_download_and_redirect(self) -> None:
        for path in ('/whole', '/moved'):
            self.assertImported(self.download(path))

    def test_right_hash(self) -> None:
        self.assertImported(self.download(
            '/whole', os_hash_algo='sha512', os_hash_value=case.SHA512))
        self.assertImported(self.download(
            '/whole', os_hash_algo='md5',
            os_hash_value=hashlib.md5(case.DATA).hexdigest()))

    def test_wrong_hash_fails_the_import(self) -> None:
        for algorithm, digits in (('sha512', 128), ('md5', 32)):
            result = self.download('/whole', os_hash_algo=algorithm,
                                   os_hash_value='0' * digits)
            self.assertFailed(result)
            self.assertIn('the %s of the data is' % algorithm, result.reason)

    def test_image_stays_if_its_data_cannot_be_verified(self) -> None:
        result = self.download(
            '/whole', os_hash_algo='sha256',
            os_hash_value=hashlib.sha256(case.DATA).hexdigest())
        self.assertEqual((False, False), (result.succeeded, result.cleaned))
        self.assertIn('only md5 and sha512', result.reason)
        self.assertEqual('active', self.raw.image(result.image_id)['status'])

    def test_failed_downloads_fail_the_import(self) -> None:
        for path in ('/short', '/missing', '/astray'):
            result = self.download(path)
            self.assertFailed(result, 'fast')
            self.assertIn('Task failed', result.reason)

    def test_refused_connection_fails_the_import(self) -> None:
        self.assertFailed(self.create(
            'web-download', uri='http://127.0.0.1:9/'), 'fast')

    def test_forbidden_uris_are_refused(self) -> None:
        for uri in ('http://10.0.0.1/x',
                    'http://user:%s@10.0.0.1/' % case.SECRET,
                    'http://10.0.0.1/x?signature=' + case.SECRET,
                    'file:///etc/passwd', 'nonsense'):
            error = self.assertRaises(exception.ImageBadRequest, self.create,
                                      'web-download', uri=uri)
            self.assertIn('does not pass filtering', str(error))
            self.assertNoSecrets(str(error), 'the error')
            self.assertEqual([], self.raw.images())

    def test_success_is_noticed_within_a_second(self) -> None:
        def release(seen: import_result.Seen) -> None:
            if seen.state == 'importing':
                self.web.begun.wait(60)
                self.web.release()

        result = self.download('/held', progress=release)
        noticed = datetime.datetime.now(datetime.UTC)
        tasks = self.raw.ask(
            'GET', '/v2/images/%s/tasks' % result.image_id).json()['tasks']
        ended = datetime.datetime.fromisoformat(
            tasks[0]['updated_at'] + 'Z')
        self.assertLess((noticed - ended).total_seconds(), 1)
        self.assertImported(result)

    def test_import_continues_after_a_time_out(self) -> None:
        """Deleting the image now might leave its data in a store."""
        image, result = self.driver.create_via_import(
            self.ctx, case.META, 'web-download', uri=self.web.url + '/held',
            timeout=2)
        self.assertIs(import_result.TimedOut, type(result))
        self.assertEqual(('deadline', 'importing', ['fast'], False), (
            result.reason, result.seen.state, result.seen.waiting,
            result.cleaned))
        self.web.release()
        self.wait_for(lambda: 'os_glance_import_task' not in self.raw.image(
            image['id']), 'imported')
        self.assertEqual(case.DATA, self.raw.data(image['id']))
        self.assertEqual([], self.glance.staged)

    def test_stalled_import_is_deleted(self) -> None:
        self.driver = self.make_driver(import_stall_timeout=2)
        result = self.download('/held')
        self.assertEqual('stalled', result.reason)
        self.assertEqual([], self.raw.images())

    def test_without_waiting(self) -> None:
        image, result = self.driver.create_via_import(
            self.ctx, case.META, 'web-download', uri=self.web.url + '/whole',
            wait=False)
        self.assertIsNone(result)
        self.wait_for(lambda: 'os_glance_import_task' not in self.raw.image(
            image['id']), 'imported')
        self.assertEqual(case.DATA, self.raw.data(image['id']))


class RefusalTest(case.ImportCase):
    """Imports that are refused before any data is sent."""

    def test_method_that_is_not_enabled(self) -> None:
        self.assertRefused(
            exception.ImageImportImpossible, 'not enabled',
            'glance-download', glance_region='r', glance_image_id='i')

    def test_unknown_and_read_only_stores(self) -> None:
        for store in ('none', 'web'):
            self.assertRefused(
                exception.ImageImportImpossible, store, 'glance-direct',
                data=case.DATA, stores=['fast', store])

    def test_missing_and_unknown_formats(self) -> None:
        for meta in ({'disk_format': 'odd'}, {'container_format': None}):
            self.assertRefused(
                exception.ImageBadRequest, 'format', 'glance-direct', meta,
                data=case.DATA)

    def test_active_image(self) -> None:
        image_id = self.image()
        with base.recording(self.glance) as recorded:
            error = self.assertRaises(
                exception.ImageImportImpossible, self.driver.import_image,
                self.ctx, image_id, 'glance-direct', data=case.DATA)
        self.assertIn('the image is active', str(error))
        self.assertNotIn('PUT', ' '.join(recorded.calls))

    def test_statuses_that_do_not_allow_an_import(self) -> None:
        image_id = self.image()
        for method, words in (('web-download', 'a status of queued'),
                              ('glance-direct', 'a status of uploading')):
            error = self.assertRaises(
                exception.ImageImportImpossible, self.driver.import_image,
                self.ctx, image_id, method, uri=self.web.url + '/whole')
            self.assertIn(words, str(error))

    def test_import_info(self) -> None:
        self.assertEqual({
            'methods': ['glance-direct', 'web-download', 'copy-image'],
            'stores': [{'id': 'fast', 'default': True}, {'id': 'slow'},
                       {'id': 'broken'}, {'id': 'web', 'read-only': True}]},
            self.driver.import_info(self.ctx))


class CopyTest(case.ImportCase):
    """copy-image: copies to more stores."""

    def copy(self, image_id: str, *stores: str,
             **options: typing.Any) -> typing.Any:
        """Copy an image to stores; return the result."""
        return self.driver.image_import_copy(
            self.admin(), image_id, list(stores), wait=True, **options)

    def test_copy_to_a_store(self) -> None:
        self.assertImported(self.copy(self.image(), 'slow'), 'fast', 'slow')

    def test_failing_store_fails_the_copy(self) -> None:
        result = self.copy(self.image(), 'broken')
        self.assertFailed(result, 'broken', images=1)
        self.assertEqual('active', self.raw.image(result.image_id)['status'])

    def test_one_of_two_stores_may_fail(self) -> None:
        result = self.copy(self.image(), 'broken', 'slow')
        self.assertImported(result, 'fast', 'slow')
        self.assertEqual(['broken'], list(result.failed))

    def test_failed_copy_keeps_the_data_staged(self) -> None:
        """Another attempt can use it."""
        image_id = self.image()
        result = self.copy(image_id, 'slow', 'broken',
                           all_stores_must_succeed=True)
        self.assertEqual((False, ['broken', 'slow']),
                         (result.cleaned, sorted(result.failed)))
        self.assertEqual('fast', self.raw.image(image_id)['stores'])
        self.assertEqual([image_id], self.glance.staged)
        self.assertImported(self.copy(image_id, 'slow'), 'fast', 'slow')

    def test_copy_to_all_stores(self) -> None:
        result = self.driver.import_image(
            self.admin(), self.image(), 'copy-image', all_stores=True)
        self.assertImported(result, 'fast', 'slow')

    def test_copy_to_a_store_that_has_the_image(self) -> None:
        error = self.assertRaises(exception.ImageBadRequest, self.copy,
                                  self.image(), 'fast')
        self.assertIn('already present', str(error))

    def test_member_may_not_copy(self) -> None:
        error = self.assertRaises(
            exception.ImageNotAuthorized, self.driver.image_import_copy,
            self.ctx, self.image(), ['slow'], wait=True)
        self.assertIn('copy_image', str(error))


class UploadTest(case.ImportCase):
    """[glance] import_uploads: create and update with data."""

    def setUp(self) -> None:
        """Enable import_uploads."""
        super().setUp()
        self.driver = self.make_driver(import_uploads=True)

    def assertUploaded(self, image: dict[str, typing.Any],
                       recorded: base.Recording) -> None:
        """Check that an image got its data by an import."""
        self.assertEqual('active', image['status'])
        self.assertEqual(case.DATA, self.raw.data(image['id']))
        self.assertIn('POST /v2/images/ID/import', recorded.calls)
        self.assertNotIn('PUT /v2/images/ID/file', recorded.calls)
        self.assertEqual([], self.glance.staged)

    def test_create_with_data(self) -> None:
        with base.recording(self.glance) as recorded:
            image = self.driver.create(self.ctx, case.META, iter([case.DATA]))
        self.assertUploaded(image, recorded)
        self.assertLessEqual(
            {'POST /v2/images', 'PUT /v2/images/ID/stage'},
            set(recorded.calls))

    def test_snapshot_as_nova_compute_makes_it(self) -> None:
        """nova-compute creates the image, then updates it with data."""
        image = self.driver.create(self.ctx, {
            'name': 'snapshot', 'is_public': False,
            'properties': {'instance_uuid': base.new_id()}})
        with base.recording(self.glance) as recorded:
            image = self.driver.update(
                self.ctx, image['id'], case.META | {'properties': {'a': 'b'}},
                case.DATA, purge_props=False)
        self.assertUploaded(image, recorded)
        self.assertEqual('b', image['properties']['a'])

    def test_empty_image(self) -> None:
        image = self.driver.create(self.ctx, {'name': 'empty', 'size': 0})
        self.assertEqual(('active', 0), (image['status'], image['size']))

    def test_failed_create_raises_and_leaves_nothing_behind(self) -> None:
        error = self.assertRaises(
            exception.ImageUploadFailed, self.driver.create, self.ctx,
            case.META | {'disk_format': 'qcow2'}, case.DATA)
        self.assertIn('Task failed', str(error))
        self.assertEqual([], self.raw.images())
        self.assertEqual([], self.glance.staged)

    def test_failed_update_can_be_repeated(self) -> None:
        image_id = self.driver.create(
            self.ctx, case.META | {'disk_format': 'qcow2'})['id']
        self.assertRaises(exception.ImageUploadFailed, self.driver.update,
                          self.ctx, image_id, {}, case.DATA)
        self.assertEqual([], self.glance.staged)
        image = self.driver.update(self.ctx, image_id,
                                   {'disk_format': 'raw'}, case.DATA)
        self.assertEqual('active', image['status'])
