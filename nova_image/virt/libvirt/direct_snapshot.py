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

"""Snapshots of disks in Ceph, without a transfer of data through Glance.

The disk of a server is cloned into the pool of Glance's images, and the clone
becomes the location of the image. Nova's libvirt driver does the same with
``images_type = rbd`` (nova.virt.libvirt.imagebackend.Rbd.direct_snapshot of
34.0.0). Unlike Nova's, this code leaves no clone behind if a step fails.
"""

import contextlib
import uuid

from oslo_log import log as logging
from oslo_utils import excutils
import six

from nova_image import exception
from nova_image.image import api as image_api
from nova_image.image import ceph
from nova_image.image import offload

LOG = logging.getLogger(__name__)

_ACTION = 'direct snapshot'
#: name that Glance's own store gives to the snapshot of each image
_SNAPSHOT = 'snap'


def take(context, disk, image_id, image_info, base_image_id=None, api=None):
    """Create an image from a server's disk, inside Ceph.

    ``[glance]`` ``rbd_ceph_conf`` and ``rbd_user`` select the cluster and the
    user. If they are empty, libvirt's options are used inside Nova. The user
    must be able to write to the pools of the disk and of the images.

    :param context: the caller's context
    :param disk: ``POOL/NAME`` of the RBD image that is the disk
    :param image_id: ID of an image without data; if None, a new image is
        created
    :param image_info: dict of image attributes to set; ``disk_format``
        defaults to raw, ``container_format`` to bare
    :param base_image_id: ID of the image that the disk was made from; if the
        disk is not a clone, the location of this image names the pool
    :param api: nova_image.image.api.API; a new one by default
    :returns: the image, which is active
    :raises ImageUnacceptable: if a direct snapshot is not possible; upload
        the data instead
    :raises Forbidden: if Glance or Ceph denies access; upload the data
        instead

    After an exception, the snapshot leaves nothing behind in Ceph and no new
    image in Glance. If it is not known whether the image has the location,
    both stay: the exception is ``in_doubt``, and its ``left`` names them.
    """
    api = api or image_api.API()
    clones = Clones(api.conf, disk)
    pool = _pool(context, clones, base_image_id, api)
    name = image_id or str(uuid.uuid4())
    info = dict({'disk_format': 'raw', 'container_format': 'bare'},
                **image_info)
    with clones.kept_on_success(pool, name) as url:
        info['location'] = url
        if image_id is None:
            return api.create(context, dict(info, id=name), id_is_new=True)
        return api.update(context, image_id, info, purge_props=False)


def _pool(context, clones, base_image_id, api):
    """Return the name of the pool in which Glance keeps its images."""
    fsid, pool = clones.parent()
    if pool is None and base_image_id:
        base = api.get(context, base_image_id, include_locations=True)
        places = [ceph.parse_url(location['url'])
                  for location in base['locations']]
        pool = next((place.pool for place in places
                     if place and place.fsid == fsid), None)
    if pool is None:
        raise _impossible(
            'neither the disk nor the image that it was made from reveals '
            "the pool of Glance's images in this Ceph cluster",
            'Allow the service to see image locations in Glance')
    return pool


class Clones(object):
    """Creates and removes flat clones of a disk.

    Blocking calls run outside eventlet's hub.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :param disk: ``POOL/NAME``
    """

    def __init__(self, conf, disk):
        self._conf = conf
        self._disk = disk.split('/', 1)

    def parent(self):
        """Return (ID of the cluster, pool of the disk's parent or None)."""
        return offload.call_long(self._parent)

    @contextlib.contextmanager
    def kept_on_success(self, pool, name):
        """Create a clone, and remove it if the block fails.

        It stays if an image may have it as its location: after an exception
        that is ``in_doubt``, and if the process is told to stop.

        :param pool: name of the pool of the clone
        :param name: name of the clone
        :returns: a context manager that yields the URL of the clone
        :raises ImageUnacceptable: if the clone cannot be created; nothing
            of it is left behind
        :raises Forbidden: if the user cannot write to the pool; nothing of
            the clone is left behind
        """
        url = offload.call_long(self._make, pool, name)
        try:
            yield url
        except Exception as error:
            with excutils.save_and_reraise_exception():
                if getattr(error, 'in_doubt', False):
                    LOG.warning('RBD image %(pool)s/%(name)s was left: it may '
                                'be the location of an image',
                                {'pool': pool, 'name': name})
                else:
                    offload.call_long(self._remove, pool, name)

    def _parent(self):
        with _connected(self._conf) as cluster:
            with cluster.image(*self._disk) as disk:
                return cluster.fsid, cluster.parent_pool(disk)

    def _make(self, pool, name):
        with _connected(self._conf) as cluster:
            cluster.clone(self._disk, pool, name)
            return ceph.url_of(ceph.Snapshot(
                cluster.fsid, pool, name, _SNAPSHOT))

    def _remove(self, pool, name):
        try:
            with _connected(self._conf) as cluster:
                cluster.remove(pool, name)
        except exception.NovaImageException as error:
            LOG.warning('RBD image %(pool)s/%(name)s, the clone of a failed '
                        'snapshot, could not be removed: %(error)s',
                        {'pool': pool, 'name': name, 'error': error})


class _Cluster(object):
    """The RBD images of a connected cluster.

    :ivar fsid: ID of the cluster
    :param connection: rados.Rados
    :param rbd: the module rbd
    """

    def __init__(self, connection, rbd):
        self.fsid = ceph.fsid(connection)
        self._connection = connection
        self._rbd = rbd

    def _pool(self, name):
        return contextlib.closing(self._connection.open_ioctx(str(name)))

    @contextlib.contextmanager
    def image(self, pool, name):
        """Open an image."""
        with self._pool(pool) as opened:
            with contextlib.closing(
                    self._rbd.Image(opened, str(name))) as image:
                yield image

    def parent_pool(self, image):
        """Return the pool of an open image's parent, or None."""
        try:
            return image.parent_info()[0]
        except self._rbd.ImageNotFound:
            return None

    def clone(self, source, pool, name):
        """Create a flat clone of an image, with a protected snapshot.

        :param source: (pool, name) of the image
        :param pool: name of the pool of the clone
        :param name: name of the clone
        """
        with self.image(*source) as disk:
            with self._temporary_snapshot(disk) as snapshot:
                # A failed clone must be removed before its snapshot can be.
                with self._removed_on_failure(pool, name):
                    self._clone(source, snapshot, pool, name)
                    self._finish(pool, name)

    @contextlib.contextmanager
    def _temporary_snapshot(self, disk):
        name = uuid.uuid4().hex
        disk.create_snap(name)
        try:
            disk.protect_snap(name)
            yield name
        finally:
            with self._only_warned('snapshot %s of a disk' % name):
                _remove_snapshot(disk, name)

    @contextlib.contextmanager
    def _removed_on_failure(self, pool, name):
        try:
            yield
        except self._rbd.ImageExists:
            raise  # the image is not ours
        except BaseException:
            with excutils.save_and_reraise_exception():
                self.remove(pool, name)

    def _clone(self, source, snapshot, pool, name):
        with self._pool(source[0]) as old, self._pool(pool) as new:
            self._rbd.RBD().clone(old, str(source[1]), snapshot, new,
                                  str(name))

    def _finish(self, pool, name):
        with self.image(pool, name) as clone:
            clone.flatten()
            clone.create_snap(_SNAPSHOT)
            clone.protect_snap(_SNAPSHOT)

    def remove(self, pool, name):
        """Remove an image and its snapshot; failures are only logged."""
        with self._only_warned('RBD image %s/%s' % (pool, name)):
            with self.image(pool, name) as image:
                _remove_snapshot(image, _SNAPSHOT)
            with self._pool(pool) as opened:
                self._rbd.RBD().remove(opened, str(name))

    @contextlib.contextmanager
    def _only_warned(self, what):
        try:
            yield
        except self._rbd.ImageNotFound:
            pass  # not created, or already removed
        except self._rbd.Error as error:
            LOG.warning('Cleanup of a direct snapshot is incomplete: '
                        '%(what)s could not be removed: %(error)s',
                        {'what': what, 'error': error})


def _remove_snapshot(image, name):
    """Remove a snapshot of an open image, if it exists."""
    if name not in [snapshot['name'] for snapshot in image.list_snaps()]:
        return
    if image.is_protected_snap(name):
        image.unprotect_snap(name)
    image.remove_snap(name)


@contextlib.contextmanager
def _connected(conf):
    """Connect to Ceph, and translate its errors into our exceptions."""
    try:
        rados, rbd = ceph.bindings()
    except ImportError as error:
        raise _impossible(
            "Ceph's bindings for this Python cannot be imported: %s" % error,
            'Install them (python3-rados and python3-rbd on Debian)')
    try:
        with ceph.connected(rados, conf) as connection:
            yield _Cluster(connection, rbd)
    except rbd.PermissionError as error:
        six.raise_from(exception.Forbidden(
            'Ceph denied the direct snapshot', action=_ACTION,
            reason='%s' % error, advice='Allow the Ceph user to write to the '
            'pools of the disk and of the images'), error)
    except (rados.Error, rbd.Error) as error:
        six.raise_from(_impossible('%s' % error), error)


def _impossible(reason, advice=None):
    return exception.ImageUnacceptable(
        'A direct snapshot is not possible', action=_ACTION, reason=reason,
        advice=advice)
