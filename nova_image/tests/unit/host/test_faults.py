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

"""Tests of nova_image.host.faults."""

import six
import testtools

from nova_image import exception
from nova_image.tests.unit.host import fake_nova

FACTS = {'image_id': 'an-id', 'endpoint': 'http://glance:9292',
         'reason': 'a reason from Glance'}


class FaultsTest(testtools.TestCase):
    """to_nova() and translated() return what Nova's code catches."""

    def setUp(self):
        """Import the module with a fake Nova."""
        super(FaultsTest, self).setUp()
        self.nova = self.useFixture(
            fake_nova.FakeNova()).modules['nova.exception']
        from nova_image.host import faults
        self.faults = faults

    def _assert_becomes(self, ours, name, creating=False):
        found = self.faults.to_nova(ours(**FACTS), creating)
        self.assertIs(getattr(self.nova, name), type(found))
        return found

    def test_classes_with_the_same_name(self):
        """An exception becomes Nova's class of the same name."""
        for name in ('ImageNotFound', 'ImageNotAuthorized', 'ImageBadRequest',
                     'ImageQuotaExceeded', 'ImageDeleteConflict',
                     'ImageImportImpossible', 'ImageUnacceptable',
                     'InvalidImageRef', 'GlanceConnectionFailed', 'Forbidden',
                     'NotFound', 'Invalid'):
            self._assert_becomes(getattr(exception, name), name)

    def test_classes_without_a_counterpart(self):
        """Other exceptions become classes that Nova's callers catch."""
        self._assert_becomes(exception.GlanceServerError,
                             'GlanceConnectionFailed')
        self._assert_becomes(exception.GlanceVersionNotServed,
                             'GlanceConnectionFailed')
        self._assert_becomes(exception.ImageCorrupt, 'ImageUnacceptable')
        self._assert_becomes(exception.ImageUploadFailed,
                             'ImageUnacceptable')
        self._assert_becomes(exception.ImageConflict, 'ImageBadRequest')
        self._assert_becomes(exception.ImageActionNotSupported,
                             'ImageBadRequest')
        self._assert_becomes(exception.DriverLoadError, 'NovaException')

    def test_errors_of_create(self):
        """Nova's callers of create() catch classes without an image."""
        for ours, name in ((exception.ImageNotFound, 'NotFound'),
                           (exception.ImageNotAuthorized, 'Forbidden'),
                           (exception.ImageBadRequest, 'Invalid')):
            found = self._assert_becomes(ours, name, creating=True)
            self.assertIn('a reason from Glance', str(found))

    def test_errors_before_a_request_name_the_image(self):
        """The caller's ID is used if the error does not know any."""
        for ours in (exception.ImageBadRequest, exception.ImageNotFound,
                     exception.ImageUnacceptable,
                     exception.ImageQuotaExceeded):
            found = self.faults.to_nova(ours(reason='r'), image_id='the-id')
            self.assertIn('image the-id', str(found).lower())
            found = self.faults.to_nova(ours(**FACTS), image_id='the-id')
            self.assertIn('image an-id', str(found).lower())

    def test_errors_about_no_image_do_not_name_one(self):
        """Nova's own formats would say "image None"."""
        for ours in (exception.ImageBadRequest, exception.ImageNotFound,
                     exception.ImageNotAuthorized,
                     exception.ImageUnacceptable, exception.ImageUploadFailed,
                     exception.ImageQuotaExceeded, exception.ImageConflict,
                     exception.ImageImportImpossible,
                     exception.ImageActionNotSupported,
                     exception.ImageDeleteConflict,
                     exception.GlanceEndpointUnknown,
                     exception.InvalidImageRef, exception.Forbidden):
            for plain in False, True:
                found = str(self.faults.to_nova(ours(reason='why'), plain))
                self.assertIn('why', found)
                self.assertNotIn('None', found)
                self.assertNotIn('  ', found)

    def test_errors_of_detail(self):
        """Nova's callers of detail() catch classes without an image."""
        for ours, name in ((exception.ImageBadRequest, 'Invalid'),
                           (exception.ImageNotAuthorized, 'Forbidden'),
                           (exception.ImageNotFound, 'NotFound'),
                           (exception.ImageQuotaExceeded,
                            'ImageQuotaExceeded'),
                           (exception.ImageUnacceptable,
                            'ImageUnacceptable')):
            self.assertIs(getattr(self.nova, name), type(
                self.faults.to_nova(ours(reason='why'), plain=True)))

    def test_an_invalid_id_is_still_an_image_that_is_not_found(self):
        for image_id in '', None:
            self.assertIs(self.nova.ImageNotFound, type(self.faults.to_nova(
                exception.ImageNotFound(image_id=image_id),
                image_id=image_id)))

    def test_no_endpoint_reaches_users(self):
        """Nova shows these messages to its users."""
        for ours in (exception.ImageNotFound, exception.ImageNotAuthorized,
                     exception.ImageBadRequest):
            self.assertNotIn('glance:9292',
                             str(self.faults.to_nova(ours(**FACTS))))

    def test_older_nova(self):
        """Nova 15 does not have these exceptions; it catches another."""
        for name in ('ImageQuotaExceeded', 'ImageDeleteConflict',
                     'ImageImportImpossible'):
            delattr(self.nova, name)
            self._assert_becomes(getattr(exception, name), 'ImageBadRequest')

    def test_our_exception_is_the_cause(self):
        """The log still has all the facts."""
        ours = exception.ImageNotFound(**FACTS)

        def look():
            with self.faults.translated():
                raise ours
        found = self.assertRaises(self.nova.ImageNotFound, look)
        if six.PY3:
            self.assertIs(ours, found.__cause__)

    def test_other_exceptions_pass(self):
        """An exception that is not ours is not changed."""
        def look():
            with self.faults.translated():
                raise ValueError('mine')
        self.assertRaises(ValueError, look)
