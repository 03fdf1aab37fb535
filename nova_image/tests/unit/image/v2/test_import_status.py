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

"""Tests of nova_image.image.v2.import_status: what is made of a task."""

import datetime

from nova_image import exception
from nova_image.tests.unit.image.v2 import import_case as case
from nova_image.tests.unit import recordings

NO_TASKS = recordings.Answer().saying({'tasks': []})
MISSING = case.GLANCE33('show_404')
WAITING = case.CREATED.changed(status=200)


def tasks(answer, *more, **fields):
    """Return the answer with its task changed, and more tasks."""
    return answer.saying({'tasks': [
        dict(answer.json['tasks'][0], **fields)] + list(more)})


def by(method, **more):
    """Return the input of a task."""
    return {'import_req': {'method': dict(more, name=method)}}


class StatusTestCase(case.ImportTestCase):
    """Base class: asks for the status."""

    def _status(self, *answers, **options):
        self.glance.answers(*answers)
        found = self.service.import_status(self.context, case.NEW, **options)
        self.assertEqual(0, self.glance.left)
        return found

    def assert_state(self, state, *answers):
        """Check the state that two answers show."""
        self.assertEqual(state, self._status(*answers).state)


class TestStates(StatusTestCase):
    """Each state."""

    def test_no_import_is_known(self):
        for image in (WAITING, case.IMPORTED):
            for answer in (NO_TASKS, MISSING):
                self.assert_state('none', image, answer)

    def test_staged(self):
        self.assert_state('staged', case.STAGED, NO_TASKS)

    def test_importing(self):
        self.assert_state('importing', case.WORKING, case.PROCESSING)
        self.assert_state('importing', case.WORKING, MISSING)
        self.assert_state('importing', WAITING.but(
            os_glance_import_task=case.TASK), case.PROCESSING)

    def test_done(self):
        found = self._status(case.IMPORTED, tasks(
            case.SUCCESS, input=by('web-download')))
        self.assertEqual(
            ('done', 'active', ['fast'], [], [], 'web-download', case.TASK,
             'success', 'Copied 0 MiB', case.REQUEST), found[:10])
        self.assertEqual(datetime.datetime(2026, 11, 21, 2, 16, 28, 677847),
                         found.began_at.replace(tzinfo=None))
        self.assertIsNone(found.ended)

    def test_failed(self):
        found = self._status(case.FAILED, case.FAILURE)
        self.assertEqual(('failed', ['fast'], 'failure'), (
            found.state, found.failed, found.task_status))
        self.assertIn('Internal Error', found.message)
        self.assert_state('failed', case.FAILED, MISSING)
        self.assert_state('failed', WAITING, case.FAILURE)

    def test_an_image_whose_import_failed_may_stay_locked(self):
        self.assert_state('failed', case.WORKING, case.FAILURE)

    def test_incomplete(self):
        image = case.IMPORTED.but(os_glance_failed_import='slow')
        self.assert_state('incomplete', image, case.SUCCESS)
        self.assert_state('incomplete', case.IMPORTED, tasks(
            case.FAILURE, input=by('copy-image')))
        # A later copy has added the store.
        self.assert_state('done', image.but(stores='fast,slow'), case.SUCCESS)
        # An earlier import has failed in the store.
        for stores, state in ((['fast'], 'done'), (['slow'], 'incomplete'),
                              ([], 'incomplete'), (5, 'incomplete')):
            self.assert_state(state, image, tasks(
                case.SUCCESS, input=dict(by('copy-image'), backend=stores)))

    def test_data_may_arrive_in_another_way_after_a_failure(self):
        self.assert_state('none', case.IMPORTED, tasks(
            case.FAILURE, input=by('web-download')))

    def test_a_location_that_is_added(self):
        found = self._status(WAITING, tasks(
            case.FAILURE, type='location_import', input={'loc_url': 'x://y'}))
        self.assertEqual(('failed', 'location'), (found.state, found.method))


class TestTasks(StatusTestCase):
    """Which task counts, and what is read of it."""

    OLD = dict(case.FAILURE.json['tasks'][0], id='old',
               created_at='2025-01-01T00:00:00.000000')

    def test_the_latest_counts(self):
        self.assert_state('done', case.IMPORTED, tasks(
            case.SUCCESS, self.OLD))
        self.assert_state('done', case.IMPORTED, case.SUCCESS.saying(
            {'tasks': [self.OLD, dict(case.SUCCESS.json['tasks'][0])]}))

    def test_the_one_with_the_lock_counts(self):
        found = self._status(
            WAITING.but(os_glance_import_task='old'),
            tasks(case.PROCESSING, dict(self.OLD, status='processing')))
        self.assertEqual(('importing', 'old'), (found.state, found.task_id))

    def test_other_tasks_do_not_count(self):
        self.assert_state('none', case.IMPORTED, tasks(
            case.FAILURE, type='export'))

    def test_unreadable_tasks_are_a_bad_answer(self):
        for wrong in (5, [5], [{'id': 5}], [{'created_at': 'now'}]):
            self.glance.answers(case.IMPORTED, NO_TASKS.saying(
                {'tasks': wrong}))
            self.assertRaises(
                exception.GlanceBadAnswer, self.service.import_status,
                self.context, case.NEW)

    def test_unusual_input_is_tolerated(self):
        for sent in (None, 5, [], {'import_req': 5}, {'import_req': {}}):
            found = self._status(case.IMPORTED, tasks(
                case.SUCCESS, input=sent))
            self.assertIsNone(found.method)

    def test_secrets_of_the_source_are_masked(self):
        found = self._status(case.FAILED, tasks(
            case.FAILURE, message='no sfdk3ksdf9 here',
            input=by('web-download', uri='http://me:sfdk3ksdf9@x/')))
        self.assertEqual('no *** here', found.message)


class TestWatch(StatusTestCase):
    """Waiting for the end."""

    def test_until_it_is_done(self):
        seen = []
        found = self._status(
            case.WORKING, case.PROCESSING, case.WORKING, case.IMPORTED,
            case.IMPORTED, case.SUCCESS, watch=True, progress=seen.append)
        self.assertEqual(('done', None), (found.state, found.ended))
        self.assertEqual('finishing', seen[-1].state)

    def test_until_it_fails(self):
        found = self._status(
            case.WORKING, case.PROCESSING, case.WORKING, case.FAILED,
            case.FAILURE, case.FAILED, case.FAILURE, watch=True)
        self.assertEqual(('failed', None), (found.state, found.ended))

    def test_until_the_deadline(self):
        found = self._status(
            case.WORKING, case.PROCESSING, *[case.WORKING] * 11 + [
                case.WORKING, case.PROCESSING], watch=True, timeout=0.95)
        self.assertEqual(('importing', 'deadline'),
                         (found.state, found.ended))

    def test_nothing_to_wait_for(self):
        for state, image, answer in (
                ('none', WAITING, NO_TASKS), ('staged', case.STAGED, NO_TASKS),
                ('done', case.IMPORTED, case.SUCCESS)):
            self.assertEqual(state, self._status(
                image, answer, watch=True).state)

    def test_a_wrong_timeout_is_refused(self):
        self.assertRaises(exception.ImageBadRequest, self._status,
                          watch=True, timeout='soon')
