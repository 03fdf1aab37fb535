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

"""The half of an audit that speaks the Images API v1."""

from __future__ import annotations

import collections.abc
import typing

from nova_image import exception
from nova_image.image import answers
from nova_image.image import glance
from nova_image.image import messages
from nova_image.status import checks as all_checks
from nova_image.status import facts
from nova_image.status import fixes
from nova_image.status import halves
from nova_image.status.v1 import checks as own_checks
from nova_image.status.v1 import repairs

Raw = dict[str, typing.Any]

#: a time before all images: with it, v1 lists what it hides otherwise
_EVER = [('changes-since', '1970-01-01T00:00:00Z')]
#: statuses of images that v1 lists only with a time (seen on 15.0.2)
_UNLISTED = ('killed', 'pending_delete')


class HalfV1(halves.Half):
    """A Glance with the Images API v1."""

    title = 'the Images API v1'
    version = 'v1'
    order = 2
    answers = frozenset(('members', 'exists', 'start', 'members of private'))

    def __init__(self, client: typing.Any, context: typing.Any) -> None:
        """Create the driver, which makes the requests."""
        super().__init__(client, context)
        self.driver = glance.GlanceImageService(client)

    def probe(self) -> None:
        """Make one short request. See Half."""
        next(self.driver.pages(self.context, [], None, 1, _page))

    def images(self) -> collections.abc.Iterator[facts.Image]:
        """Yield all images of all projects. See Half.

        v1 lists no community images of other projects.
        """
        return self._listed([])

    def unlisted(self) -> collections.abc.Iterator[facts.Image]:
        """Yield images that rest in the database. See Half."""
        for status in _UNLISTED:
            yield from self._listed([*_EVER, ('status', status)])

    def _listed(self, query: list[tuple[str, str]]
                ) -> collections.abc.Iterator[facts.Image]:
        for page in self.driver.pages(
                self.context, [('is_public', 'none'), *query], None,
                glance.PAGE_SIZE, _page):
            yield from map(to_image, page.images)

    def answer(self, question: facts.Question) -> typing.Any:
        """Return the answer to a question. See Half."""
        if question.kind == 'exists':
            return self.find(question.image_id) is not None
        if question.kind == 'start':
            return self._start(question.image_id)
        return [facts.Member(one['member_id']) for one in
                self.driver.members(self.context, question.image_id)]

    def find(self, image_id: str) -> Raw | None:
        """Return an image in the callers' format, or None."""
        try:
            found: Raw = self.driver.show(self.context, image_id,
                                          show_deleted=False)
        except exception.ImageNotFound:
            return None
        return found

    def _start(self, image_id: str) -> bytes:
        """Return the first bytes of an image's data; v1 has no ranges."""
        from nova_image.image import disk_formats

        def read(answer: messages.Answer) -> bytes:
            found = b''
            for piece in answer.chunks():
                found += piece
                if len(found) >= disk_formats.START:
                    break
            answer.close()
            return found[:disk_formats.START]

        found: bytes = self.client.call(self.context, messages.Request(
            'GET', glance.path(image_id), 'download', image_id, stream=True),
            read)
        return found

    @classmethod
    def checks(cls) -> list[all_checks.Check]:
        """Return new checks that only make sense with v1. See Half."""
        return [own_checks.HiddenProperties(), own_checks.PrivateMembers()]

    def repairs(self) -> dict[str, fixes.Repair]:
        """Return what can be mended through v1. See Half."""
        return repairs.of(self)


def _page(found: Raw) -> tuple[list[Raw], list[str]]:
    """Return the images of a page, for GlanceImageService.pages()."""
    def with_id(raw: Raw) -> Raw:
        answers.name(raw.get('id'))
        return raw

    return answers.page(found, 'images', with_id), []


def to_image(raw: Raw) -> facts.Image:
    """Return an image.

    What makes no sense is left out: an audit looks at all images.

    :param raw: the JSON of the image, which has an ID
    """
    properties = raw.get('properties')
    return facts.Image(
        id=raw['id'], status=halves.text(raw.get('status')) or 'unknown',
        name=halves.text(raw.get('name')),
        owner=halves.text(raw.get('owner')) or None,
        visibility='public' if raw.get('is_public') is True
        else facts.NOT_PUBLIC,
        disk_format=halves.text(raw.get('disk_format')),
        container_format=halves.text(raw.get('container_format')),
        size=raw['size'] if isinstance(raw.get('size'), int) else None,
        checksum=halves.text(raw.get('checksum')),
        properties=properties if isinstance(properties, dict) else {},
        created_at=halves.moment(raw.get('created_at')),
        updated_at=halves.moment(raw.get('updated_at')))
