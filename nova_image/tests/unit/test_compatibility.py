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

"""The page of compatibility has the results of the tests that it names."""

import json
import sys

import fixtures
import six
import testtools

if six.PY3:
    import pathlib


@testtools.skipIf(sys.version_info < (3, 11),
                  'the fixtures need Python 3.11')
class TestCompatibility(testtools.TestCase):
    """doc/source/operator/compatibility.rst and tools.compatibility"""

    def setUp(self):
        super(TestCompatibility, self).setUp()
        from tools import compatibility
        self.tool = compatibility

    def test_page_has_the_results(self):
        found = self.tool.read(self.tool.RECORD)
        page = self.tool.PAGE.read_text()
        self.assertEqual(
            page, self.tool.render(page, found.values()),
            'Run "python -m tools.compatibility" and commit the result.')

    def test_each_release_has_results(self):
        self.assertEqual([], self.tool.missing(
            self.tool.read(self.tool.RECORD)))

    def test_each_release_has_passed(self):
        self.assertEqual([], [
            line for line in self.tool.read(self.tool.RECORD).values()
            if line['result'] != 'passed'])

    def test_newest_result_is_kept(self):
        record = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path) / 'record'
        old = list(self.tool.read(self.tool.RECORD).values())[0]
        record.write_text('\n'.join(json.dumps(dict(old, **changes))
                                    for changes in (
            {'result': 'failed'}, {'nova': '1.0'})))
        found = self.tool.read(self.tool.RECORD, record)
        self.assertEqual('failed', list(found.values())[0]['result'])
        self.assertEqual([], self.tool.missing(found))
        self.assertNotIn('1.0', {line['nova'] for line in found.values()})
        self.assertIn('**failed**', self.tool.render(
            self.tool.PAGE.read_text(), found.values()))
