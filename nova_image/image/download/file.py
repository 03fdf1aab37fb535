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


"""Direct downloads from ``file:`` URLs: stores of Glance mounted here.

Only from the folders in ``[glance] direct_file_roots``, after symbolic links
are resolved.
"""

import functools
import os
import stat

from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import download
from nova_image.image.transfer import file_copy
from nova_image.image.transfer import native
from nova_image.image import values

# A flag of open() that Python 2.7 does not name.
_O_CLOEXEC = getattr(os, 'O_CLOEXEC', 0o2000000)
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | _O_CLOEXEC


class FileHandler(download.Handler):
    """Copies files from the allowed folders."""

    @classmethod
    def enabled(cls, conf):
        """Return whether any folder is allowed."""
        return bool(conf.glance.direct_file_roots)

    def copy(self, url, output, check):
        """Copy the file at a URL. See Handler."""
        native.run(functools.partial(self._copy, url), output, check)

    def _copy(self, url, target, check):
        source = self._open(url)
        try:
            file_copy.FileCopy(source, target, check, url).run()
        finally:
            os.close(source)

    def _open(self, url):
        """Return a descriptor of the file at a URL.

        The path is checked again once the file is open: any part of it may
        have become a symbolic link since it was resolved.
        """
        try:
            path = os.path.realpath(_path_of(url))
            self._require_allowed(path, url)
            number = os.open(path, _FLAGS)
        except (IOError, OSError) as error:
            raise _unavailable(url, 'it cannot be opened: %s' % (
                os.strerror(error.errno)))
        try:
            self._require_allowed(
                os.readlink('/proc/self/fd/%d' % number), url)
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise _unavailable(url, 'it is not a regular file')
        except BaseException:
            os.close(number)
            raise
        return number

    def _require_allowed(self, path, url):
        for root in self.conf.glance.direct_file_roots:
            # A relative one would depend on the service's working directory.
            if os.path.isabs(root) and path.startswith(
                    os.path.join(os.path.realpath(root), '')):
                return
        raise _unavailable(
            url, 'it is not in a folder that [glance] direct_file_roots '
            'allows')


def _path_of(url):
    """Return the absolute path in a URL."""
    parts = parse.urlsplit(url)
    path = values.percent_decoded(parts.path)
    if (parts.scheme != 'file' or parts.netloc not in ('', 'localhost')
            or parts.query or parts.fragment
            or not os.path.isabs(path) or '\0' in path):
        raise _unavailable(url, 'it is not the URL of a file on this host')
    return path


def _unavailable(url, reason):
    return exception.ImageDownloadUnavailable(
        action='direct download', endpoint=url, reason=reason)
