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

"""Makes the virtualenv for the unit tests on another Python.

Usage: python -m tools.unit_venv [--check] [--lowest] VERSION, such as 3.9

``--lowest`` installs the lowest versions that the requirements allow, and on
Python 2.7 those of constraints/ocata.txt.

Prints the path of its interpreter. Exits with 1 if there is no such Python.
``--check`` only looks for one.
"""

import argparse
import pathlib
import subprocess
import sys

from packaging import requirements

from nova_image.tests.fixtures import virtualenvs

ROOT = pathlib.Path(__file__).parent.parent


def lines(name: str, version: str) -> list[str]:
    """Return the requirements in a file for a Python, without comments.

    :param name: the name of the file, such as requirements.txt
    :param version: of Python, such as 3.9
    """
    found = []
    for line in (ROOT / name).read_text().splitlines():
        text = line.partition('#')[0].strip()
        if text:
            marker = requirements.Requirement(text).marker
            if marker is None or marker.evaluate({
                    'python_version': version,
                    'python_full_version': version + '.0'}):
                found.append(text.partition(';')[0].strip())
    return found


def virtualenv(version: str, python: str, lowest: bool = False
               ) -> virtualenvs.Virtualenv:
    """Return the virtualenv of the unit tests, not set up.

    :param version: of Python, such as 3.9
    :param python: the path of its interpreter
    :param lowest: whether to install the lowest versions
    """
    wanted = [line for name in ('requirements.txt', 'test-requirements.txt')
              for line in lines(name, version)
              if not lowest or line not in _style()]
    limits: list[str] = []
    if version == '2.7':
        limits = lines('constraints/ocata.txt' if lowest else
                       'test-constraints-py27.txt', version)
    elif lowest:
        wanted = [line.replace('>=', '==') for line in wanted]
    return virtualenvs.Virtualenv(
        'unit-lowest' if lowest else 'unit', wanted, python, limits)


def _style() -> set[str]:
    """Return the requirements that no unit test needs."""
    return {*lines('test-requirements.txt', '3.11')} - {
        *lines('test-requirements.txt', '3.10')}


def main() -> int:
    """Make the virtualenv and print the path of its interpreter."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.unit_venv',
        description='Makes the virtualenv for the unit tests on a Python.')
    parser.add_argument('version', help='Such as 2.7 or 3.9.')
    parser.add_argument('--check', action='store_true',
                        help='Only look for such a Python.')
    parser.add_argument('--lowest', action='store_true',
                        help='Install the lowest versions.')
    arguments = parser.parse_args()
    python = virtualenvs.find_python(arguments.version)
    if python is None:
        return 1
    if arguments.check:
        return 0
    with virtualenv(arguments.version, python,
                    arguments.lowest) as venv:
        # The tests find the entry points there if they run in the clone.
        subprocess.run([sys.executable, 'setup.py', '-q', 'egg_info'],
                       cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        print(venv.bin / 'python')
    return 0


if __name__ == '__main__':
    sys.exit(main())
