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

"""The checks of the API servers, their URLs, and the caller's roles."""

from __future__ import annotations

import urllib.parse

from nova_image.status import checks
from nova_image.status import facts

Code = checks.Code

#: the minor version with os_hash_value
_HASHES = (2, 7)


class ApiVersions(checks.FactCheck):
    """The versions of all API servers."""

    name = 'api-versions'
    title = 'Versions of the Images API'
    result = 'failure without v2; warning if servers differ'
    why = ('Nova needs v2, on every API server, before v1 is switched off. '
           'Servers that differ answer a caller differently each time.')
    advice = ('Set enable_v2_api = True in glance-api.conf (up to Queens), '
              'and run the same release on all servers.')
    cost = '1 for each API server'
    fact = 'servers'

    def judge(self, gathered: facts.Gathered) -> None:
        """Look for v2 at each server, and for differences."""
        sets = set()
        for server in gathered.servers:
            if server.problem:
                self.doubt(server.problem)
                continue
            sets.add(frozenset(server.versions.items()))
            newest = server.newest('v2')
            if newest is None:
                self.find(server.url, 'does not serve v2, only %s' % (
                    ', '.join(server.versions) or 'nothing'), Code.FAILURE)
        if len(sets) > 1:
            for server in gathered.servers:
                if not server.problem:
                    self.find(server.url, 'serves %s' % ', '.join(
                        sorted(server.versions)))
        self._describe(gathered)

    def _describe(self, gathered: facts.Gathered) -> None:
        """Note the versions, if nothing is wrong."""
        newest = gathered.newest('v2')
        if newest is None or self.items or self.unchecked:
            return
        self.note = 'v%s%s%s' % (
            '.'.join(map(str, newest)),
            '' if newest >= _HASHES else ', without os_hash_value',
            ', and v1 is served' if gathered.newest('v1') else '')

    def found(self) -> str:
        """Return what is wrong."""
        return 'API servers without v2, or that differ:'


class Endpoints(checks.FactCheck):
    """URLs of Glance."""

    name = 'endpoints'
    title = 'URLs of Glance'
    why = ('A version in the URL breaks clients of the other version. A URL '
           'without TLS shows tokens, if the catalog has one with TLS. A '
           'server that does not answer costs each caller a timeout.')
    advice = ('Correct [glance] api_servers in nova.conf, or the endpoint: '
              'openstack endpoint set --url URL ID')
    cost = '1 for each API server'
    fact = 'endpoints'

    def judge(self, gathered: facts.Gathered) -> None:
        """Judge each URL as it is written."""
        secure = any(one.url.startswith('https:') for one in
                     gathered.endpoints if one.source.startswith('catalog'))
        for one in gathered.endpoints:
            for text in _problems(one.url, secure):
                self.find(one.url, '%s (%s)' % (text, one.source))
        for server in gathered.servers:
            if server.problem:
                self.find(server.url, 'does not answer')

    def found(self) -> str:
        """Return what is wrong."""
        return 'URLs that cause trouble:'


def _problems(url: str, secure: bool) -> list[str]:
    """Return what is wrong with a URL.

    :param secure: whether the catalog has a URL with TLS
    """
    if '://' not in url:
        return ['has no scheme, so http is assumed']
    found = []
    try:
        parts = urllib.parse.urlsplit(url)
        last = parts.path.rstrip('/').rpartition('/')[2]
        if parts.port == 0:
            return ['has the port 0']
    except ValueError as error:
        return ['is not valid: %s' % error]
    if last[:1] == 'v' and last[1:].replace('.', '').isdecimal():
        found.append('ends with the version %s' % last)
    if parts.scheme == 'http' and secure:
        found.append('is http, but the catalog has https')
    return found


class Roles(checks.FactCheck):
    """What the caller may do."""

    name = 'roles'
    title = 'Roles of the caller'
    why = ('An audit needs the role admin to see the images of all projects. '
           'Nova needs permission to publish images for its users, and to '
           'add locations for snapshots in Ceph.')
    advice = ('Use the credentials of an administrator, or grant what is '
              'refused in the policy of Glance.')
    cost = '1 to Keystone; 8 with --write-tests'
    fact = 'roles'

    def judge(self, gathered: facts.Gathered) -> None:
        """Judge the roles of the token, and what was tried."""
        if not sees_all(gathered):
            self.find('the token', 'has the roles %s, not admin' % (
                ', '.join(sorted(gathered.roles or ())) or 'none'))
        for one in gathered.permissions or ():
            if one.problem:
                self.find(one.what, one.problem)
        allowed = [one.what for one in gathered.permissions or ()
                   if not one.problem]
        if allowed:
            self.note = 'Allowed: %s' % ', '.join(allowed)
        if gathered.permissions is None:
            self.note = ('What Nova may do was not tried: give --write-tests, '
                         'which creates an image and deletes it')

    def run(self, gathered: facts.Gathered) -> None:
        """Judge, also if only a part is known."""
        super().run(gathered)
        problem = gathered.problems.get('permissions')
        if problem:
            self.doubt(problem)

    def found(self) -> str:
        """Return what is wrong."""
        return 'The caller may not do all that is needed:'


def sees_all(gathered: facts.Gathered) -> bool:
    """Return whether the caller sees the images of all projects."""
    return gathered.roles is None or 'admin' in {
        role.lower() for role in gathered.roles}


def all_checks() -> list[checks.FactCheck]:
    """Return a new one of each check in this module."""
    return [ApiVersions(), Endpoints(), Roles()]
