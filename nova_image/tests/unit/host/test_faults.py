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

"""Our exceptions become those that Nova's code catches."""

import six
import testtools

from nova_image import exception
from nova_image.tests.unit.host import fake_nova

FACTS = {'image_id': 'an-id', 'endpoint': 'http://glance:9292',
         'reason': 'Glance says so'}


class FaultsTest(testtools.TestCase):
    """to_nova() and translated()."""

    def setUp(self):
        """Import the module over a stand-in for Nova."""
        super(FaultsTest, self).setUp()
        self.nova = self.useFixture(
            fake_nova.FakeNova()).modules['nova.exception']
        from nova_image.host import faults
        self.faults = faults

    def _assert_becomes(self, ours, name, creating=False):
        found = self.faults.to_nova(ours(**FACTS), creating)
        self.assertIs(getattr(self.nova, name), type(found))
        return found

    def test_each_has_its_own(self):
        """Where Nova has a class of the same name, that is it."""
        for name in ('ImageNotFound', 'ImageNotAuthorized', 'ImageBadRequest',
                     'ImageQuotaExceeded', 'ImageDeleteConflict',
                     'ImageImportImpossible', 'ImageUnacceptable',
                     'InvalidImageRef', 'GlanceConnectionFailed', 'Forbidden',
                     'NotFound', 'Invalid'):
            self._assert_becomes(getattr(exception, name), name)

    def test_the_others_fall_back(self):
        """What Nova does not know becomes what its callers catch."""
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

    def test_create_speaks_of_no_image(self):
        """Nova's callers of create() catch the plain classes."""
        for ours, name in ((exception.ImageNotFound, 'NotFound'),
                           (exception.ImageNotAuthorized, 'Forbidden'),
                           (exception.ImageBadRequest, 'Invalid')):
            found = self._assert_becomes(ours, name, creating=True)
            self.assertIn('Glance says so', str(found))

    def test_no_endpoint_reaches_users(self):
        """Nova shows these messages to those who asked."""
        for ours in (exception.ImageNotFound, exception.ImageNotAuthorized,
                     exception.ImageBadRequest):
            self.assertNotIn('glance:9292',
                             str(self.faults.to_nova(ours(**FACTS))))

    def test_an_older_nova(self):
        """Nova 15 has no quota exception; its callers catch another."""
        del self.nova.ImageQuotaExceeded
        self._assert_becomes(exception.ImageQuotaExceeded, 'ImageBadRequest')

    def test_ours_is_the_cause(self):
        """Nothing of what we know gets lost for the log."""
        ours = exception.ImageNotFound(**FACTS)

        def look():
            with self.faults.translated():
                raise ours
        found = self.assertRaises(self.nova.ImageNotFound, look)
        if six.PY3:
            self.assertIs(ours, found.__cause__)

    def test_others_pass(self):
        """An error of the caller's own is not touched."""
        def look():
            with self.faults.translated():
                raise ValueError('mine')
        self.assertRaises(ValueError, look)
