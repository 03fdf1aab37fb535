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

"""Tests of ./run_benchmarks.sh boot: what it measures of which processes."""

import os
import pathlib
import time
import typing

import testtools

from benchmarks.boot import race
from benchmarks.boot import tenant
from benchmarks.boot import usage
from nova_image.tests.fixtures import records
from nova_image.tests.functional import base

_MIB = 1024 ** 2


class _Program:
    """A program of the cloud; this process if it is the one to measure."""

    def __init__(self, measured: bool) -> None:
        self.pids = [os.getpid()] if measured else []

    def mark(self) -> int:
        return 0

    def requests(self, since: int = 0) -> list[records.Request]:
        path = '/v2/images/%s/file' % base.new_id()
        return [records.Request('GET', path, 200)] * 2


class _Cloud:
    """A cloud of which one program is this process."""

    def __init__(self, measured: str) -> None:
        self._measured = measured
        self.glance = _Program(measured == 'glance')
        self.nova = self

    def program(self, name: str) -> _Program:
        return _Program(name == self._measured)

    def read_data(self) -> None:
        """Do nothing."""


def _work(seconds: float) -> None:
    """Use the processor."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class MeterTest(testtools.TestCase):
    """The meter measures the programs of a cloud."""

    def _meter(self, measured: str) -> usage.Meter:
        return usage.Meter(typing.cast(typing.Any, _Cloud(measured)))

    def _measures(self, measured: str) -> dict[str, float]:
        with self._meter(measured).measured() as use:
            _work(0.3)
        assert use.measures
        return use.measures

    def test_cpu_is_that_of_its_programs(self) -> None:
        self.assertGreater(self._measures('glance')['glance_cpu'], 0.25)
        self.assertEqual(0, self._measures('another')['glance_cpu'])
        for name in 'nova-api', 'nova-compute':
            self.assertGreater(self._measures(name)['nova_cpu'], 0.25)

    def test_polls_are_subtracted(self) -> None:
        meter = self._meter('nova-api')
        meter.calibrate(lambda: _work(0.03), 10)
        with meter.measured() as use:
            for _ in range(10):
                _work(0.03)
                use.polls += 1
        assert use.measures
        self.assertLess(use.measures['nova_cpu'], 0.15)

    def test_bytes_are_those_of_files(self) -> None:
        path = pathlib.Path(self.useFixture(base.folder()).path, 'file')
        with self._meter('glance').measured() as use:
            path.write_bytes(bytes(3 * _MIB))
            for _ in range(2):
                path.read_bytes()
        assert use.measures
        self.assertEqual((6, 3), tuple(
            use.measures[name] // _MIB for name in ('sent', 'received')))

    def test_requests(self) -> None:
        with self._meter('glance').measured() as use:
            pass
        assert use.measures
        self.assertEqual(2, use.measures['requests'])
        self.assertEqual({'GET /v2/images/ID/file 200': 2}, use.calls)
        self.assertEqual(set(usage.MEASURES), set(use.measures))


class OperationsTest(testtools.TestCase):
    """Each operation has a title, and budgets are of operations."""

    def test_operations_and_budgets(self) -> None:
        path = pathlib.Path(self.useFixture(base.folder()).path, 'data')
        path.write_bytes(bytes(_MIB))
        tasks = race.operations(tenant.Scale(path, path, 20, 1000))
        names = [task.name for task in tasks]
        self.assertEqual(list(tenant.OPERATIONS), names)
        self.assertIn('image of 1 MiB', tasks[0].title)
        self.assertLessEqual(
            {budget.operation for budget in race.budgets()}, set(names))
