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

"""Tests of nova_image.image.settings: what is refused, and what is not."""

import fixtures
from oslo_config import cfg
import six
import testtools

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image import driver
from nova_image.image import settings
from nova_image.tests.unit import base

#: URLs of servers that no request can be sent to
IMPOSSIBLE = (
    'http://', 'http:///image', 'http://:9292', 'http://user@', 'https://',
    'http://a b:1', 'http://a:1 http://b:1', 'http://a/b c', 'http://a\tb',
    'http://a:99999', 'http://a:65536', 'http://a:0', 'http://a:-1',
    'http://a:x', 'http://a:9292x', 'a:99999', 'a b',
    'ftp://a', 'htp://a', 'file:///a', 'rbd://a', '://a', 'http:/a:9292',
    'http//a:9292', 'https:a:9292', 'http:\\\\a:9292',
    'http://[::1', 'http://::1:9292', 'http://[nonsense]:1', 'http://[::1]x',
    'http://a..b', 'http://.a', 'http://*.a', 'http://' + 'a' * 64,
    'http://300.0.0.1', 'http://1.2.3.256:9292',
    'http://a?x=1', 'http://a/#', 'http://a/image?', 'http://a/v2#x',
    'http://%(host)s:9292', 'http://{{host}}:9292', 'http://<host>',
    'http://user:p[w@a', 'http://a\\]b', 'http://]@a:9292', 'a\\[b',
    'http://a;b:1;http://c:1', 'http://a|b', '[http://a:9292]', ' ')
#: URLs that may work, however unusual
POSSIBLE = (
    'http://glance:9292', 'https://glance', 'glance', 'glance:9292',
    'HTTP://GLANCE:9292', 'http://glance:9292/', 'http://glance:9292/v2/',
    'http://glance:/v1', ' http://glance ', 'http://glance_api-1:9292',
    'http://glance.example.org.:9292', 'http://127.0.0.1:1', '10.0.0.1:65535',
    'http://1.2.3', 'http://[::1]:9292', 'http://[fe80::1%25eth0]:9292',
    'https://[2001:db8::1]/image', 'http://user:p@ss:w0rd@glance:9292',
    'http://cloud/image/path//x%20y', 'http://-glance', 'http:9292',
    'http', 'http://gl\xe4nce:9292' if six.PY3 else 'http://gl\xc3\xa4nce',
    'http://does.not.exist.invalid')


def _with_nova(**values):
    """Return a configuration in which Nova has registered these options."""
    conf = cfg.ConfigOpts()
    conf.register_opts([
        cfg.IntOpt('timeout'), cfg.IntOpt('connect_retries'),
        cfg.IntOpt('rbd_connect_timeout', default=5)], group='glance')
    nova_image_conf.register_opts(conf)
    conf([], project='nova', default_config_files=[], default_config_dirs=[])
    conf.set_override('api_servers', [base.ENDPOINT], group='glance')
    for name, value in values.items():
        conf.set_override(name, value, group='glance')
    return conf


class SettingsTest(base.TestCase):
    """The options of ``[glance]`` when the driver is loaded."""

    def setUp(self):
        """Remove the proxies of the environment."""
        super(SettingsTest, self).setUp()
        for name in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'):
            for variable in (name, name.upper()):
                self.useFixture(fixtures.EnvironmentVariable(variable))
        self.folder = self.useFixture(fixtures.TempDir())

    def _refused(self, conf=None):
        """Load the driver, which is refused; return the message."""
        return six.text_type(self.assertRaises(
            exception.DriverLoadError, driver.load, conf or self.conf))

    def _file(self, text=''):
        path = self.folder.join('file')
        with open(path, 'w') as stream:
            stream.write(text)
        return path

    def test_servers_that_cannot_be_asked(self):
        for url in IMPOSSIBLE:
            for urls in ([url], [base.ENDPOINT, url]):
                self.set(api_servers=urls)
                self.assertIn('[glance] api_servers: ', self._refused(), url)
            self.set(api_servers=[], endpoint_override=url)
            self.assertIn('[glance] endpoint_override: ', self._refused())
            self.set(endpoint_override=None)

    def test_both_drivers_are_refused(self):
        self.set(use_glance_v1=True, api_servers=['http://'])
        self.assertIn('[glance] api_servers: there is no host',
                      self._refused())

    def test_servers_that_may_answer(self):
        for url in POSSIBLE:
            self.set(api_servers=[url], endpoint_override=None)
            self.assertIsNotNone(driver.load(self.conf), url)
            self.set(api_servers=None, endpoint_override=url)
            self.assertIsNotNone(driver.load(self.conf), url)
        self.assertEqual([], self.warnings())

    def test_the_message_helps(self):
        self.set(api_servers=['http://glance:92920'])
        self.assertEqual(
            'The image driver cannot be loaded: [glance] api_servers: the '
            'port is not between 1 and 65535 in http://glance:92920. Use '
            'URLs such as http://glance.example.org:9292, or '
            'http://[2001:db8::1]:9292 with an IPv6 address', self._refused())

    def test_passwords_are_not_shown(self):
        self.set(api_servers=['http://user:secret@glance:92920'])
        self.assertNotIn('secret', self._refused())

    def test_passwords_of_any_characters_are_not_shown(self):
        for password in ('hu sh', 'hu\tsh', 'hu@sh', 'hu/sh', 'hu#sh', 'hu?sh',
                         'hu"sh', 'hu\\sh', 'hu:sh'):
            for scheme in ('http://', ''):
                url = '%suser:%s@glance:92920' % (scheme, password)
                self.set(api_servers=[url], endpoint_override=None)
                refusals = [self._refused()]
                self.set(api_servers=[], endpoint_override=url)
                refusals.append(self._refused())
                self.set(api_servers=[base.ENDPOINT])
                refusals += settings.warnings(self.conf)
                with fixtures.EnvironmentVariable('http_proxy', url):
                    refusals.append(self._refused())
                self.assertEqual(4, len(refusals))
                for text in refusals:
                    for part in ('user', 'hu', 'sh@'):
                        self.assertNotIn(part, text)

    def test_an_unused_override_is_only_warned_of(self):
        self.set(api_servers=[base.ENDPOINT], endpoint_override='http://')
        driver.load(self.conf)
        line, = self.warnings()
        self.assertIn('[glance] endpoint_override: there is no host', line)

    def test_catalogs_that_cannot_have_the_service(self):
        self.set(api_servers=None)
        for name, value in (('service_type', ''),
                            ('valid_interfaces', ['publik'])):
            self.set(service_type='image', valid_interfaces=['public'])
            self.set(**{name: value})
            self.assertIn('[glance] %s: ' % name, self._refused())
            self.set(api_servers=[base.ENDPOINT])
            driver.load(self.conf)
            self.set(api_servers=None)

    def test_interfaces_of_other_spellings(self):
        self.set(api_servers=None)
        for names in (['publicURL'], ['Internal'], ['special', 'admin'],
                      []):  # keystoneauth asks for public then
            self.set(valid_interfaces=names)
            driver.load(self.conf)

    def test_values_that_are_not_of_their_type(self):
        path = self._file()
        for name in ('num_retries', 'request_deadline', 'timeout', 'insecure',
                     'max_retry_wait', 'debug', 'use_glance_v1',
                     'import_timeout', 'verify_uploads'):
            for value in ('nonsense', '$nonsense'):
                self._file('[glance]\n%s = %s\n' % (name, value))
                conf = cfg.ConfigOpts()
                conf(['--config-file', path], project='nova_image')
                self.assertIn('[glance] %s: the value cannot be used: ' % name,
                              self._refused(conf))

    def test_values_that_nova_accepts(self):
        for value in (0, -1, 2147484):
            self.assertIn('[glance] timeout: the value cannot be used: ',
                          self._refused(_with_nova(timeout=value)))
        driver.load(_with_nova(timeout=2147483))

    def test_numbers_that_are_no_time(self):
        self.set(request_deadline=10 ** 400)
        self.assertIn('[glance] request_deadline: ', self._refused())

    def test_options_without_effect_are_only_warned_of(self):
        driver.load(_with_nova(connect_retries=-1, rbd_connect_timeout=-1))
        conf = cfg.ConfigOpts()
        nova_image_conf.register_opts(conf)
        self.assertEqual(
            [name for name in ('connect_retries', 'rbd_connect_timeout')
             if name in conf.glance],  # old keystoneauth lacks the first
            sorted(line.split(':')[0].split()[-1]
                   for line in self.warnings()))

    def test_proxies_that_cannot_be_used(self):
        self.set(api_servers=[base.ENDPOINT])
        for name, value in (('http_proxy', 'http://proxy:99999'),
                            ('HTTP_PROXY', 'http://'),
                            ('all_proxy', 'gopher://proxy'),
                            ('http_proxy', 'pro xy:3128')):
            with fixtures.EnvironmentVariable(name, value):
                self.assertIn('%s in the environment: ' % name,
                              self._refused())

    def test_proxies_that_are_not_used(self):
        self.set(api_servers=[base.ENDPOINT])
        for name, value in (('https_proxy', 'http://proxy:99999'),
                            ('http_proxy', 'proxy:3128'),
                            ('http_proxy', '//proxy:3128'),
                            ('http_proxy', 'http://proxy:3128/ '),
                            ('http_proxy', 'http://user:p w@proxy:3128'),
                            ('http_proxy', 'socks5h://user:pw@proxy')):
            with fixtures.EnvironmentVariable(name, value):
                driver.load(self.conf)
        with fixtures.EnvironmentVariable('http_proxy', 'http://proxy:99999'):
            self.useFixture(fixtures.EnvironmentVariable('no_proxy', 'glance'))
            driver.load(self.conf)
        self.assertEqual([], self.warnings())

    def test_a_ca_file_that_cannot_be_used(self):
        missing = self.folder.join('missing')
        for path in (missing, self._file('nonsense')):
            self.set(api_servers=['http://a', 'https://b'], cafile=path)
            self.assertIn('[glance] cafile: %s ' % path, self._refused())
            self.set(api_servers=['https://b'], insecure=True)
            driver.load(self.conf)
            self.set(insecure=False)

    def test_a_ca_file_that_may_not_matter(self):
        """The scheme in a catalog is not known when the driver is loaded."""
        self.set(cafile=self.folder.join('missing'))
        for servers in ([base.ENDPOINT], None):
            self.set(api_servers=servers)
            self.assertEqual(1, len(settings.warnings(self.conf)))
            settings.check(self.conf)

    def test_ca_files(self):
        self.set(api_servers=['https://glance'])
        for path in (self.folder.path,
                     self._file('# a\n-----BEGIN CERTIFICATE-----\n')):
            self.set(cafile=path)
            driver.load(self.conf)

    def test_client_certificates_that_cannot_be_used(self):
        missing, nonsense = self.folder.join('missing'), self._file('x')
        for server, name, files in (
                ('http://a', 'certfile', (missing, missing)),
                ('http://a', 'keyfile', (nonsense, missing)),
                ('https://a', 'certfile', (missing, None)),
                ('https://a', 'certfile', (nonsense, nonsense))):
            self.set(api_servers=[server], certfile=files[0],
                     keyfile=files[1])
            self.assertIn('[glance] %s: ' % name, self._refused())

    def test_client_certificates_that_do_not_matter(self):
        self.set(api_servers=['http://a'], certfile=None,
                 keyfile=self.folder.join('missing'))
        driver.load(self.conf)
        self.set(certfile=self._file('x'), keyfile=self._file('x'))
        driver.load(self.conf)

    def test_endpoints_of_swift_are_only_warned_of(self):
        for url in ('swift:8080/v1', 'https://me:hush@swift', 'ftp://swift',
                    'https://swift/?x', 'https://sw ift', 'https://['):
            self.set(api_servers=[base.ENDPOINT], direct_swift_endpoints=[
                'https://swift/v1', 'http://[::1]:8080', url])
            settings.check(self.conf)
            line, = settings.warnings(self.conf)
            self.assertIn('[glance] direct_swift_endpoints: ', line)
            self.assertNotIn('hush', line)

    def test_credentials_are_only_warned_of(self):
        """Calls with a token do not need them."""
        for name, value in (('auth_type', 'nonsense'),
                            ('auth_type', 'password'),
                            ('auth_section', 'nowhere')):
            self.set(api_servers=[base.ENDPOINT], auth_type=None,
                     auth_section=None)
            self.set(**{name: value})
            settings.check(self.conf)
            line, = settings.warnings(self.conf)
            self.assertIn('[glance] %s: the credentials cannot be used: '
                          % name, line)

    def test_warnings_wait_for_the_log(self):
        self.set(api_servers=[base.ENDPOINT], endpoint_override='http://')
        loaded = driver.load(self.conf, log_is_ready=False)
        self.assertEqual([], self.warnings())
        driver.begin_log(loaded, self.conf)
        self.assertEqual(1, len(self.warnings()))


class DefaultsTest(testtools.TestCase):
    """The defaults have no mistake."""

    def test_defaults(self):
        conf = cfg.ConfigOpts()
        nova_image_conf.register_opts(conf)
        conf([], project='nova_image', default_config_files=[],
             default_config_dirs=[])
        settings.check(conf)
        self.assertEqual([], settings.warnings(conf))
