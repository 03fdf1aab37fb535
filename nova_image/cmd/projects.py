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

"""The ID of a project by its name, from Keystone.

Glance accepts any text as the ID of a member: an image shared with the name
of a project is shared with nobody, without an error.
"""

from __future__ import annotations

import re
import typing
import urllib.parse

from nova_image.cmd import codes
from nova_image.cmd import errors

if typing.TYPE_CHECKING:
    from keystoneauth1 import session as ks_session

_ID = re.compile('[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')


def is_id(text: str) -> bool:
    """Return whether a text looks like the IDs that Keystone makes."""
    return _ID.fullmatch(text) is not None


def find(keystone: 'ks_session.Session | None', text: str) -> str:
    """Return the ID of a project.

    :param keystone: the session for Keystone; None without it, where any
        text is an ID
    :param text: its ID or its name
    :raises errors.Failed: if there is no such project, or several, or if
        Keystone does not let this user look
    """
    if keystone is None or is_id(text):
        return text
    same, _ = _get(keystone, '/projects/' + urllib.parse.quote(text, ''))
    if same and same.get('project', {}).get('id') == text:
        return text
    own, _ = _get(keystone, '/auth/projects')
    every, allowed = _get(
        keystone, '/projects?' + urllib.parse.urlencode({'name': text}))
    found = {one['id'] for answer in (own, every)
             for one in answer.get('projects', ())
             if text in (one.get('name'), one['id'])}
    if len(found) == 1:
        return found.pop()
    if found:
        raise errors.Failed(
            'Several projects have the name %s. Use an ID: %s' % (
                text, ', '.join(sorted(found))), codes.CONFLICT)
    if allowed:
        raise errors.Failed('Keystone has no project with the name or ID %s' %
                            text, codes.NOT_FOUND)
    raise errors.Usage(
        '%s is not the ID of a project, and Keystone does not let this user '
        'look up the names of other projects. Use the ID, which a user of '
        'that project can tell' % text)


def _get(keystone: 'ks_session.Session', path: str
         ) -> tuple[dict[str, typing.Any], bool]:
    """Return an answer of Keystone, and whether it let us ask.

    :returns: (JSON, True), or ({}, False) for an error
    """
    from keystoneauth1 import plugin

    answer = keystone.get(
        path, raise_exc=False, log=False, endpoint_filter={
            'service_type': 'identity', 'version': (3, 0),
            'interface': plugin.AUTH_INTERFACE})
    if answer.status_code != 200:
        return {}, False
    try:
        return answer.json(), True
    except ValueError:
        return {}, False
