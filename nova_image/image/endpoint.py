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

"""Which Glance to ask: configured servers or the catalog, in rotation.

Every service object shuffles a copy of ``[glance] api_servers`` and rotates
through it. A server that failed is skipped for a while if there is another
one. Exactly the version at the end of a URL is stripped; the path before it
is kept (glanceclient's strip_version loses it: Launchpad bug 1748009).
"""

import itertools
import random
import re
import weakref

from oslo_utils import timeutils
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import knowledge
from nova_image.metrics import hook

_VERSION = re.compile(r'(?<!/)/v\d+(\.\d+)?$')
_SCHEME = re.compile(r'^[a-zA-Z][a-zA-Z0-9+.-]*://')

#: seconds for which a failed server is asked only if no other one is left
REST = 30


def strip_version(url):
    """Return a URL without trailing slashes and the API version.

    >>> strip_version('https://cloud/image/v2/')
    'https://cloud/image'
    """
    return _VERSION.sub('', url.rstrip('/')).rstrip('/')


def normalise(url):
    """Return the URL of a configured server, with a scheme and no version."""
    url = url.strip()
    return strip_version(url if _SCHEME.match(url) else 'http://' + url)


class Health(object):
    """Remembers for a while which servers failed.

    :param rest: seconds until a failed server counts as good again
    """

    def __init__(self, rest=REST):
        self._rest = rest
        self._failed = {}

    def failed(self, url):
        """Record that a server did not answer."""
        self._failed[url] = timeutils.now()
        hook.METRICS.server(url, False)

    def answered(self, url):
        """Record that a server answered."""
        self._failed.pop(url, None)
        hook.METRICS.server(url, True)

    def is_good(self, url):
        """Return whether a server may be asked first."""
        since = self._failed.get(url)
        return since is None or timeutils.now() - since > self._rest


# One of each for the process, because Nova creates a service object for every
# call.
HEALTH = Health()
_KNOWLEDGE = {}


class Endpoints(object):
    """The endpoints of one service object.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :param identity: nova_image.image.identity.Identity, or the host's own
    :param pinned: URL of the only Glance to ask, or None
    """

    def __init__(self, conf, identity, pinned=None):
        self._conf = conf
        self._identity = identity
        self._fixed = self._configured() if pinned is None else [pinned]
        self._order = random.sample(  # nosec B311
            self._fixed, len(self._fixed))
        self._turn = itertools.count()
        self._found = {}

    def _configured(self):
        servers = [normalise(url) for url in
                   self._conf.glance.api_servers or []]
        override = self._conf.glance.endpoint_override
        if not servers and override:
            servers = [normalise(override)]
        return servers

    def choose(self, context, auth=None):
        """Return the URL to ask now, without a version.

        :param context: the caller's context, whose catalog may be needed
        :param auth: the auth plugin of the context, if the caller has it
        :raises GlanceEndpointUnknown: if there is neither a configured
            endpoint nor one in the catalog
        """
        if not self._fixed:
            return self._from_catalog(context, auth)
        return self._best(next(self._turn))

    def attempts(self, context):
        """Yield the URL for each attempt at the same request, without end.

        Each attempt gets the server after that of the previous one, whatever
        others ask in the meantime.

        :param context: as for choose()
        :raises GlanceEndpointUnknown: as choose()
        """
        if not self._fixed:
            while True:
                yield self._from_catalog(context)
        turn = next(self._turn)
        while True:
            url = self._best(turn)
            yield url
            turn = self._order.index(url) + 1

    def _best(self, turn):
        """Return the first good server from a turn of the rotation on."""
        first = turn % len(self._order)
        candidates = self._order[first:] + self._order[:first]
        return next((url for url in candidates if HEALTH.is_good(url)),
                    candidates[0])

    def known(self, context):
        """Return the URLs to which a caller's token may be sent."""
        return self._fixed or [self._from_catalog(context)]

    def check(self, context, url):
        """Refuse a URL to which this caller's token must not be sent.

        :raises InvalidImageRef: if the URL is not one of known()
        """
        if url not in self.known(context):
            raise exception.InvalidImageRef(
                reason='%s is not a known Glance endpoint' % url,
                advice='Use the ID of the image, or add the server to '
                       '[glance] api_servers')

    def knowledge(self, context):
        """Return the Knowledge about this Glance.

        :param context: the caller's context, whose catalog may be needed
        """
        return _KNOWLEDGE.setdefault(tuple(sorted(self.known(context))),
                                     knowledge.Knowledge())

    def _from_catalog(self, context, auth=None):
        """Return the URL in the catalog that came with a context's token.

        A host creates a context for each of its requests and makes several
        calls with it: the catalog is read once for all of them.
        """
        kept = self._found.get(id(context))
        if kept is not None and kept.is_valid(context):
            return kept.url
        url = self._read_catalog(context, auth)
        if _has_own_catalog(context):
            self._keep(context, url)
        return url

    def _keep(self, context, url):
        found, key = self._found, id(context)
        try:
            found[key] = _Kept(context, url, lambda _: found.pop(key, None))
        except TypeError:  # the context cannot be weakly referenced
            pass

    def _read_catalog(self, context, auth):
        auth = auth or self._identity.auth(context)
        options = self._conf.glance
        try:
            url = auth and self._identity.session(None).get_endpoint(
                auth, service_type=options.service_type,
                service_name=options.service_name,
                interface=options.valid_interfaces,
                region_name=options.region_name, skip_discovery=True)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise exception.GlanceEndpointUnknown(
                reason='the service catalog cannot be read: %s' % error)
        if not url:
            region = options.region_name
            raise exception.GlanceEndpointUnknown(
                reason='the service catalog has no %s service%s' % (
                    options.service_type,
                    ' in region %s' % region if region else ''))
        if not _is_http(url):
            raise exception.GlanceEndpointUnknown(
                reason='the service catalog has an invalid URL of the %s '
                       'service: %s' % (options.service_type, url))
        return strip_version(url)


class _Kept(object):
    """The URL for one context, while its token and its catalog are the same.

    Contexts that are equal can have different catalogs.

    :param forget: called with anything when the context is gone
    """

    def __init__(self, context, url, forget):
        self._context = weakref.ref(context, forget)
        self._token = context.auth_token
        # Contexts can be changed, and so can the lists in them.
        self._catalog = _copied(context.service_catalog)
        self._plugin = getattr(context, 'user_auth_plugin', None)
        self.url = url

    def is_valid(self, context):
        """Return whether a context is the same and has not changed."""
        return self._context() is context and (
            self._token == context.auth_token and
            self._plugin is getattr(context, 'user_auth_plugin', None) and
            self._catalog == context.service_catalog)


def _copied(value):
    """Return a copy of a value of JSON, much faster than deepcopy."""
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return value


def _has_own_catalog(context):
    """Return whether the catalog is in the context, rather than a plugin.

    A plugin may renew its catalog. Nova's contexts make one of the catalog in
    the context, unless they have a ``user_auth_plugin`` (read in 15.1.5 and
    34.0.0).
    """
    from_context = not hasattr(context, 'get_auth_plugin') or getattr(
        context, 'user_auth_plugin', context) is None
    return from_context and bool(getattr(context, 'auth_token', None)) and (
        hasattr(context, 'service_catalog'))


def _is_http(url):
    """Return whether a URL can be asked.

    :param url: any value
    """
    try:
        parts = parse.urlsplit(url)
        return parts.scheme in ('http', 'https') and bool(
            parts.hostname) and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        return False  # such as the brackets of an IPv6 address


def parse_reference(reference):
    """Split an image URL into its endpoint and the image's ID.

    :param reference: such as ``http://glance:9292/v2/images/ID``, with or
        without the version
    :returns: (endpoint without version, image ID)
    :raises InvalidImageRef: if it is not such a URL
    """
    if not _is_http(reference):
        raise _no_reference(reference)
    parts = parse.urlsplit(reference)
    base, _, image_id = parts.path.rstrip('/').rpartition('/images/')
    if not parts.netloc or not image_id or '/' in image_id:
        raise _no_reference(reference)
    return strip_version(parse.urlunsplit(
        (parts.scheme, parts.netloc, base, '', ''))), parse.unquote(image_id)


def _no_reference(reference):
    return exception.InvalidImageRef(
        reason=reference, advice='Give an ID or a URL that ends in /images/ID')
