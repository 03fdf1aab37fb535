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

"""Tests of nova_image.image.undo: what is deleted, and what is reported."""

import fixtures
import mock
import six
import testtools

from nova_image import exception
from nova_image.image import undo


class TestUndo(testtools.TestCase):
    """Blocks that fail."""

    def setUp(self):
        super(TestUndo, self).setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.delete = mock.Mock()

    def _fail(self, error, keep=False, why=None):
        def block():
            with undo.Undo(self.delete, 'context', 'ID', keep) as undone:
                undone.leave(why)
                raise error
        return self.assertRaises(type(error), block)

    def test_the_image_is_deleted_and_the_first_error_raised(self):
        for error in (exception.ImageConflict(), ValueError('x'),
                      KeyboardInterrupt()):
            self.delete.reset_mock()
            self.assertIs(error, self._fail(error))
            self.delete.assert_called_once_with('context', 'ID')

    def test_nothing_is_deleted_without_an_error(self):
        with undo.Undo(self.delete, 'context', 'ID'):
            pass
        self.delete.assert_not_called()

    def test_an_image_to_keep_is_not_deleted(self):
        error = self._fail(exception.ImageConflict(), keep=True)
        self.assertEqual('image ID', error.left)
        self.delete.assert_not_called()

    def test_an_error_that_names_what_is_left_deletes_nothing(self):
        error = exception.ImageConflict(left='image ID')
        self.assertIs(error, self._fail(error))
        self.delete.assert_not_called()

    def test_the_reason_to_leave_an_image_is_in_the_error(self):
        error = self._fail(exception.ImageConflict(), why='it is yours')
        self.assertIn('Left behind: image ID (it is yours)',
                      six.text_type(error))
        self.delete.assert_not_called()
        self._fail(ValueError(), why='it is yours')
        self.assertIn('it is yours', self.log.output)

    def test_an_image_that_cannot_be_deleted_is_in_the_error(self):
        for reason in (exception.Forbidden(), RuntimeError('odd')):
            self.delete.side_effect = reason
            error = self._fail(exception.ImageConflict(status=409))
            self.assertIn('image ID, which could not be deleted',
                          six.text_type(error))
            self.assertEqual(409, error.status)

    def test_an_image_that_is_gone_is_not_left(self):
        self.delete.side_effect = exception.ImageNotFound()
        self.assertIsNone(self._fail(exception.ImageConflict()).left)


class TestSteps(testtools.TestCase):
    """Steps after a change."""

    def _fail(self, changed, error):
        def block():
            with undo.Steps(changed):
                raise error
        return self.assertRaises(type(error), block)

    def test_the_error_names_the_change(self):
        error = self._fail('image ID with changed name',
                           exception.ImageConflict())
        self.assertEqual('image ID with changed name', error.left)

    def test_the_error_stays_without_a_change(self):
        error = exception.ImageConflict()
        self.assertIs(error, self._fail(None, error))

    def test_other_errors_stay(self):
        error = ValueError()
        self.assertIs(error, self._fail('changed', error))
