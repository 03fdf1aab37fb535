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

"""The speeds of this machine that limit verified transfers."""

import hashlib
import os
import pathlib
import tempfile
import time
import typing

_MIB = 1024 ** 2
_PIECE = 4 * _MIB
# What is hashed, and what is written, in pieces.
_HASHED, _WRITTEN = 32, 64
_ROUNDS = 3


class Speeds(typing.NamedTuple):
    """Speeds in bytes per second.

    ``sha512`` is that of one core, ``disk`` that of writing a file and
    flushing it.
    """

    sha512: float
    disk: float

    def hashing(self, size: int) -> float:
        """Return the seconds in which one core hashes an image."""
        return size / self.sha512

    def __str__(self) -> str:
        """Return a line for the report."""
        return ('SHA-512 on one core: %.0f MiB/s; write and fsync: %.0f MiB/s'
                % (self.sha512 / _MIB, self.disk / _MIB))


def measure(folder: pathlib.Path) -> Speeds:
    """Measure the speeds; the best of several rounds.

    :param folder: a folder on the disk
    """
    piece = os.urandom(_PIECE)
    return Speeds(max(_hash(piece) for _ in range(_ROUNDS)),
                  max(_write(piece, folder) for _ in range(_ROUNDS)))


def _hash(piece: bytes) -> float:
    hasher = hashlib.sha512()
    began = time.thread_time()
    for _ in range(_HASHED):
        hasher.update(piece)
    return _HASHED * len(piece) / (time.thread_time() - began)


def _write(piece: bytes, folder: pathlib.Path) -> float:
    with tempfile.TemporaryFile(dir=folder, buffering=0) as stream:
        began = time.perf_counter()
        for _ in range(_WRITTEN):
            stream.write(piece)
        os.fsync(stream.fileno())
        return _WRITTEN * len(piece) / (time.perf_counter() - began)
