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


"""The page about incompatibilities matches the list."""

import testtools

from nova_image.tests.functional import incompatibilities


class PageTest(testtools.TestCase):
    """doc/source/user/incompatibilities.rst and the list that tests use."""

    def test_page_and_list_agree(self) -> None:
        self.assertEqual(
            incompatibilities.page(), incompatibilities.PAGE.read_text(),
            'The page is outdated. Write it again with: python -m %s'
            % incompatibilities.__name__)

    def test_entries_are_unique(self) -> None:
        entries = incompatibilities.INCOMPATIBILITIES
        for name in ('id', 'title', 'text'):
            values = {getattr(entry, name) for entry in entries}
            self.assertEqual(len(entries), len(values))
