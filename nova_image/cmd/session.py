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

"""The connection to the cloud, with the usual OpenStack credentials.

openstacksdk reads clouds.yaml, the OS_* variables and the options. The image
driver is loaded as usual, with a configuration that only this process uses.
"""

from __future__ import annotations

import argparse
import collections.abc
import dataclasses
import gc
import getpass
import os
import re
import sys
import typing
import urllib.parse

from keystoneauth1 import plugin
from keystoneauth1 import session as ks_session
from openstack import config
from openstack.config import cloud_region
from oslo_config import cfg

from nova_image.cmd import clouds_yaml
from nova_image.cmd import codes
from nova_image.cmd import credentials
from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image.cmd import release
from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image import api
from nova_image.image import identity
from nova_image.image import renewal
from nova_image.replication import ends

#: auth plugins without Keystone: requests have no token
_WITHOUT_KEYSTONE = (None, '', 'None', 'none', 'noauth')


@dataclasses.dataclass(frozen=True)
class Caller:
    """The request context of the user who runs the command.

    With Keystone, the token identifies the user. Without Keystone, these are
    the values of the identity headers. They claim an administrator, because
    Glance would not check any other claim either.
    """

    user_id: str | None = None
    project_id: str | None = None
    roles: tuple[str, ...] = ('admin',)
    is_admin: bool = True
    auth_token: str | None = None


@dataclasses.dataclass(frozen=True)
class Cloud:
    """The image API of a cloud, and the context of its user.

    ``keystone`` is the session for requests to Keystone; None without it.
    """

    images: api.API
    caller: Caller
    keystone: ks_session.Session | None = None


@dataclasses.dataclass(frozen=True)
class ReplicaCloud:
    """A Glance as an end of a replication.

    ``keystone`` is the session for requests to Keystone; None without it.
    ``conf`` is the configuration of the driver.
    """

    end: ends.End
    conf: cfg.ConfigOpts
    keystone: ks_session.Session | None = None

    @property
    def url(self) -> str:
        """The URL of the Glance; empty if Keystone does not know it."""
        chosen = self.conf.glance
        if chosen.endpoint_override or self.keystone is None:
            return chosen.endpoint_override or ''
        return self.keystone.get_endpoint(
            service_type=chosen.service_type,
            interface=list(chosen.valid_interfaces),
            region_name=chosen.region_name) or ''


class Region(typing.NamedTuple):
    """The selected cloud, before a driver is loaded.

    ``keystone`` is the session for requests to Keystone; None without it.
    """

    conf: cfg.ConfigOpts
    user: identity.Identity
    caller: Caller
    keystone: ks_session.Session | None


class _Identity(identity.Identity):
    """The session of the selected cloud, for every endpoint."""

    def __init__(self, conf: cfg.ConfigOpts, session: ks_session.Session,
                 auth: plugin.BaseAuthPlugin | None) -> None:
        super().__init__(conf)
        self._session = session
        self._auth = renewal.patient(auth)

    def session(self, endpoint: str | None) -> ks_session.Session:
        """Return the session."""
        return self._session

    def auth(self, context: Caller) -> plugin.BaseAuthPlugin | None:
        """Return the auth plugin; None without Keystone."""
        return self._auth


def open_cloud(arguments: argparse.Namespace) -> Cloud:
    """Return the selected cloud.

    :param arguments: the options of nova_image.cmd.options
    :raises errors.Usage: if the options do not select a cloud
    """
    region = open_region(arguments)
    images = api.API(region.conf, identity=region.user, log_is_ready=False)
    _collect_garbage()
    return Cloud(images, region.caller, region.keystone)


def open_end(arguments: argparse.Namespace, reference: str | None,
             token: str | None = None) -> ReplicaCloud:
    """Return the Glance of a cloud as an end of a replication.

    :param arguments: the options of nova_image.cmd.options
    :param reference: name of a cloud in clouds.yaml, or URL of a Glance,
        which may end with the version of the Images API, such as ``/v1``;
        None for the cloud that the options select
    :param token: token to use at a URL; None without Keystone
    :raises errors.Usage: if this does not select a cloud
    """
    chosen, from_environment = argparse.Namespace(**vars(arguments)), True
    title = 'the selected cloud'
    if reference is not None:
        from_environment = False
        for name in vars(arguments):
            if name.startswith('os_') and name not in _SHARED:
                setattr(chosen, name, None)
        title = reference
        if '://' in reference:
            _choose_url(chosen, reference, token)
        else:
            chosen.os_cloud = reference
    region = open_region(chosen, from_environment)
    end = ends.load(region.conf, region.caller, identity=region.user)
    _collect_garbage()
    end.title = title if reference is not None else (
        region.conf.glance.endpoint_override or title)
    return ReplicaCloud(end, region.conf, region.keystone)


def refuse_same(source: ReplicaCloud,
                targets: collections.abc.Sequence[ReplicaCloud]) -> None:
    """Refuse to replicate from a Glance to itself, or twice to one.

    :raises errors.Usage: if two of them have the same URL
    """
    known = {_place(source.url): '--from'}
    for target in targets:
        place = _place(target.url)
        if place and place in known:
            raise errors.Usage('%s and --to are the same Glance: %s' % (
                known[place], exception.redact(target.url)))
        known[place] = 'another --to'


def is_same_place(one: str, other: str) -> bool:
    """Return whether two URLs are those of the same Glance."""
    return _place(one) == _place(other)


def _place(url: str) -> tuple[str, int | None, str] | None:
    """Return what two URLs of the same Glance have in common, or None."""
    if not url:
        return None
    parts = urllib.parse.urlsplit(url)
    host = (parts.hostname or '').rstrip('.')
    if host in ('127.0.0.1', '::1'):
        host = 'localhost'
    path = re.sub(r'/v[12](\.[0-9]+)?\Z', '', parts.path.rstrip('/'))
    return host, parts.port or _PORTS.get(parts.scheme), path.rstrip('/')


#: options that are not about one cloud
_SHARED = ('os_cacert', 'os_cert', 'os_key')
_VERSIONS = {'/v1': '1', '/v2': '2'}
_PORTS = {'http': 80, 'https': 443}


def _choose_url(chosen: argparse.Namespace, url: str,
                token: str | None) -> None:
    """Make options select a Glance by its URL."""
    url = url.rstrip('/')
    version = _VERSIONS.get(url[-3:])
    chosen.os_endpoint = url[:-3] if version else url
    chosen.os_image_api_version = version
    chosen.os_auth_type = 'admin_token' if token else 'none'
    chosen.os_token = token


def _collect_garbage() -> None:
    """Collect garbage from now on, except what has been imported."""
    gc.freeze()
    gc.enable()


def open_region(arguments: argparse.Namespace,
                from_environment: bool = True) -> Region:
    """Return the cloud that options select.

    :param arguments: the options of nova_image.cmd.options
    :param from_environment: whether the OS_* variables count
    :raises errors.Usage: if they do not select a cloud
    """
    _check_files(arguments)
    try:
        loader = _Loader(
            app_name='nova-image', app_version=release.version(),
            load_envvars=from_environment,
            pw_func=_ask if sys.stdin.isatty() else None)
        region = loader.get_one(argparse=_for_loader(arguments))
    except TypeError as error:  # of the constructor of an auth plugin
        raise errors.Usage('The authentication type does not fit the '
                           'credentials: %s. Unset what does not belong to '
                           'it, or set OS_AUTH_TYPE' % error)
    except (AttributeError, LookupError, ValueError) as error:
        raise errors.Usage(
            'clouds.yaml and the OS_* variables cannot be used: %s: %s. Check '
            'the types of their values' % (type(error).__name__, error))
    _check_timeout(region.config.get('api_timeout'))
    session = region.get_session()
    conf = _conf(arguments, region)
    keystone = loader.claims is None
    if not keystone and not conf.glance.endpoint_override:
        raise errors.Usage('Without Keystone, --os-endpoint must be the URL '
                           'of Glance')
    user = _Identity(conf, session, session.auth if keystone else None)
    claims = loader.claims or {}
    return Region(conf, user, Caller(
        claims.get('user_id'), claims.get('project_id')),
        session if keystone else None)


def _check_timeout(value: typing.Any) -> None:
    """Refuse a timeout of the environment or of clouds.yaml."""
    try:
        if value is not None:
            options.seconds(str(value))
    except argparse.ArgumentTypeError as error:
        raise errors.Usage('api_timeout: %s' % error)


def _check_files(options: argparse.Namespace) -> None:
    """Refuse files of certificates that cannot be read."""
    for option in ('os_cacert', 'os_cert', 'os_key'):
        path = getattr(options, option, None) or os.environ.get(option.upper())
        if not path:
            continue
        try:
            if os.path.isdir(os.path.expanduser(path)):
                os.listdir(os.path.expanduser(path))
            else:
                open(os.path.expanduser(path), 'rb').close()
        except OSError as error:
            raise errors.Failed('%s, the file of --%s: %s' % (
                path, option.replace('_', '-'), error.strerror),
                codes.LOCAL_FILE)


class _Loader(config.OpenStackConfig):
    """Remove the credentials that an auth plugin without Keystone rejects.

    :ivar claims: the removed credentials, which the caller claims without
        proof; None with Keystone
    :ivar files: the content of each file that has been read
    """

    claims: dict[str, typing.Any] | None = None
    files: dict[str | None, typing.Any] = {}

    def _load_yaml_json_file(self, filelist: list[str]) -> typing.Any:
        """Return the first file that can be read, and its content."""
        path, content = super()._load_yaml_json_file(filelist)
        clouds_yaml.check_sections(path, content)
        self.files = {**self.files, path: content}
        return path, content

    def _get_base_cloud_config(self, name: typing.Any, *args: typing.Any
                               ) -> typing.Any:
        """Return the options of a cloud."""
        for path, content in self.files.items():
            clouds_yaml.check_cloud(path, content, name)
        return super()._get_base_cloud_config(name, *args)

    def auth_config_hook(self, config: dict[str, typing.Any]
                         ) -> dict[str, typing.Any]:
        """Adapt the credentials before the plugin is loaded."""
        config = super().auth_config_hook(config)
        if config.get('auth_type') not in _WITHOUT_KEYSTONE:
            config = credentials.settle(config, self._pw_callback is not None)
        else:
            self.claims = config.get('auth') or {}
            config['auth'] = {name: value
                              for name, value in self.claims.items()
                              if name == 'endpoint'}
        return config


def _for_loader(arguments: argparse.Namespace) -> argparse.Namespace:
    """Return only the options that select the cloud."""
    chosen = {name: value for name, value in vars(arguments).items()
              if name.startswith('os_') or name == 'api_timeout'}
    for name in ('cacert', 'cert', 'key'):
        chosen[name] = chosen.pop('os_' + name)
    if arguments.insecure:
        chosen['verify'] = False
    return argparse.Namespace(**chosen)


def _ask(prompt: str | None = None) -> str:
    return getpass.getpass('%s: ' % (prompt or 'Password').rstrip(': '),
                           sys.stderr)


def _conf(arguments: argparse.Namespace,
          region: cloud_region.CloudRegion) -> cfg.ConfigOpts:
    """Return the configuration of the image driver."""
    conf = cfg.ConfigOpts()
    conf([], project='nova_image', default_config_files=[],
         default_config_dirs=[])
    nova_image_conf.register_opts(conf)
    settings: dict[str, typing.Any] = {
        'use_glance_v1': _api_version(region) == 1,
        'endpoint_override': arguments.os_endpoint or region.get_endpoint(
            'image'),
        'region_name': region.get_region_name('image') or None,
        'service_type': region.get_service_type('image') or 'image',
        'valid_interfaces': _list(region.get_interface('image')),
        'keep_partial_downloads': True,
        'debug': arguments.debug,
    }
    for name, value in settings.items():
        conf.set_override(name, value, 'glance')
    return conf


def _list(value: str | list[str] | None) -> list[str]:
    if not value:
        return ['public']
    return [value] if isinstance(value, str) else value


def _api_version(region: cloud_region.CloudRegion) -> int:
    """Return the major version of the Images API, 1 or 2."""
    wanted = str(region.config.get('image_api_version') or '2')
    major = wanted.removeprefix('v').partition('.')[0]
    if major not in ('1', '2'):
        raise errors.Usage(
            'Unknown Images API version %s. Set --os-image-api-version or '
            'OS_IMAGE_API_VERSION to 1 or 2' % wanted)
    return int(major)
