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

"""The end of a replication that speaks the Images API v2."""

from __future__ import annotations

import collections.abc
import functools
import typing

from nova_image import exception
from nova_image.image import glance_v2
from nova_image.image import messages
from nova_image.image.v2 import queries
from nova_image.image.v2 import records as v2_records
from nova_image.image.v2 import schema
from nova_image.image.v2 import uploads
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication.v2 import glance_download
from nova_image.replication.v2 import limits
from nova_image.replication.v2 import translation
from nova_image.replication.v2 import upload

#: the status if the end of another upload has spoilt this one
_GONE = 410
_CHANGED = 'image %s, which may have been changed'


def _no_progress(sent: int) -> None:
    """Do nothing."""


class _Data:
    """The data of an image; each iteration is a download, which resumes."""

    def __init__(self, end: 'EndV2', image_id: str) -> None:
        self._end = end
        self._id = image_id

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Download the data; it is verified at its end."""
        return self._end.download(self._id)


class EndV2(ends.End):
    """A Glance with the Images API v2.

    :param images: nova_image.image.glance_v2.GlanceImageServiceV2
    :param context: an administrator's context
    """

    can_be_pulled = True

    def __init__(self, images: glance_v2.GlanceImageServiceV2,
                 context: typing.Any) -> None:
        self._driver = images
        self._client = images.client
        self._context = context
        self._images = v2_records.Records(self._client)
        self._uploads = uploads.Uploads(self._client, self._images)
        self._lists_all = True
        self._store: str | None = None
        self._puller: glance_download.Puller | None = None

    @functools.cached_property
    def title(self) -> str:  # type: ignore[override]
        """What messages call it, unless it gets a title."""
        options = self._client.conf.glance
        return str(exception.redact('%s (Images API v2)' % (
            ', '.join(options.api_servers or ()) or
            options.endpoint_override or options.region_name or 'Glance')))

    @property
    def pulls(self) -> bool:  # type: ignore[override]
        """Whether the Glance reads the data from the source by itself."""
        return self._puller is not None

    def choose_store(self, store: str) -> None:
        """Make write() send data to a store. See End."""
        known = self._driver.import_info(self._context)['stores']
        names = [one['id'] for one in known if not one.get('read-only')]
        if store not in names:
            offered = 'whose writable stores are %s' % ', '.join(names) if (
                names) else 'which does not list several stores'
            raise ends.Unsuitable(
                reason='store %s is missing or read-only in %s, %s' % (
                    store, self.title, offered))
        self._store = store

    def pull_from(self, origin: ends.Origin) -> None:
        """Make write() use Glance's import method glance-download. See End.

        The store must have been chosen before.
        """
        self._puller = glance_download.Puller(
            self._client, self._context, origin, self._store)

    @property
    def fields(self) -> frozenset[str]:  # type: ignore[override]
        """The fields that this Glance has: an old one hides no images."""
        return ends.FIELDS if limits.has(
            self._offered(), 'os_hidden') else ends.FIELDS - {'hidden'}

    def _offered(self) -> schema.Schema:
        """Return the image schema, which is read once in a while."""
        return schema.find(self._client, self._context)

    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield all images. See End.

        Without the filters, Glance lists neither hidden images nor those of
        the community to an administrator.
        """
        hidden = set()
        if limits.has(self._offered(), 'os_hidden'):
            for image in self._listed([('os_hidden', 'true')]):
                hidden.add(image.id)
                yield image
        for image in self._listed([]):
            if image.id not in hidden:
                yield image

    def _listed(self, query: list[tuple[str, str]]
                ) -> collections.abc.Iterator[records.Record]:
        """Yield images of any visibility.

        Glance 15 answers 400 to the visibility all. Without it, it lists
        only those community images that are the caller's own.
        """
        if self._lists_all:
            pages = self._pages([*query, ('visibility', 'all')])
            try:
                first = next(pages)
            except exception.Invalid as error:
                if error.status != 400:
                    raise
                self._lists_all = False
            else:
                yield from first
                for page in pages:
                    yield from page
                return
        own = set()
        for page in self._pages(query):
            for image in page:
                if image.visibility == 'community':
                    own.add(image.id)
                yield image
        if limits.has_visibility(self._offered(), 'community'):
            for page in self._pages([*query, ('visibility', 'community')]):
                yield from (image for image in page if image.id not in own)

    def _pages(self, query: list[tuple[str, str]]
               ) -> collections.abc.Iterator[
                   collections.abc.Iterator[records.Record]]:
        for page in self._images.raw_pages(
                self._context, [('limit', queries.PAGE_SIZE),
                                ('sort_key', 'id'), ('sort_dir', 'asc'),
                                *query]):
            yield map(translation.listed, page.images)

    def image(self, image_id: str) -> records.Record | None:
        """Return one image with its members. See End."""
        raw = self._find(image_id)
        if raw is None:
            return None
        found = translation.to_record(raw)
        return found.but(members=self.members(found))

    def _find(self, image_id: str) -> translation.Raw | None:
        try:
            found: translation.Raw = self._images.get(
                self._context, image_id)
        except exception.ImageNotFound:
            return None
        return found

    def members(self, image: records.Record) -> frozenset[records.Member]:
        """Return the members of an image. See End."""
        if image.visibility != 'shared':
            return frozenset()
        return frozenset(
            records.Member(one['member_id'], one['status'])
            for one in self._driver.members(self._context, image.id))

    def read(self, image: records.Record) -> ends.Hashed:
        """Return the data of an image. See End."""
        return _Data(self, image.id)

    def download(self, image_id: str) -> collections.abc.Iterator[bytes]:
        """Download the data of an image, as read() does.

        :param image_id: ID of the image
        :returns: the pieces, after the last of which it is verified
        """
        yield from self._driver.download(self._context, image_id)

    def overlaps(self, image: records.Record) -> bool:
        """Return whether another image may be sent before this one is done.

        It may while this one is only read. Changes at the same time fail with
        500 at times if the database is SQLite.
        """
        return image.visibility in ('private', records.NOT_PUBLIC) and not (
            image.protected or image.hidden) and image.status == 'active'

    def fit(self, image: records.Record) -> ends.Fit:
        """Return what this Glance can hold of an image. See End."""
        return limits.fit(image, self._offered())

    def reserve(self, image: records.Record) -> records.Record:
        """Create an image without data. See End.

        If nobody owns the image, the caller's project will; that can be
        changed.

        A visible image with the ID is this one if it is equal in all fields,
        the marker included, and the answer to this very call was lost.

        :raises IdIsBurnt: if the ID is that of an image that was deleted
        """
        wanted = translation.to_create(image)
        try:
            raw = self._images.create(self._context, wanted, False,
                                      lambda answer: None)
        except exception.NovaImageException as error:
            if not (error.in_doubt or
                    isinstance(error, exception.ImageConflict)):
                raise
            raw = self._reserved(image, wanted, error)
        return translation.to_record(raw).but(members=frozenset())

    def _reserved(self, image: records.Record, wanted: translation.Raw,
                  error: exception.NovaImageException) -> translation.Raw:
        """Return the image that a call has created whose answer was lost.

        :raises NovaImageException: the error, if it has created none
        """
        raw = self._find(wanted['id'])
        found = None if raw is None else translation.to_record(raw)
        if raw is not None and found is not None and error.in_doubt and (
                found.status == 'queued' and found.replica_of and
                translation.to_create(found.but(
                    owner=image.owner and found.owner)) == wanted):
            return raw
        if not isinstance(error, exception.ImageConflict):
            clash = limits.clash(image) if error.status == 500 else None
            raise error.but(advice=clash) if clash else error
        if found is None:
            raise ends.IdIsBurnt(
                'The ID is that of a deleted image', action='create',
                image_id=wanted['id'], endpoint=error.endpoint,
                status=error.status, advice='Replicate the image with a new '
                'ID') from error
        raise exception.ImageConflict(
            'The ID is taken', action='create', image_id=wanted['id'],
            endpoint=error.endpoint, status=error.status,
            reason='the image with this ID is %s and belongs to %s' % (
                found.status, found.owner)) from error

    def write(self, image: records.Record, data: ends.Hashed,
              hashes: collections.abc.Mapping[str, str],
              progress: collections.abc.Callable[[int], None] | None = None,
              ) -> records.Record:
        """Send the data of a queued image, and verify it. See End.

        If the data of the source is wrong, its last piece is not sent, and
        the image is queued again. All data is reported as progress when Glance
        has stored it. See glance_download for data that Glance reads itself.

        :raises ImageConflict: if the image has data, or is receiving it.
            Glance may need a moment to drop an earlier upload that was cut:
            it then refuses this one, or drops it as well. Try again later.
        """
        if self._puller is not None:
            return self._puller.write(image, hashes, progress)
        report = progress or _no_progress
        body = upload.HeldSource(image, data, hashes, lambda sent: (
            None if sent == image.size else report(sent)))
        known = self._client.knowledge(self._context).get(
            uploads.HASH_ALGORITHM)
        body.hash_by(*([known] if known else ()))
        try:
            raw, answered = self._uploads.upload(
                self._context, image.id, body, store=self._store,
                stored=lambda: report(body.sent))
            self._uploads.check(raw, body, answered)
        except exception.ImageBadRequest as error:
            if error.status != _GONE:
                raise
            raise exception.ImageConflict(
                action='upload', image_id=image.id, status=error.status,
                endpoint=error.endpoint, reason=error.reason,
                left=error.left, in_doubt=error.in_doubt) from error
        finally:
            body.release()
        found = translation.to_record(raw)
        return found.but(
            members=None if found.visibility == 'shared' else frozenset(),
            hashes={**body.digests(), **found.hashes})

    def change(self, image: records.Record,
               fields: collections.abc.Mapping[str, typing.Any]
               ) -> records.Record:
        """Change fields in one request. See End.

        An image that becomes shared may have members from an earlier time.
        """
        operations = translation.operations(image, fields)
        if not operations:
            return image
        found = translation.to_record(self._images.patch(
            self._context, image.id, operations,
            lambda raw: translation.operations(
                translation.to_record(raw), fields)))
        members = image.members
        if found.visibility != image.visibility:
            members = None if found.visibility == 'shared' else frozenset()
        return found.but(members=members,
                         hashes={**image.hashes, **found.hashes})

    def set_members(self, image: records.Record,
                    members: frozenset[records.Member]) -> None:
        """Give an image these members and no others. See End."""
        if image.members is None:
            image = image.but(members=self.members(image))
        statuses: dict[str, str | None] = {
            one.project: one.status for one in image.members or ()}
        for project in sorted(statuses.keys() - {
                one.project for one in members}):
            self._remove_member(image.id, project)
        for member in sorted(members, key=lambda one: one.project):
            if member.project not in statuses:
                statuses[member.project] = self._add_member(
                    image.id, member.project)
            if member.status not in (None, statuses[member.project]):
                self._driver.set_member_status(
                    self._context, image.id, member.project, member.status)

    def _remove_member(self, image_id: str, project: str) -> None:
        try:
            self._driver.remove_member(self._context, image_id, project)
        except exception.NotFound:
            if self._find(image_id) is None:
                raise

    def _add_member(self, image_id: str, project: str) -> str | None:
        """Add a member, and return its status; None if it is not known."""
        try:
            status: str | None = self._driver.add_member(
                self._context, image_id, project)['status']
        except exception.ImageConflict:  # somebody else has added it
            return None
        return status

    def deactivate(self, image_id: str) -> None:
        """Prevent the data from being downloaded by users. See End."""
        self._client.call(self._context, messages.Request(
            'POST', v2_records.path(image_id, 'actions', 'deactivate'),
            'deactivate', image_id, doubt=_CHANGED % image_id))

    def delete(self, image_id: str) -> None:
        """Delete an image; it is not an error if there is none. See End.

        :raises ImageNotAuthorized: if it is protected
        """
        try:
            self._driver.delete(self._context, image_id)
        except exception.ImageNotFound:
            pass
