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

"""The end of a replication that speaks the Images API v1."""

from __future__ import annotations

import collections.abc
import datetime
import functools
import threading
import time
import typing
import uuid

from nova_image import exception
from nova_image.image import answers
from nova_image.image import glance
from nova_image.image import messages
from nova_image.image.transfer import fetch
from nova_image.image.transfer import recorded
from nova_image.image import values
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication.v1 import creating
from nova_image.replication.v1 import limits
from nova_image.replication.v1 import translation
from nova_image.replication.v1 import upload

#: images of one size that one second may have changed, as a rule
_NEARBY = 20
#: seconds for which the headers of a download say how the image is
_FRESH = 1.0
_PURGE = 'x-glance-registry-purge-props'
_CHANGED = 'image %s, which may have been changed'


def _found(images: collections.abc.Iterable[records.Record],
           image_id: str) -> records.Record | None:
    """Return the image with an ID, or None."""
    return next((one for one in images
                 if one.id.lower() == image_id.lower()), None)


class _Data:
    """The data of an image; each iteration is a download.

    v1 ignores ranges: a download that is resumed begins again, and what has
    arrived already is skipped.

    :ivar hashes: what download() verifies; see ends.hashes_of()
    """

    def __init__(self, end: 'EndV1', image: records.Record) -> None:
        md5 = image.hashes.get('md5')
        self.hashes = {'md5': md5} if md5 else {}
        self._end = end
        self._image = image

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Download the data."""
        return self._end.download(self._image)


class _Seen:
    """What the answers to downloads have shown of their images.

    A small image need not be looked at again for _FRESH seconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, records.Record]] = {}

    def put(self, image_id: str,
            headers: collections.abc.Mapping[str, str]) -> None:
        """Remember the headers of an answer, if they describe the image."""
        try:
            image = translation.from_headers(headers, image_id)
        except answers.Unreadable:
            return
        now = time.monotonic()
        with self._lock:
            self._found = {
                name: found for name, found in self._found.items()
                if now - found[0] < _FRESH}
            self._found[image_id] = now, image

    def take(self, image_id: str) -> records.Record | None:
        """Return the image, if it was seen just now; once."""
        with self._lock:
            seen, image = self._found.pop(image_id, (0.0, None))
        return image if time.monotonic() - seen < _FRESH else None


class EndV1(ends.End):
    """A Glance with the Images API v1.

    :param images: nova_image.image.glance.GlanceImageService
    :param context: an administrator's context
    """

    fields = limits.FIELDS
    readable = frozenset(('active',))
    members_touch = True  # it becomes shared, or private

    def __init__(self, images: glance.GlanceImageService,
                 context: typing.Any) -> None:
        self._images = images
        self._client = images.client
        self._context = context
        self._formats: dict[tuple[str, str], str | None] = {}
        self._seen = _Seen()
        self._creator = creating.Creator(self._post, self._head)

    @functools.cached_property
    def title(self) -> str:  # type: ignore[override]
        """What messages call it, unless it gets a title."""
        options = self._client.conf.glance
        return str(exception.redact('%s (Images API v1)' % (
            options.endpoint_override or ', '.join(
                options.api_servers or ()) or options.region_name or
            'Glance')))

    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield all images. See End.

        v1 lists neither killed images nor other projects' community images.
        """
        for page in self._images.pages(
                self._context, [('is_public', 'none'), ('sort_key', 'id'),
                                ('sort_dir', 'asc')], None,
                glance.PAGE_SIZE, translation.page):
            yield from map(translation.listed, page.images)

    def image(self, image_id: str) -> records.Record | None:
        """Return one image, as it is listed. See End."""
        image = self._head(image_id)
        return image and self._complete(image, self._as_listed)

    def again(self, image: records.Record) -> records.Record | None:
        """Return one image, as it is listed. See End.

        The headers of a download that has just begun are those of the image.
        If they have not changed since, it need not be listed again.
        """
        def listed(found: records.Record) -> records.Record:
            if translation.in_headers(found) == translation.in_headers(image):
                return image.but(hashes=found.hashes)
            return self._as_listed(found)

        head = self._seen.take(image.id) or self._head(image.id, image)
        return head and self._complete(head, listed)

    def _complete(self, image: records.Record, listed: collections.abc.Callable
                  [[records.Record], records.Record]) -> records.Record:
        """Return the image of an answer to HEAD with all of its fields.

        :param listed: returns the image as it is listed
        """
        if image.status == 'deleted':
            return image.but(members=frozenset(), visibility='private')
        image = listed(image)
        members = self.members(image)
        if image.visibility == records.NOT_PUBLIC:
            image = image.but(visibility='shared' if members else 'private')
        return image.but(members=members)

    def _head(self, image_id: str, known: records.Record | None = None
              ) -> records.Record | None:
        """Return one image as its headers show it, or None.

        :param known: the image as it was listed, which may save a listing of
            all images if the headers are incomplete
        """
        try:
            answer = self._call('HEAD', 'show', image_id)
        except exception.ImageNotFound:
            return None
        try:
            return translation.from_headers(answer.headers, image_id)
        except answers.Unreadable:  # a line break in a property
            return (known and self._nearby(known)) or _found(
                self.images(), image_id)

    def _as_listed(self, image: records.Record) -> records.Record:
        """Return an image as it is listed.

        The headers of an image differ from its listing in what v2 has stored:
        names of properties are in lower case, spaces before values and line
        breaks are gone, and so are empty properties of v1.
        """
        return self._nearby(image) or image

    def _nearby(self, image: records.Record) -> records.Record | None:
        """Return an image from a listing that is as short as possible.

        :returns: None if it is not there, because it has changed since
        """
        if image.updated_at is None or image.status == 'killed':
            return None
        since = image.updated_at - datetime.timedelta(seconds=1)
        query = [('is_public', 'none'), ('sort_key', 'updated_at'),
                 ('sort_dir', 'asc'),
                 ('changes-since', values.moment('updated_at', since))]
        if image.size is not None:
            query += [('size_min', image.size), ('size_max', image.size)]
        page = next(self._images.pages(self._context, query, None, _NEARBY,
                                       translation.page))
        found = _found(map(translation.listed, page.images), image.id)
        if found is None and len(page.images) >= _NEARBY:
            found = _found(self.images(), image.id)
        return found

    def members(self, image: records.Record) -> frozenset[records.Member]:
        """Return the members of an image. See End."""
        if image.visibility not in ('shared', records.NOT_PUBLIC):
            return frozenset()
        return frozenset(records.Member(one['member_id']) for one in
                         self._images.members(self._context, image.id))

    def read(self, image: records.Record) -> ends.Hashed:
        """Return the data of an image. See End."""
        return _Data(self, image)

    def download(self, image: records.Record
                 ) -> collections.abc.Iterator[bytes]:
        """Return the data as an iterator that verifies itself at its end.

        What the listing has shown is what the data must be: the headers of
        the download may lack it.

        :raises ImageUnacceptable: if v1 does not give it to anybody
        """
        if image.status not in self.readable:
            raise exception.ImageUnacceptable(
                action='download', image_id=image.id,
                reason='the Images API v1 returns no data of an image that '
                       'is %s' % image.status)
        expected = recorded.Recorded(image.size, 'md5',
                                     image.hashes.get('md5'))
        request = messages.Request(
            'GET', glance.path(image.id), 'download', image.id, stream=True)

        def record_of(answer: messages.Answer) -> recorded.Recorded:
            self._seen.put(image.id, answer.headers)
            return expected

        return fetch.Download(self._client, self._context, request,
                              record_of).run()

    def overlaps(self, image: records.Record) -> bool:
        """Return True: the registry stores the images, one after another."""
        return True

    def fit(self, image: records.Record) -> ends.Fit:
        """Return what v1 can hold of an image. See End.

        Whether it refuses data takes one request for each pair of formats.
        """
        return limits.fit(image, self._refused_formats)

    def _refused_formats(self, disk: str, container: str) -> str | None:
        """Return why this Glance refuses formats, or None.

        v1 has no schema. It checks the formats of a change before it looks
        for the image.
        """
        if (disk, container) not in self._formats:
            self._formats[disk, container] = self._ask_about_formats(
                disk, container)
        return self._formats[disk, container]

    def _ask_about_formats(self, disk: str, container: str) -> str | None:
        try:
            self._call('PUT', 'update', str(uuid.uuid4()),
                       raw_headers=translation.to_headers({
                           'disk_format': disk,
                           'container_format': container}))
        except exception.ImageBadRequest as error:
            return error.reason
        except (exception.NotFound, exception.Forbidden):
            pass
        return None

    def reserve(self, image: records.Record) -> records.Record:
        """Create an image without data, active if it needs none. See End."""
        return self._creator.reserve(image)

    def create(self, image: records.Record, data: ends.Hashed,
               hashes: collections.abc.Mapping[str, str],
               progress: collections.abc.Callable[[int], None] | None = None,
               ) -> records.Record | None:
        """Create an image with its data in one request. See End.

        An upload that fails after it began leaves the image killed, as
        write() does.
        """
        if not self._creator.can_send(image):
            return None
        held = upload.HeldSource(data, image.size, hashes, progress)
        try:
            held.prime()
            return self._creator.create(image, held)
        finally:
            held.close()

    def _post(self, image_id: str, headers: dict[str, str],
              settle: creating.Settle,
              body: upload.HeldSource | None = None) -> records.Record:
        return self._changed(
            'POST', 'upload' if body else 'create', image_id, headers,
            'image %s, if this call has created it', settle, body)

    def write(self, image: records.Record, data: ends.Hashed,
              hashes: collections.abc.Mapping[str, str],
              progress: collections.abc.Callable[[int], None] | None = None,
              ) -> records.Record:
        """Send the data of a queued image. See End.

        An upload that fails after it began leaves the image killed. It begins
        when the source has returned the first bytes; small images are
        verified before.
        """
        held = upload.HeldSource(data, image.size, hashes, progress)
        try:
            held.prime()
            if limits.has_no_file(image):
                return image.but(hashes=dict(held.digests))
            found = self._images.update(
                self._context, image.id, {}, held, purge_props=False)
        finally:
            held.close()
        return image.but(status=found['status'], size=found['size'],
                         hashes=dict(held.digests),
                         updated_at=found['updated_at'])

    def change(self, image: records.Record,
               fields: collections.abc.Mapping[str, typing.Any]
               ) -> records.Record:
        """Change fields in one request. See End."""
        headers = translation.to_headers(fields)
        headers[_PURGE] = str('properties' in fields)
        return self._changed('PUT', 'update', image.id, headers, _CHANGED)

    def _changed(self, method: str, action: str, image_id: str,
                 headers: dict[str, str], doubt: str,
                 settle: creating.Settle | None = None,
                 body: upload.HeldSource | None = None) -> records.Record:
        """Make a request whose answer is ``{"image": {}}``."""
        def read(found: dict[str, typing.Any]) -> records.Record:
            return translation.from_json(found.get('image') or {}, image_id)

        return self._call(
            method, action, image_id, lambda answer: answer.read(read),
            settle, raw_headers=headers, body=body,
            doubt=doubt % image_id)

    def set_members(self, image: records.Record,
                    members: frozenset[records.Member]) -> None:
        """Give an image these members. See End; they have no status."""
        self._call('PUT', 'set the members of', image.id, below=('members',),
                   json={'memberships': [
                       {'member_id': project} for project in
                       sorted(one.project for one in members)]},
                   doubt=_CHANGED % image.id)

    def deactivate(self, image_id: str) -> None:
        """Refuse: v1 has no such action, and answers 403 to a new status."""
        raise exception.ImageActionNotSupported(
            action='deactivate', image_id=image_id,
            reason='the Images API v1 cannot deactivate an image')

    def delete(self, image_id: str) -> None:
        """Delete an image. See End; its ID cannot be used again."""
        try:
            self._images.delete(self._context, image_id)
        except exception.ImageNotFound:
            pass

    def _call(self, method: str, action: str, image_id: str,
              consume: collections.abc.Callable[..., typing.Any] | None = None,
              settle: collections.abc.Callable[..., typing.Any] | None = None,
              below: tuple[str, ...] = (), **options: typing.Any
              ) -> typing.Any:
        path = (glance.IMAGES if method == 'POST'
                else glance.path(image_id, *below))
        return self._client.call(self._context, messages.Request(
            method, path, action, image_id, **options), consume, settle)
