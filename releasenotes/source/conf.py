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

"""How Sphinx builds the release notes of nova_image."""

import importlib.util

project = 'nova_image release notes'
copyright = 'OpenStack Foundation'
author = 'OpenStack'

extensions = ['reno.sphinxext']

# The theme of all OpenStack documents; what comes with Sphinx where it is
# not installed.
if importlib.util.find_spec('openstackdocstheme'):
    extensions.append('openstackdocstheme')
    html_theme = 'openstackdocs'
    openstackdocs_auto_name = False
    openstackdocs_auto_version = False
else:
    html_theme = 'alabaster'

# As in the documentation, so that no page is wider than a phone.
html_static_path = ['../../doc/source/_static']
html_css_files = ['narrow.css']

master_doc = 'index'
pygments_style = 'native'
