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

"""Refuses clouds.yaml, and the files beside it, if a value has a wrong type.

openstacksdk checks little, and its own errors name neither file nor option.
"""

from __future__ import annotations

import collections.abc
import typing

from nova_image.cmd import errors

_Place = tuple[str, ...]

#: sections of a file -> whether an empty one is a mistake
_SECTIONS = {'clouds': True, 'public-clouds': True, 'cache': False,
             'client': False, 'metrics': False, 'statsd': False}
#: options of a cloud that are text
_TEXTS = ('auth_type', 'auth_plugin', 'cloud', 'cacert', 'cert', 'key')
#: options of a cloud, and ends of their names, that are one value
_ENDS = ('_api_version', '_endpoint_override', '_service_type',
         '_service_name', 'region_name', 'api_timeout', 'verify', 'insecure')
_KINDS = {str: 'text', bool: 'true or false', int: 'a number',
          float: 'a number', list: 'a list', dict: 'a mapping',
          type(None): 'empty'}


def check_sections(path: str | None, content: typing.Any) -> None:
    """Check the types of the sections of a configuration.

    :param path: the file that has it
    :param content: its content as it has been parsed
    :raises errors.Usage: if openstacksdk could not use it
    """
    _refuse(path, _sections(content))


def check_cloud(path: str | None, content: typing.Any, cloud: str) -> None:
    """Check the types of the options of one cloud. See check_sections()."""
    if isinstance(content, dict) and cloud in (content.get('clouds') or ()):
        _refuse(path, _cloud(('clouds', cloud), content['clouds'][cloud]))


def _refuse(path: str | None,
            problems: collections.abc.Iterable[tuple[_Place, str]]) -> None:
    for place, problem in problems:
        raise errors.Usage('%s is invalid: %s %s. Correct the file' % (
            path, '.'.join(place), problem))


def _sections(content: typing.Any
              ) -> collections.abc.Iterator[tuple[_Place, str]]:
    """Yield the place of each mistake, and the mistake."""
    if not isinstance(content, dict):
        return  # openstacksdk refuses it
    for name, needed in _SECTIONS.items():
        value = content.get(name, {})
        if not isinstance(value, dict) and (needed or value is not None):
            yield (name,), 'must be a mapping, but is %s' % _kind(value)
    for name, options in (content.get('metrics') or {}).items():
        yield from _mapping(('metrics', name), options)


def _mapping(place: _Place, value: typing.Any
             ) -> collections.abc.Iterator[tuple[_Place, str]]:
    """Yield a mistake unless a value is a mapping whose names are text."""
    if not isinstance(value, dict):
        yield place, 'must be a mapping, but is %s' % _kind(value)
        return
    for name in value:
        if not isinstance(name, str):
            yield place, 'must have names that are text, but one is %s' % (
                _kind(name))


def _cloud(place: _Place, options: typing.Any
           ) -> collections.abc.Iterator[tuple[_Place, str]]:
    """Yield the mistakes in the options of a cloud."""
    yield from _mapping(place, options)
    for name, value in options.items():
        here = (*place, name)
        if name == 'auth':
            yield from _mapping(here, value)
            yield from _credentials(here, value)
        elif name in ('regions', 'networks'):
            yield from _items(here, name, value)
        elif name in _TEXTS and not isinstance(value, (str, type(None))):
            yield here, 'must be text, but is %s' % _kind(value)
        elif name == 'profile' and not isinstance(
                value, (str, dict, type(None))):
            yield here, 'must be text, but is %s' % _kind(value)
        elif name.endswith(_ENDS) and isinstance(value, (list, dict)):
            yield here, 'must be one value, but is %s' % _kind(value)
        elif name.endswith('interface') and isinstance(value, dict):
            yield here, 'must be text or a list, but is %s' % _kind(value)


def _credentials(place: _Place, options: dict[str, typing.Any]
                 ) -> collections.abc.Iterator[tuple[_Place, str]]:
    """Yield the mistakes in the section auth of a cloud."""
    for name, value in options.items():
        here = (*place, name)
        if name.endswith(('url', 'endpoint')):
            if not isinstance(value, (str, type(None))):
                yield here, 'must be text, but is %s' % _kind(value)
        elif isinstance(value, dict) or (
                isinstance(value, list) and name != 'auth_methods'):
            yield here, 'must be one value, but is %s' % _kind(value)


def _items(place: _Place, name: str, value: typing.Any
           ) -> collections.abc.Iterator[tuple[_Place, str]]:
    """Yield the mistakes in the regions or networks of a cloud."""
    kinds = (str, dict) if name == 'regions' else (dict,)
    if value is None:
        return
    if not isinstance(value, list):
        yield place, 'must be a list, but is %s' % _kind(value)
        return
    for one in value:
        if not isinstance(one, kinds):
            yield place, 'has an item that is %s' % _kind(one)


def _kind(value: typing.Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)
