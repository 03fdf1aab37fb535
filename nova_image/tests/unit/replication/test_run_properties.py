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

"""Runs that are killed at any request, between any two Glances in memory."""

import os
import threading
import unittest

import six

from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory
from nova_image.tests.unit.replication import test_run

if six.PY3:
    import hypothesis
    from hypothesis import strategies

    from nova_image.replication import ends
    from nova_image.replication import journal
    from nova_image.replication import record
    from nova_image.replication import results

    Result = results.Result
    IDS = strategies.sampled_from(('A', 'B', 'C', 'D'))
    NAMES = strategies.sampled_from(('a', 'kernel_id', 'ramdisk_id'))
    MEMBERS = strategies.dictionaries(
        strategies.sampled_from(('p', 'q')), strategies.sampled_from(
            ('pending', 'accepted', 'rejected'))).map(
                lambda found: frozenset(
                    record.Member(*one) for one in found.items()))
    CONTENT = strategies.sampled_from((b'', b'123456789'))

    def images(statuses, **fields):
        """Return a strategy of {ID: (fields, data)}."""
        return strategies.dictionaries(IDS, strategies.tuples(
            strategies.fixed_dictionaries(dict({
                'status': strategies.sampled_from(statuses),
                'name': strategies.sampled_from(('x', 'y', 'refused')),
                'visibility': strategies.sampled_from(
                    ('public', 'private', 'shared', 'community')),
                'protected': strategies.booleans(),
                'hidden': strategies.booleans(),
                'tags': strategies.frozensets(NAMES),
                'properties': strategies.dictionaries(NAMES, IDS),
                'members': MEMBERS}, **fields)), CONTENT))

    SOURCES = images(('active', 'active', 'deactivated', 'queued'))
    FOREIGN = images(('active', 'queued'))
    V1 = ends.FIELDS - {'tags', 'hidden', 'status', 'members'}


@unittest.skipIf(six.PY2, 'replication requires Python 3.9')
class TestKilledRuns(test_run.RunTest):
    """What is left by runs that were killed, and what the last one does."""

    if six.PY3:
        @hypothesis.settings(
            max_examples=int(os.environ.get('NOVA_IMAGE_RUNS', 300)),
            deadline=None)
        @hypothesis.given(
            SOURCES, FOREIGN, strategies.sets(IDS),
            strategies.lists(strategies.integers(1, 40), max_size=3),
            strategies.sampled_from((None, V1)), strategies.booleans(),
            strategies.booleans(), strategies.booleans())
        def test_any_run(self, sources, foreign, burnt, kills, fields,
                         new_ids, pulls, overlaps):
            self._set_up(sources, foreign, burnt - set(foreign), fields,
                         pulls)
            self.target.overlaps = lambda image: overlaps
            options = {'new_ids': new_ids, 'transfers': 1 if overlaps else 4}
            before = dict(self.target.found)
            for number in kills:
                self._killed_run(number, options)
                self._check_nothing_half(before)
            self.replicate(**options)
            self._check_result(before, new_ids)
            for end in (self.source, self.target):
                del end.calls[:]
            first = {outcome.image.id: outcome.result
                     for outcome in self.outcomes}
            again = self.replicate(**options)
            self.assertEqual([], [call for call in self.target.writes
                                  if call[0] != 'POST image'])
            self.assertEqual(
                {key: Result.SAME if value in (
                    Result.COPIED, Result.UPDATED) else value
                 for key, value in first.items()}, again)

    def _set_up(self, sources, foreign, burnt, fields, pulls):
        self.journal.close()
        self.journal = journal.Journal(':memory:')
        self.source = memory.Glance('source', fields=fields)
        self.target = memory.Glance('target', refuses=('refused',))
        if pulls:
            self.target = memory.Pulling(self.source, refuses=('refused',))
        self.target.burnt = set(burnt)
        for image_id, (values, data) in sources.items():
            self.add(image_id, data, **dict(values, properties={
                name: value for name, value in values['properties'].items()
                if value < image_id}))  # no circles
        for image_id, (values, data) in foreign.items():
            self.target.put(case.image(id=image_id, **values), data)

    def _killed_run(self, number, options):
        """Run until the process is killed at the nth request."""
        count, guard = [0], threading.Lock()

        def kill(what, image_id):
            with guard:
                count[0] += 1
                if count[0] >= number:
                    raise memory.Killed

        hook, threading.excepthook = threading.excepthook, lambda _: None
        self.source.trouble = self.target.trouble = kill
        try:
            self.replicate(**options)
        except memory.Killed:
            pass
        finally:
            threading.excepthook = hook
            self.source.trouble = self.target.trouble = (
                lambda what, image_id: None)
            for image in list(self.target.found.values()):
                if image.status == 'saving':
                    self.target.found[image.id] = image.but(status='queued')

    def _check_nothing_half(self, before):
        """Check that others see only complete replicas."""
        for image in self.target.found.values():
            if image.id in before:
                continue
            seen = image.visibility in ('public', 'community') or (
                image.visibility == 'shared' and image.members)
            if seen:
                self.assertEqual(self.source.data[image.replica_of],
                                 self.target.data[image.id])

    def _check_result(self, before, new_ids):
        """Check each image against what was reported of it."""
        reported = {outcome.image.id: outcome for outcome in self.outcomes}
        self.assertEqual(set(self.source.found), set(reported))
        for image_id, outcome in reported.items():
            if outcome.result in (Result.COPIED, Result.UPDATED,
                                  Result.SAME):
                self._check_equal(image_id, outcome.target_id)
            else:
                self.assertTrue(outcome.reason)
        for image_id, image in before.items():
            if reported.get(image_id) is None or reported[
                    image_id].result is Result.CONFLICT:
                self.assertEqual(image, self.target.found[image_id])
        self.assertEqual(set(before) | {
            outcome.target_id for outcome in self.outcomes
            if outcome.target_id}, set(self.target.found))

    def _check_equal(self, image_id, target_id):
        ours = self.source.found[image_id]
        theirs = self.target.found[target_id]
        self.assertEqual(self.source.data[image_id],
                         self.target.data[target_id])
        for name in self.source.fields - {'properties', 'members'}:
            self.assertEqual(getattr(ours, name), getattr(theirs, name),
                             name)
        self.assertEqual(
            set(ours.properties),
            set(theirs.properties) - {record.MARKER})
        if 'members' in self.source.fields and ours.visibility == 'shared':
            self.assertEqual(ours.members, theirs.members)
