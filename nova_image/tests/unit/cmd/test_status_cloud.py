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


"""Unit tests of nova_image.cmd.status_cloud."""

import argparse
import fcntl
import io
import os
import pty
import struct
import termios

import fixtures
import six

from nova_image.tests.unit.status import case

if six.PY3:
    from nova_image.cmd import errors
    from nova_image.cmd import status_cloud


class TestProgress(case.TestCase):
    """Lines that show how far work is"""

    def test_fits_the_terminal(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        with open(slave, 'w') as terminal:
            for columns, length in ((30, 29), (2, 1), (500, 100), (0, 79)):
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack(
                    'HHHH', 24, columns, 0, 0))
                self.assertEqual('x' * length, status_cloud.one_row(
                    'x' * 100, terminal))

    def test_stream_that_is_no_terminal(self):
        self.assertEqual('x' * 79, status_cloud.one_row(
            'x' * 100, io.StringIO()))


class TestConfiguration(case.TestCase):
    """The files of Nova"""

    def setUp(self):
        """Make a folder, and unset the cloud of the environment."""
        super(TestConfiguration, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        for name in [name for name in os.environ if name.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))

    def path(self, name, text=None):
        """Return a path, where a file has this text, if any."""
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, 'w') as stream:
                stream.write(text)
        return path

    def open(self, files=(), folders=()):
        """Return the cloud that files select."""
        return status_cloud.open_cloud(argparse.Namespace(
            config_file=list(files), config_dir=list(folders)))

    def test_directory(self):
        self.path('a.conf', '[glance]\napi_servers = http://a:1\n')
        found = self.open(folders=[self.folder])
        self.assertEqual(['http://a:1'], found.conf.glance.api_servers)

    def test_what_is_missing_is_an_error(self):
        good = self.path('nova.conf', '')
        gone = self.path('gone')
        for files, folders in (([gone], []), ([good, gone], []),
                               ([], [gone]), ([good], [gone]),
                               ([good], [self.folder, gone]),
                               ([], [good])):
            error = self.assertRaises(errors.Usage, self.open, files, folders)
            self.assertIn((files + folders)[-1], str(error))
