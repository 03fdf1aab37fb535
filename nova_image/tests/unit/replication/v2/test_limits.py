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

"""Tests of what a Glance with v2 can hold."""

import six

from nova_image.image.v2 import schema
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import record
    from nova_image.replication.v2 import limits

#: characters of four and of three bytes
SMILE, OMEGA = u'\U0001f600', u'\u03a9'
IMAGE_ID = '1b8e1b3c-0000-4000-8000-000000000001'

OLD = schema._schema(recordings.load('v2_glance15')('schema_200').json)
NEW = schema._schema(recordings.load('v2_locations33')('schema_200').json)
UNKNOWN = schema._schema({})


class LimitsTestCase(case.TestCase):
    """Base class: fits images."""

    def fit(self, offered=NEW, **fields):
        """Fit an image; it must not be refused."""
        found = limits.fit(case.image(**dict({'id': IMAGE_ID}, **fields)),
                           offered)
        self.assertIsNone(found.refusal)
        return found

    def assert_lost(self, lost, found):
        """Assert which fields were lost; return the reasons."""
        self.assertEqual(lost, [one.field for one in found.losses])
        return ' '.join(one.reason for one in found.losses)


class TestRefusals(case.TestCase):
    """Images that a Glance cannot hold at all."""

    def _refused(self, offered=NEW, **fields):
        image = case.image(**dict({'id': IMAGE_ID}, **fields))
        found = limits.fit(image, offered)
        self.assertEqual((image, ()), (found.record, found.losses))
        return found.refusal

    def test_formats(self):
        for offered in (OLD, NEW):
            refusal = self._refused(offered, disk_format='gpt')
            self.assertIn('disk_format gpt', refusal)
            self.assertIn('qcow2', refusal)
            self.assertIn('container_format x', self._refused(
                offered, container_format='x'))
        self.assertIn('compressed', self._refused(
            OLD, container_format='compressed'))
        self.assertIsNone(self._refused(UNKNOWN, disk_format='gpt'))

    def test_no_formats(self):
        for name in ('disk_format', 'container_format'):
            self.assertIn('no ' + name, self._refused(**{name: None}))

    def test_ids(self):
        for image_id in ('A', IMAGE_ID + '0', ''):
            self.assertIn('UUID', self._refused(id=image_id))
        self.assertIsNone(self._refused(id=IMAGE_ID.upper()))
        self.assertIsNone(self._refused(UNKNOWN, id='A'))

    def test_owners(self):
        self.assertIn('255', self._refused(owner=256 * 'o'))
        self.assertIn('U+FFFF', self._refused(owner=SMILE))
        self.assertIsNone(self._refused(owner=255 * OMEGA))
        self.assertIsNone(self._refused(owner=None))


class TestFields(LimitsTestCase):
    """Fields that a Glance can hold, and those that it cannot."""

    def test_an_image_that_fits_is_unchanged(self):
        image = case.image(
            id=IMAGE_ID, name=255 * OMEGA, tags=frozenset(
                ('', 'a/b c', OMEGA, 255 * 't')), visibility='shared',
            hidden=True, protected=True, min_disk=2 ** 31 - 1,
            properties={'': '', 'a': 'x', 'A': 'y', 'b/~ c': u' \t\n' + OMEGA,
                        OMEGA: 'x', 'kernel_id': IMAGE_ID, 255 * 'k': 'x',
                        'is_public': 'x', 'long': 65535 * 'x'},
            members=frozenset((record.Member(255 * 'm', 'accepted'),)))
        found = limits.fit(image, NEW)
        self.assertEqual((image, (), None), (
            found.record, found.losses, found.refusal))

    def test_fitting_twice_is_fitting_once(self):
        once = self.fit(
            OLD, name=256 * 'n', hidden=True, owner='', min_ram=2 ** 31,
            tags=frozenset((SMILE, 'a')), visibility=record.NOT_PUBLIC,
            properties={OMEGA: 'x', 'a': SMILE, 'b': 'c'},
            members=frozenset((record.Member('a/b'), record.Member('a'))))
        again = limits.fit(once.record, OLD)
        self.assertEqual((once.record, ()), (again.record, again.losses))

    def test_names(self):
        found = self.fit(name=256 * 'n')
        self.assertEqual(255 * 'n', found.record.name)
        self.assertIn('255', self.assert_lost(['name'], found))
        found = self.fit(name='a' + SMILE)
        self.assertEqual(u'a\ufffd', found.record.name)
        self.assert_lost(['name'], found)
        self.assertIsNone(self.fit(name=None).record.name)

    def test_an_empty_owner_is_none(self):
        found = self.fit(owner='')
        self.assertIsNone(found.record.owner)
        self.assert_lost([], found)

    def test_minimums(self):
        found = self.fit(min_disk=2 ** 31, min_ram=2 ** 40)
        self.assertEqual((2 ** 31 - 1,) * 2, (found.record.min_disk,
                                              found.record.min_ram))
        self.assert_lost(['min_disk', 'min_ram'], found)

    def test_hidden(self):
        found = self.fit(OLD, hidden=True)
        self.assertFalse(found.record.hidden)
        self.assert_lost(['hidden'], found)
        self.assertTrue(self.fit(UNKNOWN, hidden=True).record.hidden)

    def test_tags(self):
        found = self.fit(tags=frozenset(('a', 256 * 't', SMILE)))
        self.assertEqual(frozenset('a'), found.record.tags)
        self.assert_lost(['tags', 'tags'], found)


class TestSharing(LimitsTestCase):
    """Visibility and members."""

    def _fit(self, visibility, *projects, **options):
        members = frozenset(record.Member(one) for one in projects)
        found = self.fit(visibility=visibility, members=members, **options)
        return found, found.record.visibility, sorted(
            one.project for one in found.record.members)

    def test_an_image_that_is_not_public(self):
        self.assertEqual(('private', []), self._fit(record.NOT_PUBLIC)[1:])
        self.assertEqual(('shared', ['a']),
                         self._fit(record.NOT_PUBLIC, 'a')[1:])

    def test_members_that_are_not_known(self):
        for visibility in ('public', 'shared', record.NOT_PUBLIC):
            found = self.fit(visibility=visibility, members=None)
            self.assertEqual((visibility, None), (
                found.record.visibility, found.record.members))
            self.assert_lost([], found)

    def test_only_a_shared_image_has_members(self):
        for visibility in ('public', 'private', 'community'):
            found, kept, members = self._fit(visibility, 'a')
            self.assertEqual((visibility, []), (kept, members))
            self.assert_lost(['members'], found)
            self.assert_lost([], self._fit(visibility)[0])

    def test_projects_that_cannot_be_members(self):
        found, _, members = self._fit('shared', 'a', 'a/b', u'\xe9',
                                      256 * 'm', '')
        self.assertEqual(['a'], members)
        self.assert_lost(['members'] * 4, found)

    def test_a_visibility_that_the_target_lacks(self):
        older = OLD._replace(properties=dict(
            OLD.properties, visibility={'enum': ['public', 'private']}))
        found, visibility, _ = self._fit('community', offered=older)
        self.assertEqual('private', visibility)
        self.assert_lost(['visibility'], found)


class TestProperties(LimitsTestCase):
    """Custom properties."""

    def assert_dropped(self, name, value='x', offered=NEW):
        """Assert that a property does not fit; return the reason."""
        found = self.fit(offered, properties={name: value, 'good': 'y'})
        self.assertEqual({'good': 'y'}, found.record.properties)
        return self.assert_lost(['properties.' + name[:255]], found)

    def test_reserved_names(self):
        for name in ('id', 'status', 'size', 'self', 'visibility', 'tags',
                     'owner', 'location', 'locations', 'deleted', 'stores',
                     'os_hidden', 'os_hash_value', 'os_glance_x'):
            for offered in (OLD, NEW, UNKNOWN):
                self.assertIn('reserves', self.assert_dropped(
                    name, offered=offered))

    def test_a_field_of_a_newer_glance(self):
        newer = NEW._replace(properties=dict(
            NEW.properties, os_new={'type': 'string'}))
        self.assertIn('reserves', self.assert_dropped('os_new',
                                                      offered=newer))

    def test_names(self):
        self.assertIn('255', self.assert_dropped(256 * 'k'))
        self.assertIn('U+FFFF', self.assert_dropped('k' + SMILE))
        self.assertIn('ASCII', self.assert_dropped(OMEGA, offered=OLD))

    def test_values(self):
        self.assertIn('U+FFFF', self.assert_dropped('a', SMILE))
        self.assertIn('U+FFFF', self.assert_dropped('a', u'\ud800'))
        self.assertIn('65535', self.assert_dropped('a', 65536 * 'x'))
        self.assertIn('65535', self.assert_dropped('a', 32768 * u'\xe9'))

    def test_kernel_and_ramdisk(self):
        for name in ('kernel_id', 'ramdisk_id'):
            for offered in (OLD, NEW):
                for value in ('', 'None', 'none'):
                    self.assertIn('none', self.assert_dropped(
                        name, value, offered))
                self.assertIn('UUID', self.assert_dropped(
                    name, 'aki-1', offered))
            self.fit(properties={name: IMAGE_ID.upper()})

    def test_rules_of_the_operator(self):
        rules = {'os_distro': {'is_base': False, 'enum': ['debian', 5],
                               'pattern': '^x$'},
                 'short': {'is_base': False, 'maxLength': 3},
                 'broken': {'is_base': False, 'enum': 5, 'pattern': '(',
                            'maxLength': 'x'}}
        offered = NEW._replace(properties=dict(NEW.properties, **rules))
        self.assertIn('debian', self.assert_dropped('os_distro', 'x',
                                                    offered))
        self.assertIn('3', self.assert_dropped('short', 'xxxx', offered))
        self.assert_lost([], self.fit(offered, properties={
            'os_distro': 'debian', 'short': 'xxx', 'broken': 'x'}))

    def test_names_that_are_the_same_for_a_database(self):
        for names in (('a', 'A'), ('e', u'\xe9'), ('a', 'a '),
                      (u'\xc9 ', 'b', 'e')):
            image = case.image(properties=dict.fromkeys(names, 'x'))
            found = limits.clash(image)
            for name in names:
                if name != 'b':
                    self.assertIn(repr(name), found)
        self.assertIsNone(limits.clash(case.image(properties={
            'a': 'x', 'b': 'x', ' a': 'x', 'a_': 'x'})))

    def test_no_other_properties(self):
        offered = NEW._replace(allows_others=False)
        found = self.fit(offered, properties={'os_distro': 'x', 'a': 'x'})
        self.assertEqual({'os_distro': 'x'}, found.record.properties)
        self.assert_lost(['properties.a'], found)
