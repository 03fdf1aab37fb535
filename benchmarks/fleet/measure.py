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

"""Measures a real Glance: what the simulated one is made of.

One worker process of Glance 33 on MariaDB, with as many images as the
simulation has, and a client that makes one request at a time.
"""

import collections
import collections.abc
import concurrent.futures
import contextlib
import datetime
import hashlib
import http.client
import json
import os
import statistics
import time
import typing
import urllib.parse
import uuid

from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests import fixtures
from nova_image.tests.fixtures import nova_virtualenv

_HEADERS = {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'benchmark',
            'X-Project-Id': 'benchmark', 'X-Roles': 'admin,member,reader',
            'Content-Type': 'application/json'}
_PATCH = 'application/openstack-images-v2.1-json-patch'
_MARKER = 'nova_image_replica_of'
_MIB = 1024 ** 2
_TICKS = os.sysconf('SC_CLK_TCK')
#: MariaDB keeps the tables in memory, as the database of a cloud does.
_POOL = 'SET GLOBAL innodb_buffer_pool_size = 4294967296;'
#: The images of the listing: 8 properties, as snapshots have them.
_FILL = """
USE glance; SET unique_checks = 0; SET foreign_key_checks = 0;
SET SESSION sql_log_bin = 0;
CREATE TEMPORARY TABLE ids (n INT PRIMARY KEY, id CHAR(36));
INSERT INTO ids SELECT seq, uuid() FROM seq_1_to_{images};
INSERT INTO images (id, name, size, status, created_at, updated_at, deleted,
    disk_format, container_format, checksum, owner, min_disk, min_ram,
    protected, visibility, os_hidden, os_hash_algo, os_hash_value)
  SELECT id, concat('snapshot-', n), n, 'active',
    date_add('2020-01-01', interval n minute),
    date_add('2020-01-01', interval n minute), 0, 'qcow2', 'bare', md5(n),
    md5(n % 5000), 20, 0, 0, 'shared', 0, 'sha512', sha2(n, 512) FROM ids;
INSERT INTO image_locations (image_id, value, created_at, updated_at, deleted,
    meta_data, status)
  SELECT id, concat('file:///images/', id), '2020-01-01', '2020-01-01', 0,
    '{{"store": "fast"}}', 'active' FROM ids;
INSERT INTO image_properties (image_id, name, value, created_at, updated_at,
    deleted)
  SELECT id, concat('property_', p.seq), concat('value-', n % 7),
    '2020-01-01', '2020-01-01', 0 FROM ids, seq_1_to_8 AS p;
ANALYZE TABLE images, image_locations, image_properties;
"""


class _Virtualenv(nova_virtualenv.NovaVirtualenv):
    """A virtualenv with Glance and PyMySQL."""

    def _complete(self, log: typing.Any) -> None:
        """Add nothing to the packages."""


class Client:
    """A connection to a Glance, and what its requests took.

    :ivar failures: {method and answer: number of unexpected ones}
    :ivar requests: number of all requests
    """

    def __init__(self, url: str, pids: collections.abc.Callable[
            [], list[int]]) -> None:
        parts = urllib.parse.urlsplit(url)
        self._server = http.client.HTTPConnection(
            parts.hostname or '', parts.port, timeout=600)
        self._pids = pids
        self.failures: collections.Counter[str] = collections.Counter()
        self.requests = 0

    def call(self, method: str, path: str, body: typing.Any = None,
             status: int = 200, **headers: str) -> typing.Any:
        """Make a request, and return the body of the answer."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.requests += 1
        try:
            self._server.request(method, path, body, dict(
                _HEADERS, **{name.replace('_', '-'): value
                             for name, value in headers.items()}))
            answer = self._server.getresponse()
            found = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._server.close()
            self.failures['%s %s' % (method, type(error).__name__)] += 1
            return None
        if answer.status != status:
            self.failures['%s %d' % (method, answer.status)] += 1
        return json.loads(found) if found[:1] == b'{' else found

    def time(self, times: int, make: collections.abc.Callable[
            [int], object]) -> dict[str, typing.Any]:
        """Return the quantiles of the wall clock and the mean of the CPU.

        :param make: makes one request; called with a number
        :returns: seconds
        """
        make(-1)
        walls, before = [], self._cpu()
        for number in range(times):
            began = time.perf_counter()
            make(number)
            walls.append(time.perf_counter() - began)
        cpu = (self._cpu() - before) / times
        cuts = statistics.quantiles(walls, n=20, method='inclusive')
        return {'count': times, 'cpu': round(cpu, 5), 'wall': [
            round(one, 5) for one in (min(walls), *cuts, max(walls))]}

    def _cpu(self) -> float:
        """Return the CPU time of the servers in seconds."""
        total = 0
        for pid in self._pids():
            with contextlib.suppress(OSError), open(
                    '/proc/%d/stat' % pid) as stat:
                fields = stat.read().rpartition(')')[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / _TICKS


def _body(image_id: str) -> dict[str, typing.Any]:
    """Return the image to create, as the end of a replication does."""
    return {'id': image_id, 'name': 'replica', 'visibility': 'shared',
            'disk_format': 'raw', 'container_format': 'bare', 'min_disk': 20,
            'min_ram': 0, 'tags': [], _MARKER: image_id, **{
                'property_%d' % number: 'value' for number in range(8)}}


def _writes(client: Client, times: int) -> dict[str, typing.Any]:
    """Measure the requests of one replica, of 64 KiB."""
    ids = [str(uuid.uuid4()) for _ in range(times + 1)]
    data = os.urandom(64 * 1024)
    patch = [{'op': 'replace', 'path': '/protected', 'value': False},
             {'op': 'replace', 'path': '/visibility', 'value': 'public'}]
    path = '/v2/images/%s'
    return {
        'missing': client.time(times, lambda number: client.call(
            'GET', path % ids[number], status=404)),
        'create': client.time(times, lambda number: client.call(
            'POST', '/v2/images', _body(ids[number]), 201)),
        'members': client.time(times, lambda number: client.call(
            'GET', path % ids[number] + '/members')),
        'upload': client.time(times, lambda number: client.call(
            'PUT', path % ids[number] + '/file', data, 204,
            Content_Type='application/octet-stream')),
        'show': client.time(times, lambda number: client.call(
            'GET', path % ids[number])),
        'download': client.time(times, lambda number: client.call(
            'GET', path % ids[number] + '/file')),
        'change': client.time(times, lambda number: client.call(
            'PATCH', path % ids[number], patch, Content_Type=_PATCH))}


def _listing(client: Client, times: int, images: int,
             order: str = '') -> dict[str, typing.Any]:
    """Measure pages of 1000 images, from the first on.

    :param order: the part of the query that says in which order they are
    """
    following = ['/v2/images?limit=1000&visibility=all' + order]
    counts = []

    def page(number: int) -> None:
        answer = client.call('GET', following[0])
        counts.append(len(answer['images']))
        following[0] = answer['next']

    found = client.time(min(times, images // 1000 - 3), page)
    if set(counts) != {1000}:
        raise race.Broken('A page has not 1000 images: %s' % counts)
    return found


def _parallel(make: collections.abc.Callable[[], Client], clients: int,
              times: int) -> dict[str, typing.Any]:
    """Count the failures of clients that make replicas at the same time."""
    found = [make() for _ in range(clients)]
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda client: _writes(client, times), found))
    return {'clients': clients,
            'tried': sum(client.requests for client in found),
            'failures': sum((client.failures for client in found),
                            collections.Counter())}


def _data(client: Client, size: int) -> dict[str, float]:
    """Return bytes per second of CPU and of wall clock for data."""
    ids = [str(uuid.uuid4()) for _ in range(4)]
    for image_id in ids:
        client.call('POST', '/v2/images', _body(image_id), 201)
    data = os.urandom(size)
    path = '/v2/images/%s/file'
    put = client.time(3, lambda number: client.call(
        'PUT', path % ids[number], data, 204,
        Content_Type='application/octet-stream'))
    get = client.time(3, lambda number: client.call('GET', path % ids[0]))
    return {'upload_per_cpu': size / put['cpu'],
            'upload_per_second': size / put['wall'][0],
            'download_per_cpu': size / get['cpu'],
            'download_per_second': size / get['wall'][0]}


def _hashes(size: int = 256 * _MIB) -> dict[str, float]:
    """Return bytes per second that one core of a worker can hash."""
    data, found = os.urandom(size), {}
    for name in ('md5', 'sha512'):
        began = time.process_time()
        hashlib.new(name, data)
        found[name] = size / (time.process_time() - began)
    return found


def glance(images: int, times: int) -> dict[str, typing.Any]:
    """Return the figures of a Glance with this many images.

    :param images: number of rows in its database
    :param times: number of requests of each kind
    """
    with contextlib.ExitStack() as stack:
        virtualenv = _Virtualenv('nova34', nova_virtualenv.NOVA)
        mariadb = fixtures.MariaDB()
        server = fixtures.Glance(workers=1)
        for fixture in (virtualenv, mariadb):
            fixture.setUp()
            stack.callback(fixture.cleanUp)
        server.use(mariadb, virtualenv)
        server.setUp()
        stack.callback(server.cleanUp)

        def connect() -> Client:
            return Client(server.url, lambda: server.pids + mariadb.pids)

        client = connect()
        race.say('Measuring an empty Glance')
        empty = _writes(client, times)
        race.say('Inserting %d images' % images)
        mariadb.execute(_POOL + _FILL.format(images=images))
        race.say('Measuring the full Glance')
        return {
            'machine': results.machine(),
            'date': datetime.date.today().isoformat(),
            'load': [round(one, 1) for one in os.getloadavg()],
            'glance': '33.0.0', 'images': images, 'requests': {
                **_writes(client, times),
                'list': _listing(client, times // 4, images),
                'list by ID': _listing(client, times // 4, images,
                                       '&sort_key=id&sort_dir=asc')},
            'empty': empty, 'data': _data(client, 256 * _MIB),
            'hashes': _hashes(), 'failures': client.failures,
            'tried': client.requests,
            'parallel': _parallel(connect, 8, times // 4)}
