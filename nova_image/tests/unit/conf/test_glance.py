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

"""Tests of nova_image.conf: the options and their registration."""

import tempfile

import fixtures
from oslo_config import cfg
from oslo_config import fixture as config_fixture
import testtools

from nova_image import conf as nova_image_conf
from nova_image.conf import glance


def _conf(**values):
    conf = cfg.ConfigOpts()
    nova_image_conf.register_opts(conf)
    with tempfile.NamedTemporaryFile('w+') as stream:
        stream.write('[glance]\n' + ''.join(
            '%s = %s\n' % item for item in values.items()))
        stream.flush()
        conf([], project='nova_image', default_config_files=[stream.name],
             default_config_dirs=[])
    return conf


class TestOptions(testtools.TestCase):
    """The options and their defaults."""

    def test_defaults(self):
        expected = {
            'use_glance_v1': False, 'api_servers': None, 'num_retries': 3,
            'max_retry_wait': 30.0, 'request_deadline': 600, 'debug': False,
            'max_answer_size': 64, 'max_unsized_download': 1024,
            'sized_upload_limit': 0,
            'verify_glance_signatures': False,
            'enable_certificate_validation': False,
            'default_trusted_certificate_ids': [],
            'enable_rbd_download': False, 'rbd_user': '', 'rbd_pool': '',
            'rbd_connect_timeout': 5, 'rbd_ceph_conf': '',
            'service_type': 'image',
            'valid_interfaces': ['internal', 'public'],
            'endpoint_override': None, 'region_name': None,
            'service_name': None, 'cafile': None, 'insecure': False,
            'timeout': None, 'auth_type': None,
            'download_retries': 5, 'download_deadline': 86400,
            'transfer_stall_timeout': 120, 'keep_partial_downloads': False,
            'partial_download_age': 86400, 'inspect_images': False,
            'download_connections': 8, 'verify_uploads': True,
            'share_downloads': True, 'max_concurrent_transfers': 0,
            'transfer_bandwidth': 0.0, 'transfer_lock_path': None,
            'direct_file_roots': [], 'direct_swift_endpoints': [],
            'import_uploads': False,
            'import_timeout': 86400, 'import_stall_timeout': 3600}
        section = _conf().glance
        self.assertEqual(expected, {name: section[name] for name in expected})

    def test_use_glance_v1_is_deprecated(self):
        option = [option for option in glance.all_opts()
                  if option.name == 'use_glance_v1'][0]
        self.assertTrue(option.deprecated_for_removal)
        self.assertIn('Rocky', option.deprecated_reason)

    def test_negative_numbers_are_refused(self):
        known = _conf().glance  # old releases of keystoneauth lack some
        for name in ('num_retries', 'max_retry_wait', 'request_deadline',
                     'download_retries', 'download_deadline',
                     'transfer_stall_timeout', 'partial_download_age',
                     'max_answer_size', 'max_unsized_download',
                     'sized_upload_limit',
                     'rbd_connect_timeout', 'location_timeout', 'timeout',
                     'connect_retries', 'connect_retry_delay',
                     'status_code_retries', 'status_code_retry_delay',
                     'import_timeout', 'import_stall_timeout',
                     'page_cache_limit', 'max_concurrent_transfers',
                     'transfer_bandwidth', 'download_connections'):
            if name in known:
                self._refused(name, -1)

    def test_no_number_option_is_without_a_minimum(self):
        for option in glance.all_opts():
            if isinstance(option, (cfg.IntOpt, cfg.FloatOpt)):
                self.assertIsNotNone(option.type.min, option.name)

    def test_numbers_that_cannot_be_are_refused(self):
        for name, value in (
                ('timeout', 0), ('timeout', 2147484),
                ('transfer_stall_timeout', 2147484),
                ('max_retry_wait', 'nan'), ('max_retry_wait', 'inf'),
                ('max_retry_wait', float('nan')),
                ('transfer_bandwidth', 'nan'), ('transfer_bandwidth', 'inf'),
                ('num_retries', '1e3'), ('num_retries', 'many')):
            self._refused(name, value)

    def _refused(self, name, value):
        section = _conf(**{name: value}).glance
        self.assertRaises(ValueError, getattr, section, name)

    def test_registering_twice_is_harmless(self):
        conf = _conf()
        nova_image_conf.register_opts(conf)
        self.assertEqual(3, conf.glance.num_retries)

    def test_configurations_are_independent(self):
        one, two = _conf(), _conf()
        one.set_override('num_retries', 7, group='glance')
        one.register_opt(cfg.StrOpt('own'), group='glance')
        self.assertEqual(3, two.glance.num_retries)
        self.assertNotIn('own', two.glance)

    def test_registering_after_parsing(self):
        conf = cfg.ConfigOpts()
        conf([], project='nova_image', default_config_files=[],
             default_config_dirs=[])
        nova_image_conf.register_opts(conf)
        self.assertEqual(3, conf.glance.num_retries)

    def test_options_of_the_host_are_kept(self):
        conf = cfg.ConfigOpts()
        conf.register_opts([
            cfg.IntOpt('num_retries', default=7, help="the host's"),
            cfg.StrOpt('service_type', default='picture')], group='glance')
        nova_image_conf.register_opts(conf)
        conf([], project='nova', default_config_files=[],
             default_config_dirs=[])
        self.assertEqual(7, conf.glance.num_retries)
        self.assertEqual('picture', conf.glance.service_type)
        self.assertFalse(conf.glance.use_glance_v1)

    def test_values_are_read_from_a_file(self):
        path = self.useFixture(fixtures.TempDir()).join('nova.conf')
        with open(path, 'w') as stream:
            stream.write('[glance]\nnum_retries = 5\n'
                         'api_servers = http://one:9292,two:9292/image\n')
        conf = cfg.ConfigOpts()
        nova_image_conf.register_opts(conf)
        conf(['--config-file', path], project='nova_image')
        self.assertEqual(5, conf.glance.num_retries)
        self.assertEqual(['http://one:9292', 'two:9292/image'],
                         conf.glance.api_servers)

    def test_oslo_config_fixture_can_override_options(self):
        conf = _conf()
        self.useFixture(config_fixture.Config(conf)).config(
            group='glance', num_retries=1)
        self.assertEqual(1, conf.glance.num_retries)
