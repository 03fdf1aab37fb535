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

"""What a modelled Glance does, whatever the Images API.

The rules are those of Glance 15.0.2 and 33.0.0.
"""

import gzip
import typing

from nova_image.tests.functional.model import world as worlds


class Refused(Exception):
    """Glance refuses a request.

    :ivar status: the HTTP status of its answer
    """

    def __init__(self, status: int, why: str = '') -> None:
        super().__init__(why)
        self.status = status


class Service:
    """The operations of a Glance, for any client.

    Each raises Refused if it changes nothing. ``actor`` is the client.

    :ivar dropped: the status of an image whose upload was interrupted
    """

    dropped = 'queued'

    def __init__(self, world: worlds.World) -> None:
        self.world = world
        self.options = world.options

    def get(self, image_id: str) -> worlds.Image:
        """Return an image that the caller may see."""
        image = self.world.find(image_id)
        if image is None or image.values['owner'] != worlds.OURS and (
                image.values['visibility'] != 'public'):
            raise Refused(404)
        return image

    def _own(self, actor: str, image_id: str) -> worlds.Image:
        """Return an image that a client may change."""
        image = self.world.find(image_id)
        if actor != worlds.CALL and image is not None:
            return image
        image = self.get(image_id)
        if image.values['owner'] != worlds.OURS:
            raise Refused(403)
        return image

    def create(self, actor: str, image_id: str,
               **values: typing.Any) -> worlds.Image:
        """Create a queued image; the ID of a deleted one stays taken."""
        if image_id in self.world.images:
            raise Refused(409, 'A duplicate image ID')
        return self.world.create(actor, image_id, **values)

    def begin_upload(self, actor: str, image_id: str,
                     staged: bool = False) -> worlds.Image:
        """Return an image that accepts data."""
        image = self._own(actor, image_id)
        if image.values['status'] != 'queued' or image.work:
            raise Refused(409, 'Not allowed in this state')
        return image

    def upload(self, actor: str, image_id: str, data: bytes) -> worlds.Image:
        """Give an image its data."""
        image = self.begin_upload(actor, image_id)
        self.world.store(actor, image, data)
        return image

    def stage(self, actor: str, image_id: str, data: bytes) -> worlds.Image:
        """Stage data for an import."""
        image = self.begin_upload(actor, image_id, staged=True)
        self.world.write(actor, image, status='uploading', staged=data,
                         size=len(data))
        return image

    def interrupt(self, actor: str, image_id: str, staged: bool) -> None:
        """Receive a part of the data, and lose the connection."""
        image = self.begin_upload(actor, image_id)
        if not self.options.looks:
            return self._drop(actor, image)
        self.world.write(worlds.GLANCE, image,
                         status='uploading' if staged else 'saving')
        self._work(actor, image, lambda who: self._drop(who, image))
        return None

    def _drop(self, actor: str, image: worlds.Image) -> None:
        who = worlds.GLANCE if self.dropped == 'queued' else actor
        self.world.write(who, image, status=self.dropped)

    def delete(self, actor: str, image_id: str) -> None:
        """Delete an image."""
        self.world.delete(actor, self._own(actor, image_id))

    def locate(self, actor: str, image_id: str, url: str) -> worlds.Image:
        """Give an image a location."""
        image = self._own(actor, image_id)
        if image.values['status'] != 'queued' or image.work:
            raise Refused(409, 'Not allowed in this state')
        if url not in self.world.data:
            raise Refused(400, 'Bad location')
        self.world.locate(actor, image, url)
        return image

    def change(self, actor: str, image_id: str,
               values: dict[str, typing.Any],
               remove: typing.Iterable[str] = ()) -> worlds.Image:
        """Set values of an image, and remove properties."""
        image = self._own(actor, image_id)
        absent = [name for name in remove if image.values.get(name) is None]
        if absent:
            raise Refused(409, 'Property does not exist')
        self.world.write(actor, image, **values)
        self.world.write(actor, image, **dict.fromkeys(remove))
        return image

    def add_member(self, actor: str, image_id: str, member: str) -> None:
        """Give a project access."""
        image = self._own(actor, image_id)
        self.world.write(actor, image, members=tuple(sorted(
            set(image.values['members']) | {member})))

    def remove_member(self, actor: str, image_id: str, member: str) -> None:
        """Revoke a project's access."""
        image = self._own(actor, image_id)
        if member not in image.values['members']:
            raise Refused(404, 'No such member')
        self.world.write(actor, image, members=tuple(
            one for one in image.values['members'] if one != member))

    def _work(self, actor: str, image: worlds.Image,
              end: typing.Callable[[str], None]) -> None:
        """Begin work on an image, which ends some looks later."""
        image.work = worlds.Work(
            actor, self.options.looks, end,
            'task-%d' % len(self.world.tasks))

    # What only v2 has

    def begin_import(self, actor: str, image_id: str, order:
                     dict[str, typing.Any], request: str) -> None:
        """Begin an import."""
        image, method = self._own(actor, image_id), order['method']['name']
        allowed = {'glance-direct': 'uploading', 'web-download': 'queued',
                   'copy-image': 'active'}.get(method)
        if image.values['status'] != allowed or image.work:
            raise Refused(409, 'Not allowed in this state')
        stores = tuple(order.get('stores') or (
            self.options.stores if order.get('all_stores') else
            self.options.stores[:1]))
        uri = order['method'].get('uri')
        before = image.values['status']
        if method != 'copy-image':
            self.world.write(actor, image, status='importing')
        task = {'id': 'task-%d' % len(self.world.tasks), 'message': '',
                'request_id': request, 'status': 'processing'}

        def end(actor: str) -> None:
            failed = self.options.work == 'failed' and actor == worlds.CALL
            task['status'] = 'failure' if failed else 'success'
            if failed:
                task['message'] = 'no space left'
                self._fail_import(image, before)
            elif method == 'copy-image':
                self.world.write(actor, image, stores=tuple(sorted(
                    set(image.values['stores'] + stores))))
            else:
                self._finish_import(actor, image, uri, stores)
        self._work(actor, image, end)
        self.world.tasks.append(task)

    def _fail_import(self, image: worlds.Image, before: str) -> None:
        if before != 'active':
            self.world.write(worlds.GLANCE, image, status='queued',
                             staged=None, size=None)

    def _finish_import(self, actor: str, image: worlds.Image,
                       uri: str | None, stores: tuple[str, ...]) -> None:
        data = image.values['staged']
        if uri is not None:
            data = WEB.get(uri, b'')
        if self.options.decompresses and data[:2] == b'\x1f\x8b':
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError):  # it was damaged on its way
                return self._fail_import(image, 'uploading')
        return self.world.store(actor, image, data, stores)

    def begin_locate(self, actor: str, image_id: str, url: str,
                     validation: dict[str, str] | None) -> None:
        """Begin to give an image a location, by the API of 2.17."""
        image = self._own(actor, image_id)
        if image.values['status'] != 'queued' or image.work:
            raise Refused(409, 'Not allowed in this state')

        def end(actor: str) -> None:
            if self.options.work == 'failed' and actor == worlds.CALL:
                return
            self.world.locate(actor, image, url)
            if validation:
                self.world.write(actor, image, **validation)
        self._work(actor, image, end)


#: {URI: bytes} of what web-download finds
WEB = {'http://web/ours': b'data of the web',
       'http://web/theirs': b'theirs, the web'}
