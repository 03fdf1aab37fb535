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

"""What earlier runs have learned, in a file.

The truth is in the two Glances. The journal saves work: it remembers the
hashes of data that a source has no hash of, when members were compared, and
what failed. A lost journal costs requests, not images.
"""

from __future__ import annotations

import collections.abc
import contextlib
import datetime
import json
import os
import sqlite3
import threading
import time
import typing

from nova_image.replication import record as records
from nova_image.replication import results

_SCHEMA = """
CREATE TABLE IF NOT EXISTS images (
    pair TEXT NOT NULL, image TEXT NOT NULL, copy TEXT,
    result TEXT, reason TEXT, attempts INTEGER NOT NULL DEFAULT 0,
    hashes TEXT NOT NULL DEFAULT '{}', members TEXT, sent INTEGER,
    changed REAL, PRIMARY KEY (pair, image));
"""


class Journal:
    """The journal of all pairs of ends; several processes may share it.

    :param path: of the file, which is created with its folder; ':memory:'
        for one that ends with the process
    :raises OSError: if it cannot be opened
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._path = path
        try:
            if path != ':memory:':
                os.makedirs(os.path.dirname(os.path.abspath(path)),
                            mode=0o700, exist_ok=True)
            self._file = sqlite3.connect(
                path, timeout=60, isolation_level=None,
                check_same_thread=False)
            self._file.execute('PRAGMA journal_mode=WAL')
            self._file.execute('PRAGMA synchronous=NORMAL')
            self._file.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise OSError(None, 'Not a journal: %s' % error, path) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def pair(self, source: str, target: str) -> 'PairJournal':
        """Return the part about two ends.

        :param source: title of the source
        :param target: title of the target
        """
        return PairJournal(self, '%s %s' % (source, target))

    @contextlib.contextmanager
    def cursor(self) -> collections.abc.Iterator[sqlite3.Connection]:
        """Yield the connection, for one thread at a time.

        :raises OSError: if a statement fails
        """
        try:
            with self._lock:
                yield self._file
        except sqlite3.Error as error:
            raise OSError(None, 'The journal cannot be used: %s' % error,
                          self._path) from error


class PairJournal:
    """The journal of one source and one target."""

    def __init__(self, journal: Journal, pair: str) -> None:
        self._journal = journal
        self._pair = pair

    def known(self) -> dict[str, 'Known']:
        """Return {ID at the source: Known} of all images."""
        with self._journal.cursor() as cursor:
            return {row[0]: Known(json.loads(row[1]), row[2], row[3])
                    for row in cursor.execute(
                        'SELECT image, hashes, members, copy FROM images '
                        'WHERE pair = ?', (self._pair,))}

    def add(self, outcome: results.Outcome) -> None:
        """Remember what became of an image.

        Hashes of an earlier run remain if this one has read no data.
        """
        row = {'pair': self._pair, 'image': outcome.image.id,
               'copy': outcome.target_id if (
                   outcome.result is results.Result.COPIED) else None,
               'result': outcome.result.value, 'reason': outcome.reason,
               'hashes': json.dumps(dict(outcome.hashes), sort_keys=True),
               'members': outcome.moment, 'sent': outcome.sent,
               'changed': time.time()}
        with self._journal.cursor() as cursor:
            cursor.execute("""
                INSERT INTO images (pair, image, copy, result, reason,
                    attempts, hashes, members, sent, changed)
                VALUES (:pair, :image, :copy, :result, :reason, 1,
                    :hashes, :members, :sent, :changed)
                ON CONFLICT (pair, image) DO UPDATE SET
                    copy = coalesce(:copy, copy), result = :result,
                    reason = :reason, attempts = attempts + 1,
                    hashes = CASE :hashes WHEN '{}' THEN hashes
                        ELSE :hashes END,
                    members = :members, sent = :sent, changed = :changed
                """, row)


class Known(typing.NamedTuple):
    """What is known of an image.

    :ivar hashes: of the data that was read at the source
    :ivar members: moment() when the members were the same
    :ivar copy: ID of the image at the target that a run has created
    """

    hashes: dict[str, str]
    members: str | None
    copy: str | None


def moment(source: records.Record, target: records.Record) -> str:
    """Return what changes if an image or its replica is changed.

    Not all answers about an image of v1 have the fraction of the second, and
    v2 has none.
    """
    return '%s %s %s' % (_seconds(source.updated_at), target.id,
                         _seconds(target.updated_at))


def _seconds(time: datetime.datetime | None) -> str:
    return time.replace(microsecond=0).isoformat() if time else 'never'
