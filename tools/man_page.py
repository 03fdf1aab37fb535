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

"""Writes doc/man/nova-image.1, the man page that packages install.

Run it after a change of the command line or of doc/source/cli/nova-image.rst::

    .venv/bin/python -m tools.man_page

A wheel is built without Sphinx, so the page is in the repository. A test
compares it with its sources.
"""

import pathlib
import re
import tempfile

from sphinx import application

ROOT = pathlib.Path(__file__).parent.parent
SOURCE = ROOT / 'doc' / 'source' / 'cli'
PAGE = ROOT / 'doc' / 'man' / 'nova-image.1'


def build() -> str:
    """Return the page as it is built from its sources, without a date."""
    # The settings of doc/source/conf.py, for this page only.
    settings = {
        'project': 'nova_image', 'author': 'OpenStack',
        'extensions': ['cliff.sphinxext'],
        'root_doc': 'nova-image', 'exclude_patterns': ['index.rst'],
        'man_pages': [('nova-image', 'nova-image', _title(), 'OpenStack', 1)]}
    with tempfile.TemporaryDirectory() as folder:
        sphinx = application.Sphinx(
            SOURCE, None, folder, folder, 'man', settings, status=None,
            warningiserror=True)
        sphinx.build()
        page = pathlib.Path(folder, PAGE.name).read_text()
    return re.sub(r'^(\.TH "[^"]*" "1") "[^"]*"', r'\1 ""', page,
                  flags=re.MULTILINE)


def _title() -> str:
    """Return the description of the page in doc/source/conf.py."""
    settings: dict[str, list[list[str]]] = {}
    exec((SOURCE.parent / 'conf.py').read_text(), settings)
    return settings['man_pages'][0][2]


def words(page: str) -> list[str]:
    """Return the words of a page, which no version of Sphinx changes."""
    lines = (re.sub(r'^[.\'][A-Za-z]+', '', line)
             for line in page.splitlines() if not line.startswith(('.\\"',)))
    text = re.sub(r'\\f.|\\&|\\|"', '', '\n'.join(lines))
    return text.split()


if __name__ == '__main__':
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(build())
