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

"""Tests of nova_image.image.v2.import_watch: its requests and results."""

from nova_image import exception
from nova_image.image.v2 import import_watch
from nova_image.image.v2 import records
from nova_image.image import waiting
from nova_image.tests.unit import base
from nova_image.tests.unit.image.v2 import import_case as case
from nova_image.tests.unit import recordings


class WatchTestCase(case.ImportTestCase):
    """Base class: a watch."""

    def setUp(self):
        super(WatchTestCase, self).setUp()
        self.images = records.Records(self.service.client)
        self.reports = []
        self.message = None
        self.set(import_stall_timeout=0)

    def _watch(self, *answers, **options):
        options = dict({'targets': [], 'timeout': 0,
                        'progress': self.reports.append}, **options)
        self.glance.answers(*answers)
        watch = import_watch.Watch(
            self.service.client, self.images, case.CREATED.json,
            options.pop('request_id', case.REQUEST), **options)
        end = watch.wait(self.context)
        self.assertEqual(0, self.glance.left)
        return end


class TestEnd(WatchTestCase):
    """The end of an import."""

    def test_an_active_image_without_a_task_is_a_success(self):
        end = self._watch(case.WORKING.but(
            status='queued', os_glance_importing_to_stores=''), case.WORKING,
            case.IMPORTED)
        self.assertEqual(('over', None, case.IMPORTED.json),
                         (end.how, end.reason, end.raw))
        self.assert_calls([case.LOOK] * 3)
        self.assertEqual(['pending', 'importing', 'finishing'],
                         [seen.state for seen in self.reports])
        self.assertEqual(['fast'], self.reports[1].waiting)

    def test_an_active_image_with_a_task_is_not_finished(self):
        self._watch(case.IMPORTED.but(os_glance_import_task='x'),
                    case.IMPORTED)
        self._watch(case.IMPORTED.but(os_glance_importing_to_stores='slow',
                                      os_glance_import_task='x'),
                    case.IMPORTED)

    def test_a_copy_ends_when_the_new_store_has_the_image(self):
        idle = recordings.Answer(content=b'{"tasks": []}')
        self._watch(case.IMPORTED, idle,
                    case.IMPORTED.but(os_glance_import_task='x'),
                    case.IMPORTED.but(stores='fast,slow'), targets=['slow'])
        self.assertEqual(['slow'], self.reports[0].waiting)

    def test_the_reason_of_a_failure_is_read_from_the_task(self):
        end = self._watch(case.WORKING, case.FAILED, case.FAILURE)
        self.assertEqual(('over', 'Task failed due to Internal Error'),
                         (end.how, end.reason))
        self.assert_calls([case.LOOK] * 2 + [case.TASKS])

    def test_a_late_message_of_the_task_is_waited_for(self):
        end = self._watch(case.WORKING, case.FAILED, case.PROCESSING,
                          case.FAILED, case.FAILURE)
        self.assertIn('Task failed', end.reason)

    def test_a_failure_may_have_no_reason(self):
        end = self._watch(case.WORKING, *(case.FAILED, case.PROCESSING) * 3)
        self.assertIn('without a reason', end.reason)

    def test_a_failed_task_ends_an_import_that_is_still_locked(self):
        def later(call):
            self.elapsed += import_watch.TASK_WAIT
            return case.WORKING

        end = self._watch(case.WORKING, later, case.FAILURE, case.WORKING,
                          case.FAILURE, case.WORKING, case.FAILURE)
        self.assertEqual(('over', 'Task failed due to Internal Error'),
                         (end.how, end.reason))

    def test_a_failed_task_ends_an_import_that_is_queued_with_its_lock(self):
        # Seen after glance-download from a store that had lost the data.
        queued = case.WORKING.but(
            status='queued', os_glance_importing_to_stores='',
            os_glance_failed_import='fast')
        end = self._watch(case.WORKING, *[queued, case.FAILURE] * 3)
        self.assertEqual(('over', 'Task failed due to Internal Error'),
                         (end.how, end.reason))
        self.assertLess(sum(self.waits), 5)

    def test_an_image_is_released_a_moment_after_its_task_has_failed(self):
        queued = case.WORKING.but(
            status='queued', os_glance_importing_to_stores='',
            os_glance_failed_import='fast')
        released = queued.without('os_glance_import_task')
        end = self._watch(case.WORKING, queued, case.FAILURE, released,
                          case.FAILURE)
        self.assertEqual('over', end.how)
        self.assertNotIn('os_glance_import_task', end.raw)

    def test_the_caller_may_sleep_otherwise(self):
        naps = []
        self._watch(case.WORKING, case.IMPORTED, sleep=naps.append)
        self.assertEqual((1, []), (len(naps), self.waits))

    def test_tasks_of_other_requests_are_ignored(self):
        other = case.FAILURE.saying({'tasks': [
            {'id': 'x', 'request_id': 'y', 'status': 'failure'}]})
        self._watch(*(case.CREATED, other) * 2 + (case.WORKING,
                                                  case.IMPORTED))

    def test_unreadable_tasks_are_read_again(self):
        for tasks in (5, [5], [{'id': 5}], [{'message': []}],
                      {'status': 'failure'}):
            self._watch(case.CREATED, recordings.Answer().saying(
                {'tasks': tasks}), case.WORKING, case.IMPORTED)

    def test_the_copied_bytes_are_a_number(self):
        for said in ('9' * 5000, u'\u0663', '1\n'):
            self._watch(case.CREATED, case.PROCESSING.saying({'tasks': [dict(
                case.PROCESSING.json['tasks'][0],
                message='Copied %s MiB' % said)]}),
                case.WORKING, case.IMPORTED)
            self.assertEqual({None}, {seen.done for seen in self.reports})

    def test_unreadable_stores_are_a_bad_answer(self):
        for name in ('stores', 'os_glance_importing_to_stores',
                     'os_glance_failed_import', 'os_glance_import_task'):
            self.assertRaises(exception.GlanceBadAnswer, self._watch,
                              case.WORKING.but(**{name: ['fast']}))

    def test_failed_stores_are_reported(self):
        end = self._watch(
            case.IMPORTED.but(os_glance_import_task='x'),
            case.IMPORTED.but(os_glance_failed_import='slow'),
            case.SUCCESS, targets=['fast', 'slow'])
        self.assertIsNone(end.reason)
        self.assertEqual(['slow'], end.seen.failed)

    def test_a_deleted_image_is_not_found(self):
        self.assertRaises(exception.ImageNotFound, self._watch,
                          case.WORKING, case.GLANCE33('show_404'))

    def test_a_rejected_token_is_not_authorized(self):
        self.assertRaises(exception.ImageNotAuthorized, self._watch,
                          case.GLANCE33('unauthorized_401'))


class TestEarlierGlance(WatchTestCase):
    """A Glance that shows no lock or no tasks."""

    NO_TASKS = case.GLANCE33('show_404')

    def test_success_is_seen_without_lock_and_tasks(self):
        working = case.WORKING.without('os_glance_import_task')
        self._watch(working, self.NO_TASKS, working, working, case.IMPORTED)

    def test_a_failure_is_seen_without_lock_and_tasks(self):
        end = self._watch(
            case.WORKING.without('os_glance_import_task'), self.NO_TASKS,
            case.FAILED, case.FAILED, case.FAILED)
        self.assertIn('without a reason', end.reason)

    def test_a_failure_is_seen_if_tasks_cannot_be_read(self):
        end = self._watch(case.WORKING, case.FAILED,
                          case.GLANCE33('unauthorized_401'), case.FAILED,
                          case.FAILED)
        self.assertIn('without a reason', end.reason)


class TestTimeouts(WatchTestCase):
    """A deadline, a stall, and a Glance that does not answer."""

    def test_an_import_may_exceed_the_deadline(self):
        end = self._watch(*[case.WORKING] * 11, timeout=0.95)
        self.assertEqual(('deadline', 'importing'),
                         (end.how, end.seen.status))
        self.assertAlmostEqual(0.95, sum(self.waits))

    def test_the_last_look_is_at_the_deadline(self):
        end = self._watch(*[case.WORKING] * 10 + [case.IMPORTED], timeout=0.95)
        self.assertEqual('over', end.how)

    def _until(self, seconds):
        """Watch a long import that shows nothing but its task."""
        self.set(import_stall_timeout=3)
        task = case.PROCESSING.json['tasks'][0]

        def answer(call):
            if call.path.endswith('/tasks'):
                task['message'] = self.message()
                return case.PROCESSING.saying({'tasks': [task]})
            return case.IMPORTED if sum(self.waits) > seconds else (
                case.WORKING)

        self.glance.answers(*[answer] * 100)
        return import_watch.Watch(
            self.service.client, self.images, case.CREATED.json,
            case.REQUEST, targets=[],
            timeout=0, progress=self.reports.append).wait(self.context)

    def test_an_import_without_progress_has_stalled(self):
        self.message = lambda: ''
        self.assertEqual('stalled', self._until(20).how)
        # The first message of the task is progress, too.
        self.assertLess(3, sum(self.waits))
        self.assertLess(sum(self.waits), 8)

    def test_messages_of_the_task_are_progress(self):
        self.message = lambda: 'Copied %d MiB' % sum(self.waits)
        self.assertEqual('over', self._until(20).how)
        done = [seen.done for seen in self.reports if seen.done]
        self.assertEqual((sorted(done), 0), (done, done[0] % 1024 ** 2))
        self.assertLess(3, len(set(done)))

    def test_temporary_errors_are_tolerated(self):
        self._watch(base.Lost(), recordings.Answer(503), case.WORKING,
                    recordings.Answer(500), case.IMPORTED)
        self.assert_calls([case.LOOK] * 5)
        self.assertEqual(['unknown', 'importing', 'unknown', 'finishing'],
                         [seen.state for seen in self.reports])

    def test_a_glance_that_stops_answering_exceeds_the_deadline(self):
        end = self._watch(case.WORKING, *[base.Lost()] * 10, timeout=0.95)
        self.assertEqual(('deadline', 'unknown', 'importing'),
                         (end.how, end.seen.state, end.seen.status))

    def test_an_invalid_answer_is_a_bad_answer(self):
        self.assertRaises(exception.GlanceBadAnswer, self._watch,
                          recordings.Answer(content=b'<html>'))


class TestRequests(WatchTestCase):
    """How many requests a watch makes, and how late it sees the end."""

    def _times(self, seconds):
        """Return the times of its looks at the image and at the task."""
        looks, tasks = [], []

        def answer(call):
            now = sum(self.waits)
            if call.path.endswith('/tasks'):
                tasks.append(now)
                return case.PROCESSING
            looks.append(now)
            return case.IMPORTED if now >= seconds else case.WORKING

        del self.waits[:]
        self.glance._script.clear()
        self.glance.answers(*[answer] * 1000)
        import_watch.Watch(
            self.service.client, self.images, case.CREATED.json,
            case.REQUEST, targets=[],
            timeout=0, progress=None).wait(self.context)
        return looks, tasks

    def test_the_number_of_requests_is_limited(self):
        for seconds, most, tasks in ((1.2, 14, 0), (10, 41, 0), (120, 72, 2),
                                     (3600, 420, 60)):
            looks, task_looks = self._times(seconds)
            self.assertLessEqual(len(looks), most)
            self.assertLessEqual(len(task_looks), tasks)

    def test_success_is_seen_within_a_second(self):
        for tenths in range(1, 100, 3):
            looks, _ = self._times(tenths / 10.0)
            self.assertLess(looks[-1] - tenths / 10.0, 1)

    def test_the_end_of_a_long_import_is_seen_within_ten_seconds(self):
        looks, _ = self._times(3000)
        self.assertLessEqual(looks[-1] - 3000, waiting.LONGEST_WAIT)
