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

"""Repeated runs, and their metrics."""

import os
import re
import signal
import stat

import fixtures
import six
import testtools

if six.PY3:
    from nova_image.cmd import replication_daemon as daemon
    from nova_image.replication import results

_SAMPLE = re.compile(r'[a-z_]+(\{result="[a-z]+"\})? [0-9.e+]+')


class TestHealth(testtools.TestCase):
    """The file with the metrics."""

    def setUp(self):
        super(TestHealth, self).setUp()
        if six.PY2:
            self.skipTest('the command line requires Python 3.9')
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image.prom')

    def read(self):
        """Return {sample: value}, after checks of the format."""
        self.assertEqual(['image.prom'], os.listdir(self.folder))
        self.assertEqual(0o644, stat.S_IMODE(os.stat(self.path).st_mode))
        with open(self.path) as stream:
            text = stream.read()
        self.assertTrue(text.endswith('\n'))
        described, found = set(), {}
        for line in text.splitlines():
            if line.startswith('# '):
                described.add(line.split()[2])
                continue
            self.assertTrue(_SAMPLE.fullmatch(line), line)
            name, value = line.rsplit(' ', 1)
            self.assertIn(name.partition('{')[0], described)
            self.assertNotIn(name, found)
            found[name.replace('nova_image_replication_', '')] = float(value)
        return found

    def test_metrics(self):
        health = daemon.Health(self.path)
        self.assertEqual([], os.listdir(self.folder))
        report = results.Report()
        report.counts[results.Result.FAILED] += 1
        report.sent = 5 * 10 ** 20
        health.ran(report, 1.5)
        found = self.read()
        self.assertEqual(1, found['images{result="failed"}'])
        self.assertEqual(0, found['images{result="same"}'])
        self.assertEqual(1.5, found['last_run_duration_seconds'])
        self.assertNotIn('last_success_timestamp_seconds', found)
        health.failed()
        health.ran(results.Report(), 1)
        found = self.read()
        self.assertEqual(3, found['runs_total'])
        self.assertEqual(1, found['failed_runs_total'])
        self.assertEqual(5 * 10 ** 20, found['sent_bytes_total'])
        self.assertEqual(found['last_run_timestamp_seconds'],
                         found['last_success_timestamp_seconds'])

    def test_a_folder_that_is_missing_at_the_start(self):
        path = os.path.join(self.folder, 'none', 'file')
        error = self.assertRaises(OSError, daemon.Health, path)
        self.assertEqual(path, error.filename)

    def test_a_folder_that_is_missing_later(self):
        log = self.useFixture(fixtures.FakeLogger())
        health = daemon.Health(self.path)
        os.rmdir(self.folder)
        health.failed()
        self.assertIn(self.path, log.output)
        os.mkdir(self.folder)
        os.mkdir(self.path)
        health.failed()
        self.assertEqual(['image.prom'], os.listdir(self.folder))


class TestRepeat(testtools.TestCase):
    """Runs that follow each other."""

    def setUp(self):
        super(TestRepeat, self).setUp()
        if six.PY2:
            self.skipTest('the command line requires Python 3.9')
        self.lines = []
        self.waits = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.codes = [0, ValueError('http://u:secret@h/'), 15,
                      KeyboardInterrupt()]
        self.health = daemon.Health(None)
        self.useFixture(fixtures.MonkeyPatch('time.sleep',
                                             self.waits.append))

    def run_once(self, health):
        """Do what comes next."""
        code = self.codes.pop(0)
        if isinstance(code, BaseException):
            raise code
        return code

    def test_a_failed_run_does_not_end_the_service(self):
        self.assertRaises(KeyboardInterrupt, daemon.repeat, self.run_once,
                          60, self.health, self.lines.append)
        self.assertEqual(3, len(self.lines))
        self.assertIn('all images are equal', self.lines[0])
        self.assertIn('ValueError', self.lines[1])
        self.assertNotIn('secret', self.lines[1])
        self.assertIn('exit code 15', self.lines[2])
        self.assertEqual([True] * 3, [59 < wait <= 60
                                      for wait in self.waits])

    def test_a_signal_whose_exception_is_lost(self):
        signal.signal(signal.SIGTERM, lambda number, frame: None)

        def run(health):
            os.kill(os.getpid(), signal.SIGTERM)
            return 0
        self.assertEqual(143, daemon.repeat(run, 60, self.health,
                                            self.lines.append))
        self.assertEqual([0], self.waits)

    def test_a_single_run(self):
        self.assertEqual(0, daemon.repeat(self.run_once, 0, self.health,
                                          self.lines.append))
        self.assertEqual([], self.lines)
