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
"""Tests of all regular expressions: none is slow with hostile text.

Texts of servers and users reach them, some of 64 KiB or more. The first test
finds all of them, so that the second misses none.
"""

import ast
import importlib
import re
import time

import six

from nova_image.tests.unit import test_architecture
from nova_image.tests.unit.virt import dom0

_cpu_time = time.clock if six.PY2 else time.process_time

#: functions of re that compile an expression for one use
_FUNCTIONS = ('compile', 'match', 'search', 'sub', 'subn', 'split',
              'findall', 'finditer', 'fullmatch')
#: modules whose expressions meet only what a user of this host typed
_LOCAL = ('cmd.', 'host.')
#: texts that begin expressions or repeat parts of them
_PIECES = (
    '<', '<h1', '<h1>', '</h1>', '<head><h1>', '>', 'a', 'A', '0', '1', '9.',
    '.', '.a', '..', ' ', '\n', ' \n', '\r\n', '#\n', '# ', '"', "'", ':',
    '://', 'a:', 'a://', 'a://a@', 'http://', 'http://a', '@', '/', '/v',
    '/v1', '/v1.', '/v1.1', '-', 'x-', 'x-auth-token', 'x-auth-token ',
    'x-auth-token:', 'x-auth-token: ', 'x-auth-token=b"', 'password',
    '"password": "', 'Copied ', 'bytes 1-', 'bytes 1-1/', '.0123456789ab',
    '.0123456789ab.part', 'version=', '&', '?', '&a=', 'token=', '=', ',')
_BEGINS = ('', 'a', '.', '<h1', 'http://', 'x-auth-token: ', '/v', 'Copied ',
           'bytes 1-')
_SIZE = 16 * 1024


def _patterns():
    """Return [(name, pattern, methods)] of all modules, and misplaced ones."""
    found, misplaced = [], []
    for name, path in sorted(test_architecture._modules().items()):
        if (name + '.').startswith(_LOCAL) or six.PY2 and (
                test_architecture.is_newer(name)):
            continue
        with open(path, 'rb') as stream:
            tree = ast.parse(stream.read())
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                misplaced += ['%s: %s' % (name, function.name)
                              for node in ast.walk(function) if _uses_re(node)]
        if any(_uses_re(node) for node in ast.walk(tree)):
            module = _load(name)
            found.extend(_of_module(name, module, tree))
    return found, misplaced


def _load(name):
    """Return a module; the plugin for dom0 is a file without a package."""
    if name == 'virt.xenapi.dom0.nova_image_glance':
        return dom0.plugin
    return importlib.import_module('nova_image.' + name)


def _of_module(name, module, tree):
    for attribute, value in sorted(vars(module).items()):
        values = value.items() if isinstance(value, dict) else [('', value)]
        for key, one in values:
            if isinstance(one, type(re.compile(''))):
                yield ('%s.%s%s' % (name, attribute, key), one,
                       _methods(tree, attribute) or {'sub'})


def _methods(tree, name):
    """Return the methods that a module calls of one of its names."""
    return {node.attr for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in _FUNCTIONS and
            isinstance(node.value, ast.Name) and node.value.id == name}


def _uses_re(node):
    return (isinstance(node, ast.Call) and
            isinstance(node.func, ast.Attribute) and
            isinstance(node.func.value, ast.Name) and
            node.func.value.id == 're' and node.func.attr in _FUNCTIONS)


class TestPatterns(test_architecture.testtools.TestCase):
    """The regular expressions of all modules."""

    def test_expressions_belong_to_modules(self):
        found, misplaced = _patterns()
        self.assertEqual([], misplaced)
        self.assertIn('image.faults._SKIPPED',
                      [name for name, _, _ in found])

    def test_expressions_take_linear_time(self):
        """A quadratic one takes half a second for such a text, or more."""
        for name, pattern, methods in _patterns()[0]:
            for text in self._texts(pattern):
                for method in methods:
                    began = _cpu_time()
                    if method == 'sub':
                        pattern.sub(lambda match: match.group()[:0], text)
                    else:
                        getattr(pattern, method)(text)
                    self.assertLess(_cpu_time() - began, 0.25,
                                    (name, text[:30]))

    def _texts(self, pattern):
        for begin in _BEGINS:
            for piece in _PIECES:
                text = begin + piece * (_SIZE // len(piece))
                yield (text.encode('ascii')
                       if isinstance(pattern.pattern, bytes) else
                       u'%s' % text)
