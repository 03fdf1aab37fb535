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

"""A replication that is repeated, between two real Glances."""

import os
import signal

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import worker_case

_METRIC = 'nova_image_replication_'


class RepeatedTest(worker_case.ReplicationTest):
    """Runs that follow each other in one process."""

    def setUp(self) -> None:
        """Begin to replicate through a proxy."""
        super().setUp()
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.target.url))
        self.metrics = self.folder / 'image.prom'
        self.errors = self.folder / 'errors'

    def repeat(self, *argv: str) -> None:
        """Start the service."""
        with open(self.errors, 'wb') as errors:
            self.process = self.start(*self.replicate(
                '--every', '1s', '--metrics', str(self.metrics), *argv,
                to=self.proxy.url), stderr=errors)

    def metric(self, name: str) -> float:
        """Return a metric; 0 before there is one."""
        if not self.metrics.exists():
            return 0
        for line in self.metrics.read_text().splitlines():
            if line.startswith(_METRIC + name + ' '):
                return float(line.split()[1])
        return 0

    def wait_for_runs(self, number: int) -> None:
        """Wait until runs have ended."""
        self.wait_for(lambda: self.metric('runs_total') >= number,
                      '%d runs' % number)

    def test_a_target_that_is_down_for_a_while(self) -> None:
        self.source.create(b'first')
        self.repeat()
        self.wait_for_runs(1)
        self.assertEqual(['active'], self.statuses())
        self.source.create(b'second')
        self.proxy.plan(*[faults.Status(503)] * 4, path='/v2/images',
                        method='GET')
        self.wait_for(lambda: self.metric('failed_runs_total') == 1,
                      'failed')
        self.wait_for(lambda: self.statuses() == ['active'] * 2, 'copied')
        self.wait_for_runs(int(self.metric('runs_total')) + 2)
        self.process.send_signal(signal.SIGTERM)
        done = self.finish_it()
        self.assertEqual(codes.TERMINATED, done)
        lines = self.errors.read_text().splitlines()
        self.assertIn('all images are equal; next run in', lines[0])
        self.assertIn('503', ''.join(lines))
        self.assertIn('all images are equal; next run in', lines[-1])

    def finish_it(self) -> int:
        """Wait for the end; return the exit code."""
        self.output = self.process.communicate(timeout=60)[0].decode()
        return self.process.returncode

    def test_it_ends_in_the_middle(self) -> None:
        for number, code in ((signal.SIGINT, codes.INTERRUPTED),
                             (signal.SIGTERM, codes.TERMINATED)):
            self.source.create(os.urandom(2 ** 24), visibility='public')
            self.repeat('--bandwidth', '1M')
            self.wait_for(lambda: 'saving' in self.statuses(), 'uploading')
            self.process.send_signal(number)
            self.assertEqual(code, self.finish_it())
            self.assertIn('interrupted', self.output)
            self.assertNotIn('Traceback', self.errors.read_text())
            self.wait_for(lambda: 'saving' not in self.statuses(), 'queued')
            self.assertEqual({'private'}, {
                image['visibility'] for image in self.target.images()})
        self.run_it(*self.replicate())
        self.assertEqual(['active'] * 2, self.statuses())
