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

"""Helpers for the clients of several benchmarks, in the peers' virtualenv.

The benchmark itself also imports this, so functions import Nova.
"""

import typing

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session


def image_url(session: ks_session.Session) -> str:
    """Return the URL of Glance from the catalog of the user's token.

    :param session: a session with the user's credentials
    :raises LookupError: if the catalog has no such endpoint
    """
    url = session.get_endpoint(service_type='image', interface='internal')
    if url is None:
        raise LookupError('The catalog has no internal endpoint of Glance.')
    return url


def nova_context(auth: v3.Password, session: ks_session.Session,
                 url: str | None = None) -> typing.Any:
    """Return the context that nova-api creates for a request.

    :param auth: the plugin with the user's credentials
    :param session: a session that uses it
    :param url: the URL of Glance; that of the catalog if None
    """
    from nova import context
    access = auth.get_access(session)
    url = url or image_url(session)
    # nova-api gets the catalog from keystonemiddleware in this older form.
    catalog = [{'type': 'image', 'name': 'glance', 'endpoints': [
        {'region': 'RegionOne', 'publicURL': url, 'internalURL': url}]}]
    return context.RequestContext(
        user_id=access.user_id, project_id=access.project_id,
        roles=access.role_names, is_admin=False,
        auth_token=access.auth_token, service_catalog=catalog)


def load_nova(config: str | None = None) -> None:
    """Configure Nova with its defaults, ignoring /etc.

    :param config: a configuration file that overrides defaults
    """
    import nova.conf
    nova.conf.CONF([], project='nova',
                   default_config_files=[config] if config else [])
