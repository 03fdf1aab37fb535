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

"""nova_image.status.v2.checks, repairs and half."""

import six

from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    from nova_image.status import facts
    from nova_image.status.v2 import checks
    from nova_image.status.v2 import half
    from nova_image.status.v2 import repairs


class TestChecks(case.TestCase):
    """The checks of what only v2 shows."""

    def test_pending_members(self):
        check = checks.PendingMembers()
        shared = case.image(visibility='shared')
        question, = check.ask(shared)
        self.assertEqual([], list(check.ask(case.image())))
        check.hear(shared, question, [
            facts.Member('p', 'accepted'), facts.Member('q', 'rejected')])
        self.assertEqual([], check.items)
        check.hear(shared, question, [
            facts.Member('p', 'pending'), facts.Member('q', 'pending')])
        self.assertEqual([('A', 'pending for p, q', case.Code.WARNING)],
                         self.items(check))
        self.assertIn('(1; 1 for p, 1 for q):', check.verdict().found)

    def test_locations(self):
        check = checks.Locations()
        check.look(case.image(locations=(
            'swift+https://t%3Au:hidden@host/v1/c/o', 'rbd://a/b/c/d')))
        check.look(case.image(locations=('swift+config://ref/c/o',
                                         'swift://[')))
        self.assertEqual(1, len(self.items(check)))
        self.assertNotIn('hidden', str(check.verdict().lines()))

    def test_no_locations(self):
        for newest, locations, number in (
                ((2, 5), None, 1), ((2, 17), None, 0), (None, None, 0),
                ((2, 5), (), 0)):
            check = checks.Locations()
            check.begin(case.about(newest=newest))
            check.look(case.image(locations=locations))
            self.assertEqual(number, len(self.items(check)))

    def test_image(self):
        self.assertEqual(
            facts.Image(id='A', status='unknown', visibility='private',
                        hash_value=None, properties={'a': 'b'},
                        locations=('file:///a',)),
            half.to_image({'id': 'A', 'os_hash_value': None, 'a': 'b',
                           'locations': [{'url': 'file:///a'}, 'odd'],
                           'size': 'odd', 'tags': []}))

    def test_formats_that_are_planned(self):
        planner = repairs.ImageFormats(None).planner()
        planner.begin(case.about(formats=facts.Formats(
            ('vhd', 'qcow2'), ('ovf',))))
        planner.look(case.image(status='queued', disk_format=None,
                                container_format=None))
        planner.look(case.image(disk_format=None))
        self.assertEqual([('disk_format', 'qcow2'),
                          ('container_format', 'ovf')],
                         [(one.part, one.after) for one in planner.changes])
