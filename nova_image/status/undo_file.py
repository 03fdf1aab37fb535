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

"""The file with which changes can be undone.

It is JSON, and complete before the first change. It is replaced as a whole,
so it can be read at any time.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import pathlib
import tempfile
import time
import typing

from nova_image.status import fixes

#: the format of the file
VERSION = 1
#: seconds between two writes: a file of many changes takes time
_PAUSE = 0.5
_TEXTS = ('kind', 'image_id', 'part', 'state', 'reason')
_VALUES = ('before', 'after')


class Unusable(Exception):
    """The file cannot be used; the message says why."""


class UndoFile:
    """The file.

    :param path: path of the file
    :param urls: of the cloud
    :param changes: the plan, which changes
    """

    def __init__(self, path: pathlib.Path, urls: list[str],
                 changes: list[fixes.Change]) -> None:
        """Remember what to write."""
        self.path = path
        self.urls = urls
        self.changes = changes
        self._written = 0.0

    def create(self) -> None:
        """Write the file for the first time.

        :raises OSError: if it cannot be written, or exists
        """
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL,
                             0o600))
        except FileExistsError as error:
            raise FileExistsError(
                error.errno, 'the file exists', str(self.path)) from error
        try:
            self.write()
        except BaseException:
            self.path.unlink()
            raise

    def write(self) -> None:
        """Write the file; if its name is a symbolic link, its target.

        :raises OSError: if it cannot be written
        """
        content = json.dumps({
            'nova_image_status_undo': VERSION, 'cloud': self.urls,
            'written_at': datetime.datetime.now(
                datetime.timezone.utc).isoformat(timespec='seconds'),
            'changes': [dataclasses.asdict(one) for one in self.changes],
        }, indent=1)
        target = self.path.resolve()
        # In a folder of several users, others could foresee a fixed name.
        number, hidden = tempfile.mkstemp(prefix='.undo-', dir=target.parent)
        try:
            with open(number, 'w') as stream:
                stream.write(content + '\n')
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(hidden, target)
        finally:
            pathlib.Path(hidden).unlink(missing_ok=True)
        _sync_folder(target.parent)
        self._written = time.monotonic()

    def record(self, change: fixes.Change) -> None:
        """Record what became of a change, unless that was done just now.

        What is not recorded is found out: undoing compares values.
        """
        if time.monotonic() - self._written > _PAUSE:
            self.write()


def load(path: pathlib.Path) -> UndoFile:
    """Return a file that was written.

    :raises OSError: if it cannot be read
    :raises Unusable: if it makes no sense
    """
    try:
        found: typing.Any = json.loads(path.read_text())
        if found['nova_image_status_undo'] != VERSION:
            raise Unusable('%s has another format than this release writes'
                           % path)
        return UndoFile(path, [
            _checked('cloud', url, str) for url in _checked(
                'cloud', found['cloud'], list)], [
            _change(one) for one in _checked(
                'changes', found['changes'], list)])
    except KeyError as error:
        reason = 'it has no %s' % error
    except RecursionError:
        reason = 'it is nested too deeply'
    except (ValueError, TypeError) as error:
        reason = str(error)
    raise Unusable('%s is not an undo file of nova-image-status: %s' % (
        path, reason))


def _change(raw: dict[str, typing.Any]) -> fixes.Change:
    found = {name: _checked(name, raw[name], str) for name in _TEXTS}
    if found['state'] not in fixes.STATES:
        raise ValueError('there is no state %s' % found['state'])
    for name in _VALUES:
        found[name] = _checked(name, raw[name], (str, type(None)))
    return fixes.Change(**found)


def _checked(name: str, value: typing.Any, kind: typing.Any) -> typing.Any:
    """Return a value of the file, whose type must be the right one."""
    if not isinstance(value, kind):
        raise TypeError('the value of %s has the type %s' % (
            name, type(value).__name__))
    return value


def _sync_folder(path: pathlib.Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
