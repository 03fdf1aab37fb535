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

"""Who plays: the services, the configuration and the caller of each version.

Through v2 it is a whole little cloud: tokens of a real Keystone 30, the
endpoint of Glance 33 from its catalog. Through v1 it is Glance 15.0.2 as it
runs without Keystone: the caller's identity goes in headers.
"""

import contextlib
import dataclasses
import typing

from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image.image import api
from nova_image.tests import fixtures
from nova_image.tests.fixtures import nova_virtualenv


@dataclasses.dataclass
class Caller:
    """The context of a caller, as any service of OpenStack has one."""

    user_id: str | None
    project_id: str | None
    roles: tuple[str, ...] = ('member', 'reader')
    is_admin: bool = False
    auth_token: str | None = None
    auth: plugin.BaseAuthPlugin | None = None

    def get_auth_plugin(self) -> plugin.BaseAuthPlugin | None:
        """Return what gets the caller tokens."""
        return self.auth


@dataclasses.dataclass
class Stage:
    """What the story needs to know.

    ``directions`` say how a person can talk to the services; ``nova`` is
    there where a Nova is on stage.
    """

    title: str
    glance: fixtures.Service
    api: api.API
    caller: Caller
    directions: str
    nova: fixtures.NovaApi | None = None


def _api(**options: typing.Any) -> api.API:
    conf = cfg.ConfigOpts()
    conf([])
    nova_image_conf.register_opts(conf)
    for name, value in options.items():
        conf.set_override(name, value, 'glance')
    return api.API(conf)


def modern(stack: contextlib.ExitStack) -> Stage:
    """Start Keystone 30, Glance 33 and the nova-api of Nova 34."""
    virtualenv = stack.enter_context(nova_virtualenv.nova())
    keystone = fixtures.Keystone()
    glance = fixtures.Glance(auth='keystone', keystone=keystone)
    for service in (keystone, glance):  # one virtualenv is enough for all
        service.use(None, virtualenv)
        stack.enter_context(service)
    keystone.add_endpoint('image', 'glance', glance.url)
    nova = stack.enter_context(fixtures.NovaApi(keystone, {
        'DEFAULT': {'config_source': 'nova_image'},
        'nova_image': {'driver': 'nova_image'}}))
    session: ks_session.Session = keystone.session('demo')
    caller = Caller(
        user_id=session.get_user_id(), project_id=session.get_project_id(),
        auth_token=session.get_token(), auth=session.auth)
    return Stage(
        title='Glance 33.0.0, Images API v2, at %s\nKeystone 30.0.0 at %s\n'
              'nova-api 34.0.0 with nova_image at %s' % (
                  glance.url, keystone.url, nova.url),
        glance=glance, caller=caller, nova=nova, api=_api(
            valid_interfaces=['public'], region_name='RegionOne'),
        directions=_with_password(keystone.auth_options('demo')))


def legacy(stack: contextlib.ExitStack) -> Stage:
    """Start Glance 15 with v1."""
    try:
        glance = stack.enter_context(fixtures.LegacyGlance())
    except fixtures.NoPython27 as error:
        raise SystemExit('The story through v1 cannot be told: %s' % error)
    caller = Caller(user_id='demo-user', project_id='demo-project')
    return Stage(
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
