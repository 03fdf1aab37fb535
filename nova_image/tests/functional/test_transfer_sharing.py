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


"""Several processes of one host that download at the same time."""

import signal
import time

import fixtures as lib_fixtures

from nova_image.tests.functional import transfer_case
from nova_image.tests.functional import transfer_client
from nova_image.tests.functional import transfer_faults as cases
from nova_image.tests.functional import transfer_process

_MIB = 1024 * 1024
_PROCESSES = 3


class SharingTest(transfer_case.TransferTest):
    """Three services of one host, and their folder for locks."""

    size = 9 * _MIB + 3

    def setUp(self) -> None:
        """Start the processes."""
        super().setUp()
        self.locks = self.useFixture(lib_fixtures.TempDir()).path
        self.clients = [self.useFixture(transfer_process.Client())
                        for _ in range(_PROCESSES)]
        # The first transfer of a process imports modules: do not time that.
        for number, client in enumerate(self.clients):
            self.assertIsNone(client.perform(self._order(number, 0))['error'])
        self.proxy.clear()

    def _order(self, number: int, size: int, **options: object
               ) -> transfer_client.Order:
        return self.order(
            image=self.image_of(size), path='%s-%d' % (self.path, number),
            longest=60,  # waits are real ones
            options={'transfer_lock_path': self.locks, **options})

    def _all_at_once(self, **options: object) -> float:
        """Let all processes download; return how many seconds it took."""
        began = time.monotonic()
        for number, client in enumerate(self.clients):
            client.send(self._order(number, self.size, **options))
        for client in self.clients:
            self.assertIsNone(client.report()['error'])
        took = time.monotonic() - began
        for number in range(_PROCESSES):
            path = self.disk.images / ('image-%d' % number)
            self.assertEqual(cases.data_of(self.size), path.read_bytes())
        return took

    def test_processes_share_one_transfer(self) -> None:
        """The other processes wait for it, and copy the file."""
        self.proxy.bandwidth = 6 * _MIB  # slow: all start before it ends
        self._all_at_once()
        self.assertEqual(1, len(self.data_requests))

    def test_nobody_waits_for_a_stopped_process(self) -> None:
        """The second process waits for the first, then downloads by itself."""
        first, second, _ = self.clients
        self.proxy.bandwidth = _MIB  # the first one is in the middle
        first.send(self._order(0, self.size))
        self.wait_for(lambda: bool(self.data_requests), 'downloading')
        first.process.send_signal(signal.SIGSTOP)
        self.addCleanup(first.process.send_signal, signal.SIGCONT)
        self.proxy.bandwidth = None
        report = second.perform(self._order(
            1, self.size, transfer_stall_timeout=1, download_deadline=20))
        self.assertIsNone(report['error'])
        self.assertEqual(cases.data_of(self.size),
                         (self.disk.images / 'image-1').read_bytes())
        self.assertEqual(2, len(self.data_requests))
        first.process.send_signal(signal.SIGCONT)
        self.assertIsNone(first.report()['error'])

    def test_each_process_downloads_without_sharing(self) -> None:
        self._all_at_once(share_downloads=False)
        self.assertEqual(_PROCESSES, len(self.data_requests))

    def test_max_concurrent_transfers_serializes_downloads(self) -> None:
        """The next process requests data when the previous one is done."""
        self._all_at_once(share_downloads=False, max_concurrent_transfers=1)
        self.assertEqual([self.size] * _PROCESSES, [
            request.sent for request in self.data_requests])

    def test_bandwidth_limits_all_processes_together(self) -> None:
        took = self._all_at_once(share_downloads=False,
                                 transfer_bandwidth=20.0)
        self.assertGreater(took, _PROCESSES * self.size / (20 * _MIB) - 0.5)
