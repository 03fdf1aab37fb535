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

"""The end of a replication for the Images API v1, on a real Glance 15.

This module is removed together with the v1 driver.
"""

import collections.abc
import hashlib
import itertools
import typing

import fixtures as lib_fixtures

from nova_image import exception
from nova_image.image import glance
from nova_image.replication import ends
from nova_image.replication import planner
from nova_image.replication import record as records
from nova_image.replication import rules
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

_IMAGE = '/v1/images/ID'
_LISTING = ('GET /v1/images/detail?is_public=none&sort_key=id&sort_dir=asc'
            '&limit=1000')
DATA = bytes(range(256)) * 40


class Pieces:
    """Data that can be iterated again.

    :ivar begun: how often that was done
    """

    def __init__(self, data: bytes, size: int = 4096,
                 error: Exception | None = None) -> None:
        """Prepare the data.

        :param size: of a piece
        :param error: is raised after the last piece
        """
        self.begun = 0
        self._data = data
        self._size = size
        self._error = error

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Yield the data, and raise the error."""
        self.begun += 1
        for position in range(0, len(self._data), self._size):
            yield self._data[position:position + self._size]
        if self._error:
            raise self._error


class EndTest(base.FunctionalTest):
    """An end at Glance 15.

    :ivar end: the end
    :ivar raw: shows the same images by v2
    """

    def setUp(self) -> None:
        """Load the end by its entry point."""
        super().setUp()
        self.server = servers.glance15()
        self.raw = self.raw_glance(self.server.url)
        self.end = self.load(self.server.url)

    def load(self, url: str, between: collections.abc.Callable[[], object]
             = lambda: None) -> ends.End:
        """Return the end at a URL.

        :param between: is called instead of a wait for the next attempt
        """
        return ends.load(base.make_conf({
            'use_glance_v1': True, 'api_servers': [url]}),
            self.admin(), sleep=lambda seconds: between())

    def source(self, data: bytes = DATA, **fields: typing.Any
               ) -> records.Record:
        """Return the record of an image elsewhere."""
        return records.Record(**{
            'id': base.new_id(), 'status': 'active', 'name': 'disk',
            'owner': self.project, 'disk_format': 'raw',
            'container_format': 'bare', 'size': len(data),
            'hashes': hashes_of(data), 'members': frozenset(), **fields})

    def wanted(self, source: records.Record) -> records.Record:
        """Return what the end can hold of an image, with the marker."""
        fit = self.end.fit(source.but(properties={
            **source.properties, records.MARKER: source.id}))
        self.assertIsNone(fit.refusal)
        return fit.record

    def reserved(self, data: bytes = DATA, **fields: typing.Any
                 ) -> records.Record:
        """Return an image without data, with the size of the data."""
        wanted = self.wanted(self.source(data, **fields))
        return self.end.reserve(wanted).but(size=len(data))

    def copied(self, data: bytes = DATA, **fields: typing.Any
               ) -> records.Record:
        """Return an image with data."""
        return self.end.write(self.reserved(data, **fields), Pieces(data), {})

    def assert_data(self, expected: bytes, found: bytes) -> None:
        """Compare data, without showing all of it if it differs."""
        same = expected == found
        self.assertTrue(same, 'the data differs')

    def status(self, image_id: str) -> str | None:
        """Return the status of an image, once no upload is in progress."""
        def shown() -> str | None:
            found = self.end.image(image_id)
            return found and found.status

        self.wait_for(lambda: shown() != 'saving', 'settled')
        return shown()


def hashes_of(data: bytes) -> dict[str, str]:
    """Return the hashes that Glance 33 has of data."""
    return {name: hashlib.new(name, data).hexdigest()
            for name in ('md5', 'sha512')}


class LifeTest(EndTest):
    """A whole replication: what is requested, and what becomes of it."""

    def test_life_of_an_image(self) -> None:
        base.make_driver('v1', [self.server.url]).client.knowledge(
            self.admin()).remember(glance.LONGEST_PAGE, 1000)
        source = self.source(
            name='Zürich 日本', protected=True, visibility='shared',
            min_disk=3, min_ram=5, properties={'os_type': 'línux'},
            members=frozenset((records.Member('p2'), records.Member('p1'))))
        wanted = self.wanted(source)
        with base.recording(self.server) as made:
            image = self.end.reserve(wanted)
        self.assertEqual(['POST /v1/images 201'], made.lines)
        self.assertEqual(
            ('queued', records.NOT_PUBLIC, False, None, self.project),
            (image.status, image.visibility, image.protected, image.size,
             image.owner))
        sent: list[int] = []
        with base.recording(self.server) as made:
            image = self.end.write(image.but(size=len(DATA)), Pieces(DATA),
                                   source.hashes, sent.append)
        self.assertEqual(['HEAD %s 200' % _IMAGE, 'PUT %s 200' % _IMAGE],
                         made.lines)
        self.assertEqual(('active', len(DATA), hashes_of(DATA)),
                         (image.status, image.size, image.hashes))
        self.assertEqual(len(DATA), sent[-1])
        assert wanted.members is not None
        with base.recording(self.server) as made:
            self.end.set_members(image.but(visibility='shared'),
                                 wanted.members)
            image = self.end.change(image, {'protected': True})
        self.assertEqual(['PUT %s/members 204' % _IMAGE,
                          'PUT %s 200' % _IMAGE], made.lines)
        with base.recording(self.server) as made:
            found = self.end.image(source.id)
        self.assertEqual(['HEAD ' + _IMAGE, 'GET /v1/images/detail',
                          'GET %s/members' % _IMAGE], made.calls)
        assert found is not None
        self.assert_same(wanted, found)
        with base.recording(self.server) as made:
            listed = list(self.end.images())
        self.assertEqual([_LISTING + ' 200'], made.lines)
        self.assertEqual([found.but(members=None, visibility='not public')],
                         listed)
        with base.recording(self.server) as made:
            data = b''.join(self.end.read(listed[0]))
        self.assertEqual(['GET %s 200' % _IMAGE], made.lines)
        self.assert_data(DATA, data)
        self.end.change(found, {'protected': False})
        with base.recording(self.server) as made:
            self.end.delete(source.id)
            self.end.delete(source.id)
            gone = self.end.image(source.id)
        self.assertEqual(['DELETE %s 200' % _IMAGE, 'DELETE %s 404' % _IMAGE,
                          'HEAD %s 200' % _IMAGE], made.lines)
        assert gone is not None
        self.assertEqual('deleted', gone.status)
        self.assertEqual([], list(self.end.images()))

    def assert_same(self, wanted: records.Record,
                    found: records.Record) -> None:
        """Check that the planner finds nothing to do."""
        self.assertEqual({}, planner.differences(
            wanted, found, rules.Rules(self.end.fit, self.end.fields)))

    def test_what_fits_is_what_v1_shows(self) -> None:
        every = ''.join(map(chr, itertools.chain(
            range(0x20, 0x7f), range(0x80, 0x800, 13))))
        source = self.source(
            name='a\nb\x01 \U0001f600 ' + 'ü' * 200, visibility='public',
            tags=frozenset(('t',)), hidden=True, owner='\xa0o\x85',
            properties={
                'Mixed': '1', 'mixed': '2', 'a-b': '3', "s!#$%&'*+.^`|~": '4',
                'a b': '5', 'ü': '6', 'a:b': '7', 'x' * 255: '8',
                'y' * 256: '9', 'empty': '', 'space': ' a', 'line': 'a\nb',
                'tab': 'a\tb', 'delete': 'a\x7fb', 'large': '\U0001f600',
                'every': '\xa0' + every + '\xa0', 'end': 'x\x85',
                'long': 'x' * 16000, 'longer': 'x' * 16384, 'None': 'None'})
        image = self.copied(**{
            name: getattr(source, name) for name in ends.FIELDS - {'status'}})
        wanted = self.wanted(source.but(id=image.id))
        final = self.end.change(image, {'visibility': 'public'})
        self.assert_same(wanted.but(members=None), final)
        found = self.end.image(image.id)
        assert found is not None
        self.assert_same(wanted, found)
        self.assert_same(wanted, next(self.end.images()))
        self.assertEqual('a b  \ufffd ' + 'ü' * 123, found.name)

    def test_limits_are_those_of_glance(self) -> None:
        """What just fits is accepted, and what does not fit is refused."""
        name = 'n' * 20
        longest = 16384 - 1 - len('x-image-meta-property-: \r\n') - len(name)
        for size, kept in ((longest, True), (longest + 1, False)):
            wanted = self.wanted(self.source(properties={name: 'v' * size}))
            self.assertEqual(kept, name in wanted.properties)
        image = self.reserved(properties={name: 'v' * longest})
        self.assertEqual(longest, len(image.properties[name]))
        many = {'p%03d' % number: 'v' * 400 for number in range(127)}
        self.assertEqual(128, len(self.reserved(
            properties=many).properties))
        fit = self.end.fit(self.source(properties=dict.fromkeys(
            many, 'v' * 450)))
        self.assertIn('properties', str(fit.refusal))

    def test_formats_are_asked_for_once(self) -> None:
        cases = (('raw', 'bare', None), ('gpt', 'bare', 'gpt'),
                 ('raw', 'zip', 'zip'), ('ami', 'bare', 'must match'),
                 ('ami', 'ami', None))
        for repeated in range(2):
            with base.recording(self.server) as made:
                for disk, container, text in cases:
                    refusal = self.end.fit(self.source(
                        disk_format=disk,
                        container_format=container)).data_refusal()
                    if text is None:
                        self.assertIsNone(refusal)
                    else:
                        self.assertIn(text, str(refusal))
            self.assertEqual(0 if repeated else 5, len(made.requests))
        self.assertEqual([], self.raw.images())

    def test_images_without_data(self) -> None:
        """Nova makes them of servers whose disks are volumes."""
        for formats in ({'disk_format': None, 'container_format': None},
                        {'disk_format': 'qcow2', 'container_format': None},
                        {}):
            with base.recording(self.server) as made:
                image = self.copied(b'', **formats)
            calls = ['POST /v1/images 201']
            if not formats:
                calls += ['HEAD %s 200' % _IMAGE, 'PUT %s 200' % _IMAGE]
            self.assertEqual(calls, made.lines)
            self.assertEqual(
                ('active', 0, {'md5': hashlib.md5(b'').hexdigest()}),
                (image.status, image.size, image.hashes))
            found = self.end.image(image.id)
            assert found is not None
            self.assertEqual(('active', 0), (found.status, found.size))
            self.assertEqual([], list(self.end.read(found)))

    def test_change_replaces_properties_only_if_asked_to(self) -> None:
        image = self.reserved(properties={'a': '1', 'b': '2'})
        image = self.end.change(image, {'name': None, 'owner': None,
                                        'min_disk': 7})
        self.assertEqual((None, None, 7, '1'), (
            image.name, image.owner, image.min_disk, image.properties['a']))
        image = self.end.change(image, {'properties': {'b': '3'}})
        self.assertEqual({'b': '3'}, image.properties)
        image = self.end.change(image, {'properties': {}})
        self.assertEqual({}, image.properties)

    def test_members_are_replaced(self) -> None:
        image = self.reserved()
        for projects in ('ab', 'bc', ''):
            members = frozenset(map(records.Member, projects))
            self.end.set_members(image, members)
            found = self.end.image(image.id)
            assert found is not None
            self.assertEqual(
                (members, 'shared' if members else 'private'),
                (found.members, found.visibility))
        self.raw.ask('POST', '/v2/images/%s/members' % image.id,
                     json={'member': 'd'})
        self.raw.ask('PUT', '/v2/images/%s/members/d' % image.id,
                     json={'status': 'accepted'})
        self.end.set_members(image, frozenset(map(records.Member, 'de')))
        answer = self.raw.ask('GET', '/v2/images/%s/members' % image.id)
        self.assertEqual({'d': 'accepted', 'e': 'pending'}, {
            one['member_id']: one['status']
            for one in answer.json()['members']})


class SourceTest(EndTest):
    """What the end shows of images that others have made."""

    def test_listing_shows_properties_as_v2_has_stored_them(self) -> None:
        properties = {'Mixed': '1', 'a-b': '2', 'a_b': '3', 'empty': '',
                      'line': 'a\nX-Image-Meta-Status: deleted\nb',
                      'space': ' a ', 'with space': '4'}
        image = self.raw.create(DATA, **properties)
        found, = self.end.images()
        self.assertEqual(properties, found.properties)
        self.assert_data(DATA, b''.join(self.end.read(found)))
        # The line break ends the headers of a HEAD, or adds false ones.
        self.assertEqual(found.but(visibility='private', members=frozenset()),
                         self.end.image(image['id']))

    def test_image_is_shown_as_it_is_listed(self) -> None:
        """Although many images may have changed in the same second."""
        images = [self.raw.create(DATA, Mixed=' x')['id'] for _ in range(25)]
        listed = {one.id: one for one in self.end.images()}
        for image in images[::8]:
            self.assertEqual(listed[image].but(
                visibility='private', members=frozenset()),
                self.end.image(image))

    def test_empty_property_of_v1(self) -> None:
        image = self.reserved()
        self.raw.ask('PUT', '/v1/images/' + image.id, headers={
            'x-image-meta-property-empty': ''})
        found, = self.end.images()
        self.assertEqual({'empty': ''}, found.properties)
        self.assertEqual(found.but(visibility='private', members=frozenset()),
                         self.end.image(image.id))
        self.assertEqual('', self.raw.image(image.id)['empty'])

    def test_deactivated_image_is_shown_but_not_read(self) -> None:
        image = self.copied()
        self.raw.ask('POST', '/v2/images/%s/actions/deactivate' % image.id,
                     204)
        listed, = self.end.images()
        shown = self.end.image(image.id)
        assert shown is not None
        self.assertEqual(['deactivated'] * 2, [listed.status, shown.status])
        with base.recording(self.server) as made:
            self.assertRaises(exception.ImageUnacceptable, list,
                              self.end.read(listed))
        self.assertEqual([], made.lines)
        self.assertRaises(exception.ImageNotAuthorized, list,
                          self.end.read(listed.but(status='active')))
        decision = planner.plan(listed, None, rules.Rules(
            ends.Fit, self.end.fields, self.end.readable))
        self.assertEqual(planner.Action.SKIP, decision.action)
        self.assertIn('deactivated', str(decision.reason))

    def test_missing_image(self) -> None:
        for unknown in (base.new_id(), 'detail', 'é', 'a/b'):
            self.assertIsNone(self.end.image(unknown))

    def test_images_of_all_projects_are_listed(self) -> None:
        """Except the community images of others, and killed ones."""
        made = {visibility: self.raw.create(
            owner='another', visibility=visibility)['id']
            for visibility in ('private', 'shared', 'public', 'community')}
        community = made.pop('community')
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.image.glance.PAGE_SIZE', 2))
        self.assertEqual(sorted(made.values()),
                         [one.id for one in self.end.images()])
        self.assertEqual({image_id: 'public' if visibility == 'public' else
                          records.NOT_PUBLIC
                          for visibility, image_id in made.items()},
                         {one.id: one.visibility
                          for one in self.end.images()})
        found = self.end.image(community)
        assert found is not None
        self.assertEqual('private', found.visibility)

    def test_a_member_is_not_enough(self) -> None:
        """v1 silently gives an image of a member to the member's project."""
        end = ends.load(base.make_conf({
            'use_glance_v1': True, 'api_servers': [self.server.url]}),
            self.context())
        image = self.wanted(self.source(owner='another'))
        error = self.assertRaises(exception.ImageNotAuthorized, end.reserve,
                                  image)
        self.assertIn(image.id, str(error.left))
