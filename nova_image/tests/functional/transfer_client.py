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

"""Makes transfers for tests, in their process or in a separate one.

An order and the report on it are dicts that JSON can represent. As a program,
this module reads an order from each line of its input, so that a test can kill
it; with ``--eventlet`` it is monkey-patched first, like Nova's services. It
needs nova_image, but nothing of the tests.

Keys of an order: ``url`` of Glance, ``options`` of ``[glance]``, ``longest``
(the maximum of seconds that a wait really takes), ``action`` and its
parameters: see the functions in _ACTIONS.
"""

import collections.abc
import contextlib
import gc
import hashlib
import io
import json
import os
import resource
import sys
import threading
import time
import types
import typing
from unittest import mock

if '--eventlet' in sys.argv:
    import eventlet
    eventlet.monkey_patch()

from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image import exception
from nova_image.image import driver
from nova_image.image import endpoint
from nova_image.image import offload
from nova_image.image.transfer import distance
from nova_image.image.transfer import parallel
from nova_image.image.transfer import parts

Order = dict[str, typing.Any]
Report = dict[str, typing.Any]
Wait = collections.abc.Callable[[float], typing.Any]

#: bytes of a part that one of several connections downloads
PART = 1024 ** 2
# seconds between two ticks
_TICK = 0.005
# seconds in which a joined thread disappears
_ENDING = 5


def perform(order: Order, wait: Wait | None = None,
            progress: collections.abc.Callable[..., None] | None = None
            ) -> Report:
    """Make one transfer.

    :param order: see the docstring of the module
    :param wait: called at each wait, with the seconds
    :param progress: an argument of download()
    :returns: ``error`` and its ``text``, whether nova_image raised it
        (``ours``) and whether the image is the reason (``unacceptable``);
        ``waits`` in seconds; whether it ran on ``eventlet``; ``threads`` and
        ``files`` that were left open; the results of the action
    """
    threads, waits = _threads(), typing.cast(list[float], [])
    report: Report = {'error': None, 'text': '', 'waits': waits}

    def note(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(min(seconds, order.get('longest', 0)))
        if wait is not None:
            wait(seconds)

    try:
        image = driver.load(_conf(order), sleep=note)
        # Another server may have used this port before.
        endpoint._KNOWLEDGE.clear()
        with _distance(order['options']):
            report.update(_ACTIONS[order['action']](image, order, progress))
    except Exception as error:
        report.update(
            error=type(error).__name__, text=str(error),
            ours=isinstance(error, exception.NovaImageException),
            unacceptable=isinstance(error, exception.ImageUnacceptable))
    image = None
    gc.collect()  # sessions and their connections are in cycles
    report['eventlet'] = offload.on_eventlet()
    report['threads'] = sorted(_left(threads))
    report['files'] = _open_files(order.get('path'))
    return report


@contextlib.contextmanager
def _distance(options: dict[str, typing.Any]
              ) -> collections.abc.Iterator[None]:
    """Let a download use several connections as if Glance were far away.

    It does if ``options`` name more than one connection.
    """
    with contextlib.ExitStack() as stack:
        if options.get('download_connections', 1) > 1:
            for module, values in (
                    (distance, {'FAR': 0, 'MEASURED': 0, 'WORTH': 0, 'GAIN': 0,
                                '_LEAST': 0, '_WAITING': 0,
                                'WINDOW': float('inf')}),
                    (parallel, {'GAP': PART}), (parts, {'PART': PART})):
                stack.enter_context(mock.patch.multiple(module, **values))
        yield


def _open_files(path: str | None) -> list[str]:
    """Return the files in a path's folder that this process has open."""
    found = []
    for number in os.listdir('/proc/self/fd') if path else ():
        with contextlib.suppress(OSError):
            found.append(os.readlink('/proc/self/fd/' + number))
    return [one for one in found if one.startswith(os.path.dirname(path))]


def _conf(order: Order) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf([], project='nova_image', default_config_files=[],
         default_config_dirs=[])
    nova_image_conf.register_opts(conf)
    for name, value in order['options'].items():
        conf.set_override(name, value, 'glance')
    conf.set_override('api_servers', [order['url']], 'glance')
    return conf


def _threads() -> set[str]:
    if offload.on_eventlet():
        offload.call(int)  # eventlet's own threads stay once they exist
        return set(os.listdir('/proc/self/task'))
    return {'%s %s' % (one.name, one.ident) for one in threading.enumerate()
            if not one.name.startswith('faulty-proxy')}


def _left(before: set[str]) -> set[str]:
    """Return the threads that were started since, and do not end.

    The system still lists a native thread for a moment after it was joined. A
    connection that waits for an answer cannot be shut down before it comes.
    """
    until = time.monotonic() + _ENDING
    while _threads() - before and time.monotonic() < until:
        time.sleep(_TICK)
    return _threads() - before


def _context(order: Order) -> typing.Any:
    return types.SimpleNamespace(
        project_id=order.get('project', 'a-project'), user_id='a-user',
        roles=('member', 'reader'), is_admin=False, auth_token=None,
        service_catalog=None, global_id=None)


class _Pipe:
    """A file object that cannot seek.

    :ivar value: the bytes written to it
    """

    def __init__(self, data: bytes = b'') -> None:
        self.value = bytearray()
        self._data = io.BytesIO(data)

    def write(self, piece: bytes) -> int:
        """Append bytes to ``value``."""
        self.value += piece
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        """Return bytes of the data."""
        return self._data.read(size)


def _download(image: driver.ImageDriver, order: Order,
              progress: collections.abc.Callable[..., None] | None) -> Report:
    """Download ``image`` to ``to``.

    ``to`` is ``file`` (at ``path``), ``object`` (can seek), ``pipe`` (cannot
    seek) or ``stream`` (abandoned after ``leave`` bytes). After ``full``
    bytes the disk is full: the file ``ballast`` takes all free space, or a
    limit of the process simulates it.

    :returns: the ``digest`` of the data, except for a file
    """
    if order['to'] == 'stream':
        return _read_stream(image, order)
    target = {'object': io.BytesIO, 'pipe': _Pipe}.get(
        order['to'], lambda: None)()
    with _disk_filler(order) as fill:
        def both(*facts: typing.Any) -> None:
            fill(facts[0])
            if progress is not None:
                progress(*facts)

        image.download(_context(order), order['image'], target,
                       order.get('path'), progress=both)
    if target is None:
        return {}
    came = target.value if order['to'] == 'pipe' else target.getvalue()
    return {'digest': hashlib.sha256(came).hexdigest()}


def _read_stream(image: driver.ImageDriver, order: Order) -> Report:
    came, leave = hashlib.sha256(), order.get('leave')
    stream = image.download(_context(order), order['image'])
    seen = 0
    for chunk in stream:
        came.update(chunk)
        seen += len(chunk)
        if leave is not None and seen >= leave:
            return {'left': True}
    return {'digest': came.hexdigest()}


@contextlib.contextmanager
def _disk_filler(order: Order) -> collections.abc.Iterator[
        collections.abc.Callable[[int], None]]:
    """Yield a function that fills the disk once ``full`` bytes are done.

    The function takes the number of bytes done so far.
    """
    at, ballast = order.get('full'), order.get('ballast')
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(done: int) -> None:
        if at is not None and done >= at:
            if ballast is None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (done, limits[1]))
            elif not os.path.exists(ballast):
                _fill_disk(ballast)

    try:
        if at is not None and at < 0:
            fill(0)
        yield fill
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        if ballast is not None and os.path.exists(ballast):
            os.unlink(ballast)


def _fill_disk(ballast: str) -> None:
    there = os.statvfs(os.path.dirname(ballast))
    with open(ballast, 'wb') as stream:
        room = there.f_bavail * there.f_frsize
        if room:
            os.posix_fallocate(stream.fileno(), 0, room)


def _source(order: Order) -> typing.Any:
    with open(order['source'], 'rb') as stream:
        data = stream.read()
    pieces = [data[start:start + 100000]
              for start in range(0, len(data), 100000)]
    return {'bytes': lambda: data, 'file': lambda: io.BytesIO(data),
            'pipe': lambda: _Pipe(data), 'list': lambda: pieces,
            'iterator': lambda: iter(pieces)}[order['from']]()


def _create(image: driver.ImageDriver, order: Order,
            progress: typing.Any) -> Report:
    """Create an image with ``meta`` from ``source``, passed as ``from``.

    :returns: its ID (``image``), ``status`` and ``size``
    """
    made = image.create(_context(order), dict(order['meta']), _source(order),
                        id_is_new=True)
    return {'image': made['id'], 'status': made['status'],
            'size': made['size']}


def _update(image: driver.ImageDriver, order: Order,
            progress: typing.Any) -> Report:
    """Upload the data of ``image``; the rest is the same as for _create."""
    made = image.update(_context(order), order['image'], {}, _source(order),
                        purge_props=False)
    return {'image': made['id'], 'status': made['status'],
            'size': made['size']}


def _tick(image: driver.ImageDriver, order: Order,
          progress: typing.Any) -> Report:
    """Download while another greenthread ticks.

    :returns: the number of ``ticks``; ``gap``, the longest time between two
        ticks, in seconds; ``own``, the same without the time in which this
        process was ready to run but the kernel ran others
    """
    ticks: list[tuple[float, float]] = []
    ended = threading.Event()

    def tick() -> None:
        while not ended.is_set():
            ticks.append((time.monotonic(), _delayed()))
            time.sleep(_TICK)

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        report = _download(image, order, progress)
    finally:
        ended.set()
        ticker.join()
    gaps = [(second[0] - first[0], second[1] - first[1])
            for first, second in zip(ticks, ticks[1:], strict=False)]
    return report | {
        'ticks': len(ticks), 'gap': max(gap for gap, _ in gaps),
        'own': max(gap - delay for gap, delay in gaps)}


def _delayed() -> float:
    """Return how many seconds the main thread was ready but not running."""
    with contextlib.suppress(OSError):
        with open('/proc/self/schedstat') as stat:
            return int(stat.read().split()[1]) / 1e9
    return 0.0


_ACTIONS = {'download': _download, 'create': _create, 'update': _update,
            'tick': _tick}


def main() -> None:
    """Read orders, one on each line, and print a line of report on each."""
    for line in sys.stdin:
        print(json.dumps(perform(json.loads(line))), flush=True)


if __name__ == '__main__':
    main()
