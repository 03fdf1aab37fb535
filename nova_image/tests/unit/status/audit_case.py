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

"""What the tests of an audit have in common."""

import six

from nova_image.tests.unit.status import case

if six.PY3:
    from nova_image import exception
    from nova_image.status import facts
    from nova_image.status import halves
    from nova_image.status import survey
    from nova_image.status import verdicts

    Code = verdicts.Code


class TestCase(case.TestCase):
    """A test of an audit."""

    def items(self, check):
        """Return what a check has found: (ID, text, code)."""
        return [tuple(item) for item in check.verdict().items]


def image(**fields):
    """Return an active image that no check finds fault with."""
    return facts.Image(**dict({
        'id': 'A', 'status': 'active', 'name': 'disk', 'owner': 'me',
        'visibility': 'private', 'disk_format': 'raw',
        'container_format': 'bare', 'size': 5, 'checksum': 'aa',
        'hash_value': 'bb'}, **fields))


def about(**fields):
    """Return what is known of an API."""
    return facts.About(**dict({'title': 'an API'}, **fields))


if six.PY3:
    class Memory(halves.Half):
        """A half in memory.

        :ivar listed: its images; an exception in the list is raised
        :ivar replies: {question: answer or exception}
        :ivar asked: the questions so far
        """

        title, version, order = 'the API v8', 'v8', 8
        answers = frozenset(('members', 'readable', 'exists', 'start'))

        def __init__(self, *listed, **options):
            super(Memory, self).__init__(None, None)
            self.listed, self.replies, self.asked = list(listed), {}, []
            self.trouble = None
            self.hidden = []
            for name, value in options.items():
                setattr(self, name, value)

        def probe(self):
            """Fail if there is trouble."""
            if self.trouble:
                raise self.trouble

        def images(self):
            """Yield the images."""
            for one in self.listed:
                if isinstance(one, Exception):
                    raise one
                yield one

        def unlisted(self):
            """Yield the images that are not listed."""
            return iter(self.hidden)

        def answer(self, question):
            """Return or raise the reply."""
            self.asked.append(question)
            found = self.replies[question]
            if isinstance(found, Exception):
                raise found
            return found

    def run(watching, *found):
        """Show the images of halves to checks."""
        survey.Survey(found, watching, lambda major: None).run()

    def down():
        """Return the error of a server that fails."""
        return exception.GlanceServerError(status=500, reason='oops')
