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

"""The checks of configurations: Nova, other services, nova_image itself."""

from __future__ import annotations

import collections.abc

from nova_image.status import checks
from nova_image.status import facts

Code = checks.Code

_GIVE = 'give --config-file, such as /etc/nova/nova.conf, on each host'
#: python-glanceclient from here on percent-encodes the headers of v1
_ENCODING_CLIENT = (2, 12)
#: options of [glance] that Nova no longer has, or that nova_image replaces
_OLD = {
    'host': 'was removed in Nova 14: set api_servers',
    'port': 'was removed in Nova 14: set api_servers',
    'protocol': 'was removed in Nova 14: set api_servers',
    'allowed_direct_url_schemes': 'is not used by nova_image: set '
                                  'direct_file_roots or enable_rbd_download',
    'api_insecure': 'was removed in Nova 16: set insecure or cafile',
}
#: compute_driver of Nova (its last part) -> what it needs
_DRIVERS = {
    'XenAPIDriver': 'needs the dom0 plugin of the same release on each host',
    'VMwareVCDriver': 'reads and writes images with v2 by itself',
    'HyperVDriver': 'reads and writes images through nova-compute',
    'IronicDriver': 'leaves images to Ironic: check [glance] in ironic.conf',
}


class NovaConf(checks.FactCheck):
    """The section [glance] of nova.conf."""

    name = 'nova-conf'
    title = 'Configuration of Nova'
    result = 'warning; failure for the XenAPI driver of Nova 15 without v2'
    why = ('Options from the time of v1 have no effect, or make Nova use v1 '
           'or the wrong server.')
    advice = 'Correct nova.conf on each host, and restart the services.'
    fact = 'nova'

    def judge(self, gathered: facts.Gathered) -> None:
        """Judge each option."""
        conf = gathered.nova
        if conf is None:
            self.skipped = _GIVE
            return
        uses_v1 = conf.is_true('glance', 'use_glance_v1')
        if uses_v1:
            self.find('use_glance_v1', 'is True: this host still uses v1')
        for option, text in _OLD.items():
            if conf.get('glance', option) is not None:
                self.find(option, text)
        for url in (conf.get('glance', 'api_servers') or '').split(','):
            if url.strip() and '://' not in url:
                self.find('api_servers', '%s has no scheme, such as '
                          'https://' % url.strip())
        if uses_v1 and gathered.glanceclient and (
                gathered.glanceclient >= _ENCODING_CLIENT):
            self.note = ('Other programs that use v1 with python-glanceclient '
                         '2.12 or later store percent-encoded metadata; '
                         'nova_image does not')
        self._check_xen(conf, gathered, uses_v1)

    def _check_xen(self, conf: facts.Settings, gathered: facts.Gathered,
                   uses_v1: bool) -> None:
        driver = conf.get('DEFAULT', 'compute_driver') or ''
        if driver.endswith('XenAPIDriver') and uses_v1 and (
                gathered.servers and gathered.newest('v2') is None):
            self.find('compute_driver', 'the XenAPI driver of Nova 15 uploads '
                      'by v2 only, which is not served', Code.FAILURE)

    def found(self) -> str:
        """Return what is wrong."""
        return 'Options that need attention:'


class VirtDrivers(checks.FactCheck):
    """Virt drivers that use images in ways of their own."""

    name = 'virt-drivers'
    title = 'Virt drivers'
    why = ('Some virt drivers do not use images through nova-compute, or need '
           'a plugin of their own.')
    advice = 'Check each driver before v1 is switched off.'
    cost = '1 to Nova'
    fact = 'hypervisors'

    def judge(self, gathered: facts.Gathered) -> None:
        """Judge the drivers of this host, and those that Nova reports."""
        if gathered.nova is None and gathered.hypervisors is None:
            self.skipped = ('give --config-file, or the credentials of an '
                            'administrator of Nova')
            return
        conf = gathered.nova or facts.Settings()
        names = {conf.get('DEFAULT', 'compute_driver') or ''}
        for driver in names:
            last = driver.rpartition('.')[2]
            if last in _DRIVERS:
                self.find(last, _DRIVERS[last])
        types = {kind.lower() for kind in gathered.hypervisors or ()}
        for kind in sorted(types):
            for last, text in _DRIVERS.items():
                if _kind_of(last) in kind:
                    self.find('hypervisors of type %s' % kind, text)
        if conf.get('libvirt', 'images_type') == 'rbd':
            self.note = ('libvirt with disks in Ceph: snapshots need '
                         'locations, see the check locations')
        elif not self.items and (types or any(names)):
            self.note = ', '.join(sorted(filter(None, names | types)))

    def found(self) -> str:
        """Return what is wrong."""
        return 'Drivers that use images in ways of their own:'


def _kind_of(driver: str) -> str:
    """Return what the type of a hypervisor contains, in lower case."""
    return {'XenAPIDriver': 'xenserver', 'VMwareVCDriver': 'vmware',
            'HyperVDriver': 'hyperv', 'IronicDriver': 'ironic'}[driver]


class OtherServices(checks.FactCheck):
    """Other services that use v1."""

    name = 'other-services'
    title = 'Other services'
    result = 'failure for v1; warning for a store per tenant'
    why = ('Cinder, Heat, Murano and others fail when v1 is switched off, if '
           'they are configured to use it. With a store in Swift that belongs '
           "to each tenant, Glance needs the user's token for each image.")
    advice = ('Set glance_api_version = 2. With swift_store_multi_tenant, '
              'never use images with the credentials of a service.')
    fact = 'others'

    def judge(self, gathered: facts.Gathered) -> None:
        """Look for options that select v1."""
        if gathered.others is None:
            self.skipped = ('give --service-config, such as '
                            '/etc/cinder/cinder.conf or /etc/glance')
            return
        for path, conf in sorted(gathered.others.items()):
            for section, options in conf.values.items():
                self._judge(path, section, options)

    def _judge(self, path: str, section: str,
               options: collections.abc.Mapping[str, str]) -> None:
        for name, value in options.items():
            plain = value.strip().lower().lstrip('v')
            if name.endswith('glance_api_version') and plain.startswith('1'):
                self.find(path, '[%s] %s = %s' % (section, name, value),
                          Code.FAILURE)
            elif name == 'swift_store_multi_tenant' and plain in (
                    'true', '1', 'yes', 'on'):
                self.find(path, '[%s] %s = %s' % (section, name, value))

    def found(self) -> str:
        """Return what is wrong."""
        return 'Services that use v1, or a store of each tenant:'


class Package(checks.FactCheck):
    """nova_image itself."""

    name = 'nova-image'
    title = 'nova_image on this host'
    result = 'failure if something cannot be loaded; otherwise warning'
    why = ('A service that cannot load the drivers does not start. An option '
           'that no one reads has no effect.')
    advice = ('Install the package again. Correct the names of the options; '
              'nova-image-run --check SERVICE shows what a service would '
              'use.')
    fact = 'package'

    def judge(self, gathered: facts.Gathered) -> None:
        """Judge entry points and options."""
        for one in gathered.package:
            if one.problem:
                self.find(one.what, one.problem, Code.FAILURE)
        for name in gathered.unknown:
            self.find('[glance] ' + name, 'is not an option of nova_image '
                      'or keystoneauth')
        conf = gathered.nova
        if conf is None or self.items:
            return
        source = conf.get('DEFAULT', 'config_source') or ''
        enabled = any(conf.get(section.strip(), 'driver') == 'nova_image'
                      for section in source.split(','))
        if not enabled:
            self.note = ('nova.conf does not enable nova_image: services use '
                         'it only with nova-image-run')

    def found(self) -> str:
        """Return what is wrong."""
        return 'What cannot be loaded or has no effect:'


class Clients(checks.FactCheck):
    """Who still uses v1, by the access logs of Glance."""

    name = 'v1-clients'
    title = 'Clients of v1'
    result = 'failure'
    why = 'Clients that still call v1 fail when it is switched off.'
    advice = ('Move these clients to v2. nova-image-status upgrade clients '
              'shows more about them.')
    option = '--access-log'
    fact = 'clients'

    def judge(self, gathered: facts.Gathered) -> None:
        """Each client is a failure."""
        for client, number in sorted((gathered.clients or {}).items(),
                                     key=lambda item: (-item[1], item[0])):
            self.find(client, '%d requests' % number, Code.FAILURE)

    def found(self) -> str:
        """Return what is wrong."""
        return 'Clients that call v1:'


class Filters(checks.FactCheck):
    """Filters of Nova's images API that v2 does not have."""

    name = 'v1-filters'
    title = 'Filters that v2 reads differently'
    why = ('With v2, changes-since lists no deleted images, and a filter that '
           'v2 does not know is a filter of properties.')
    advice = ('Tell the users of these filters. nova_image translates them '
              'as far as v2 allows.')
    option = '--nova-log'
    fact = 'filters'

    def judge(self, gathered: facts.Gathered) -> None:
        """Each filter is a warning."""
        for name, number in sorted((gathered.filters or {}).items()):
            self.find(name, '%d requests' % number)

    def found(self) -> str:
        """Return what is wrong."""
        return 'Filters in requests to Nova:'


def all_checks() -> list[checks.FactCheck]:
    """Return a new one of each check in this module."""
    return [Clients(), Filters(), NovaConf(), VirtDrivers(), OtherServices(),
            Package()]
