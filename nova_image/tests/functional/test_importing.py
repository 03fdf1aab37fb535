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

"""Tests of imports on a real Glance 33: what is told of each is so."""

import datetime
import hashlib
import typing

from nova_image import exception
from nova_image.image import import_result
from nova_image.tests.functional import base
from nova_image.tests.functional import import_case as case


class DirectTest(case.ImportCase):
    """glance-direct: data that the caller has."""

    def test_in_one_call(self) -> None:
        seen: list[import_result.Seen] = []
        self.assertImported(self.create('glance-direct', data=case.DATA,
                                        progress=seen.append))
        self.assertEqual('staging', seen[0].state)
        self.assertIn((len(case.DATA), len(case.DATA)),
                      [(one.done, one.total) for one in seen])
        self.assertEqual('finishing', seen[-1].state)

    def test_step_by_step(self) -> None:
        image_id = self.image(None)
        self.assertEqual(len(case.DATA),
                         self.driver.stage(self.ctx, image_id, case.DATA))
        self.assertEqual([image_id], self.glance.staged)
        self.assertImported(self.driver.import_image(
            self.ctx, image_id, 'glance-direct'))

    def test_two_stores(self) -> None:
        self.assertImported(self.create(
            'glance-direct', data=case.DATA, stores=['fast', 'slow']),
            'fast', 'slow')

    def test_a_store_that_fails(self) -> None:
        self.assertFailed(self.create(
            'glance-direct', data=case.DATA, stores=['broken']), 'broken')

    def test_a_store_that_fails_beside_another(self) -> None:
        result = self.create('glance-direct', data=case.DATA,
                             stores=['fast', 'broken'])
        self.assertFailed(result, 'broken', 'fast')
        self.assertIn('undone', result.failed['fast'])

    def test_a_store_that_may_fail(self) -> None:
        result = self.create('glance-direct', data=case.DATA, all_stores=True,
                             all_stores_must_succeed=False)
        self.assertImported(result, 'fast', 'slow')
        self.assertEqual(['broken'], list(result.failed))

    def test_an_image_that_stays_can_be_imported_anew(self) -> None:
        image_id = self.image(None)
        self.assertFailed(self.driver.import_image(
            self.ctx, image_id, 'glance-direct', data=case.DATA,
            stores=['broken']), 'broken', images=1)
        self.assertImported(self.driver.import_image(
            self.ctx, image_id, 'glance-direct', data=case.DATA))

    def test_the_log_has_the_reason_by_what_is_told(self) -> None:
        result = self.create('glance-direct', data=case.DATA,
                             stores=['broken'])
        self.assertIn('Task failed', result.reason)
        task_id = result.reason.rpartition(' ')[2]
        self.assertIn('Failed to execute task %s' % task_id,
                      self.glance.log.read_text())

    def test_kept(self) -> None:
        image, result = self.driver.create_via_import(
            self.ctx, case.META, 'glance-direct', data=case.DATA, keep=True,
            stores=['broken', 'fast'])
        self.assertFalse(result.cleaned)
        self.assertEqual([image['id']], self.glance.staged)

    def test_a_source_that_breaks(self) -> None:
        def pieces() -> typing.Iterator[bytes]:
            yield case.DATA
            raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, self.create, 'glance-direct',
                          data=pieces())
        self.assertEqual([], self.raw.images())
        self.wait_for(lambda: not self.glance.staged, 'unstaged')


class WebTest(case.ImportCase):
    """web-download: data that Glance gets itself."""

    def test_whole_and_moved(self) -> None:
        for path in ('/whole', '/moved'):
            self.assertImported(self.download(path))

    def test_the_right_hash(self) -> None:
        self.assertImported(self.download(
            '/whole', os_hash_algo='sha512', os_hash_value=case.SHA512))
        self.assertImported(self.download(
            '/whole', os_hash_algo='md5',
            os_hash_value=hashlib.md5(case.DATA).hexdigest()))

    def test_the_wrong_hash(self) -> None:
        for algorithm in ('sha512', 'md5', 'sha256'):
            result = self.download('/whole', os_hash_algo=algorithm,
                                   os_hash_value='00')
            self.assertFailed(result)
            self.assertIn('the %s of the data is' % algorithm, result.reason)

    def test_what_cannot_be_had(self) -> None:
        for path in ('/short', '/missing', '/astray'):
            result = self.download(path)
            self.assertFailed(result, 'fast')
            self.assertIn('Task failed', result.reason)

    def test_nobody_answers(self) -> None:
        self.assertFailed(self.create(
            'web-download', uri='http://127.0.0.1:9/'), 'fast')

    def test_what_may_not_be_asked_for(self) -> None:
        for uri in ('http://10.0.0.1/x',
                    'http://user:%s@10.0.0.1/' % case.SECRET,
                    'http://10.0.0.1/x?signature=' + case.SECRET,
                    'file:///etc/passwd', 'nonsense'):
            error = self.assertRaises(exception.ImageBadRequest, self.create,
                                      'web-download', uri=uri)
            self.assertIn('does not pass filtering', str(error))
            self.assertTellsNothing(str(error), 'the error')
            self.assertEqual([], self.raw.images())

    def test_slow(self) -> None:
        """Success is seen within a second of it."""
        def release(seen: import_result.Seen) -> None:
            if seen.state == 'importing':
                self.web.begun.wait(60)
                self.web.release()

        result = self.download('/held', progress=release)
        told = datetime.datetime.now(datetime.UTC)
        tasks = self.raw.ask(
            'GET', '/v2/images/%s/tasks' % result.image_id).json()['tasks']
        over = datetime.datetime.fromisoformat(tasks[0]['updated_at'] + 'Z')
        self.assertLess((told - over).total_seconds(), 1)
        self.assertImported(result)

    def test_too_slow(self) -> None:
        """It is left to go on: deleted now, data might stay in a store."""
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

    def test_nothing_moves(self) -> None:
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
    """What can be known before sending is said before a byte is sent."""

    def test_method(self) -> None:
        self.assertRefused(
            exception.ImageImportImpossible, 'not enabled',
            'glance-download', glance_region='r', glance_image_id='i')

    def test_stores(self) -> None:
        for store in ('none', 'web'):
            self.assertRefused(
                exception.ImageImportImpossible, store, 'glance-direct',
                data=case.DATA, stores=['fast', store])

    def test_formats(self) -> None:
        for meta in ({'disk_format': 'odd'}, {'container_format': None}):
            self.assertRefused(
                exception.ImageBadRequest, 'format', 'glance-direct', meta,
                data=case.DATA)

    def test_state(self) -> None:
        image_id = self.image()
        with base.listening(self.glance) as told:
            error = self.assertRaises(
                exception.ImageImportImpossible, self.driver.import_image,
                self.ctx, image_id, 'glance-direct', data=case.DATA)
        self.assertIn('the image is active', str(error))
        self.assertNotIn('PUT', ' '.join(told.calls))

    def test_what_glance_itself_refuses(self) -> None:
        image_id = self.image()
        for method, words in (('web-download', 'status active'),
                              ('glance-direct', 'status active')):
            error = self.assertRaises(
                exception.ImageImportImpossible, self.driver.import_image,
                self.ctx, image_id, method, uri=self.web.url + '/whole')
            self.assertIn(words, str(error))

    def test_info(self) -> None:
        self.assertEqual({
            'methods': ['glance-direct', 'web-download', 'copy-image'],
            'stores': [{'id': 'fast', 'default': True}, {'id': 'slow'},
                       {'id': 'broken'}, {'id': 'web', 'read-only': True}]},
            self.driver.import_info(self.ctx))


class CopyTest(case.ImportCase):
    """copy-image: to more stores."""

    def copy(self, image_id: str, *stores: str,
             **options: typing.Any) -> typing.Any:
        """Copy an image and return what came of it."""
        return self.driver.image_import_copy(
            self.admin(), image_id, list(stores), wait=True, **options)

    def test_copy(self) -> None:
        self.assertImported(self.copy(self.image(), 'slow'), 'fast', 'slow')

    def test_a_store_that_fails(self) -> None:
        result = self.copy(self.image(), 'broken')
        self.assertFailed(result, 'broken', images=1)
        self.assertEqual('active', self.raw.image(result.image_id)['status'])

    def test_one_of_two_fails(self) -> None:
        result = self.copy(self.image(), 'broken', 'slow')
        self.assertImported(result, 'fast', 'slow')
        self.assertEqual(['broken'], list(result.failed))

    def test_all_must_succeed(self) -> None:
        """Glance keeps the data staged, for another attempt."""
        image_id = self.image()
        result = self.copy(image_id, 'slow', 'broken',
                           all_stores_must_succeed=True)
        self.assertEqual((False, ['broken', 'slow']),
                         (result.cleaned, sorted(result.failed)))
        self.assertEqual('fast', self.raw.image(image_id)['stores'])
        self.assertEqual([image_id], self.glance.staged)
        self.assertImported(self.copy(image_id, 'slow'), 'fast', 'slow')

    def test_into_all(self) -> None:
        result = self.driver.import_image(
            self.admin(), self.image(), 'copy-image', all_stores=True)
        self.assertImported(result, 'fast', 'slow')

    def test_there_already(self) -> None:
        error = self.assertRaises(exception.ImageBadRequest, self.copy,
                                  self.image(), 'fast')
        self.assertIn('already present', str(error))

    def test_who_may_not(self) -> None:
        error = self.assertRaises(
            exception.ImageNotAuthorized, self.driver.image_import_copy,
            self.ctx, self.image(), ['slow'], wait=True)
        self.assertIn('copy_image', str(error))


class UploadTest(case.ImportCase):
    """[glance] import_uploads: create and update with data."""

    def setUp(self) -> None:
        """Switch it on."""
        super().setUp()
        self.driver = self.make_driver(import_uploads=True)

    def assertUploaded(self, image: dict[str, typing.Any],
                       told: base.Told) -> None:
        """Check that an image has its data, by an import."""
        self.assertEqual('active', image['status'])
        self.assertEqual(case.DATA, self.raw.data(image['id']))
        self.assertIn('POST /v2/images/ID/import', told.calls)
        self.assertNotIn('PUT /v2/images/ID/file', told.calls)
        self.assertEqual([], self.glance.staged)

    def test_create(self) -> None:
        with base.listening(self.glance) as told:
            image = self.driver.create(self.ctx, case.META, iter([case.DATA]))
        self.assertUploaded(image, told)
        self.assertLessEqual(
            {'POST /v2/images', 'PUT /v2/images/ID/stage'}, set(told.calls))

    def test_a_snapshot(self) -> None:
        """As nova-compute makes it: create, then update with data."""
        image = self.driver.create(self.ctx, {
            'name': 'snapshot', 'is_public': False,
            'properties': {'instance_uuid': base.new_id()}})
        with base.listening(self.glance) as told:
            image = self.driver.update(
                self.ctx, image['id'], case.META | {'properties': {'a': 'b'}},
                case.DATA, purge_props=False)
        self.assertUploaded(image, told)
        self.assertEqual('b', image['properties']['a'])

    def test_empty(self) -> None:
        image = self.driver.create(self.ctx, {'name': 'empty', 'size': 0})
        self.assertEqual(('active', 0), (image['status'], image['size']))

    def test_a_failure_raises_and_leaves_nothing(self) -> None:
        error = self.assertRaises(
            exception.ImageUploadFailed, self.driver.create, self.ctx,
            case.META | {'disk_format': 'qcow2'}, case.DATA)
        self.assertIn('Task failed', str(error))
        self.assertEqual([], self.raw.images())
        self.assertEqual([], self.glance.staged)

    def test_a_failed_update_can_be_repeated(self) -> None:
        image_id = self.driver.create(
            self.ctx, case.META | {'disk_format': 'qcow2'})['id']
        self.assertRaises(exception.ImageUploadFailed, self.driver.update,
                          self.ctx, image_id, {}, case.DATA)
        self.assertEqual([], self.glance.staged)
        image = self.driver.update(self.ctx, image_id,
                                   {'disk_format': 'raw'}, case.DATA)
        self.assertEqual('active', image['status'])
