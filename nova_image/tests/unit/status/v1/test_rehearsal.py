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

"""Unit tests of nova_image.status.v1.rehearsal."""

import datetime

import six

from nova_image.tests.unit.status import case
from nova_image.tests.unit.status.v1 import fakes

if six.PY3:
    from nova_image.status.v1 import rehearsal


class TestRehearsal(case.TestCase):
    """Rehearsals on drivers in memory."""

    def setUp(self):
        """Make two drivers with the same images."""
        super(TestRehearsal, self).setUp()
        images = [fakes.image('%03d' % number) for number in range(20)]
        self.first = fakes.FakeDriver(*images)
        self.second = fakes.FakeDriver(*images)

    def run_it(self, **options):
        """Return (kind, ID) of all differences; check that no image lacks."""
        found, self.tally = [], rehearsal.Tally()
        first, second = fakes.apis(self.first, self.second)
        for one in rehearsal.Rehearsal(
                first, second, rehearsal.Options(**options)).run():
            self.tally.add(one)
            found += [(each.kind, each.image_id) for each in one]
        return found

    def change(self, driver, number,
               **fields):
        """Change an image of a driver."""
        driver.images[number] = dict(driver.images[number], **fields)

    def test_no_differences(self):
        self.assertEqual([], self.run_it())
        self.assertEqual((20, 0), (self.tally.images, self.tally.different))
        self.assertEqual(['detail'], self.second.calls)

    def test_options_cost_requests(self):
        self.change(self.second, 3, visibility='shared')
        self.assertEqual([], self.run_it(show=True, members=True))
        self.assertEqual(20, self.second.calls.count('show'))
        self.assertEqual(1, self.second.calls.count('members'))

    def test_field_of_one_image(self):
        self.change(self.second, 3, size=5)
        self.assertEqual([('field', '003')], self.run_it())

    def test_shown_if_the_listing_cannot_tell(self):
        self.change(self.first, 3, properties={'\u540d': 'x'})
        self.change(self.second, 3, properties={'\u540d': 'x'})
        self.second.unlisted = set()
        shown = self.second.show

        def show(context, image_id):
            if image_id == '003':
                raise fakes.server_error()
            return shown(context, image_id)

        self.second.show = show
        self.assertEqual([('unreadable-v2', '003')], self.run_it())

    def test_unreadable_in_the_listing(self):
        self.second.broken = {'003'}
        self.assertEqual([('unreadable-v2', '003')], self.run_it())

    def test_only_one_api_lists_an_image(self):
        self.second.unlisted = {'003'}
        self.first.unlisted = {'005'}
        self.assertEqual([('only-v1', '003'), ('only-v2', '005')],
                         sorted(self.run_it()))

    def test_deleted_in_between(self):
        listed = self.first.detail

        def detail(*args, **options):
            found = listed(*args, **options)
            del self.first.images[3]
            return found

        del self.second.images[3]
        self.first.detail = detail
        self.assertEqual([], self.run_it())

    def test_created_in_between(self):
        self.first.images.append(fakes.image(
            '999', created_at=datetime.datetime.now(datetime.timezone.utc)))
        self.second.images.append(self.first.images[-1])
        self.second.unlisted = {'999'}
        self.assertEqual([], self.run_it())

    def test_changed_in_between(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        listed = self.first.detail

        def detail(*args, **options):
            found = listed(*args, **options)
            self.change(self.first, 3, name='new', updated_at=now)
            return found

        self.change(self.second, 3, name='new', updated_at=now)
        self.first.detail = detail
        self.assertEqual([], self.run_it())

    def test_another_time_of_an_old_image(self):
        self.change(self.second, 3, updated_at=fakes.OLD.replace(year=2021))
        self.assertEqual([('field', '003')], self.run_it())

    def test_members_who_have_not_accepted(self):
        self.change(self.second, 3, visibility='shared')
        self.second.members_of['003'] = [
            {'member_id': 'a', 'status': 'pending'},
            {'member_id': 'b', 'status': 'rejected'},
            {'member_id': 'c', 'status': 'accepted'}]
        self.assertEqual([], self.run_it())
        self.assertEqual([('members', '003')] * 2, self.run_it(members=True))
        self.assertEqual(1, self.tally.kinds['members'].images)

    def test_a_member_compares_its_own_listing(self):
        self.second.unlisted = {'003'}
        self.second.members_of['003'] = [
            {'member_id': 'a', 'status': 'pending'}]
        self.assertEqual([('members', '003')], self.run_it())

    def test_tally_is_bounded(self):
        for number in range(20):
            self.change(self.second, number, size=5)
        self.run_it()
        count = self.tally.kinds['field']
        self.assertEqual((20, 10), (count.images, len(count.examples)))
