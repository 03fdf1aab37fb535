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

"""Replicas with other IDs than their sources."""

import datetime

import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image.replication import copying
    from nova_image.replication import results

    Result = results.Result


class TestNewIds(test_run.RunTest):
    """IDs that the target has once used."""

    def test_without_a_new_id(self):
        self.add('A')
        self.target.burnt.add('A')
        self.assertEqual({'A': Result.FAILED}, self.replicate())

    def test_with_a_new_id_the_references_follow(self):
        self.add('K')
        self.add('A', properties={'kernel_id': 'K'})
        self.target.burnt.add('K')
        self.replicate(new_ids=True)
        new = copying.new_id('K', 'target')
        self.check_same('K', new)
        self.assertEqual(
            new, self.target.found['A'].properties['kernel_id'])
        self.assertEqual(dict.fromkeys('AK', Result.SAME), self.replicate())

    def test_an_image_with_the_old_id_of_one_that_is_listed_later(self):
        self.test_with_a_new_id_the_references_follow()
        new = self.target.found['A'].properties['kernel_id']
        self.target.change(self.target.found['A'], {'properties': dict(
            self.target.found['A'].properties, kernel_id='K')})
        del self.source.calls[:]
        self.replicate()
        self.assertEqual(
            new, self.target.found['A'].properties['kernel_id'])
        self.assertEqual(2, self.source.calls.count(('GET images', None)))

    def test_the_same_images_need_not_be_remembered(self):
        self.add('A', properties={'base_image_ref': 'B'})
        for image_id in 'BC':
            self.add(image_id)
        self.replicate()
        del self.source.calls[:]
        self.replicate()
        self.assertEqual(list('ABC'), [
            outcome.image.id for outcome in self.outcomes])
        self.assertEqual([('GET images', None)], self.source.calls)

    def dead(self, image_id, **changes):
        """Give the target an image whose upload died with Glance."""
        self.target.put(case.replica(case.image(id='A'), id=image_id, **dict(
            {'status': 'saving', 'size': None, 'hashes': {}}, **changes)))

    def replace(self):
        """Run with new IDs instead of those of dead uploads."""
        return self.replicate(new_ids=True, rules={
            'abandoned_before': datetime.datetime(2027, 1, 1)})

    def test_a_dead_upload_is_replaced(self):
        for status in ('saving', 'killed'):
            self.target = memory.Glance('target %s' % status)
            self.add('A')
            self.dead('A', status=status)
            self.assertEqual({'A': Result.COPIED}, self.replace())
            new = copying.new_id('A', self.target.title)
            self.check_same('A', new)
            self.assertEqual([new], list(self.target.found))
            self.assertEqual({'A': Result.SAME}, self.replicate())

    def test_new_ids_may_be_burnt_as_well(self):
        self.add('A')
        self.target.burnt.add('A')
        self.target.burnt.add(copying.new_id('A', 'target'))
        self.dead(copying.new_id('A', 'target', 1))
        self.assertEqual({'A': Result.COPIED}, self.replace())
        self.check_same('A', copying.new_id('A', 'target', 2))

    def test_an_upload_that_was_alive_is_kept(self):
        self.add('A', b'01')
        self.dead('A')

        def end(what, image_id):
            if what == 'GET image' and image_id == 'A':
                self.target.put(case.replica(self.source.found['A']), b'01')

        self.target.trouble = end
        self.assertEqual({'A': Result.COPIED}, self.replace())
        self.assertEqual([], self.target.writes)
        self.check_same('A')
