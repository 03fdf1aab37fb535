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

"""The Glances that these tests use, and the callers of their images."""

import abc
import functools
import pathlib
import typing

from keystoneauth1 import adapter
from keystoneauth1 import session as ks_session
from keystoneauth1 import token_endpoint

from nova_image.tests import fixtures
from nova_image.tests.fixtures import nova_config
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import services
from nova_image.tests.functional import servers as shared
from nova_image.tests.legacy import clouds
from nova_image.tests.legacy import raw

_USER, _ROLES = 'demo', ['member', 'reader']


class Target(abc.ABC):
    """A Glance with one version of its API, and a user of its images.

    :cvar glance: the version of Glance
    :cvar api: the version of the Images API
    :cvar driver: the name of the driver's class
    """

    glance: str
    api = 'v2'
    driver = 'GlanceImageServiceV2'

    @abc.abstractmethod
    def images(self) -> raw.Images:
        """Return a plain HTTP client of the user."""

    @abc.abstractmethod
    def stored(self, image_id: str) -> pathlib.Path:
        """Return the file in which Glance stores the data of an image."""

    @abc.abstractmethod
    def sections(self) -> services.Sections:
        """Return the part of nova.conf that depends on this Glance."""

    @abc.abstractmethod
    def client(self, url: str, microversion: str) -> adapter.Adapter:
        """Return the user's client of a nova-api."""

    @abc.abstractmethod
    def context(self) -> dict[str, typing.Any]:
        """Return the attributes of the user's context in Nova."""


# A token for each request would take more time than the request.
@functools.lru_cache(maxsize=1)
def _session() -> ks_session.Session:
    return shared.keystone().session(_USER)


@functools.lru_cache(maxsize=1)
def _token() -> str:
    return shared.token_of(_USER)


class Glance33(Target):
    """Glance 33 with a Keystone."""

    glance = '33.0.0'

    def images(self) -> raw.Images:
        """Return a plain HTTP client of the user."""
        made = raw.V2(shared.secured_glance().url, '')
        made.http.headers = {'X-Auth-Token': _token()}
        return made

    def stored(self, image_id: str) -> pathlib.Path:
        """Return the file in which Glance stores the data of an image."""
        return shared.secured_glance().folder / 'fast' / image_id

    def sections(self) -> services.Sections:
        """Return the part of nova.conf that depends on this Glance."""
        return paths.merge(
            nova_config.common(shared.keystone(), 'http://127.0.0.1:9'),
            {'glance': {'api_servers': shared.secured_glance().url}})

    def client(self, url: str, microversion: str) -> adapter.Adapter:
        """Return the user's client of a nova-api."""
        return adapter.Adapter(
            _session(), service_type='compute',
            endpoint_override=url + '/v2.1',
            default_microversion=microversion)

    def context(self) -> dict[str, typing.Any]:
        """Return the attributes of the user's context in Nova."""
        keystone = shared.keystone()
        return {'auth_token': _token(), 'roles': _ROLES,
                'user_id': keystone.user_id(_USER),
                'project_id': keystone.project_id(_USER)}


class Glance15(Target):
    """Glance 15 that serves only v2, without a Keystone."""

    glance = '15.0.2'

    def service(self) -> fixtures.LegacyGlance:
        """Return the Glance."""
        return clouds.glance_v2()

    def images(self) -> raw.Images:
        """Return a plain HTTP client of the user."""
        return raw.V2(self.service().url, clouds.PROJECT)

    def stored(self, image_id: str) -> pathlib.Path:
        """Return the file in which Glance stores the data of an image."""
        return self.service().images / image_id

    def sections(self) -> services.Sections:
        """Return the part of nova.conf that depends on this Glance."""
        return {
            'DEFAULT': {
                'firewall_driver': 'nova.virt.firewall.NoopFirewallDriver',
                'host': nova_config.HOST, 'my_ip': '127.0.0.1',
                'use_neutron': 'false'},
            'api': {'auth_strategy': 'noauth2'},
            'glance': {'api_servers': self.service().url},
            'vnc': {'enabled': 'false'}}

    def client(self, url: str, microversion: str) -> adapter.Adapter:
        """Return the user's client of a nova-api."""
        auth = token_endpoint.Token(
            url + '/v2.1', '%s:%s' % (_USER, clouds.PROJECT))
        return adapter.Adapter(
            ks_session.Session(auth=auth), service_type='compute',
            endpoint_override=url + '/v2.1',
            default_microversion=microversion)

    def context(self) -> dict[str, typing.Any]:
        """Return the attributes of the user's context in Nova."""
        return {'user_id': _USER, 'project_id': clouds.PROJECT,
                'roles': _ROLES}
