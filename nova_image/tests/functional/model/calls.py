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

"""Makes the calls of a plan."""

import dataclasses
import typing

from nova_image.image import driver as image_driver
from nova_image.tests.functional.model import plans
from nova_image.tests.functional.model import world as worlds

_Options = dict[str, typing.Any]


@dataclasses.dataclass
class Context:
    """The caller."""

    auth_token: str = 'a-token'
    user_id: str = 'a-user'
    project_id: str = worlds.OURS
    roles: tuple[str, ...] = ('member',)
    is_admin: bool = False


def make(driver: image_driver.ImageDriver, call: plans.Call) -> typing.Any:
    """Make a call of a driver; return its result."""
    data: typing.Any = plans.DATA[call.data]
    if data is not None and call.once:
        data = iter([data[:3], data[3:]])
    method = getattr(driver, call.method)
    return method(Context(), *_arguments(call, data), **_options(call, data))


def _arguments(call: plans.Call, data: typing.Any) -> list[typing.Any]:
    """Return the positional arguments of a call, after the context."""
    if call.method in ('create', 'create_via_import'):
        return [_meta(call), call.source or data]
    return [call.image] + {
        'update': [_meta(call), data],
        'add_member': [plans.MEMBER],
        'remove_member': ['somebody'],
        'stage': [data],
        'import_image': [call.source],
        'image_import_copy': [list(call.stores)],
    }.get(call.method, [])


def _options(call: plans.Call, data: typing.Any) -> _Options:
    """Return the keyword arguments of a call."""
    options: _Options = {}
    if call.method == 'update':
        options['purge_props'] = call.purge
    if call.id_is_new:
        options['id_is_new'] = True
    if not call.source:
        return options
    options.update(call.hash_options(), wait=call.wait)
    if call.method != 'image_import_copy':
        options.update(data=data, keep=call.keep, stores=list(call.stores))
    if call.source == 'web-download':
        options['uri'] = plans.URI
    return options


def _meta(call: plans.Call) -> _Options:
    """Return the metadata of an image."""
    meta: _Options = {
        'name': 'asked', 'properties': {'p': 'asked', 'r': 'asked'}}
    if call.method != 'update':
        meta.update(disk_format='raw', container_format='bare')
        if call.image:
            meta['id'] = call.image
    if call.has_location:
        meta['location'] = plans.OUR_URL
    if call.has_member:
        meta['properties']['instance_owner'] = plans.MEMBER
    return meta
