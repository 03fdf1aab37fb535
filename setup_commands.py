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

"""The command of setup.py that selects the modules of a wheel.

A wheel has the modules that the author of another driver needs to test it:
the fixtures, and the conformance suite with its imports. It has no other
tests. Source distributions have all of them. Runs on Python 2.7, too.
"""

import fnmatch

from setuptools.command import build_py

#: the packages of tests in a wheel -> patterns of the names of their modules
TESTS = {
    'nova_image.tests': ['__init__'],
    'nova_image.tests.fixtures': ['*'],
    'nova_image.tests.functional': [
        '__init__', 'base', 'conformance*', 'loopback', 'servers'],
}


def has_module(package, module):
    """Return whether a wheel has a module.

    :param package: the dotted name of its package
    :param module: its name in the package
    """
    if not (package + '.').startswith('nova_image.tests.'):
        return True
    return any(fnmatch.fnmatch(module, pattern)
               for pattern in TESTS.get(package, ()))


class BuildPy(build_py.build_py):
    """Copies the modules and data files of a wheel."""

    command_name = 'build_py'

    def find_package_modules(self, package, package_dir):
        """Return the modules of a package that a wheel has.

        :returns: tuples (package, module, file)
        """
        # Not super(): the base class is an old-style one on Python 2.7.
        return [found for found in build_py.build_py.find_package_modules(
            self, package, package_dir) if has_module(*found[:2])]

    def find_data_files(self, package, src_dir):
        """Return the data files of a package that a wheel has."""
        if not has_module(package, '__init__'):
            return []
        return build_py.build_py.find_data_files(self, package, src_dir)
