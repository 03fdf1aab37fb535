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

"""What the Images API v1 can hold of an image."""

import six

from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record
    from nova_image.replication.v1 import limits

ID = 'aaaaaaaa-0000-4000-8000-000000000001'


def _any_formats(disk, container):
    return None


class LimitsTest(case.TestCase):
    """A test that fits images."""

    def fit(self, formats=_any_formats, **fields):
        """Return the Fit of an image."""
        return limits.fit(case.image(**dict({'id': ID}, **fields)), formats)

    def check_losses(self, expected, **fields):
        """Check the fields that are lost, and return the fitted record."""
        found = self.fit(**fields)
        self.assertEqual(expected, [loss.field for loss in found.losses])
        self.assertIsNone(found.refusal)
        return found.record

    def check_refusal(self, text, **fields):
        """Check why an image is refused."""
        self.assertIn(text, self.fit(**fields).refusal)


class TestLosses(LimitsTest):
    """What v1 cannot hold is left out, and told."""

    def test_an_image_that_fits(self):
        image = case.image(
            id=ID, name=u'Z\xfcrich', protected=True, min_disk=1,
            visibility='public', properties={'os_type': u'\xe9 "x"  y%41'})
        found = limits.fit(image, _any_formats)
        self.assertEqual(ends.Fit(image), found)

    def test_fields(self):
        self.assertEqual({'tags', 'hidden'}, ends.FIELDS - limits.FIELDS)
        found = self.check_losses(['hidden', 'tags'], hidden=True,
                                  tags=frozenset('t'))
        self.assertEqual((False, frozenset()), (found.hidden, found.tags))

    def test_names(self):
        for given, held in (
                (u'', None), (u' \n', None), (u'a\nb\x7f', u'a b'),
                (u' a ', u'a'), (u'\U0001f600', u'\ufffd'),
                (u'x' * 256, u'x' * 255), (u'\xfc' * 128, u'\xfc' * 127),
                (u'x' * 254 + u' y', u'x' * 254)):
            found = self.check_losses(['name'], name=given)
            self.assertEqual(held, found.name)
        self.assertIsNone(self.check_losses([], name=None).name)

    def test_a_community_image_becomes_private(self):
        found = self.check_losses(['visibility'], visibility='community')
        self.assertEqual('private', found.visibility)

    def test_members(self):
        one, other = record.Member('p', 'accepted'), record.Member('p')
        for visibility in ('shared', record.NOT_PUBLIC):
            found = self.check_losses(['members'], visibility=visibility,
                                      members=frozenset((one,)))
            self.assertEqual(('shared', frozenset((other,))),
                             (found.visibility, found.members))
            pending = record.Member('p', 'pending')
            self.check_losses([], visibility=visibility,
                              members=frozenset((pending,)))
            found = self.check_losses([], visibility=visibility,
                                      members=frozenset())
            self.assertEqual('private', found.visibility)
            found = self.check_losses([], visibility=visibility)
            self.assertEqual((record.NOT_PUBLIC, None),
                             (found.visibility, found.members))

    def test_only_a_shared_image_has_members(self):
        for visibility in ('public', 'private'):
            found = self.check_losses([], visibility=visibility,
                                      members=frozenset((record.Member('p'),)))
            self.assertEqual((visibility, frozenset()),
                             (found.visibility, found.members))


class TestProperties(LimitsTest):
    """Names and values of properties."""

    def check(self, kept, lost, **properties):
        """Check which properties are kept, and which are lost."""
        found = self.check_losses(['properties.' + name for name in lost],
                                  properties=properties)
        self.assertEqual(kept, found.properties)

    def test_other_names(self):
        self.check({'mixed': '1', 'a_b': '2'}, ['Mixed', 'a-b'],
                   **{'Mixed': '1', 'a-b': '2'})

    def test_names_that_become_equal(self):
        self.check({'a_b': '3'}, ['A-b', 'a-b'],
                   **{'A-b': '1', 'a-b': '2', 'a_b': '3'})
        self.check({'a_b': '1'}, ['A-b', 'a-b'], **{'A-b': '1', 'a-b': '2'})

    def test_the_loser_does_not_take_the_place_of_one_that_is_left_out(self):
        self.check({'a': '1'}, ['A', 'a'], A='1', a='x\ny')

    def test_names_that_cannot_be_sent(self):
        for name in (u'\xfc', u'a b', u'a:b', u'a/b', u'', u'x' * 256):
            self.check({}, [name], **{name: '1'})
        self.check({'x' * 255: '1'}, [], **{'x' * 255: '1'})

    def test_values_that_cannot_be_sent(self):
        for value in (u'', u' a', u'a ', u'a\nb', u'a\tb', u'\U0001f600',
                      u'\ud800', u'x' * 16384, u'\xfc' * 8192):
            self.check({}, ['a'], a=value)
        for value in (u'\xa0a\x85', u'x' * 16000, u'None', u'%41'):
            self.check({'a': value}, [], a=value)


class TestRefusals(LimitsTest):
    """Images that would be unusable."""

    def test_an_id_that_is_not_a_uuid(self):
        for other in ('A', 'x' * 36, ID.replace('-', '')):
            self.check_refusal('UUID', id=other)
        self.assertIsNone(self.fit(id=ID.upper()).refusal)

    def test_a_deactivated_image(self):
        self.check_refusal('deactivate', status='deactivated')

    def test_numbers(self):
        self.check_refusal('min_disk', min_disk=2 ** 31)
        self.check_refusal('min_ram', min_ram=2 ** 31)
        self.assertIsNone(self.fit(min_ram=2 ** 31 - 1).refusal)

    def test_an_owner_that_cannot_be_sent(self):
        self.check_refusal('owner', owner=u'a\nb')
        self.assertIsNone(self.fit(owner=None).refusal)

    def test_too_many_headers(self):
        self.check_refusal('properties', properties={
            'p%d' % number: 'x' * 15000 for number in range(4)})

    def test_formats_that_this_glance_refuses(self):
        asked = []

        def formats(disk, container):
            asked.append((disk, container))
            return 'Invalid disk format' if disk == 'gpt' else None

        self.assertIn('Invalid disk', self.fit(
            formats, disk_format='gpt').data_refusal())
        self.assertIsNone(self.fit(formats).data_refusal())
        self.assertEqual([('gpt', 'bare'), ('raw', 'bare')], asked)

    def test_an_image_without_formats(self):
        for name in ('disk_format', 'container_format'):
            self.assertIn('both formats',
                          self.fit(**{name: None}).data_refusal())
        self.assertIsNone(self.fit(disk_format=None, size=0).data_refusal())
        self.assertIsNone(self.fit(disk_format=None, container_format=None,
                                   size=0).data_refusal())
