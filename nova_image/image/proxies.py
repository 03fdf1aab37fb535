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

"""What an error means that does not come from Glance but from a proxy.

Load balancers, ingresses, content delivery networks and captive portals
answer many requests by themselves. Their limits are not quotas of Glance,
and their 404 does not mean that an image is missing.

Glance sends the ID of the request with all answers of its API, and
keystonemiddleware names Keystone in its 401. webob makes all pages alike (seen
on 15 and 33). The answers of proxies have none of this.
"""

import collections
import re

from nova_image import exception

_LIMITS = ('A proxy in front of Glance limits the size of requests, like '
           'nginx with client_max_body_size. The limit is not a quota, '
           'and only the operator can raise it')
_HEADERS = ('A proxy in front of Glance limits the size of headers and URLs, '
            'like nginx with large_client_header_buffers. Use a shorter '
            'token, such as a Fernet token, or ask the operator to raise the '
            'limit')
_LATER = ('Try again later. If it persists, see the log of the proxy and '
          'whether it reaches Glance')
_TIMEOUT = ('Try again later. If it persists, raise the timeout of the '
            'proxy, like nginx with proxy_read_timeout')
_RATE = 'Try again later: the proxy limits the rate of requests'
_DENIED = ("See the rules of the proxy or firewall: neither Glance's policy "
           'nor Keystone has refused this')
#: about a proxy for outgoing requests
LOGIN = ('Log in to the proxy, or bypass it: see http_proxy, https_proxy and '
         'no_proxy in the environment')
_PORTAL = 'Log in to this network first: a captive portal has answered'
_PLAIN = 'Use https:// in the URL of the endpoint'
_CLIENT_CERT = ('Pass a valid client certificate with --os-cert and --os-key, '
                'or with certfile and keyfile in nova.conf')
_HOST = ('Check the host name of the endpoint: the proxy does not serve it on '
         'this connection')
_ORIGIN_TLS = ('The proxy cannot make a TLS connection to Glance: ask its '
               'operator to check the certificate of Glance')
_ROUTE = ('Check the path and the host name of the endpoint: the proxy has '
          'no Glance there')
_METHOD = 'Let the proxy pass all methods of HTTP, or bypass it'
_LENGTH = ('The proxy requires the length of the data: upload a file, not a '
           'pipe')
_BAD = 'See the log of the proxy for what it does not accept'

#: what an answer means: (class about an image, class otherwise, headline)
_Kind = collections.namedtuple('_Kind', 'about_image general headline')
_Rule = collections.namedtuple('_Rule', 'kind advice')
_BUSY = _Kind(exception.GlanceServerError, exception.GlanceServerError,
              'A proxy in front of Glance could not serve the request')
#: the same if Glance has not received the request
_IDLE = _BUSY._replace(headline='A proxy has no working Glance behind it')
_REFUSED = _Kind(exception.ImageBadRequest, exception.Invalid,
                 'A proxy in front of Glance refused the request')
_FORBIDDEN = _Kind(exception.ImageNotAuthorized, exception.Forbidden,
                   'A proxy in front of Glance denied the request')
_OTHER = _Kind(exception.GlanceBadAnswer, exception.GlanceBadAnswer, None)

#: statuses that Glance does not send
_NEVER_GLANCES = {
    407: _Rule(_FORBIDDEN, LOGIN),
    408: _Rule(_BUSY, _TIMEOUT),
    421: _Rule(_OTHER, _HOST),
    425: _Rule(_BUSY, _LATER),
    431: _Rule(_REFUSED, _HEADERS),
    # of an AWS load balancer
    460: _Rule(_BUSY, _TIMEOUT),
    463: _Rule(_REFUSED, 'The request has passed too many proxies: see '
               'X-Forwarded-For'),
    464: _Rule(_OTHER, 'Let the load balancer speak HTTP/1.1 to Glance'),
    561: _Rule(_OTHER, 'The identity provider of the load balancer fails: '
               'let requests of clients bypass its login'),
    # of nginx
    494: _Rule(_REFUSED, _HEADERS),
    495: _Rule(_FORBIDDEN, _CLIENT_CERT),
    496: _Rule(_FORBIDDEN, _CLIENT_CERT),
    497: _Rule(_OTHER, _PLAIN),
    499: _Rule(_BUSY, _TIMEOUT),
    502: _Rule(_BUSY, _LATER),
    504: _Rule(_BUSY, _TIMEOUT),
    509: _Rule(_BUSY, _RATE),
    511: _Rule(_OTHER, _PORTAL),
    # of Cloudflare
    520: _Rule(_BUSY, _LATER),
    521: _Rule(_IDLE, _LATER),
    522: _Rule(_IDLE, _LATER),
    523: _Rule(_IDLE, _LATER),
    524: _Rule(_BUSY, _TIMEOUT),
    525: _Rule(_OTHER, _ORIGIN_TLS),
    526: _Rule(_OTHER, _ORIGIN_TLS),
    527: _Rule(_BUSY, _LATER),
    529: _Rule(_BUSY, _LATER),
    530: _Rule(_OTHER, _ROUTE),
}
#: statuses that Glance also sends, if a proxy has sent them
_FOREIGN = {
    400: _Rule(_REFUSED, _BAD),
    401: _Rule(_FORBIDDEN, LOGIN),
    402: _Rule(_FORBIDDEN, _DENIED),
    403: _Rule(_FORBIDDEN, _DENIED),
    404: _Rule(_OTHER, _ROUTE),
    405: _Rule(_REFUSED, _METHOD),
    410: _Rule(_OTHER, _ROUTE),
    411: _Rule(_REFUSED, _LENGTH),
    413: _Rule(_REFUSED, _LIMITS),
    414: _Rule(_REFUSED, _HEADERS),
    415: _Rule(_REFUSED, _BAD),
    429: _Rule(_BUSY, _RATE),
    451: _Rule(_FORBIDDEN, _DENIED),
    500: _Rule(_BUSY, _LATER),
    501: _Rule(_REFUSED, _METHOD),
    503: _Rule(_BUSY, _LATER),
}
#: what proxies say -> what it means, whatever the status
_SAYINGS = tuple((re.compile('(?i)' + words), rule) for words, rule in (
    (r'request header or cookie too large|header fields too large|'
     r'size of a request header field exceeds', _Rule(_REFUSED, _HEADERS)),
    (r'plain http request was sent to https|speaking plain http to an ssl|'
     r'sent an http request to an https server', _Rule(_OTHER, _PLAIN)),
    (r'the ssl certificate error|no required ssl certificate',
     _Rule(_FORBIDDEN, _CLIENT_CERT)),
    (r'no healthy upstream|no server is available|no available server|'
     r'delayed connect error|reset reason: (remote |local )?connection '
     r'(failure|timeout)|reset reason: overflow|'
     r'backend fetch failed|no backend', _Rule(_IDLE, _LATER)),
    (r'upstream connect error|upstream request timeout|stream timeout|'
     r'guru meditation|local_rate_limited', _Rule(_BUSY, _LATER)),
    (r'rbac: access denied|jwt (is missing|verification fails)',
     _Rule(_FORBIDDEN, _DENIED)),
    (r'default backend - 404|404 page not found', _Rule(_OTHER, _ROUTE)),
    (r'payload too large|request entity too large|'
     r'request (size limit|body too large)', _Rule(_REFUSED, _LIMITS)),
))
#: how webob begins the text of an error, and its JSON
_WEBOB = re.compile(r'[45]\d\d [A-Z][\w\' -]+\n\n|\{.*"code": "[45]\d\d ',
                    re.DOTALL)
#: the headers of answers that are made by a proxy itself
_OWN = ('X-Squid-Error', 'X-Kong-Response-Latency', 'Proxy-Authenticate',
        'Cf-Mitigated')
_LOAD_BALANCER = re.compile('(?i)awselb|squid|microsoft-azure|bigip')
_URL = re.compile('(?i)(https?)://([^/:]*)')
#: a proxy's answer to CONNECT that is not temporary
_FINAL = re.compile('Tunnel connection failed: 4(?!08|29)[0-9][0-9]')


def facts_of(response, page, is_html, said, request):
    """Return what a proxy's error means.

    :param response: requests.Response with a status of 400 or more
    :param page: the beginning of its body, as text
    :param is_html: whether it is HTML
    :param said: its words, on one line
    :param request: nova_image.image.messages.Request that it answers
    :returns: (exception class, dict of facts for it); None if the answer may
        be that of Glance
    """
    if is_glances(response, page):
        return None
    rule = _rule(response, page, is_html, said)
    if rule is None:
        return None
    kind = rule.kind
    facts = {'message': kind.headline, 'advice': rule.advice}
    if kind is _BUSY and response.status_code == 503 and (
            not request.repeatable):
        facts['retriable'] = False  # Glance may have received it
    return kind.about_image if request.image_id else kind.general, facts


def _rule(response, page, is_html, said):
    status, text = response.status_code, ' '.join(page.split())
    for words, rule in _SAYINGS:
        if words.search(text) and _fits(status, rule):
            return rule
    if status in _NEVER_GLANCES:
        return _NEVER_GLANCES[status]
    # The answer to HEAD has no body.
    foreign = _is_own(response) or page.strip() and (
        is_html or _is_bare(response, page, said))
    return _FOREIGN.get(status) if foreign else None


def _fits(status, rule):
    """Return whether the words of a proxy are not those of an error of Glance.

    Glance could repeat them, such as in the name of an image.
    """
    if rule.advice in (_LIMITS, _ROUTE):
        return status == (413 if rule.advice == _LIMITS else 404)
    return (status >= 500) == (rule.kind in (_BUSY, _IDLE)) or status == 429


def _is_own(response):
    """Return whether the headers are those of a proxy's own answer."""
    headers = response.headers
    server = headers.get('Server', '')
    return any(name in headers for name in _OWN) or (
        _LOAD_BALANCER.search(server) is not None) or (
        server == 'envoy' and 'X-Envoy-Upstream-Service-Time' not in headers)


def _is_bare(response, page, said):
    """Return whether a text only repeats the status, as Go's servers do."""
    kind = response.headers.get('Content-Type', '')
    return kind.startswith('text/plain') and not _WEBOB.match(page) and (
        said.lower() == (response.reason or '').lower() != '')


def is_glances(response, page):
    """Return whether an error is that of Glance, without doubt.

    webob's pages begin the same in Glance 15 and 33.

    :param response: requests.Response
    :param page: the beginning of its body, as text
    """
    headers = response.headers
    return 'X-Openstack-Request-Id' in headers or (
        headers.get('WWW-Authenticate', '').startswith('Keystone')) or (
        page.startswith('<html>\n <head>\n  <title>')) or (
        _WEBOB.match(page) is not None)


def redirect_advice(location, endpoint):
    """Return what to do about a redirect.

    :param location: URL that it leads to, or None
    :param endpoint: URL of the Glance that was asked
    """
    ours, theirs = (_URL.match(url or '') for url in (endpoint, location))
    if ours and theirs and ours.group(2) == theirs.group(2) and (
            ours.group(1) != theirs.group(1)):
        return 'Use %s:// in the URL of the endpoint' % theirs.group(1)
    if theirs and not (ours and ours.group(2) == theirs.group(2)):
        return ('Set the endpoint to where Glance really is: a token is not '
                'sent after a redirect. If it leads to a login page, log in '
                'to this network or bypass the proxy')
    return ('Set the endpoint to where Glance really is: a token is not '
            'sent after a redirect')


def is_final(error):
    """Return whether a proxy refuses to connect, now and later.

    http.client names the status in "Tunnel connection failed: 407".

    :param error: exception of keystoneauth or requests
    """
    return _FINAL.search('%s' % (error,)) is not None
