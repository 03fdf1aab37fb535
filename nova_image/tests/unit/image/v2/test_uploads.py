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

"""Tests of nova_image.image.v2.uploads: whether the size is announced.

The answers are those of Glance 33 with a Swift store; see
functional.test_swift.
"""

import io

from nova_image import exception
from nova_image.image import endpoint
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE33, DATA, META = case.GLANCE33, case.DATA, case.META
FAILED = recordings.Answer(500)


class TestAnnouncedSizes(case.DriverTestCase):
    """Sizes that make Glance fail are not announced again."""

    def _create(self, *uploads, **options):
        self.glance.answers(*((GLANCE33('create_201'),) + uploads + (
            GLANCE33('upload_204'), GLANCE33('show_active'))))
        return self.service.create(self.context, META, options.get(
            'data', DATA))

    def _announced(self):
        """Return which uploads have announced their size, and forget them."""
        sent = [call for call in self.glance.calls if call.method == 'PUT']
        self.assertEqual({DATA}, {call.body for call in sent})
        del self.glance.calls[:]
        found = [{'x-openstack-image-size' in call.headers,
                  'content-length' in call.headers} for call in sent]
        self.assertTrue(all(len(one) == 1 for one in found), found)
        return [one.pop() for one in found]

    def test_the_size_is_announced(self):
        self._create()
        self.assertEqual([True], self._announced())

    def test_the_next_attempt_is_without_a_size_and_others_follow(self):
        for status in (500, 502, 504):
            endpoint._KNOWLEDGE.clear()
            self._create(recordings.Answer(status))
            self.assertEqual([True, False], self._announced())
            self._create()
            self.assertEqual([False], self._announced())

    def test_smaller_images_are_announced(self):
        self._create(FAILED)
        del self.glance.calls[:]
        self.glance.answers(
            GLANCE33('create_201'), GLANCE33('upload_204'),
            GLANCE33('show_active').but(size=99, os_hash_value=None,
                                        checksum=None))
        self.service.create(self.context, META, io.BytesIO(DATA[:99]))
        self.assertIn('x-openstack-image-size', self.glance.calls[1].headers)

    def test_a_size_that_was_not_the_reason_is_not_remembered(self):
        self.set(num_retries=1)
        self.glance.answers(GLANCE33('create_201'), FAILED, FAILED,
                            GLANCE33('delete_204'))
        self.assert_raises(exception.GlanceServerError, 'create', META, DATA)
        self.assertEqual([True, False], self._announced())
        self._create()
        self.assertEqual([True], self._announced())

    def test_a_lost_answer_to_an_upload_with_its_size_teaches_nothing(self):
        self.glance.answers(
            GLANCE33('create_201'), recordings.Answer(504),
            recordings.Answer(409), GLANCE33('show_active'),
            GLANCE33('show_active'))
        self.service.create(self.context, META, DATA)
        self.assertEqual([True, False], self._announced())
        self._create()
        self.assertEqual([True], self._announced())

    def test_other_failures_change_nothing(self):
        self._create(recordings.Answer(503), FAILED.changed(pieces=0))
        calls = [call for call in self.glance.calls if call.method == 'PUT']
        self.assertEqual([True] * 3, [
            'x-openstack-image-size' in call.headers for call in calls])

    def test_the_option_limits_announced_sizes(self):
        self.set(sized_upload_limit=1)
        self._create()
        self.assertEqual([True], self._announced())
        data = io.BytesIO(b'x' * (2 ** 20 + 1))
        self.glance.answers(
            GLANCE33('create_201'), GLANCE33('upload_204'),
            GLANCE33('show_active').but(size=2 ** 20 + 1, os_hash_value=None,
                                        checksum=None))
        self.service.create(self.context, META, data)
        headers = self.glance.calls[1].headers
        self.assertNotIn('x-openstack-image-size', headers)
        self.assertEqual('chunked', headers['transfer-encoding'])
