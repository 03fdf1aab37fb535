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


"""Ceph: the bindings, connections, and the URLs that Glance has for images.

The bindings of librados and librbd come with Ceph and not from a package
index: ``python3-rados`` and ``python3-rbd`` on Debian.
"""

import collections
import contextlib
import importlib

from oslo_log import log as logging
from six.moves.urllib import parse

from nova_image.image import values

LOG = logging.getLogger(__name__)

#: seconds after which a storage daemon that does not answer ends a call,
#: where the Ceph configuration has no rados_osd_op_timeout: librados would
#: wait for ever
PATIENCE = 60

_PREFIX = 'rbd://'

#: the parts of a location
Place = collections.namedtuple('Place', 'fsid pool image snapshot')


def parse_url(url):
    """Return the Place that a URL names, or None.

    :param url: ``rbd://FSID/POOL/IMAGE/SNAPSHOT``, each part percent-encoded;
        Glance's short form, ``rbd://IMAGE``, names no cluster and no snapshot
    """
    parts = url[len(_PREFIX):].split('/')
    parts = [values.percent_decoded(part) for part in parts]
    if not (url.startswith(_PREFIX) and len(parts) == 4 and all(parts)):
        return None
    return Place(*parts)


def url_of(place):
    """Return the URL of a Place, as Glance writes it."""
    return _PREFIX + '/'.join(parse.quote(part, safe='') for part in place)


def bindings():
    """Return the modules rados and rbd.

    Imported when they are needed, for hosts without Ceph have none, and by
    name: to Python 2.7 ``import rbd`` may mean a module beside its own.

    :raises ImportError: there are none for this Python
    """
    return importlib.import_module('rados'), importlib.import_module('rbd')


@contextlib.contextmanager
def connected(rados, conf, patience=PATIENCE, options=None):
    """Connect to the cluster that ``[glance]`` names, for a while.

    Inside Nova, libvirt's options are taken where Glance's are empty, as
    Nova does.

    :param rados: the module
    :param conf: an oslo.config ConfigOpts
    :param patience: as PATIENCE
    :param options: dict of Ceph's options to set where it has them
    :returns: a context manager that gives a rados.Rados
    :raises rados.Error: it cannot be reached
    """
    seconds = '%d' % (_option(conf, 'rbd_connect_timeout') or 0)
    # librados ignores connect(timeout=): without these two options it waits
    # for five minutes. (Seen on 16.2.)
    cluster = rados.Rados(
        rados_id=_option(conf, 'rbd_user'),
        conffile=_option(conf, 'rbd_ceph_conf', 'images_rbd_ceph_conf'),
        conf={'client_mount_timeout': seconds,
              'rados_mon_op_timeout': seconds,
              # Memory for nothing: all is read once.
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
    """Set an option that not every Ceph has."""
    try:
        cluster.conf_set(name, value)
    except rados.Error:
        LOG.debug('This Ceph has no %s', name)


def _option(conf, name, in_libvirt=None):
    """Return an option; Nova takes libvirt's where Glance's is empty."""
    libvirt = getattr(conf, 'libvirt', None)
    return (getattr(conf.glance, name)
            or getattr(libvirt, in_libvirt or name, None) or '')


def fsid(cluster):
    """Return the id of a connected cluster."""
    found = cluster.get_fsid()
    return found if isinstance(found, str) else found.decode('ascii')
