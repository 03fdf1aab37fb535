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

"""What is tried on a modelled Glance: calls, faults and another client."""

import collections.abc
import dataclasses
import gzip
import random
import typing

from nova_image.tests.functional.model import service
from nova_image.tests.functional.model import transport
from nova_image.tests.functional.model import world as worlds

ACTIVE, QUEUED, STAGED, PUBLIC, HIDDEN, LOCATED, DELETED, FREE = (
    '%08d-0000-4000-8000-000000000000' % number for number in range(1, 9))
#: the images that a call may name, and what they are
NAMES = {ACTIVE: 'active', QUEUED: 'queued', STAGED: 'staged',
         PUBLIC: 'public', HIDDEN: 'hidden', LOCATED: 'located',
         DELETED: 'deleted', FREE: 'free'}

#: locations: data of the caller, and of somebody else
OUR_URL, THEIR_URL = 'file:///ours', 'file:///theirs'
URI, THEIR_URI = sorted(service.WEB)
MEMBER = 'a-friend'

DATA = {'none': None, 'plain': b'our data', 'empty': b'',
        'gzip': gzip.compress(b'our data, compressed' * 9, mtime=0)}
#: data of the other client, of the same sizes
THEIR_DATA = {name: data and b'!' * len(data) for name, data in DATA.items()}
THEIR_DATA['none'] = b'their data'

#: what the other client may do to the image of a request, after it
OTHERS = ('create', 'create active', 'upload', 'stage', 'import', 'delete',
          'rename', 'add member', 'remove member')

#: spellings of an algorithm and of its digests
_SPELLINGS = (('sha256', str), ('md5', str), ('SHA-256', str.upper),
              ('sha512', str), ('SHA-512', str.upper), ('sha1', str))


@dataclasses.dataclass(frozen=True)
class Step:
    """What happens at one request of a call.

    :ivar reads: whether ``at`` counts the requests that only read, instead of
        those that write
    :ivar at: the number of the request, from 0
    :ivar fault: one of transport.FAULTS, or None
    :ivar other: one of OTHERS, which follows the request, or None
    """

    reads: bool
    at: int
    fault: str | None
    other: str | None


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a driver.

    :ivar method: its name
    :ivar image: the ID of the image, None for one that the driver draws
    :ivar id_is_new: whether it says that the ID was drawn for it
    :ivar data: a name in DATA
    :ivar once: whether the data can be read only once
    :ivar has_location: whether it passes a location
    :ivar has_member: whether it passes a project to share the image with
    :ivar purge: whether an update removes properties
    :ivar source: the method of an import
    :ivar hash: None, or an index of _SPELLINGS and whether it is right
    :ivar stores: the stores of an import
    :ivar keep: whether an import leaves everything after a failure
    :ivar wait: whether an import is waited for
    """

    method: str
    image: str | None = None
    data: str = 'none'
    once: bool = False
    has_location: bool = False
    has_member: bool = False
    purge: bool = False
    source: str = ''
    hash: tuple[int, bool] | None = None
    stores: tuple[str, ...] = ()
    keep: bool = False
    wait: bool = True
    id_is_new: bool = False

    def __str__(self) -> str:
        shown = ['%s=%r' % (one.name, getattr(self, one.name))
                 for one in dataclasses.fields(self)[2:]
                 if getattr(self, one.name) != one.default]
        return '%s(%s)' % (self.method, ', '.join(
            [NAMES.get(self.image or '', 'new')] + shown))

    @property
    def expected(self) -> bytes | None:
        """The data that the image gets."""
        if self.source == 'web-download':
            return service.WEB[URI]
        return DATA[self.data]

    def hash_options(self) -> dict[str, str]:
        """Return the options of an import for its hash."""
        if self.hash is None:
            return {}
        number, right = self.hash
        name, spell = _SPELLINGS[number]
        data = self.expected
        if data is None:
            data = ACTIVE_DATA if self.source == 'copy-image' else (
                STAGED_DATA)
        digest = worlds.digest(name.lower().replace('-', ''),
                               data if right else data + b'?')
        return {'os_hash_algo': name, 'os_hash_value': spell(digest)}


ACTIVE_DATA, STAGED_DATA = b'was active', b'was staged'


@dataclasses.dataclass(frozen=True)
class Plan:
    """Calls in order, and what happens at their requests."""

    driver: str
    glance: worlds.Options
    import_uploads: bool
    calls: tuple[Call, ...]
    steps: tuple[tuple[Step, ...], ...]

    def __str__(self) -> str:
        return '%s, import_uploads=%s, %s' % (
            self.driver, self.import_uploads, self.glance)


def world_before(options: worlds.Options) -> worlds.World:
    """Return a world with the images that are there before the calls."""
    world = worlds.World(options)
    world.data = {OUR_URL: b'at our location', THEIR_URL: b'their location'}
    for image_id in (ACTIVE, QUEUED, STAGED, PUBLIC, HIDDEN, LOCATED,
                     DELETED):
        image = world.create(worlds.BEFORE, image_id, name='before',
                             members=('somebody',), **{
                                 'prop:p': 'before', 'prop:q': 'before'})
        if image_id in (ACTIVE, PUBLIC, HIDDEN):
            world.store(worlds.BEFORE, image, ACTIVE_DATA)
        if image_id in (PUBLIC, HIDDEN):
            image.values.update(
                owner=worlds.THEIRS,
                visibility='public' if image_id == PUBLIC else 'private')
    world.write(worlds.BEFORE, world.images[STAGED], status='uploading',
                staged=STAGED_DATA, size=len(STAGED_DATA))
    world.locate(worlds.BEFORE, world.images[LOCATED], THEIR_URL)
    world.delete(worlds.BEFORE, world.images[DELETED])
    return world


class _Draw:
    """Draws the parts of a plan."""

    def __init__(self, driver: str, seed: int) -> None:
        self._driver = driver
        self._random = random.Random('%s %d' % (driver, seed))

    def pick(self, *among: typing.Any) -> typing.Any:
        """Return one of several values."""
        return self._random.choice(among)

    def chance(self, of: int = 3) -> bool:
        """Return whether something happens that happens one time in many."""
        return self._random.randrange(of) == 0

    def plan(self) -> Plan:
        """Return a plan."""
        calls = [self._call() for _ in range(self.pick(1, 1, 2))]
        # The second of two calls cannot say that the same ID is new.
        calls[1:] = [dataclasses.replace(one, id_is_new=False)
                     for one in calls[1:]]
        return Plan(
            self._driver, self._glance(),
            self._driver == 'v2' and self.chance(), tuple(calls),
            tuple(self._steps() for _ in calls))

    def _glance(self) -> worlds.Options:
        looks = self.pick(0, 1, 2)
        if self._driver == 'v1':
            return worlds.Options(hashes=self.pick(('md5',), ()), stores=(),
                                  looks=looks)
        return worlds.Options(
            self.pick(('md5', 'sha512'), ('md5',), ('md5', 'sha256'),
                      ('sha512',), ()),
            self.pick('patch', 'api', 'none'),
            self.pick(('fast', 'slow'), ()), self.chance(2), looks,
            self.pick('done', 'done', 'failed', 'stuck'), self.chance(2))

    def _steps(self) -> tuple[Step, ...]:
        found: dict[tuple[bool, int], Step] = {}
        for _ in range(self.pick(0, 1, 1, 2, 2, 3)):
            step = Step(self.chance(), self.pick(0, 0, 1, 1, 2, 3),
                        self.pick(*_FAULTS), self.pick(*_OTHERS))
            found[step.reads, step.at] = step
        return tuple(found.values())

    def _call(self) -> Call:
        methods = ['create'] * 4 + ['update'] * 3 + [
            self.pick('delete', 'add_member', 'remove_member')]
        if self._driver == 'v2':
            methods += ['stage', 'image_import_copy'] + [
                'import_image', 'create_via_import'] * 3
        method = self.pick(*methods)
        return getattr(self, '_' + method, self._plain)(method)

    def _new(self) -> str | None:
        return self.pick(None, None, FREE, self.pick(*NAMES))

    def _old(self) -> str:
        return self.pick(QUEUED, self.pick(*NAMES))

    def _plain(self, method: str) -> Call:
        return Call(method, self.pick(*NAMES))

    def _create(self, method: str) -> Call:
        image = self._new()
        return Call(
            method, image, self.pick(*DATA), self.chance(2), self.chance(),
            self.chance(), id_is_new=image == FREE and self.chance(2))

    def _update(self, method: str) -> Call:
        return Call(method, self._old(), self.pick(*DATA), self.chance(2),
                    self.chance(), purge=self.chance(2))

    def _stage(self, method: str) -> Call:
        return Call(method, self._old(), self.pick('plain', 'gzip'),
                    self.chance(2))

    def _image_import_copy(self, method: str) -> Call:
        return Call(
            method, self.pick(ACTIVE, self.pick(*NAMES)), source='copy-image',
            hash=self._hash(), wait=self.chance(2),
            stores=self.pick(('slow',), ('fast', 'slow')))

    def _import_image(self, method: str) -> Call:
        source = self.pick('glance-direct', 'web-download', 'copy-image')
        return self._import(Call(
            method, self._old(), source=source, data=self.pick(
                'plain', 'gzip', 'none') if source == 'glance-direct' else (
                    'none')))

    def _create_via_import(self, method: str) -> Call:
        source, image = self.pick('glance-direct', 'web-download'), self._new()
        return self._import(Call(
            method, image, source=source, data=self.pick(
                'plain', 'gzip') if source == 'glance-direct' else 'none',
            has_member=self.chance(2),
            id_is_new=image == FREE and self.chance(2)))

    def _import(self, call: Call) -> Call:
        return dataclasses.replace(
            call, once=call.data != 'none' and self.chance(2),
            hash=self._hash(), keep=self.chance(), wait=not self.chance(),
            stores=self.pick((), ('slow',), ('fast', 'slow')))

    def _hash(self) -> tuple[int, bool] | None:
        if self.chance():
            return None
        return self.pick(*range(len(_SPELLINGS))), not self.chance()


# What is likely to happen, and what decides most, is drawn most often.
_FAULTS = transport.FAULTS + (None,) * 4 + (
    'lost', 'lost after', '503', '503 after', '504 after', 'wrong after') + (
        transport.CORRUPT,) * 3
_OTHERS = OTHERS + (None,) * 6 + ('create', 'upload', 'upload')


def drawn(driver: str, seed: int) -> Plan:
    """Return the plan of a seed for a driver, ``v1`` or ``v2``."""
    return _Draw(driver, seed).plan()


def simpler(plan: Plan) -> collections.abc.Iterator[Plan]:
    """Yield plans that have a part less than another one."""
    for number in range(len(plan.calls) * (len(plan.calls) > 1)):
        yield _with(plan, _without(plan.calls, number),
                    _without(plan.steps, number))
    for number, steps in enumerate(plan.steps):
        for one in range(len(steps)):
            yield _with(plan, plan.calls, _set(
                plan.steps, number, _without(steps, one)))
            for part in ('fault', 'other'):
                if getattr(steps[one], part) is not None:
                    yield _with(plan, plan.calls, _set(
                        plan.steps, number, _set(
                            steps, one, _but(steps[one], part, None))))
    for number, call in enumerate(plan.calls):
        for field in dataclasses.fields(call)[3:]:
            if field.name != 'source' and (
                    getattr(call, field.name) != field.default):
                yield _with(plan, _set(plan.calls, number, _but(
                    call, field.name, field.default)), plan.steps)


def _with(plan: Plan, calls: tuple[Call, ...],
          steps: tuple[tuple[Step, ...], ...]) -> Plan:
    return dataclasses.replace(plan, calls=calls, steps=steps)


def _but(one: typing.Any, name: str, value: typing.Any) -> typing.Any:
    return dataclasses.replace(one, **{name: value})


def _without(every: tuple[typing.Any, ...], number: int
             ) -> tuple[typing.Any, ...]:
    return every[:number] + every[number + 1:]


def _set(every: tuple[typing.Any, ...], number: int, value: typing.Any
         ) -> tuple[typing.Any, ...]:
    return every[:number] + (value,) + every[number + 1:]
