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

"""The man page in the repository is up to date."""

from nova_image.tests.unit.cmd import case


class TestManPage(case.TestCase):
    """doc/man/nova-image.1"""

    def test_has_the_words_of_its_sources(self):
        from tools import man_page
        self.assertEqual(
            man_page.words(man_page.build()),
            man_page.words(man_page.PAGE.read_text()),
            'Run "python -m tools.man_page" and commit the result.')
