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

"""A XenServer and a Nova that only the tests of its images know.

The session repeats calls as os-xenapi 0.3.4 does.
"""

import sys

import mock
from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image.tests.unit import base
from nova_image.tests.unit.host import fake_nova
from nova_image.tests.unit import recordings
from nova_image.virt import xenapi

ID = recordings.ACTIVE
MD5 = 'd41d8cd98f00b204e9800998ecf8427e'
OTHER_MD5 = '0' * 32
IMAGE = {'id': ID, 'status': 'queued', 'size': 0, 'checksum': None}
ACTIVE = dict(IMAGE, status='active', size=5, checksum=MD5)
INSTANCE = {'auto_disk_config': True, 'os_type': None}
SENT = {'md5': MD5, 'size': 5}
_MODULES = ('nova.compute', 'nova.compute.utils', 'nova.utils', 'nova.virt',
            'nova.virt.xenapi', 'nova.virt.xenapi.driver',
            'nova.virt.xenapi.vm_utils')
_XENAPI = ('os_xenapi', 'os_xenapi.client', 'os_xenapi.client.exception')


class Failure(Exception):
    """XenAPI's exception."""

    def __init__(self, details):
        super(Failure, self).__init__(details)
        self.details = details


class PluginRetriesExceeded(Exception):
    """os-xenapi's exception when no attempt has succeeded."""

    def __init__(self, num_retries):
        super(PluginRetriesExceeded, self).__init__(num_retries)


class Session(object):
    """A session whose plugin answers as a test says.

    :ivar version: the version of the plugin, or a Failure
    :ivar answers: what each call returns, or raises
    :ivar calls: list of (function, arguments)
    :ivar versions: how often the version was asked
    """

    host_uuid = 'a-host'

    class XenAPI(object):
        """The module."""

        Failure = Failure

    def __init__(self):
        self.version = '1.0'
        self.answers = []
        self.calls = []
        self.versions = 0

    def call_plugin_serialized(self, plugin, function, **arguments):
        """Call the plugin."""
        assert plugin == 'nova_image_glance.py', plugin
        if function == 'get_version':
            self.versions += 1
            answer = self.version
        else:
            self.calls.append((function, arguments))
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call_plugin_serialized_with_retry(self, plugin, function, retries,
                                          callback, retry_cb=None,
                                          **arguments):
        """Call the plugin, and again after a RetryableError."""
        for _ in range(retries + 1):
            try:
                callback(arguments)
                return self.call_plugin_serialized(plugin, function,
                                                   **dict(arguments))
            except Failure as error:
                if error.details[2] != 'RetryableError':
                    raise
                retry_cb(exc=error)
        raise PluginRetriesExceeded(num_retries=retries)


def failure(kind='RetryableError', text='503', function='upload_vhd'):
    """Return an error of the plugin."""
    return Failure(['XENAPI_PLUGIN_FAILURE', function, kind, text])


class XenCase(base.TestCase):
    """Base class: a fake Nova with the driver of a mock.

    :ivar images: the mock of the driver
    :ivar session: a Session
    """

    def setUp(self):
        super(XenCase, self).setUp()
        self.nova = self.useFixture(fake_nova.FakeNova())
        nova_image_conf.register_opts(self.nova.conf)
        self.nova.conf.register_opts([
            cfg.StrOpt('default_os_type', default='linux'),
            cfg.StrOpt('image_upload_handler', default='of Nova')],
            group='xenserver')
        self.nova.conf.register_opt(cfg.StrOpt('compute_driver'))
        self._add_modules()
        self.session = Session()
        self.images = mock.Mock(deprecation='')
        self.images.client.conf.glance.num_retries = 2
        self.images.resolve = lambda context, image: (self.images, image)
        self.images.data_requests.side_effect = self._requests
        self._forget()
        self.addCleanup(self._forget)

    @staticmethod
    def _requests(context, image_id, action):
        for number in range(9):
            yield {'url': 'http://%d/%s/%s' % (number, action, image_id)}

    def _add_modules(self):
        nova = self.nova
        for name in _MODULES + _XENAPI:
            nova.add(name)
        exceptions = nova.modules['nova.exception']
        for name in ('CouldNotFetchImage', 'CouldNotUploadImage'):
            setattr(exceptions, name, type(
                name, (fake_nova.NovaException,),
                {'msg_fmt': name + ' %(image_id)s'}))
        nova.modules['os_xenapi.client.exception'].PluginRetriesExceeded = (
            PluginRetriesExceeded)
        utils = nova.modules['nova.utils']
        utils.get_auto_disk_config_from_instance = (
            lambda instance: instance.get('disabled'))
        utils.is_auto_disk_config_disabled = bool
        self.faults = mock.Mock()
        nova.modules['nova.compute.utils'].add_instance_fault_from_exc = (
            self.faults)
        self.vm_utils = nova.modules['nova.virt.xenapi.vm_utils']
        self.vm_utils.get_sr_path = lambda session: '/sr'
        self.vm_utils._make_uuid_stack = lambda: ['b', 'a']
        self.vm_utils.get_compression_level = lambda: None

    @staticmethod
    def _forget():
        """Make each test import the store again, with its own fake."""
        sys.modules.pop('nova_image.virt.xenapi.store', None)
        vars(xenapi).pop('store', None)

    def store(self):
        """Return the store, in a service that runs with our driver."""
        from nova_image.host import bridge
        from nova_image.virt.xenapi import store
        bridge.installed = lambda: mock.Mock(driver=self.images)
        return store.GlanceStore()

    def exception(self, name):
        """Return an exception of Nova."""
        return getattr(self.nova.modules['nova.exception'], name)
