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


"""Reads what others have written: JSON, and the values in it and in headers.

A proxy, another service or a bug can answer anything, and users can store
anything in a property. Each function returns what it promises or raises
Unreadable. The reader of an answer turns that into one exception or, in a
listing, into a default. Knows no Images API version.
"""

import json
import re
import sys

from oslo_utils import timeutils
import six
from six.moves.urllib import parse

from nova_image import compat
from nova_image.image import hashing

#: limits of the JSON in a property; Glance stores at most 64 KiB in MySQL
MAX_JSON = 64 * 1024
MAX_DEPTH = 32
#: the largest integer of SQL, in which Glance stores sizes
MAX_NUMBER = 2 ** 63 - 1

_DIGITS = re.compile(r'^[0-9]{1,19}\Z')  # int() accepts those of any script
_LONGEST_INT = 4300  # of Python 3.11: int() takes quadratic time
# An escaped surrogate that is not one of a pair, in its group.
_SURROGATE = re.compile(r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}'
                        r'\\u[dD][c-fC-F][0-9a-fA-F]{2}'
                        r'|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)', re.DOTALL)
_MAYBE_SURROGATE = re.compile(r'\\u[dD]')
_TOO_DEEP = RuntimeError  # RecursionError of Python 3 is one
_LONGEST_TIME = 64
_UTC = timeutils.parse_isotime('1970-01-01T00:00:00Z').tzinfo
# The first is many times faster.
_parse_utc = (timeutils.parse_isotime if six.PY2
              else compat.parse_time)


class Unreadable(ValueError):
    """A value is not what it should be; the text says what is wrong."""


def loads(content, object_hook=None):
    """Return the JSON of a body.

    :param content: bytes
    :param object_hook: callable that receives each JSON object, a dict,
        as soon as it is parsed, and returns its replacement
    :raises Unreadable: if it is not JSON, or nested too deeply to be parsed
    """
    try:
        found = content.decode('utf-8')
        if _may_have_surrogate(found):
            found = _SURROGATE.sub(_without_surrogate, found)
        return json.loads(found, object_hook=object_hook, **_PARSING)
    except ValueError as error:
        raise Unreadable(six.text_type(error))
    except _TOO_DEEP:
        raise Unreadable('it is nested too deeply')


def _may_have_surrogate(escaped):
    # The first test takes no time; the second half that of two "in".
    return '\\' in escaped and _MAYBE_SURROGATE.search(escaped)


def _without_surrogate(match):
    """Replace half a character, which no encoding can represent."""
    return '\\ufffd' if match.group(1) else match.group(0)


def _bounded_int(digits):
    if len(digits) > _LONGEST_INT:
        raise ValueError('a number has %d digits' % len(digits))
    return int(digits)


# Newer Pythons have this limit themselves.
_PARSING = ({} if hasattr(sys, 'get_int_max_str_digits')
            else {'parse_int': _bounded_int})


def decoded(value):
    """Return the JSON in a user's property; other values as they are.

    Text that is not JSON, or exceeds MAX_JSON or MAX_DEPTH, stays text. It is
    not lost when the image is updated, and only those who use this property
    of this image see that it is wrong.
    """
    if not isinstance(value, six.string_types) or len(value) > MAX_JSON or (
            _may_have_surrogate(value) and any(
                half.group(1) for half in _SURROGATE.finditer(value))):
        return value
    try:
        found = json.loads(value, **_PARSING)
    except (ValueError, _TOO_DEEP):
        return value
    # No text with so few brackets is deep.
    few = value.count('[') + value.count('{') <= MAX_DEPTH
    return found if few or _is_shallow(found) else value


def _is_shallow(value):
    """Return whether a JSON value has at most MAX_DEPTH levels."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [one for one in level if isinstance(one, (dict, list))]
        if not level:
            return True
        level = [inner for one in level for inner in (
            one.values() if isinstance(one, dict) else one)]
    return False


def text(value):
    """Return text, or None."""
    if value is None or isinstance(value, six.string_types):
        return value
    raise Unreadable('is not text')


def name(value):
    """Return text that is not empty."""
    if not text(value):
        raise Unreadable('is missing')
    return value


def number(value):
    """Return an int from 0 to MAX_NUMBER, or None."""
    if value is None:
        return None
    if isinstance(value, six.integer_types) and (
            not isinstance(value, bool) and 0 <= value <= MAX_NUMBER):
        return value
    raise Unreadable('is not a whole number of 0 or more')


def header_number(value):
    """Return the number that the text of a header means, or None.

    :param value: text, also empty, or None
    """
    if not text(value):
        return None
    if not _DIGITS.match(value):
        raise Unreadable('is not a whole number of 0 or more')
    return number(int(value))


def moment(value):
    """Return an aware datetime (UTC) for ISO 8601 text; None for no text."""
    if value is None or value == '':
        return None
    try:
        # The two parsers agree only on times with a Z, as v2 writes them.
        if value.endswith('Z') and len(value) < _LONGEST_TIME:
            return _parse_utc(value)
        return _to_utc(timeutils.parse_isotime(value[:_LONGEST_TIME]))
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise Unreadable('is not a time')


def _to_utc(moment):
    offset = moment.utcoffset()
    return (moment - offset).replace(tzinfo=_UTC) if offset else moment


def url(value):
    """Return text that can be split as a URL, or None."""
    if text(value):
        try:
            parse.urlsplit(value)
        except ValueError:  # such as the brackets of an IPv6 address
            raise Unreadable('is not a URL')
    return value


def mapping(value):
    """Return a dict; an empty one for None."""
    if value is not None and not isinstance(value, dict):
        raise Unreadable('is not an object')
    return value or {}


def items(read, value):
    """Return a list of what ``read`` returns; an empty one for None."""
    if value is not None and not isinstance(value, list):
        raise Unreadable('is not a list')
    return [read(one) for one in value or ()]


def page(raw, what, read):
    """Return what ``read`` returns for each entry of a list in an object.

    :param raw: dict
    :param what: name of the list, such as ``'images'``
    """
    found = raw.get(what)
    if not isinstance(found, list) or not all(
            isinstance(one, dict) for one in found):
        raise Unreadable('its JSON is not a list of %s' % what)
    return [read(one) for one in found]


def texts(value):
    """Return a list of text, such as tags: Glance accepts an empty one."""
    return items(_no_null, value)


def _no_null(value):
    if value is None:
        raise Unreadable('is not text')
    return text(value)


def fields(raw, readers):
    """Read the fields of an object.

    :param raw: any JSON
    :param readers: dict of names and the functions that read their values
    :returns: dict of names and values, and one of names and what is wrong
        with their values, such as ``'is not a time'``
    :raises Unreadable: if it is not an object
    """
    found, wrong, raw = {}, {}, mapping(raw)
    for field, read in readers.items():
        try:
            found[field] = read(raw.get(field))
        except Unreadable as error:
            wrong[field] = six.text_type(error)
    return found, wrong


def one_line(wrong):
    """Return what is wrong in one line, for a message.

    :param wrong: what fields() returns
    """
    return ', '.join('its %s %s' % (field, wrong[field])
                     for field in sorted(wrong))


def is_hash(algorithm):
    """Return whether this host can compute a hash, and it has one size.

    :param algorithm: any value, such as the name of a hash
    """
    try:
        return isinstance(algorithm, six.string_types) and (
            hashing.new(algorithm).digest_size > 0)
    except (ValueError, TypeError):
        return False
