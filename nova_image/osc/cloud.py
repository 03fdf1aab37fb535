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

"""openstackclient's cloud as the cloud of our commands."""

from __future__ import annotations

import typing

from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from oslo_config import cfg

from nova_image.cmd import session as our_session
from nova_image import conf as nova_image_conf
from nova_image.image import api
from nova_image.image import http_session
from nova_image.image import identity
from nova_image.image import renewal

#: authentication types without Keystone: requests have no token
_WITHOUT_KEYSTONE = (None, '', 'None', 'none', 'noauth')


class _Identity(identity.Identity):
    """The user of openstackclient, for every endpoint."""

    def __init__(self, conf: cfg.ConfigOpts, own: ks_session.Session,
                 auth: plugin.BaseAuthPlugin | None) -> None:
        super().__init__(conf)
        self._own = own
        self._auth = renewal.patient(auth)

    def session(self, endpoint: str | None) -> ks_session.Session:
        """Return the session."""
        return self._own

    def auth(self, context: our_session.Caller
             ) -> plugin.BaseAuthPlugin | None:
        """Return the auth plugin; None without Keystone."""
        return self._auth


def of(manager: typing.Any) -> our_session.Cloud:
    """Return the cloud of openstackclient.

    The user is authenticated already. The session is a new one: the one of
    openstackclient waits for an answer without limit.

    :param manager: the ClientManager of openstackclient
    """
    manager.setup_auth()
    region = manager.sdk_connection.config
    keystone = region.config.get('auth_type') not in _WITHOUT_KEYSTONE
    own = ks_session.Session(
        auth=manager.auth, session=http_session.HttpSession(),
        verify=manager.verify, cert=manager.cert,
        timeout=identity.DEFAULT_TIMEOUT)
    conf = _conf(region, None if keystone else manager.auth.get_endpoint(own))
    user = _Identity(conf, own, manager.auth if keystone else None)
    claims = {} if keystone else region.config.get('auth') or {}
    return our_session.Cloud(
        api.API(conf, identity=user, log_is_ready=False),
        our_session.Caller(claims.get('user_id'), claims.get('project_id')),
        own if keystone else None)


def _conf(region: typing.Any, endpoint: str | None) -> cfg.ConfigOpts:
    """Return the configuration of the image driver.

    :param region: openstack.config.cloud_region.CloudRegion
    :param endpoint: URL of a Glance without Keystone
    """
    conf = cfg.ConfigOpts()
    conf([], project='nova_image', default_config_files=[],
         default_config_dirs=[])
    nova_image_conf.register_opts(conf)
    interface = region.get_interface('image') or 'public'
    settings: dict[str, typing.Any] = {
        'endpoint_override': region.get_endpoint('image') or endpoint,
        'region_name': region.get_region_name('image') or None,
        'service_type': region.get_service_type('image') or 'image',
        'valid_interfaces': [interface] if isinstance(
            interface, str) else list(interface),
        'keep_partial_downloads': True,
    }
    for name, value in settings.items():
        conf.set_override(name, value, 'glance')
    return conf
