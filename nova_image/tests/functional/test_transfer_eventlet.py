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

"""Transfers on eventlet: with faults, and alongside other greenthreads."""

import hashlib
import os
import sqlite3
import typing

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import base
from nova_image.tests.functional import test_transfer_faults as seeded
from nova_image.tests.functional import transfer_case
from nova_image.tests.functional import transfer_client
from nova_image.tests.functional import transfer_faults as cases
from nova_image.tests.functional import transfer_process

_GIB = 1024 * cases.MIB
# seconds; how long other greenthreads of a service may be blocked
_GAP = 0.1


class _EventletTest(transfer_case.TransferTest):
    """Transfers in a process that eventlet has monkey-patched."""

    def setUp(self) -> None:
        """Start that process, with the libraries of Nova."""
        super().setUp()
        python = self.useFixture(nova_virtualenv.nova()).bin / 'python'
        self.client = self.useFixture(
            transfer_process.Client(python, '--eventlet'))

    def perform(self, order: transfer_client.Order, **more: typing.Any
                ) -> transfer_client.Report:
        """Make a transfer in that process."""
        report = self.client.perform(order)
        self.assertTrue(report['eventlet'])
        return report


class EventletSeedsTest(_EventletTest):
    """A fifth of the seeds of test_transfer_faults."""

    def _check(self, test: type[seeded.SeededTest], groups: int) -> None:
        check = (self.check_upload if test.kind in ('create', 'update')
                 else self.check_download)
        self.for_each_seed(cases.seeds(test.first, test.size * groups, 5),
                           lambda seed: check(seed, test.kind))

    def test_file(self) -> None:
        self._check(seeded.FileTest, 6)

    def test_object(self) -> None:
        self._check(seeded.ObjectTest, 2)

    def test_stream(self) -> None:
        self._check(seeded.StreamTest, 2)

    def test_create(self) -> None:
        self._check(seeded.CreateTest, 2)

    def test_update(self) -> None:
        self._check(seeded.UpdateTest, 2)


class EventletPartsTest(_EventletTest):
    """Several connections for one image."""

    def test_failing_part_ends_the_others(self) -> None:
        self.check_failing_part()


class EventletTicksTest(_EventletTest):
    """Another greenthread keeps running during a large download."""

    def _large_image(self) -> str:
        """Create a sparse image of 1 GiB; return its ID.

        The store and the database are changed directly, because Glance would
        write all of the data.
        """
        image = self.raw.create(b'-', visibility='public')['id']
        os.truncate(self.server.folder / 'fast' / image, 0)
        os.truncate(self.server.folder / 'fast' / image, _GIB)
        piece, digest = bytes(cases.MIB), hashlib.sha512()
        for _ in range(_GIB // len(piece)):
            digest.update(piece)
        connection = sqlite3.connect(self.server.folder / 'database.sqlite')
        with connection:
            connection.execute(
                'UPDATE images SET size = ?, os_hash_value = ? WHERE id = ?',
                (_GIB, digest.hexdigest(), image))
        connection.close()
        return image

    def test_other_greenthread_keeps_running(self) -> None:
        folder = self.useFixture(base.folder()).path
        order = self.order('tick', url=self.server.url,
                           image=self._large_image(),
                           path=os.path.join(folder, 'image'))
        reports = []
        while len(reports) < 2:  # repeated if the machine was too busy
            reports.append(self.perform(order))
            self.assertIsNone(reports[-1]['error'], reports)
            self.assertEqual(_GIB, os.path.getsize(order['path']))
            if reports[-1]['own'] <= _GAP:
                break
        self.assertLessEqual(reports[-1]['own'], _GAP, reports)
        self.assertGreater(reports[-1]['ticks'], 50, reports)
