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

"""nova_image.status.survey."""

import six

from nova_image import exception
from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    from nova_image.status import checks
    from nova_image.status import facts

    class Look(checks.ImageCheck):
        """Remembers what it was shown."""

        name, of = 'look', 'were seen'
        kinds = frozenset(('members',))

        def __init__(self, half=None, asks=False):
            super(Look, self).__init__()
            self.half, self.asks = half, asks
            self.seen, self.heard = [], []

        def look(self, image):
            """Remember an image."""
            self.seen.append(image.id)

        def ask(self, image):
            """Ask for the members."""
            return [facts.Question('members', image.id)] if self.asks else []

        def hear(self, image, question, answer):
            """Remember an answer."""
            self.heard.append((image.id, answer))

    class Broken(Look):
        """Fails."""

        def look(self, image):
            """Fail."""
            raise RuntimeError('a bug')


class TestSurvey(case.TestCase):
    """Survey.run()"""

    def setUp(self):
        super(TestSurvey, self).setUp()
        images = [case.image(id=name) for name in 'ABC']
        self.first = case.Memory(*images)
        self.second = case.Memory(
            *images + [case.image(id='D')], version='v9', order=9,
            title='the API v9')

    def test_each_check_sees_each_image_once(self):
        any_half, own = Look(), Look('v9')
        case.run([any_half, own], self.first, self.second)
        self.assertEqual(['A', 'B', 'C'], any_half.seen)
        self.assertEqual(['A', 'B', 'C', 'D'], own.seen)

    def test_api_that_is_not_served(self):
        self.first.trouble = exception.GlanceVersionNotServed()
        any_half, own = Look(), Look('v8')
        case.run([any_half, own], self.first, self.second)
        self.assertEqual(['A', 'B', 'C', 'D'], any_half.seen)
        self.assertEqual([], own.seen)
        self.assertIn('does not serve the API v8', own.skipped)
        self.assertEqual(case.Code.SUCCESS, own.verdict().code)

    def test_no_api_at_all(self):
        self.first.trouble = self.second.trouble = (
            exception.GlanceVersionNotServed())
        check = Look()
        case.run([check], self.first, self.second)
        self.assertEqual(case.Code.WARNING, check.verdict().code)

    def test_other_half_replaces_a_listing_that_fails(self):
        self.first.listed[2:] = [case.down()]
        any_half, own = Look(), Look('v9')
        case.run([any_half, own], self.first, self.second)
        self.assertEqual(['A', 'B', 'C', 'D'], any_half.seen)
        self.assertEqual(1, len(any_half.unchecked))
        self.assertEqual([], own.unchecked)

    def test_only_half_fails(self):
        self.first.listed[2:] = [case.down()]
        check = Look()
        case.run([check], self.first)
        self.assertEqual(['A', 'B'], check.seen)
        self.assertIn('the list of images by the API v8 failed after 2 '
                      'images: ', check.verdict().lines()[0])

    def test_bug_in_a_check_ends_no_other(self):
        broken, check = Broken(), Look()
        case.run([broken, check], self.first)
        self.assertEqual(['A', 'B', 'C'], check.seen)
        self.assertEqual(['RuntimeError: a bug'], broken.unchecked)

    def test_questions(self):
        asking, listening = Look(asks=True), Look()
        self.first.replies = {
            facts.Question('members', 'A'): ['p'],
            facts.Question('members', 'B'): case.down(),
            facts.Question('members', 'C'): exception.ImageNotFound()}
        case.run([asking, listening], self.first)
        self.assertEqual([('A', ['p'])], asking.heard)
        self.assertEqual([('A', ['p'])], listening.heard)
        self.assertEqual(['image B: 500 oops'], asking.unchecked)
        self.assertEqual(3, len(self.first.asked))

    def test_question_that_only_the_other_half_answers(self):
        self.first.answers = frozenset()
        self.second.replies = {facts.Question('members', name): []
                               for name in 'ABC'}
        check = Look(asks=True)
        case.run([check], self.first, self.second)
        self.assertEqual(3, len(check.heard))

    def test_question_that_nobody_answers(self):
        self.first.answers = frozenset()
        check = Look(asks=True)
        case.run([check], self.first)
        self.assertIn('no API', check.skipped)

    def test_unlisted_images(self):
        self.second.hidden = [case.image(id='E')]
        check, other = Look(), Look()
        check.unlisted = True
        case.run([check, other], self.first, self.second)
        self.assertEqual(['A', 'B', 'C', 'E'], check.seen)
        self.assertEqual(['A', 'B', 'C'], other.seen)
