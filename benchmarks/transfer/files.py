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

"""Writes, reads and compares large files."""

import contextlib
import pathlib
import random

_BLOCK = 1024 ** 2


def make(path: pathlib.Path, size: int) -> None:
    """Write a file that does not compress and has no two equal blocks.

    :param path: the file
    :param size: the size in bytes
    """
    block = bytearray(random.Random(size).randbytes(_BLOCK))
    with open(path, 'wb') as stream:
        for start in range(0, size, _BLOCK):
            block[:8] = start.to_bytes(8, 'little')
            stream.write(memoryview(block)[:size - start])


def read(path: pathlib.Path) -> None:
    """Read a file into the page cache."""
    with open(path, 'rb', buffering=0) as stream:
        buffer = bytearray(_BLOCK)
        while stream.readinto(buffer):
            pass


def equal(first: pathlib.Path, second: pathlib.Path) -> bool:
    """Return whether two files exist and have the same content."""
    with contextlib.suppress(FileNotFoundError), \
            open(first, 'rb') as one, open(second, 'rb') as other:
        while (block := one.read(_BLOCK)) == other.read(_BLOCK):
            if not block:
                return True
    return False
