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

"""Creates replicas by the Images API v1, with their data or without.

One request can do both. The marker of a replica tells it from an image that
had the ID before, if the answer is lost.
"""

from __future__ import annotations

import collections.abc
import typing

from nova_image import exception
from nova_image.image import outcome
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication.v1 import limits
from nova_image.replication.v1 import translation
from nova_image.replication.v1 import upload

#: the fields of a new image that are not those of the record
_RESERVED = {'visibility': 'private', 'protected': False}
_NOT_SENT = frozenset(('members', 'status'))

#: returns the image with an ID, or None
Find = collections.abc.Callable[[str], typing.Optional[records.Record]]
Settle = collections.abc.Callable[[exception.NovaImageException],
                                  typing.Any]


class Post(typing.Protocol):
    """Sends a request that creates an image, and returns the image."""

    def __call__(self, image_id: str, headers: dict[str, str],
                 settle: Settle, body: upload.HeldSource | None = None
                 ) -> records.Record:
        """Send it."""


class Creator:
    """Creates the images of one Glance.

    :param post: sends the requests
    :param find: looks for an image, without its members
    """

    def __init__(self, post: Post, find: Find) -> None:
        self._post = post
        self._find = find
        self._kept_owners: set[str | None] = set()

    def reserve(self, image: records.Record) -> records.Record:
        """Create an image without data. See End.

        One that needs no data is active at once.
        """
        headers = self._headers(image)
        status = 'queued'
        if limits.has_no_file(image):
            headers['x-image-meta-size'], status = '0', 'active'

        def find_created(error: exception.NovaImageException
                         ) -> outcome.Found | outcome.Failed:
            found = self._ours(image) if isinstance(
                error, exception.ImageConflict) else None
            return (outcome.Found(found) if found and found.status == status
                    else outcome.Failed())

        made = self._sent(image, headers, find_created)
        self._check_owner(made, image)
        self._kept_owners.add(image.owner)
        # No image has ever had this ID.
        return made.but(members=frozenset())

    def can_send(self, image: records.Record) -> bool:
        """Return whether create() may send an image with its data.

        A Glance that does not give an image the wanted owner must not get any
        data. It makes a member's own project the owner, so only two owners
        show that it keeps them all: until then, the first image of an owner
        is reserved.
        """
        is_kept = (len(self._kept_owners) > 1 or
                   image.owner in self._kept_owners)
        return is_kept and not limits.has_no_file(image)

    def create(self, image: records.Record,
               body: upload.HeldSource) -> records.Record:
        """Create an image with its data in one request.

        :param image: as for reserve()
        :param body: the data, primed
        """
        unanswered = []

        def find_created(error: exception.NovaImageException) -> typing.Any:
            found = self._ours(image)
            if found and found.status == 'active':
                unanswered.append(True)
                return (outcome.Found(found) if found.size == body.size
                        else outcome.Failed())
            if found and found.status == 'saving' and isinstance(
                    error, exception.ImageConflict):
                # Until it drops or finishes the interrupted upload.
                return outcome.TryAgain()
            return outcome.Failed()

        try:
            made = self._sent(image, self._headers(image), find_created, body)
        except exception.NovaImageException as error:
            if error.left or body.failure is None:
                raise
            raise error.but(left='image %s, whose upload was interrupted'
                            % image.id) from error
        self._check_owner(made, image)
        self._check(made, body, not unanswered)
        return made.but(members=frozenset(), hashes=dict(body.digests))

    @staticmethod
    def _headers(image: records.Record) -> dict[str, str]:
        headers = translation.to_headers({
            **{name: getattr(image, name)
               for name in limits.FIELDS - _NOT_SENT},
            **_RESERVED})
        headers['x-image-meta-id'] = image.id
        return headers

    def _sent(self, image: records.Record, headers: dict[str, str],
              settle: Settle, body: upload.HeldSource | None = None
              ) -> records.Record:
        try:
            return self._post(image.id, headers, settle, body)
        except exception.ImageConflict as error:
            raise self._taken(image.id, error) from error

    def _ours(self, image: records.Record) -> records.Record | None:
        """Return the image with an ID if it is a replica of the same one."""
        found = self._find(image.id)
        return found if found and found.replica_of and (
            found.replica_of == image.replica_of) else None

    @staticmethod
    def _check_owner(made: records.Record, image: records.Record) -> None:
        """Raise if an image has another owner: v1 says nothing to a member."""
        if made.owner != image.owner:
            raise exception.ImageNotAuthorized(
                action='create', image_id=image.id,
                reason='Glance has made %s its owner instead of %s' % (
                    made.owner, image.owner), left='image %s' % image.id,
                advice='Use credentials of an administrator')

    @staticmethod
    def _check(made: records.Record, body: upload.HeldSource,
               is_answered: bool) -> None:
        """Raise if an image does not have the data that was sent."""
        same = body.has_hash('md5', made.hashes.get('md5'))
        if made.size == body.size and (
                same or same is None and is_answered):
            return
        raise exception.ImageUploadFailed(
            action='upload', image_id=made.id, left='image %s' % made.id,
            reason='Glance has other data than was sent')

    def _taken(self, image_id: str, error: exception.ImageConflict
               ) -> exception.ImageConflict:
        """Return the exception for an ID that an image has, or has had."""
        found = self._find(image_id)
        if found is None or found.status not in ('deleted', 'killed'):
            return error
        return ends.IdIsBurnt(
            action='create', image_id=image_id, endpoint=error.endpoint,
            status=error.status, advice='Replicate the image with a new ID',
            reason='an image with this ID was deleted'
            if found.status == 'deleted' else 'an upload to the image with '
            'this ID has failed, and v1 accepts no other one')
