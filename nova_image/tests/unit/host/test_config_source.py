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

import logging

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


@testtools.skipUnless(hasattr(cfg.ConfigOpts, '_load_alternative_sources'),
                      'oslo.config has no configuration drivers')
class LoadLineTest(testtools.TestCase):
    """oslo.config logs once that it loads the driver, as it does for others.

    nova-api has a ConfigOpts for each filter ``cors``, besides Nova's own.
    """

    def setUp(self):
        """Forget the lines of other tests."""
        super(LoadLineTest, self).setUp()
        from nova_image.host import config_source
        config_source._ONE_LOAD_LINE.sections.clear()
        log = logging.getLogger('oslo_config.cfg')
        self.useFixture(fixtures.MockPatchObject(log, 'filters', []))
        self.driver = config_source.Driver
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.INFO))

    def _parse(self, sources, **drivers):
        path = self.useFixture(fixtures.TempDir()).join('nova.conf')
        with open(path, 'w') as stream:
            stream.write('[DEFAULT]\nconfig_source = %s\n' % sources)
            for section in sorted(drivers):
                stream.write('[%s]\ndriver = %s\n' % (
                    section, drivers[section]))
        cfg.ConfigOpts()(['--config-file', path], default_config_dirs=[])

    def _lines(self):
        return [line for line in self.log.output.splitlines()
                if line.startswith('loading configuration from')]

    def test_many_configurations(self):
        for _ in range(5):
            self._parse('nova_image', nova_image='nova_image')
        self.assertEqual(
            ["loading configuration from 'nova_image' using 'nova_image'"],
            self._lines())

    def test_section_of_another_name(self):
        for _ in range(2):
            self._parse('images', images='nova_image')
        self.assertEqual(
            ["loading configuration from 'images' using 'nova_image'"],
            self._lines())

    def test_other_drivers_are_logged_as_before(self):
        for _ in range(2):
            self._parse('nova_image,remote', nova_image='nova_image',
                        remote='remote_file\nuri = http://127.0.0.1:9/x')
        self.assertEqual(3, len(self._lines()))

    def test_errors_are_not_hidden(self):
        for _ in range(2):
            self._parse('nova_image', nova_image='nonsense')
        self.assertEqual(2, self.log.output.count('could not load'))

    def test_other_lines_are_not_hidden(self):
        self.driver()
        log = logging.getLogger('oslo_config.cfg')
        for arguments in (('a line',), ('%s %s', 'x', 'nova_image'),
                          ('%(a)s', {'a': 1}), (ValueError('x'),)):
            log.info(*arguments)
            log.info(*arguments)
        self.assertEqual(8, len(self.log.output.splitlines()))
