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

"""Images and listings of the Images API v2, in the callers' format and back.

v2 is flat: custom properties stand beside its own fields, so the names that
it has for itself decide what is which. Facts were seen on Glance 15.0.2 and
33.0.0.
"""

import datetime
import json

from oslo_serialization import jsonutils
from oslo_utils import timeutils
import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image.transfer import digest
from nova_image.image import values

#: what Glance gives at the most in one page (its api_limit_max by default);
#: a Glance with a lower limit gives less and a link to the next page
PAGE_SIZE = 1000

#: fields of an image that v2 and callers call alike
_SAME = ('id', 'name', 'status', 'min_disk', 'min_ram', 'disk_format',
         'container_format', 'checksum', 'owner')
_TIMES = ('created_at', 'updated_at')
#: fields that many images of a listing have alike
_REPEATED = ('status', 'disk_format', 'container_format', 'owner')
_WRITABLE = frozenset(('id', 'name', 'disk_format', 'container_format',
                       'owner', 'tags', 'visibility'))
#: fields of the callers' format that are not sent under their own name
_NOT_SENT = frozenset((
    'is_public', 'status', 'size', 'checksum', 'created_at', 'updated_at',
    'deleted', 'deleted_at', 'location', 'locations', 'direct_url',
    'properties'))
#: names that v2 has for itself; a custom property cannot be called so
_RESERVED = _WRITABLE | frozenset(_SAME + _TIMES + (
    'size', 'virtual_size', 'protected', 'file', 'schema', 'self', 'stores',
    'location', 'locations', 'direct_url', 'deleted', 'deleted_at',
    'os_hidden', 'os_hash_algo', 'os_hash_value'))
_RESERVED_PREFIX = 'os_glance_'

# Ten times as fast as oslo.utils, which matters in a listing; Python 2.7 has
# no such thing.
_parse_utc = getattr(datetime.datetime, 'fromisoformat',
                     timeutils.parse_isotime)

#: all that is_public False says of an image that is there: one that is shared
#: is not to lose its members because a caller wrote back what it had read
NOT_PUBLIC = 'not public'

#: words of a listing's query; a custom property of that name is no filter
_QUERY_WORDS = frozenset(('limit', 'marker', 'sort', 'sort_key', 'sort_dir',
                          'member_status', 'tag', 'size_min', 'size_max'))

_JSON_PROPERTIES = ('block_device_mapping', 'mappings')
_NUMBER_FILTERS = ('size_min', 'size_max', 'min_ram', 'min_disk')
#: filters in which v2 takes what stands before a colon for an operator, and
#: answers 400 where it is none (seen on Glance 15.0.2 and 33.0.0)
_OPERATOR_FILTERS = ('id', 'name', 'status', 'container_format',
                     'disk_format')


# What Glance answers, for callers

def from_glance(raw, include_locations=False):
    """Return an image of v2 in the callers' format.

    :param raw: dict, as v2 answers it
    :param include_locations: whether to add ``locations``
    """
    image = _fields(raw)
    image['properties'] = _decode({
        name: raw[name] for name in raw
        if _is_custom(name) and raw[name] is not None})
    if include_locations:
        image['locations'] = _locations(raw)
    return image


def listing_reader():
    """Return a function for the parser of one page of a listing.

    It takes any JSON object of v2's answer, a dict, and returns an image in
    the callers' format, and anything else as it is. What is translated while
    it is fresh in the CPU's cache costs a quarter less than a page that was
    read first. Texts that many images have, most properties among them, are
    kept once: a listing takes two thirds of the memory. Which names are
    custom properties' is found once for all images with the same names.
    """
    share, text, custom_names = {}.setdefault, six.text_type, {}

    def read(raw):
        if 'status' not in raw:
            return raw
        names = tuple(raw)
        custom = custom_names.get(names)
        if custom is None:
            custom = custom_names[names] = [
                name for name in names if _is_custom(name)]
        image, properties = _fields(raw), {}
        for name in _REPEATED:
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
        return image

    return read


def _fields(raw):
    """Return an image in the callers' format but for its properties."""
    get = raw.get
    created, updated = get('created_at'), get('updated_at')
    created_at = _time(created)
    return {
        'id': get('id'), 'name': get('name'), 'status': get('status'),
        'size': get('size') or 0,
        'min_disk': get('min_disk') or 0, 'min_ram': get('min_ram') or 0,
        'disk_format': get('disk_format'),
        'container_format': get('container_format'),
        'checksum': get('checksum'), 'owner': get('owner'),
        'is_public': get('visibility') == 'public',
        'created_at': created_at,
        'updated_at': created_at if updated == created else _time(updated),
        'deleted': False, 'deleted_at': None,
    }


def _time(text):
    if not text:
        return None
    # Glance writes a Z always; only so are the two parsers of one mind.
    parse = _parse_utc if text.endswith('Z') else timeutils.parse_isotime
    return parse(text)


def _is_custom(name):
    return name not in _RESERVED and not name.startswith(_RESERVED_PREFIX)


def _decode(properties):
    """Return properties, those decoded that hold JSON."""
    for name in _JSON_PROPERTIES:
        if name in properties:
            properties[name] = _decoded(properties[name])
    return properties


def _decoded(text):
    try:
        return json.loads(text)
    except ValueError:
        return text  # somebody else's property of that name


def _locations(raw):
    found = [{'url': place['url'], 'metadata': place.get('metadata', {})}
             for place in raw.get('locations') or []]
    direct = raw.get('direct_url')
    if direct and direct not in [place['url'] for place in found]:
        found.append({'url': direct, 'metadata': {}})
    return found


def location_urls(raw):
    """Return where the stores have an image's data, as far as Glance says."""
    return [place['url'] for place in _locations(raw)]


def expected(raw):
    """Return the digest.Expected of an image's data: the best hash it has.

    :param raw: the image as v2 answers it
    """
    algorithm, value = raw.get('os_hash_algo'), raw.get('os_hash_value')
    if not value:
        algorithm, value = 'md5', raw.get('checksum')
    return digest.Expected(raw.get('size'), algorithm, value, properties=raw,
                           disk_format=raw.get('disk_format'),
                           stores=raw.get('stores'))


# What callers hand in, for Glance

def to_glance(image_meta):
    """Return the callers' metadata as v2's flat image, without nulls.

    :raises ImageBadRequest: for what v2 cannot store
    """
    flat = {}
    for name, value in image_meta.items():
        if name == 'is_public' and value is not None:
            public = values.boolean(name, value)
            flat.setdefault('visibility', 'public' if public else 'private')
        elif name in ('min_ram', 'min_disk') and value is not None:
            flat[name] = values.whole_number(name, value)
        elif name == 'protected' and value is not None:
            flat[name] = values.boolean(name, value)
        elif name in _WRITABLE and value is not None:
            flat[name] = value
        elif name not in _RESERVED and name not in _NOT_SENT:
            raise exception.ImageBadRequest(
                reason='there is no image attribute %s' % name,
                advice='Custom ones go into properties')
    flat.update(_flat_properties(image_meta.get('properties') or {}))
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
    if not _is_custom(name):
        raise exception.ImageBadRequest(
            reason='the Images API v2 has %s for itself: no custom property '
                   'can be called so' % name)
    if not name or any(ord(letter) > 126 or letter < ' ' for letter in name):
        # Glance 15 answers 500 to such a name, and again whenever the image
        # is read.
        raise exception.ImageBadRequest(
            reason='the name of a property has to be ASCII: %r' % name)


def _text(name, value):
    """Return a property's value as v1 kept it, which is text always."""
    if isinstance(value, six.text_type):
        return value
    if isinstance(value, bytes):
        return value.decode('utf-8')
    if name in _JSON_PROPERTIES:
        return jsonutils.dumps(value)
    return six.text_type(value)


def changes(raw, target, purge):
    """Return the JSON Patch that makes an image what it is to be.

    :param raw: the image as v2 answers it
    :param target: to_glance() of what is wanted
    :param purge: whether custom properties that target lacks are removed
    :returns: list of operations, empty when nothing is to change
    """
    operations = []
    target = dict(target)
    if target.get('visibility') == NOT_PUBLIC:
        public = raw.get('visibility') == 'public'
        target['visibility'] = 'private' if public else raw['visibility']
    for name, value in sorted(target.items()):
        if name not in raw:
            operations.append(_operation('add', name, value))
        elif not _same(name, raw[name], value):
            operations.append(_operation('replace', name, value))
    if purge:
        operations += [_operation('remove', name) for name in sorted(raw)
                       if _is_custom(name) and name not in target]
    return operations


def _same(name, stored, wanted):
    if name == 'tags':  # Glance has an order of its own
        return sorted(stored) == sorted(wanted)
    if name in _JSON_PROPERTIES and stored:  # two texts may say the same
        return _decoded(stored) == _decoded(wanted)
    return stored == wanted


def _operation(kind, name, *value):
    path = '/' + name.replace('~', '~0').replace('/', '~1')
    operation = {'op': kind, 'path': path}
    if value:
        operation['value'] = value[0]
    return operation


# Listing

def next_path(page):
    """Return the path of the next page, or None after the last.

    Path and query alone: the caller's token goes to no other host.

    :param page: dict, as v2 answers a listing
    """
    parts = parse.urlsplit(page.get('next') or '')
    start = parts.path.find('/v2/')
    if start < 0:
        return None
    return '%s?%s' % (parts.path[start:], parts.query)


def limit_of(kwargs):
    """Return how many images are wanted; None for all, which 0 means too.

    :param kwargs: those of ImageDriver.detail()
    :raises ImageBadRequest: when it is no number of 0 or more
    """
    return values.whole_number('limit', kwargs.get('limit') or 0) or None


def page_query(kwargs, limit):
    """Return the query of a listing but for its filters.

    :param kwargs: those of ImageDriver.detail()
    :param limit: limit_of() of them
    :returns: list of (name, value)
    """
    size = values.whole_number(
        'page_size', kwargs.get('page_size') or PAGE_SIZE)
    query = [('limit', min(size, limit or size))]
    for name in ('marker', 'sort_key', 'sort_dir'):
        wanted = kwargs.get(name) or []
        if not isinstance(wanted, (list, tuple)):
            wanted = [wanted]
        query += [(name, value) for value in wanted]
    return query


def to_query(filters):
    """Return (query, test of an image) for v1 filters.

    :param filters: dict, which is left as it is
    :returns: list of (name, value), and a callable that takes an image in
        the callers' format; the query is None when no image of v2 can match
    :raises Invalid: for a value that cannot be one
    """
    query, tests = [], []
    for name, value in sorted(filters.items()):
        custom = name.startswith('property-')
        if custom:
            name = name[len('property-'):]
            if not _is_custom(name):
                return None, tests
        if name == 'is_public' and not custom:
            _filter_by_visibility(value, query, tests)
        elif custom and name in _QUERY_WORDS:
            tests.append(_has_property(name, values.text(name, value)))
        elif custom:
            query.append((name, values.text(name, value)))
        else:
            query += _plain_filter(name, value)
    if not tests:
        return query, _any
    return query, lambda image: all(test(image) for test in tests)


def _any(image):
    return True


def _filter_by_visibility(value, query, tests):
    public = values.visibility_filter(value)
    if public:
        query.append(('visibility', 'public'))
    elif public is not None:
        # No value of v2's visibility says this: private leaves out what is
        # shared.
        tests.append(lambda image: not image['is_public'])


def _has_property(name, value):
    return lambda image: image['properties'].get(name) == value


def _plain_filter(name, value):
    if name == 'changes-since':
        return [('updated_at', 'gte:' + values.moment(name, value))]
    if name == 'protected':
        return [(name, str(values.boolean('filter protected', value)).lower())]
    if name in ('tag', 'tags'):
        tags = value if isinstance(value, (list, tuple)) else [value]
        return [('tag', values.text(name, tag)) for tag in tags]
    if name in _NUMBER_FILTERS:
        return [(name, values.whole_number('filter ' + name, value))]
    value = values.text(name, value)
    if name in _OPERATOR_FILTERS and ':' in value:
        value = 'eq:' + value
    return [(name, value)]
