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

"""Runs to a Glance that reads the data of the source by itself."""

import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image.replication import copying
    from nova_image.replication import planner
    from nova_image.replication import results

    Result = results.Result


class TestPulled(test_run.RunTest):
    """The target reads the data."""

    def setUp(self):
        super(TestPulled, self).setUp()
        self.target = memory.Pulling(self.source)

    def test_the_worker_reads_no_data(self):
        self.add('A', visibility='public', protected=True,
                 properties={'p': '1'})
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.check_same('A')
        self.assertNotIn(('GET data', 'A'), self.source.calls)
        self.assertEqual(results.Verified.BOTH, self.outcomes[0].verified)
        self.assertEqual(10, self.outcomes[0].sent)

    def test_properties_that_the_target_takes_over_are_removed(self):
        self.add('A', properties={'taken': 'mine', 'p': '1'})
        self.replicate(rules={'ignored': ('taken',)})
        self.assertEqual({'p'}, set(self.target.found['A'].properties) - {
            'nova_image_replica_of'})

    def test_the_hash_of_the_target_is_not_that_of_the_source(self):
        self.source.algorithms = ()
        self.add('A')
        self.replicate()
        self.assertEqual(results.Verified.TARGET, self.outcomes[0].verified)
        self.assertEqual({'A': Result.SAME}, self.replicate())
        self.assertEqual(results.Verified.NO, self.outcomes[0].verified)

    def test_a_run_that_stops_leaves_the_import(self):
        self.add('A')

        def stop(seconds):
            raise copying.Stopped('stopped')

        plan = planner.plan(self.source.image('A'), None, case.make_rules())
        copier = copying.Copier(self.source, self.target, case.make_rules(),
                                stop)
        self.assertRaises(copying.Stopped, copier.carry_out, plan, [])
        self.assertEqual('importing', self.target.found['A'].status)
        self.assertEqual({'A': Result.COPIED}, self.replicate())
        self.assertEqual(1, self.target.calls.count(('POST import', 'A')))

    def test_a_source_that_is_deleted_during_the_import(self):
        self.add('A')
        self.target.trouble = lambda what, image_id: (
            what == 'GET image' and self.source.delete('A'))
        self.target.origin = memory.Glance()
        self.target.origin.data['A'] = b'0123456789'
        self.assertEqual({'A': Result.SKIPPED}, self.replicate())
        self.assertEqual({}, self.target.found)
