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

"""The curves: what is measured at which points, and with which clients."""

import collections.abc
import contextlib
import typing

from benchmarks.scale import cloud as scale_cloud

_MIB = 1024 ** 2
#: The size in bytes of parallel downloads.
PARALLEL_SIZE = 16 * _MIB
# Requests of a turn, so that it does not end within the noise.
_SHOWS, _PARALLEL_SHOWS, _LISTED = 25, 8, 1000
_API_CLIENTS = ('nova_image', 'Nova', 'glanceclient', 'openstacksdk')

#: A point of a curve: a task of the workers, and the paths of the files that
#: it writes, which must then equal the data of the image.
Task = tuple[dict[str, typing.Any], str | None, list[str]]


class Limits(typing.NamedTuple):
    """The largest points.

    ``size`` is in bytes.
    """

    images: int
    size: int
    parallel: int


class Curve(typing.NamedTuple):
    """A cost that grows with something.

    :ivar name: its name in options and files
    :ivar title: its title in plots
    :ivar axis: what grows, as the label of an axis
    :ivar unit: one of what grows, in the cost of each
    :ivar points: how much of it is measured, ascending
    :ivar contenders: the clients that can do it
    :ivar workers: the number of Glance's processes
    :ivar task: returns a context manager with the Task of a point
    """

    name: str
    title: str
    axis: str
    unit: str
    points: tuple[int, ...]
    contenders: tuple[str, ...]
    workers: int
    task: collections.abc.Callable[
        [scale_cloud.Cloud, int], contextlib.AbstractContextManager[Task]]

    def within(self, limits: Limits) -> list[int]:
        """Return the points that are not above the limits."""
        most = {'list': limits.images, 'download': limits.size // _MIB,
                'shows': limits.parallel, 'downloads': limits.parallel}
        return [x for x in self.points if x <= most.get(self.name, x)]


@contextlib.contextmanager
def _list(cloud: scale_cloud.Cloud, images: int
          ) -> collections.abc.Iterator[Task]:
    cloud.grow(images)
    times = max(1, min(10, _LISTED // images))
    yield {'task': 'listing', 'images': images, 'times': times}, None, []


@contextlib.contextmanager
def _show(cloud: scale_cloud.Cloud, properties: int
          ) -> collections.abc.Iterator[Task]:
    image_id = cloud.add(properties)
    yield {'task': 'show', 'image_id': image_id, 'times': _SHOWS}, None, []
    cloud.remove(image_id)


@contextlib.contextmanager
def _download(cloud: scale_cloud.Cloud, mebibytes: int
              ) -> collections.abc.Iterator[Task]:
    image_id, path = cloud.add_data(mebibytes * _MIB), cloud.path(0)
    yield {'task': 'download', 'image_id': image_id,
           'path': path}, image_id, [path]
    cloud.remove(image_id)


@contextlib.contextmanager
def _shows(cloud: scale_cloud.Cloud, threads: int
           ) -> collections.abc.Iterator[Task]:
    image_id = cloud.add(scale_cloud.PROPERTIES)
    yield {'task': 'shows', 'image_id': image_id, 'threads': threads,
           'times': _PARALLEL_SHOWS}, None, []
    cloud.remove(image_id)


@contextlib.contextmanager
def _downloads(cloud: scale_cloud.Cloud, threads: int
               ) -> collections.abc.Iterator[Task]:
    image_id = cloud.add_data(PARALLEL_SIZE)
    paths = [cloud.path(number) for number in range(threads)]
    yield {'task': 'downloads', 'image_id': image_id,
           'paths': paths}, image_id, paths
    cloud.remove(image_id)


_THREADS = 1, 2, 4, 8, 16, 32, 64
#: The curves in the order of measurement, those of the same cloud together.
CURVES = {curve.name: curve for curve in (
    Curve('show', 'Show an image', 'properties of the image', 'property',
          (1, 3, 10, 30, 100, 300, 1000), _API_CLIENTS, 1, _show),
    Curve('list', 'List all images', 'images', 'image',
          (10, 30, 100, 300, 1000, 3000, 10000, 20000, 50000, 100000,
           200000), _API_CLIENTS, 1, _list),
    Curve('shows', 'Show an image in parallel', 'threads', 'thread',
          _THREADS, _API_CLIENTS, 2, _shows),
    Curve('download', 'Download an image to a file', 'MiB', 'MiB',
          (1, 4, 16, 64, 256, 1024, 4096, 16384),
          (*_API_CLIENTS, 'curl'), 2, _download),
    Curve('downloads', 'Download 16 MiB to files in parallel', 'threads',
          'thread', _THREADS, _API_CLIENTS, 2, _downloads),
)}
