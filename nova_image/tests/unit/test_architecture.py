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

"""The architecture as a test: who may import whom, and where it is written.

The rooms and the arrows are those of doc/source/contributor/architecture.rst.
"""

import ast
import os

import six
import testtools

_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__),
                                     *[os.pardir] * 3))
_PAGE = os.path.join(_ROOT, 'doc', 'source', 'contributor', 'architecture.rst')

#: room -> the modules and folders in it; the longest prefix wins
ROOMS = {
    'base': ('compat', 'exception', 'redaction', 'version', 'conf'),
    'metrics': ('metrics',),
    'ground': ('image',),
    'transfer': ('image.transfer',),
    'download': ('image.download',),
    'contract': ('image.driver', 'image.api'),
    'v2': ('image.v2',),
    'driver of v1': ('image.glance',),
    'driver of v2': ('image.glance_v2',),
    'virt': ('virt',),
    'xenapi': ('virt.xenapi',),
    'host': ('host',),
    'replication': ('replication',),
    'replication of v1': ('replication.v1',),
    'replication of v2': ('replication.v2',),
    'status': ('status',),
    'status of v1': ('status.v1',),
    'status of v2': ('status.v2',),
    'cmd': ('cmd',),
    'rehearsal': ('cmd.status_rehearse',),
    'osc': ('osc',),
}
#: room -> the rooms that it may import, besides itself
ARROWS = {
    'base': (),
    'metrics': ('base',),
    'ground': ('base', 'metrics'),
    'transfer': ('base', 'metrics', 'ground'),
    'download': ('base', 'ground', 'transfer'),
    'contract': ('base', 'metrics', 'ground', 'transfer'),
    'v2': ('base', 'metrics', 'ground', 'transfer'),
    'driver of v1': ('base', 'ground', 'transfer', 'contract'),
    'driver of v2': ('base', 'ground', 'transfer', 'contract', 'download',
                     'v2'),
    'virt': ('base', 'ground', 'contract'),
    'host': ('base', 'metrics', 'ground', 'contract'),
    'xenapi': ('base', 'metrics', 'ground', 'contract', 'host'),
    'replication': ('base', 'ground', 'transfer', 'contract'),
    'replication of v1': ('base', 'ground', 'transfer', 'contract',
                          'driver of v1', 'replication'),
    'replication of v2': ('base', 'ground', 'transfer', 'contract', 'v2',
                          'driver of v2', 'replication'),
    'status': ('base', 'ground'),
    'status of v1': ('base', 'ground', 'contract', 'driver of v1', 'status'),
    'status of v2': ('base', 'ground', 'contract', 'v2', 'driver of v2',
                     'status'),
    'cmd': ('base', 'ground', 'contract', 'replication', 'status'),
    'rehearsal': ('base', 'cmd', 'status of v1'),
    'osc': ('base', 'ground', 'contract', 'cmd'),
}
#: rooms that need Python 3.9
_NEWER = ('cmd', 'osc', 'replication', 'replication of v1',
          'replication of v2', 'status', 'status of v1', 'status of v2',
          'rehearsal')


def _modules():
    """Return {dotted name below nova_image: path}, without the tests."""
    found, top = {}, os.path.join(_ROOT, 'nova_image')
    for folder, _, names in os.walk(top):
        below = os.path.relpath(folder, top).replace(os.sep, '.').strip('.')
        for name in names:
            if name.endswith('.py') and below.partition('.')[0] != 'tests':
                stem = '' if name == '__init__.py' else name[:-len('.py')]
                dotted = '.'.join(part for part in (below, stem) if part)
                found[dotted] = os.path.join(folder, name)
    del found['']  # the package itself
    return found


def _imported(path, modules):
    """Return the modules of nova_image that a file imports."""
    with open(path, 'rb') as stream:
        tree = ast.parse(stream.read())
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named.update('%s.%s' % (node.module, one.name)
                         for one in node.names)
            named.add(node.module)
        elif isinstance(node, ast.Import):
            named.update(one.name for one in node.names)
    found = {name.partition('nova_image.')[2] for name in named
             if name and name.startswith('nova_image.')}
    return found & set(modules)


def _pictured():
    """Yield the paths of the modules that the page's tree names."""
    with open(_PAGE) as stream:
        lines = stream.read().partition('\n    nova_image/\n')[2].splitlines()
    folders = ['nova_image']
    for line in lines:
        if not line.startswith('      '):
            return
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip()) - 4) // 2
        if name.endswith('/'):
            folders[depth:] = [name.rstrip('/')]
        elif name.endswith('.py'):
            yield os.path.join(*(folders[:depth] + [name]))


def _room(module):
    """Return the room that a module is in."""
    fits = [(len(prefix), room) for room, prefixes in ROOMS.items()
            for prefix in prefixes
            if (module + '.').startswith(prefix + '.')]
    return max(fits)[1]


def is_newer(module):
    """Return whether a module needs Python 3.9."""
    return _room(module) in _NEWER


class TestArchitecture(testtools.TestCase):
    """The tree against the picture of it."""

    def test_arrows(self):
        modules = _modules()
        if six.PY2:  # whose parser does not know annotations
            modules = {name: modules[name] for name in modules
                       if not is_newer(name)}
        wrong = ['%s imports %s' % (module, other)
                 for module, path in modules.items()
                 for other in _imported(path, modules)
                 if _room(other) not in ARROWS[_room(module)] + (
                     _room(module),)]
        self.assertEqual([], sorted(wrong))

    def test_picture(self):
        files = {os.path.relpath(path, _ROOT)
                 for path in _modules().values()
                 if not path.endswith('__init__.py')}
        self.assertEqual(sorted(files), sorted(_pictured()))
