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

"""The store of images for Nova's XenAPI driver (read in Nova 15.1.5).

nova.conf names it::

    [xenserver]
    image_upload_handler = nova_image.virt.xenapi.store.GlanceStore

nova_image.host.xenserver makes Nova use it for downloads, too. The data moves
between Glance and dom0, without passing through this process.
"""

import functools
import sys

from nova.compute import utils as compute_utils
import nova.conf
from nova import exception as nova_exception
from nova import utils as nova_utils
from nova.virt.xenapi import vm_utils
from os_xenapi.client import exception as xenapi_exception
from oslo_log import log as logging
import six

from nova_image import exception
from nova_image.host import bridge
from nova_image.host import faults
from nova_image.virt.xenapi import plugin
from nova_image.virt.xenapi import transfers

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class GlanceStore(object):
    """The two methods that Nova calls, and a check for its start."""

    @staticmethod
    def check(session):
        """Require a suitable plugin in dom0, when nova-compute starts.

        :param session: a XenAPISession of os-xenapi
        :raises DriverLoadError: if there is none
        """
        plugin.check(session)

    def download_image(self, context, session, instance, image_id):
        """Download an image into the storage repository of the host.

        :param context: the context of the request
        :param session: a XenAPISession of os-xenapi
        :param instance: the server that is being built
        :param image_id: ID of the image, or its URL
        :returns: ``{'root': {'uuid': UUID of the VHD}}``
        """
        with faults.translated(image_id):
            plugin.check(session)
            driver, image_id = _driver().resolve(
                context, six.text_type(image_id))
            download = transfers.Download(driver, context, image_id)
            found = _Call(driver, session, context, instance, image_id).run(
                'download_vhd', download.request,
                nova_exception.CouldNotFetchImage,
                uuid_stack=vm_utils._make_uuid_stack(),
                sr_path=vm_utils.get_sr_path(session),
                checksum=download.checksum())
            download.verify(found)
        return {'root': found['root']}

    def upload_image(self, context, session, instance, image_id, vdi_uuids):
        """Upload the disk of a server as the data of an image.

        :param context: the context of the request
        :param session: a XenAPISession of os-xenapi
        :param instance: the server
        :param image_id: ID of the image, which is queued
        :param vdi_uuids: list of the UUIDs of the VHDs, the leaf first
        """
        level = vm_utils.get_compression_level()
        with faults.translated(image_id):
            plugin.check(session)
            driver = _driver()
            upload = transfers.Upload(driver, context, image_id,
                                      _properties(instance, level))
            try:
                sent = _Call(driver, session, context, instance, image_id,
                             upload.remember).run(
                    'upload_vhd', upload.request,
                    nova_exception.CouldNotUploadImage,
                    vdi_uuids=vdi_uuids, compression_level=level,
                    sr_path=vm_utils.get_sr_path(session))
            except transfers.Finished:
                return
            except nova_exception.CouldNotUploadImage:
                if not upload.has_succeeded():
                    raise
                return
            upload.verify(sent)


def _driver():
    """Return the driver of this service.

    :raises DriverLoadError: if the service runs with Nova's own image code
    """
    service = bridge.installed()
    if service is None:
        raise exception.DriverLoadError(
            reason='[xenserver] image_upload_handler names nova_image, but '
                   'this service does not run with its drivers',
            advice='Start it with nova-image-run, or see nova-image-run '
                   '--check')
    return service.driver


def _properties(instance, level):
    """Return the custom properties of a snapshot, as Nova sets them."""
    found = {'auto_disk_config': instance['auto_disk_config'],
             'os_type': instance.get('os_type', None) or (
                 CONF.xenserver.default_os_type)}
    if level:
        found['xenapi_image_compression_level'] = level
    if nova_utils.is_auto_disk_config_disabled(
            nova_utils.get_auto_disk_config_from_instance(instance)):
        found['auto_disk_config'] = 'disabled'
    return found


class _Call(object):
    """A call of the plugin, which os-xenapi repeats if that may help.

    :param driver: nova_image.image.driver.ImageDriver
    :param session: a XenAPISession of os-xenapi
    :param context: the context of the request
    :param instance: the server, whose faults users see
    :param image_id: ID of the image
    :param remember: called with the data of an upload without an answer
    """

    def __init__(self, driver, session, context, instance, image_id,
                 remember=None):
        self._retries = driver.client.conf.glance.num_retries
        self._session = session
        self._context = context
        self._instance = instance
        self._image_id = image_id
        self._remember = remember

    def run(self, function, request, kind, **arguments):
        """Make the call, and return the plugin's answer.

        :param function: name of the plugin's function
        :param request: called before each attempt for its request
        :param kind: Nova's exception if all attempts have failed
        :param arguments: for the function
        """
        try:
            return self._session.call_plugin_serialized_with_retry(
                plugin.NAME, function, self._retries,
                functools.partial(self._prepare, function, request),
                self._failed, **arguments)
        except xenapi_exception.PluginRetriesExceeded as error:
            six.raise_from(kind(image_id=self._image_id), error)
        except self._session.XenAPI.Failure as error:
            if not plugin.is_not_found(error):
                raise
            six.raise_from(exception.ImageNotFound(
                action=function, image_id=self._image_id,
                reason=plugin.details(error)), error)

    def _prepare(self, function, request, arguments):
        """Set the request of an attempt; return the URL, for os-xenapi's log.

        os-xenapi also repeats a call whose preparation raises this Failure.
        """
        try:
            arguments['request'] = request()
        except transfers.StillBusy as error:
            raise self._session.XenAPI.Failure([
                'XENAPI_PLUGIN_FAILURE', function, plugin.RETRYABLE,
                '%s' % error])
        return exception.redact(arguments['request']['url'])

    def _failed(self, exc=None):
        """Record an attempt that is going to be repeated."""
        if exc is None:
            return
        LOG.warning('An attempt to move the data of image %(id)s failed in '
                    'dom0: %(error)s', {
                        'id': self._image_id,
                        'error': exception.redact('%s' % exc)})
        if self._remember and hasattr(exc, 'details'):
            self._remember(plugin.sent(exc))
        compute_utils.add_instance_fault_from_exc(
            self._context, self._instance, exc, sys.exc_info())
