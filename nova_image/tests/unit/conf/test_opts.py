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

"""Tests of nova_image.conf.opts, with the tools of oslo.config."""

import io
import logging
import os
import re

import fixtures
from oslo_config import cfg
from oslo_config import generator
try:
    from oslo_config import validator
except ImportError:  # old releases lack it
    validator = None
import testtools

from nova_image.conf import opts

_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[
    os.pardir] * 4))
#: files with excerpts of nova.conf
_DOCUMENTS = (
    'README.rst', 'devstack/README.rst', 'doc/source/configuration/index.rst',
    'doc/source/operator/importing.rst', 'doc/source/operator/nova.rst')
_EXCERPT = re.compile(
    r'^( *)\.\. code-block:: ini\n\n((?:\1   .*\n|\n)+)', re.MULTILINE)
_TYPE = re.compile(
    r'\((boolean|integer|floating point|list|string|port|IP address)'
    r' value\)$')


def _options():
    for section, options in opts.list_opts():
        for option in options:
            yield section, option


def _parsed(tool, *arguments):
    """Return the configuration of a tool of oslo.config."""
    conf = cfg.ConfigOpts()
    tool(conf)
    conf(['--namespace', 'nova_image'] + list(arguments), project='tool',
         default_config_files=[], default_config_dirs=[])
    return conf


class TestList(testtools.TestCase):
    """The options that the tools of oslo.config get."""

    def test_sections(self):
        self.assertEqual(['DEFAULT', 'nova_image', 'glance'],
                         [section for section, _ in opts.list_opts()])

    def test_no_option_twice(self):
        names = [(section, option.dest) for section, option in _options()]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_every_option_has_help(self):
        for _, option in _options():
            self.assertTrue(option.help, option.name)

    def test_options_of_several_auth_plugins(self):
        names = {option.dest for _, option in _options()}
        for name in ('password', 'default_domain_id',
                     'application_credential_id'):
            self.assertIn(name, names)

    def test_help_of_registered_options_is_not_changed(self):
        before = opts.glance.all_opts()[0].help
        opts.list_opts()
        self.assertEqual(before, opts.glance.all_opts()[0].help)


class TestGenerator(testtools.TestCase):
    """The sample file of oslo-config-generator."""

    def setUp(self):
        """Generate the sample."""
        super(TestGenerator, self).setUp()
        self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        path = self.useFixture(fixtures.TempDir()).join('sample.conf')
        generator.generate(_parsed(generator.register_cli_opts,
                                   '--output-file', path))
        with io.open(path, encoding='utf-8') as stream:
            self.sample = stream.read()

    def test_entry_point_generates_a_sample(self):
        for line in ('[DEFAULT]', '#config_source =', '[nova_image]',
                     '#driver = <None>', '#metrics = <None>',
                     '#metrics_address = 127.0.0.1',
                     '[glance]', '#use_glance_v1 = false',
                     '#num_retries = 3', '#service_type = image',
                     '#download_retries = 5', '#download_deadline = 86400',
                     '#transfer_stall_timeout = 120',
                     '#keep_partial_downloads = false',
                     '#partial_download_age = 86400',
                     '#inspect_images = false',
                     '#valid_interfaces = internal,public', '#username',
                     '#auth_type'):
            self.assertIn(line, self.sample)
        self.assertIn('This option is deprecated for removal', self.sample)

    def test_every_help_text_ends_with_its_type(self):
        """The type has no line of its own, and is not broken in two."""
        for _, option in _options():
            above = self.sample.partition('\n#%s =' % option.dest)[0]
            lines = above.rpartition('\n\n')[2].splitlines()
            found = [line for line in lines if _TYPE.search(line)]
            self.assertEqual(1, len(found), option.name)
            self.assertNotEqual('', _TYPE.sub('', found[0]).strip('# '),
                                option.name)
            self.assertNotIn(lines[0], ('#', '# DEPRECATED:'), option.name)

    def test_no_line_of_a_help_text_is_broken(self):
        for _, option in _options():
            for line in option.help.splitlines()[:-1]:
                self.assertIn(('# ' + line).rstrip() + '\n',
                              self.sample.replace('DEPRECATED: ', ''))


@testtools.skipIf(validator is None, 'oslo.config has no validator')
class TestValidator(testtools.TestCase):
    """oslo-config-validator accepts what the documents recommend."""

    def setUp(self):
        """Prepare a file."""
        super(TestValidator, self).setUp()
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.ERROR))
        self.path = self.useFixture(fixtures.TempDir()).join('nova.conf')

    def _validate(self, text):
        with io.open(self.path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        return validator._validate(_parsed(
            validator._register_cli_opts, '--input-file', self.path))

    def test_documents(self):
        for document in _DOCUMENTS:
            with io.open(os.path.join(_ROOT, document),
                         encoding='utf-8') as stream:
                found = [text for _, text in
                         _EXCERPT.findall(stream.read() + '\n')
                         if '[glance]' in text or '[nova_image]' in text]
            self.assertNotEqual([], found, document)
            for text in found:
                text = '\n'.join(line.strip() for line in text.splitlines())
                self.assertEqual(0, self._validate(text), '%s: %s%s' % (
                    document, text, self.log.output))

    def test_typing_errors_are_found(self):
        for text in (u'[DEFAULT]\nconfig_sources = nova_image\n',
                     u'[nova_image]\ndrivers = nova_image\n',
                     u'[glance]\nuse_glance_v2 = True\n'):
            self.assertEqual(1, self._validate(text), text)
