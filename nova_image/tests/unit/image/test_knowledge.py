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

"""Tests of nova_image.image.knowledge: facts that expire."""

import logging

import fixtures
import mock
import testtools

from nova_image.image import knowledge

COLOUR = knowledge.Fact('colour', lambda value: value in ('red', 'blue'))
OTHER = knowledge.Fact('other', lambda value: isinstance(value, bool))


class TestKnowledge(testtools.TestCase):
    """What is known of one Glance; ``now`` is the clock."""

    def setUp(self):
        super(TestKnowledge, self).setUp()
        self.now = 1000.0
        self.useFixture(fixtures.MonkeyPatch(
            'oslo_utils.timeutils.now', lambda: self.now))
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        self.known = knowledge.Knowledge()

    def _find(self, answer, suits=None):
        ask = mock.Mock(return_value=answer)
        return self.known.find(COLOUR, ask, suits), ask.call_count

    def test_an_unknown_fact_has_the_default_value(self):
        self.assertIsNone(self.known.get(COLOUR))
        self.assertEqual('red', self.known.get(COLOUR, 'red'))

    def test_a_fact_is_remembered_until_it_is_too_old(self):
        self.known.remember(COLOUR, 'red')
        self.now += knowledge.MAX_AGE
        self.assertEqual('red', self.known.get(COLOUR))
        self.now += 1
        self.assertIsNone(self.known.get(COLOUR))

    def test_a_caller_that_can_be_wrong_gets_an_old_fact(self):
        self.known.remember(COLOUR, 'red')
        self.now += 10 ** 9
        self.assertEqual('red', self.known.get(COLOUR, max_age=None))
        self.assertEqual('blue', self.known.get(OTHER, 'blue', max_age=None))

    def test_each_fact_has_its_own_age(self):
        self.known.remember(COLOUR, 'red')
        self.now += knowledge.MAX_AGE
        self.known.remember(OTHER, False)
        self.now += 1
        self.assertEqual((None, False), (self.known.get(COLOUR),
                                         self.known.get(OTHER)))

    def test_an_invalid_value_is_ignored(self):
        self.known.remember(COLOUR, 'red')
        self.known.remember(COLOUR, ['blue'])
        self.assertEqual('red', self.known.get(COLOUR))
        self.assertIn("Ignoring ['blue'] as the colour", self.log.output)

    def test_a_fact_can_be_forgotten(self):
        self.known.remember(COLOUR, 'red')
        self.known.forget(COLOUR)
        self.known.forget(OTHER)
        self.assertIsNone(self.known.get(COLOUR))

    def test_glance_is_asked_once(self):
        self.assertEqual(('red', 1), self._find('red'))
        self.assertEqual(('red', 0), self._find('blue'))

    def test_false_is_remembered(self):
        ask = mock.Mock(return_value=False)
        for _ in range(2):
            self.assertIs(False, self.known.find(OTHER, ask))
        ask.assert_called_once_with()

    def test_a_value_that_does_not_suit_is_asked_for_again(self):
        self._find('red')
        self.assertEqual(('blue', 1), self._find(
            'blue', lambda value: value == 'blue'))
        self.assertEqual(('blue', 0), self._find(
            'red', lambda value: value == 'blue'))

    def test_a_value_of_one_caller_is_not_one_of_another(self):
        self.known.remember(COLOUR, 'red', of='a')
        self.assertEqual(('red', None, None), tuple(
            self.known.get(COLOUR, of=who) for who in ('a', 'b', None)))
        self.known.remember(COLOUR, 'blue')
        self.assertEqual(('red', 'blue', 'blue'), tuple(
            self.known.get(COLOUR, of=who) for who in ('a', 'b', None)))
        self.now += knowledge.MAX_AGE + 1
        self.known.remember(COLOUR, 'blue')
        self.assertEqual('blue', self.known.get(COLOUR, of='a'))

    def test_the_oldest_of_many_values_are_forgotten(self):
        self.known.remember(COLOUR, 'red')
        for number in range(knowledge.MAX_KEPT - 1):
            self.known.remember(OTHER, True, of=number)
        self.known.remember(COLOUR, 'blue')
        self.known.remember(OTHER, False, of='new')
        self.assertEqual((None, True, False), tuple(
            self.known.get(OTHER, of=who) for who in (0, 1, 'new')))
        self.assertEqual('blue', self.known.get(COLOUR))

    def test_an_invalid_value_in_the_log_is_short_and_redacted(self):
        self.known.remember(COLOUR, 'http://a:pa55@h' + 'x' * 1000)
        self.assertNotIn('pa55', self.log.output)
        self.assertLess(len(self.log.output), 300)

    def test_an_invalid_answer_is_returned_and_not_remembered(self):
        self.assertEqual(('green', 1), self._find('green'))
        self.assertEqual(('red', 1), self._find('red'))
