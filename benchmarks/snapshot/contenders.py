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

"""Four ways to take a snapshot. Runs in the virtualenv of the peers.

All use the same disk, a queued image and the same metadata. Uploads do what
Nova's libvirt driver does if a direct snapshot is not possible: qemu-img
writes the disk to a sparse file, which they send.
"""

import collections.abc
import os
import time
import typing
import uuid

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import clients

#: The pool and the name of the disk.
DISK = ('vms', 'disk')
_INFO = {'name': 'snapshot', 'disk_format': 'raw',
         'container_format': 'bare'}
#: Seconds.
_POLL = 0.05

Image = dict[str, typing.Any]


class Contender:
    """A way to take a snapshot, with one of the two image APIs."""

    #: Whether the API is nova_image's.
    ours = False

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 config: str) -> None:
        """Create the API object.

        :param auth: the plugin with the user's credentials
        :param session: a session that uses it
        :param config: a nova.conf
        """
        clients.load_nova(config)
        self._context = clients.nova_context(auth, session)
        self._api = self._make_api(config)

    def _make_api(self, config: str) -> typing.Any:
        if self.ours:
            from nova_image.image import api
            from oslo_config import cfg
            conf = cfg.ConfigOpts()
            conf([], default_config_files=[config])
            return api.API(conf)
        from nova.image import glance
        return glance.API()

    @property
    def _disk(self) -> typing.Any:
        """The disk, as an object of Nova's libvirt driver."""
        from nova.virt.libvirt import imagebackend
        return imagebackend.Rbd(path='rbd:%s/%s' % DISK)

    def show(self, image_id: str) -> Image:
        """Return an image."""
        return self._api.get(self._context, image_id)

    def snapshot(self, image_id: str) -> Image:
        """Make a queued image a snapshot of the disk, and return it."""
        raise NotImplementedError


class Direct(Contender):
    """nova_image's direct snapshot."""

    ours = True

    def snapshot(self, image_id: str) -> Image:
        """Clone the disk, and add its location to the image."""
        from nova_image.virt.libvirt import direct_snapshot
        return direct_snapshot.take(
            self._context, '%s/%s' % DISK, image_id, _INFO,
            api=self._api)


class NovaDirect(Contender):
    """Nova's own direct snapshot, as its libvirt driver calls it.

    It adds the location by the locations API, and does not wait until the
    image is active.
    """

    def snapshot(self, image_id: str) -> Image:
        """Clone the disk, add its location to the image, and wait."""
        url = self._disk.direct_snapshot(
            self._context, uuid.uuid4().hex, 'raw', image_id, None)
        image = self._api.update(self._context, image_id, dict(
            _INFO, location=url), purge_props=False)
        while image['status'] != 'active':
            time.sleep(_POLL)
            image = self.show(image_id)
        return image


class NovaUpload(Contender):
    """Nova's own code if a direct snapshot is not possible."""

    def snapshot(self, image_id: str) -> Image:
        """Write the disk to a file, and upload it."""
        from nova.conf import CONF
        path = os.path.join(CONF.instances_path, uuid.uuid4().hex)
        try:
            self._disk.snapshot_extract(path, 'raw')
            with open(path, 'rb') as data:
                return self._api.update(
                    self._context, image_id, dict(_INFO), data)
        finally:
            os.unlink(path)


class Upload(NovaUpload):
    """The same with nova_image."""

    ours = True


STANDARD = 'Nova upload'
#: The contenders that upload.
UPLOADS = 'nova_image upload', STANDARD
#: Name -> contender, in the order of the tables.
KINDS: dict[str, collections.abc.Callable[..., Contender]] = {
    'nova_image': Direct, 'Nova': NovaDirect, UPLOADS[0]: Upload,
    UPLOADS[1]: NovaUpload}
