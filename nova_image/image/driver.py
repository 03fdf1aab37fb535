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

"""The contract of an image driver, and the loading of the configured one.

load() is the only place that asks which version of the Images API to use.
"""

import abc
import contextlib

from oslo_config import cfg
from oslo_log import log as logging
from oslo_utils import excutils
import six
from stevedore import driver as stevedore_driver
from stevedore import exception as stevedore_exc
from stevedore import extension

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image import client as glance_client
from nova_image.image.transfer import limits

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_image.image.drivers'


@six.add_metaclass(abc.ABCMeta)
class ImageDriver(object):
    """What Nova's callers need of an image service.

    Images come back as dicts in one format, whatever the API: ``id, name,
    status, size, min_disk, min_ram, disk_format, container_format, checksum,
    owner, is_public, created_at, updated_at, deleted, deleted_at,
    properties``, and ``locations`` where they were asked for. Absent values
    are None, ``size`` is 0 rather than None, times are aware datetimes (UTC),
    ``properties`` holds the custom ones as text, with
    ``block_device_mapping`` and ``mappings`` decoded from JSON.

    Every method raises exceptions of nova_image.exception:
    GlanceConnectionFailed for no or a broken answer, ImageNotAuthorized or
    Forbidden for 401 and 403, ImageNotFound, ImageBadRequest or Invalid for
    what Glance refuses, ImageQuotaExceeded, and ImageActionNotSupported for
    what the API cannot do.

    :param client: nova_image.image.client.Client
    """

    #: logged once when the driver is loaded, if not empty
    deprecation = ''
    #: why it cannot import, and what to do about it
    no_import = ('the driver knows no import', '')

    def __init__(self, client):
        self.client = client

    def pinned_to(self, url):
        """Return the same driver for the Glance at ``url`` alone."""
        return type(self)(self.client.pinned_to(url))

    @contextlib.contextmanager
    def _undone_on_failure(self, context, image_id, keep=False):
        """Delete an image when the block fails; its error is the one raised.

        :param image_id: an image that this very call has created
        :param keep: whether to leave it all the same
        """
        try:
            yield
        except BaseException:
            with excutils.save_and_reraise_exception():
                if not keep:
                    self._delete_quietly(context, image_id)

    def _delete_quietly(self, context, image_id):
        """Delete an image; returns whether it is gone."""
        try:
            self.delete(context, image_id)
        except exception.ImageNotFound:
            return True
        except exception.NovaImageException as error:
            LOG.warning('Image %(id)s was left behind by a failed create: '
                        '%(error)s', {'id': image_id, 'error': error})
            return False
        return True

    @abc.abstractmethod
    def detail(self, context, **kwargs):
        """List images.

        :param context: the caller's context
        :keyword filters: dict of v1 filters: ``name``, ``status``,
            ``container_format``, ``disk_format``, ``size_min``,
            ``size_max``, ``min_ram``, ``min_disk``, ``protected``,
            ``is_public`` (``None`` or ``'none'`` for all, the default),
            ``changes-since`` (ISO 8601), ``owner``, ``id``, ``checksum``,
            ``visibility``, ``tag`` (text or a list) and ``property-NAME``;
            anything else is the name of a custom property
        :keyword marker: ID of the image after which to begin
        :keyword limit: how many images at the most
        :keyword page_size: how many to ask for in one request
        :keyword sort_key: field to sort by
        :keyword sort_dir: 'asc' or 'desc'
        :returns: list of images
        :raises Invalid: for a filter that cannot be
        """

    @abc.abstractmethod
    def show(self, context, image_id, include_locations=False,
             show_deleted=True):
        """Return one image.

        :param include_locations: whether to add ``locations``: a list of
            {'url', 'metadata'}
        :param show_deleted: whether a deleted image may be returned, where
            the API still knows it
        :raises ImageNotFound: when there is none, or none that may be seen
        """

    @abc.abstractmethod
    def create(self, context, image_meta, data=None):
        """Create an image.

        :param image_meta: dict in the callers' format; ``size`` 0 without
            data makes an active, empty image; ``location`` names data that
            is in a store already; ``instance_owner`` among the properties is
            no property but the project to give access to
        :param data: bytes, binary file object or iterable of bytes
        :returns: the image
        :raises ImageConflict: when the ID of image_meta is taken
        :raises ImageUploadFailed: when the data could not be sent whole

        When anything fails, what was created is deleted again.
        """

    @abc.abstractmethod
    def update(self, context, image_id, image_meta, data=None,
               purge_props=True):
        """Change an image.

        :param image_meta: dict in the callers' format; what it does not name
            stays as it is
        :param data: as for create, for an image that has none yet
        :param purge_props: whether properties that image_meta does not name
            are removed
        :returns: the image
        """

    @abc.abstractmethod
    def delete(self, context, image_id):
        """Delete an image.

        :returns: True
        :raises ImageDeleteConflict: when it is in use
        """

    @abc.abstractmethod
    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None, **options):
        """Fetch an image's data and check it.

        :param data: binary file object to write to
        :param dst_path: path of the file to make; it appears only when it is
            whole, verified and on disk
        :param trusted_certs: IDs of certificates for the image's signature
        :keyword inspect: whether to refuse what may harm the host, and what
            is in another format than disk_format says
        :keyword progress: called with (bytes done, bytes in all or None,
            bytes a second) as they arrive
        :returns: None; without data and dst_path an iterator of bytes that
            raises at its end what the others raise
        :raises ImageUnacceptable: when the image has no data, or is refused
        :raises ImageCorrupt: when size or hash are not the recorded ones
        :raises InsufficientDiskSpace: when it does not fit
        """

    def import_info(self, context):
        """Return how and to where this Glance imports.

        :returns: dict of ``methods``, a list of names, and ``stores``, a
            list of dicts with ``id`` and, where Glance has them,
            ``description``, ``default`` and ``read-only``, both True; empty
            where Glance has but one store
        """
        raise self._no_import('import into')

    def stage(self, context, image_id, data, progress=None):
        """Send data to where Glance keeps it until it is imported.

        :param data: as for create
        :param progress: as for import_image
        :returns: how many bytes
        :raises ImageUploadFailed: when they could not be sent whole
        """
        raise self._no_import('stage data of', image_id)

    def import_image(self, context, image_id, method, **options):
        """Have Glance get an image's data, and wait until it has.

        :param method: ``glance-direct`` (what was staged, or ``data``),
            ``web-download`` (from ``uri``), ``glance-download`` (from another
            Glance), ``copy-image`` (to more stores)
        :keyword data: as for create; is staged first
        :keyword uri: http(s) URL
        :keyword glance_region: region of the other Glance
        :keyword glance_image_id: the image there
        :keyword glance_service_interface: ``public``, the default, or another
        :keyword stores: list of IDs; Glance's default store if none
        :keyword all_stores: whether to import into all that can be written
        :keyword all_stores_must_succeed: whether one store that fails undoes
            the others; True by default, for a copy False
        :keyword os_hash_algo: what the data has to have: algorithm, and
        :keyword os_hash_value: hexadecimal digest
        :keyword wait: False to return as soon as Glance has begun
        :keyword timeout: seconds; [glance] import_timeout by default, 0 for
            no limit
        :keyword keep: whether to leave all as it is after a failure
        :keyword progress: called with a nova_image.image.import_result.Seen
            when something has changed
        :returns: None without wait, else one of import_result: Imported,
            Converted, Failed, TimedOut
        :raises ImageImportImpossible: when Glance has no such method or
            store, or the image's state forbids it
        :raises ImageQuotaExceeded: when it is more than Glance takes
        """
        raise self._no_import('import', image_id)

    def create_via_import(self, context, image_meta, method, **options):
        """Create an image and have Glance get its data.

        :param image_meta: as for create
        :param options: and ``method`` as for import_image
        :returns: (image, what import_image returns); the image is None where
            the import failed and it was deleted again. After an exception it
            is as well.
        """
        raise self._no_import('create by import')

    def image_import_copy(self, context, image_id, stores, **options):
        """Begin to copy an image's data to other stores of Glance.

        :param stores: list of store IDs
        :param options: of import_image: ``wait``, which is False by default,
            ``timeout``, ``progress``, ``all_stores_must_succeed``
        :returns: as import_image
        :raises ImageImportImpossible: when the image's state forbids it
        """
        raise self._no_import('copy between stores', image_id)

    def _no_import(self, action, image_id=None):
        """Return the exception of a driver that cannot import."""
        reason, advice = self.no_import
        return exception.ImageActionNotSupported(
            action=action, image_id=image_id, reason=reason, advice=advice)

    @abc.abstractmethod
    def members(self, context, image_id):
        """List the projects that an image is shared with.

        :returns: list of dicts with ``member_id``, ``status`` ('pending',
            'accepted' or 'rejected'), ``can_share`` (whether the project may
            share it on), ``created_at`` and ``updated_at`` (aware
            datetimes); None is what the API does not tell: v1 knows no
            status and no times, v2 no sharing on
        :raises ImageNotAuthorized: when the image can have no members
        """

    @abc.abstractmethod
    def add_member(self, context, image_id, member):
        """Give a project access to an image.

        :param member: the project's ID, printable ASCII without a slash
        :returns: the member, as members() has it
        :raises ImageBadRequest: for what can be no project's ID
        :raises ImageNotAuthorized: when the caller may not share the image,
            or the image's visibility is not ``shared``
        :raises ImageConflict: when it is a member already; v1 does not tell
        """

    @abc.abstractmethod
    def set_member_status(self, context, image_id, member, status):
        """Say whether a project wants an image that is shared with it.

        It is in the project's listings when it was accepted.

        :param member: the project's ID; the caller's own, unless an
            administrator calls
        :param status: 'accepted', 'rejected' or 'pending'
        :returns: the member, as members() has it
        :raises NotFound: when it is no member, or there is no such image
        """

    @abc.abstractmethod
    def remove_member(self, context, image_id, member):
        """Take a project's access to an image away.

        :param member: the project's ID
        :returns: True
        :raises NotFound: when it is no member, or there is no such image
        """


def load(conf=None, log_is_ready=True, **options):
    """Return the driver that the configuration asks for.

    :param conf: an oslo.config ConfigOpts; the global one by default
    :param log_is_ready: False where logging is yet to be set up: what is
        logged until then is lost or goes to stderr. The caller then calls
        begin_log() when it is.
    :param options: for nova_image.image.client.Client
    :returns: an ImageDriver
    :raises DriverLoadError: when its entry point is missing or broken, or
        an option lacks another
    """
    conf = conf or cfg.CONF
    nova_image_conf.register_opts(conf)
    limits.check(conf)
    name = 'v1' if conf.glance.use_glance_v1 else 'v2'
    loaded = _find(name)(glance_client.Client(conf, **options))
    if log_is_ready:
        begin_log(loaded, conf)
    LOG.debug('Image driver %s of %s', name, NAMESPACE)
    return loaded


def begin_log(loaded, conf):
    """Warn of what will not stay; see to [glance] debug.

    :param loaded: the driver that load() returned
    :param conf: the ConfigOpts it was loaded by
    """
    if loaded.deprecation:
        LOG.warning(loaded.deprecation)
    if conf.glance.debug:
        for logger in ('glanceclient', 'nova_image'):
            logging.getLogger(logger).logger.setLevel('DEBUG')


def _find(name):
    """Return the class behind an entry point."""
    try:
        return stevedore_driver.DriverManager(
            NAMESPACE, name,
            on_load_failure_callback=_raise_load_failure).driver
    except (stevedore_exc.NoMatches, stevedore_exc.MultipleMatches) as error:
        many = isinstance(error, stevedore_exc.MultipleMatches)
        raise exception.DriverLoadError(
            reason='there is %s %s in %s; installed: %s' % (
                'more than one' if many else 'no', name, NAMESPACE,
                ', '.join(_installed()) or 'none'),
            advice='Install nova_image into this Python, and set [glance] '
                   'use_glance_v1 to what is installed (True is v1)')


def _raise_load_failure(manager, entry_point, error):
    six.raise_from(exception.DriverLoadError(
        reason='%s of %s (%s) failed: %s: %s' % (
            entry_point.name, NAMESPACE,
            getattr(entry_point, 'value', entry_point),
            type(error).__name__, error),
        advice='Installed: %s' % ', '.join(_installed())), error)


def _installed():
    """Return the names of all entry points, the broken ones included."""
    manager = extension.ExtensionManager(
        NAMESPACE, on_load_failure_callback=lambda *_: None)
    return sorted(point.name for point in manager.list_entry_points())
