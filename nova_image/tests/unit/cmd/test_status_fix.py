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


"""Unit tests of nova_image.cmd.status_fix."""

import argparse
import os

import fixtures
import six

from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    import pathlib
    import types

    from nova_image.cmd import errors
    from nova_image.cmd import status_fix
    from nova_image.status import fixes
    from nova_image.status import undo_file
    from nova_image.tests.unit.status import test_fixes

_URL = 'http://glance'


class TestUndo(case.TestCase):
    """--undo"""

    def setUp(self):
        """Write an undo file of one change, which was made."""
        super(TestUndo, self).setUp()
        self.err = self.useFixture(fixtures.StringStream('stderr')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.err))
        self.out = self.useFixture(fixtures.StringStream('stdout')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', self.out))
        self.path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path) / 'undo.json'
        undo_file.UndoFile(self.path, [_URL], [fixes.Change(
            'kind', 'A', 'field', 'old', 'new', 'done')]).create()
        self.values = {('A', 'field'): 'new'}

    def undo(self, *urls):
        """Undo it in a cloud, and return the exit code."""
        half = types.SimpleNamespace(
            repairs=lambda: {'kind': test_fixes.Memory(self.values)})
        endpoints = types.SimpleNamespace(known=lambda caller: urls)
        cloud = types.SimpleNamespace(caller=None, client=lambda: (
            types.SimpleNamespace(endpoints=endpoints)))
        return status_fix.run(argparse.Namespace(
            undo=str(self.path), yes=True), cloud, [half])

    def test_cloud_of_the_file(self):
        self.assertEqual(0, self.undo('http://other', _URL))
        self.assertEqual({('A', 'field'): 'old'}, self.values)

    def test_other_cloud_is_asked_about(self):
        error = self.assertRaises(errors.Usage, self.undo, 'http://other')
        self.assertIn('written for http://glance, not for http://other',
                      str(error))
        self.assertIn('--yes', str(error))
        self.assertEqual({('A', 'field'): 'new'}, self.values)

    def test_nothing_is_undone_that_cannot_be_recorded(self):
        self.useFixture(fixtures.MonkeyPatch('os.replace', self.refuse))
        self.assertRaises(PermissionError, self.undo, _URL)
        self.assertEqual({('A', 'field'): 'new'}, self.values)
        self.assertEqual(['undo.json'], os.listdir(str(self.path.parent)))

    @staticmethod
    def refuse(*names):
        """Fail as in a folder that cannot be written."""
        raise PermissionError(13, 'Permission denied', *names[:1])
