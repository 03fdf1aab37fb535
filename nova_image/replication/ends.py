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

"""The contract of an end of a replication, and its loading.

An end is a Glance, or a folder, that images are read from or written to.
There is one implementation for each driver, found by its own entry point:
removing a driver removes its end.
"""

from __future__ import annotations

import abc
import collections.abc
import dataclasses
import typing

from nova_image import exception
from nova_image.replication import record as records

NAMESPACE = 'nova_image.replication.ends'

#: all fields of a Record that replication keeps equal, except the data
FIELDS = frozenset((
    'name', 'owner', 'visibility', 'protected', 'hidden', 'min_disk',
    'min_ram', 'disk_format', 'container_format', 'tags', 'properties',
    'members', 'status'))


class IdIsBurnt(exception.ImageConflict):
    """An image with this ID was deleted: Glance never accepts the ID again."""


class Unsuitable(exception.Invalid):
    """An end cannot do what was asked of it, so nothing has been changed."""

    headline = 'The target is not suitable'


class Origin(typing.NamedTuple):
    """A source as the Glance at the target finds it.

    :ivar region: its region in the catalog of the target's Keystone
    :ivar interface: such as 'public'
    """

    region: str
    interface: str


class Loss(typing.NamedTuple):
    """Something of an image that an end cannot hold.

    :ivar field: such as 'tags' or 'properties.Name'
    :ivar reason: text for people
    """

    field: str
    reason: str


def _nothing() -> None:
    """Return None."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """What an end can hold of an image.

    :ivar record: the image as the end would show it
    :ivar losses: what the end cannot hold
    :ivar refusal: why the end cannot hold the image at all, or None
    :ivar data_refusal: returns why the end refuses data in these formats, or
        None. It may take a request, and is not called if the end has the
        data.
    """

    record: records.Record
    losses: tuple[Loss, ...] = ()
    refusal: str | None = None
    data_refusal: collections.abc.Callable[[], str | None] = (
        dataclasses.field(default=_nothing, compare=False, repr=False))


class Hashed(typing.Protocol):
    """Data to send: an iterable of bytes that can be iterated again.

    Those that compute hashes to verify themselves may have ``hashes``. See
    hashes_of().
    """

    def __iter__(self) -> collections.abc.Iterator[bytes]:
        """Return the data from its first byte; verified at its end."""


def hashes_of(data: Hashed) -> dict[str, str]:
    """Return the hashes that data has, whenever it is read to its end.

    They need not be computed again: data that lacks them raises an exception
    before its iteration ends.

    :param data: the data
    :returns: {algorithm: hexadecimal digest}, empty if none is verified
    """
    return {name: value.lower()
            for name, value in getattr(data, 'hashes', {}).items()}


class Source(abc.ABC):
    """A Glance or a folder that images are read from.

    All methods may be called from several threads. They raise exceptions of
    nova_image.exception, like a driver.

    :ivar title: what messages call it, without secrets
    :ivar fields: the names in FIELDS that it has; the others of its records
        have their defaults and mean nothing
    :ivar readable: statuses of the images whose data read() returns
    :ivar is_dump: whether it is a folder rather than a Glance
    :ivar can_be_pulled: whether other Glances can read its data by themselves
    """

    title: str
    fields: frozenset[str] = FIELDS
    readable: frozenset[str] = frozenset(records.WITH_DATA)
    is_dump: bool = False
    can_be_pulled: bool = False

    @abc.abstractmethod
    def images(self) -> collections.abc.Iterator[records.Record]:
        """Yield all images of all projects, hidden ones too.

        Their members are None. Takes one request for 1000 images, and one
        more.

        They come in the order of their IDs, hidden ones apart: images and
        their replicas, which have the same IDs, then arrive at the same time
        and need not wait for each other in memory, while the times at which
        they were created have nothing in common. In either order, all images
        are listed that exist from the beginning of the listing to its end,
        because neither changes. Of those that are created during it, the
        order by ID shows some, and that by time, the latest first, none.
        Glance 33 on MariaDB needs no more time for it.
        """

    @abc.abstractmethod
    def image(self, image_id: str) -> records.Record | None:
        """Return one image with its members; None if there is none.

        The status 'deleted' is returned if the API shows deleted images.
        """

    def again(self, image: records.Record) -> records.Record | None:
        """Return an image as it is now, like image().

        :param image: as images() has listed it, which may save requests
        """
        return self.image(image.id)

    @abc.abstractmethod
    def members(self, image: records.Record) -> frozenset[records.Member]:
        """Return the members of an image; only a shared one is looked up."""

    @abc.abstractmethod
    def read(self, image: records.Record) -> Hashed:
        """Return the data of an image.

        Each iteration begins at the first byte. A broken connection is
        resumed, and the data is verified against its hash: the last piece is
        followed by ImageCorrupt if it is wrong.
        """


class End(Source):
    """A Glance or a folder that images are read from, or written to.

    :ivar members_touch: whether set_members() changes the time of an image
    :ivar pulls: whether write() makes the Glance read the data itself. The
        hashes that it returns are then those of the Glance.
    """

    members_touch = False
    pulls = False

    def choose_store(self, store: str) -> None:
        """Make write() send data to one of several stores.

        Images that have data remain where they are.

        :param store: its ID
        :raises Unsuitable: if there is no such store
        :raises ImageActionNotSupported: if this end has only one
        """
        raise self._unsupported('choose a store')

    def pull_from(self, origin: Origin) -> None:
        """Make write() let the Glance read the data from the source.

        :param origin: the source
        :raises Unsuitable: if this Glance cannot
        :raises ImageActionNotSupported: if no such end can
        """
        raise self._unsupported('read the data of another Glance')

    def _unsupported(self, action: str) -> exception.NovaImageException:
        return exception.ImageActionNotSupported(
            action=action, reason='%s does not use the Images API v2' %
            self.title)

    def overlaps(self, image: records.Record) -> bool:
        """Return whether another image may be sent before this one is done.

        It may once write() or create() has reported all data as progress.

        :param image: as it will be
        """
        return False

    @abc.abstractmethod
    def fit(self, image: records.Record) -> Fit:
        """Return what this end can hold of another end's image.

        Makes no request, except the first time.
        """

    @abc.abstractmethod
    def reserve(self, image: records.Record) -> records.Record:
        """Create an image without data that only its owner can see.

        It has all fields of ``image`` but these: it is not protected, not
        hidden, its status is queued, it has no members, and its visibility is
        'private', or 'shared' if it will have members.

        :param image: with the ID for the new image and the MARKER
        :raises ImageConflict: if the ID is taken
        :raises IdIsBurnt: if it was taken once
        """

    def create(self, image: records.Record, data: Hashed,
               hashes: collections.abc.Mapping[str, str],
               progress: collections.abc.Callable[[int], None] | None = None,
               ) -> records.Record | None:
        """Create an image with its data in one request.

        It is the same as reserve() and write(), to whose parameters, results
        and errors it keeps.

        :returns: None if this end does not do this; nothing was done then
        """
        return None

    @abc.abstractmethod
    def write(self, image: records.Record, data: Hashed,
              hashes: collections.abc.Mapping[str, str],
              progress: collections.abc.Callable[[int], None] | None = None,
              ) -> records.Record:
        """Send the data of a queued image, and verify it.

        :param image: with the size of the data
        :param hashes: those of the source that are known
        :param progress: called with the number of bytes sent so far. If the
            Glance reads the data itself, it is also called while there is
            no progress, and what it raises ends the wait.
        :returns: the image as it is then, with all hashes that were computed
            of the stream, so that they can be compared
        :raises ImageUploadFailed: if the end has other data than was sent, or
            what was sent does not have the hashes. The image is queued again
            or left as private; its status tells.
        """

    @abc.abstractmethod
    def change(self, image: records.Record,
               fields: collections.abc.Mapping[str, typing.Any]
               ) -> records.Record:
        """Change fields in one request; properties and tags as a whole.

        :param image: as this end has shown it
        :param fields: {name in FIELDS: value}, not members or status
        """

    @abc.abstractmethod
    def set_members(self, image: records.Record,
                    members: frozenset[records.Member]) -> None:
        """Give an image these members and their statuses, and no others.

        :param image: as this end has shown it, visibility 'shared'
        """

    @abc.abstractmethod
    def deactivate(self, image_id: str) -> None:
        """Prevent the data of an image from being downloaded by users."""

    @abc.abstractmethod
    def delete(self, image_id: str) -> None:
        """Delete an image; it is not an error if there is none."""


def load(conf: typing.Any, context: typing.Any,
         **options: typing.Any) -> End:
    """Return the end for the Glance that a configuration selects.

    :param conf: an oslo.config ConfigOpts with [glance]
    :param context: an administrator's context
    :param options: for nova_image.image.client.Client
    :raises DriverLoadError: if the driver is missing
    """
    # The help of the commands does not need the client libraries.
    from stevedore import driver as stevedore_driver

    from nova_image.image import driver

    images = driver.load(conf, log_is_ready=False, **options)
    return stevedore_driver.DriverManager(
        NAMESPACE, driver.name_of(conf)).driver(images, context)
