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
"""Stores that may refuse a token, and the 500s by which that shows.

With ``swift_store_multi_tenant``, Glance keeps each image in the account of
the project that has uploaded it, and sends its caller's token to Swift. Swift
refuses other projects with 403, unless the image is public or shared with
them; administrators and services are refused like everybody. Glance answers
500 without a reason, also if its own database has already been changed (seen
on Glance 33.0.0 with glance_store 5.7.0 and Swift 2.38.3).

**The rule**: a 500 to a request about an image is taken for a refusal if the
token's project is not the image's owner. If Glance shows where the data is,
that decides instead: data in the Swift account of another project is
suspicious, data in the project's own account and in all other stores is not.
After the second 500 in a row, which may come from another server, such a
request is not repeated. All others are repeated as often as ``num_retries``
allows: a 500 of a store that does not look at tokens is temporary.

Knows no API version.
"""

import re

from keystoneauth1 import exceptions as ksa_exc
from oslo_log import log as logging
from six.moves.urllib import parse

from nova_image import exception

LOG = logging.getLogger(__name__)

#: 500s in a row after which a refusal is believed
ENOUGH = 2

_SCHEMES = ('swift+http', 'swift+https')
#: the account of a project: the reseller's prefix and the project's ID
_ACCOUNT = re.compile(r'^(?:[A-Za-z0-9]{1,60}_)?([0-9a-f]{32}|[0-9a-f]{8}'
                      r'(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z')
_ADVICE = ("Use a token of the owner's project. If the store is not "
           "tenant-specific, see Glance's log for the cause")


def project_of(url):
    """Return the project whose account in Swift a location is in.

    :param url: URL of an image's data
    :returns: the project's ID; None if it cannot be read from the URL, or if
        the URL has credentials, which serve all tokens
    """
    try:
        parts = parse.urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or '@' in parts.netloc:
        return None
    # .../account/container/object
    names = parts.path.split('/')
    found = _ACCOUNT.match(names[-3]) if len(names) > 3 else None
    return found.group(1) if found else None


def _is_elsewhere(url):
    """Return whether data is in a store that does not look at tokens."""
    scheme, _, rest = url.partition('://')
    return scheme not in _SCHEMES or '@' in rest.partition('/')[0]


def warn_if_misplaced(image_id, owner, urls):
    """Log a warning if the owner of an image cannot read its data.

    That is so if another project has uploaded it, as far as Glance shows it.

    :param owner: ID of the owner's project
    :param urls: the URLs of its data, as far as they are known
    """
    projects = [project_of(url) for url in urls]
    if owner and projects and None not in projects and owner not in projects:
        LOG.warning('The data of image %(id)s is in the account of another '
                    'project in Swift, %(project)s, because that has uploaded '
                    'it: the owner %(owner)s cannot read it unless the image '
                    'is public or shared', {
                        'id': image_id, 'project': projects[0],
                        'owner': owner})


class Watch(object):
    """Judges the failures of one request about an image.

    Its judge() is for nova_image.image.messages.Request.

    :param client: nova_image.image.client.Client
    :param context: the caller's context
    :param read: callable that returns the image's owner and a list of the
        URLs of its data, as far as they are known; called once, after a 500

    ``refusal`` is the last GlanceStoreRefused, or None.
    """

    def __init__(self, client, context, read):
        self.refusal = None
        self._client = client
        self._context = context
        self._read = read
        self._in_a_row = 0
        self._reason = None

    def accepted(self):
        """Note that the store has accepted the token."""
        self._reason = ''

    def judge(self, error):
        """Return the exception to raise for a failure, or to retry after."""
        if error.status != 500:
            self._in_a_row = 0
            return error
        self._in_a_row += 1
        if self._reason is None:
            self._reason = self._suspicion()
        if not self._reason:
            return error
        self.refusal = exception.GlanceStoreRefused(
            action=error.action, image_id=error.image_id,
            endpoint=error.endpoint, status=error.status,
            reason=self._reason, advice=_ADVICE,
            retry_after=error.retry_after,
            retriable=self._in_a_row < ENOUGH)
        return self.refusal

    def _suspicion(self):
        """Return why the store may refuse the token; '' if it does not."""
        try:
            owner, urls = self._read()
            ours = self._client.token_project(self._context)
        except (exception.NovaImageException, ksa_exc.ClientException):
            return ''  # nothing is known: the failure is what it is
        if ours is None or urls and all(map(_is_elsewhere, urls)):
            return ''
        theirs = [one for one in map(project_of, urls) if one] or (
            [owner] if owner else [])
        if not theirs or ours in theirs:
            return ''
        return ("the image's store may be tenant-specific: the token's "
                'project is not the owner%s, project %s' % (
                    '' if theirs[0] == owner else ' of the data', theirs[0]))
