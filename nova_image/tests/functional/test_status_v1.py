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

"""nova-image-status on a Glance 15 that has v1.

This module is removed together with the v1 driver.
"""

import contextlib
import http.client
import json
import sqlite3
import typing
import urllib.parse

from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import servers
from nova_image.tests.functional import status_case

#: what every table lacks unless an option is given
_WITHOUT_OPTION = {'content', 'v1-clients', 'v1-filters', 'nova-conf',
                   'virt-drivers', 'other-services'}
_QCOW2 = b'QFI\xfb' + b'\0' * 600
#: the images that --fix can mend, by the check that finds them
_MENDED = {'formats', 'pending-members', 'private-members'}


class OnGlance15(status_case.StatusTest):
    """A test on a Glance 15."""

    def setUp(self) -> None:
        """Use the Glance."""
        super().setUp()
        self.glance = servers.audited_glance15()
        self.use(self.glance.url)
        self.raw = self.raw_glance(self.glance.url)

    def create_v1(self, name: str, formats: bool = True,
                  **properties: str) -> str:
        """Create an image by v1 and return its ID.

        :param properties: custom properties, under any names
        """
        host = urllib.parse.urlsplit(self.glance.url).netloc
        with contextlib.closing(http.client.HTTPConnection(host)) as client:
            client.putrequest('POST', '/v1/images')
            headers = {**self.raw.headers, 'x-image-meta-name': name,
                       'x-image-meta-is_public': 'False',
                       'Content-Length': '0'}
            if formats:
                headers |= {'x-image-meta-disk_format': 'raw',
                            'x-image-meta-container_format': 'bare'}
            headers |= {'x-image-meta-property-' + key: value
                        for key, value in properties.items()}
            for key, value in headers.items():
                client.putheader(key.encode(), value.encode())
            client.endheaders()
            answer = client.getresponse()
            text = answer.read()
        self.assertEqual(201, answer.status, text)
        found: str = json.loads(text)['image']['id']
        return found

    def share(self, image_id: str, *projects: str) -> str:
        """Give projects access by v1, and return the ID."""
        for project in projects:
            self.raw.ask('PUT', '/v1/images/%s/members/%s' % (
                image_id, project), 204)
        return image_id

    def database(self, statement: str, *values: typing.Any) -> None:
        """Change what no API can change."""
        with contextlib.closing(sqlite3.connect(
                self.glance.database, timeout=60)) as database, database:
            database.execute(statement, values)

    def unreadable(self) -> str:
        """Create an image that v2 cannot show, and return its ID."""
        image_id = self.create_v1('an image', **{'caf\u00e9': '1'})
        self.addCleanup(self.raw.ask, 'DELETE', '/v1/images/' + image_id)
        return image_id

    def one_per_check(self) -> dict[str, str]:
        """Create an image for each check, and return their IDs.

        Only unreadable() is missing: v2 cannot even delete it.
        """
        made = {
            'hidden-properties': self.create_v1('hidden', owner='somebody'),
            'similar-properties': self.raw.create(**{
                'os_type': 'linux', 'OS-Type': 'windows'})['id'],
            'formats': self.create_v1('no formats', formats=False),
            'kernel-and-ramdisk': self.create_v1('kernel', kernel_id='a-b'),
            'values': self.create_v1('none', os_type='None'),
            'pending-members': self.share(
                self.create_v1('shared'), 'project-1', 'project-2'),
            'private-members': self.share(
                self.create_v1('private'), 'project-1'),
            'locations': self.raw.create(b'data')['id'],
            'unfinished-images': self.create_v1('killed'),
            'hashes': self.raw.create(b'data')['id'],
            'content': self.raw.create(_QCOW2)['id']}
        self.raw.patch(made['private-members'], {
            'op': 'replace', 'path': '/visibility', 'value': 'private'})
        self.database(
            'UPDATE image_locations SET value = ? WHERE image_id = ?',
            'swift+https://t%3Au:word@swift.example.org/v1/c/o',
            made['locations'])
        self.database("UPDATE images SET status = 'killed' WHERE id = ?",
                      made['unfinished-images'])
        # No listing has it, so it would remain.
        self.addCleanup(
            self.database, "UPDATE images SET status = 'queued' WHERE id = ?",
            made['unfinished-images'])
        self.addCleanup(self.database, 'DELETE FROM image_locations '
                        'WHERE image_id = ?', made['locations'])
        self.database('UPDATE images SET checksum = NULL WHERE id = ?',
                      made['hashes'])
        return made

    def shown(self) -> dict[str, typing.Any]:
        """Return all images and members as v2 shows them, without times."""
        found = {}
        for image in self.raw.images():
            image.pop('updated_at')
            if image['visibility'] == 'shared':
                image['members'] = sorted(
                    (one['member_id'], one['status']) for one in self.raw.ask(
                        'GET', '/v2/images/%s/members' % image['id'])
                    .json()['members'])
            found[image['id']] = image
        return found


class ChecksTest(OnGlance15):
    """upgrade check"""

    def test_clean_cloud_is_a_success(self) -> None:
        self.raw.create(b'data')
        self.raw.create()
        self.create_v1('an image', os_type='linux')
        results = self.check('--content', '--write-tests')
        self.assertEqual({0}, {one['result'] for one in results.values()})
        self.assertEqual(_WITHOUT_OPTION - {'content'}, {
            name for name, one in results.items() if one['skipped']})
        self.assertIn('and v1 is served', results['api-versions']['details'])
        self.assertEqual(3, len(self.raw.images()))

    def test_each_check_finds_its_own_image(self) -> None:
        made = self.one_per_check()
        made['non-ascii-properties'] = self.unreadable()
        self.assertEqual(
            {name: {image_id} for name, image_id in made.items()},
            self.found('--content', code=2))

    def test_cloud_with_only_v1(self) -> None:
        made = self.one_per_check()
        made['non-ascii-properties'] = self.unreadable()
        single = self.useFixture(fixtures.LegacyGlance(
            ['v1'], data_of=self.glance))
        self.use(single.url)
        results = self.check('--content', code=2)
        expected = {name: {made[name]} for name in made if name not in (
            'pending-members', 'private-members', 'locations')}
        expected['api-versions'] = {single.url}
        self.assertEqual(expected, {
            name: {item['id'] for item in one['items']}
            for name, one in results.items() if one['items']})
        for name in 'pending-members', 'private-members', 'locations':
            self.assertIn('v2', results[name]['skipped'])

    def test_cloud_with_only_v2(self) -> None:
        made = self.one_per_check()
        made['non-ascii-properties'] = self.unreadable()
        single = self.useFixture(fixtures.LegacyGlance(
            ['v2'], data_of=self.glance))
        self.use(single.url)
        results = self.check('--content', code=2)
        expected = {name: {made[name]} for name in made if name not in (
            'hidden-properties', 'private-members', 'unfinished-images')}
        self.assertEqual(expected, {
            name: {item['id'] for item in one['items']}
            for name, one in results.items() if one['items']})
        for name in 'hidden-properties', 'private-members':
            self.assertTrue(results[name]['skipped'], name)

    def test_listing_that_breaks_off(self) -> None:
        made = self.one_per_check()
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        # The probe, and the first page of the listing.
        proxy.plan(None, *[faults.Status(500)] * 4, path='/v2/images?')
        self.use(proxy.url)
        results = self.check(code=2)
        self.assertIn('the Images API v2',
                      results['formats']['unchecked'][0])
        # v1 has listed the others.
        self.assertEqual([made['formats']], [
            item['id'] for item in results['formats']['items'][:1]])


class FixTest(OnGlance15):
    """upgrade check --fix, --undo"""

    def test_mends_and_undoes(self) -> None:
        self.one_per_check()
        reference = self.create_v1('reference', kernel_id='None', a='b')
        before = self.shown()
        done = self.run_it('--fix', '--yes', '--undo-file', 'undo.json')
        self.assertIn('%s kernel_id: None -> none' % reference, done.out)
        self.assertIn('Made 7 of 7 changes', done.err)
        left = self.found(code=2)
        self.assertEqual(set(), _MENDED & left.keys())
        self.assertNotIn(reference, left['values'])
        again = self.run_it('--fix', '--yes')
        self.assertIn('There is nothing to mend', again.err)
        done = self.run_it('--undo', 'undo.json', '--yes')
        self.assertIn('Undid 7 of 7 changes', done.err)
        self.assertEqual(before, self.shown())

    def test_refused_change_does_not_end_the_others(self) -> None:
        one = self.share(self.create_v1('one'), 'project-1')
        other = self.share(self.create_v1('other'), 'project-1')
        proxy = self.useFixture(fixtures.FaultyProxy(self.glance.url))
        proxy.plan(faults.Status(403), path=one + '/members/',
                   method='PUT')
        self.use(proxy.url)
        done = self.run_it('--fix', '--yes', code=1)
        self.assertIn('%s member project-1: ' % one, done.err)
        self.assertIn('Made 1 of 2 changes', done.err)
        self.assertEqual({'pending-members': {one}}, self.found(code=1))
        self.assertEqual([('project-1', 'accepted')],
                         self.shown()[other]['members'])
        self.run_it('--fix', '--yes')
        self.assertEqual({}, self.found())

    def test_undo_leaves_what_others_have_changed(self) -> None:
        image_id = self.share(self.create_v1('one'), 'project-1')
        self.run_it('--fix', '--yes', '--undo-file', 'undo.json')
        self.raw.ask('PUT', '/v2/images/%s/members/project-1' % image_id,
                     json={'status': 'rejected'})
        done = self.run_it('--undo', 'undo.json', '--yes', code=1)
        self.assertIn('it is rejected now', done.err)


class ListTest(OnGlance15):
    """upgrade check --list-checks"""

    def test_21_checks(self) -> None:
        names = [line for line in self.run_it(
            '--list-checks').out.splitlines() if line[:1].isalpha()]
        self.assertEqual(21, len(names))
