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

"""Makes Nova's XenAPI driver use the store of nova_image, if it is chosen.

Nova reads the class that uploads from ``[xenserver] image_upload_handler``,
but always downloads with a class of its own (nova.virt.xenapi.vm_utils of
15.1.5). With the class of nova_image, both must be the same: the classes call
different plugins in dom0, and that of Nova only supports the Images API v2.
"""

import functools

from oslo_utils import importutils

#: the value of the option
HANDLER = 'nova_image.virt.xenapi.store.GlanceStore'


def uses_xenapi(conf):
    """Return whether a configuration selects Nova's XenAPI driver.

    :param conf: Nova's configuration, parsed
    """
    return 'xenapi' in (getattr(conf, 'compute_driver', None) or '') and (
        hasattr(conf, 'xenserver'))


def is_chosen(conf):
    """Return whether images are to be moved by nova_image's plugin."""
    return uses_xenapi(conf) and (
        conf.xenserver.image_upload_handler == HANDLER)


def warning(conf):
    """Return a warning if Nova's own plugin moves the images, or ''.

    :param conf: Nova's configuration, parsed
    """
    is_compute = getattr(conf, 'prog', None) == 'nova-compute'
    if not is_compute or not uses_xenapi(conf) or is_chosen(conf):
        return ''
    return ("Nova's own plugin in dom0 moves the images of this XenServer, "
            'with the Images API v2 whatever the configuration of [glance] '
            'is. Set [xenserver] image_upload_handler = %s and install the '
            'plugin of nova_image in dom0.' % HANDLER)


def install(conf):
    """Make Nova download with our store, and check dom0 when it starts.

    :param conf: Nova's configuration, parsed
    """
    if not is_chosen(conf):
        return
    from nova.virt.xenapi import driver
    from nova.virt.xenapi import vm_utils

    def default_download_handler():
        return importutils.import_object(HANDLER)

    original = driver.XenAPIDriver.init_host

    @functools.wraps(original)
    def init_host(self, host):
        importutils.import_class(HANDLER).check(self._session)
        return original(self, host)

    vm_utils._default_download_handler = default_download_handler
    driver.XenAPIDriver.init_host = init_host
