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

"""Gathers all facts but the images, each on its own.

A fact that cannot be gathered is a problem of the checks that need it.
"""

from __future__ import annotations

import collections.abc
from importlib import metadata
import pathlib
import typing

from nova_image import exception
from nova_image.image import messages
from nova_image.image import reasons
from nova_image.status import facts
from nova_image.status import halves

if typing.TYPE_CHECKING:
    from keystoneauth1 import session as ks_session

    from nova_image.image import client as clients

#: options of [glance] that Nova reads itself, or did
_OF_NOVA = frozenset((
    'use_glance_v1', 'allowed_direct_url_schemes', 'host', 'port', 'protocol',
    'api_insecure', 'rbd_connect_timeout', 'num_retries', 'endpoint_override',
    'xenapi_torrent_base_url'))
_GROUPS = ('nova_image.image.drivers', 'nova_image.image.download',
           halves.NAMESPACE)


class Gatherer:
    """Gathers facts.

    :param client: for calls to Glance
    :param context: the context of the calls
    :param keystone: the session for other services; None without Keystone
    :param files: the files of Nova
    """

    def __init__(self, client: 'clients.Client', context: typing.Any,
                 keystone: 'ks_session.Session | None',
                 files: collections.abc.Sequence[str] = ()) -> None:
        """Begin with nothing."""
        self._client = client
        self._context = context
        self._keystone = keystone
        self._files = files
        self.gathered = facts.Gathered()

    def gather(self, names: collections.abc.Iterable[str]) -> None:
        """Gather facts.

        :param names: of attributes of facts.Gathered
        """
        for name in names:
            method = getattr(self, '_gather_' + name, None)
            if method is None:
                continue
            self.attempt(name, method)

    def attempt(self, name: str,
                gather: collections.abc.Callable[[], None]) -> None:
        """Gather one fact; an error is a problem of this fact only."""
        try:
            gather()
        except Exception as error:
            self.gathered.problems[name] = exception.redact(
                _kind(error) + reasons.brief(error))

    def _gather_servers(self) -> None:
        for url in self._client.endpoints.known(self._context):
            self.gathered.servers.append(self._server(url))

    def _server(self, url: str) -> facts.Server:
        """Return one API server. GET / has the status 300."""
        request = messages.Request('GET', '/versions', 'list the versions')
        try:
            found = self._client.pinned_to(url).call(
                self._context, request,
                lambda answer: answer.read(_versions), once=True)
        except exception.NovaImageException as error:
            return facts.Server(url, problem=reasons.brief(error))
        return facts.Server(url, found)

    def _gather_endpoints(self) -> None:
        options = self._client.conf.glance
        found = [facts.Endpoint(url.strip(), '[glance] api_servers')
                 for url in options.api_servers or ()]
        if options.endpoint_override:
            found.append(facts.Endpoint(
                options.endpoint_override, 'endpoint_override'))
        if self._keystone is not None:
            found += self._in_catalog(options.service_type or 'image')
        self.gathered.endpoints = found

    def _in_catalog(self, kind: str) -> list[facts.Endpoint]:
        assert self._keystone is not None  # nosec B101
        auth: typing.Any = self._keystone.auth
        access = auth.get_access(self._keystone) if hasattr(
            auth, 'get_access') else None
        if access is None or not access.has_service_catalog():
            return []
        return [facts.Endpoint(one.url, 'catalog, %s' % one.interface)
                for one in access.service_catalog.get_endpoints_data(
                    service_type=kind).get(kind, ())]

    def _gather_roles(self) -> None:
        if self._keystone is None:
            return
        auth: typing.Any = self._keystone.auth
        if hasattr(auth, 'get_access'):
            access = auth.get_access(self._keystone)
            self.gathered.roles = frozenset(access.role_names or ())

    def _gather_hypervisors(self) -> None:
        if self._keystone is None:
            return
        from keystoneauth1 import exceptions
        try:
            answer = self._keystone.get(
                '/os-hypervisors/detail', log=False,
                endpoint_filter={'service_type': 'compute'})
        except exceptions.CatalogException:
            return  # a cloud without Nova
        self.gathered.hypervisors = [
            str(one.get('hypervisor_type') or '')
            for one in answer.json()['hypervisors']]

    def _gather_nova(self) -> None:
        if not self._files:
            return
        self.gathered.nova = merged([read(path) for path in self._files])
        known = set(self._client.conf.glance) | _OF_NOVA | _of_keystoneauth()
        self.gathered.unknown = sorted(
            set(self.gathered.nova.values.get('glance', ())) - known)
        self.gathered.glanceclient = _numbers(
            metadata.version('python-glanceclient'))

    def _gather_package(self) -> None:
        for group in _GROUPS:
            points = metadata.entry_points(group=group)
            self.gathered.package += [
                facts.Tried('%s %s' % (group, point.name), _fault(point))
                for point in points]
            if not points:
                self.gathered.package.append(facts.Tried(
                    group, 'has no entry points'))

    def gather_others(self, paths: collections.abc.Iterable[str]) -> None:
        """Read the files of other services.

        :param paths: files, or directories with files that end with .conf
        """
        def gather() -> None:
            self.gathered.others = {
                str(path): read(path) for path in _expanded(paths)}

        self.attempt('others', gather)


def _kind(error: Exception) -> str:
    """Return what an error does not say itself."""
    if isinstance(error, (exception.NovaImageException, OSError)):
        return ''
    if type(error).__module__.startswith('keystoneauth1.'):
        return 'Keystone or a service in its catalog: '
    return type(error).__name__ + ': '


def _versions(found: dict[str, typing.Any]) -> dict[str, str]:
    """Return the versions in an answer: {ID: status}."""
    return {str(one['id']): str(one.get('status'))
            for one in found.get('versions') or ()
            if isinstance(one, dict) and 'id' in one}


def _fault(point: metadata.EntryPoint) -> str | None:
    """Return why an entry point cannot be loaded, or None."""
    try:
        point.load()
    except Exception as error:
        return 'cannot be loaded: %s: %s' % (type(error).__name__, error)
    return None


def _of_keystoneauth() -> set[str]:
    """Return the options of all auth plugins that are installed."""
    from keystoneauth1.loading import base
    from stevedore import extension

    # Without a callback, a plugin that lacks its libraries logs an error.
    plugins: typing.Any = extension.ExtensionManager(
        base.PLUGIN_NAMESPACE, on_load_failure_callback=lambda *failure: None)
    return {one.name.replace('-', '_') for plugin in plugins
            for opt in plugin.plugin().get_options()
            for one in (opt, *opt.deprecated)}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split('.')[:3]
                 if part.isdecimal())


def _expanded(paths: collections.abc.Iterable[str]
              ) -> collections.abc.Iterator[pathlib.Path]:
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            yield from sorted(path.rglob('*.conf'))
        else:
            yield path


def read(path: 'str | pathlib.Path') -> facts.Settings:
    """Return a configuration file as it is written.

    :raises OSError: if it cannot be read
    :raises ValueError: if it is not a configuration file
    """
    from oslo_config import cfg
    values: dict[str, dict[str, list[str]]] = {}
    try:
        cfg.ConfigParser(str(path), values).parse()
    except (cfg.Error, cfg.ParseError, UnicodeDecodeError) as error:
        raise ValueError('%s: %s' % (path, error)) from error
    return facts.Settings({
        section: {name.replace('-', '_'): found[-1]
                  for name, found in options.items()}
        for section, options in values.items()})


def merged(files: collections.abc.Iterable[facts.Settings]
           ) -> facts.Settings:
    """Return several files as one; the last value of an option counts."""
    values: dict[str, dict[str, str]] = {}
    for one in files:
        for section, options in one.values.items():
            values.setdefault(section, {}).update(options)
    return facts.Settings(values)
