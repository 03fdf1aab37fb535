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

"""Glance goes away while Nova is at it, and comes back."""

import collections.abc
import pathlib

from nova_image.tests.gate import base
from nova_image.tests.gate import plugin

_MEBIBYTES = 256
_SIZE = _MEBIBYTES * 1024 * 1024
_TIMEOUT = 120
_RETRIED = 'Attempt 1 of'
# What it logs when a download is to go on.
_RESUMED = 'The download broke off at byte '


class OutageTest(plugin.GateTest):
    """Nothing is left half done, and nothing is done for ever."""

    def setUp(self) -> None:
        """See to it that Glance runs for the tests that follow."""
        super().setUp()
        self.addCleanup(self.cloud.glance.start)

    def _end_glance_when(self, what: str,
                         is_so: collections.abc.Callable[[], bool]) -> None:
        """Stop Glance in the middle of something, and check that it was."""
        base.wait_for(what, is_so, _TIMEOUT, poll=0.002)
        self.cloud.glance.pause()
        self.assertTrue(is_so(), 'it was over before Glance could be stopped')
        self.cloud.glance.kill()

    def _half_downloaded(self) -> bool:
        return any(0 < _size(self.instances / '_base' / name) < _SIZE
                   for name in self.half_files())

    def _wait_for_retry(self, since: int, said: str) -> None:
        base.wait_for('nova-compute tries again', lambda: (
            said in self.cloud.nova.log('nova-compute')[since:]))

    def _log_size(self) -> int:
        return len(self.cloud.nova.log('nova-compute'))

    def _wait_for_end(self, server: str) -> base.Server:
        """Wait until a server is in a state that is not on the way."""
        def is_so() -> bool:
            shown = self.servers.show(server)
            return (shown['status'] in ('ACTIVE', 'ERROR')
                    and shown['OS-EXT-STS:task_state'] is None)

        base.wait_for('server %s ends' % server, is_so, _TIMEOUT)
        return self.servers.show(server)

    def test_boot(self) -> None:
        """A boot outlives a Glance that is started again."""
        image, data = self.random_image(_MEBIBYTES)
        since = self._log_size()
        server = self.begin_boot(image)
        self._end_glance_when('half an image is there', self._half_downloaded)
        self._wait_for_retry(since, _RESUMED)
        self.assertFalse(self.cached(image).exists())
        self.cloud.glance.start()
        shown = self._wait_for_end(server)
        self.assertEqual('ACTIVE', shown['status'], shown.get('fault'))
        same = data == self.cached(image).read_bytes()
        self.assertTrue(same, 'the disk is not the image')
        self.assertEqual([], self.half_files())

    def test_boot_without_end(self) -> None:
        """A boot fails, and leaves nothing, where Glance stays away."""
        image, _ = self.random_image(_MEBIBYTES)
        server = self.begin_boot(image)
        self._end_glance_when('half an image is there', self._half_downloaded)
        shown = self._wait_for_end(server)
        self.assertEqual('ERROR', shown['status'])
        self.assertNotEqual('', shown['fault']['message'])
        self.assertNotIn(self.cloud.glance.url, str(shown['fault']))
        self.assertFalse(self.cached(image).exists())
        self.assertEqual([], self.half_files())
        self.cloud.glance.start()
        self.boot(image)
        self.assertEqual(_SIZE, _size(self.cached(image)))

    def test_snapshot(self) -> None:
        """A snapshot ends as an image or as none, never as half of one."""
        image, _ = self.random_image(_MEBIBYTES)
        server = self.boot(image)
        since = self._log_size()
        answer = self.servers.act(server, 'createImage', name='a snapshot')
        snapshot = answer.headers['Location'].rpartition('/')[2]
        self.addCleanup(self.remove_image, snapshot)
        stored = self.cloud.glance.folder / 'fast' / snapshot
        self._end_glance_when('half a snapshot is stored',
                              lambda: 0 < _size(stored) < _SIZE)
        self._wait_for_retry(since, _RETRIED)
        self.cloud.glance.start()
        self.assertEqual('ACTIVE', self._wait_for_end(server)['status'])
        self.assertEqual([], self.half_images())
        shown = self.cloud.images().get('/images/' + snapshot,
                                        raise_exc=False)
        self.assertIn(shown.status_code, (200, 404))
        if shown.status_code == 200:
            self.assertEqual(shown.json()['size'], _size(stored))
        snapshots = self.instances / 'snapshots'
        self.assertEqual([], list(snapshots.iterdir()))
        self.assertEqual([], self.half_files())


def _size(path: pathlib.Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
