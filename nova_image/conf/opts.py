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

"""The entry point ``nova_image`` of oslo.config's tools.

oslo-config-generator writes a help text line by line, each behind a "# ", and
appends the type of the option. Lines of more than 68 columns are broken in
two.
"""

import copy
import textwrap

from oslo_config import cfg

from nova_image.conf import glance
from nova_image.conf import source

_COLUMNS = 68
#: what the generator appends
_TYPES = ((cfg.BoolOpt, 'boolean'), (cfg.PortOpt, 'port'),
          (cfg.IPOpt, 'IP address'), (cfg.IntOpt, 'integer'),
          (cfg.FloatOpt, 'floating point'), (cfg.ListOpt, 'list'))


def list_opts():
    """Return the options as ``[(section, [options])]``."""
    sections = source.list_opts() + [(glance.GROUP, glance.all_opts())]
    return [(section, [_listed(opt) for opt in options])
            for section, options in sections]


def _listed(opt):
    """Return a copy of an option whose help fits into a sample."""
    listed = copy.copy(opt)
    lines = opt.help.strip().splitlines()
    if len(lines) == 1:
        lines = textwrap.wrap(lines[0], _COLUMNS)
    kind = next((name for option_class, name in _TYPES
                 if isinstance(opt, option_class)), 'string')
    listed.help = '\n'.join(
        lines[:-1] + _with_room(lines[-1], len(' (%s value)' % kind)))
    return listed


def _with_room(line, room):
    """Return a line, or two if there is no room behind its last word."""
    if len(line) + room <= _COLUMNS:
        return [line]
    text = line.lstrip('* ')
    indent = ' ' * (len(line) - len(text))
    head, _, tail = text.rpartition(' ')
    return [line[:len(indent)] + head, indent + tail]
