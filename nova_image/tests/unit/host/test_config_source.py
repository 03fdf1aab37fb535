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

"""Tests of nova_image.host.config_source."""

import fixtures
from oslo_config import cfg
import testtools

from nova_image.tests.unit.host import fake_nova


class ConfigSourceTest(testtools.TestCase):
    """The oslo.config driver installs the image driver or exits."""

    def setUp(self):
        """Replace the bridge with a mock."""
        super(ConfigSourceTest, self).setUp()
        self.nova = self.useFixture(fake_nova.FakeNova())
        self.install = self.useFixture(fixtures.MockPatch(
            'nova_image.host.bridge.install')).mock
        self.load = self.useFixture(fixtures.MockPatch(
            'nova_image.host.bridge.load')).mock
        self.log = self.useFixture(fixtures.FakeLogger())
        from nova_image.host import config_source
        self.source = config_source.Driver()

    def _open(self, conf):
        return self.source.open_source_from_opt_group(conf, 'nova_image')

    def test_nova_service(self):
        """The driver is installed with Nova's configuration."""
        self._open(self.nova.conf)
        self.install.assert_called_once_with(self.nova.conf)

    def test_other_configurations_are_ignored(self):
        """A privsep helper reads the same file into its own ConfigOpts."""
        self._open(cfg.ConfigOpts())
        self.install.assert_not_called()

    def test_services_with_images(self):
        """So may be any program that is not known, such as a WSGI server."""
        for prog in ('nova-api', 'nova-api-os-compute', 'nova-conductor',
                     'nova-compute', 'nova-cells', 'uwsgi', 'gunicorn',
                     'nova-something'):
            self.nova.conf([], prog=prog)
            self.install.reset_mock()
            self._open(self.nova.conf)
            self.install.assert_called_once_with(self.nova.conf)
        self.load.assert_not_called()

    def test_programs_without_images(self):
        """They keep Nova's own code, and their configuration is checked."""
        for prog in ('nova-manage', 'nova-status', 'nova-policy',
                     'nova-scheduler', 'nova-novncproxy',
                     'nova-serialproxy', 'nova-spicehtml5proxy',
                     'nova-api-metadata', 'nova-network'):
            self.nova.conf([], prog=prog)
            self.load.reset_mock()
            self._open(self.nova.conf)
            self.load.assert_called_once_with(self.nova.conf)
        self.install.assert_not_called()
        self.assertEqual('', self.log.output)

    def test_mistakes_do_not_end_programs_without_images(self):
        """They are reported in one line."""
        self.nova.conf([], prog='nova-manage')
        self.load.side_effect = cfg.ConfigFileValueError('a mistake')
        self._open(self.nova.conf)
        line, = self.log.output.splitlines()
        self.assertIn('a mistake', line)
        self.assertIn('nova-manage', line)

    def test_failure_ends_the_service(self):
        """Only SystemExit ends the service; oslo.config swallows the rest."""
        self.install.side_effect = ImportError('no module named x')
        error = self.assertRaises(SystemExit, self._open, self.nova.conf)
        self.assertIn('no module named x', str(error))
        self.assertEqual(1, len(str(error).splitlines()))

    def test_source_has_no_options(self):
        """All values come from other sources."""
        conf = cfg.ConfigOpts()
        conf.register_opt(cfg.StrOpt('host', default='from the default'))
        conf([])
        conf._sources = [self._open(conf)]
        self.assertEqual('from the default', conf.host)
