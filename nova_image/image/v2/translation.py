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

"""Images of the Images API v2, in the callers' format and back.

v2 is flat: custom properties are beside its own fields, and only the reserved
names tell them apart. Facts were seen on Glance 15.0.2 and 33.0.0.
"""

import operator

from oslo_log import log as logging
from oslo_serialization import jsonutils
import six

from nova_image import exception
from nova_image.image import answers
from nova_image.image.transfer import recorded
from nova_image.image.v2 import fields
from nova_image.image import values

LOG = logging.getLogger(__name__)

#: fields that have the same name in v2 and in the callers' format
_SAME = ('id', 'name', 'status', 'min_disk', 'min_ram', 'disk_format',
         'container_format', 'checksum', 'owner')
#: fields of newer Glances that are passed on unchanged, as in Nova 34: its own
#: image code leaves out self, schema, file, tags, protected and virtual_size
_PASSED = ('os_hidden', 'os_hash_algo', 'os_hash_value', 'stores')
#: the fields that only callers see who ask for all of them
_FURTHER = ('visibility', 'protected', 'tags', 'virtual_size') + _PASSED
_TIMES = ('created_at', 'updated_at')
_ALL = operator.itemgetter(
    'id', 'name', 'status', 'size', 'min_disk', 'min_ram', 'disk_format',
    'container_format', 'checksum', 'owner', 'visibility', *_TIMES)
_TEXTS = (six.text_type, type(None))
#: fields whose values many images of a listing share
_REPEATED = ('status', 'disk_format', 'container_format', 'owner',
             'os_hash_algo', 'stores')
_WRITABLE = frozenset(('id', 'name', 'disk_format', 'container_format',
                       'owner', 'tags', 'visibility'))
#: fields of the callers' format that are not sent by their own name
_NOT_SENT = frozenset((
    'is_public', 'status', 'size', 'checksum', 'created_at', 'updated_at',
    'deleted', 'deleted_at', 'location', 'locations', 'direct_url',
    'properties'))
#: names that v2 reserves; a custom property cannot have them
_RESERVED = _WRITABLE | frozenset(_SAME + _TIMES + (
    'size', 'virtual_size', 'protected', 'file', 'schema', 'self', 'stores',
    'location', 'locations', 'direct_url', 'deleted', 'deleted_at',
    'os_hidden', 'os_hash_algo', 'os_hash_value'))
_RESERVED_PREFIX = 'os_glance_'

JSON_PROPERTIES = ('block_device_mapping', 'mappings')


# From Glance to callers

def from_glance(raw, include_locations=False, all_fields=False):
    """Return an image of v2 in the callers' format.

    :param raw: dict, as fields.image() returns it
    :param include_locations: whether to add ``locations``
    :param all_fields: as for ImageDriver.show()
    """
    image = _fields(raw)
    image['properties'] = _decode({
        name: raw[name] for name in raw
        if is_custom(name) and raw[name] is not None})
    if include_locations:
        image['locations'] = _locations(raw)
        if 'direct_url' in raw:
            image['direct_url'] = raw['direct_url']
    if all_fields:
        _add_further(image, raw)
    return image


def _add_further(image, raw):
    image.update((name, raw.get(name)) for name in _FURTHER)


class Listing(object):
    """Translates the images of one page of a listing, while it is parsed.

    Translating an image while it is in the CPU's cache costs a quarter less
    than doing so after the whole page. Texts that many images share, such as
    most properties, are kept once: a listing takes two thirds of the memory.
    The names of custom properties are found once for all images with the same
    names.
    """

    def __init__(self):
        self._kinds = {}
        self._share = {}.setdefault
        self._read = []

    def hook(self, raw):
        """Return an image in the callers' format, for a JSON object of v2.

        Any other object is returned unchanged, and so is an image with
        anything unusual. Never raises.
        """
        if 'status' not in raw:
            return raw
        names = tuple(raw)
        kinds = self._kinds.get(names)
        if kinds is None:
            kinds = self._kinds[names] = _kinds(names)
        try:
            image = _usual(raw)
        except (KeyError, answers.Unreadable):
            return raw
        share, text, properties = self._share, six.text_type, {}
        custom, passed, repeated = kinds
        for name in passed:
            image[name] = raw[name]
        for name in repeated:
            value = image[name]
            if type(value) is text:
                image[name] = share(value, value)
        for name in custom:
            value = raw[name]
            if type(value) is text:
                properties[name] = share(value, value)
            elif value is not None:
                properties[name] = value
        image['properties'] = _decode(properties)
        self._read.append(image)
        return image

    def is_complete(self, images):
        """Return whether the hook has read all images, and nothing else.

        Another object, such as a user's metadata of a location, may look like
        an image.

        :param images: any JSON
        """
        return isinstance(images, list) and len(images) == len(
            self._read) and all(map(operator.is_, images, self._read))


class FullListing(Listing):
    """A Listing of images with all fields."""

    def hook(self, raw):
        """Return an image with all fields. See Listing."""
        image = super(FullListing, self).hook(raw)
        if image is raw:
            return raw
        if not fields.has_further(raw):
            self._read.pop()
            return raw
        _add_further(image, raw)
        return image


def readable(raw, all_fields=False):
    """Return what can be read of an image in a listing.

    :param raw: any JSON
    :param all_fields: as for ImageDriver.show()
    :raises Unreadable: if it has no ID
    """
    found, wrong = fields.readable(raw, all_fields)
    if wrong:
        LOG.warning('Image %(id)s is listed with defaults: %(wrong)s', {
            'id': found['id'], 'wrong': answers.one_line(wrong)})
    return from_glance(found, all_fields=all_fields)


def _kinds(names):
    """Return the names of custom properties, and of passed and shared fields.

    :param names: those of a raw image that has all usual fields
    """
    return ([name for name in names if is_custom(name)],
            [name for name in _PASSED if name in names],
            [name for name in _REPEATED if name in names])


def _usual(raw):
    """Return what _fields() does, in half the time and checked.

    :raises KeyError: if a field is missing
    :raises Unreadable: if a field is not what it should be
    """
    (image_id, name, status, size, min_disk, min_ram, disk_format,
     container_format, checksum, owner, visibility, created,
     updated) = _ALL(raw)
    texts, numbers, size = _TEXTS, six.integer_types, size or 0
    if not (type(image_id) is type(status) is six.text_type and
            type(name) in texts and type(disk_format) in texts and
            type(container_format) in texts and type(checksum) in texts and
            type(owner) in texts and type(visibility) in texts and
            type(size) in numbers and type(min_disk) in numbers and
            type(min_ram) in numbers and
            0 <= size | min_disk | min_ram <= answers.MAX_NUMBER):
        raise answers.Unreadable('has a wrong type')
    created_at = answers.moment(created)
    return {
        'id': image_id, 'name': name, 'status': status, 'size': size,
        'min_disk': min_disk, 'min_ram': min_ram, 'disk_format': disk_format,
        'container_format': container_format, 'checksum': checksum,
        'owner': owner, 'is_public': visibility == 'public',
        'created_at': created_at,
        'updated_at': (created_at if updated == created
                       else answers.moment(updated)),
        'deleted': False, 'deleted_at': None,
    }


def _fields(raw):
    """Return an image in the callers' format, without its properties."""
    get = raw.get
    created, updated = get('created_at'), get('updated_at')
    created_at = answers.moment(created)
    image = {
        'id': get('id'), 'name': get('name'), 'status': get('status'),
        'size': get('size') or 0,
        'min_disk': get('min_disk') or 0, 'min_ram': get('min_ram') or 0,
        'disk_format': get('disk_format'),
        'container_format': get('container_format'),
        'checksum': get('checksum'), 'owner': get('owner'),
        'is_public': get('visibility') == 'public',
        'created_at': created_at,
        'updated_at': (created_at if updated == created
                       else answers.moment(updated)),
        'deleted': False, 'deleted_at': None,
    }
    for name in _PASSED:
        if name in raw:
            image[name] = raw[name]
    return image


def is_custom(name):
    """Return whether v2 stores a name as a custom property."""
    return name not in _RESERVED and not name.startswith(_RESERVED_PREFIX)


def is_storable(name):
    """Return whether every v2 can have a custom property of this name."""
    return is_custom(name) and _is_plain(name)


def _is_plain(name):
    return bool(name) and all(' ' <= letter <= '~' for letter in name)


def _decode(properties):
    """Return properties, with those decoded that contain JSON."""
    for name in JSON_PROPERTIES:
        if name in properties:
            properties[name] = answers.decoded(properties[name])
    return properties


def _locations(raw):
    found = fields.locations(raw.get('locations'))
    direct = raw.get('direct_url')
    if direct and direct not in [one['url'] for one in found]:
        found.append({'url': direct, 'metadata': {}})
    return found


def location_urls(raw):
    """Return the URLs of an image's data in the stores that Glance shows."""
    return [one['url'] for one in _locations(raw)]


def record_of(raw):
    """Return what Glance recorded of an image's data, with the best hash.

    :param raw: the image as v2 answers it
    :returns: nova_image.image.transfer.recorded.Recorded
    """
    algorithm, value = raw.get('os_hash_algo'), raw.get('os_hash_value')
    if not value:
        algorithm, value = 'md5', raw.get('checksum')
    return recorded.Recorded(
        raw.get('size'), algorithm, value, properties=raw,
        disk_format=raw.get('disk_format'), stores=raw.get('stores'))


# From callers to Glance

def to_glance(image_meta):
    """Return the callers' metadata as v2's flat image, without nulls.

    :raises ImageBadRequest: if v2 cannot store it
    """
    flat = {}
    for name, value in image_meta.items():
        if name == 'is_public' and value is not None:
            public = values.boolean(name, value)
            flat.setdefault('visibility', 'public' if public else 'private')
        elif name in ('min_ram', 'min_disk') and value is not None:
            flat[name] = values.whole_number(
                name, value, values.MAX_MINIMUM)
        elif name in ('protected', 'os_hidden') and value is not None:
            flat[name] = values.boolean(name, value)
        elif name in _WRITABLE and value is not None:
            flat[name] = _tags(value) if name == 'tags' else value
        elif name not in _RESERVED and name not in _NOT_SENT:
            raise exception.ImageBadRequest(
                reason='there is no image attribute %s' % name,
                advice='Put custom ones into properties')
    flat.update(_flat_properties(image_meta.get('properties') or {}))
    return flat


def _tags(tags):
    """Return tags that Glance can hold.

    Glance 15 and 33 answer 400 to a character of four bytes in a tag of a new
    image, and leave the image behind.

    :raises ImageBadRequest: if it cannot hold one of them
    """
    for tag in tags:
        if isinstance(tag, six.text_type) and any(
                byte >= 0xf0 for byte in bytearray(tag.encode('utf-8'))):
            raise exception.ImageBadRequest(
                reason='Glance does not support the characters of four bytes '
                       'of UTF-8 in the tag %s' % tag)
    return tags


def to_create(image_meta):
    """Return what to send for a new image.

    Glance before version 17 knows no hidden images, also not ``False``.

    :raises ImageBadRequest: if v2 cannot store it
    """
    flat = to_glance(image_meta)
    if not flat.get('os_hidden'):
        flat.pop('os_hidden', None)
    return flat


def _flat_properties(properties):
    flat = {}
    for name, value in properties.items():
        _check_name(name)
        if values.is_unset(name, value):
            continue
        flat[name] = _text(name, value)
    return flat


def _check_name(name):
    if not is_custom(name):
        raise exception.ImageBadRequest(
            reason='the Images API v2 reserves the name %s: a custom property '
                   'cannot have it' % name)
    if not _is_plain(name):
        # Glance 15 answers 500 to such a name, and again each time the image
        # is read.
        raise exception.ImageBadRequest(
            reason='the name of a property must be ASCII: %r' % name)


def _text(name, value):
    """Return a property's value as v1 stored it, which is always text."""
    if isinstance(value, six.text_type):
        return value
    if isinstance(value, bytes):
        return value.decode('utf-8')
    if name in JSON_PROPERTIES:
        return jsonutils.dumps(value)
    return six.text_type(value)
