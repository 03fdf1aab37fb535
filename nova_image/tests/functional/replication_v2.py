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


"""What an end of a replication for v2 does, on any real server."""

import contextlib
import itertools
import typing

import fixtures as lib_fixtures

from nova_image import exception
from nova_image.replication import ends
from nova_image.replication import record
from nova_image.tests.functional import base
from nova_image.tests.functional import loopback
from nova_image.tests.functional import replication_case as case
from nova_image.tests.functional import servers

DATA = case.DATA
#: a character that Glance refuses
SMILE = '\U0001f600'

#: {field: values that do not fit}
TRAPS: dict[str, list[typing.Any]] = {
    'name': [256 * 'n', 'a' + SMILE],
    'min_disk': [2 ** 31], 'min_ram': [2 ** 63],
    'tags': [frozenset((256 * 't', 'a')), frozenset((SMILE,))],
    'properties': [
        {'a' + SMILE: 'x', 'b': 'y'}, {'a': SMILE}, {'kernel_id': ''},
        {'kernel_id': 'aki-1', 'ramdisk_id': 'none'}, {'size': 'x'},
        {'self': 'x'}, {'deleted': 'x'}]}
#: {field: values without which an image cannot be held}
REFUSALS: dict[str, list[typing.Any]] = {
    'id': ['not-a-uuid'], 'disk_format': ['gpt', 'x'],
    'container_format': ['x'], 'owner': [256 * 'o', SMILE]}

_IMAGE = '/v2/images/ID'
_ACCEPTED = record.Member('accepting', 'accepted')
_REJECTED = record.Member('rejecting', 'rejected')
_PENDING = record.Member('pending', 'pending')


class Life(case.EndCase):
    """The exact requests from the creation of an image to its deletion."""

    listing: list[str]

    def setUp(self) -> None:
        super().setUp()
        self.fields = self.end.fields  # reads the schema

    def reserved(self, image: record.Record) -> record.Record:
        """Reserve an image; check that nobody else sees it."""
        found: record.Record = self.assertAsks(
            ['POST /v2/images'], self.end.reserve, image)
        self.assertEqual(('queued', False, False, frozenset()), (
            found.status, found.protected, found.hidden, found.members))
        self.assertIn(found.visibility, ('private', 'shared'))
        self.assertEqual([], self.seen_by_others())
        return found

    def seen_by_others(self) -> list[str]:
        """Return the statuses of the images that another project lists."""
        other = servers.RawGlance(self.server.url, servers.headers_of(
            base.new_id(), 'member', 'reader'))
        return [image['status'] for visibility in ('public', 'community')
                for image in other.images(visibility=visibility)]

    def test_a_public_image(self) -> None:
        wanted = self.wanted(
            visibility='public', protected=True, min_disk=3, min_ram=4,
            hidden='hidden' in self.fields, tags=frozenset(('b', 'é/ ~')),
            name='Zürich 日本', status='deactivated', members=frozenset(),
            properties={'a': '', 'A': '1', '/~ %': 'Zürich\t日本',
                        'mappings': '[ ]', 'kernel_id': base.new_id(),
                        record.MARKER: base.new_id()})
        self.assertSame(wanted, self.end.fit(wanted).record)
        found = self.reserved(wanted)
        progress: list[int] = []
        found = self.assertAsks(
            ['PUT %s/file' % _IMAGE, 'GET ' + _IMAGE], self.end.write,
            found.but(size=len(DATA)), case.Data(DATA[:10], DATA[10:]),
            case.hashes(DATA, 'md5', 'sha256'), progress.append)
        self.assertEqual('active', found.status)
        self.assertEqual(case.hashes(DATA, 'md5', 'sha256', 'sha512'),
                         found.hashes)
        self.assertEqual(len(DATA), progress[-1])
        self.assertAsks(['POST %s/actions/deactivate' % _IMAGE],
                        self.end.deactivate, found.id)
        self.assertEqual([], self.seen_by_others())
        found = self.assertAsks(
            ['PATCH ' + _IMAGE], self.end.change, found, {
                'visibility': 'public', 'protected': True,
                'hidden': wanted.hidden})
        found = self.assertAsks(['GET ' + _IMAGE], self.end.image, found.id)
        self.assertSame(wanted, found)
        self.assertTrue(record.same_data(found, wanted.but(
            hashes=case.hashes(DATA, 'md5'))))
        self.assertEqual([found.but(members=None)], self.assertAsks(
            self.listing, lambda: list(self.end.images())))
        data = self.assertAsks(['GET ' + _IMAGE, 'GET %s/file' % _IMAGE],
                               lambda: b''.join(self.end.read(found)))
        self.assertBytes(DATA, data)
        with self.assertRaisesIn(exception.ImageNotAuthorized):
            self.end.delete(found.id)
        self.end.change(found, {'protected': False})
        for _ in range(2):
            self.assertAsks(['DELETE ' + _IMAGE], self.end.delete, found.id)
        self.assertIsNone(self.end.image(found.id))

    @contextlib.contextmanager
    def assertRaisesIn(self, kind: type[Exception]) -> typing.Any:
        """Check that the body of a ``with`` raises an exception."""
        try:
            yield
        except kind:
            return
        self.fail('no %s' % kind.__name__)

    def test_a_shared_image(self) -> None:
        wanted = self.wanted(
            visibility='shared', properties={}, members=frozenset(
                (_ACCEPTED, _REJECTED, _PENDING)))
        found = self.reserved(wanted)
        found = self.end.write(found.but(size=len(DATA)), case.Data(DATA),
                               {})
        members = '%s/members' % _IMAGE
        self.assertAsks(
            ['GET ' + members, 'POST ' + members,
             'PUT %s/accepting' % members, 'POST ' + members,
             'POST ' + members, 'PUT %s/rejecting' % members],
            self.end.set_members, found, wanted.members)
        found = self.assertAsks(['GET ' + _IMAGE, 'GET ' + members],
                                self.end.image, found.id)
        self.assertSame(wanted, found)
        self.assertAsks([], self.end.set_members, found, wanted.members)
        fewer = frozenset((_PENDING._replace(status='accepted'),))
        self.assertAsks(
            ['DELETE %s/accepting' % members,
             'DELETE %s/rejecting' % members, 'PUT %s/pending' % members],
            self.end.set_members, found, fewer)
        self.assertEqual(fewer, self.end.members(found))

    def test_an_image_that_nobody_owns(self) -> None:
        found = self.end.reserve(self.wanted(owner=None))
        self.assertEqual(self.project, found.owner)
        self.assertIsNone(self.end.change(found, {'owner': None}).owner)
        found = self.end.image(found.id)
        assert found is not None
        self.assertIsNone(found.owner)

    def test_members_return_with_the_visibility(self) -> None:
        found = self.end.reserve(self.wanted(visibility='shared'))
        self.end.set_members(found, frozenset((_ACCEPTED,)))
        found = self.end.change(found, {'visibility': 'private'})
        self.assertEqual(frozenset(), found.members)
        found = self.end.change(found, {'visibility': 'shared'})
        self.assertIsNone(found.members)
        self.end.set_members(found, frozenset((_PENDING,)))
        self.assertEqual(frozenset((_PENDING,)), self.end.members(found))

    def test_members_do_not_change_the_time_of_an_update(self) -> None:
        # A run that lists images does not see that members have changed.
        found = self.end.reserve(self.wanted(visibility='shared'))
        begun = self.raw.image(found.id)['updated_at']
        self.wait_for(lambda: self.raw.create()['updated_at'] > begun,
                      'another second')
        self.end.set_members(found, frozenset((_ACCEPTED, _PENDING)))
        found = self.end.image(found.id)
        self.assertEqual(2, len(found.members))
        self.end.set_members(found, frozenset())
        self.assertEqual(begun, self.raw.image(found.id)['updated_at'])

    def test_changes(self) -> None:
        found = self.end.reserve(self.wanted(
            tags=frozenset('ab'), properties={'a': '1', 'b/~': '2', '': ''}))
        fields = {
            'name': None, 'owner': None, 'tags': frozenset('bc'),
            'properties': {'a': '', 'é' if 'hidden' in self.fields else 'e':
                           '日本', record.MARKER: found.id},
            'min_disk': 7, 'min_ram': 8, 'visibility': 'community',
            'protected': True, 'disk_format': 'iso',
            'container_format': 'ovf'}
        changed = self.assertAsks(['PATCH ' + _IMAGE], self.end.change,
                                  found, fields)
        self.assertEqual(found.but(updated_at=changed.updated_at, **fields),
                         changed)
        self.assertEqual(changed, self.end.image(found.id))
        self.assertIs(changed, self.assertAsks([], self.end.change, changed,
                                               fields))

    def test_all_images_are_listed(self) -> None:
        hidden = [False, True] if 'hidden' in self.fields else [False]
        expected = set()
        for visibility, is_hidden, owner in itertools.product(
                ('public', 'private', 'shared', 'community'), hidden,
                (base.new_id(), self.project)):
            flat = {'os_hidden': True} if is_hidden else {}
            expected.add((self.raw.create(
                visibility=visibility, owner=owner, tags=[''],
                **flat)['id'], visibility, is_hidden))
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.image.v2.queries.PAGE_SIZE', 3))
        found = list(self.end.images())
        if 'hidden' in self.fields:
            self.assertEqual(sorted(found, key=lambda one: (
                not one.hidden, one.id)), found)
        self.assertEqual(len(expected), len(found))
        self.assertEqual(expected, {(one.id, one.visibility, one.hidden)
                                    for one in found})

    def test_an_image_with_an_empty_tag(self) -> None:
        image = self.raw.create(b'abc', tags=['', 'a'])
        found = self.end.image(image['id'])
        assert found is not None
        self.assertEqual(frozenset(('', 'a')), found.tags)
        self.assertEqual(b'abc', b''.join(self.end.read(found)))

    def test_an_image_at_a_location(self) -> None:
        # Glance has no hash of it.
        web = self.useFixture(loopback.WebStore(DATA))
        image = self.raw.create()
        self.raw.patch(image['id'], {
            'op': 'add', 'path': '/locations/-', 'value': {
                'url': web.url, 'metadata': {}}})
        found = self.end.image(image['id'])
        assert found is not None
        self.assertEqual(('active', {}, len(DATA)), (
            found.status, found.hashes, found.size))
        wanted = self.wanted(size=found.size)
        self.end.reserve(wanted)
        copy = self.end.write(wanted, self.end.read(found), found.hashes)
        self.assertBytes(DATA, self.raw.data(copy.id))
        self.assertIsNone(record.same_data(found, copy))

    def test_an_empty_image(self) -> None:
        wanted = self.wanted(size=0)
        self.end.reserve(wanted)
        found = self.end.write(wanted, case.Data(), case.hashes(b'', 'md5'))
        self.assertEqual(('active', 0), (found.status, found.size))
        self.assertEqual([], list(self.end.read(found)))


class Limits(case.EndCase):
    """What fit() tells beforehand, compared with what Glance accepts.

    :cvar traps: {field: values that do not fit}
    """

    traps: dict[str, list[typing.Any]]

    def is_accepted(self, wanted: record.Record) -> bool:
        """Return whether Glance accepts an image; it must not break."""
        end = self.make_end(num_retries=0)
        try:
            found = end.reserve(wanted)
        except (exception.Invalid, exception.Forbidden,
                exception.GlanceServerError):
            return False
        self.assertSame(wanted.but(status='queued', members=frozenset(),
                                   visibility=found.visibility,
                                   size=None), self.end.image(found.id))
        return True

    def test_what_does_not_fit_is_refused(self) -> None:
        for name, values in self.traps.items():
            for value in values:
                wanted = self.wanted(**{name: value})
                fit = self.end.fit(wanted)
                self.assertIsNone(fit.refusal, (name, value))
                self.assertNotEqual((), fit.losses)
                self.assertFalse(self.is_accepted(wanted), (name, value))
                # Glance refuses a tag only after it has created the image.
                self.assertTrue(self.is_accepted(
                    fit.record.but(id=base.new_id())))

    def test_what_is_refused(self) -> None:
        for name, values in REFUSALS.items():
            for value in values:
                wanted = self.wanted(**{name: value})
                self.assertTrue(self.end.fit(wanted).refusal, (name, value))
                self.assertFalse(self.is_accepted(wanted), (name, value))

    def test_what_fits_is_accepted(self) -> None:
        long = {'name': 255 * 'é', 'owner': 255 * 'é',
                'tags': frozenset((255 * 'é', 'a', 'A', '')),
                'min_disk': 2 ** 31 - 1}
        for fields in (
                long, {'name': None}, {'name': ''},
                {'name': ' \0\t\n'},
                {'properties': {255 * 'k': 65535 * 'x', ' ': '\0 \x7f\n'}},
                {'properties': {'%d' % one: '' for one in range(128)}}):
            wanted = self.wanted(**fields)
            self.assertEqual(ends.Fit(wanted), self.end.fit(wanted))
            self.assertTrue(self.is_accepted(wanted), fields)

    def test_an_image_without_formats_accepts_no_data(self) -> None:
        wanted = self.wanted(disk_format=None, container_format=None)
        self.assertTrue(self.end.fit(wanted).refusal)
        self.end.reserve(wanted)
        self.assertRaises(exception.ImageBadRequest, self.end.write, wanted,
                          case.Data(DATA), {})

    def test_the_schema_is_read_once(self) -> None:
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.image.endpoint._KNOWLEDGE', {}))
        self.assertAsks(['GET /v2/schemas/image'], lambda: [
            self.end.fit(self.wanted()) for _ in range(3)])
