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

"""The plugin for dom0, loaded: it is not a module of the package."""

import os

import mock
import six

_PATH = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3 + [
        'virt', 'xenapi', 'dom0', 'nova_image_glance.py'])


def load():
    """Return the plugin, which is not a module of the package."""
    if six.PY2:
        import imp
        return imp.load_source('nova_image_glance', _PATH)
    from importlib import util
    spec = util.spec_from_file_location('nova_image_glance', _PATH)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


with mock.patch('sys.dont_write_bytecode', True):
    plugin = load()
