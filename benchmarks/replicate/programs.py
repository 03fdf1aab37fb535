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


"""The measured programs, each used as its users do."""

import collections.abc
import pathlib
import shlex
import subprocess

from benchmarks.common import process
from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests import fixtures
from nova_image.tests.fixtures import processes

LIVECOPY, OPENSTACK = 'livecopy', 'openstackclient'
_VERSIONS = """
import importlib.metadata, platform
print('python', platform.python_version())
for name in ('nova_image', 'python-openstackclient'):
    print(name, importlib.metadata.version(name))
"""
_LEGACY_VERSIONS = """
import pkg_resources, platform
print('glance-replicator ' + pkg_resources.get_distribution('glance').version)
print('python2 ' + platform.python_version())
"""


class Programs:
    """Runs the programs, and measures each run."""

    def __init__(self, current: pathlib.Path, legacy: pathlib.Path,
                 home: pathlib.Path) -> None:
        """Prepare to run programs.

        :param current: the folder with nova-image and openstack
        :param legacy: the folder with glance-replicator
        :param home: an empty folder, for caches and journals
        """
        self._current = current
        self._legacy = legacy
        self._home = home
        self._environment = processes.clean_environment(
            {'HOME': str(home), 'OS_NOVA_IMAGE_TRANSFERS': '0'})

    def versions(self) -> dict[str, str]:
        """Return the versions of the measured programs, by name."""
        found: dict[str, str] = {}
        for folder, code in ((self._current, _VERSIONS),
                             (self._legacy, _LEGACY_VERSIONS)):
            done = subprocess.run(
                [folder / 'python', '-c', code], text=True, check=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=self._environment)
            for line in done.stdout.splitlines():
                name, version = line.split()
                found[name] = version
        return found

    def livecopy(self, source: fixtures.Service,
                 target: fixtures.Service) -> race.Measures:
        """Copy all images with glance-replicator.

        :param source: the Glance to copy from
        :param target: the Glance to copy to
        :returns: the measures
        """
        return self._run([
            str(self._legacy / 'glance-replicator'), 'livecopy',
            *(glance.url.removeprefix('http://')
              for glance in (source, target))])

    def replicate(self, source: str, target: str, transfers: int,
                  journal: str) -> race.Measures:
        """Copy all images with nova-image.

        :param source: the URL of the Glance to copy from
        :param target: the URL of the Glance to copy to
        :param transfers: the number of images to transfer at a time
        :param journal: the name of the journal
        :returns: the measures
        """
        return self._run([
            str(self._current / 'nova-image'), 'replicate',
            '--from', source, '--to', target, '--transfers', str(transfers),
            '--journal', str(self._home / journal)])

    def forget(self, journal: str) -> None:
        """Remove a journal.

        :param journal: the name of the journal
        """
        for path in self._home.glob(journal + '*'):
            path.unlink()

    def save_and_create(self, source: fixtures.Service,
                        target: fixtures.Service,
                        images: collections.abc.Iterable[str]
                        ) -> race.Measures:
        """Copy images with openstack, one at a time.

        :param source: the Glance to copy from
        :param target: the Glance to copy to
        :param images: the images' IDs
        :returns: the measures
        """
        return self._run(['/bin/bash', '-euo', 'pipefail', '-c', ''.join(
            '%s image save %s | %s image create --id %s --disk-format raw '
            '--container-format bare image\n' % (
                self._openstack(source), image, self._openstack(target),
                image) for image in images)])

    def list_with_openstack(self, glance: fixtures.Service) -> race.Measures:
        """List the images with openstack, as an idle program.

        :param glance: the Glance to list
        :returns: the measures
        """
        return self._run(['/bin/bash', '-euc', '%s image list'
                          % self._openstack(glance)])

    def _openstack(self, glance: fixtures.Service) -> str:
        return shlex.join([
            str(self._current / 'openstack'), '--os-auth-type', 'none',
            '--os-endpoint', glance.url])

    def _run(self, argv: list[str]) -> race.Measures:
        status, said, measures = process.measure(
            self._current / 'python', argv, self._environment)
        if status:
            raise race.Broken('%s failed: %s' % (
                shlex.join(argv), said.decode(errors='replace')))
        return measures


def scaled(measures: race.Measures, factor: float) -> race.Measures:
    """Return the measures of a part, extrapolated; memory stays.

    :param measures: the measures of some images
    :param factor: the number of all images per measured image
    """
    return measures | {name: measures[name] * factor
                       for name in ('wall', 'cpu', 'requests')}


def over_idle(measures: race.Measures, idle: float) -> race.Measures:
    """Return measures whose memory is that over an idle program.

    :param measures: the measures, with the peak of memory
    :param idle: the peak of memory of a run that finds no images
    :returns: the measures, and the peak as ``peak``
    """
    peak = measures['memory']
    return measures | {'memory': max(0, peak - idle), 'peak': peak}


def peaks(found: race.Found) -> str:
    """Return a line for people with the peaks of the programs' memory."""
    highest: dict[str, float] = {}
    for contenders in found.values():
        for name, rounds in contenders.items():
            highest[name] = max(highest.get(name, 0), *(
                measures['peak'] for measures in rounds))
    return 'Highest peaks of memory: ' + ', '.join(
        '%s %s' % (name, results.show('memory', peak))
        for name, peak in highest.items())
