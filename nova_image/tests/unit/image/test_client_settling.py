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
"""Tests of nova_image.image.client: retries after a lost answer."""

import mock

from nova_image import exception
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.tests.unit import base
from nova_image.tests.unit.image import client_case as case
from nova_image.tests.unit import recordings

NO_CONTENT = case.NO_CONTENT
BUSY = case.BUSY
BODY = case.BODY


class TestSettling(case.ClientTestCase):
    """The meaning of a refused retry after an answer was lost."""

    CONFLICT = recordings.Answer(409)

    def _settle(self, result, *answers):
        """Send data; return the answer and the errors that were settled."""
        settle = mock.Mock(return_value=result)
        self.glance.answers(*answers)
        found = self.put(BODY, settle)
        return found, [call[0][0] for call in settle.call_args_list]

    def _fail(self, kind, result, *answers):
        settle = mock.Mock(return_value=result)
        self.glance.answers(*answers)
        return self.assertRaises(kind, self.put, BODY, settle), settle

    def test_a_refused_first_attempt_is_not_settled(self):
        _, settle = self._fail(exception.ImageConflict, outcome.Found(),
                               self.CONFLICT)
        settle.assert_not_called()

    def test_the_result_of_a_lost_answer_is_returned(self):
        for lost in (base.Lost(), recordings.Answer(500),
                     recordings.Answer(502), recordings.Answer(504)):
            found, errors = self._settle(outcome.Found('found'), lost,
                                         self.CONFLICT)
            self.assertEqual('found', found)
            self.assertEqual([exception.ImageConflict], list(
                map(type, errors)))

    def test_a_refusal_under_load_may_have_taken_effect(self):
        for refused in (recordings.Answer(429), recordings.Answer(503)):
            found, _ = self._settle(outcome.Found('found'), refused,
                                    self.CONFLICT)
            self.assertEqual('found', found)

    def test_a_lost_answer_leaves_what_the_request_says(self):
        for answers in ((base.Lost(),) * 4, (base.Lost(), self.CONFLICT),
                        (BUSY, self.CONFLICT)):
            self.glance.answers(*answers)
            error = self.assertRaises(
                exception.NovaImageException, self.client().call,
                self.context,
                messages.Request('PUT', '/v2/a', 'update', doubt='an image'))
            self.assertEqual('an image', error.left)

    def test_a_read_or_an_answer_leaves_nothing(self):
        for method, answer in (('GET', base.Lost()), ('PUT', self.CONFLICT)):
            self.glance.answers(*[answer] * 4)
            error = self.assertRaises(
                exception.NovaImageException, self.client().call,
                self.context,
                messages.Request(method, '/v2/a', 'update', doubt='an image'))
            self.assertIsNone(error.left)

    def test_a_lost_answer_is_remembered_across_retries(self):
        found, _ = self._settle(outcome.Found('found'), base.Lost(), BUSY,
                                self.CONFLICT)
        self.assertEqual('found', found)

    def test_errors_that_can_be_retried_are_not_settled(self):
        _, errors = self._settle(outcome.Found(), base.Lost(), BUSY,
                                 NO_CONTENT)
        self.assertEqual([], errors)

    def test_a_failed_outcome_raises_the_error_of_the_retry(self):
        error, settle = self._fail(
            exception.ImageConflict, outcome.Failed(), base.Lost(),
            self.CONFLICT)
        self.assertIs(settle.call_args[0][0], error)

    def test_a_failed_outcome_may_have_its_own_error(self):
        mine = exception.ImageUploadFailed()
        error, _ = self._fail(exception.ImageUploadFailed,
                              outcome.Failed(mine), base.Lost(),
                              self.CONFLICT)
        self.assertIs(mine, error)

    def test_the_outcome_try_again_retries(self):
        settle = mock.Mock(return_value=outcome.TryAgain())
        self.glance.answers(base.Lost(), self.CONFLICT, self.CONFLICT,
                            NO_CONTENT)
        self.put(BODY, settle)
        self.assertEqual(2, settle.call_count)
        self.assertEqual([BODY] * 4, self.bodies())
        self.assertEqual(3, len(self.waits))

    def test_num_retries_also_limits_try_again(self):
        self.set(num_retries=2)
        self._fail(exception.ImageConflict, outcome.TryAgain(), base.Lost(),
                   self.CONFLICT, self.CONFLICT)

    def test_try_again_does_not_change_the_error(self):
        error, _ = self._fail(exception.ImageConflict, outcome.TryAgain(),
                              base.Lost(), *[self.CONFLICT] * 3)
        self.assertFalse(error.retriable)

    def test_an_exception_of_settle_is_raised(self):
        self.glance.answers(base.Lost(), self.CONFLICT)
        self.assertRaises(KeyError, self.put, BODY,
                          mock.Mock(side_effect=KeyError))
