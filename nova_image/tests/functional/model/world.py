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

"""The images of a modelled Glance, and whose change each of their values is.

The servers of both Images APIs change images only by the methods of World, so
that the judge can tell what a call has done.
"""

import collections.abc
import dataclasses
import hashlib
import typing

#: who changes images: the call under test, another client, Glance itself
CALL, OTHER, GLANCE = 'call', 'other', 'glance'
BEFORE = 'before'

#: the project of the caller, and another one
OURS, THEIRS = 'our-project', 'their-project'


@dataclasses.dataclass(frozen=True)
class Options:
    """How a modelled Glance is set up.

    :ivar hashes: the names of the hashes that it records: the checksum is
        ``md5``, any other is the os_hash_algo
    :ivar locations: how it accepts locations: ``patch``, ``api`` or ``none``
    :ivar stores: the IDs of its stores; empty if it does not name them
    :ivar decompresses: whether imports decompress data
    :ivar looks: the looks at an image until work on it ends
    :ivar work: how work ends: ``done``, ``failed`` or ``stuck``
    :ivar shows_tasks: whether it shows the tasks of imports
    """

    hashes: tuple[str, ...] = ('md5', 'sha512')
    locations: str = 'patch'
    stores: tuple[str, ...] = ('fast', 'slow')
    decompresses: bool = False
    looks: int = 1
    work: str = 'done'
    shows_tasks: bool = True


@dataclasses.dataclass
class Image:
    """An image: its values, and who has set them.

    :ivar maker: who has created it: BEFORE, CALL or OTHER
    :ivar values: name -> value; ``data`` and ``staged`` are bytes or None,
        ``prop:NAME`` are custom properties
    :ivar writers: name of a value -> who has set it last in this call
    :ivar originals: name of a value -> what it was before the call set it
    :ivar known: the names of the values whose change was answered to the call;
        ``made`` for the image itself
    :ivar gone: who has deleted it, or None
    :ivar work: the Work that Glance still does on it, or None
    :ivar was_at_work: whether Glance still worked for the call on it when it
        was deleted
    """

    id: str
    maker: str
    values: dict[str, typing.Any]
    writers: dict[str, str] = dataclasses.field(default_factory=dict)
    originals: dict[str, typing.Any] = dataclasses.field(default_factory=dict)
    known: set[str] = dataclasses.field(default_factory=set)
    gone: str | None = None
    work: 'Work | None' = None
    was_at_work: bool = False

    def changed_by_call(self) -> list[str]:
        """Return the names of the values that the call has changed."""
        return sorted(name for name, before in self.originals.items()
                      if self.writers[name] == CALL and
                      self.values.get(name) != before)


@dataclasses.dataclass
class Work:
    """Work that Glance does on an image after it has answered.

    :ivar looks: the looks that are left until it ends
    :ivar actor: who has begun it
    :ivar end: called with the actor when it ends
    :ivar task: the ID of its task
    """

    actor: str
    looks: int
    end: collections.abc.Callable[[str], None]
    task: str


class World:
    """Images and the data in stores.

    :ivar images: {ID: Image}, with the deleted ones, whose IDs Glance does
        not accept again
    :ivar data: {URL: bytes} of the data in stores that locations name
    :ivar removed: {URL: who has made Glance delete it}
    :ivar recent: the values that the call's last request has set
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.images: dict[str, Image] = {}
        self.data: dict[str, bytes] = {}
        self.removed: dict[str, str] = {}
        self.tasks: list[dict[str, typing.Any]] = []
        self.recent: list[tuple[Image, str]] = []

    def begin_call(self) -> None:
        """Forget who has done what: it all was there before the next call."""
        self.removed = {}
        for image in self.images.values():
            if image.work:
                image.work.actor = OTHER
            image.maker = BEFORE
            image.gone = image.gone and BEFORE
            image.writers, image.originals, image.known = {}, {}, set()

    def find(self, image_id: str) -> Image | None:
        """Return an image that exists, or None."""
        image = self.images.get(image_id)
        return image if image and not image.gone else None

    def create(self, actor: str, image_id: str,
               **values: typing.Any) -> Image:
        """Create a queued image."""
        image = self.images[image_id] = Image(image_id, actor, dict({
            'name': None, 'status': 'queued', 'size': None, 'data': None,
            'staged': None, 'location': None, 'members': (), 'stores': (),
            'visibility': 'shared', 'owner': OURS, 'disk_format': 'raw',
            'container_format': 'bare', 'checksum': None,
            'os_hash_algo': None, 'os_hash_value': None}, **values))
        if actor == CALL:
            self.recent.append((image, 'made'))
        return image

    def write(self, actor: str, image: Image, **values: typing.Any) -> None:
        """Set values of an image."""
        for name, value in values.items():
            if actor == CALL:
                self.recent.append((image, name))
                if image.writers.get(name) != CALL:
                    image.originals[name] = image.values.get(name)
            image.writers[name] = actor
            image.values[name] = value

    def store(self, actor: str, image: Image, data: bytes,
              stores: tuple[str, ...] = ()) -> None:
        """Make an image active with data."""
        found = digests(data, self.options.hashes)
        self.write(actor, image, data=data, status='active', size=len(data),
                   staged=None, stores=stores or self.options.stores[:1],
                   **found)

    def locate(self, actor: str, image: Image, url: str) -> None:
        """Make an image active with data that is in a store already."""
        self.write(actor, image, location=url, status='active',
                   size=len(self.data[url]), data=self.data[url])

    def delete(self, actor: str, image: Image) -> None:
        """Delete an image, and the data that its location names."""
        image.gone = actor
        image.was_at_work = (
            image.work is not None and image.work.actor == CALL)
        image.work = None
        url = image.values['location']
        if url in self.data:
            del self.data[url]
            self.removed[url] = actor

    def look(self, image: Image) -> None:
        """Let a moment pass for the work on an image."""
        work = image.work
        if work is None or self.options.work == 'stuck' and (
                work.actor == CALL):
            return
        work.looks -= 1
        if work.looks < 0:
            image.work = None
            work.end(work.actor)


def digests(data: bytes, names: tuple[str, ...]) -> dict[str, str | None]:
    """Return the values of an image's hashes.

    :param names: those of the hashes that Glance records
    """
    best = next((name for name in names if name != 'md5'), None)
    return {
        'checksum': digest('md5', data) if 'md5' in names else None,
        'os_hash_algo': best,
        'os_hash_value': digest(best, data) if best else None}


def digest(name: str, data: bytes) -> str:
    """Return a hexadecimal digest."""
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()
