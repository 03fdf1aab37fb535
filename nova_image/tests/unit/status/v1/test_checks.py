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

"""nova_image.status.v1.checks and half."""

import six

from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    from nova_image.status import facts
    from nova_image.status.v1 import checks
    from nova_image.status.v1 import half


class TestChecks(case.TestCase):
    """The checks of what only v1 shows."""

    def test_hidden_properties(self):
        check = checks.HiddenProperties()
        check.look(case.image(properties={'Owner': 'x', 'os_type': 'y'}))
        check.look(case.image(properties={'self': 'x', 'file': 'y'}))
        check.look(case.image(properties={'os_type': 'y'}))
        self.assertEqual([('A', 'Owner', case.Code.FAILURE),
                          ('A', 'file, self', case.Code.WARNING)],
                         self.items(check))

    def test_private_members(self):
        check = checks.PrivateMembers()
        check.begin(case.about(shows=frozenset(('visibility',))))
        private = case.image()
        question, = check.ask(private)
        self.assertEqual([], list(check.ask(case.image(visibility='shared'))))
        check.hear(private, question, [])
        self.assertEqual([], check.items)
        check.hear(private, question, [facts.Member('p'), facts.Member('q')])
        self.assertEqual([('A', 'members: p, q', case.Code.FAILURE)],
                         self.items(check))

    def test_private_members_without_v2(self):
        check = checks.PrivateMembers()
        check.begin(case.about())
        self.assertEqual([], list(check.ask(case.image())))
        self.assertIn('an API does not tell', check.skipped)

    def test_image(self):
        self.assertEqual(
            facts.Image(id='A', status='queued', visibility='public',
                        properties={'a': 'b'}),
            half.to_image({'id': 'A', 'status': 'queued', 'is_public': True,
                           'size': 'odd', 'properties': {'a': 'b'},
                           'created_at': 5, 'name': ['odd']}))
