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

"""Checks the values that callers pass, before anything is sent.

An invalid value is refused with one clear exception that names it. Knows no
Images API version.
"""

import datetime
import re

from oslo_utils import strutils
from oslo_utils import timeutils
import six
from six.moves.urllib import parse

from nova_image import exception

#: the largest number of Glance's database; larger ones answer 500
MAX_NUMBER = 2 ** 63 - 1
#: the largest min_ram and min_disk; Glance refuses larger ones
MAX_MINIMUM = 2 ** 31 - 1

#: bytes of one value in a query
_LONGEST_IN_QUERY = 1024

_DIGITS = re.compile(r'^[0-9]{1,19}\Z')
_PROJECT = re.compile(r'^[\x21-\x2e\x30-\x7e]+\Z')
_IMAGE = re.compile(u'^[^\x00-\x20/\x7f]+\\Z')


def whole_number(name, value, most=MAX_NUMBER):
    """Return an int of 0 or more.

    :param name: name of the value, for the message
    :param value: an int, or its decimal digits
    :param most: the largest valid number
    :raises ImageBadRequest: if it is anything else
    """
    number = _number(value)
    if not 0 <= number <= most:
        raise exception.ImageBadRequest(
            reason='%s is not a whole number of 0 or more: %s' % (name, value)
            if number < 0 else '%s must be at most %d: %s' % (
                name, most, value))
    return number


def _number(value):
    """Return an int; -1 for anything that is not a number of 0 or more."""
    if isinstance(value, six.integer_types):
        return int(value)
    if isinstance(value, bytes):
        value = value.decode('latin-1')
    if isinstance(value, six.text_type) and _DIGITS.match(value):
        return int(value)
    return int(value) if isinstance(value, float) and (
        value.is_integer()) else -1


def seconds(name, value):
    """Return a number of seconds of 0 or more, or None.

    :param name: name of the value, for the message
    :param value: an int or a float, the digits of an int, or None
    :raises ImageBadRequest: if it is anything else
    """
    if value is None or isinstance(value, float) and 0 <= value <= MAX_NUMBER:
        return value
    return whole_number(name, value)


def boolean(name, value):
    """Return the bool of a bool, or of text such as 'true', '1', 'False'.

    :raises ImageBadRequest: if it is anything else
    """
    try:
        return strutils.bool_from_string(value, strict=True)
    except ValueError:
        raise exception.ImageBadRequest(
            reason='%s is neither true nor false: %s' % (name, value))


def text(name, value):
    """Return the text of one plain value, for a filter.

    :raises Invalid: for None, a list, a dict or any other object
    """
    if isinstance(value, bytes):
        return value.decode('utf-8')
    if isinstance(value, (bool, float, six.text_type) + six.integer_types):
        return six.text_type(value)
    raise exception.Invalid(
        'Invalid image filter', reason='%s cannot be a %s' % (
            name, type(value).__name__))


def moment(name, value):
    """Return a time in Glance's format: ISO 8601 in UTC with a Z.

    :param value: ISO 8601 text, UTC if it has no zone, or a datetime
    :raises Invalid: if it is anything else
    """
    try:
        found = value if isinstance(value, datetime.datetime) else (
            timeutils.parse_isotime(value))
        return timeutils.normalize_time(found).strftime('%Y-%m-%dT%H:%M:%SZ')
    except (ValueError, TypeError, OverflowError):
        raise exception.Invalid(
            'Invalid image filter',
            reason='%s is not an ISO 8601 time: %s' % (name, value))


def visibility_filter(value):
    """Return the value of a filter ``is_public``: True, False, None for all.

    :param value: a bool or its text, or None or 'none'
    :raises ImageBadRequest: if it is anything else
    """
    if value is None or six.text_type(value).lower() == 'none':
        return None
    return boolean('filter is_public', value)


def project(value):
    """Return the ID of a project, which becomes a part of a path.

    Glance 15 and 33 accept any text as a member, but do not find it again if
    it contains a slash, nor on Glance 33 if it is not ASCII; one or two dots
    would name another path.

    :raises ImageBadRequest: if it cannot be an ID
    """
    if isinstance(value, bytes):
        value = value.decode('utf-8', 'replace')
    if not isinstance(value, six.text_type) or not _PROJECT.match(value) or (
            value in ('.', '..')):
        raise exception.ImageBadRequest(
            reason='this is not the ID of a project: %r' % (value,),
            advice='It must be ASCII, without a slash')
    return value


def image_id(value):
    """Return the ID of an image as text, which becomes a part of a path.

    Servers decode a path before they look at its parts, so that a quoted
    slash is a slash: with the ID ``ID/file``, Glance 15 and 33 answer a
    request for an image with the image's data. They ignore white space around
    an ID, and one or two dots name another path.

    :raises ImageNotFound: if no image can have this ID
    """
    text = value
    if isinstance(text, bytes):
        text = text.decode('utf-8', 'replace')
    if not isinstance(text, six.text_type) or not _IMAGE.match(text) or (
            text in ('.', '..')):
        raise exception.ImageNotFound(image_id=value)
    return text


def one_source(image_meta, data):
    """Refuse a location together with data: an image has only one of them.

    :param image_meta: dict in the callers' format
    :param data: image data, or None
    :raises ImageBadRequest: if there are both
    """
    if image_meta.get('location') and data is not None:
        raise exception.ImageBadRequest(
            reason='location and data exclude each other')


def is_unset(name, value):
    """Return whether a property means that there is no kernel or ramdisk.

    Nova and EC2 write this in several ways; Glance v2 requires a UUID or
    nothing.
    """
    return name in ('kernel_id', 'ramdisk_id') and (
        six.text_type(value).strip().lower() in ('', 'none'))


def percent_decoded(text):
    """Return a decoded part of a URL.

    :param text: text; on Python 2.7 also bytes
    :returns: str; bytes that are not UTF-8 are decoded like those of
        os.fsdecode()
    """
    if six.PY2:
        if isinstance(text, six.text_type):
            text = text.encode('utf-8')
        return parse.unquote(text)
    return parse.unquote(text, errors='surrogateescape')


def fits_in_a_query(text):
    """Return whether a text is short enough for the query of a request.

    Servers and proxies answer 414 to a long one: gunicorn to a request line
    of more than 4094 bytes.
    """
    return len(parse.quote(text.encode('utf-8'))) <= _LONGEST_IN_QUERY


def always(image):
    """Return True: the filter that every image passes."""
    return True
