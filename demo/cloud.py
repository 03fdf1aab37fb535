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

"""The life of a server in a real cloud, whose Nova uses our drivers."""

import collections.abc
import contextlib
import functools
import time
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import debian
from nova_image.tests.fixtures import libvirt
from nova_image.tests.gate import base

#: the programs of Nova that use images
PROGRAMS = ('nova-api', 'nova-conductor', 'nova-compute')

_PLUGIN = {'DEFAULT': {'config_source': 'nova_image'},
           'nova_image': {'driver': 'nova_image'}}


def start(stack: contextlib.ExitStack) -> fixtures.Cloud:
    """Start the cloud, or exit with one line about a missing requirement."""
    print('starting MariaDB, RabbitMQ, Keystone, Glance, Placement, libvirt '
          'and Nova ...', flush=True)
    try:
        return stack.enter_context(fixtures.Cloud(nova_options=_PLUGIN))
    except (debian.PackagesMissing, libvirt.NotRoot) as error:
        raise SystemExit('The cloud cannot start here: %s' % error)


def run(cloud: fixtures.Cloud) -> bool:
    """Run all steps, and return whether every service used nova_image."""
    servers = base.Servers(cloud.compute())
    image = _timed('upload a blank disk of 64 MiB as an image',
                   lambda: cloud.upload(cloud.blank(), name='blank disk'))
    mark = cloud.glance.mark()
    server = _timed('boot a server from it, until it is ACTIVE',
                    lambda: servers.boot(image, name='first'))
    snapshot = _timed('snapshot the server, until the snapshot is active',
                      lambda: servers.snapshot(server, 'snapshot of first'))
    shown = cloud.images().get('/images/' + snapshot).json()
    print('      = image %(name)r: %(status)s, %(size)d bytes\n' % shown)
    second = _timed('boot another server from the snapshot',
                    lambda: servers.boot(snapshot, name='second'))
    for one in (server, second):
        _timed('delete a server', functools.partial(servers.delete, one))
    _timed('delete the snapshot',
           lambda: cloud.images().delete('/images/' + snapshot))
    return _show_evidence(cloud, mark)


def _timed(what: str, act: collections.abc.Callable[[], typing.Any]
           ) -> typing.Any:
    began = time.monotonic()
    result = act()
    print('%-56s %7.2f s' % (what, time.monotonic() - began), flush=True)
    return result


def _show_evidence(cloud: fixtures.Cloud, mark: int) -> bool:
    print('\nThe log lines of the services at start:')
    lines = [_announcement(cloud.nova.log(name)) for name in PROGRAMS]
    for name, line in zip(PROGRAMS, lines, strict=True):
        print('  %-15s %s' % (name, line or 'NO LINE OF NOVA_IMAGE'))
    requests = cloud.glance.requests(mark)
    others = [one for one in requests if not one.path.startswith('/v2/images')]
    print('\nGlance answered %d requests in the meantime; %d of them were '
          'outside of /v2/images.' % (len(requests), len(others)))
    return all(lines)


def _announcement(log: typing.Any) -> str:
    text = log if isinstance(log, str) else log.read_text()
    return next((line.partition('] ')[2] for line in text.splitlines()
                 if 'serves the images of' in line), '')
