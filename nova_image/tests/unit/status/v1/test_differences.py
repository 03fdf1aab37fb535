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

"""Unit tests of nova_image.status.v1.differences."""

import six

from nova_image.image.v2 import translation
from nova_image.tests.unit.status import case

if six.PY3:
    from nova_image.status.v1 import differences

ID = '71c675ab-d94f-49cd-a114-e12490b328d9'


def image(properties=None, **fields):
    """Return an image as a driver returns it."""
    return dict(dict.fromkeys(differences.FIELDS), **dict(
        {'id': ID, 'name': 'disk', 'size': 7, 'properties': properties or {}},
        **fields))


def kinds(found):
    """Return (kind, name) of differences."""
    return [(one.kind, one.name) for one in found]


class TestDifferences(case.TestCase):
    """The differences of two dicts."""

    def listed(self, first, second
               ):
        """Return the differences of the two listings."""
        return kinds(differences.of_listings(first, second))

    def expected(self, first, second
                 ):
        """Return what is expected of the images that are shown."""
        return kinds(differences.expected_of_show(first, second))

    def test_same_images(self):
        one = image({'os_type': 'linux'}, os_hash_algo='sha512')
        other = image({'os_type': 'linux'})
        self.assertEqual([], self.listed(one, other))
        self.assertEqual([], self.expected(one, other))
        self.assertEqual([], kinds(differences.of_shows(one, other)))

    def test_each_field_counts(self):
        for name in differences.FIELDS:
            self.assertEqual([('field', name)], self.listed(
                image(), dict(image(), **{name: 'other'})))

    def test_values_are_kept(self):
        found, = differences.of_listings(image(size=0), image(size=7))
        self.assertEqual(differences.Difference(
            'field', ID, 'list', 'size', 0, 7), found)

    def test_properties_in_listings(self):
        self.assertEqual(
            [('property-only-v1', 'a'), ('property-value', 'b'),
             ('property-only-v2', 'c'), ('empty-properties', 'd'),
             ('reserved-names', 'os_glance_x'), ('reserved-names', 'status')],
            self.listed(image({'a': '1', 'b': '1', 'status': 'good',
                               'os_glance_x': '1'}),
                        image({'b': '2', 'c': '1', 'd': ''})))

    def test_reserved_names_are_those_of_the_driver(self):
        names = ('owner', 'tags', 'stores', 'self', 'deleted', 'location',
                 'os_hash_algo', 'os_glance_failed_import', 'os_type', 'x',
                 'members', 'is_public', 'os_glance')
        for name in names + tuple(differences.RESERVED):
            self.assertEqual(not translation.is_custom(name),
                             differences.is_reserved(name), name)

    def test_show_is_expected_from_the_listings(self):
        first = second = image({
            'OS_Type': 'linux', 'Role': 'web', 'role': 'db', 'blank': ' x',
            'empty': ''}, name='disk ')
        self.assertEqual(
            [('white-space', 'name'), ('property-names', 'OS_Type'),
             ('clashing-names', 'Role'), ('white-space', 'blank')],
            self.expected(first, second))

    def test_nothing_is_reported_twice(self):
        first = image({'status': 'good'})
        second = image({'empty': ''})
        self.assertEqual(2, len(self.listed(first, second)))
        self.assertEqual([], self.expected(first, second))

    def test_only_v1_shows_a_property(self):
        self.assertEqual(
            [('property-only-v1', 'a'), ('reserved-names', 'tags')],
            kinds(differences.of_shows(
                image({'a': '1', 'tags': 'x'}), image())))

    def test_damage_by_an_odd_name(self):
        self.assertEqual(
            [('header-names', 'name'), ('header-names', 'a b')],
            kinds(differences.of_shows(
                image(name=None), image({'a b': 'x'}))))

    def test_which_images_must_be_shown(self):
        for name, value in (('\u540d', 'x'), ('a:b', 'x'), ('a b', 'x'),
                            ('', 'x'), ('x', 'one\ntwo'), ('x', 'y' * 70000),
                            ('x', '\u540d' * 30000)):
            self.assertTrue(differences.needs_show(image({name: value})))
        self.assertTrue(differences.needs_show(image(name='one\rtwo')))
        for usual in ('\u540d' * 9, [{'a': 1}], ' x ', ''):
            self.assertFalse(differences.needs_show(image({'A-b.c': usual})))

    def test_every_documented_kind_has_a_heading(self):
        for name, kind in differences.KINDS.items():
            self.assertLessEqual(len(kind.title), 50, name)
            self.assertLessEqual(len(name), 16, name)
