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

"""Tests of what a worker asks for beside other workers."""

import contextlib

import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image import exception
    from nova_image.replication import copying
    from nova_image.replication import journal
    from nova_image.replication import results
    from nova_image.replication import rules
    from nova_image.replication import run
    from nova_image.replication import targets

    Result = results.Result


class Worker(object):
    """One of several workers.

    :param mine: the IDs of the images that it tries first; None for all
    :param before: called with an ID before an image is locked
    """

    is_shared = True

    def __init__(self, mine=None, before=lambda image_id: None):
        self.mine = mine
        self.before = before

    def is_mine(self, image_id):
        return self.mine is None or image_id in self.mine

    def lock(self, image_id):
        self.before(image_id)
        return contextlib.nullcontext(self)

    def check(self):
        pass


class TestWorkers(test_run.RunTest):
    """What a worker does beside others."""

    def other(self, *ids):
        """Let another worker replicate images."""
        source = memory.Glance('source')
        for image_id in ids:
            source.put(self.source.found[image_id],
                       self.source.data[image_id])
        book = journal.Journal(':memory:')
        self.addCleanup(book.close)
        run.Run(source, [targets.Target(
            self.target, rules.Rules(fit=self.target.fit),
            book.pair('source', 'target'))]).run()

    def requests(self, what):
        """Return the IDs in the requests of one kind to the target."""
        return [image_id for one, image_id in self.target.calls
                if one == what]

    def test_images_of_others_are_listed_and_not_looked_up(self):
        for image_id in 'ABCDEF':
            self.add(image_id)
        worker = Worker('A', lambda image_id: self.other(*'BCDE') if (
            image_id == 'A') else None)
        self.assertEqual(
            dict(dict.fromkeys('BCDE', Result.SAME), A=Result.COPIED,
                 F=Result.COPIED), self.replicate(coordinator=worker))
        self.assertEqual(6, len(self.outcomes))
        self.assertTrue(self.report.equal)
        self.assertEqual({'A', 'F'}, set(self.requests('PATCH image')) |
                         set(self.requests('GET image')))
        self.assertEqual({'A', 'F'}, set(
            image_id for what, image_id in self.source.calls
            if what == 'GET data'))
        self.assertEqual(1, self.source.calls.count(('GET images', None)))

    def test_own_images_and_what_they_name_come_first(self):
        self.add('A', b'1', properties={'kernel_id': 'K'})
        self.add('K', b'2', properties={'kernel_id': 'L'})
        self.add('L', b'3')
        self.add('Z', b'1234567890')
        self.replicate(coordinator=Worker('A'), transfers=1)
        self.assertEqual(list('LKAZ'), self.requests('PUT data'))

    def test_members_of_own_images_only(self):
        for image_id in 'AB':
            self.add(image_id, visibility='shared')
        self.replicate()
        self.journal = journal.Journal(':memory:')
        self.addCleanup(self.journal.close)
        del self.target.calls[:]
        self.assertEqual(dict.fromkeys('AB', Result.SAME),
                         self.replicate(coordinator=Worker('A')))
        self.assertEqual(['A'], self.requests('GET members'))

    def test_the_second_listing_fails(self):
        for image_id in 'AB':
            self.add(image_id)
        listings = []

        def trouble(what, image_id):
            if what == 'GET images':
                listings.append(what)
                if len(listings) == 2:
                    raise exception.GlanceConnectionFailed(reason='no')

        self.target.trouble = trouble
        self.assertEqual({'A': Result.COPIED, 'B': Result.LEFT},
                         self.replicate(coordinator=Worker('A')))
        self.assertIn('no', self.reason('B'))

    def test_an_image_of_others_that_names_a_failed_one(self):
        self.add('K')
        self.add('A', properties={'kernel_id': 'K'})

        def trouble(what, image_id):
            if what == 'PUT data' and image_id == 'K':
                raise exception.ImageQuotaExceeded(image_id=image_id)

        self.target.trouble = trouble
        self.assertEqual(dict.fromkeys('AK', Result.FAILED),
                         self.replicate(coordinator=Worker('K')))
        self.assertEqual(['K'], self.requests('PUT data'))

    def test_stopped_before_the_images_of_others(self):
        for image_id in 'AB':
            self.add(image_id)
        self.assertEqual(dict.fromkeys('AB', Result.LEFT), self.replicate(
            coordinator=Worker('A'), max_duration=-1))
        self.assertEqual(2, len(self.outcomes))

    def maker_of(self, copy, data=b''):
        """Return a worker beside one that makes a copy at the last moment."""
        def make(image_id):
            if copy.id not in self.target.found:
                self.target.put(copy, data)
        return Worker(before=make)

    def test_a_copy_with_any_new_id_that_another_worker_has_made(self):
        for burnt in range(4):
            self.target = memory.Glance('target')
            self.add('A')
            ids = ['A'] + [copying.new_id('A', 'target', number)
                           for number in range(4)]
            self.target.burnt.update(ids[:burnt + 1])
            copy = case.replica(self.source.found['A'], id=ids[burnt + 1])
            self.assertEqual({'A': Result.SAME}, self.replicate(
                coordinator=self.maker_of(copy, b'0123456789'),
                new_ids=True))
            self.assertEqual([copy.id], list(self.target.found))
            self.assertEqual([], self.requests('PUT data'))
            self.assertEqual({'A': Result.SAME}, self.replicate())

    def test_an_unfinished_copy_with_a_new_id_of_another_worker(self):
        self.add('A')
        ids = ['A', copying.new_id('A', 'target'),
               copying.new_id('A', 'target', 1)]
        self.target.burnt.update(ids[:2])
        self.assertEqual({'A': Result.COPIED}, self.replicate(
            coordinator=self.maker_of(case.replica(
                self.source.found['A'], id=ids[2], status='queued',
                size=None, hashes={})), new_ids=True))
        self.check_same('A', ids[2])
        self.assertEqual([ids[2]], list(self.target.found))

    def test_an_image_of_others_with_a_new_id(self):
        self.add('A')
        new = copying.new_id('A', 'target')
        self.target.burnt.add('A')
        self.target.put(case.image(id=new), b'other')
        self.assertEqual({'A': Result.FAILED}, self.replicate(new_ids=True))
        self.assertEqual({new}, set(self.target.found))
        self.assertEqual([], self.requests('PUT data'))
