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


"""Paths of destinations: links followed as the kernel would follow them.

In a folder like /tmp anybody may create a link with the name of a file that
somebody else will write. The kernel does not follow such a link, nor open
such a file (fs.protected_symlinks, protected_regular and protected_fifos).
Programs that resolve paths themselves would, so that the rule is applied here
whatever the host's settings are.
"""

import errno
import os
import re
import stat
import sys

import six

#: bytes of the longest name of a file, if the file system does not tell
_NAME_MAX = 255
#: the most links in one path, as in the kernel
_LINKS = 40
#: the errors of a folder that may not be read, or has no such call
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP,
               errno.EINVAL)
_DESCRIPTOR = re.compile(r'^/proc/(\d+)/(?:task/\d+/)?fd/(\d+)$')


def text_of(path):
    """Return any kind of path as a str.

    :param path: str, bytes or os.PathLike; on Python 2.7 also unicode, which
        stays as it is
    """
    return os.fsdecode(path) if hasattr(os, 'fsdecode') else path


def resolve(path):
    """Return a path without symbolic links; its end need not exist.

    A path like /dev/stdout ends at the link below /proc that stands for the
    open file.

    :raises OSError: if a link must not be followed, or there are too many
    """
    current, links = '/', 0
    parts = os.path.join(os.getcwd(), path).split('/')[::-1]
    while parts:
        name = parts.pop()
        if name in ('', os.curdir, os.pardir):
            if name == os.pardir:
                current = os.path.dirname(current)
            continue
        here = os.path.join(current, name)
        target = _target_of(here, parts)
        if target is None:
            current = here
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if os.path.isabs(target):
            current = '/'
        parts += target.split('/')[::-1]
    return current


def _target_of(path, rest):
    """Return where a link points to; None if it is none, or not followed."""
    try:
        status = os.lstat(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
    if not stat.S_ISLNK(status.st_mode):
        return None
    if _DESCRIPTOR.match(path) and not any(rest):
        return None
    if not _is_trusted(path, status):
        raise _refused(path, 'The link')
    return os.readlink(path)


def descriptor_of(path):
    """Return the open file that a resolved path stands for.

    :returns: its descriptor if it is one of this process; -1 if it is one of
        another process; None if the path is any other
    """
    match = _DESCRIPTOR.match(path)
    if match is None:
        return None
    process, number = match.groups()
    return int(number) if int(process) == os.getpid() else -1


def require_trusted(path):
    """Check that an existing file may be written to, or replaced.

    :param path: a resolved path, at which there need not be a file
    :raises OSError: if somebody else may have put it there
    """
    status = status_of(path)
    if status is not None and not _is_trusted(path, status) and (
            stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
        raise _refused(path, 'The file')


def trusted_file(path):
    """Return the os.stat_result of an existing regular file.

    :param path: a resolved path
    :returns: None if there is none, or if somebody else may have put it there
    """
    status = status_of(path)
    if status is None or not stat.S_ISREG(status.st_mode) or (
            not _is_trusted(path, status)):
        return None
    return status


def status_of(path):
    """Return the os.stat_result at a path, or None if nothing is there."""
    try:
        return os.lstat(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None


def cut_name(name, folder, more):
    """Return the name of a file, cut if it is too long.

    :param name: the name
    :param folder: path of the folder
    :param more: how many bytes there must be room for
    """
    try:
        longest = os.pathconf(folder, 'PC_NAME_MAX')
    except (OSError, ValueError):
        longest = _NAME_MAX
    while len(_bytes_of(name)) > longest - more:
        name = name[:-1]
    return name


def _bytes_of(name):
    if isinstance(name, bytes):
        return name
    return name.encode(sys.getfilesystemencoding() or 'utf-8',
                       'replace' if six.PY2 else 'surrogateescape')


def names_in(folder):
    """Return the names in a folder; none if it may not be read."""
    try:
        return os.listdir(folder)
    except OSError as error:
        if error.errno not in _UNREADABLE:
            raise
        return []


def room_in(folder):
    """Return how many bytes there is room for; None if that is unknown.

    Some user-space file systems do not answer, or have no blocks at all.
    """
    try:
        there = os.statvfs(folder)
    except OSError as error:
        if error.errno not in _UNREADABLE:
            raise
        return None
    return there.f_bavail * there.f_frsize if there.f_blocks else None


def _is_trusted(path, status):
    """Return whether its owner may decide what is at a path."""
    folder = os.lstat(os.path.dirname(path))
    everybody = stat.S_ISVTX | stat.S_IWOTH
    return folder.st_mode & everybody != everybody or (
        status.st_uid in (os.geteuid(), folder.st_uid))


def _refused(path, what):
    return OSError(
        errno.EACCES, '%s belongs to another user, in a folder that everybody '
        'may write to' % what, path)
