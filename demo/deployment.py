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

"""The services, the configuration and the caller for each API version.

For v2 they are a small cloud: Keystone 30 issues the tokens, and its catalog
has the endpoint of Glance 33. For v1 they are a Glance 15.0.2 without
Keystone, which takes the caller's identity from headers.
"""

import collections.abc
import contextlib
import dataclasses
import typing

from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image.image import api
from nova_image.tests import fixtures


@dataclasses.dataclass
class Caller:
    """The request context of a caller, as any OpenStack service has it."""

    user_id: str | None
    project_id: str | None
    roles: tuple[str, ...] = ('member', 'reader')
    is_admin: bool = False
    auth_token: str | None = None
    auth: plugin.BaseAuthPlugin | None = None

    def get_auth_plugin(self) -> plugin.BaseAuthPlugin | None:
        """Return the auth plugin that issues the caller's tokens."""
        return self.auth


@dataclasses.dataclass
class Deployment:
    """The services and everything that the steps need.

    ``directions`` tell a person how to talk to the services. ``start_nova``
    installs and starts a nova-api; it is None if there is no Nova.
    """

    title: str
    glance: fixtures.Service
    api: api.API
    caller: Caller
    directions: str
    start_nova: collections.abc.Callable[[], fixtures.NovaApi] | None = None


def _api(**options: typing.Any) -> api.API:
    conf = cfg.ConfigOpts()
    conf([])
    nova_image_conf.register_opts(conf)
    for name, value in options.items():
        conf.set_override(name, value, 'glance')
    return api.API(conf)


def modern(stack: contextlib.ExitStack) -> Deployment:
    """Start Keystone 30 and Glance 33, and prepare the nova-api of Nova 34.

    Nova takes as long as both of them, so it is started when it is needed.
    """
    keystone = stack.enter_context(fixtures.Keystone())
    glance = stack.enter_context(
        fixtures.Glance(auth='keystone', keystone=keystone))
    keystone.add_endpoint('image', 'glance', glance.url)
    nova = fixtures.NovaApi(keystone, {
        'DEFAULT': {'config_source': 'nova_image'},
        'nova_image': {'driver': 'nova_image'}})
    session: ks_session.Session = keystone.session('demo')
    caller = Caller(
        user_id=session.get_user_id(), project_id=session.get_project_id(),
        auth_token=session.get_token(), auth=session.auth)
    return Deployment(
        title='Glance 33.0.0, Images API v2, at %s\nKeystone 30.0.0 at %s' % (
            glance.url, keystone.url),
        glance=glance, caller=caller,
        start_nova=lambda: stack.enter_context(nova),
        api=_api(valid_interfaces=['public'], region_name='RegionOne'),
        directions=_with_password(keystone.auth_options('demo')))


def legacy(stack: contextlib.ExitStack) -> Deployment:
    """Start Glance 15, which serves v1."""
    try:
        glance = stack.enter_context(fixtures.LegacyGlance())
    except fixtures.NoPython27 as error:
        raise SystemExit('The demonstration of v1 cannot run: %s' % error)
    caller = Caller(user_id='demo-user', project_id='demo-project')
    return Deployment(
        title='Glance 15.0.2, Images API v1, at %s' % glance.url,
        glance=glance, caller=caller,
        api=_api(use_glance_v1=True, api_servers=[glance.url]),
        directions=_with_headers(glance.url, caller))


def _with_password(options: dict[str, typing.Any]) -> str:
    settings = {'OS_' + name.upper(): value
                for name, value in options.items()}
    exports = '\n'.join("export %s='%s'" % item
                        for item in sorted(settings.items()))
    return ('To talk to it with any OpenStack client:\n%s\n'
            'export OS_IDENTITY_API_VERSION=3\nopenstack image list' % exports)


def _with_headers(url: str, caller: Caller) -> str:
    return ("To talk to it:\ncurl -H 'X-Identity-Status: Confirmed' "
            "-H 'X-User-Id: %s' \\\n  -H 'X-Tenant-Id: %s' "
            "-H 'X-Roles: member' %s/v1/images/detail" % (
                caller.user_id, caller.project_id, url))
