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


"""DevStack's plugin in all its phases, with stand-ins for DevStack.

The stand-ins (``devstack/tests/standins.sh``) replace the functions of
DevStack that the plugin calls. They really edit files, so these tests read
the files that Nova would read.
"""

import collections.abc
import configparser
import pathlib
import re
import subprocess

import fixtures as lib_fixtures
import testtools
from testtools import matchers

from nova_image.conf import opts

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_DEVSTACK = _ROOT / 'devstack'
_STANDINS = _DEVSTACK / 'tests' / 'standins.sh'

# The files that DevStack has written before plugins configure anything.
_FILES = {
    'nova.conf': '[DEFAULT]\ndebug = True\n\n[vnc]\nenabled = False\n',
    'nova_cell1.conf': '\n[database]\nconnection = c1\n\n[DEFAULT]\nx = 1\n',
    'nova_cell2.conf': '\n[database]\nconnection = c2\n\n[DEFAULT]\nx = 2\n',
}
# Starting nova-compute copies nova.conf.
_RESTORED = {**_FILES, 'nova-cpu.conf': _FILES['nova.conf']}
_SERVICES = 'g-api,n-api,n-cond,n-cpu,n-sch'
_NAME = 'nova_image'
_OTHER_PHASES = ('stack pre-install', 'stack test-config', 'stack nonsense',
                 'stack', 'nonsense', '')


class Run:
    """A machine with DevStack, as the plugin sees it.

    :ivar folder: stands for /etc/nova
    """

    def __init__(self, folder: pathlib.Path) -> None:
        """Write the files that DevStack writes before the plugin runs.

        :param folder: an empty folder
        """
        self.folder = folder / 'etc'
        self.folder.mkdir()
        self._calls = folder / 'calls'
        for name, text in _FILES.items():
            (self.folder / name).write_text(text)

    def phases(self, *phases: str, **variables: str) -> list[str]:
        """Source the plugin as DevStack does: errors and unset names abort it.

        :param phases: arguments of plugin.sh, or ``start_nova_compute``
        :param variables: variables of the localrc section
        :returns: the calls of DevStack's functions, in order
        """
        self._calls.write_text('')
        script = ['set -eu', 'source %s' % _STANDINS,
                  'source %s/settings' % _DEVSTACK]
        script += map(self._line, phases)
        env = {'PATH': '/usr/bin:/bin', 'CALLS': str(self._calls),
               'NOVA_CONF_DIR': str(self.folder), 'NOVA_NUM_CELLS': '2',
               'ENABLED_SERVICES': _SERVICES, **variables}
        done = subprocess.run(['bash', '-c', '\n'.join(script)], env=env,
                              capture_output=True, text=True, timeout=60)
        if done.returncode or done.stderr:
            raise AssertionError('%s: %d: %s' % (
                phases, done.returncode, done.stderr))
        return self._calls.read_text().splitlines()[1:]

    @staticmethod
    def _line(phase: str) -> str:
        if phase == 'start_nova_compute':
            return 'cp "$NOVA_CONF" "$NOVA_CPU_CONF"'
        return 'source %s/plugin.sh %s' % (_DEVSTACK, phase)

    def stack(self, **variables: str) -> list[str]:
        """Run all phases of stack.sh.

        :returns: the same as :meth:`phases`
        """
        return self.phases(
            'stack pre-install', 'stack install', 'stack post-config',
            'start_nova_compute', 'stack extra', 'stack test-config',
            **variables)

    def texts(self) -> dict[str, str]:
        """Return the text of each configuration file, by file name."""
        return {path.name: path.read_text()
                for path in self.folder.iterdir()}

    def options(self, name: str) -> dict[str, dict[str, str]]:
        """Return the options of a file, by section.

        :param name: the name of the file
        """
        parser = configparser.ConfigParser(default_section='')
        parser.read_string((self.folder / name).read_text())
        return {section: dict(parser[section])
                for section in parser.sections()}


class _Case(testtools.TestCase):
    """A test with its own machine."""

    def setUp(self) -> None:
        """Create a machine for the test."""
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(lib_fixtures.TempDir()).path)
        self.run_ = Run(self.folder)


class StackTest(_Case):
    """The plugin in each phase of stack.sh."""

    def _assert_configured(self, *names: str, v1: bool = False) -> None:
        for name in names:
            options = self.run_.options(name)
            self.assertEqual(_NAME, options['DEFAULT']['config_source'])
            self.assertEqual({'driver': _NAME}, options[_NAME])
            self.assertEqual({'use_glance_v1': 'True'} if v1 else None,
                             options.get('glance'))

    def _assert_untouched(self, names: collections.abc.Iterable[str]
                          ) -> None:
        texts = self.run_.texts()
        for name in names:
            self.assertEqual(_FILES[name], texts[name])

    def test_every_service_is_configured(self) -> None:
        self.run_.stack()
        self._assert_configured(*_FILES, 'nova-cpu.conf')

    def test_other_options_stay(self) -> None:
        self.run_.stack()
        self.assertEqual(
            'True', self.run_.options('nova.conf')['DEFAULT']['debug'])
        self.assertEqual(
            'c2', self.run_.options('nova_cell2.conf')['database'][
                'connection'])

    def test_compute_is_configured_only_by_the_copy(self) -> None:
        self.run_.phases('stack install', 'stack post-config')
        self.assertNotIn('nova-cpu.conf', self.run_.texts())

    def test_install_phase_installs_this_clone(self) -> None:
        self.assertEqual(['setup_develop %s into []' % _ROOT],
                         self.run_.phases('stack install'))
        self._assert_untouched(_FILES)

    def test_install_phase_uses_the_python_that_runs_nova(self) -> None:
        for variables, venv in (
                ({'USE_VENV': 'True'}, '/opt/stack/nova.venv'),
                ({'USE_VENV': 'True', 'GLOBAL_VENV': 'True',
                  'DEVSTACK_VENV': '/opt/venv'}, '/opt/stack/nova.venv'),
                ({'USE_VENV': 'True', 'PIP_VIRTUAL_ENV': '/opt/other'},
                 '/opt/stack/nova.venv'),
                ({'GLOBAL_VENV': 'True', 'DEVSTACK_VENV': '/opt/venv'},
                 '/opt/venv'),
                ({'PIP_VIRTUAL_ENV': '/opt/other'}, '/opt/other')):
            for phase, call in (('stack install', 'into [%s]' % venv),
                                ('clean', 'from [%s]' % venv)):
                calls = self.run_.phases(phase, **variables)
                self.assertThat(calls[-1], matchers.EndsWith(call))

    def test_files_are_edited_after_neutron_has_configured_nova(self) -> None:
        calls = self.run_.phases('stack post-config')
        self.assertEqual('async_wait configure_neutron_nova', calls[0])
        self.assertEqual({'iniset'}, {call.split()[0] for call in calls[1:]})

    def test_phases_without_work_do_nothing(self) -> None:
        for phase in _OTHER_PHASES:
            self.assertEqual([], self.run_.phases(phase), phase)
        self.assertEqual(_FILES, self.run_.texts())

    def test_second_run_changes_nothing(self) -> None:
        self.run_.stack()
        texts = self.run_.texts()
        self.run_.stack()
        self.assertEqual(texts, self.run_.texts())

    def test_v1_on_request(self) -> None:
        self.run_.stack(NOVA_IMAGE_USE_GLANCE_V1='yes')
        self._assert_configured(*_FILES, 'nova-cpu.conf', v1=True)

    def test_v1_of_an_earlier_run_is_replaced(self) -> None:
        self.run_.stack(NOVA_IMAGE_USE_GLANCE_V1='True')
        self.run_.stack()
        self._assert_configured(*_FILES, 'nova-cpu.conf')

    def test_v1_is_not_mentioned_without_need(self) -> None:
        """Every program warns of the option, even if it is False."""
        self.run_.stack(NOVA_IMAGE_USE_GLANCE_V1='False')
        self.assertNotIn('use_glance_v1', ''.join(self.run_.texts().values()))

    def test_other_options_of_glance_stay(self) -> None:
        conf = self.run_.folder / 'nova.conf'
        text = '[DEFAULT]\nx = 1\n\n[glance]\ntimeout = 60\n'
        conf.write_text(text)
        for v1 in 'True', 'False':
            self.run_.stack(NOVA_IMAGE_USE_GLANCE_V1=v1)
            self.assertEqual(
                '60', self.run_.options('nova.conf')['glance']['timeout'])
        self.run_.phases('unstack')
        self.assertEqual(text, conf.read_text())

    def test_disabled_plugin_does_nothing(self) -> None:
        self.assertEqual([], self.run_.stack(NOVA_IMAGE_ENABLED='False'))
        self._assert_untouched(_FILES)

    def test_nothing_is_done_without_nova(self) -> None:
        self.assertEqual([], self.run_.phases(
            'stack install', 'stack post-config', 'stack extra',
            ENABLED_SERVICES='g-api,key'))
        self._assert_untouched(_FILES)

    def test_cells_are_not_configured_without_conductor(self) -> None:
        self.run_.stack(ENABLED_SERVICES='n-cpu')
        self._assert_configured('nova.conf', 'nova-cpu.conf')
        self._assert_untouched(('nova_cell1.conf', 'nova_cell2.conf'))

    def test_only_existing_cells_are_configured(self) -> None:
        self.run_.stack(NOVA_NUM_CELLS='1')
        self._assert_configured('nova_cell1.conf')
        self._assert_untouched(('nova_cell2.conf',))

    def test_warning_if_nova_compute_overrides_the_options(self) -> None:
        self.run_.phases('stack post-config', 'start_nova_compute')
        (self.run_.folder / 'nova-cpu.conf').write_text('[DEFAULT]\n')
        calls = self.run_.phases('stack extra')
        self.assertEqual(1, len(calls), calls)
        self.assertIn('warn nova-compute uses', calls[0])
        self.assertIn('nova-cpu.conf does not name nova_image', calls[0])

    def test_no_warning_without_nova_compute(self) -> None:
        self.assertEqual([], self.run_.phases(
            'stack extra', ENABLED_SERVICES='n-api'))

    def test_no_warning_if_nova_compute_has_the_options(self) -> None:
        calls = self.run_.stack()
        self.assertEqual([], [call for call in calls if 'warn' in call])


class UndoTest(_Case):
    """Unstacking and cleaning."""

    def test_unstack_restores_every_byte(self) -> None:
        self.run_.stack()
        self.run_.phases('unstack')
        self.assertEqual(_RESTORED, self.run_.texts())

    def test_unstack_keeps_sections_that_follow_ours(self) -> None:
        later = '\n[key_manager]\nfixed_key = 0\n'
        self.run_.phases('stack post-config')
        for name in _FILES:
            with open(self.run_.folder / name, 'a') as conf:
                conf.write(later)
        self.run_.phases('unstack')
        self.assertEqual({name: text + later
                          for name, text in _FILES.items()},
                         self.run_.texts())

    def test_unstack_keeps_the_package(self) -> None:
        self.run_.stack()
        calls = self.run_.phases('unstack')
        self.assertEqual([], [call for call in calls if 'pip' in call])

    def test_unstack_ignores_the_services_enabled_now(self) -> None:
        self.run_.stack()
        self.run_.phases('unstack', NOVA_IMAGE_ENABLED='False',
                         ENABLED_SERVICES='')
        self.assertEqual(_RESTORED, self.run_.texts())

    def test_clean_restores_and_uninstalls(self) -> None:
        self.run_.stack()
        calls = self.run_.phases('clean')
        self.assertEqual('pip_uninstall nova_image from []', calls[-1])
        self.assertEqual(_RESTORED, self.run_.texts())

    def test_clean_uninstalls_from_the_global_virtualenv(self) -> None:
        calls = self.run_.phases('unstack', 'clean', GLOBAL_VENV='True',
                                 DEVSTACK_VENV='/opt/venv')
        self.assertEqual(['pip_uninstall nova_image from [/opt/venv]'], calls)

    def test_undoing_nothing_changes_nothing(self) -> None:
        conf = self.run_.folder / 'nova.conf'
        conf.write_text('[DEFAULT]\nconfig_source = remote\n\n'
                        '[glance]\nuse_glance_v1 = True\n\n[empty]\n')
        texts = self.run_.texts()
        self.run_.phases('unstack', 'unstack', 'clean')
        self.assertEqual(texts, self.run_.texts())

    def test_undoing_without_files_creates_none(self) -> None:
        for name in _FILES:
            (self.run_.folder / name).unlink()
        self.run_.phases('unstack', 'clean')
        self.assertEqual({}, self.run_.texts())


class OtherSourcesTest(_Case):
    """nova.conf already has other sources of configuration."""

    def _with(self, sources: str) -> pathlib.Path:
        conf = self.run_.folder / 'nova.conf'
        conf.write_text('[DEFAULT]\nconfig_source = %s\n' % sources)
        return conf

    def _sources(self) -> str:
        return self.run_.options('nova.conf')['DEFAULT']['config_source']

    def test_other_sources_stay(self) -> None:
        for sources in ('remote', 'remote,vault', 'remote, vault'):
            text = self._with(sources).read_text()
            self.run_.stack()
            self.assertEqual(sources + ',nova_image', self._sources())
            self.run_.phases('unstack')
            self.assertEqual(text, self.run_.texts()['nova.conf'])

    def test_unstack_removes_only_ours_from_any_position(self) -> None:
        for ours in ('nova_image,a,b', 'nova_image, a,b', 'a,nova_image,b',
                     'a, nova_image ,b', 'a,b, nova_image'):
            self._with(ours)
            self.run_.phases('unstack')
            self.assertEqual('a,b', self._sources(), ours)

    def test_source_with_a_longer_name_stays(self) -> None:
        self._with('nova_image_2')
        self.run_.stack()
        self.assertEqual('nova_image_2,nova_image', self._sources())
        self.run_.phases('unstack')
        self.assertEqual('nova_image_2', self._sources())


class SampleTest(testtools.TestCase):
    """local.conf.sample and the README."""

    def setUp(self) -> None:
        """Read them."""
        super().setUp()
        self.sample = (_DEVSTACK / 'local.conf.sample').read_text()
        self.readme = (_DEVSTACK / 'README.rst').read_text()

    def test_both_enable_the_plugin_from_a_branch(self) -> None:
        """Without a branch, DevStack checks out master."""
        line = ('enable_plugin nova-image '
                'https://opendev.org/openstack/nova-image main')
        for text in self.sample, self.readme:
            self.assertIn(line, [each.strip() for each in text.splitlines()])

    def test_variables_are_the_plugins(self) -> None:
        settings = (_DEVSTACK / 'settings').read_text()
        names = re.findall(r'^#?(NOVA_IMAGE_\w+)=', self.sample, re.MULTILINE)
        self.assertEqual(
            sorted(re.findall(r'^(\w+)=', settings, re.MULTILINE)),
            sorted(names))

    def test_local_part_is_a_script(self) -> None:
        localrc = self.sample.split('[[local|localrc]]\n')[1]
        localrc = localrc.split('\n[[')[0]
        done = subprocess.run(
            ['bash', '-euc', 'enable_plugin() { :; }\n' + localrc],
            capture_output=True, text=True, timeout=60)
        self.assertEqual((0, ''), (done.returncode, done.stderr))

    def test_options_exist(self) -> None:
        part = self.sample.split('[[post-config|$NOVA_CONF]]\n')[1]
        known = {option.dest for section, options in opts.list_opts()
                 if section == 'glance' for option in options}
        names = set(re.findall(r'^#?(\w+) = ', part, re.MULTILINE))
        self.assertNotEqual(set(), names)
        self.assertEqual(set(), names - known)
