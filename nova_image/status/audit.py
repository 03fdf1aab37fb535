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

"""All checks, and one run of them."""

from __future__ import annotations

import collections.abc
import dataclasses
import importlib
import itertools

from nova_image.image import reasons
from nova_image.status import checks
from nova_image.status import facts
from nova_image.status import gathering
from nova_image.status import halves
from nova_image.status import image_checks
from nova_image.status import nova_checks
from nova_image.status import nova_log
from nova_image.status import server_checks
from nova_image.status import survey
from nova_image.status import verdicts

#: the order of the table; a check that is not named comes last
_ORDER = (
    'api-versions', 'endpoints', 'roles', 'hidden-properties',
    'non-ascii-properties', 'similar-properties', 'formats',
    'kernel-and-ramdisk', 'values', 'pending-members', 'private-members',
    'locations', 'unfinished-images', 'hashes', 'content', 'v1-clients',
    'v1-filters', 'nova-conf', 'virt-drivers', 'other-services',
    'nova-image')
_ONLY_OWN = ('the caller sees only the images of its own project and public '
             'ones: use the credentials of an administrator')


@dataclasses.dataclass(frozen=True)
class Options:
    """What to check.

    :ivar names: of the checks; all if empty
    :ivar content: whether to read the first bytes of all images
    :ivar write_tests: whether to create an image, to try what is allowed
    :ivar access_logs: paths of access logs of Glance
    :ivar nova_logs: paths of access logs of Nova
    :ivar other_files: configuration of other services
    """

    names: frozenset[str] = frozenset()
    content: bool = False
    write_tests: bool = False
    access_logs: tuple[str, ...] = ()
    nova_logs: tuple[str, ...] = ()
    other_files: tuple[str, ...] = ()

    def enables(self, option: str) -> bool:
        """Return whether an option is given.

        :param option: such as '--content'; '' for none
        """
        return bool({'': True, '--content': self.content,
                     '--access-log': self.access_logs,
                     '--nova-log': self.nova_logs}[option])


def all_checks(found: collections.abc.Iterable[
        type[halves.Half]]) -> list[checks.Check]:
    """Return a new one of each check, in the order of the table.

    :param found: the halves that are installed
    """
    every = [*server_checks.all_checks(), *image_checks.all_checks(),
             *nova_checks.all_checks(), *itertools.chain.from_iterable(
                 half.checks() for half in found)]
    return sorted(every, key=lambda check: _ORDER.index(check.name)
                  if check.name in _ORDER else len(_ORDER))


class Audit:
    """One run of checks.

    :param found: the halves of the cloud
    :param gatherer: gathers the other facts
    :param options: what to check
    :param progress: called with what has been done so far
    """

    def __init__(self, found: list[halves.Half],
                 gatherer: gathering.Gatherer, options: Options,
                 progress: survey.Progress = lambda text: None) -> None:
        """Choose the checks."""
        self._halves = found
        self._gatherer = gatherer
        self._options = options
        self._progress = progress
        self.checks = [check for check in all_checks(map(type, found))
                       if not options.names or check.name in options.names]
        self.listed = 0

    def run(self) -> list[tuple[checks.Check, verdicts.Verdict]]:
        """Return each check and its conclusion."""
        enabled = []
        for check in self.checks:
            if self._options.enables(check.option):
                enabled.append(check)
            else:
                check.skipped = 'give %s' % check.option
        self._gather([check for check in enabled
                      if isinstance(check, checks.FactCheck)])
        self._look([check for check in enabled
                    if isinstance(check, checks.ImageCheck)])
        for check in enabled:
            if isinstance(check, checks.FactCheck):
                _judge(check, self._gatherer.gathered)
        return [(check, _concluded(check)) for check in self.checks]

    def _gather(self, enabled: list[checks.FactCheck]) -> None:
        """Gather the facts that checks need."""
        names = {check.fact for check in enabled}
        self._progress('versions, roles and configuration')
        # The checks of images and of Nova judge by these, too.
        if self._has_images() or names & {
                'servers', 'endpoints', 'roles', 'nova'}:
            self._gatherer.gather(['servers', 'roles'])
        self._gatherer.gather(sorted(names & {
            'endpoints', 'hypervisors', 'package'}))
        self._gatherer.gather(['nova'])
        if 'others' in names and self._options.other_files:
            self._gatherer.gather_others(self._options.other_files)
        gathered = self._gatherer.gathered
        if 'clients' in names:
            self._gatherer.attempt('clients', self._read_access_logs)
        if 'filters' in names:
            self._gatherer.attempt('filters', lambda: setattr(
                gathered, 'filters', nova_log.filters(
                    self._options.nova_logs)))
        if 'roles' in names and self._options.write_tests:
            self._gatherer.attempt('permissions', self._try)

    def _read_access_logs(self) -> None:
        """Find out who calls v1."""
        # Not every installation has the module.
        logs = importlib.import_module('nova_image.status.access_logs')
        usage = logs.clients(self._options.access_logs)
        self._gatherer.gathered.clients = dict(usage)
        gaps = ['%s: %s' % item for item in usage.unreadable.items()]
        if usage.unknown:
            gaps.append('%d lines that name v1, such as: %s' % (
                usage.unknown, usage.examples[0]))
        if usage.lacks_requests:
            gaps.append('none of the lines is a request')
        self._gatherer.gathered.gaps['clients'] = gaps

    def _has_images(self) -> bool:
        return any(isinstance(check, checks.ImageCheck)
                   for check in self.checks)

    def _try(self) -> None:
        """Try what the caller may do."""
        self._gatherer.gathered.permissions = [
            facts.Tried(what, problem) for half in self._halves
            for what, problem in half.write_tests()]

    def _look(self, enabled: list[checks.ImageCheck]) -> None:
        """Show the images to the checks."""
        if not enabled:
            return
        gathered = self._gatherer.gathered
        down = [server.problem for server in gathered.servers]
        if down and all(down) or 'servers' in gathered.problems:
            for check in enabled:
                check.doubt(gathered.problems.get('servers') or str(down[0]))
            return
        looking = survey.Survey(self._halves, enabled, gathered.newest,
                                self._progress)
        looking.run()
        self.listed = looking.listed
        if not server_checks.sees_all(gathered):
            for check in enabled:
                if not check.skipped:
                    check.doubt(_ONLY_OWN)


def _judge(check: checks.FactCheck, gathered: facts.Gathered) -> None:
    """Run a check, whose errors must not end the others."""
    try:
        check.run(gathered)
    except Exception as error:
        check.doubt('%s: %s' % (type(error).__name__, reasons.brief(error)))


def _concluded(check: checks.Check) -> verdicts.Verdict:
    """Return the conclusion of a check, whatever it is."""
    try:
        return check.verdict()
    except Exception as error:
        return verdicts.Verdict(unchecked=['%s: %s' % (
            type(error).__name__, reasons.brief(error))])
