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

"""Tests of nova_image.image.v2.removals, and of the list of locations."""

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE33 = recordings.load('v2_glance33')
HIDING = recordings.load('v2_locations33')
ID = recordings.ACTIVE
IMAGE = '/v2/images/' + ID
LOOK, PATCH = ('GET', IMAGE), ('PATCH', IMAGE)
LIST, VERSIONS = ('GET', IMAGE + '/locations'), ('GET', '/versions')
URL = 'rbd://fsid/images/one/snap'


def place(url, **metadata):
    """Return a location."""
    return {'url': url, 'metadata': metadata}


ONE, TWO, THREE = (place(URL), place('rbd://two', store='fast'),
                   place('http://me:pa55word@host/?sig=s3cretvalue'))


def image(*places):
    """Return the answer of a Glance that shows locations."""
    return GLANCE33('show_active').but(locations=list(places))


def hiding(stores='fast'):
    """Return the answer of a Glance that shows only services locations."""
    return GLANCE33('show_active').without('locations', 'direct_url').but(
        stores=stores)


def listed(*places):
    """Return the answer of the locations API."""
    return recordings.Answer().saying(list(places))


def refused(status):
    """Return a refusal of Glance."""
    return GLANCE33('location_400').changed(status=status)


class RemovalsTestCase(base.TestCase):
    """Base class: a driver."""

    def setUp(self):
        super(RemovalsTestCase, self).setUp()
        self.service = self.driver()

    def _remove(self, location, *answers):
        self.glance.answers(*answers)
        return self.service.remove_location(self.context, ID, location)

    def _refused(self, kind, location, *answers):
        self.glance.answers(*answers)
        return self.assertRaises(kind, self.service.remove_location,
                                 self.context, ID, location)


class TestList(RemovalsTestCase):
    """Locations are read in one of two ways."""

    def test_shown_by_the_image(self):
        self.glance.answers(image(ONE, TWO))
        self.assertEqual([ONE, TWO],
                         self.service.locations(self.context, ID))
        self.assert_calls([LOOK])

    def test_shown_to_services(self):
        self.glance.answers(hiding(), HIDING('versions_200'), listed(ONE))
        self.assertEqual([ONE], self.service.locations(self.context, ID))
        self.assert_calls([LOOK, VERSIONS, LIST])

    def test_refusal_names_the_role(self):
        self.glance.answers(hiding(), HIDING('versions_200'), refused(403))
        error = self.assertRaises(exception.ImageNotAuthorized,
                                  self.service.locations, self.context, ID)
        self.assertIn('role service', six.text_type(error))

    def test_glance_that_shows_them_to_nobody(self):
        self.glance.answers(hiding(), recordings.Answer().saying(
            {'versions': [{'id': 'v2.9'}]}))
        error = self.assertRaises(exception.ImageActionNotSupported,
                                  self.service.locations, self.context, ID)
        self.assertIn('show_multiple_locations', six.text_type(error))


class TestPatch(RemovalsTestCase):
    """A Glance that shows locations to everybody."""

    def test_the_position_is_that_in_the_list_that_was_read(self):
        self.assertIs(True, self._remove(
            TWO, image(ONE, TWO, THREE), image(ONE, THREE)))
        self.assert_calls([LOOK, PATCH])
        self.assertEqual(
            [{'op': 'replace', 'path': '/locations',
              'value': [ONE, TWO, THREE]},
             {'op': 'remove', 'path': '/locations/1'}], self.sent_json(1))

    def test_a_changed_list_is_read_again(self):
        self._remove(TWO, image(ONE, TWO), refused(400),
                     image(THREE, ONE, TWO),
                     image(THREE, ONE, TWO), image(THREE, ONE))
        self.assertEqual('/locations/2', self.sent_json(4)[1]['path'])

    def test_a_list_that_changes_all_the_time_is_left(self):
        answers = []
        for number in range(3):
            answers += [image(ONE, TWO, *[THREE] * number), refused(400)]
            if number < 2:
                answers.append(image(ONE, TWO, *[THREE] * (number + 1)))
        self._refused(exception.ImageBadRequest, TWO, *answers)

    def test_a_refusal_of_an_unchanged_list_is_raised(self):
        self._refused(exception.ImageBadRequest, TWO, image(ONE, TWO),
                      refused(400), image(ONE, TWO))

    def test_a_missing_location_is_not_found(self):
        error = self._refused(exception.NotFound, THREE, image(ONE, TWO))
        self.assertNotIn('pa55word', six.text_type(error))
        self.assertNotIn('s3cretvalue', six.text_type(error))
        # The same URL with other metadata is another location.
        self._refused(exception.NotFound, place(URL, a='b'), image(ONE, TWO))
        self.assertEqual({'GET'}, {one.method for one in self.glance.calls})

    def test_the_only_location_is_kept(self):
        error = self._refused(exception.ImageConflict, ONE, image(ONE))
        self.assertIn('Delete the image instead', six.text_type(error))
        self.assert_calls([LOOK])

    def test_an_image_without_data_is_refused(self):
        self._refused(exception.ImageConflict, ONE, image().but(
            status='queued'))

    def test_the_policy_is_named(self):
        error = self._refused(exception.ImageNotAuthorized, TWO,
                              image(ONE, TWO), refused(403))
        self.assertIn('administrators', six.text_type(error))

    def test_a_lost_answer_may_be_a_success(self):
        self._remove(TWO, image(ONE, TWO), base.Lost(), refused(400),
                     image(ONE))
        self.assert_calls([LOOK, PATCH, PATCH, LOOK])

    def test_a_lost_answer_may_be_a_failure(self):
        self.set(num_retries=0)
        error = self._refused(exception.GlanceConnectionFailed, TWO,
                              image(ONE, TWO), base.Lost())
        self.assertIn('may have lost the location', six.text_type(error))


class TestDelete(RemovalsTestCase):
    """A Glance that removes only by store."""

    DELETE = ('DELETE', '/v2/stores/fast/' + ID)

    def test_the_first_location_in_a_store(self):
        self._remove(TWO, hiding(), HIDING('versions_200'), listed(ONE, TWO),
                     recordings.Answer(204))
        self.assert_calls([LOOK, VERSIONS, LIST, self.DELETE])

    def test_another_location_in_the_store_is_refused(self):
        self._refused(exception.ImageActionNotSupported,
                      place('rbd://x', store='fast'), hiding(),
                      HIDING('versions_200'),
                      listed(TWO, place('rbd://x', store='fast')))
        self._refused(exception.ImageActionNotSupported, ONE, hiding(),
                      listed(ONE, TWO))

    def _remove_from(self, store, *answers):
        self.glance.answers(*answers)
        return self.service.remove_from_store(self.context, ID, store)

    def test_by_store(self):
        self.assertIs(True, self._remove_from(
            'fast', hiding('slow,fast'), recordings.Answer(204)))
        self.assert_calls([LOOK, self.DELETE])

    def test_names_of_stores_are_quoted(self):
        self._remove_from(u'a/\xe4', hiding(u'a/\xe4,b'),
                          recordings.Answer(204))
        self.assertEqual('/v2/stores/a%2F%C3%A4/' + ID,
                         self.glance.calls[-1].path)

    def test_a_lost_answer_may_be_a_success(self):
        self._remove_from('fast', hiding('slow,fast'), base.Lost(),
                          GLANCE33('show_404'))

    def test_refusals(self):
        for kind, answers in (
                (exception.NotFound, [hiding('slow,web')]),
                (exception.NotFound, [hiding('slow,fast'),
                                      GLANCE33('show_404')]),
                (exception.ImageConflict, [hiding('fast')]),
                (exception.ImageConflict, [hiding('fast,fast')]),
                (exception.ImageConflict, [hiding('slow,fast'),
                                           refused(409)]),
                (exception.ImageNotAuthorized, [hiding('slow,fast'),
                                                refused(403)]),
                (exception.ImageActionNotSupported,
                 [hiding().without('stores')])):
            error = self.assertRaises(kind, self._remove_from, 'fast',
                                      *answers)
            self.assertEqual(ID, error.image_id)
