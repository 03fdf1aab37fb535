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

"""The half of an audit that speaks the Images API v2."""

from __future__ import annotations

import collections.abc
import typing

from nova_image import exception
from nova_image.image import glance_v2
from nova_image.image import messages
from nova_image.image.v2 import queries
from nova_image.image.v2 import records
from nova_image.image.v2 import schema
from nova_image.image.v2 import translation
from nova_image.status import checks as all_checks
from nova_image.status import facts
from nova_image.status import fixes
from nova_image.status import halves
from nova_image.status.v2 import checks as own_checks
from nova_image.status.v2 import repairs
from nova_image.status.v2 import write_tests

Raw = dict[str, typing.Any]

#: status of an image without one; the audit looks at it anyway
_UNKNOWN = 'unknown'


class HalfV2(halves.Half):
    """A Glance with the Images API v2."""

    title = 'the Images API v2'
    version = 'v2'
    order = 1
    answers = frozenset(('members', 'readable', 'exists', 'start'))
    shows = frozenset(('visibility', 'hashes', 'locations', 'formats'))

    def __init__(self, client: typing.Any, context: typing.Any) -> None:
        """Create the parts of the driver that make the requests."""
        super().__init__(client, context)
        self.records = records.Records(client)
        self.driver = glance_v2.GlanceImageServiceV2(client)

    def probe(self) -> None:
        """Make one short request. See Half."""
        next(self.records.raw_pages(self.context, [('limit', 1)]))

    def images(self) -> collections.abc.Iterator[facts.Image]:
        """Yield all images of all projects, hidden ones too. See Half."""
        offered = schema.find(self.client, self.context).properties
        hidden = set()
        if 'os_hidden' in offered:
            for raw in self._listed([('os_hidden', 'true')], offered):
                hidden.add(raw['id'])
                yield to_image(raw)
        for raw in self._listed([], offered):
            if raw['id'] not in hidden:
                yield to_image(raw)

    def _listed(self, query: list[tuple[str, str]], offered: Raw
                ) -> collections.abc.Iterator[Raw]:
        """Yield images of any visibility.

        Glance 15 answers 400 to the visibility all. Without it, it lists only
        those community images that are the caller's own.

        :param offered: the fields in the image schema
        """
        try:
            for raw in self._pages([*query, ('visibility', 'all')]):
                yield raw
            return
        except exception.Invalid as error:
            if error.status != 400:
                raise
        own = set()
        for raw in self._pages(query):
            if raw.get('visibility') == 'community':
                own.add(raw['id'])
            yield raw
        enum = offered.get('visibility', {}).get('enum', ())
        if 'community' in enum:
            for raw in self._pages([*query, ('visibility', 'community')]):
                if raw['id'] not in own:
                    yield raw

    def _pages(self, query: list[tuple[str, str]]
               ) -> collections.abc.Iterator[Raw]:
        for page in self.records.raw_pages(
                self.context, [('limit', queries.PAGE_SIZE), *query]):
            yield from page.images

    def find(self, image_id: str) -> Raw | None:
        """Return an image as v2 shows it, or None."""
        try:
            found: Raw = self.records.get(self.context, image_id)
        except exception.ImageNotFound:
            return None
        return found

    def answer(self, question: facts.Question) -> typing.Any:
        """Return the answer to a question. See Half."""
        if question.kind == 'exists':
            return self.find(question.image_id) is not None
        if question.kind == 'readable':
            # The answer 500 is what it asks for, and no reason to retry.
            self.records.get(self.context, question.image_id, once=True)
            return None
        if question.kind == 'start':
            return self._start(question.image_id)
        return self.members(question.image_id)

    def members(self, image_id: str) -> list[facts.Member]:
        """Return the members of a shared image."""
        return [facts.Member(one['member_id'], one['status'])
                for one in self.driver.members(self.context, image_id)]

    def _start(self, image_id: str) -> bytes:
        """Return the first bytes of an image's data."""
        from nova_image.image import disk_formats

        def read(answer: messages.Answer) -> bytes:
            found = b''
            for piece in answer.chunks():
                found += piece
                if len(found) >= disk_formats.START:
                    break
            answer.close()
            return found[:disk_formats.START]

        for headers in ({'Range': 'bytes=0-%d' % (
                disk_formats.START - 1)}, {}):
            try:
                found: bytes = self.client.call(self.context, messages.Request(
                    'GET', records.path(image_id, 'file'), 'download',
                    image_id, headers=headers, stream=True), read)
                return found
            except exception.ImageBadRequest as error:
                # rbd, swift, s3 and http stores have no ranges.
                if error.status not in (400, 416) or not headers:
                    raise
        raise AssertionError  # not reached

    def formats(self) -> facts.Formats:
        """Return the formats that the Glance accepts. See Half."""
        found = schema.find(self.client, self.context)
        return facts.Formats(tuple(found.disk_format),
                             tuple(found.container_format))

    @classmethod
    def checks(cls) -> list[all_checks.Check]:
        """Return new checks that only make sense with v2. See Half."""
        return [own_checks.PendingMembers(), own_checks.Locations()]

    def repairs(self) -> dict[str, fixes.Repair]:
        """Return what can be mended through v2. See Half."""
        return repairs.of(self)

    def write_tests(self) -> collections.abc.Iterator[
            tuple[str, str | None]]:
        """Try on a scratch image what the caller may do. See Half."""
        return write_tests.run(self)


def to_image(raw: Raw) -> facts.Image:
    """Return an image.

    What makes no sense is left out: an audit looks at all images.

    :param raw: the JSON of the image, which has an ID
    """
    locations = raw.get('locations')
    return facts.Image(
        id=raw['id'], status=halves.text(raw.get('status')) or _UNKNOWN,
        name=halves.text(raw.get('name')),
        owner=halves.text(raw.get('owner')) or None,
        visibility=halves.text(raw.get('visibility')) or 'private',
        disk_format=halves.text(raw.get('disk_format')),
        container_format=halves.text(raw.get('container_format')),
        size=raw['size'] if isinstance(raw.get('size'), int) else None,
        checksum=halves.text(raw.get('checksum')),
        hash_value=halves.text(raw.get('os_hash_value', '')),
        properties={name: value for name, value in raw.items()
                    if translation.is_custom(name)},
        locations=None if not isinstance(locations, list) else tuple(
            str(one.get('url')) for one in locations
            if isinstance(one, dict)),
        created_at=halves.moment(raw.get('created_at')),
        updated_at=halves.moment(raw.get('updated_at')))
