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

"""nova_image.status.fixes and undo_file."""

import json
import os

import fixtures
import six

from nova_image import exception
from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    import pathlib

    from nova_image.status import fixes
    from nova_image.status import undo_file

    class Memory(fixes.Repair):
        """Changes values in a dict: {(image, part): value}."""

        def __init__(self, values):
            self.values = values

        def planner(self):
            """Plan nothing."""

        def read(self, change):
            """Return the value."""
            try:
                return self.values[change.image_id, change.part]
            except KeyError:
                raise exception.ImageNotFound(image_id=change.image_id)

        def write(self, change, value):
            """Change the value, unless it is refused."""
            if change.image_id == 'refused' and value == 'new':
                raise exception.ImageNotAuthorized(status=403)
            self.values[change.image_id, change.part] = value


class TestFixes(case.TestCase):
    """apply() and undo()"""

    def setUp(self):
        super(TestFixes, self).setUp()
        self.values = {(name, 'field'): 'old' for name in (
            'A', 'B', 'refused')}
        self.repairs = {'kind': Memory(self.values)}
        self.recorded = []

    def change(self, name):
        """Return a change of an image."""
        return fixes.Change('kind', name, 'field', 'old', 'new')

    def apply(self, *names):
        """Make changes of images, and return them."""
        changes = [self.change(name) for name in names]
        fixes.apply(changes, self.repairs, self.recorded.append)
        return changes

    def test_apply_and_undo(self):
        before = dict(self.values)
        changes = self.apply('A', 'refused', 'gone', 'B')
        self.assertEqual(['done', 'refused', 'refused', 'done'],
                         [one.state for one in changes])
        self.assertEqual(changes, self.recorded)
        fixes.undo(changes, self.repairs, self.recorded.append)
        self.assertEqual(['undone', 'undone', 'not undone', 'undone'],
                         [one.state for one in changes])
        self.assertEqual(before, self.values)

    def test_value_that_differs_is_left_alone(self):
        self.values['A', 'field'] = 'other'
        self.values['B', 'field'] = 'new'
        changes = self.apply('A', 'B')
        self.assertEqual(['refused', 'already'],
                         [one.state for one in changes])
        self.assertEqual('it is other now', changes[0].reason)
        fixes.undo(changes, self.repairs, self.recorded.append)
        self.assertEqual({'A': 'other', 'B': 'new', 'refused': 'old'},
                         {name: value for (name, _), value in
                          self.values.items()})

    def test_undo_of_a_run_that_was_killed(self):
        changes = [self.change('A'), self.change('B')]
        self.values['A', 'field'] = 'new'
        fixes.undo(changes, self.repairs, self.recorded.append)
        self.assertEqual('old', self.values['A', 'field'])

    def test_undo_without_the_api(self):
        changes = self.apply('A')
        fixes.undo(changes, {}, self.recorded.append)
        self.assertEqual('not undone', changes[0].state)

    def test_line(self):
        one = fixes.Change('kind', 'A', 'disk_format', None, 'raw')
        self.assertEqual('A disk_format: none -> raw', one.line())
        self.assertEqual('A disk_format: raw -> none', one.line(back=True))


class TestUndoFile(case.TestCase):
    """UndoFile"""

    def setUp(self):
        super(TestUndoFile, self).setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.path = self.folder / 'undo.json'
        self.change = fixes.Change('kind', 'A', 'field', None, 'new')
        self.file = undo_file.UndoFile(self.path, ['http://glance'],
                                       [self.change])

    def test_is_read_as_it_was_written(self):
        self.file.create()
        self.change.state, self.change.reason = 'refused', 'why'
        self.file.write()
        found = undo_file.load(self.path)
        self.assertEqual(([self.change], ['http://glance']),
                         (found.changes, found.urls))
        self.assertEqual(['undo.json'], os.listdir(str(self.folder)))
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)

    def test_replaces_no_other_file(self):
        self.path.write_text('mine')
        self.assertRaises(FileExistsError, self.file.create)
        self.assertEqual('mine', self.path.read_text())

    def test_leaves_nothing_if_it_cannot_be_written(self):
        self.change.after = object()
        self.assertRaises(TypeError, self.file.create)
        self.assertEqual([], os.listdir(str(self.folder)))

    def test_existing_name_is_never_replaced(self):
        for target in ('missing', os.devnull):
            self.path.symlink_to(target)
            self.assertRaises(FileExistsError, self.file.create)
            self.path.unlink()
        self.path.mkdir()
        self.assertRaises(FileExistsError, self.file.create)

    def test_symbolic_link_stays_one(self):
        self.file.create()
        link = self.folder / 'link'
        link.symlink_to(self.path)
        found = undo_file.load(link)
        found.changes[0].state = 'undone'
        found.write()
        self.assertTrue(link.is_symlink())
        self.assertEqual('undone', undo_file.load(
            self.path).changes[0].state)

    def test_temporary_file_follows_no_link(self):
        victim = self.folder / 'victim'
        victim.write_text('mine')
        (self.folder / ('.undo.json.%d' % os.getpid())).symlink_to(victim)
        self.file.create()
        self.assertEqual('mine', victim.read_text())

    def test_values_that_make_no_sense(self):
        self.file.create()
        good = json.loads(self.path.read_text())
        for name, value in (
                ('kind', []), ('kind', None), ('image_id', ['A']),
                ('image_id', 5), ('part', 5), ('before', {}), ('after', [1]),
                ('before', 5), ('state', 'bogus'), ('state', {}),
                ('reason', 1)):
            self.refuse(dict(good, changes=[dict(
                good['changes'][0], **{name: value})]))
        for name, value in (('cloud', 'http://a'), ('cloud', [1]),
                            ('cloud', {}), ('changes', {}),
                            ('changes', 'text'), ('changes', ['text'])):
            self.refuse(dict(good, **{name: value}))

    def refuse(self, content):
        """Assert that a file with this JSON cannot be used."""
        self.path.write_text(json.dumps(content))
        try:
            undo_file.load(self.path)
        except undo_file.Unusable:
            return
        self.fail('%s is accepted' % content)

    def test_other_files(self):
        for text in ('', '[]', '{}', '{"nova_image_status_undo": 2}',
                     '[' * 100000, '5', 'null', '"\\ud800"',
                     json.dumps({'nova_image_status_undo': 1, 'cloud': [],
                                 'changes': [{}]})):
            self.path.write_text(text)
            self.assertRaises(undo_file.Unusable, undo_file.load, self.path)
