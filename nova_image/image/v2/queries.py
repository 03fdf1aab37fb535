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

"""Queries for listings of the Images API v2, from the callers' parameters.

Facts were seen on Glance 15.0.2 and 33.0.0.
"""

import collections
import re

import six
from six.moves.urllib import parse

from nova_image.image import listing
from nova_image.image.v2 import translation
from nova_image.image import values

IMAGES = '/v2/images'
#: the most images that Glance returns in one page (its api_limit_max by
#: default); a Glance with a lower limit returns fewer and a link to the next
#: page
PAGE_SIZE = 1000

#: a URL; ASCII, because Glance quotes everything else
_LINK = re.compile(r'^[!-~]+\Z')

#: names that Glance takes for something else than a custom property: words of
#: its query, filters that v2 refuses, and attributes of the Python class in
#: which it keeps images (hasattr in _make_conditions_from_filters in
#: glance/db/sqlalchemy/api.py). It answers with an empty list, 400 or 500.
_TAKEN = frozenset((
    'limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'member_status', 'tag',
    'changes-since', 'delete', 'get', 'is_public', 'items', 'iteritems',
    'keys', 'members', 'metadata', 'mro', 'next', 'properties', 'registry',
    'save', 'to_dict', 'update', 'values'))
_PLAIN_NAME = re.compile(u'^[ -~]{0,255}\\Z')
#: the same: the rest of the name is an attribute, the value a number
_RANGES = ('_min', '_max')
#: words of a listing's query that are filters without ``property-``
_FILTER_WORDS = ('member_status', 'limit', 'marker', 'sort', 'sort_key',
                 'sort_dir')
#: fields that are compared here if the text is too long to be sent
_TEXT_FIELDS = ('id', 'name', 'status', 'container_format', 'disk_format',
                'owner', 'checksum')

_NUMBER_FILTERS = ('size_min', 'size_max', 'min_ram', 'min_disk')
#: filters in which v2 parses the text before a colon as an operator, and
#: answers 400 if it is not one (seen on Glance 15.0.2 and 33.0.0)
_OPERATOR_FILTERS = ('id', 'name', 'status', 'container_format',
                     'disk_format')


def next_page(page):
    """Return the marker and the path of the next page; None after the last.

    Only its path and query: the caller's token must not go to another host.

    :param page: dict, as v2 answers a listing
    :raises ValueError: if the link is not one to a page of a listing
    """
    link = page.get('next')
    if link is None or link == '':
        return None, None
    if not isinstance(link, six.string_types) or not _LINK.match(link):
        raise ValueError('its link to the next page is not a URL')
    parts = parse.urlsplit(link)
    if not parts.path.endswith(IMAGES):
        raise ValueError('its link to the next page is to %s'
                         % parts.path[:100])
    markers = [value for name, value in parse.parse_qsl(parts.query)
               if name == 'marker']
    if len(markers) != 1:
        raise ValueError('its link to the next page has no marker')
    return markers[0], '%s?%s' % (IMAGES, parts.query)


def is_complete(link, query):
    """Return whether a link to the next page has all parts of a query.

    Glance's has only the last one of several values of a name, such as
    several tags (seen on Glance 15.0.2 and 33.0.0).

    :param link: path, from next_page()
    :param query: list of (name, value), that of the first page
    """
    given = collections.Counter(name for name, _ in query)
    given.subtract(name for name, _ in parse.parse_qsl(
        parse.urlsplit(link).query, keep_blank_values=True))
    return max(given.values()) <= 0


def after(marker, query):
    """Return the query of the page after a marker; the first one for None.

    :param query: list of (name, value), that of the first page
    """
    if marker is None:
        return query
    return [one for one in query if one[0] != 'marker'] + [('marker', marker)]


def limit_of(kwargs):
    """Return the maximum number of images; None for all, as 0 also means.

    :param kwargs: those of ImageDriver.detail()
    :raises ImageBadRequest: if it is not a number of 0 or more
    """
    return _count('limit', kwargs) or None


def size_of(kwargs):
    """Return how many images to request at once.

    :param kwargs: those of ImageDriver.detail()
    :raises ImageBadRequest: if it is not a number of 0 or more
    """
    return _count('page_size', kwargs) or PAGE_SIZE


def _count(name, kwargs):
    value = kwargs.get(name)
    return 0 if value is None else values.whole_number(name, value)


def page_query(kwargs, limit):
    """Return the query of a listing, without its filters.

    :param kwargs: those of ImageDriver.detail()
    :param limit: what limit_of() returns for them
    :returns: list of (name, value)
    """
    size = size_of(kwargs)
    query = [('limit', min(size, limit or size))]
    for name in ('marker', 'sort_key', 'sort_dir'):
        query += [(name, value) for value in _each(kwargs.get(name))]
    return query


def order_of(kwargs):
    """Return the listing.Order that a caller asks for.

    :param kwargs: those of ImageDriver.detail()
    """
    return listing.Order(_each(kwargs.get('sort_key')),
                         _each(kwargs.get('sort_dir')))


def _each(given):
    """Return the list of a list, of one value or of none."""
    if isinstance(given, (list, tuple)):
        return list(given)
    return [given] if given else []


def to_query(filters):
    """Return the query for v1 filters, and a test of the images it returns.

    :param filters: dict, which is not changed
    :returns: list of (name, value), and a callable that returns whether an
        image in the callers' format matches; the query is None if no image of
        v2 can match
    :raises Invalid: for an invalid value
    """
    query, tests = [], []
    for name, value in sorted(filters.items()):
        custom = name.startswith('property-')
        if custom:
            name = name[len('property-'):]
            if not translation.is_custom(name):
                return None, tests
        if name == 'is_public' and not custom:
            _filter_by_visibility(value, query, tests)
        elif custom or _is_property(name):
            _filter_by_property(name, value, query, tests)
        else:
            _filter_by_field(name, value, query, tests)
    if not tests:
        return query, values.always
    return query, lambda image: all(test(image) for test in tests)


def _filter_by_visibility(value, query, tests):
    public = values.visibility_filter(value)
    if public:
        query.append(('visibility', 'public'))
    elif public is not None:
        # No value of v2's visibility means this: private excludes shared
        # images.
        tests.append(lambda image: not image['is_public'])


def _is_property(name):
    """Return whether a filter without ``property-`` is a custom property."""
    field = name[:-4] if name.endswith(_RANGES) else name
    return translation.is_custom(field) and (
        name not in _FILTER_WORDS and name not in ('changes-since', 'tag'))


def _filter_by_property(name, value, query, tests):
    value = values.text(name, value)
    if _is_taken(name) or not values.fits_in_a_query(value):
        tests.append(lambda image: image['properties'].get(name) == value)
    else:
        query.append((name, value))


def _is_taken(name):
    """Return whether Glance does not look for a property of this name.

    Glance 15 answers 500 if the name is not ASCII.
    """
    return (name in _TAKEN or name.startswith('_') or name.endswith(_RANGES)
            or not _PLAIN_NAME.match(name))


def _filter_by_field(name, value, query, tests):
    if name in _TEXT_FIELDS:
        value = values.text(name, value)
        if not values.fits_in_a_query(value):
            tests.append(lambda image: image[name] == value)
            return
    query += _plain_filter(name, value)


def _plain_filter(name, value):
    if name == 'changes-since':
        return [('updated_at', 'gte:' + values.moment(name, value))]
    if name in ('protected', 'os_hidden'):
        return [(name, str(values.boolean('filter ' + name, value)).lower())]
    if name in ('tag', 'tags'):
        tags = value if isinstance(value, (list, tuple)) else [value]
        return [('tag', values.text(name, tag)) for tag in tags]
    if name in _NUMBER_FILTERS:
        return [(name, values.whole_number('filter ' + name, value))]
    value = values.text(name, value)
    if name in _OPERATOR_FILTERS and ':' in value:
        value = 'eq:' + value
    return [(name, value)]
