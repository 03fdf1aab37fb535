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

"""Tests of the stores and the method at the targets of a replication."""

import argparse

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import errors
    from nova_image.cmd import replication_targets


class End(object):
    """An end that notes what it is asked for."""

    def __init__(self, title, can_be_pulled=True):
        self.title = title
        self.can_be_pulled = can_be_pulled
        self.asked = []

    def choose_store(self, store):
        """Note the store."""
        self.asked.append(store)

    def pull_from(self, origin):
        """Note the source."""
        self.asked.append(tuple(origin))


class Conf(object):
    """The configuration of a driver."""

    def __init__(self, **options):
        self.glance = argparse.Namespace(**dict({
            'region_name': 'RegionOne',
            'valid_interfaces': ['internal', 'public']}, **options))
        self.changed = {}

    def set_override(self, name, value, group):
        """Note the option."""
        self.changed[name] = value


class Keystone(object):
    """A session with a catalog."""

    def __init__(self, endpoint='http://glance.one/v2'):
        self.endpoint = endpoint

    def get_endpoint(self, **wanted):
        """Return the endpoint."""
        return self.endpoint if wanted == {
            'service_type': 'image', 'interface': 'internal',
            'region_name': 'RegionOne'} else None


def cloud(title, **facts):
    """Return a cloud."""
    return argparse.Namespace(**dict({
        'end': End(title), 'conf': Conf(), 'keystone': Keystone(),
        'url': 'http://glance.one'}, **facts))


class TestStores(case.TestCase):
    """--store."""

    def prepare(self, *stores):
        clouds = [cloud('new'), cloud('http://spare?a=b')]
        replication_targets.prepare(argparse.Namespace(
            stores=list(stores), targets=[one.end.title for one in clouds],
        ), None, clouds)
        return [one.end.asked for one in clouds]

    def test_no_store(self):
        self.assertEqual([[], []], self.prepare())

    def test_one_store_for_all(self):
        self.assertEqual([['fast'], ['fast']], self.prepare('fast'))

    def test_a_store_for_each(self):
        self.assertEqual([['fast'], ['slow']], self.prepare(
            'new=fast', 'http://spare?a=b=slow'))
        self.assertEqual([['fast'], ['slow']], self.prepare(
            'slow', 'new=fast'))
        self.assertEqual([['fast'], []], self.prepare('new=fast'))

    def test_mistakes(self):
        for stores, words in ((['old=fast'], 'with a cloud of --to'),
                              (['new='], 'with a cloud of --to'), ([''], ''),
                              (['a', 'b'], 'more than one store for all'),
                              (['new=a', 'new=b'], 'one store for new')):
            error = self.assertRaises(errors.Usage, self.prepare, *stores)
            self.assertIn(words, six.text_type(error))


class TestMethod(case.TestCase):
    """--method."""

    def prepare(self, source=None, target=None, **options):
        target = target or cloud('new')
        replication_targets.prepare(argparse.Namespace(**dict({
            'stores': [], 'targets': ['new'], 'method': 'glance-download',
            'bandwidth': None, 'abandoned_after': 5}, **options)),
            source or cloud('old'), [target])
        return target

    def test_the_target_reads_the_data(self):
        target = self.prepare(stores=['fast'])
        self.assertEqual(['fast', ('RegionOne', 'internal')],
                         target.end.asked)
        self.assertEqual({'import_timeout': 0, 'import_stall_timeout': 5},
                         target.conf.changed)

    def test_the_data_is_uploaded(self):
        target = self.prepare(method='upload', bandwidth=5)
        self.assertEqual([], target.end.asked)

    def test_what_is_refused(self):
        for words, options in (
                ('Keystone at both ends', {
                    'source': cloud('old', keystone=None)}),
                ('Keystone at both ends', {
                    'target': cloud('new', keystone=None)}),
                ('the Images API v2', {'source': cloud('old', end=End(
                    'old', can_be_pulled=False))}),
                ('region_name of west', {'source': cloud('west', conf=Conf(
                    region_name=None))}),
                ('has nothing as the internal endpoint in region RegionTwo', {
                    'source': cloud('old', conf=Conf(
                        region_name='RegionTwo'))}),
                ('has http://two as the internal endpoint', {
                    'target': cloud('new', keystone=Keystone('http://two'))}),
                ('--bandwidth has no effect', {'bandwidth': 5})):
            error = self.assertRaises(errors.Usage, self.prepare, **options)
            self.assertIn(words, six.text_type(error))
