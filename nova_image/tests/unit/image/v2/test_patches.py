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

"""Tests of nova_image.image.v2.patches: what an update changes."""

import testtools

from nova_image import exception
from nova_image.image.v2 import patches


class TestChanges(testtools.TestCase):
    """The JSON Patch of an update."""

    RAW = {'id': 'ID', 'name': 'one', 'visibility': 'private', 'a': '1',
           'b': '2', 'tags': [], 'min_ram': 0, 'self': '/x',
           'os_glance_failed_import': '', 'owner': 'p'}

    def _changes(self, target, purge=False, **raw):
        return patches.changes(dict(self.RAW, **raw), target, purge)

    def test_no_changes_need_no_patch(self):
        self.assertEqual([], self._changes({}))
        self.assertEqual([], self._changes({'name': 'one', 'a': '1'}))

    def test_fields_are_replaced_or_added(self):
        self.assertEqual(
            [{'op': 'replace', 'path': '/a', 'value': '3'},
             {'op': 'add', 'path': '/c', 'value': '4'},
             {'op': 'replace', 'path': '/name', 'value': 'two'}],
            self._changes({'name': 'two', 'a': '3', 'c': '4'}))

    def test_purge_removes_only_properties(self):
        self.assertEqual([{'op': 'remove', 'path': '/b'}],
                         self._changes({'a': '1'}, purge=True))
        self.assertEqual([], self._changes({'a': '1'}))

    def test_names_are_escaped(self):
        self.assertEqual(
            ['/a~1b~0c', '/hw:x'],
            [operation['path'] for operation in self._changes(
                {'a/b~c': '1', 'hw:x': '1'})])

    def test_is_public_false_keeps_other_visibilities(self):
        for visibility in ('private', 'shared', 'community'):
            self.assertEqual([], self._changes(
                {'visibility': patches.NOT_PUBLIC},
                visibility=visibility))

    def test_equivalent_json_needs_no_patch(self):
        self.assertEqual([], self._changes(
            {'mappings': '[{"a": 1, "b": 2}]'},
            mappings='[{"b":2,"a":1}]'))

    def test_is_public_false_makes_a_public_image_private(self):
        self.assertEqual(
            [{'op': 'replace', 'path': '/visibility', 'value': 'private'}],
            self._changes({'visibility': patches.NOT_PUBLIC},
                          visibility='public'))

    def test_an_explicit_visibility_is_set(self):
        self.assertEqual(
            [{'op': 'replace', 'path': '/visibility', 'value': 'private'}],
            self._changes({'visibility': 'private'}, visibility='shared'))

    def test_each_change_of_visibility_is_sent(self):
        for before, after in (('public', 'private'), ('private', 'public'),
                              ('shared', 'public'), ('private', 'shared'),
                              ('private', 'community')):
            self.assertEqual(
                [{'op': 'replace', 'path': '/visibility', 'value': after}],
                self._changes({'visibility': after}, visibility=before))

    def test_hidden_images(self):
        self.assertEqual([], self._changes({'os_hidden': False}))
        self.assertRaises(exception.ImageActionNotSupported, self._changes,
                          {'os_hidden': True})
        self.assertEqual(
            [{'op': 'replace', 'path': '/os_hidden', 'value': True}],
            self._changes({'os_hidden': True}, os_hidden=False))


class TestParts(testtools.TestCase):
    """Tags and properties that are added and removed by name."""

    def test_tags(self):
        raw = {'tags': ['a', 'b']}
        self.assertEqual(['a', 'b', 'c'],
                         patches.tags_after(raw, more=['b', 'c', 'c']))
        self.assertEqual(['b'], patches.tags_after(raw, less=['a', 'x']))
        self.assertEqual([], patches.tags_after({'tags': None}))

    def test_removals(self):
        raw = {'tags': ['a', 'b'], 'p': '1', 'q~/': None}
        self.assertEqual([
            {'op': 'remove', 'path': '/p'}, {'op': 'remove',
                                             'path': '/q~0~1'},
            {'op': 'replace', 'path': '/tags', 'value': ['b']}],
            patches.removals(raw, ['p', 'q~/', 'r'], ['a', 'c']))
        self.assertEqual([], patches.removals(raw, [], ['c']))
