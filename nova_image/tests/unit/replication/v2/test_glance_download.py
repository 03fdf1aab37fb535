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

"""Tests of data that the Glance at the target reads by itself."""

import hashlib

import fixtures
import six

from nova_image import exception
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication.v2 import end_case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record

GLANCE33 = end_case.GLANCE33
IMPORTS = recordings.load('v2_imports33')
QUEUED = end_case.QUEUED
DATA = end_case.DATA
METHODS = ('GET', '/v2/info/import')
STORES = ('GET', '/v2/info/stores')
IMPORT = ('POST', end_case.path(QUEUED, 'import'))
SHOW = ('GET', end_case.path(QUEUED))
TASKS = ('GET', end_case.path(QUEUED, 'tasks'))
HASHES = {'md5': hashlib.md5(DATA).hexdigest(),
          'sha512': hashlib.sha512(DATA).hexdigest()}


def methods(*names):
    """Answer with the import methods."""
    return recordings.Answer().saying({'import-methods': {
        'value': list(names)}})


def stores(*all_of_them):
    """Answer with the stores."""
    return recordings.Answer().saying({'stores': list(all_of_them)})


def task(status):
    """Answer with the task of the import."""
    return recordings.Answer().saying({'tasks': [{
        'id': 'a-task', 'type': 'api_image_import', 'status': status,
        'message': 'Task failed due to Internal Error'}]})


class PullingTestCase(end_case.EndTestCase):
    """An end that reads the data of a region by itself."""

    def setUp(self):
        super(PullingTestCase, self).setUp()
        self.set(num_retries=0)
        self.wanted = case.replica(
            case.image(id=QUEUED, size=len(DATA)), status='queued')
        self.shown = GLANCE33('show_queued').but(**{
            'visibility': 'private', record.MARKER: QUEUED})
        self.working = self.shown.but(
            status='importing', os_glance_import_task='a-task',
            os_glance_importing_to_stores='fast')
        self.done = self.shown.but(
            status='active', size=len(DATA), checksum=HASHES['md5'],
            os_hash_algo='sha512', os_hash_value=HASHES['sha512'])
        self.locked = self.shown.but(
            os_glance_import_task='a-task', os_glance_failed_import='fast')
        self.glance.answers(methods('glance-download'), stores())
        self.end.pull_from(ends.Origin('RegionOne', 'internal'))
        self.assert_calls([METHODS, STORES])
        del self.glance.calls[:]
        self.sent = []

    def _write(self, *answers, **options):
        self.glance.answers(*answers)
        return self.end.write(self.wanted, [], options.get('hashes', HASHES),
                              options.get('progress', self.sent.append))


class TestWriting(PullingTestCase):
    """write()."""

    def test_the_data_is_imported_and_verified(self):
        found = self._write(self.shown, recordings.Answer(202), self.working,
                            self.done, self.done)
        self.assert_calls([SHOW, IMPORT, SHOW, SHOW, SHOW])
        self.assertEqual({'method': {
            'name': 'glance-download', 'glance_region': 'RegionOne',
            'glance_image_id': QUEUED,
            'glance_service_interface': 'internal'}},
            recordings.Answer(content=self.glance.calls[1].body).json)
        self.assertEqual(('active', HASHES, frozenset()), (
            found.status, found.hashes, found.members))
        self.assertEqual(len(DATA), self.sent[-1])
        self.assertTrue(self.end.pulls)

    def test_an_import_in_progress_is_waited_for(self):
        self._write(self.working, self.working, self.done, self.done)
        self.assert_calls([SHOW] * 4)

    def test_an_import_that_has_ended_is_verified(self):
        self._write(self.done)
        self.assert_calls([SHOW])

    def test_wrong_data(self):
        for changes in ({'size': 5}, {'os_hash_value': '00'},
                        {'os_hash_algo': None, 'checksum': '00'}):
            error = self.assertRaises(
                exception.ImageUploadFailed, self._write,
                self.done.but(**changes))
            self.assertIn('private image', error.left)

    def test_a_source_without_a_hash(self):
        found = self._write(self.done, hashes={})
        self.assertEqual(HASHES, found.hashes)
        self.assertRaises(exception.ImageUploadFailed, self._write,
                          self.done.but(size=5), hashes={})

    def test_a_failed_import(self):
        error = self.assertRaises(
            exception.ImageUploadFailed, self._write, *(
                [self.shown, recordings.Answer(202), self.working] +
                [self.locked, task('failure')] * 3 + [self.locked]))
        self.assertIn('Task failed', six.text_type(error))
        self.assertIsNone(error.left)

    def test_glance_keeps_the_lock_of_a_failed_import(self):
        error = self.assertRaises(
            exception.ImageImportImpossible, self._write, self.locked,
            self.locked, task('failure'))
        self.assertIn('for an hour', six.text_type(error))
        self.assert_calls([SHOW, SHOW, TASKS])

    def test_a_lock_before_the_import_is_at_work(self):
        pending = self.shown.but(os_glance_import_task='a-task')
        self._write(pending, pending, task('pending'), pending, self.done,
                    self.done)
        self.assertEqual({'GET'}, {call.method for call in self.glance.calls})

    def test_an_import_that_does_not_end(self):
        self.set(import_timeout=1)
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', lambda: sum(self.waits)))
        error = self.assertRaises(
            exception.ImageUploadFailed, self._write,
            *[self.working] * 20)
        self.assertIn('has not ended in time', six.text_type(error))
        self.assertIn('which is importing', error.left)

    def test_somebody_else_has_the_image(self):
        for changes in ({'status': 'saving'}, {record.MARKER: 'other'}):
            self.assertRaises(exception.ImageConflict, self._write,
                              self.shown.but(**changes))

    def test_progress_may_end_the_wait(self):
        def stop(size):
            raise ValueError(size)

        self.assertRaises(ValueError, self._write, self.working,
                          self.working, progress=stop)


class TestChoosing(end_case.EndTestCase):
    """choose_store() and pull_from()."""

    def test_the_method_is_not_enabled(self):
        self.glance.answers(methods('web-download'), stores())
        error = self.assertRaises(
            ends.Unsuitable, self.end.pull_from,
            ends.Origin('RegionOne', 'public'))
        self.assertIn('not enabled in its Glance, only web-download',
                      six.text_type(error))
        self.assertFalse(self.end.pulls)

    def test_a_store(self):
        self.glance.answers(methods(), stores({'id': 'fast'}))
        self.end.choose_store('fast')
        self.glance.answers(recordings.Answer(204), self._stored())
        self.end.write(case.image(id=QUEUED, size=len(DATA)), [DATA], HASHES)
        self.assertEqual('fast', self.glance.calls[-2].headers[
            'x-image-meta-store'])

    def test_the_store_of_an_import(self):
        self.glance.answers(methods(), stores({'id': 'slow'}),
                            methods('glance-download'),
                            stores({'id': 'slow'}))
        self.end.choose_store('slow')
        self.end.pull_from(ends.Origin('RegionOne', 'public'))
        marked = {record.MARKER: QUEUED}
        self.glance.answers(
            GLANCE33('show_queued').but(**marked), recordings.Answer(202),
            self._stored(**marked), self._stored(**marked))
        self.end.write(case.replica(case.image(id=QUEUED, size=len(DATA))),
                       [], HASHES)
        sent = [call.body for call in self.glance.calls
                if (call.method, call.path) == IMPORT]
        self.assertEqual(['slow'], recordings.Answer(
            content=sent[0]).json['stores'])

    def test_without_a_choice_glance_chooses(self):
        self.glance.answers(recordings.Answer(204), self._stored())
        self.end.write(case.image(id=QUEUED, size=len(DATA)), [DATA], HASHES)
        self.assertNotIn('x-image-meta-store', self.glance.calls[0].headers)

    def test_no_such_store(self):
        for answer, words in (
                (stores({'id': 'fast'}, {'id': 'web', 'read-only': 'true'},
                        {'id': 'slow'}), 'stores are fast, slow'),
                (recordings.Answer(404), 'does not list several stores')):
            for name in ('nope', 'web'):
                self.glance.answers(methods(), answer)
                error = self.assertRaises(ends.Unsuitable,
                                          self.end.choose_store, name)
                self.assertIn(words, six.text_type(error))
                self.assertIn(name, six.text_type(error))

    def _stored(self, **changes):
        return GLANCE33('show_queued').but(**dict({
            'status': 'active', 'size': len(DATA),
            'checksum': HASHES['md5'], 'os_hash_algo': 'sha512',
            'os_hash_value': HASHES['sha512'], 'stores': 'slow'}, **changes))
