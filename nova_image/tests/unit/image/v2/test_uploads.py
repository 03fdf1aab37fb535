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

"""Tests of nova_image.image.v2.uploads: announced sizes, and hashes.

The answers about sizes are those of Glance 33 with a Swift store; see
functional.test_swift.
"""

import hashlib
import io

import fixtures
import mock
from oslo_utils import timeutils
import six

from nova_image import exception
from nova_image.image import endpoint
from nova_image.image import hashing
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


class CountedFile(io.BytesIO):
    """A file that remembers how often it was read to its end.

    :param error: exception that the second reading raises, or None
    """

    def __init__(self, data=DATA, error=None):
        super(CountedFile, self).__init__(data)
        self.ends = 0
        self._error = error

    def read(self, size=-1):
        """Read; see io.BytesIO."""
        if self.ends and self._error is not None:
            raise self._error
        piece = super(CountedFile, self).read(size)
        self.ends += not piece
        return piece


class TestHashes(case.DriverTestCase):
    """The data is hashed by what Glance records, and by no more."""

    def setUp(self):
        super(TestHashes, self).setUp()
        self.algorithms = []
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.transfer.source.hashing', mock.Mock(
                new=self._new, is_available=hashing.is_available)))

    def _new(self, algorithm):
        self.algorithms.append(algorithm)
        return hashing.new(algorithm)

    def _recorded(self, algorithm='sha512', data=DATA, **changed):
        """Return the image as Glance shows it when it has hashed its data."""
        return GLANCE33('show_active').but(**dict({
            'os_hash_algo': algorithm, 'checksum': hashlib.md5(
                data).hexdigest(), 'os_hash_value': algorithm and hashlib.new(
                    algorithm, data).hexdigest()}, **changed))

    def _answers(self, shown, *more):
        self.glance.answers(GLANCE33('create_201'), GLANCE33('upload_204'),
                            shown, *more)

    def _upload(self, data=None, shown=None):
        """Upload data.

        :returns: the algorithms that it was hashed by, and how often a file
            was read
        """
        del self.algorithms[:]
        data = CountedFile() if data is None else data
        self._answers(shown or self._recorded())
        self.service.create(self.context, META, data)
        return self.algorithms, getattr(data, 'ends', None)

    def _fails(self, data, shown):
        self._answers(shown, GLANCE33('delete_204'))
        error = self.assert_raises(exception.ImageUploadFailed, 'create',
                                   META, data)
        self.assertEqual('DELETE', self.glance.calls[-1].method)
        return six.text_type(error)

    def test_a_file_is_hashed_only_by_the_default_of_glance(self):
        self.assertEqual((['sha512'], 1), self._upload())

    def test_another_hash_of_glance_is_verified_by_a_second_reading(self):
        shown = self._recorded('sha256')
        self.assertEqual((['sha512', 'sha256'], 2), self._upload(shown=shown))
        self.assertEqual((['sha256'], 1), self._upload(shown=shown))

    def test_glance_15_is_verified_by_its_md5(self):
        shown = self._recorded(None)
        self.assertEqual((['sha512', 'md5'], 2), self._upload(shown=shown))
        self.assertEqual((['md5'], 1), self._upload(shown=shown))

    def test_an_upgraded_glance_is_verified_by_its_md5_once(self):
        self._upload(shown=self._recorded(None))
        self.assertEqual((['md5'], 1), self._upload())
        self.assertEqual((['sha512'], 1), self._upload())

    def test_a_hash_is_expected_for_longer_if_the_file_can_be_read_again(self):
        shown = self._recorded('sha256')
        self._upload(shown=shown)
        clock = mock.Mock(return_value=timeutils.now())
        self.useFixture(fixtures.MonkeyPatch('oslo_utils.timeutils.now',
                                             clock))
        for data, algorithms in ((iter([DATA]), ['sha512', 'md5']),
                                 (CountedFile(), ['sha256'])):
            clock.return_value += 10 ** 6
            self.assertEqual(algorithms, self._upload(data, shown)[0])

    def test_what_can_be_read_once_is_hashed_by_both(self):
        self.assertEqual((['sha512', 'md5'], None),
                         self._upload(iter([DATA])))

    def test_other_data_is_detected_by_the_second_reading(self):
        for algorithm in ('sha256', None):
            endpoint._KNOWLEDGE.clear()
            text = self._fails(CountedFile(), self._recorded(
                algorithm, b'?' * len(DATA)))
            self.assertIn(algorithm or 'md5', text)

    def test_a_file_that_changes_before_the_second_reading_fails(self):
        data = CountedFile()
        self.glance.answers(
            GLANCE33('create_201'), GLANCE33('upload_204'),
            lambda call: data.write(b'?') and self._recorded('sha256'),
            GLANCE33('delete_204'))
        text = six.text_type(self.assert_raises(
            exception.ImageUploadFailed, 'create', META, data))
        self.assertIn('now has more', text)

    def test_a_file_that_cannot_be_read_again_fails(self):
        text = self._fails(CountedFile(error=IOError('broken disk')),
                           self._recorded('sha256'))
        self.assertIn('cannot be read again to verify it: broken disk', text)

    def test_without_verification_nothing_is_hashed(self):
        self.set(verify_uploads=False)
        self.assertEqual(([], 1), self._upload(
            shown=self._recorded('sha256', b'?' * len(DATA))))

    def test_a_hash_that_this_host_cannot_compute_is_ignored(self):
        self.assertEqual((['sha512', 'md5'], 2), self._upload(
            shown=self._recorded(os_hash_algo='shake_128')))
        self.assertEqual((['md5'], 1), self._upload(
            shown=self._recorded(os_hash_algo='no-such-hash')))
