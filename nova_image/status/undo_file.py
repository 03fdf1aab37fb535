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

import dataclasses
import datetime
import json
import os
import pathlib
import time
import typing

from nova_image.status import fixes

#: the format of the file
VERSION = 1
#: seconds between two writes: a file of many changes takes time
_PAUSE = 0.5
_FIELDS = ('kind', 'image_id', 'part', 'before', 'after', 'state', 'reason')


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
        if os.path.lexists(self.path):
            raise FileExistsError(17, 'the file exists', str(self.path))
        self.write()

    def write(self) -> None:
        """Write the file."""
        content = json.dumps({
            'nova_image_status_undo': VERSION, 'cloud': self.urls,
            'written_at': datetime.datetime.now(
                datetime.timezone.utc).isoformat(timespec='seconds'),
            'changes': [dataclasses.asdict(one) for one in self.changes],
        }, indent=1)
        hidden = self.path.with_name('.%s.%d' % (self.path.name, os.getpid()))
        try:
            with open(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                              0o600), 'w') as stream:
                stream.write(content + '\n')
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(hidden, self.path)
        finally:
            hidden.unlink(missing_ok=True)
        self._sync_folder()
        self._written = time.monotonic()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

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
        return UndoFile(path, [str(url) for url in found['cloud']], [
            _change(one) for one in found['changes']])
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable('%s is not an undo file of nova-image-status: %s' % (
            path, error)) from error


def _change(raw: dict[str, typing.Any]) -> fixes.Change:
    return fixes.Change(**{name: raw[name] for name in _FIELDS})
