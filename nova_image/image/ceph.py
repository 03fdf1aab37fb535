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


"""Ceph: bindings, connections, and the URLs of Glance's RBD images.

The bindings of librados and librbd are packaged with Ceph, not on a package
index: ``python3-rados`` and ``python3-rbd`` on Debian.
"""

import collections
import contextlib
import importlib

from oslo_log import log as logging
from six.moves.urllib import parse

from nova_image.image import values

LOG = logging.getLogger(__name__)

#: seconds after which a call fails if a storage daemon does not answer and
#: the Ceph configuration has no rados_osd_op_timeout: librados would wait
#: forever
PATIENCE = 60

_PREFIX = 'rbd://'

#: the snapshot of an RBD image: the parts of its URL, text
Snapshot = collections.namedtuple('Snapshot', 'fsid pool image snapshot')


def parse_url(url):
    """Return the Snapshot that a URL names, or None.

    :param url: ``rbd://FSID/POOL/IMAGE/SNAPSHOT``, each part percent-encoded;
        Glance's short form, ``rbd://IMAGE``, names no cluster and no snapshot
    """
    parts = url[len(_PREFIX):].split('/')
    parts = [values.percent_decoded(part) for part in parts]
    if not (url.startswith(_PREFIX) and len(parts) == 4 and all(parts)):
        return None
    return Snapshot(*parts)


def url_of(snapshot):
    """Return the URL of a Snapshot, as Glance writes it."""
    return _PREFIX + '/'.join(parse.quote(part, safe='')
                              for part in snapshot)


def bindings():
    """Return the modules rados and rbd.

    They are imported when they are needed, because hosts without Ceph lack
    them, and by name, because Python 2.7 would import a module ``rbd`` of the
    same folder.

    :raises ImportError: if this Python has none
    """
    return importlib.import_module('rados'), importlib.import_module('rbd')


@contextlib.contextmanager
def connected(rados, conf, patience=PATIENCE, options=None):
    """Connect to the cluster that ``[glance]`` configures.

    Inside Nova, libvirt's options replace empty options of Glance, as in
    Nova.

    :param rados: the module
    :param conf: an oslo.config ConfigOpts
    :param patience: like PATIENCE
    :param options: dict of options of Ceph to set, if it has them
    :returns: a context manager for a rados.Rados
    :raises rados.Error: if it cannot be reached
    """
    seconds = '%d' % (_option(conf, 'rbd_connect_timeout') or 0)
    # librados ignores connect(timeout=): without these two options it waits
    # for five minutes. (Seen on 16.2.)
    cluster = rados.Rados(
        rados_id=_option(conf, 'rbd_user'),
        conffile=_option(conf, 'rbd_ceph_conf', 'images_rbd_ceph_conf'),
        conf={'client_mount_timeout': seconds,
              'rados_mon_op_timeout': seconds,
              # A waste of memory: everything is read once.
              'rbd_cache': 'false'})
    try:
        for name, value in (options or {}).items():
            _set_if_known(rados, cluster, name, value)
        if not float(cluster.conf_get('rados_osd_op_timeout') or 0):
            cluster.conf_set('rados_osd_op_timeout', '%s' % patience)
        cluster.connect()
        yield cluster
    finally:
        cluster.shutdown()


def _set_if_known(rados, cluster, name, value):
    """Set an option that some versions of Ceph lack."""
    try:
        cluster.conf_set(name, value)
    except rados.Error:
        LOG.debug('This Ceph has no option %s', name)


def _option(conf, name, in_libvirt=None):
    """Return an option of Glance, or libvirt's if it is empty."""
    libvirt = getattr(conf, 'libvirt', None)
    return (getattr(conf.glance, name)
            or getattr(libvirt, in_libvirt or name, None) or '')


def fsid(cluster):
    """Return the ID of a connected cluster."""
    found = cluster.get_fsid()
    return found if isinstance(found, str) else found.decode('ascii')
