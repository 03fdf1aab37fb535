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

"""Tests of nova_image.replication.join."""

import random

import six

from nova_image import compat
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import join
    from nova_image.replication import record


class TestPaired(case.TestCase):
    """Two listings."""

    def setUp(self):
        super(TestPaired, self).setUp()
        self.read = []

    def listing(self, images):
        """Yield images, and note which ones were read."""
        for image in images:
            self.read.append(image.id)
            yield image

    @staticmethod
    def images(ids, **fields):
        """Return images with these IDs."""
        return [case.image(id=image_id, **fields) for image_id in ids]

    @staticmethod
    def ids(pairs):
        """Return the IDs of pairs."""
        return [tuple(image and image.id for image in pair)
                for pair in pairs]

    def test_every_image_once_in_any_order(self):
        sources, targets = list('ABCDEFG'), list('DEFGHI')
        for seed in range(20):
            chance = random.Random(seed)
            chance.shuffle(sources)
            chance.shuffle(targets)
            found = self.ids(join.paired(self.images(sources),
                                         self.images(targets)))
            self.assertEqual(sorted(
                [('D', 'D'), ('E', 'E'), ('F', 'F'), ('G', 'G'),
                 ('A', None), ('B', None), ('C', None), (None, 'H'),
                 (None, 'I')], key=str), sorted(found, key=str))

    def test_a_replica_with_another_id(self):
        replica = case.replica(case.image(id='A'), id='B')
        self.assertEqual([('A', 'B')], self.ids(join.paired(
            self.images('A'), [replica])))

    def test_images_that_can_have_no_partner_do_not_wait(self):
        pairs = join.paired(self.listing(self.images('ABC')),
                            self.listing(self.images('X')))
        self.assertEqual((None, 'X'), self.ids([
            next(pair for pair in pairs if pair.target)])[0])
        self.read = []
        pairs = join.paired(self.listing(self.images('ABC')), [])
        for image_id in 'ABC':
            self.assertEqual([(image_id, None)], self.ids([next(pairs)]))
            self.assertLessEqual(len(self.read), 'ABC'.index(image_id) + 2)

    def test_listed_twice(self):
        self.assertEqual([('A', 'A'), ('A', None)], self.ids(
            join.paired(self.images('AA'), self.images('A'))))

    def test_texts_are_shared(self):
        def words(*texts):
            return [''.join(list(text)) for text in texts]

        def make(image_id):
            status, owner, name, value = words(
                'active', 'me-and-me', 'os_type', 'linux-or-not')
            return case.image(id=image_id, status=status, owner=owner,
                              properties={name: value, 'long': 'x' * 100})

        one, other = (pair.source for pair in join.paired(
            [make('A'), make('B')], []))
        self.assertEqual(make('A'), one)
        for name in ('status', 'owner'):
            self.assertIs(getattr(one, name), getattr(other, name))
        self.assertIs(one.properties['os_type'], other.properties['os_type'])
        self.assertEqual([id(name) for name in one.properties],
                         [id(name) for name in other.properties])


class TestRecord(case.TestCase):
    """The records themselves."""

    def test_no_dict(self):
        self.assertEqual(not compat.SLOTS,
                         hasattr(case.image(), '__dict__'))

    def test_other_types_remain(self):
        image = case.image(owner=None, properties={'p': 1})
        self.assertEqual(image, record.lean(image))
