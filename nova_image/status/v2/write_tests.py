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

"""What the caller may do, tried on an image that is deleted afterwards."""

from __future__ import annotations

import collections.abc
import typing
import uuid

from nova_image import exception
from nova_image.image import messages
from nova_image.image import reasons
from nova_image.image.v2 import records

if typing.TYPE_CHECKING:
    from nova_image.status.v2 import half as halves

#: name of the image
NAME = 'nova-image-status write test'
#: a location that no store accepts, so that only permission is tested
_NO_LOCATION = 'nova-image-status://none'


def run(half: 'halves.HalfV2') -> collections.abc.Iterator[
        tuple[str, str | None]]:
    """Yield what was tried, and why it is refused, or None.

    The image has no data, and is public only for a moment. It is deleted
    whatever happens, also on Ctrl-C.
    """
    images = records.Records(half.client)
    image_id = str(uuid.uuid4())
    try:
        try:
            images.create(half.context, {
                'id': image_id, 'name': NAME, 'visibility': 'private',
                'disk_format': 'raw', 'container_format': 'bare'}, True,
                lambda answer: None)
        except exception.NovaImageException as error:
            yield 'create an image', reasons.brief(error)
            return
        yield 'create an image', None
        for visibility in ('public', 'community'):
            yield from _try('make an image %s' % visibility, images, half,
                            image_id, [{'op': 'replace', 'value': visibility,
                                        'path': '/visibility'}])
        for what, problem in _try('add a location', images, half, image_id, [{
                'op': 'add', 'path': '/locations/-',
                'value': {'url': _NO_LOCATION, 'metadata': {}}}]):
            yield what, problem and _by_service(half, image_id, problem)
    finally:
        _delete(half, image_id)


def _try(what: str, images: records.Records, half: 'halves.HalfV2',
         image_id: str, operations: list[dict[str, typing.Any]]
         ) -> collections.abc.Iterator[tuple[str, str | None]]:
    """Yield whether a change is allowed; a bad value is refused later."""
    try:
        images.patch(half.context, image_id, operations)
    except (exception.Forbidden, exception.ImageConflict) as error:
        yield what, reasons.brief(error)
    except exception.ImageBadRequest:
        yield what, None
    except exception.NovaImageException as error:
        yield what, reasons.brief(error)
    else:
        yield what, None


def _by_service(half: 'halves.HalfV2', image_id: str, problem: str
                ) -> str | None:
    """Return why the locations API (2.17) refuses a location, too.

    :param problem: why the image itself cannot have one
    """
    try:
        half.client.call(half.context, messages.Request(
            'POST', records.path(image_id, 'locations'), 'add a location to',
            image_id, json={'url': _NO_LOCATION}, as_service=True))
    except (exception.ImageBadRequest, exception.Invalid):
        return None
    except exception.ImageNotFound:
        return problem  # it is older
    except exception.NovaImageException as error:
        return '%s; and by the locations API: %s' % (
            problem, reasons.brief(error))
    return None


def _delete(half: 'halves.HalfV2', image_id: str) -> None:
    """Delete the image, if there is one."""
    try:
        half.client.call(half.context, messages.Request(
            'DELETE', records.path(image_id), 'delete', image_id))
    except exception.ImageNotFound:
        pass
    except exception.NovaImageException as error:
        raise error.but(left='image %s, which can be deleted' % image_id
                        ) from error
