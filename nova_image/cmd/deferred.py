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


"""Modules that are imported when they are first used.

Libraries import much that a command never uses: openstacksdk all services of
a cloud, glanceclient asyncio and OpenSSL. That is more than half of the time
of a short command. Python imports the modules listed here in two steps: the
import statement makes an empty module, and the first use of one of its
attributes executes it.
"""

from __future__ import annotations

import collections.abc
import functools
import importlib
import importlib.machinery
import sys
import threading
import types
import typing

#: packages whose own code is skipped: modules below them are used, but it
#: would import everything else below them
_HOLLOW = frozenset(['openstack'])

#: module -> what imports it, and for what
DEFERRED = {
    'OpenSSL': 'glanceclient, for its errors',
    'asyncio': 'wrapt, for coroutines',
    'charset_normalizer': 'requests, for text of an unknown encoding',
    'configparser': 'oslo.log, for configuration files',
    'debtcollector': 'oslo.log, for deprecations',
    'idna': 'requests, for host names that are not ASCII',
    'jmespath': 'openstacksdk, for filters of its own listings',
    'jsonpatch': 'openstacksdk, for updates of its own resources',
    'logging.config': 'oslo.log, for configuration files',
    'logging.handlers': 'cliff and oslo.log, for the log of the system',
    'mimetypes': 'urllib3, for uploads of forms',
    'netaddr': 'keystoneauth, for networks without a proxy',
    'nova_image.image.download': 'the drivers, for downloads',
    'nova_image.image.transfer.fetch': 'the drivers, for downloads',
    'nova_image.image.transfer.recorded': 'the drivers, for downloads',
    'nova_image.image.transfer.source': 'the drivers, for uploads',
    'nova_image.image.undo': 'the drivers, for creates',
    'nova_image.image.v2.import_order': 'the driver, for imports',
    'nova_image.image.v2.schema': 'the drivers, for creates',
    'nova_image.image.waiting': 'the drivers, for imports',
    'oslo_log.formatters': 'oslo.log, for its own configuration',
    'oslo_utils.netutils': 'glanceclient, for URLs of its own',
    'oslo_utils.strutils': 'glanceclient, for its command line',
    'rfc3986': 'oslo.config, for options that are URIs',
    'wcwidth': 'prettytable, for text that is not ASCII',
    'webbrowser': 'keystoneauth, for single sign-on',
    'xmlrpc.client': 'oslo.serialization, for its dates',
    'yaml': 'openstacksdk, for clouds.yaml',
    'zoneinfo': 'oslo.utils, for time zones',
}

#: packages with a module "version"; requests checks the __version__
_WITH_VERSION = frozenset(['charset_normalizer'])

#: functions of wcwidth that equal one of Python for printable ASCII
_OF_ASCII: dict[str, collections.abc.Callable[..., typing.Any]] = {
    'ljust': str.ljust, 'rjust': str.rjust, 'wcswidth': len, 'width': len}

#: attributes that an import sets, or looks for, without using the module
_OF_IMPORTS = frozenset(['__cached__', '__file__', '__loader__',
                         '__package__', '__path__', '__spec__'])


class _Deferred(types.ModuleType):
    """A module that is executed when it is first used."""

    def __getattr__(self, name: str) -> typing.Any:
        """Execute the module, and return one of its attributes."""
        if name in _OF_IMPORTS:
            raise AttributeError(name)
        if name == '__version__' and self.__name__ in _WITH_VERSION:
            return importlib.import_module(
                self.__name__ + '.version').__version__
        if self.__name__ == 'wcwidth' and name in _OF_ASCII:
            return functools.partial(_width, self, name)
        _execute(self)
        return object.__getattribute__(self, name)

    def __dir__(self) -> collections.abc.Iterable[str]:
        """Execute the module, and return its attributes."""
        _execute(self)
        return dir(self)


def _width(module: types.ModuleType, name: str, text: typing.Any,
           *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
    """Call a function of wcwidth, or for ASCII the one of Python."""
    if (isinstance(text, str) and text.isascii() and text.isprintable()
            and not kwargs):
        return _OF_ASCII[name](text, *args)
    _execute(module)
    return module.__dict__[name](text, *args, **kwargs)


class _Hollow(types.ModuleType):
    """A package whose modules can be imported; its code is not executed.

    If an attribute is not one of its modules, it is executed.
    """

    def __getattr__(self, name: str) -> typing.Any:
        """Return a module of the package, or any other attribute."""
        if name in _OF_IMPORTS:
            raise AttributeError(name)
        full = '%s.%s' % (self.__name__, name)
        if importlib.machinery.PathFinder.find_spec(full, self.__path__):
            return importlib.import_module(full)
        _execute(self)
        return object.__getattribute__(self, name)


class _State:
    """Whether a module is being executed, by the thread with the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.runs = False


def _execute(module: types.ModuleType) -> None:
    """Execute a module, unless another thread has or this one does.

    Other threads wait until it is complete, as in an import statement.
    """
    spec = module.__spec__
    assert spec is not None  # nosec B101
    state = spec.loader_state
    with state.lock:
        if state.runs or type(module) is types.ModuleType:
            return
        state.runs = True
        try:
            spec.loader.exec_module(module)  # type: ignore[union-attr]
            module.__class__ = types.ModuleType
        finally:
            state.runs = False


class _Loader:
    """Makes a module, and leaves its execution to a module's first use."""

    def __init__(self, loader: typing.Any,
                 kind: type[types.ModuleType]) -> None:
        self._loader = loader
        self._kind = kind

    def create_module(self, spec: importlib.machinery.ModuleSpec
                      ) -> types.ModuleType:
        """Return an empty module."""
        return self._kind(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Give the module the loader that executes it."""
        spec = module.__spec__
        assert spec is not None  # nosec B101
        spec.loader = module.__loader__ = self._loader
        spec.loader_state = _State()


class _Finder:
    """Finds the modules that are deferred, as Python's own finder does."""

    def find_spec(
            self, fullname: str,
            path: collections.abc.Sequence[str] | None = None,
            target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a specification; None for a module that is not deferred."""
        if fullname in _HOLLOW:
            kind: type[types.ModuleType] = _Hollow
        elif fullname in DEFERRED:
            kind = _Deferred
        else:
            return None
        spec = importlib.machinery.PathFinder.find_spec(
            fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(  # type: ignore[assignment]
                spec.loader, kind)
        return spec


def install() -> None:
    """Defer the imports that follow."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
