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

"""The plug-in that openstackclient loads, and the choice of our commands.

openstackclient loads the commands of all plug-ins in the group
``openstack.cli.extension`` after its own, and the last command of a name wins.
Which group of ours it loads depends on the option ``nova_image_transfers``, as
if it were the version of an API: 1 has our commands, and 0 has none. An entry
point in openstackclient's own group could not be switched off, and the order
of installed packages would decide which command wins (seen on openstackclient
6.0.0, 7.1.0, 8.2.0 and 10.5.0, cliff 4.17.0).

Every ``openstack`` command imports this module, so it imports only the
standard library.
"""

import importlib
import os

# The names that openstackclient requires.
API_NAME = 'nova_image'
API_VERSION_OPTION = 'os_nova_image_transfers'
#: loads no commands
DEFAULT_API_VERSION = ''

VARIABLE = API_VERSION_OPTION.upper()
ON, OFF = '1', '0'  # true in clouds.yaml is "True", which no group can have
_WORDS = {'true': ON, 'yes': ON, 'on': ON,
          'false': OFF, 'no': OFF, 'off': OFF}
_COMMANDS = 'nova_image.osc.commands'


class Failed(Exception):
    """Our commands were chosen and cannot be used."""


def build_option_parser(parser):
    """Make the environment variable override clouds.yaml.

    There is no option on the command line: it would change the meaning of
    abbreviated options.
    """
    value = os.environ.get(VARIABLE, '').strip()
    if value:
        parser.set_defaults(**{API_VERSION_OPTION: _WORDS.get(
            value.lower(), value)})
    return parser


def check_api_version(version):
    """Check the value of the option.

    Otherwise, openstackclient would use its own commands without a word.

    :param version: str() of the value
    :returns: True: no other check is necessary
    :raises Failed: if it is neither 1 nor 0, or if our commands cannot be
        imported
    """
    if version not in (ON, OFF):
        raise Failed('%s, or nova_image_transfers in clouds.yaml, is neither '
                     '1 nor 0: %s' % (VARIABLE, version))
    if version == ON:
        try:
            importlib.import_module(_COMMANDS)
        except (ImportError, SyntaxError) as error:
            raise Failed('The transfers of nova_image cannot be used: %s. '
                         "Install them with: pip install 'nova_image[osc]', "
                         'or unset %s' % (error, VARIABLE))
    return True


def make_client(manager):
    """Return the cloud that openstackclient has opened, for our commands.

    :param manager: the ClientManager of openstackclient
    :returns: nova_image.cmd.session.Cloud
    """
    from nova_image.osc import cloud
    return cloud.of(manager)
