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

"""The stages of the benchmark, each with its own contenders and processes."""

import collections.abc
import contextlib
import dataclasses
import typing
import unittest

from oslo_config import cfg

from benchmarks.common import race as common_race
from benchmarks.transfer import cloud as transfer_cloud
from benchmarks.transfer import contenders
from benchmarks.transfer import kinds
from benchmarks.transfer import race
from benchmarks.transfer import sizes as image_sizes
from nova_image import conf as nova_image_conf
from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths

_ALL = ('nova_image', 'Nova', 'glanceclient', 'openstacksdk', 'curl')
_FILE_ROOTS = 'direct_file_roots'
# Ceph keeps its data in memory, and blocks when that is nearly full.
_CEPH_ROOM = 3 * 1024 ** 3

#: The kinds of transfers to measure -> the images' sizes in bytes.
Plan = dict[kinds.Kind, list[int]]


class Skip(Exception):
    """A stage cannot run; the message states why."""


class Setting(typing.NamedTuple):
    """The contenders of a stage and their environment.

    ``env`` are environment variables for their processes.
    """

    names: tuple[str, ...]
    place: contenders.Place = contenders.Place()
    env: dict[str, str] | None = None


class Stage(typing.NamedTuple):
    """Parts of the benchmark that the same processes run.

    ``set_up`` returns the setting; the stack stops the services it starts.
    """

    parts: tuple[str, ...]
    set_up: collections.abc.Callable[
        [transfer_cloud.Cloud, contextlib.ExitStack], Setting]

    def run(self, cloud: transfer_cloud.Cloud, plan: Plan, rounds: int,
            keep: bool) -> 'Figures':
        """Run the stage, and return the figures.

        :param cloud: the cloud, already set up
        :param plan: the kinds of transfers of this stage's parts
        :param rounds: the number of rounds
        :param keep: whether to keep the contenders' logs
        :raises Skip: if it cannot run
        """
        with contextlib.ExitStack() as stack:
            setting = self.set_up(cloud, stack)
            warm = [kinds.task(kind, transfer_cloud.WARM, cloud)
                    for kind in plan]
            start = {'auth': cloud.keystone.auth_options('demo'),
                     'place': dataclasses.asdict(setting.place), 'warm': warm}
            mark = cloud.glance.mark()
            runners = stack.enter_context(race.Race(
                cloud, dict.fromkeys(setting.names, start), setting.env,
                keep))
            if next(iter(plan)).direct and cloud.glance_sent_data(mark):
                raise Skip('one of %s has requested the data from Glance '
                           'instead of reading it from the store'
                           % ', '.join(setting.names))
            tasks = [kinds.operation(kind, size, cloud)
                     for kind, sizes in plan.items() for size in sizes]
            return Figures(plan, tasks, runners.run(tasks, rounds),
                           runners.versions)


@dataclasses.dataclass
class Figures:
    """The measured operations and the results."""

    done: Plan = dataclasses.field(default_factory=dict)
    tasks: list[common_race.Operation] = dataclasses.field(
        default_factory=list)
    found: common_race.Found = dataclasses.field(default_factory=dict)
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    def add(self, more: 'Figures') -> None:
        """Add the figures of another stage."""
        self.done |= more.done
        self.tasks += more.tasks
        self.found |= more.found
        self.versions |= more.versions


def _direct(cloud: transfer_cloud.Cloud,
            stack: contextlib.ExitStack) -> Setting:
    return Setting(_ALL)


def _file(cloud: transfer_cloud.Cloud,
          stack: contextlib.ExitStack) -> Setting:
    _require_option(_FILE_ROOTS)
    return Setting(('nova_image', 'cp'), contenders.Place(
        config=_config(stack, {_FILE_ROOTS: str(cloud.store)}),
        store=str(cloud.store)))


def _require_option(name: str) -> None:
    conf = cfg.ConfigOpts()
    nova_image_conf.register_opts(conf)
    if name not in conf.glance:
        raise Skip('nova_image does not have the option [glance] ' + name)


def _latency(cloud: transfer_cloud.Cloud,
             stack: contextlib.ExitStack) -> Setting:
    proxy = stack.enter_context(fixtures.DistantProxy(
        cloud.glance.url, kinds.DISTANCE))
    return Setting(_ALL, contenders.Place(url=proxy.url))


def _rbd(cloud: transfer_cloud.Cloud,
         stack: contextlib.ExitStack) -> Setting:
    assert isinstance(cloud, transfer_cloud.CephCloud)
    stack.enter_context(fixtures.CephBindings())
    ceph = cloud.ceph
    config = _config(stack, {
        'enable_rbd_download': 'true', 'rbd_user': ceph.user,
        'rbd_pool': 'images', 'rbd_ceph_conf': str(ceph.conf)})
    return Setting(
        ('nova_image', 'Nova', 'rbd export'),
        contenders.Place(config=config, ceph=str(ceph.conf)),
        {'PYTHONPATH': str(paths.below('bindings'))})


def _config(stack: contextlib.ExitStack, options: dict[str, str]) -> str:
    """Write options of [glance] to a file, and return its path."""
    folder = stack.enter_context(fixtures.RunFolder('benchmark')).path
    path = folder / 'nova.conf'
    paths.write_config(path, {'glance': options})
    return str(path)


@contextlib.contextmanager
def _ceph_cloud(sizes: list[int], keep: bool
                ) -> collections.abc.Iterator[transfer_cloud.CephCloud]:
    if sum(sizes) > _CEPH_ROOM:
        raise Skip('the images are larger than %s in total'
                   % image_sizes.long(_CEPH_ROOM))
    with (fixtures.Ceph() as ceph,
          transfer_cloud.CephCloud(ceph, sizes, keep) as cloud):
        yield cloud


#: A function that creates a cloud, from sizes and whether to keep folders ->
#: the stages on that cloud, in order.
_STAGES: dict[collections.abc.Callable[
    [list[int], bool],
    contextlib.AbstractContextManager[transfer_cloud.Cloud]],
    tuple[Stage, ...]] = {
    transfer_cloud.Cloud: (Stage(('download', 'upload'), _direct),
                           Stage(('file',), _file),
                           Stage(('latency',), _latency)),
    _ceph_cloud: (Stage(('rbd',), _rbd),),
}


def measure(plan: Plan, sizes: list[int], rounds: int,
            keep: bool) -> Figures:
    """Measure transfers, and report stages that cannot run.

    :param plan: the transfers to measure
    :param sizes: the sizes of all images in bytes
    :param rounds: the number of rounds
    :param keep: whether to keep folders and logs
    """
    figures = Figures()
    for make, stages in _STAGES.items():
        wanted = [(stage, chosen) for stage in stages for chosen in [{
            kind: plan[kind] for kind in plan if kind.part in stage.parts}]
            if chosen]
        if not wanted:
            continue
        common_race.say('Starting Keystone and Glance with images of '
                        + ', '.join(map(image_sizes.long, sizes)))
        # A fixture that skips reports the reason itself.
        with contextlib.suppress(unittest.SkipTest), _skipping(wanted[0][1]), \
                make(sizes, keep) as cloud:
            for stage, chosen in wanted:
                with _skipping(chosen):
                    figures.add(stage.run(cloud, chosen, rounds, keep))
    return figures


@contextlib.contextmanager
def _skipping(plan: Plan) -> collections.abc.Iterator[None]:
    """Continue without a stage that cannot run, and report it."""
    try:
        yield
    except Skip as why:
        common_race.say('SKIPPED, not measured: %s: %s'
                        % (next(iter(plan)).part, why))
