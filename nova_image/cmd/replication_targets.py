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

"""Where a replication stores data at its targets, and how it gets there."""

from __future__ import annotations

import argparse
import collections.abc
import typing

from nova_image.cmd import errors
from nova_image.replication import ends

if typing.TYPE_CHECKING:
    from nova_image.cmd import session

UPLOAD, DOWNLOAD = 'upload', 'glance-download'
_NEEDS = '--method %s requires ' % DOWNLOAD


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option for the stores."""
    parser.add_argument(
        '--store', metavar='[<cloud>=]<store>', action='append', default=[],
        dest='stores', help='Store for new data at the targets, or at one of '
        'them; may be repeated for several targets. Default: the default '
        'store of each Glance. Images that a target already has stay where '
        'they are.')


def add_method(parser: argparse.ArgumentParser) -> None:
    """Add the option for the method."""
    parser.add_argument(
        '--method', choices=(UPLOAD, DOWNLOAD), default=UPLOAD,
        help='How the data gets to the targets. upload (default): this '
             'command reads it from the source, hashes it and sends it. '
             'glance-download: the Glance at the target reads it from the '
             'source by its import method of that name, and this command '
             'compares the hashes afterwards. The source must be a region in '
             'the catalog of the target, and images must be active.')


def prepare(arguments: argparse.Namespace,
            source: 'session.ReplicaCloud | None',
            clouds: collections.abc.Sequence['session.ReplicaCloud']
            ) -> None:
    """Make the targets work as the options say; nothing is changed yet.

    :param source: None for a folder
    :param clouds: those of ``arguments.targets``
    :raises errors.Usage: if options contradict each other or the clouds
    :raises NovaImageException: if a target cannot work like this
    """
    stores = _stores(arguments.stores, arguments.targets)
    for name, cloud in zip(arguments.targets, clouds):
        if stores[name]:
            cloud.end.choose_store(stores[name])
        if source and arguments.method == DOWNLOAD:
            if arguments.bandwidth:
                raise errors.Usage('--bandwidth has no effect on data that '
                                   'the targets read by themselves')
            _pull(source, cloud, arguments.abandoned_after)


def _stores(given: list[str], targets: list[str]) -> dict[str, str]:
    """Return {target: store}, where '' stands for the default.

    :raises errors.Usage: if a target is unknown, or has two stores
    """
    found: dict[str, str] = {}
    for text in given:
        target, _, store = text.rpartition('=')
        if not store or target and target not in targets:
            raise errors.Usage('--store %s: expected <store> or '
                               '<cloud>=<store>, with a cloud of --to' % text)
        if found.setdefault(target, store) != store:
            raise errors.Usage('--store: more than one store for %s' % (
                target or 'all targets'))
    return {name: found.get(name, found.get('', '')) for name in targets}


def _pull(source: 'session.ReplicaCloud', target: 'session.ReplicaCloud',
          patience: int) -> None:
    """Make a target read the data from the source by itself.

    :param patience: seconds to wait for an import without a change
    """
    from nova_image.cmd import session

    ours, theirs = source.end.title, target.end.title
    if source.keystone is None or target.keystone is None:
        raise errors.Usage(_NEEDS + 'Keystone at both ends')
    if not source.end.can_be_pulled:
        raise errors.Usage(_NEEDS + 'the Images API v2 at both ends')
    region = source.conf.glance.region_name
    if not region:
        raise errors.Usage(_NEEDS + 'region_name of %s in clouds.yaml' % ours)
    origin = ends.Origin(region, source.conf.glance.valid_interfaces[0])
    found = target.keystone.get_endpoint(
        service_type='image', interface=origin.interface, region_name=region)
    if not found or not session.is_same_place(found, source.url):
        raise errors.Usage(
            _NEEDS + 'the source in the catalog of the target: that of %s has '
            '%s as the %s endpoint in region %s, but %s is %s' % (
                theirs, found or 'nothing', *reversed(origin), ours,
                source.url))
    target.end.pull_from(origin)
    target.conf.set_override('import_timeout', 0, 'glance')
    target.conf.set_override('import_stall_timeout', patience, 'glance')
