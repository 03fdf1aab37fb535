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

"""The cloud of nova-image-status, from nova.conf or from the shell.

open_cloud() is the one place that reads credentials and makes sessions.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import typing

from nova_image.cmd import errors

if typing.TYPE_CHECKING:
    from keystoneauth1 import session as ks_session
    from oslo_config import cfg

    from nova_image.cmd import session
    from nova_image.image import client as clients
    from nova_image.image import driver as image_driver
    from nova_image.image import identity as identities

#: sections of nova.conf with credentials, of which the first is used
_SECTIONS = ('glance', 'service_user', 'keystone_authtoken')
#: OS_* variables and options that do not select a cloud
_NOT_A_CLOUD = frozenset((
    'os_image_api_version', 'os_interface', 'os_region_name', 'os_cacert',
    'os_cert', 'os_key', 'os_client_config_file'))


@dataclasses.dataclass(frozen=True)
class Cloud:
    """A cloud, and who asks it.

    :ivar conf: the configuration, with [glance]
    :ivar identity: sessions and auth plugins
    :ivar caller: the context of the calls
    :ivar keystone: the session for other services; None without Keystone
    :ivar files: the files of Nova that were read, none from the shell
    :ivar origin: what selects the cloud, for people
    """

    conf: 'cfg.ConfigOpts'
    identity: 'identities.Identity'
    caller: 'session.Caller'
    keystone: 'ks_session.Session | None'
    files: tuple[str, ...] = ()
    origin: str = ''

    def client(self) -> 'clients.Client':
        """Return a client for calls to Glance, whatever the API."""
        from nova_image.image import client as clients
        return clients.Client(self.conf, identity=self.identity)

    def drivers(self) -> 'dict[str, image_driver.ImageDriver]':
        """Return all drivers that are installed, by their names."""
        from stevedore import extension

        from nova_image.image import driver as image_driver
        found: typing.Any = extension.ExtensionManager(image_driver.NAMESPACE)
        return {one.name: one.plugin(self.client()) for one in found}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select a cloud by nova.conf."""
    group = parser.add_argument_group('a host of Nova')
    group.add_argument(
        '--config-file', metavar='<file>', action='append', default=[],
        help='Configuration file of Nova, such as /etc/nova/nova.conf; '
             'several are read in order. Credentials of the shell replace '
             'those in the file.')
    group.add_argument(
        '--config-dir', metavar='<directory>', action='append', default=[],
        help='Directory with further configuration files of Nova.')


def say(line: str) -> None:
    """Write a message for people to standard error."""
    from nova_image.cmd import safe_text
    sys.stderr.write('nova-image-status: %s\n' % safe_text.shown(line))


def shows_progress(arguments: argparse.Namespace) -> bool:
    """Return whether to show progress."""
    return bool(arguments.verbose_level) and sys.stderr.isatty()


def one_row(text: str, stream: typing.TextIO) -> str:
    """Return the beginning of a text that fits one row of a terminal.

    Only one row can be written again. The last column remains empty, because
    some terminals would begin a new row.
    """
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return text[:(columns or 80) - 1]


def open_cloud(arguments: argparse.Namespace) -> Cloud:
    """Return the selected cloud.

    :param arguments: the options of nova_image.cmd.options and those of
        add_options()
    :raises errors.Usage: if they do not select a cloud
    """
    files, folders = arguments.config_file, arguments.config_dir
    in_shell = _is_in_shell(arguments)
    if not (files or folders or in_shell):
        from oslo_config import cfg
        files = cfg.find_config_files('nova', 'nova')
    if files or folders:
        return _from_nova(arguments, files, folders, in_shell)
    from nova_image.cmd import session
    region = session.open_region(arguments)
    return Cloud(region.conf, region.user, region.caller, region.keystone,
                 origin='the credentials of the shell')


def _is_in_shell(arguments: argparse.Namespace) -> bool:
    """Return whether options or variables select a cloud."""
    given = {name for name, value in vars(arguments).items()
             if name.startswith('os_') and value}
    given.update(name.lower() for name, value in os.environ.items()
                 if name.startswith('OS_') and value)
    return bool(given - _NOT_A_CLOUD)


def _from_nova(arguments: argparse.Namespace, files: list[str],
               folders: list[str], in_shell: bool) -> Cloud:
    """Return the cloud that files of Nova describe.

    :param in_shell: whether the shell has credentials, which are used then
    """
    from nova_image.cmd import session
    from nova_image.image import identity as identities

    conf = _read(files, folders)
    origin = ', '.join(conf.config_file or folders)
    if in_shell:
        region = session.open_region(arguments)
        return Cloud(conf, region.user, region.caller, region.keystone,
                     tuple(conf.config_file), origin + ' with the '
                     'credentials of the shell')
    section = _section_with_credentials(conf)
    if section not in (None, 'glance'):
        conf.set_override('auth_section', section, 'glance')
    user = identities.Identity(conf)
    plugin = user.configured_auth()
    keystone = None
    if plugin is not None:
        keystone = user.session(None)
        keystone.auth = plugin
    return Cloud(conf, user, session.Caller(), keystone,
                 tuple(conf.config_file), origin)


def _read(files: list[str], folders: list[str]) -> 'cfg.ConfigOpts':
    """Return the configuration in files of Nova."""
    from oslo_config import cfg

    from nova_image import conf as nova_image_conf

    for folder in folders:
        if not os.path.isdir(folder):  # oslo.config ignores it
            raise errors.Usage('Configuration of Nova: %s is not a '
                               'directory' % folder)
    conf = cfg.ConfigOpts()
    try:
        conf([], project='nova', default_config_files=files,
             default_config_dirs=folders)
        nova_image_conf.register_opts(conf)
        for name in conf.glance:
            conf.glance[name]  # noqa: B018  raises if its value is invalid
    except (cfg.Error, ValueError, OSError) as error:
        raise errors.Usage('Configuration of Nova: %s' % error) from error
    return conf


def _section_with_credentials(conf: 'cfg.ConfigOpts') -> str | None:
    """Return the section of nova.conf whose credentials can be used."""
    from keystoneauth1 import loading
    for section in _SECTIONS:
        conf.register_opts(loading.get_auth_common_conf_options(), section)
        if conf[section].auth_type or conf[section].auth_section:
            return section
    return None
