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

"""Errors as lines and codes."""

import errno
import io
import os
import re

from keystoneauth1 import exceptions as identity
import six
from testtools import matchers

from nova_image import exception
from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import codes
    from nova_image.cmd import errors

_ROOT = os.path.join(os.path.dirname(__file__), *['..'] * 4)


class TestCodes(case.TestCase):
    """The exit codes."""

    def test_our_exceptions(self):
        expected = {
            'ImageNotFound': 3, 'NotFound': 3, 'Forbidden': 4,
            'ImageNotAuthorized': 4, 'ImageBadRequest': 5, 'Invalid': 5,
            'ImageUnacceptable': 5, 'ImageImportImpossible': 5,
            'ImageConflict': 6, 'ImageDeleteConflict': 6,
            'ImageQuotaExceeded': 7, 'InsufficientDiskSpace': 7,
            'ImageActionNotSupported': 8, 'GlanceConnectionFailed': 9,
            'GlanceVersionNotServed': 9, 'GlanceEndpointUnknown': 9,
            'ImageCorrupt': 10, 'ImageUploadFailed': 10,
            'SignatureVerificationError': 10, 'DriverLoadError': 1}
        self.assertEqual(expected, {
            name: errors.code_of(getattr(exception, name)())
            for name in expected})

    def test_other_exceptions(self):
        self.assertEqual(1, errors.code_of(KeyError('x')))
        self.assertEqual(2, errors.code_of(errors.Usage('x')))
        self.assertEqual(6, errors.code_of(errors.Failed('x', 6)))
        self.assertEqual(11, errors.code_of(OSError(errno.ENOENT, 'x')))

    def test_each_code_has_a_meaning(self):
        named = {value for name, value in vars(codes).items()
                 if name.isupper() and isinstance(value, int)}
        self.assertEqual(named, set(codes.MEANINGS))

    def test_documentation_lists_the_codes(self):
        text = io.open(os.path.join(
            _ROOT, 'doc/source/cli/index.rst'), encoding='utf-8').read()
        self.assertEqual(codes.MEANINGS, {
            int(code): meaning for code, meaning in re.findall(
                r'\* - (\d+)\n     - (.*)', text)})

    def test_keystone_exceptions(self):
        self.assertEqual(4, errors.code_of(identity.Unauthorized()))
        self.assertEqual(9, errors.code_of(identity.ConnectFailure()))
        self.assertEqual(9, errors.code_of(identity.EndpointNotFound()))
        self.assertEqual(2, errors.code_of(identity.NotFound()))


class TestLines(case.TestCase):
    """The error lines."""

    def test_one_line_without_secrets(self):
        line = errors.line_of(exception.ImageBadRequest(
            reason='at http://me:secret@host/\nand more'))
        self.assertIn('http://***@host/ and more', line)

    def test_mistakes_are_reported_without_secrets(self):
        for given, shown in (
                ('argument --os-token: expected one argument', None),
                ('unrecognized arguments: a http://u:pa55@h/',
                 'unrecognized arguments: a http://***@h/'),
                ("argument --uri: not 'http://h/?sig=pa55'",
                 "argument --uri: not 'http://h/?***'"),
                ('unrecognized arguments: --os-password pa55',
                 'unrecognized arguments: --os-password ***')):
            self.assertEqual(shown or given, errors.usage_of(given))

    def test_advice_fits_the_command_line(self):
        line = errors.line_of(exception.ImageActionNotSupported(
            advice='Set [glance] use_glance_v1 to False'))
        self.assertThat(line, matchers.EndsWith('--os-image-api-version 2'))

    def test_other_advice_is_kept(self):
        line = errors.line_of(exception.ImageActionNotSupported(
            advice='Buy another'))
        self.assertThat(line, matchers.EndsWith('Buy another'))

    def test_local_file(self):
        self.assertEqual('a.img: No such file or directory', errors.line_of(
            OSError(errno.ENOENT, 'No such file or directory', 'a.img')))

    def test_unexpected_exception_is_named(self):
        self.assertEqual("KeyError: 'x'. Use --debug for details",
                         errors.line_of(KeyError('x')))

    def test_missing_credentials(self):
        self.assertIn('--os-cloud', errors.line_of(
            identity.MissingRequiredOptions([])))
