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

"""Replicates any images between real servers, and compares every field.

The comparison does not use the code under test: a plain HTTP client reads
both servers. NOVA_IMAGE_REPLICAS is the number of images, NOVA_IMAGE_SEED
that of the random numbers.
"""

import collections
import collections.abc
import contextlib
import hashlib
import os
import pathlib
import re
import sys
import time
import typing

from testtools import content

from nova_image.replication import ends
from nova_image.replication import journal
from nova_image.replication import record
from nova_image.replication import results
from nova_image.replication import rules
from nova_image.replication import run
from nova_image.replication import targets
from nova_image.replication import watching
from nova_image.tests import fixtures
from nova_image.tests.fixtures import debian
from nova_image.tests.fixtures import mariadb
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import base
from nova_image.tests.functional import loopback
from nova_image.tests.functional import replication_images as images
from nova_image.tests.functional import servers

COUNT = int(os.environ.get('NOVA_IMAGE_REPLICAS', '20'))
SEED = int(os.environ.get('NOVA_IMAGE_SEED', '17'))

#: an image's ID in a reason
_ID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
Result = results.Result
_DONE = (Result.COPIED, Result.SAME, Result.UPDATED)
#: fields of v2 -> their names in a record
FIELDS = {name: name for name in (
    'name', 'owner', 'visibility', 'protected', 'min_disk', 'min_ram',
    'disk_format', 'container_format', 'status', 'size')}
FIELDS['os_hidden'] = 'hidden'
#: names that v2 uses itself
_OWN = frozenset((
    *FIELDS, 'id', 'checksum', 'os_hash_algo', 'os_hash_value', 'tags',
    'virtual_size', 'created_at', 'updated_at', 'file', 'schema', 'self',
    'stores', 'locations', 'direct_url', record.MARKER))


class _Virtualenv(nova_virtualenv.NovaVirtualenv):
    """The virtualenv with PyMySQL, of which Glance needs only the packages."""

    def _complete(self, log: pathlib.Path) -> None:
        """Leave the nova_image in it to the tests that use it."""


class OnMariaDB(fixtures.Glance):
    """Glance 33 for parallel writers; on sqlite if there is no MariaDB.

    :ivar transfers: number of images that it accepts at a time
    """

    transfers = 1

    def _setUp(self) -> None:
        if not debian.missing(mariadb.PACKAGES):
            self.transfers = 4
            self.use(self.useFixture(fixtures.MariaDB()), self.useFixture(
                _Virtualenv('nova34', nova_virtualenv.NOVA)))
        super()._setUp()


@servers.once
def glance_on_mariadb() -> OnMariaDB:
    """Return the Glance 33 that images are written to."""
    return OnMariaDB(stores={'fast': 'file', 'web': 'http'})


def listed(raw: servers.RawGlance) -> dict[str, images.Raw]:
    """Return {ID: image} of all images of a Glance, hidden ones too."""
    found = {one['id']: one for one in raw.images()}
    for query in ({'os_hidden': 'true'}, {'visibility': 'community'},
                  {'os_hidden': 'true', 'visibility': 'community'}):
        with contextlib.suppress(AssertionError):  # Glance 15: 400
            found.update((one['id'], one) for one in raw.images(**query))
    return found


def wipe(*raws: servers.RawGlance) -> None:
    """Delete all images of some Glances, hidden ones too."""
    for raw in raws:
        for image_id in listed(raw):
            raw.delete(image_id)


class Watcher(watching.Watcher):
    """Keeps what became of each image."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.outcomes: dict[str, results.Outcome] = {}

    def ended(self, outcome: results.Outcome) -> None:
        """Take what became of an image."""
        assert outcome.image.id not in self.outcomes
        self.outcomes[outcome.image.id] = outcome


class Matrix(base.FunctionalTest):
    """Any images from one server to another.

    :cvar apis: the versions of the source and of the target
    :cvar unlisted: visibilities of images that the source does not list
    :cvar listings: the requests of a run with nothing to do, at
        each end
    """

    apis = 'v2', 'v2'
    unlisted: tuple[str, ...] = ()
    listings: tuple[list[str], list[str]] = (
        ['GET /v2/images'] * 2, ['GET /v2/images'] * 2)
    #: whether the source has all formats, names and hidden images
    modern = True

    @property
    def places(self) -> tuple[fixtures.Service, fixtures.Service]:
        """The source and the target."""
        raise NotImplementedError

    def setUp(self) -> None:
        super().setUp()
        self.ours, self.theirs = self.places
        self.raws = [self.raw_glance(one.url) for one in self.places]
        wipe(*self.raws)  # other tests leave images
        self.addCleanup(wipe, *self.raws)
        self.journal = journal.Journal(':memory:')
        self.addCleanup(self.journal.close)
        self.addDetail('seed', content.text_content('%d of %d' % (
            SEED, COUNT)))
        self.ends = [ends.load(base.make_conf({
            'api_servers': [server.url], 'use_glance_v1': api == 'v1'}),
            self.admin(project_id='the-admins'))
            for server, api in zip(self.places, self.apis, strict=True)]
        self.web = self.useFixture(loopback.WebStores())
        self.maker = images.Maker(SEED, self.modern, not self.modern)

    def make_source(self) -> dict[str, images.Image]:
        """Return {ID: image} of the source."""
        found = {one.id: one for one in self.maker.images(COUNT)}
        for one in found.values():
            images.make(self.raws[0], one, self.web)
        return found

    def make_obstacles(self, found: dict[str, images.Image]) -> list[str]:
        """Give the target images of others; return their IDs.

        Some have the ID of an image of the source, or have had it.
        """
        ids = list(found)
        raw = self.raws[1]
        kept = [raw.create(b'abc', name=name, visibility='public')['id']
                for name in ('disk', 'other')]
        kept.append(raw.create(name='queued')['id'])
        kept.append(raw.create(b'foreign', id=ids[1])['id'])
        kept.append(raw.create(id=ids[2])['id'])
        raw.delete(raw.create(id=ids[3])['id'])
        return kept

    def replicate(self, **options: typing.Any) -> tuple[
            dict[str, results.Outcome], results.Report]:
        """Run once."""
        watcher = Watcher()
        source, target = self.ends
        goal = targets.Target(target, rules.Rules(
            target.fit, source.fields & target.fields, source.readable),
            self.journal.pair(source.title, target.title))
        report = run.Run(source, [goal], run.Options(**{
            'transfers': getattr(self.theirs, 'transfers', 1), **options}),
            watcher).run()
        return watcher.outcomes, report

    def test_any_images(self) -> None:
        found = self.make_source()
        kept = self.make_obstacles(found)
        before = {one: self.state(self.raws[1], one) for one in kept}
        began = time.monotonic()
        outcomes, report = self.replicate()
        self.tell(report, time.monotonic() - began)
        self.check(found, outcomes, kept)
        for one in kept:
            self.assertEqual(before[one], self.state(self.raws[1], one))
        self.check_nothing_else(found, kept)
        again, repeated, took, made = self.run_again(outcomes)
        self.assertEqual({one: outcome.reason or Result.SAME for one, outcome
                          in self.told(outcomes).items()},
                         {one: outcome.reason or outcome.result for
                          one, outcome in self.told(again).items()})
        self.tell_again(repeated, took, made)

    @staticmethod
    def told(outcomes: dict[str, results.Outcome]
             ) -> dict[str, results.Outcome]:
        """Return the outcomes that a second run repeats."""
        return {one: outcome for one, outcome in outcomes.items()
                if outcome.result is not Result.FAILED}

    def run_again(self, outcomes: dict[str, results.Outcome]) -> tuple[
            dict[str, results.Outcome], results.Report, float, int]:
        """Run once more, and check its requests.

        Only images that have failed are tried again.
        """
        failed = {one for one, outcome in outcomes.items()
                  if outcome.result is Result.FAILED}
        began = time.monotonic()
        with base.recording(self.ours) as ours, base.recording(
                self.theirs) as theirs:
            again, report = self.replicate()
        took = time.monotonic() - began
        pages = []
        for recorded, listing, raw in zip(
                (ours, theirs), self.listings, self.raws, strict=True):
            # IDs that are burnt, and names that MariaDB cannot distinguish
            refused = [one for one in recorded.requests
                       if one.method == 'POST' and one.status >= 400]
            self.assertLessEqual(len(refused), 4 * len(failed))  # attempts
            # v1 looks an image up in a narrow listing, too
            recorded.requests = [
                one for one in recorded.requests if one not in refused and
                not any('/images/%s' % bad in one.path for bad in failed) and
                not (failed and 'changes-since=' in one.path)]
            more = len(listed(raw)) // 900
            self.assertEqual(set(listing), set(recorded.calls))
            # An earlier test may have shown that a short page is the last.
            self.assertLessEqual(
                len(recorded.calls), len(listing) + more,
                '\n'.join(one.path for one in recorded.requests))
            pages.append(len(recorded.calls))
        return again, report, took, sum(pages)

    def check(self, found: dict[str, images.Image],
              outcomes: dict[str, results.Outcome],
              kept: collections.abc.Collection[str]) -> None:
        """Check that each image is equal, or named in the report."""
        for one in found.values():
            outcome = outcomes.get(one.id)
            if outcome is None:
                self.assertIn(one.flat['visibility'], self.unlisted)
                continue
            copies = self.raws[1].find(one.id)
            if outcome.result in _DONE:
                self.check_copy(one, copies[0], outcome)
                continue
            self.assertTrue(outcome.reason, outcome)
            if one.id in kept:
                continue
            for copy in copies:  # only what nobody else can see
                self.assertEqual(
                    ('queued', one.id), (
                        copy['status'], copy.get(record.MARKER)), str(outcome))
                self.assertIn(copy['visibility'], ('private', 'shared'))
        self.assertEqual(set(), set(outcomes) - set(found))

    def check_copy(self, image: images.Image, copy: images.Raw,
                   outcome: results.Outcome) -> None:
        """Check that all fields are equal, or named in the report."""
        lost = {loss.field for loss in outcome.losses}
        have = self.ends[0].fields & self.ends[1].fields
        original = self.raws[0].image(image.id)
        for name, field in FIELDS.items():
            if field in have | {'size'} and field not in lost:
                self.assertEqual(
                    self.shown(name, original, image),
                    self.shown(name, copy, image),
                    '%s of %s' % (name, outcome))
        if 'tags' in have - lost:
            self.assertEqual(sorted(original['tags']), sorted(copy['tags']))
        ours, theirs = (self.properties(one) for one in (original, copy))
        for name in ours:
            if 'properties.' + name not in lost:
                self.assertEqual(ours[name], theirs.get(name), '%s of %s' % (
                    name, outcome))
        if not lost:
            self.assertEqual(ours, theirs)
        self.assertEqual(image.id, copy[record.MARKER])
        self.assertEqual(image.md5, copy['checksum'], str(outcome))
        self.assertEqual(image.md5, hashlib.md5(self.raws[1].data(
            image.id), usedforsecurity=False).hexdigest())
        if image.flat['visibility'] == 'shared' and 'members' not in lost:
            self.check_members(image, copy)

    def shown(self, name: str, raw: images.Raw, image: images.Image
              ) -> typing.Any:
        """Return a field in a form that both ends have."""
        return raw.get(name, False if name == 'os_hidden' else None)

    def check_members(self, image: images.Image, copy: images.Raw) -> None:
        """Check the members of a shared image."""
        self.assertEqual(image.members, self.members(copy))

    def members(self, copy: images.Raw) -> dict[str, str]:
        """Return {project: status} of the members at the target."""
        answer = self.raws[1].ask('GET', '/v2/images/%s/members' % copy['id'])
        return {one['member_id']: one['status']
                for one in answer.json()['members']}

    @staticmethod
    def properties(raw: images.Raw) -> dict[str, str]:
        """Return the custom properties of an image."""
        return {name: value for name, value in raw.items()
                if name not in _OWN and value is not None}

    def state(self, raw: servers.RawGlance, image_id: str) -> typing.Any:
        """Return all that another's image is."""
        image = raw.image(image_id)
        return image, raw.data(image_id) if image['size'] else None

    def check_nothing_else(self, found: collections.abc.Collection[str],
                           kept: collections.abc.Collection[str]) -> None:
        """Check that the target has only replicas and others' images."""
        self.assertEqual(set(), listed(self.raws[1]).keys() - {
            *found, *kept})

    def tell(self, report: results.Report, seconds: float) -> None:
        """Print the figures of a long run."""
        if COUNT < 100:
            return
        lines = ['', '%s: %d images, %.1f MiB sent in %.1f s' % (
            self.id().rpartition('.')[0].rpartition('.')[2], COUNT,
            report.sent / images.MIB, seconds)]
        lines += ['%5d %s' % (count, result.value)
                  for result, count in report.counts.items()]
        reasons: collections.Counter[str] = collections.Counter()
        for (result, reason), count in report.reasons.items():
            reasons['%s: %s' % (result.value, _ID.sub('ID', reason))] += count
        lines += ['%5d %s' % (count, reason[:400])
                  for reason, count in reasons.most_common()]
        lines += ['%5d lost %s: %s' % (count, *loss) for loss, count in
                  report.losses.most_common()]
        sys.stderr.write('\n'.join(lines) + '\n')

    @staticmethod
    def tell_again(report: results.Report, seconds: float,
                   requests: int) -> None:
        """Print the figures of the run after a long run."""
        if COUNT < 100:
            return
        sys.stderr.write(
            'second run: %d requests, %.2f s, %d bytes sent, %s\n' % (
                requests, seconds, report.sent, {
                    result.value: count
                    for result, count in report.counts.items()}))
