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

"""What is missing from credentials, or too much, before they are used.

keystoneauth and openstacksdk find out late, and say it in their own terms:
half an openrc ends in a TypeError.
"""

from __future__ import annotations

import typing

from nova_image.cmd import errors

_PASSWORD = ('password', 'v3password')
_TOKEN = ('token', 'v3token')
#: the options of a user, which a token replaces
_USER = ('username', 'user_id', 'user_domain_id', 'user_domain_name',
         'password')
_DOMAINS = ('user_domain_id', 'user_domain_name', 'project_domain_id',
            'project_domain_name')
_ALL = ('auth_url', 'token', *_USER)


def settle(config: dict[str, typing.Any], asks: bool
           ) -> dict[str, typing.Any]:
    """Return a configuration of openstacksdk with complete credentials.

    A token replaces the user, who may be left from an openrc.

    :param config: ``auth_type``, and ``auth`` with the credentials
    :param asks: whether a missing password is asked for
    :raises errors.Usage: if something is missing or does not fit together
    """
    # openstacksdk moves the environment's later into "auth".
    auth = {name: value for name, value in {
        **{name: config.get(name) for name in _ALL},
        **(config.get('auth') or {})}.items() if value}
    kind = config.get('auth_type')
    if auth.get('token') and kind in _PASSWORD + _TOKEN:
        if kind in _PASSWORD and auth.get('password'):
            raise errors.Usage(
                'Both a token and a password are set. Unset OS_TOKEN or '
                'OS_PASSWORD, or set OS_AUTH_TYPE to token')
        kind = 'token' if kind in _PASSWORD else kind
        auth = {name: value for name, value in auth.items()
                if name not in _USER}
    url = auth.get('auth_url')
    if url:
        _check(kind, auth, url, asks)
    elif kind in _PASSWORD and asks:  # before anybody types a password
        raise errors.Usage(
            'The credentials lack OS_AUTH_URL. Set them with --os-cloud and '
            'clouds.yaml or with OS_AUTH_URL, OS_USERNAME and so on, or use '
            '--os-auth-type none')
    rest = {name: value for name, value in config.items() if name not in _ALL}
    return {**rest, 'auth': auth, 'auth_type': kind}


def _check(kind: str | None, auth: dict[str, typing.Any], url: str,
           asks: bool) -> None:
    if not url.lower().startswith(('http://', 'https://')):
        raise errors.Usage(
            'OS_AUTH_URL must begin with https:// or http://, but is %s' %
            url)
    if url.rstrip('/').endswith('/v2.0') and (
            any(auth.get(name) for name in _DOMAINS)):
        raise errors.Usage(
            'OS_AUTH_URL %s is that of the Identity API v2.0, which has no '
            'domains. Let it end with /v3' % url)
    if kind in _PASSWORD:
        missing = [] if auth.get('username') or auth.get('user_id') else [
            'OS_USERNAME']
        if not auth.get('password') and not asks:
            missing.append('OS_PASSWORD')
        if missing:
            raise errors.Usage(
                'The credentials lack %s. Source the whole openrc file, or '
                'set OS_CLOUD' % ' and '.join(missing))
