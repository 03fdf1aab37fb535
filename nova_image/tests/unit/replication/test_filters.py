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

"""The filters of images."""

import datetime

import six

from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import filters

UTC = datetime.timezone.utc if six.PY3 else None


class TestFilters(case.TestCase):
    """Which images a filter keeps."""

    def check(self, find, kept, left_out):
        """Check that a filter keeps one image but not another."""
        self.assertIsNone(find(case.image(**kept)))
        self.assertTrue(find(case.image(**left_out)))

    def test_ids(self):
        self.check(filters.by_id({'ABC', 'x'}), {'id': 'abc'}, {'id': 'b'})

    def test_names(self):
        self.check(filters.by_name(['web-*', 'db']), {'name': 'web-1'},
                   {'name': 'Web-1'})
        self.assertIsNone(filters.by_name(['*'])(case.image(name=None)))

    def test_owners(self):
        self.check(filters.by_owner(['me']), {'owner': 'me'},
                   {'owner': None})

    def test_visibilities(self):
        find = filters.by_visibility(['private'])
        self.check(find, {'visibility': 'private'}, {'visibility': 'public'})
        self.assertIsNone(find(case.image(visibility='not public')))
        self.check(filters.by_visibility(['public']),
                   {'visibility': 'public'}, {'visibility': 'not public'})

    def test_properties(self):
        has = {'properties': {'a': '1'}}
        self.check(filters.by_property('a'), has, {})
        self.check(filters.by_property('a', '1'), has,
                   {'properties': {'a': '2'}})
        self.check(filters.without_property('a'), {}, has)
        self.check(filters.without_property('a', '2'), has,
                   {'properties': {'a': '2'}})

    def test_tags(self):
        self.check(filters.by_tag('t'), {'tags': frozenset('t')}, {})

    def test_sizes(self):
        self.check(filters.by_size(2), {'size': 2}, {'size': 1})
        self.check(filters.by_size(None, 2), {'size': 2}, {'size': 3})
        self.check(filters.by_size(0, 1), {'size': None}, {'size': 2})

    def test_times(self):
        moment = datetime.datetime(2026, 1, 1, tzinfo=UTC)
        self.check(filters.since(moment), {'updated_at': moment},
                   {'updated_at': moment - datetime.timedelta(1)})
        self.assertIsNone(filters.since(moment)(case.image()))
