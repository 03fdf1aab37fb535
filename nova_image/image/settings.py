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

"""Settings with which no call could ever succeed.

They are refused when the driver is loaded: later, each call would fail like a
broken connection. Whatever may work, such as a host that does not answer yet,
is accepted. A mistake that does not matter, such as a missing CA file while
no server has TLS, is logged as a warning.
"""

import collections
import os
import re
import socket
import ssl

from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import loading
from oslo_config import cfg
import requests
import six
from six.moves.urllib import parse

from nova_image.conf import glance as glance_conf
from nova_image import exception
from nova_image.image import endpoint

#: A mistake: its place, what is wrong, what to do, whether it is only warned
#: of.
Problem = collections.namedtuple('Problem', 'place reason advice harmless')

#: options that no call needs
_UNUSED = frozenset((
    'version', 'min_version', 'max_version', 'connect_retries',
    'connect_retry_delay', 'status_code_retries', 'status_code_retry_delay',
    'retriable_status_codes', 'rbd_user', 'rbd_pool', 'rbd_ceph_conf',
    'rbd_connect_timeout', 'auth_type', 'auth_section'))
_HTTP = ('http', 'https')
_PROXY = _HTTP + ('socks4', 'socks4a', 'socks5', 'socks5h')
_INTERFACES = ('public', 'internal', 'admin')
_SERVER = re.compile(r'(\[.*\]|[^:\[\]]*)(?::([0-9]*))?\Z', re.DOTALL)
#: a host name of RFC 3986, also with letters outside of ASCII
_NAME = re.compile(
    u"([^\\x00-\\x7f]|[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+\\Z")
_IPV4 = re.compile(r'[0-9]+(\.[0-9]+){3}\Z')
#: a scheme without "://", which would become a host name
_NEARLY = re.compile(r'https?:?[/\\]', re.IGNORECASE)

_SCHEME = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*://')
_NOT_IN_URLS = re.compile(r'[\s\x00-\x1f\x7f]')
_SERVER_ENDS = re.compile(r'[/?#\\]')
_CERTIFICATE = re.compile(
    b'-----BEGIN (CERTIFICATE|TRUSTED CERTIFICATE|X509 CERTIFICATE|X509 CRL)')
_PROTOCOL = getattr(  # Python 2.7 lacks the first one
    ssl, 'PROTOCOL_TLS_CLIENT', getattr(ssl, 'PROTOCOL_SSLv23', None))
#: bytes of a file of certificates that are read
_LARGEST_CA = 16 * 1024 * 1024

_URL_ADVICE = ('Use URLs such as http://glance.example.org:9292, or '
               'http://[2001:db8::1]:9292 with an IPv6 address')
#: what an option is called elsewhere
_ALSO = {'endpoint_override': '. The command line calls this option '
                              '--os-endpoint (OS_ENDPOINT)'}


def check(conf):
    """Refuse a configuration with which no call could succeed.

    :param conf: an oslo.config ConfigOpts with the options of ``[glance]``
    :raises DriverLoadError: with the name of the first such option
    """
    for problem in _problems(conf):
        if not problem.harmless:
            raise exception.DriverLoadError(
                reason='%s: %s' % problem[:2], advice=problem.advice)


def warnings(conf):
    """Return a line for each mistake that may not matter.

    :param conf: a ConfigOpts that check() has accepted
    """
    found = list(_problems(conf)) + list(_credentials(conf))
    return [exception.redact(u'%s: %s. %s' % problem[:3])
            for problem in found if problem.harmless]


def _problems(conf):
    """Yield the Problems of a configuration, except for its credentials."""
    unreadable = False
    for problem in _unreadable(conf):
        unreadable = unreadable or not problem.harmless
        yield problem
    if unreadable:
        return
    for find in (_servers, _catalog, _proxies, _files, _swift):
        for problem in find(conf):
            yield problem


def _of(option, reason, advice, harmless=False):
    return Problem('[glance] %s' % option, reason, advice, harmless)


def _unreadable(conf):
    """Yield the options whose values are not of their type, or out of range.

    If Nova has registered an option, it may accept a value that nova_image
    cannot use, such as the timeout 0.
    """
    for opt in glance_conf.registered_opts():
        try:
            value = getattr(conf.glance, opt.dest)
            if value is not None and hasattr(opt.type, 'min'):
                float(opt.type(value))
        except (cfg.Error, AttributeError, OverflowError,
                ValueError) as error:
            text = ' '.join((u'%s' % getattr(error, 'msg', error)).split())
            yield _of(opt.dest, 'the value cannot be used: %s' % (
                text.rpartition(' is not valid: ')[2]),
                'Correct the value, or remove the option',
                opt.dest in _UNUSED)


def _fixed(conf):
    """Return the option that names the servers, and its URLs."""
    if conf.glance.api_servers:
        return 'api_servers', conf.glance.api_servers
    override = conf.glance.endpoint_override
    return 'endpoint_override', [override] if override else []


def _servers(conf):
    """Yield the URLs of servers that cannot be asked."""
    used, urls = _fixed(conf)
    for url in urls:
        fault = _fault(url)
        if fault:
            yield _of(used, '%s in %s' % (fault, _shown(url)),
                      _URL_ADVICE + _ALSO.get(used, ''))
    override = conf.glance.endpoint_override
    if used != 'endpoint_override' and override:
        fault = _fault(override)
        if fault:
            yield _of('endpoint_override', '%s in %s' % (
                fault, _shown(override)), 'It has no effect while '
                'api_servers is set: remove it', harmless=True)


def _fault(url):
    """Return what is wrong with the URL of a server, or None."""
    url = url.strip()
    if '://' not in url and _NEARLY.match(url):
        return 'the scheme does not end with ://'
    if _NOT_IN_URLS.search(url):
        return 'there is white space'
    fault = _fault_of_server(_with_scheme(url), _HTTP)
    try:
        parse.urlsplit(_with_scheme(url))  # requests does so for each call
    except ValueError:
        fault = fault or 'there are unexpected brackets'
    if fault is None and ('?' in url or '#' in url):
        fault = 'there is a query or a fragment'
    return fault


def _shown(url):
    """Return a URL without its credentials, whatever is in them."""
    head, mark, server = url.rpartition('@')
    scheme = _SCHEME.match(head)
    return (scheme.group() if scheme else '') + '***@' + server if (
        mark) else url


def _with_scheme(url):
    return url if '://' in url else 'http://' + url


def _fault_of_proxy(url):
    """Return what is wrong with the URL of a proxy, or None.

    Its credentials and its path may have any characters, and its scheme may
    be missing (seen with requests 2.27.1 and 2.34.2).
    """
    return _fault_of_server(
        'http:' + url if url.startswith('//') else _with_scheme(url), _PROXY)


def _fault_of_server(url, schemes):
    """Return what is wrong with the scheme, host and port of a URL."""
    scheme, _, rest = url.partition('://')
    if scheme.lower() not in schemes:
        return 'the scheme is not %s' % ' or '.join(schemes[:2])
    server = _SERVER_ENDS.split(rest, 1)[0].rpartition('@')[2]
    match = _SERVER.match(server)
    if not match:
        return 'the port is not a number, or an IPv6 address has no brackets'
    host, port = match.groups()
    if port and not 0 < int(port) < 65536:
        return 'the port is not between 1 and 65535'
    return _fault_of_host(host)


def _fault_of_host(host):
    if not host:
        return 'there is no host'
    try:
        if host.startswith('['):
            socket.inet_pton(socket.AF_INET6, str(host[1:-1].split('%')[0]))
        elif _IPV4.match(host):
            socket.inet_aton(str(host))
        else:
            text = host if isinstance(host, six.text_type) else (
                host.decode('utf-8'))
            text.encode('idna')
            if text.startswith('*') or not _NAME.match(text):
                return 'the host name has invalid characters'
    except (UnicodeError, ValueError):
        return 'the host name is invalid'
    except (OSError, socket.error):
        return 'the IP address is invalid'
    return None


def _catalog(conf):
    """Yield the options that no service in a catalog can match."""
    if _fixed(conf)[1]:
        return
    options = conf.glance
    if not options.service_type:
        yield _of('service_type', 'it is empty', 'Set it to image')
    names = [name.lower() for name in options.valid_interfaces or ()]
    # keystoneauth takes an empty list for the default, public.
    if names and not set(names) & set(_INTERFACES + tuple(
            one + 'url' for one in _INTERFACES)):
        yield _of('valid_interfaces', 'it names none of %s' % ', '.join(
            _INTERFACES), 'Set it to internal,public')


def _proxies(conf):
    """Yield the proxies in the environment that cannot be used."""
    for url in _fixed(conf)[1]:
        url = endpoint.normalise(url)
        if _fault(url):
            continue
        proxy = requests.utils.select_proxy(
            url, requests.utils.get_environ_proxies(url, no_proxy=None))
        fault = proxy and _fault_of_proxy(proxy)
        if fault:
            yield Problem(
                '%s in the environment' % _variable(proxy),
                '%s in %s' % (fault, _shown(proxy)),
                'Correct or remove it, or name the servers in no_proxy',
                False)


def _variable(value):
    """Return the name of the environment variable with a proxy."""
    names = sorted(name for name, found in os.environ.items()
                   if name.lower().endswith('_proxy') and found == value)
    return names[0] if names else 'the proxy'


def _files(conf):
    """Yield the files of certificates that cannot be used."""
    options = conf.glance
    has_tls = any(_with_scheme(url.strip()).lower().startswith('https:')
                  for url in _fixed(conf)[1])
    if options.cafile and not options.insecure:
        fault = _fault_of_ca(options.cafile)
        if fault:
            yield _of('cafile', fault, 'Name a readable file, or a folder, '
                      'with certificates in PEM', not has_tls)
    for problem in _client_files(options, has_tls):
        yield problem


def _client_files(options, has_tls):
    """Yield the files of the client certificate that cannot be used."""
    if not options.certfile:
        return
    for name in ('certfile', 'keyfile'):
        # requests looks for them whatever the scheme.
        path = getattr(options, name)
        if path and not os.path.exists(path):
            yield _of(name, '%s does not exist' % path,
                      'Name an existing file, or remove the option')
            return
    if not has_tls:
        return
    try:
        # A key with a password would be asked for at the terminal.
        ssl.SSLContext(_PROTOCOL).load_cert_chain(
            options.certfile, options.keyfile or None, lambda: '')
    except (EnvironmentError, ValueError) as error:
        yield _of('certfile', 'the client certificate and its key cannot be '
                  'used: %s' % (getattr(error, 'strerror', None) or error),
                  'Check certfile and keyfile: they must be readable and in '
                  'PEM, and the key must have no password')


def _swift(conf):
    """Yield the endpoints of Swift that are never asked."""
    for url in conf.glance.direct_swift_endpoints:
        fault = _fault(url)
        if '://' not in url:
            fault = 'the scheme is missing'
        elif fault is None and '@' in url:
            fault = 'there are credentials'
        if fault:
            yield _of('direct_swift_endpoints', '%s in %s' % (
                fault, _shown(url)), 'No image is read from there. Use URLs '
                'such as https://swift.example.org:8080/v1', harmless=True)


def _fault_of_ca(path):
    """Return what is wrong with a file or folder of certificates.

    OpenSSL is not asked: it takes 25 ms to parse a usual file.
    """
    if os.path.isdir(path):
        return None
    try:
        with open(path, 'rb') as stream:
            if _CERTIFICATE.search(stream.read(_LARGEST_CA)):
                return None
        return '%s has no certificate in PEM' % path
    except (EnvironmentError, TypeError, ValueError) as error:
        return '%s cannot be read: %s' % (
            path, getattr(error, 'strerror', None) or error)


def _credentials(conf):
    """Yield the credentials that cannot be used.

    They are needed only by calls without a token, so they may not matter.
    """
    options = conf.glance
    try:
        if options.auth_type or options.auth_section:
            loading.load_auth_from_conf_options(conf, glance_conf.GROUP)
    except (ksa_exceptions.ClientException, cfg.Error, AttributeError,
            TypeError, ValueError) as error:
        yield _of('auth_section' if options.auth_section else 'auth_type',
                  'the credentials cannot be used: %s' % (error,),
                  'Calls without a token will fail. Correct the credentials, '
                  'or remove them', harmless=True)
