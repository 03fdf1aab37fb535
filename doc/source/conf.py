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

"""How Sphinx builds the documentation of nova_image.

The configuration reference is generated from the options themselves, found
by their entry point: install the package (``pip install -e .``) before
building.
"""

import importlib.util

from docutils import nodes

project = 'nova_image'
copyright = 'OpenStack Foundation'
author = 'OpenStack'

extensions = [
    'cliff.sphinxext',
    'sphinx.ext.autodoc',
    'oslo_config.sphinxext',
    'reno.sphinxext',
]

# The theme of all OpenStack documents; what comes with Sphinx where it is
# not installed.
if importlib.util.find_spec('openstackdocstheme'):
    extensions.append('openstackdocstheme')
    html_theme = 'openstackdocs'
    # The name of the distribution has an underscore; the theme would make
    # a repository's name of it.
    openstackdocs_auto_name = False
    openstackdocs_auto_version = False
else:
    html_theme = 'alabaster'

# Readable on a phone, too.
html_static_path = ['_static']
html_css_files = ['narrow.css']

# The same help texts as on the command line.
man_pages = [
    ('cli/nova-image', 'nova-image',
     'images of an OpenStack cloud, as Nova sees them', [author], 1),
    ('cli/nova-image-replicator', 'nova-image-replicator',
     'replicate images with the command line of glance-replicator',
     [author], 1),
    ('cli/nova-image-run', 'nova-image-run',
     'run a service of Nova with nova_image', [author], 1),
    ('cli/nova-image-status', 'nova-image-status',
     'prepare the move from the Images API v1 to v2', [author], 1),
]

master_doc = 'index'
exclude_patterns = []
add_module_names = False
# A reference to a name that no page documents is an error.
nitpicky = True
pygments_style = 'native'
# Not dashes: the hyphens of options in help texts must stay two.
smartquotes_action = 'qe'
# Members stand in the order of the source, which goes from the general to
# the special.
autodoc_member_order = 'bysource'


def _add_dashes(app, doctree):
    """Make dashes of the hyphens between parameters and their meaning."""
    for text in list(doctree.findall(nodes.Text)):
        if text == ' -- ':
            text.parent.replace(text, nodes.Text(u' \u2013 '))


def setup(app):
    """Extend Sphinx."""
    app.connect('doctree-read', _add_dashes)
