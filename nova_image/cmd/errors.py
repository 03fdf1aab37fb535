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

"""Errors as one line for people and an exit code for scripts."""

from __future__ import annotations

import errno
import traceback
import typing

from nova_image.cmd import codes
from nova_image.cmd import safe_text
from nova_image import exception
from nova_image.image import reasons

#: exception class -> exit code; the first class that matches wins
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (exception.NotFound, codes.NOT_FOUND),
    (exception.Forbidden, codes.NOT_AUTHORIZED),
    (exception.ImageCorrupt, codes.BAD_DATA),
    (exception.ImageUploadFailed, codes.BAD_DATA),
    (exception.SignatureVerificationError, codes.BAD_DATA),
    (exception.CertificateValidationFailed, codes.BAD_DATA),
    (exception.Invalid, codes.REFUSED),
    (exception.ImageConflict, codes.CONFLICT),
    (exception.ImageQuotaExceeded, codes.NO_SPACE),
    (exception.InsufficientDiskSpace, codes.NO_SPACE),
    (exception.ImageActionNotSupported, codes.NOT_SUPPORTED),
    (exception.GlanceConnectionFailed, codes.NO_CONNECTION),
)

#: numbers of operating system errors that mean that there is no space
_FULL = (errno.ENOSPC, errno.EDQUOT)

#: advice for the command line, instead of advice about nova.conf
_ADVICE: tuple[tuple[type[exception.NovaImageException], str], ...] = (
    (exception.ImageActionNotSupported, 'Use --os-image-api-version 2'),
    (exception.GlanceVersionNotServed,
     'Try another --os-image-api-version: 1 or 2'),
    (exception.GlanceEndpointUnknown,
     'Use --os-endpoint, another --os-region-name or --os-interface, or '
     'register Glance in the catalog'),
    (exception.Forbidden,
     'Check the user, the password, the project and their domains, and '
     'whether the token or application credential has expired'),
)


class Failed(Exception):
    """An error that a command itself detects.

    :param message: one line
    :param code: the exit code
    """

    def __init__(self, message: str, code: int = codes.OTHER) -> None:
        """Store the message and the exit code."""
        super().__init__(message)
        self.code = code


class Usage(Failed):
    """The command line, the environment or clouds.yaml is invalid."""

    def __init__(self, message: str) -> None:
        """Store the message."""
        super().__init__(message, codes.USAGE)


def code_of(error: Exception) -> int:
    """Return the exit code for an error."""
    error = _ours(error)
    if isinstance(error, Failed):
        return error.code
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if not isinstance(error, OSError):
        return codes.OTHER
    return codes.NO_SPACE if error.errno in _FULL else codes.LOCAL_FILE


def line_of(error: Exception) -> str:
    """Return an error as one line without secrets."""
    error = _ours(error)
    text = reasons.brief(error)
    if isinstance(error, OSError) and error.strerror:
        text = ': '.join(str(part) for part in (
            error.filename, error.strerror) if part is not None)
    elif not isinstance(error, (Failed, exception.NovaImageException)):
        text = '%s: %s. Use --debug for details' % (type(error).__name__, text)
    return ' '.join(exception.redact(text).split())


def usage_of(message: str) -> str:
    """Return argparse's message about a mistake without secrets.

    The name of an option, such as --os-token, is not one of them.
    """
    begin, colon, end = message.partition(': ')
    if begin.startswith('argument '):
        return safe_text.shown(begin + colon + exception.redact(end))
    return safe_text.shown(exception.redact(message))


def trace_of(error: BaseException) -> str:
    """Return the traceback of an error without secrets."""
    return exception.redact(''.join(traceback.format_exception(
        type(error), error, error.__traceback__)))


def _ours(error: Exception) -> Exception:
    """Return an error of ours, with advice for the command line."""
    origin = type(error).__module__.partition('.')[0]
    if origin == 'keystoneauth1':
        error = _of_keystone(error)
    elif origin == 'openstack':
        return Usage(str(error))
    if not isinstance(error, exception.NovaImageException):
        return error
    error.advice = error.advice.replace('import_info',
                                        'nova-image import-info')
    if type(error) is exception.GlanceConnectionFailed and (
            not error.endpoint):
        return _no_keystone(error.reason)
    for kind, advice in _ADVICE:
        if isinstance(error, kind) and '[glance]' in error.advice:
            error.advice = advice
    return error


def _of_keystone(error: Exception) -> Exception:
    """Return our error for an error of keystoneauth."""
    from keystoneauth1 import exceptions as identity

    if isinstance(error, (identity.MissingRequiredOptions,
                          identity.NoMatchingPlugin,
                          identity.OptionError)):
        return Usage('%s. Set the credentials with --os-cloud and '
                     'clouds.yaml or with OS_AUTH_URL, OS_USERNAME and so '
                     'on, or use --os-auth-type none' % error)
    facts: dict[str, typing.Any] = {'reason': error, 'advice': '[glance]'}
    if isinstance(error, identity.CatalogException):
        return exception.GlanceEndpointUnknown(**facts)
    if isinstance(error, (identity.Unauthorized, identity.Forbidden,
                          identity.AuthorizationFailure,
                          identity.MissingAuthPlugin)):
        return exception.Forbidden('Not authorized by Keystone', **facts)
    if isinstance(error, identity.NotFound):
        return Usage('%s. Check that OS_AUTH_URL is the URL of '
                     'Keystone' % error)
    return _no_keystone(error)


def _no_keystone(reason: typing.Any) -> exception.NovaImageException:
    """Return the error for a failed connection to Keystone."""
    return exception.GlanceConnectionFailed(
        'Connection to Keystone failed', reason=reason,
        advice='Check OS_AUTH_URL and that Keystone is running')
