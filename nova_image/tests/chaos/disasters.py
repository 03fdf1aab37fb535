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


"""What may happen during a replication."""

import collections.abc
import contextlib
import typing

from nova_image.tests.chaos import world
from nova_image.tests.fixtures import faults

#: bytes after which a body is cut, or wrong
_PLACES = (0, 1, 70000, 900000, 2500000)


class Chaos(typing.Protocol):
    """A run of chaos, as disasters see it.

    :ivar workers: whether the commands share the work
    """

    scene: world.World
    workers: bool

    def kill_tools(self, most: int | None = None) -> int:
        """Kill running commands; return their number.

        :param most: how many to kill; all if None
        """

    def start_another(self) -> None:
        """Start a second command."""

    def note(self, what: str, count: int = 1) -> None:
        """Count something that has happened."""


def _method(run: Chaos) -> str:
    return run.scene.chance.choice(('POST', 'PUT', 'PATCH', 'GET'))


def kill_tool(run: Chaos) -> None:
    """Kill the commands, or one of several workers; others follow."""
    if run.workers:
        run.note('worker killed', run.kill_tools(1))
    else:
        run.note('command killed', run.kill_tools())


def _kill(run: Chaos, server: world.Server, name: str) -> None:
    if server.open_requests():
        run.note('%s killed during requests' % name)
    run.note('%s killed' % name)
    server.die(run.scene.chance.choice((0, 0.5, 1)))


def kill_source(run: Chaos) -> None:
    """Kill the Glance that is read, and start it again."""
    _kill(run, run.scene.source, 'source')


def kill_target(run: Chaos) -> None:
    """Kill the Glance that is written to, and start it again."""
    _kill(run, run.scene.target, 'target')


def cut_source(run: Chaos) -> None:
    """Cut downloads."""
    chance = run.scene.chance
    run.scene.source.proxy.plan(*(
        chance.choice((faults.Reset, faults.End))(chance.choice(_PLACES))
        for _ in range(3)), path='/images/', method='GET')


def cut_target(run: Chaos) -> None:
    """Cut uploads, and lose answers to other requests."""
    chance = run.scene.chance
    run.scene.target.proxy.plan(*(
        faults.TruncatedUpload(chance.choice(_PLACES)) for _ in range(2)))
    run.scene.target.proxy.plan(faults.LostAnswer(), path='/images',
                                method=_method(run))


def lose_upload(run: Chaos) -> None:
    """Lose the answers to uploads that have succeeded."""
    run.scene.target.proxy.plan(faults.LostAnswer(), None,
                                faults.LostAnswer())


def spoil_data(run: Chaos) -> None:
    """Make a byte of some downloads wrong."""
    chance = run.scene.chance
    run.scene.source.proxy.plan(*(
        faults.Corrupt(chance.choice(_PLACES)) for _ in range(2)),
        path='/images/', method='GET')


def overload(run: Chaos) -> None:
    """Answer 503 at both ends."""
    count = run.scene.chance.randint(1, 5)
    for server in run.scene.source, run.scene.target:
        server.proxy.plan(*[faults.Status(503)] * count, path='/images')


def expire(run: Chaos) -> None:
    """Refuse the credentials once at each end, as an expired token."""
    for server in run.scene.source, run.scene.target:
        server.proxy.plan(faults.Status(401), path='/images')


def slow_down(run: Chaos) -> None:
    """Make one end slow."""
    chance = run.scene.chance
    server = chance.choice((run.scene.source, run.scene.target))
    server.proxy.latency = 0.3
    server.proxy.bandwidth = 500_000
    run.note('server slowed down')


def fill_quota(run: Chaos) -> None:
    """Leave too little room at the target."""
    name, value = run.scene.chance.choice((
        ('user_storage_quota', '2500000'), ('image_size_cap', '1000000')))
    run.scene.target.die(0, {'DEFAULT': {name: value}})
    run.note('target out of quota')


def _victim(run: Chaos, protected: bool) -> tuple[str | None, str]:
    """Choose an image of the source, if possible one in transfer.

    :param protected: whether it may be protected
    :returns: its ID, None if there is none, and words about its state
    """
    scene = run.scene
    ids = [one.id for one in scene.pictures.values()
           if one.id not in scene.gone and (
               protected or not one.raw['protected'])]
    busy = [one for one in ids if any(
        one in request.path for server in (scene.source, scene.target)
        for request in server.open_requests())]
    if not ids:
        return None, ''
    return (scene.chance.choice(sorted(busy or ids)),
            ' in transfer' if busy else '')


def delete_image(run: Chaos) -> None:
    """Delete an image of the source."""
    image_id, when = _victim(run, protected=False)
    if image_id is None:
        return
    with contextlib.suppress(Exception):  # the source may be dead
        run.scene.source.raw.delete(image_id)
        run.scene.gone.add(image_id)
        run.note('source image deleted' + when)


def deactivate_image(run: Chaos) -> None:
    """Deactivate an image of the source."""
    image_id, when = _victim(run, protected=True)
    if image_id is None:
        return
    picture = run.scene.pictures[image_id]
    before = set(picture.statuses)
    picture.statuses.add('deactivated')
    with contextlib.suppress(Exception):  # the source may be dead
        run.scene.source.raw.ask(
            'POST', '/v2/images/%s/actions/deactivate' % image_id, 204)
        if 'deactivated' not in before:
            run.note('source image deactivated' + when)


def second_tool(run: Chaos) -> None:
    """Start another command; unless it is a worker, it knows of no other."""
    run.start_another()
    run.note('another worker started' if run.workers
             else 'another command started')


ALL: tuple[collections.abc.Callable[[Chaos], None], ...] = (
    kill_tool, kill_source, kill_target, cut_source, cut_target, lose_upload,
    spoil_data, overload, expire, slow_down, fill_quota, delete_image,
    deactivate_image, second_tool)
