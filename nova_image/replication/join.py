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

"""Finds the replica of each image in two listings, as they arrive."""

from __future__ import annotations

import collections.abc
import typing

from nova_image.replication import record as records

_Records = collections.abc.Iterable[records.Record]


class Pair(typing.NamedTuple):
    """An image and its replica, or one of them."""

    source: records.Record | None
    target: records.Record | None


def paired(sources: _Records, targets: _Records
           ) -> collections.abc.Iterator[Pair]:
    """Yield each image of both listings once.

    An image of the target is the replica of the source that its marker names,
    otherwise of the one with its ID. Pairs are yielded as soon as both have
    arrived, and the others as soon as the other listing has ended. Only
    images that are far apart in the listings take memory.

    :param sources: the images of the source
    :param targets: the images of the target
    """
    waiting: tuple[dict[str, records.Record], dict[str, records.Record]] = (
        {}, {})
    streams: list[tuple[int, collections.abc.Iterator[records.Record]]] = [
        (0, iter(sources)), (1, iter(targets))]
    while streams:
        side, stream = streams.pop(0)
        found = next(stream, None)
        if found is None:
            for left in _taken(waiting[1 - side]):
                yield _alone(1 - side, left)
            continue
        image = records.lean(found)
        streams.append((side, stream))
        key = image.id if side == 0 else image.replica_of or image.id
        other = waiting[1 - side].pop(key, None)
        if other is None and len(streams) == 1:
            yield _alone(side, image)
        elif other is None:
            previous = waiting[side].pop(key, None)
            waiting[side][key] = image
            if previous is not None:
                yield _alone(side, previous)
        else:
            yield Pair(image, other) if side == 0 else Pair(other, image)


def _taken(images: dict[str, records.Record]
           ) -> collections.abc.Iterator[records.Record]:
    """Take all images out of a dict, one by one, the oldest first."""
    for key in list(images):
        yield images.pop(key)


def _alone(side: int, image: records.Record) -> Pair:
    return Pair(image, None) if side == 0 else Pair(None, image)
