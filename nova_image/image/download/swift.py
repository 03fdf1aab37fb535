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


"""Direct downloads from ``swift+http:`` and ``swift+https:`` URLs.

These are images that Glance stores in Swift by tenant (its option
``swift_store_multi_tenant``). The caller's token reads them, as in Glance. In
contrast to Glance, Swift answers requests for a part of an image (206, seen
on 2.38.3), so an interrupted download resumes where it stopped.
"""

from oslo_utils import timeutils
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import download
from nova_image.image import messages
from nova_image.image.transfer import reader

_PREFIX = 'swift+'
_DEFAULT_PORTS = {'http': ':80', 'https': ':443'}


class SwiftHandler(download.Handler):
    """Reads objects from the allowed endpoints, with a caller's token."""

    @classmethod
    def enabled(cls, conf):
        """Return whether any endpoint is allowed."""
        return bool(conf.glance.direct_swift_endpoints)

    def for_caller(self, client, context, recorded):
        """Return the handler of one download. See Handler."""
        return _SwiftCopy(self.conf, client, context, recorded)

    def copy(self, url, output, check):
        """Refuse: there is no token. See Handler."""
        raise _unavailable(url, 'nobody has asked for it')


class _SwiftCopy(download.Handler):
    """Reads an object for one caller."""

    def __init__(self, conf, client, context, recorded):
        super(_SwiftCopy, self).__init__(conf)
        self._client = client
        self._context = context
        self._recorded = recorded

    def copy(self, url, output, check):
        """Copy the object at a URL. See Handler."""
        server, path = self._split(url)
        request = messages.Request(
            'GET', path, 'direct download', path.rpartition('/')[2],
            stream=True)
        source = reader.Reader(reader.Origin(
            self._client.pinned_to(server), self._context, request,
            lambda answer: self._recorded, timeutils.now()), self._recorded)
        try:
            for chunk in source.chunks():
                output.write(chunk)
                check.update(chunk)
        finally:
            source.close()

    def _split(self, url):
        """Return the server of a URL and the path on it.

        The token is sent to this server, so an endpoint must allow it.
        """
        parts = _parts_of(url)
        for endpoint in self.conf.glance.direct_swift_endpoints:
            try:
                allowed = _parts_of(_PREFIX + endpoint)
            except exception.ImageDownloadUnavailable:
                continue  # a warning was logged when the driver was loaded
            if parts[:2] == allowed[:2] and parts[2].startswith(
                    allowed[2].rstrip('/') + '/'):
                return '://'.join(parts[:2]), parts[2]
        raise _unavailable(
            url, 'it is not at an endpoint that [glance] '
            'direct_swift_endpoints allows')


def _parts_of(url):
    """Return the scheme for HTTP, the server and the path of a URL.

    :raises ImageDownloadUnavailable: if it is not the plain URL of an object
    """
    try:
        parts = parse.urlsplit(url)
    except ValueError:
        raise _unavailable(url, 'it is not a URL')
    if '@' in parts.netloc:
        # Of a store that is not tenant-specific. They would be sent to Swift
        # in place of a token, and are not for the caller.
        raise _unavailable(url, 'it contains credentials, which only Glance '
                           'may use')
    steps = parse.unquote(parts.path).split('/')
    if not parts.netloc or parts.query or parts.fragment or (
            '.' in steps or '..' in steps or '\\' in parts.path):
        raise _unavailable(url, 'it is not the URL of an object in Swift')
    scheme, server = parts.scheme[len(_PREFIX):], parts.netloc.lower()
    port = _DEFAULT_PORTS.get(scheme)
    if port and server.endswith(port):
        server = server[:-len(port)]
    return scheme, server, parts.path


def _unavailable(url, reason):
    return exception.ImageDownloadUnavailable(
        action='direct download', endpoint=url, reason=reason)
