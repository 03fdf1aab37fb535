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

"""Values that callers hand in, checked before anything is sent.

What is no value of its kind is refused with one clear exception that names
it. Nothing here knows an Images API version.
"""

import datetime
import re

from oslo_utils import strutils
from oslo_utils import timeutils
import six
from six.moves.urllib import parse

from nova_image import exception

_PROJECT = re.compile(r'^[\x21-\x2e\x30-\x7e]+\Z')


def whole_number(name, value):
    """Return an int of 0 or more.

    :param name: what it is, for the message
    :param value: an int, or text that says one
    :raises ImageBadRequest: when it is something else
    """
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise exception.ImageBadRequest(
            reason='%s is no whole number of 0 or more: %s' % (name, value))
    return number


def boolean(name, value):
    """Return a bool; takes one, or text such as 'true', '1', 'False'.

    :raises ImageBadRequest: when it is something else
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
    """Return a time as Glance compares it: ISO 8601 in UTC with a Z.

    :param value: ISO 8601 text, UTC where it has no zone, or a datetime
    :raises Invalid: when it is something else
    """
    if not isinstance(value, datetime.datetime):
        try:
            value = timeutils.parse_isotime(value)
        except (ValueError, TypeError):
            raise exception.Invalid(
                'Invalid image filter',
                reason='%s is no ISO 8601 time: %s' % (name, value))
    return timeutils.normalize_time(value).strftime('%Y-%m-%dT%H:%M:%SZ')


def visibility_filter(value):
    """Return what a filter ``is_public`` wants: True, False, None for all.

    :param value: a bool or its text, or None or 'none'
    :raises ImageBadRequest: when it is something else
    """
    if value is None or six.text_type(value).lower() == 'none':
        return None
    return boolean('filter is_public', value)


def project(value):
    """Return the ID of a project, which becomes a part of a path.

    Glance 15 and 33 take any text for a member, and find it no more when it
    has a slash, on Glance 33 not even when it is not ASCII; a dot or two
    would name another path.

    :raises ImageBadRequest: when it can be none
    """
    if isinstance(value, bytes):
        value = value.decode('utf-8', 'replace')
    if not isinstance(value, six.text_type) or not _PROJECT.match(value) or (
            value in ('.', '..')):
        raise exception.ImageBadRequest(
            reason='this is no ID of a project: %r' % (value,),
            advice='It has to be ASCII, without a slash')
    return value


def is_unset(name, value):
    """Tell whether a property says that there is no kernel or ramdisk.

    Nova and EC2 wrote so in several ways; Glance v2 wants a UUID or nothing.
    """
    return name in ('kernel_id', 'ramdisk_id') and (
        six.text_type(value).strip().lower() in ('', 'none'))


def percent_decoded(text):
    """Return a part of a URL as it was before it was encoded.

    :param text: text; on Python 2.7 also bytes
    :returns: str; bytes that are no UTF-8 are in it as os.fsdecode() has
        them
    """
    if six.PY2:
        if isinstance(text, six.text_type):
            text = text.encode('utf-8')
        return parse.unquote(text)
    return parse.unquote(text, errors='surrogateescape')
