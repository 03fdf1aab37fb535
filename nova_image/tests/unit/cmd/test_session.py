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

"""The ends of a replication, as the commands choose them."""

import os

import fixtures
from keystoneauth1 import exceptions
import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import errors
    from nova_image.cmd import options
    from nova_image.cmd import session


class Cloud(object):
    """Stands in for nova_image.cmd.session.ReplicaCloud."""

    def __init__(self, url):
        self.url = url


class TestSameGlance(case.TestCase):
    """A Glance is not replicated to itself."""

    def refused(self, source, *targets):
        """Return whether these URLs are refused."""
        try:
            session.refuse_same(Cloud(source), [Cloud(url)
                                                for url in targets])
        except errors.Usage as error:
            self.assertIn('the same Glance', str(error))
            return True
        return False

    def test_urls_of_one_glance(self):
        for one, other in (
                ('http://a:9292', 'http://a:9292/'),
                ('http://a:9292/v1', 'http://a:9292/v2.1/'),
                ('http://A/image', 'http://a.:80/image/v2'),
                ('https://a/', 'https://a:443'),
                ('http://127.0.0.1:1', 'http://localhost:1'),
                ('http://[::1]:1', 'http://localhost:1')):
            self.assertTrue(self.refused(one, other), (one, other))
            self.assertTrue(self.refused(other, 'http://b', one))
            self.assertTrue(self.refused('http://b', other, one))

    def test_urls_of_several_glances(self):
        for one, other in (
                ('http://a:9292', 'http://a:9293'), ('http://a', 'https://a'),
                ('http://a/one', 'http://a/two'), ('http://a', 'http://b'),
                ('', ''), ('', 'http://a')):
            self.assertFalse(self.refused(one, other), (one, other))


class TestCloudsYaml(case.TestCase):
    """A wrong type in clouds.yaml is one clear error."""

    def setUp(self):
        super(TestCloudsYaml, self).setUp()
        for name in list(os.environ):
            if name.startswith('OS_'):
                self.useFixture(fixtures.EnvironmentVariable(name))
        folder = self.useFixture(fixtures.TempDir())
        self.files = {}
        for name in 'config', 'secure':
            self.files[name] = folder.join(name + '.yaml')
            self.useFixture(fixtures.EnvironmentVariable(
                'OS_CLIENT_%s_FILE' % name.upper(), self.files[name]))

    def refusal(self, text, name='config', kind=None):
        """Return the error for a file.

        :param kind: the class of the error; errors.Usage if None
        """
        with open(self.files['config'], 'w') as stream:
            stream.write('clouds: {c: {}}')
        with open(self.files[name], 'w') as stream:
            stream.write(text)
        arguments = options.build('').parse_args(['--os-cloud', 'c'])
        error = self.assertRaises(
            kind or errors.Usage, session.open_region, arguments)
        return str(error).replace(self.files[name], 'FILE')

    def test_place_and_type_are_named(self):
        for text, place, kind in (
                ('clouds: 5', 'clouds', 'a number'),
                ('clouds: []', 'clouds', 'a list'),
                ('clouds: text', 'clouds', 'text'),
                ('clouds:', 'clouds', 'empty'),
                ('clouds: {c: 5}', 'clouds.c', 'a number'),
                ('clouds: {c: text}', 'clouds.c', 'text'),
                ('clouds: {c: }', 'clouds.c', 'empty'),
                ('clouds: {c: {auth: text}}', 'clouds.c.auth', 'text'),
                ('clouds: {c: {auth: []}}', 'clouds.c.auth', 'a list'),
                ('clouds: {c: {auth: }}', 'clouds.c.auth', 'empty'),
                ('clouds: {c: {auth: {auth_url: 5}}}',
                 'clouds.c.auth.auth_url', 'a number'),
                ('clouds: {c: {auth: {password: [a]}}}',
                 'clouds.c.auth.password', 'a list'),
                ('clouds: {c: {profile: 5}}', 'clouds.c.profile', 'a number'),
                ('clouds: {c: {auth_type: [a]}}', 'clouds.c.auth_type',
                 'a list'),
                ('clouds: {c: {regions: text}}', 'clouds.c.regions', 'text'),
                ('clouds: {c: {region_name: {a: 1}}}',
                 'clouds.c.region_name', 'a mapping'),
                ('clouds: {c: {image_api_version: [2]}}',
                 'clouds.c.image_api_version', 'a list'),
                ('clouds: {c: {interface: {a: 1}}}', 'clouds.c.interface',
                 'a mapping'),
                ('{cache: 5, clouds: {c: {}}}', 'cache', 'a number'),
                ('{client: x, clouds: {c: {}}}', 'client', 'text'),
                ('{metrics: {statsd: 5}, clouds: {c: {}}}', 'metrics.statsd',
                 'a number')):
            found = self.refusal(text)
            self.assertRegex(found, r'^FILE is invalid: %s must be .*, but is '
                             r'%s\. Correct the file$' % (place, kind))

    def test_names_and_items(self):
        for text, words in (
                ('clouds: {c: {5: a}}', 'clouds.c must have names that'),
                ('clouds: {c: {auth: {5: a}}}', 'clouds.c.auth must have'),
                ('clouds: {c: {regions: [5]}}', 'clouds.c.regions has an'),
                ('clouds: {c: {networks: [5]}}', 'clouds.c.networks has an')):
            self.assertIn('FILE is invalid: ' + words, self.refusal(text))

    def test_files_beside_it(self):
        self.assertIn('FILE is invalid: clouds must be',
                      self.refusal('clouds: 5', 'secure'))
        self.assertIn('FILE is invalid: clouds.c must be',
                      self.refusal('clouds: {c: 5}', 'secure'))

    def test_other_clouds_do_not_matter(self):
        self.assertIn('requires parameters', self.refusal(
            'clouds: {c: {}, 5: {}, d: 5, e: {auth: 5}}',
            kind=exceptions.MissingRequiredOptions))
