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

Only load() decides which version of the Images API to use.
"""

import abc
import contextlib

from oslo_config import cfg
from oslo_log import log as logging
import six
from stevedore import driver as stevedore_driver
from stevedore import exception as stevedore_exc
from stevedore import extension

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image import client
from nova_image.image import endpoint
from nova_image.image import settings
from nova_image.image.transfer import limits
from nova_image.image import undo
from nova_image.metrics import loading as metrics_loading

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_image.image.drivers'


@six.add_metaclass(abc.ABCMeta)
class ImageDriver(object):
    """What Nova's callers need from an image service.

    Images are dicts in one format, whatever the API: ``id, name, status,
    size, min_disk, min_ram, disk_format, container_format, checksum, owner,
    is_public, created_at, updated_at, deleted, deleted_at, properties``, and
    ``locations`` if they were asked for. Absent values are None, ``size`` is
    0 rather than None, times are aware datetimes (UTC), ``properties`` holds
    the custom properties as text, with ``block_device_mapping`` and
    ``mappings`` decoded from JSON. On v2 there are also ``os_hidden,
    os_hash_algo, os_hash_value, stores`` as Glance sends them, if it does, and
    ``direct_url`` with ``locations``.

    With ``all_fields``, images also have ``visibility``, ``protected``,
    ``tags`` (a list), ``virtual_size``, ``os_hidden``, ``os_hash_algo``,
    ``os_hash_value`` and ``stores``, whatever the API. Those that the API or
    this Glance lacks are None; on v1, ``visibility`` is ``'public'`` or
    ``'private'``, as ``is_public`` says.

    Every method raises exceptions of nova_image.exception:
    GlanceConnectionFailed for a missing or incomplete answer,
    ImageNotAuthorized or Forbidden for 401 and 403, ImageNotFound,
    ImageBadRequest or Invalid if Glance refuses the request,
    ImageQuotaExceeded, and ImageActionNotSupported if the API lacks the
    action.

    :param client: nova_image.image.client.Client
    """

    #: warning to log once when the driver is loaded, if not empty
    deprecation = ''
    #: why the driver cannot import, and what to do about it
    no_import = ('the driver does not support imports', '')
    #: why the driver cannot list and remove locations, and what to do
    no_locations = ('the driver does not support locations', '')

    def __init__(self, client):
        self.client = client

    def resolve(self, context, reference):
        """Return the driver and the image ID for a reference to an image.

        The caller's token goes to the Glance of a URL, so only URLs of the
        configured endpoints and of the caller's catalog are accepted.

        :param context: the caller's context
        :param reference: ID of an image, or its URL
        :returns: (ImageDriver, ID)
        :raises InvalidImageRef: if the URL is not that of an image in a known
            Glance
        """
        if '/' not in reference:
            return self, reference
        url, image_id = endpoint.parse_reference(reference)
        self.client.endpoints.check(context, url)
        return type(self)(self.client.pinned_to(url)), image_id

    def url_of(self, context, image_id):
        """Return the URL of an image at one of the known endpoints."""
        return '%s/images/%s' % (
            self.client.endpoints.choose(context), image_id)

    def _undone_on_failure(self, context, image_id, keep=False):
        """Return an undo.Undo, which deletes an image if its block fails.

        :param image_id: ID of an image that this very call has created
        :param keep: whether to leave the image anyway
        """
        return undo.Undo(self.delete, context, image_id, keep)

    @contextlib.contextmanager
    def _undone_if_lost(self, context, image_id, own_id):
        """Delete an image if the block, which creates it, gets no answer.

        Only the image of an ID that this very call has drawn is its own. An
        error whose ``left`` is not set means that there is none.

        :param own_id: whether this call has drawn the ID
        """
        try:
            yield
        except exception.NovaImageException as error:
            if own_id and error.left and undo.quietly(
                    self.delete, context, image_id):
                six.raise_from(error.but(left=None, in_doubt=False), error)
            raise
        except BaseException:  # also if the process is told to stop
            if own_id:
                undo.quietly(self.delete, context, image_id)
            raise

    @staticmethod
    def _require_queued(image_id, status):
        """Refuse data for an image that cannot accept any.

        :raises ImageConflict: if it is not queued
        """
        if status != 'queued':
            raise exception.ImageConflict(
                action='upload', image_id=image_id,
                reason='the image is %s, but only a queued image accepts data'
                       % status, advice='Nothing was changed')

    @abc.abstractmethod
    def detail(self, context, **kwargs):
        """List images.

        :param context: the caller's context
        :keyword filters: dict of v1 filters: ``name``, ``status``,
            ``container_format``, ``disk_format``, ``size_min``,
            ``size_max``, ``min_ram``, ``min_disk``, ``protected``,
            ``is_public`` (``None`` or ``'none'`` for all, the default),
            ``changes-since`` (ISO 8601), ``owner``, ``id``, ``checksum``,
            ``visibility``, ``tag`` (text or a list), ``os_hidden``,
            ``member_status`` ('accepted', 'pending', 'rejected' or 'all') and
            ``property-NAME``; any other name is that of a custom property
        :keyword marker: ID of the image after which the list begins, also one
            that the filters leave out
        :keyword limit: the maximum number of images
        :keyword page_size: how many images to request at once
        :keyword sort_key: field to sort by; null is below all values
        :keyword sort_dir: 'asc' or 'desc'
        :keyword all_fields: whether the images have all fields
        :returns: list of images
        :raises Invalid: for an invalid filter
        :raises ImageActionNotSupported: for a filter that the API lacks
        """

    @abc.abstractmethod
    def show(self, context, image_id, include_locations=False,
             show_deleted=True, all_fields=False):
        """Return one image.

        :param include_locations: whether to add ``locations``: a list of
            {'url', 'metadata'}
        :param show_deleted: whether a deleted image may be returned, if the
            API still shows it
        :param all_fields: whether the image has all fields
        :raises ImageNotFound: if there is none, or the caller may not see it
        """

    @abc.abstractmethod
    def create(self, context, image_meta, data=None, id_is_new=False,
               all_fields=False):
        """Create an image.

        If anything fails, it deletes what it has provably created. Otherwise
        the error says what is left.

        :param image_meta: dict in the callers' format. ``size`` 0 without
            data creates an active, empty image. ``location`` is the URL of
            data that is already in a store, and excludes data.
            ``instance_owner`` among the properties is not stored: it is the
            project to give access to.
        :param data: bytes, binary file object or iterable of bytes
        :param id_is_new: whether the ID in image_meta was drawn for this
            call, so that any image with it is the one that it creates
        :param all_fields: whether the returned image has all fields, and
            ``tags`` and ``os_hidden`` in image_meta are refused rather than
            ignored if the API lacks them
        :returns: the image
        :raises ImageConflict: if the ID in image_meta is taken. Unless it is
            new, it is not known whose image it is if an earlier answer was
            lost.
        :raises ImageUploadFailed: if the data could not be sent completely
        """

    @abc.abstractmethod
    def update(self, context, image_id, image_meta, data=None,
               purge_props=True, all_fields=False, add_tags=()):
        """Change an image.

        :param image_meta: dict in the callers' format; fields that it lacks
            do not change
        :param data: as for create, for an image that does not have any yet
        :param purge_props: whether to remove properties that image_meta lacks
        :param all_fields: as for create
        :param add_tags: tags to add, a list; ``tags`` in image_meta replaces
            all tags
        :returns: the image
        :raises ImageConflict: if the image has data already, before anything
            is changed
        :raises ImageActionNotSupported: for tags that the API lacks

        Tags are added, and then data is sent, after the metadata has changed.
        If that fails, the error says what has changed.
        """

    def unset(self, context, image_id, properties=(), tags=(),
              all_fields=False):
        """Remove custom properties and tags from an image.

        :param properties: list of names
        :param tags: list of tags
        :param all_fields: as for show
        :returns: the image
        :raises NotFound: if the image lacks one of them; nothing is removed
        :raises ImageActionNotSupported: for tags that the API lacks
        """
        raise self._not_supported('remove attributes of', image_id)

    def deactivate(self, context, image_id):
        """Make an image's data unavailable to all but administrators.

        :returns: True, also if it is deactivated already
        :raises ImageConflict: if the image has no data yet
        """
        raise self._not_supported('deactivate', image_id)

    def reactivate(self, context, image_id):
        """Make a deactivated image's data available again.

        :returns: True, also if it is active already
        :raises ImageConflict: if the image has no data yet
        """
        raise self._not_supported('reactivate', image_id)

    @staticmethod
    def _not_supported(action, image_id):
        return exception.ImageActionNotSupported(
            action=action, image_id=image_id,
            reason='the driver does not support it')

    @abc.abstractmethod
    def delete(self, context, image_id):
        """Delete an image.

        :returns: True
        :raises ImageDeleteConflict: if it is in use
        """

    @abc.abstractmethod
    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None, **options):
        """Fetch an image's data and verify it.

        :param data: binary file object to write to
        :param dst_path: path of the file to create; it appears only when it
            is complete, verified and on disk
        :param trusted_certs: IDs of certificates for the image's signature
        :keyword inspect: whether to refuse data that may harm the host, or
            whose format is not disk_format
        :keyword progress: called with (bytes done, total bytes or None, bytes
            per second) as the data arrives
        :keyword replace: whether to replace an existing file at dst_path;
            otherwise it is an OSError with EEXIST, also if the file appears
            during the download
        :returns: None; without data and dst_path an iterator of bytes, which
            raises the same exceptions at its end
        :raises ImageUnacceptable: if the image has no data, or is refused
        :raises ImageCorrupt: if size or hash are not the recorded ones
        :raises InsufficientDiskSpace: if it does not fit
        """

    def fetch(self, context, image_id, data=None, dst_path=None,
              trusted_certs=None, **options):
        """Download an image's data, and return the image if it was read.

        Callers that need both save a request. The parameters are those of
        download(), but one of data and dst_path is required.

        :returns: the image as before the download, like that of show(); None
            if this driver does not read it for a download
        """
        self.download(context, image_id, data, dst_path, trusted_certs,
                      **options)

    def data_requests(self, context, image_id, action):
        """Yield the HTTP request that moves an image's data, without end.

        For a machine that has the data but not this code, such as the dom0 of
        a XenServer. Each attempt needs another request: it goes to the next
        server, with a token that is valid now.

        The caller reads the image before, to know its size and hash, and
        whether it is queued; for an upload, it also sets the formats.

        :param action: ``'download'`` or ``'upload'``
        :returns: iterator of dicts with ``url``, ``method``, ``headers`` (a
            dict of str), ``insecure`` (whether not to verify the server's
            certificate) and ``timeout`` (seconds without a byte). For an
            upload, whose body has no length, also ``expects``, the list of
            statuses of success, and ``check``: a request with the same keys
            that reads the image's status from the header ``header`` or the
            field ``field`` of JSON (the other is None); the upload must not
            start unless it is that in ``expects``.
        :raises Forbidden: if the caller may not use the credentials at hand
        """
        raise self._not_supported('move the data of', image_id)

    def import_info(self, context):
        """Return the import methods and the stores of this Glance.

        :returns: dict of ``methods``, a list of names, and ``stores``, a
            list of dicts with ``id`` and optionally ``description``,
            ``default`` and ``read-only``, both True; empty if Glance has
            only one store
        """
        raise self._no_import('import into')

    def stage(self, context, image_id, data, progress=None):
        """Send data that an import takes later.

        :param data: as for create
        :param progress: as for import_image
        :returns: the number of bytes
        :raises ImageUploadFailed: if the data could not be sent completely
        """
        raise self._no_import('stage data of', image_id)

    def import_image(self, context, image_id, method, **options):
        """Make Glance get an image's data, and wait until it has it.

        :param method: ``glance-direct`` (staged data, or ``data``),
            ``web-download`` (from ``uri``), ``glance-download`` (from another
            Glance), ``copy-image`` (to more stores)
        :keyword data: as for create; it is staged first
        :keyword uri: http(s) URL
        :keyword glance_region: region of the other Glance
        :keyword glance_image_id: ID of the image there
        :keyword glance_service_interface: ``public``, the default, or another
        :keyword stores: list of IDs; by default Glance's default store
        :keyword all_stores: whether to import into all writable stores
        :keyword all_stores_must_succeed: whether one store that fails undoes
            the others; True by default, False for a copy
        :keyword os_hash_algo: the algorithm of the expected hash, and
        :keyword os_hash_value: its hexadecimal digest
        :keyword wait: False to return as soon as Glance has begun
        :keyword timeout: seconds; [glance] import_timeout by default, 0 for
            no limit
        :keyword keep: whether to leave everything as it is after a failure
        :keyword progress: called with a nova_image.image.import_result.Seen
            for each change
        :returns: nova_image.image.import_result.Result; None without wait
        :raises ImageImportImpossible: if Glance lacks the method or a store,
            or the image's state does not allow it
        :raises ImageQuotaExceeded: if the data exceeds a limit of Glance
        """
        raise self._no_import('import', image_id)

    def create_via_import(self, context, image_meta, method, id_is_new=False,
                          **options):
        """Create an image and make Glance get its data.

        If the import fails, or an exception is raised, the image is deleted.

        :param image_meta: as for create
        :param id_is_new: as for create
        :param options: and ``method`` as for import_image
        :returns: (image, what import_image returns); the image is None if it
            was deleted
        """
        raise self._no_import('create by import')

    def image_import_copy(self, context, image_id, stores, **options):
        """Begin to copy an image's data to other stores of Glance.

        :param stores: list of store IDs
        :param options: of import_image: ``wait``, which is False by default,
            ``timeout``, ``progress``, ``all_stores_must_succeed``
        :returns: as import_image
        :raises ImageImportImpossible: if the image's state does not allow it
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
            share it further), ``created_at`` and ``updated_at`` (aware
            datetimes). Values that the API lacks are None: status and times
            in v1, can_share in v2.
        :raises ImageNotAuthorized: if the image cannot have members
        """

    @abc.abstractmethod
    def add_member(self, context, image_id, member):
        """Give a project access to an image.

        :param member: ID of the project, printable ASCII without a slash
        :returns: the member, as in members()
        :raises ImageBadRequest: if it cannot be the ID of a project
        :raises ImageNotAuthorized: if the caller may not share the image, or
            the image's visibility is not ``shared``
        :raises ImageConflict: if it is a member already, except in v1
        """

    @abc.abstractmethod
    def set_member_status(self, context, image_id, member, status):
        """Accept or reject an image that is shared with a project.

        The project's listings include it only if it was accepted.

        :param member: ID of the project; the caller's own unless the caller
            is an administrator
        :param status: 'accepted', 'rejected' or 'pending'
        :returns: the member, as in members()
        :raises NotFound: if it is not a member, or there is no such image
        """

    @abc.abstractmethod
    def remove_member(self, context, image_id, member):
        """Revoke a project's access to an image.

        :param member: ID of the project
        :returns: True
        :raises NotFound: if it is not a member, or there is no such image
        """

    def locations(self, context, image_id):
        """List the locations of an image: the URLs of its data.

        They may contain credentials: see nova_image.redaction.

        :returns: list of dicts with ``url`` and ``metadata``, a dict that has
            ``store``, the ID of the store, if Glance has several
        :raises Forbidden: if Glance shows them only to services
        """
        raise self._no_locations('list the locations of', image_id)

    def add_location(self, context, image_id, url, store=None, **validation):
        """Give an image a location, and wait until the image is active.

        A queued image becomes active. An active image gets another source of
        its data, if Glance accepts one; Glance does not compare the data.

        :param url: URL of data that is already in a store
        :param store: ID of the store, if Glance does not know it by the URL
        :keyword os_hash_algo: the algorithm of the hash of the data, and
        :keyword os_hash_value: its hexadecimal digest
        :returns: the image
        :raises ImageLocationRefused: if Glance refuses the location
        """
        raise self._no_locations('add a location to', image_id)

    def remove_location(self, context, image_id, location):
        """Remove a location of an image, and its data from the store.

        Nothing is removed if the image does not have this location any more.

        :param location: dict, as in locations()
        :returns: True
        :raises NotFound: if the image does not have it
        :raises ImageConflict: if it is the only one
        """
        raise self._no_locations('remove a location of', image_id)

    def remove_from_store(self, context, image_id, store):
        """Remove the data of an image from one of several stores.

        :param store: ID of the store
        :returns: True
        :raises NotFound: if the store does not have it
        :raises ImageConflict: if no other store has it
        """
        raise self._no_locations('remove a location of', image_id)

    def import_status(self, context, image_id, **options):
        """Return the state of an import, also of one that others have begun.

        :keyword watch: whether to wait for the end of an import in progress
        :keyword timeout: seconds; [glance] import_timeout by default, 0 for
            no limit
        :keyword progress: called with a nova_image.image.import_result.Seen
            for each change
        :returns: nova_image.image.import_result.Status
        """
        raise self._no_import('show the import of', image_id)

    @staticmethod
    def _require_url(image_id, url):
        """Refuse a location without a URL."""
        if not url:
            raise exception.ImageBadRequest(
                action='add a location to', image_id=image_id,
                reason='the URL is empty')

    def _no_locations(self, action, image_id):
        """Return the exception of a driver without locations."""
        reason, advice = self.no_locations
        return exception.ImageActionNotSupported(
            action=action, image_id=image_id, reason=reason, advice=advice)


def load(conf=None, log_is_ready=True, **options):
    """Return the driver that the configuration asks for.

    :param conf: an oslo.config ConfigOpts; the global one by default
    :param log_is_ready: False if logging is not set up yet, when messages are
        lost or go to stderr. The caller then calls begin_log() later.
    :param options: for nova_image.image.client.Client
    :returns: an ImageDriver
    :raises DriverLoadError: if its entry point is missing or broken, if an
        option requires another one, or if no call could ever succeed with the
        value of an option
    """
    conf = conf or cfg.CONF
    nova_image_conf.register_opts(conf)
    settings.check(conf)
    limits.check(conf)
    name = name_of(conf)
    loaded = _find(name)(client.Client(conf, **options))
    metrics_loading.start(conf, name)
    if log_is_ready:
        begin_log(loaded, conf)
    LOG.debug('Image driver %s of %s', name, NAMESPACE)
    return loaded


def name_of(conf):
    """Return the name of the driver that a configuration selects.

    :param conf: a ConfigOpts with the options of nova_image
    """
    return 'v1' if conf.glance.use_glance_v1 else 'v2'


def begin_log(loaded, conf):
    """Log the driver's deprecation and mistakes, and apply [glance] debug.

    :param loaded: the driver that load() returned
    :param conf: the ConfigOpts with which it was loaded
    """
    if loaded.deprecation:
        LOG.warning(loaded.deprecation)
    for line in settings.warnings(conf):
        LOG.warning(line)
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
