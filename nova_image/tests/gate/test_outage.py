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

"""Glance fails while Nova transfers data, and comes back."""

import collections.abc
import pathlib

from nova_image.tests.gate import base
from nova_image.tests.gate import plugin

_MEBIBYTES = 256
_SIZE = _MEBIBYTES * 1024 * 1024
_TIMEOUT = 120
_RETRIED = 'Attempt 1 of'
# The message that is logged when a download will be resumed.
_RESUMED = 'The download was interrupted at byte '


class OutageTest(plugin.GateTest):
    """Nothing is left incomplete, and nothing is repeated for ever."""

    def setUp(self) -> None:
        """Make sure that Glance runs again after the test."""
        super().setUp()
        self.addCleanup(self.cloud.glance.start)

    def _kill_glance_when(self, what: str,
                          is_so: collections.abc.Callable[[], bool]) -> None:
        """Kill Glance while a condition holds, and check that it does."""
        base.wait_for(what, is_so, _TIMEOUT, poll=0.002)
        self.cloud.glance.pause()
        self.assertTrue(is_so(), 'it ended before Glance could be paused')
        self.cloud.glance.kill()

    def _partly_downloaded(self) -> bool:
        return any(0 < _size(self.instances / '_base' / name) < _SIZE
                   for name in self.partial_files())

    def _wait_for_retry(self, since: int, message: str) -> None:
        base.wait_for('nova-compute tries again', lambda: (
            message in self.cloud.nova.log('nova-compute')[since:]))

    def _log_size(self) -> int:
        return len(self.cloud.nova.log('nova-compute'))

    def _wait_for_end(self, server: str) -> base.Server:
        """Wait until a server is active or failed; return it."""
        def is_so() -> bool:
            shown = self.servers.show(server)
            return (shown['status'] in ('ACTIVE', 'ERROR')
                    and shown['OS-EXT-STS:task_state'] is None)

        base.wait_for('server %s ends' % server, is_so, _TIMEOUT)
        return self.servers.show(server)

    def test_boot_survives_a_restart_of_glance(self) -> None:
        image, data = self.random_image(_MEBIBYTES)
        since = self._log_size()
        server = self.begin_boot(image)
        self._kill_glance_when('part of the image is downloaded',
                               self._partly_downloaded)
        self._wait_for_retry(since, _RESUMED)
        self.assertFalse(self.cached(image).exists())
        self.cloud.glance.start()
        shown = self._wait_for_end(server)
        self.assertEqual('ACTIVE', shown['status'], shown.get('fault'))
        same = data == self.cached(image).read_bytes()
        self.assertTrue(same, 'the disk differs from the image')
        self.assertEqual([], self.partial_files())

    def test_boot_fails_cleanly_if_glance_stays_away(self) -> None:
        image, _ = self.random_image(_MEBIBYTES)
        server = self.begin_boot(image)
        self._kill_glance_when('part of the image is downloaded',
                               self._partly_downloaded)
        shown = self._wait_for_end(server)
        self.assertEqual('ERROR', shown['status'])
        self.assertNotEqual('', shown['fault']['message'])
        self.assertNotIn(self.cloud.glance.url, str(shown['fault']))
        self.assertFalse(self.cached(image).exists())
        self.assertEqual([], self.partial_files())
        self.cloud.glance.start()
        self.boot(image)
        self.assertEqual(_SIZE, _size(self.cached(image)))

    def test_snapshot_never_leaves_an_incomplete_image(self) -> None:
        image, _ = self.random_image(_MEBIBYTES)
        server = self.boot(image)
        since = self._log_size()
        answer = self.servers.act(server, 'createImage', name='a snapshot')
        snapshot = answer.headers['Location'].rpartition('/')[2]
        self.addCleanup(self.remove_image, snapshot)
        stored = self.cloud.glance.folder / 'fast' / snapshot
        self._kill_glance_when('part of the snapshot is stored',
                               lambda: 0 < _size(stored) < _SIZE)
        self._wait_for_retry(since, _RETRIED)
        self.cloud.glance.start()
        self.assertEqual('ACTIVE', self._wait_for_end(server)['status'])
        self.assertEqual([], self.unfinished_images())
        shown = self.cloud.images().get('/images/' + snapshot,
                                        raise_exc=False)
        self.assertIn(shown.status_code, (200, 404))
        if shown.status_code == 200:
            self.assertEqual(shown.json()['size'], _size(stored))
        snapshots = self.instances / 'snapshots'
        self.assertEqual([], list(snapshots.iterdir()))
        self.assertEqual([], self.partial_files())


def _size(path: pathlib.Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
