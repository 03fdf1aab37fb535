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

"""The projects of one cloud for those of another, by their names."""

from __future__ import annotations

import typing

from nova_image.cmd import codes
from nova_image.cmd import errors

if typing.TYPE_CHECKING:
    from keystoneauth1 import session as ks_session


def by_name(source: 'ks_session.Session',
            target: 'ks_session.Session') -> dict[str, str]:
    """Return {ID at the source: ID at the target}.

    A project is that with the same name in the domain of the same name.

    :param source: the session of the source, of an administrator
    :param target: the same for the target
    :raises errors.Failed: if Keystone does not list its projects
    """
    theirs = {place: project for project, place in _places(target).items()}
    return {project: theirs[place]
            for project, place in _places(source).items() if place in theirs}


def _places(keystone: 'ks_session.Session') -> dict[str, tuple[str, str]]:
    """Return {project ID: (name of the domain, name)}."""
    domains = {one['id']: one['name'] for one in _list(keystone, 'domains')}
    return {one['id']: (domains.get(one['domain_id'], one['domain_id']),
                        one['name'])
            for one in _list(keystone, 'projects')}


def _list(keystone: 'ks_session.Session',
          kind: str) -> list[dict[str, typing.Any]]:
    from keystoneauth1 import plugin

    answer = keystone.get(
        '/' + kind, raise_exc=False, log=False, endpoint_filter={
            'service_type': 'identity', 'version': (3, 0),
            'interface': plugin.AUTH_INTERFACE})
    if answer.status_code == 200:
        found: list[dict[str, typing.Any]] = answer.json()[kind]
        return found
    raise errors.Failed(
        'Keystone does not list its %s (%d). Use an administrator, or '
        '--project-map' % (kind, answer.status_code), codes.NOT_AUTHORIZED)
