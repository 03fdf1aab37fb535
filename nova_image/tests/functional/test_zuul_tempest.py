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

"""The tests of Tempest that the jobs of Zuul select."""

import ast
import collections.abc
import pathlib
import re

import testtools

from nova_image.tests.fixtures import virtualenvs
from nova_image.tests.functional import test_zuul

# Tests that the job is for, besides others.
_ACTIONS = 'api.compute.servers.test_server_actions.'
_WANTED = (
    'api.compute.images.test_images.ImagesTestJSON.'
    'test_create_server_from_snapshot',
    _ACTIONS + 'ServerActionsTestOtherB.test_create_backup',
    _ACTIONS + 'ServerActionsTestJSON.test_rebuild_server',
    _ACTIONS + 'ServerActionsTestOtherB.test_shelve_unshelve_server',
    _ACTIONS + 'ServerActionsTestOtherB.test_shelve_paused_server',
    _ACTIONS + 'ServerActionsV293TestJSON.test_rebuild_volume_backed_server',
    'api.compute.servers.test_server_rescue.ServerRescueTestJSON.'
    'test_rescue_unrescue_instance',
    'scenario.test_shelve_instance.TestShelveInstance.test_shelve_instance',
    'scenario.test_shelve_instance.TestShelveInstance.'
    'test_shelve_volume_backed_instance',
    'scenario.test_snapshot_pattern.TestSnapshotPattern.'
    'test_snapshot_pattern',
    'scenario.test_snapshots_with_add_location.TestImageHashVerification.'
    'test_instance_snapshot_image_hash_verification',
    'scenario.test_volume_boot_pattern.TestVolumeBootPattern.'
    'test_image_defined_boot_from_volume')


class RegexTest(testtools.TestCase):
    """The regular expressions in .zuul.yaml."""

    def setUp(self) -> None:
        """Read the job."""
        super().setUp()
        self.job = test_zuul.read_jobs()[test_zuul.JOB]

    def test_tests_of_tempest(self) -> None:
        regex = re.compile(self.job['vars']['tempest_test_regex'])
        for name in _WANTED:
            self.assertTrue(regex.search('tempest.' + name), name)
        self.assertFalse(regex.search('tempest.api.image.v2.test_images.A.b'))

    def test_several_nodes_run_the_same_tests_and_more(self) -> None:
        multinode = test_zuul.read_jobs()['nova-image-multinode']
        regex, more = (job['vars']['tempest_test_regex']
                       for job in (self.job, multinode))
        added = (r'api\.compute\.admin\.test_servers_on_multinodes\.'
                 r'.*test_unshelve_to_specific_host|')
        self.assertEqual(regex, more.replace(added, ''))
        self.assertIn(added, more)


class TempestTest(testtools.TestCase):
    """The real Tempest has the tests that the jobs select."""

    def setUp(self) -> None:
        """Read the names of its tests, without importing them."""
        super().setUp()
        virtualenv = self.useFixture(virtualenvs.Virtualenv(
            'tempest', ['tempest==47.0.0']))
        top, = virtualenv.path.glob('lib/python*/site-packages/tempest')
        self.names = [name for path in top.glob('**/test_*.py')
                      for name in _tests_in(path, top.parent)]

    def test_wanted_tests_exist(self) -> None:
        for name in _WANTED:
            self.assertIn('tempest.' + name, self.names)

    def test_each_part_of_a_regex_selects_tests(self) -> None:
        for job in test_zuul.read_jobs().values():
            regex = job['vars'].get('tempest_test_regex')
            if regex is None:
                continue
            selected = [name for name in self.names
                        if re.search(regex, name)]
            self.assertGreater(len(selected), 40)
            self.assertEqual([], [
                name for name in selected if not name.startswith(
                    ('tempest.api.compute.', 'tempest.scenario.'))])
            for part in _parts(regex):
                self.assertTrue(any(
                    re.search(part, name) for name in selected), part)


def _tests_in(path: pathlib.Path, top: pathlib.Path
              ) -> collections.abc.Iterator[str]:
    """Yield the dotted names of the tests in a file."""
    module = '.'.join(path.relative_to(top).with_suffix('').parts)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.FunctionDef) and (
                        one.name.startswith('test_')):
                    yield '%s.%s.%s' % (module, node.name, one.name)


def _parts(regex: str) -> list[str]:
    """Return the last names in a regex, one for each alternative."""
    return [word for word in re.findall(r'[a-z_]{6,}', regex)
            if word not in ('tempest', 'compute', 'scenario', 'servers')]
