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

"""The version of the package, and the tests in its wheel."""

import ast
import os

import six
import testtools

from nova_image import version
import setup_commands

_ROOT = os.path.dirname(os.path.abspath(setup_commands.__file__))


def _installed_version():
    if six.PY2:
        import pkg_resources
        return pkg_resources.get_distribution('nova_image').version
    from importlib import metadata
    return metadata.version('nova_image')


class TestVersion(testtools.TestCase):
    """nova_image.version"""

    def test_is_the_installed_version(self):
        self.assertEqual(_installed_version(), version.version_string())


@testtools.skipIf(six.PY2, 'the tests in a wheel need Python 3.9')
class TestTestsInWheels(testtools.TestCase):
    """setup_commands"""

    def _tests_in_wheels(self):
        top = os.path.join(_ROOT, 'nova_image', 'tests')
        for folder, _, names in os.walk(top):
            package = os.path.relpath(folder, _ROOT).replace(os.sep, '.')
            for name in names:
                module, kind = os.path.splitext(name)
                if kind == '.py' and setup_commands.has_module(
                        package, module):
                    yield package, module, os.path.join(folder, name)

    def test_have_all_their_imports(self):
        seen, missing = set(), set()
        for package, module, path in self._tests_in_wheels():
            seen.add('%s.%s' % (package, module))
            with open(path) as source:
                tree = ast.parse(source.read())
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    missing.update(
                        (package, module, node.module, one.name)
                        for one in node.names
                        if not self._is_in_wheels(node.module, one.name))
        self.assertEqual(set(), missing)
        self.assertIn('nova_image.tests.functional.conformance', seen)
        self.assertIn('nova_image.tests.fixtures.glance', seen)

    def _is_in_wheels(self, module, name):
        """Return whether wheels have the module of an import.

        The name is of a module or package, or of an object in a module.
        """
        for dotted in ('%s.%s' % (module, name), module):
            path = os.path.join(_ROOT, *dotted.split('.'))
            if os.path.isdir(path):
                return setup_commands.has_module(dotted, '__init__')
            if os.path.exists(path + '.py'):
                package, _, stem = dotted.rpartition('.')
                return setup_commands.has_module(package, stem)
        return True  # of another project

    def test_are_no_others(self):
        for package, module in (
                ('nova_image.tests', 'certificates'),
                ('nova_image.tests.unit', '__init__'),
                ('nova_image.tests.unit.image', 'test_glance'),
                ('nova_image.tests.functional', 'test_v1'),
                ('nova_image.tests.gate', 'base'),
                ('nova_image.tests.legacy', 'cases')):
            self.assertFalse(setup_commands.has_module(package, module),
                             '%s.%s' % (package, module))
        self.assertTrue(setup_commands.has_module('nova_image', 'version'))
        self.assertTrue(
            setup_commands.has_module('nova_image.image', 'glance'))
