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

"""Makes the virtualenv for the unit tests on Python 2.7.

Prints the path of its interpreter. Exits with 1 if there is no python2.7.
``--check`` only looks for a python2.7.
"""

import pathlib
import subprocess
import sys

from nova_image.tests.fixtures import virtualenvs

ROOT = pathlib.Path(__file__).parent.parent


def _lines(name: str) -> list[str]:
    """Return the requirements of a file for Python 2.7, without comments."""
    lines = (line.split('#')[0].strip()
             for line in (ROOT / name).read_text().splitlines())
    return [line for line in lines
            if line and not line.endswith("python_version>='3.11'")]


def main() -> int:
    """Make the virtualenv and print the path of its interpreter."""
    python = virtualenvs.find_python27()
    if python is None:
        return 1
    if '--check' in sys.argv:
        return 0
    with virtualenvs.Virtualenv(
            'unit', _lines('requirements.txt') +
            _lines('test-requirements.txt'), python,
            _lines('test-constraints-py27.txt')) as venv:
        # Python 2.7 finds the entry points there if it runs in the clone.
        subprocess.run([sys.executable, 'setup.py', '-q', 'egg_info'],
                       cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        print(venv.bin / 'python')
    return 0


if __name__ == '__main__':
    sys.exit(main())
