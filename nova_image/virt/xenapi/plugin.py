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

"""Calls of nova_image's plugin in the dom0 of a XenServer.

The plugin is ``dom0/nova_image_glance.py``. A session is one of os-xenapi,
whose calls pickle the arguments and the results, and repeat a call that has
failed with a RetryableError.
"""

import re
import weakref

import six

from nova_image import exception

NAME = 'nova_image_glance.py'
#: the oldest version that this code can use; the first number must be equal
VERSION = (1, 0)
#: the class of an error that another attempt may avoid
RETRYABLE = 'RetryableError'

_NOT_FOUND = 'ImageNotFound'
_NUMBERS = re.compile(r'^(\d+)\.(\d+)')
#: how an error names the data if all of it was sent
_SENT = re.compile(r'(\d{1,18}) bytes, MD5 ([0-9a-f]{32})')

_checked = weakref.WeakSet()


def check(session):
    """Require a version of the plugin that this code can use.

    The host is asked once for each session.

    :param session: a XenAPISession of os-xenapi
    :raises DriverLoadError: if the plugin is missing, broken or too old
    """
    if session in _checked:
        return
    try:
        found = session.call_plugin_serialized(NAME, 'get_version')
    except session.XenAPI.Failure as error:
        six.raise_from(_unusable(session, 'it does not answer: %s'
                                 % exception.redact(details(error))), error)
    numbers = _NUMBERS.match('%s' % found)
    numbers = numbers and tuple(map(int, numbers.groups()))
    if not numbers or numbers[0] != VERSION[0] or numbers < VERSION:
        raise _unusable(session, 'its version is %s, but this nova_image '
                        'requires %d.%d' % ((found,) + VERSION))
    _checked.add(session)


def _unusable(session, reason):
    return exception.DriverLoadError(
        'The dom0 of this XenServer cannot move images',
        reason='the plugin %s of host %s cannot be used: %s. Install the '
               'plugin of this release of nova_image in dom0' % (
                   NAME, getattr(session, 'host_uuid', 'unknown'), reason))


def details(failure):
    """Return what a Failure of XenAPI says, as text."""
    found = failure.details
    return found if isinstance(found, six.string_types) else ': '.join(
        '%s' % one for one in found)


def is_not_found(failure):
    """Return whether Glance has answered the plugin that it lacks the image.

    :param failure: a Failure of XenAPI
    """
    return _NOT_FOUND in list(failure.details)[:3]


def sent(failure):
    """Return the data of an upload that failed when all of it was sent.

    Glance may have it, although its answer was lost.

    :param failure: a Failure of XenAPI
    :returns: dict with ``size`` and ``md5``; None if not all was sent
    """
    found = _SENT.search('%s' % list(failure.details)[-1])
    return found and {'size': int(found.group(1)), 'md5': found.group(2)}
