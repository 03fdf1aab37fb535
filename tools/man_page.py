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

"""Writes the man pages in doc/man, which packages install.

Run it after a change of the command line or of their sources in
doc/source/cli::

    .venv/bin/python -m tools.man_page

A wheel is built without Sphinx, so the pages are in the repository. A test
compares them with their sources.
"""

import pathlib
import re
import tempfile

from sphinx import application

ROOT = pathlib.Path(__file__).parent.parent
SOURCE = ROOT / 'doc' / 'source' / 'cli'
FOLDER = ROOT / 'doc' / 'man'


def titles() -> dict[str, str]:
    """Return the pages in doc/source/conf.py: {name: description}."""
    settings: dict[str, list[list[str]]] = {}
    exec((SOURCE.parent / 'conf.py').read_text(), settings)
    return {page[1]: page[2] for page in settings['man_pages']}


def page(name: str) -> pathlib.Path:
    """Return the path of a page, by its name."""
    return FOLDER / (name + '.1')


def build() -> dict[str, str]:
    """Return the pages as they are built from their sources, without dates.

    :returns: {name: text}
    """
    names = titles()
    # The settings of doc/source/conf.py, for these pages only.
    settings = {
        'project': 'nova_image', 'author': 'OpenStack',
        'extensions': ['cliff.sphinxext'], 'root_doc': 'nova-image',
        'include_patterns': [name + '.rst' for name in names],
        'man_pages': [(name, name, title, 'OpenStack', 1)
                      for name, title in names.items()]}
    with tempfile.TemporaryDirectory() as folder:
        sphinx = application.Sphinx(
            SOURCE, None, folder, folder, 'man', settings, status=None,
            warningiserror=True)
        sphinx.build()
        return {name: re.sub(
            r'^(\.TH "[^"]*" "1") "[^"]*"', r'\1 ""',
            pathlib.Path(folder, page(name).name).read_text(),
            flags=re.MULTILINE) for name in names}


def words(text: str) -> list[str]:
    """Return the words of a page, which no version of Sphinx changes."""
    lines = (re.sub(r'^[.\'][A-Za-z]+', '', line)
             for line in text.splitlines() if not line.startswith(('.\\"',)))
    return re.sub(r'\\f.|\\&|\\|"', '', '\n'.join(lines)).split()


if __name__ == '__main__':
    FOLDER.mkdir(exist_ok=True)
    for each, text in build().items():
        page(each).write_text(text)
