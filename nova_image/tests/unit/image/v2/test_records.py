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

"""Tests of listings whose images are as v2 answers them."""

from nova_image import exception
from nova_image.image.v2 import records
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCES = [recordings.load('v2_glance15'), recordings.load('v2_glance33')]


class TestRawPages(base.TestCase):
    """Records.raw_pages()."""

    def _pages(self, *answers):
        self.glance.answers(*answers)
        return records.Records(self.client()).raw_pages(
            self.context, [('limit', 2)])

    def test_images_are_as_glance_answers_them(self):
        for glance in GLANCES:
            del self.glance.calls[:]
            first, last = glance('list_first'), glance('list_last')
            pages = list(self._pages(first, last))
            self.assertEqual(
                first.json['images'] + last.json['images'],
                [image for page in pages for image in page.images])
            self.assert_calls([('GET', '/v2/images?limit=2'),
                               ('GET', first.json['next'])])

    def test_a_page_is_requested_when_it_is_needed(self):
        pages = self._pages(GLANCES[1]('list_first'))
        next(pages)
        self.assertEqual(1, len(self.glance.calls))

    def test_an_image_with_wrong_fields_is_listed(self):
        image = {'id': u'A', 'status': 5}
        page, = self._pages(recordings.Answer().saying({'images': [image]}))
        self.assertEqual([image], page.images)

    def test_anything_but_a_list_of_images_is_a_bad_answer(self):
        for found in ({}, {'images': 5}, {'images': [5]}, {'images': [{}]}):
            self.assertRaises(
                exception.GlanceBadAnswer, list,
                self._pages(recordings.Answer().saying(found)))
