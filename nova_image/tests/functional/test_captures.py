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

"""The terminals in doc/source/cli/captures.rst are as terminals are."""

import os
import unittest

from nova_image.tests.functional import base
from tools import captures

#: scenes that take about a second each; the others transfer data
_QUICK = ('list', 'list-long', 'show', 'no-credentials')
_ALL = 'NOVA_IMAGE_CAPTURES'


class CapturesTest(base.FunctionalTest):
    """doc/source/cli/captures"""

    def _check(self, *names: str) -> None:
        with captures.studio() as studio:
            for scene in captures.SCENES:
                for columns in scene.widths if scene.name in names else ():
                    path = captures.path_of(scene, columns)
                    self.assertEqual(
                        captures.normalized(path.read_text()),
                        captures.normalized(studio.take(scene, columns)),
                        '%s: run "python -m tools.captures"' % path.name)

    def test_quick_ones(self) -> None:
        self._check(*_QUICK)

    @unittest.skipUnless(os.environ.get(_ALL),
                         'takes a minute; set %s=1' % _ALL)
    def test_others(self) -> None:
        self._check(*({scene.name for scene in captures.SCENES} - {*_QUICK}))

    def test_page_has_all(self) -> None:
        page = (captures.FOLDER.parent / 'captures.rst').read_text()
        names = {captures.path_of(scene, columns).name
                 for scene in captures.SCENES for columns in scene.widths}
        self.assertEqual(names, {path.name for path in
                                 captures.FOLDER.iterdir()})
        self.assertEqual(set(), {name for name in names
                                 if 'captures/%s\n' % name not in page})
