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

"""What must hold after every call, whatever the adversary has done.

* No image that was there before, or that the other client has made, is gone
  or changed, except as the call was asked to.
* A call that is refused has changed nothing, or its error names the change.
* Success is reported only for what is there.
* What the call has made is gone, or the error names it.
* If nothing interferes, a call that makes sense succeeds.
"""

import collections.abc
import dataclasses
import gzip
import typing

from nova_image import exception
from nova_image.image import import_result
from nova_image.tests.functional.model import plans
from nova_image.tests.functional.model import transport
from nova_image.tests.functional.model import world as worlds

_CREATES = ('create', 'create_via_import')
_IMPORTS = ('create_via_import', 'import_image', 'image_import_copy')


@dataclasses.dataclass
class End:
    """How a call has ended.

    :ivar result: what it has returned
    :ivar error: what it has raised, or None
    :ivar is_corrupt: whether Glance has received other data than was sent
    :ivar is_quiet: whether nothing has interfered, and it is the first call
    :ivar deleted: the IDs of the images that it has tried to delete
    """

    result: typing.Any = None
    error: BaseException | None = None
    is_corrupt: bool = False
    is_quiet: bool = False
    deleted: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        if self.error is None:
            return 'returned %r' % (self.result,)
        return '%s: %s' % (type(self.error).__name__, self.error)

    @property
    def is_raw(self) -> bool:
        """Whether the error is another library's."""
        return self.error is not None and not isinstance(self.error, (
            exception.NovaImageException, KeyboardInterrupt))

    @property
    def left(self) -> str:
        """What the error names as left."""
        return getattr(self.error, 'left', None) or ''

    @property
    def report(self) -> import_result.Result | None:
        """The result of an import, or None."""
        found = self.result
        if isinstance(found, tuple) and len(found) == 2 and (
                not isinstance(found, import_result.Result)):
            found = found[1]
        return found if isinstance(found, import_result.Result) else None

    @property
    def failed(self) -> bool:
        """Whether it reports a failure, in whichever way."""
        report = self.report
        return self.error is not None or (
            report is not None and not report.succeeded)


class Judge:
    """Judges one call.

    :param world: the world after it
    """

    def __init__(self, world: worlds.World, plan: plans.Plan,
                 call: plans.Call, end: End) -> None:
        self._world = world
        self._plan = plan
        self._call = call
        self._end = end
        self._made = [image for image in world.images.values()
                      if image.maker == worlds.CALL]

    def violations(self) -> list[str]:
        """Return a line for each broken invariant."""
        found = list(self._kind_of_error())
        for image in self._world.images.values():
            if image.maker != worlds.CALL:
                found += self._of_others(image)
        found += self._data_in_stores()
        found += self._failure() if self._end.failed else self._success()
        return found

    def _kind_of_error(self) -> collections.abc.Iterator[str]:
        error = self._end.error
        if self._end.is_raw:
            yield 'the error is not one of nova_image.exception'
        if isinstance(error, exception.ImageImportImpossible) and any(
                image.was_at_work for image in self._made):
            yield 'an import is called impossible, and deleted at work'
        if self._end.is_quiet:
            yield from self._quiet()

    # No image of others is gone or changed

    def _of_others(self, image: worlds.Image) -> collections.abc.Iterator[str]:
        asked = image.id == self._call.image and (
            self._call.method not in _CREATES)
        name = plans.NAMES.get(image.id, image.id)
        if image.gone == worlds.CALL and not (
                asked and self._call.method == 'delete'):
            yield 'image %s is gone, which the call did not make' % name
        elif not asked and image.changed_by_call():
            yield 'image %s has changed: %s' % (
                name, ', '.join(image.changed_by_call()))

    def _data_in_stores(self) -> collections.abc.Iterator[str]:
        for url, actor in self._world.removed.items():
            asked = self._call.method == 'delete'
            if actor == worlds.CALL and not asked:
                yield 'the data at %s is gone' % url

    # Failures

    def _failure(self) -> collections.abc.Iterator[str]:
        if isinstance(self._end.error, KeyboardInterrupt) or self._end.is_raw:
            yield from self._left_silently()
            return
        for image in self._made:
            if not image.gone and not self._is_named(image):
                yield 'the new image is left, and the error does not name it'
        target = self._world.find(self._call.image or '')
        if target is not None and target.maker != worlds.CALL:
            yield from self._unnamed_changes(target)
        report = self._end.report
        if report is not None and report.cleaned:
            yield from self._not_clean(report)

    def _left_silently(self) -> collections.abc.Iterator[str]:
        """Judge an error that cannot name what is left."""
        for image in self._made:
            ours = image.id not in plans.NAMES or 'made' in image.known
            if ours and not image.gone and not (
                    self._call.keep or self._call.has_location or
                    image.id in self._end.deleted):
                yield 'the call is interrupted, and the new image is left'

    def _is_named(self, image: worlds.Image) -> bool:
        report = self._end.report
        if report is not None:
            return report.image_id == image.id and not report.cleaned
        if self._call.keep:
            return image.id in str(self._end.error)
        return image.id in self._end.left

    def _unnamed_changes(self, image: worlds.Image
                         ) -> collections.abc.Iterator[str]:
        error = self._end.error
        if error is None or image.id in self._end.left:
            return
        changed = image.changed_by_call()
        if isinstance(error, exception.GlanceConnectionFailed):
            # It says itself that nobody knows about the last request.
            changed = [name for name in changed if name in image.known]
        if changed == ['status'] and str(image.values['status']) in str(error):
            return
        if changed and self._call.method != 'delete':
            yield ('the call fails, and the error does not name what it has '
                   'changed: %s' % ', '.join(changed))

    def _not_clean(self, report: import_result.Result
                   ) -> collections.abc.Iterator[str]:
        image = self._world.find(report.image_id)
        if image is None:
            return
        if image.maker == worlds.CALL:
            yield 'the result says cleaned, but the new image is there'
        elif image.changed_by_call():
            yield 'the result says cleaned, but the image has changed: %s' % (
                ', '.join(image.changed_by_call()))

    # Successes

    def _success(self) -> collections.abc.Iterator[str]:
        removes = self._call.method in ('delete', 'remove_member')
        if removes and self._call.image in (plans.FREE, plans.HIDDEN):
            return  # the caller has no such image: a lost answer and a 404
        if self._call.method == 'delete':
            if self._world.find(self._call.image or ''):
                yield 'success, but the image is there'
            return
        if self._call.method in _CREATES:
            found = self._made
        else:
            named = self._world.images.get(self._call.image or '')
            found = [named] if named else []
        if not found:
            yield 'success, but there is no image'
            return
        image, = found
        if image.gone:
            if image.gone == worlds.CALL:
                yield 'success, but the call has deleted the image'
            return  # the other client may have deleted it afterwards
        yield from self._success_of(image)

    def _success_of(self, image: worlds.Image
                    ) -> collections.abc.Iterator[str]:
        method = self._call.method
        if method in ('create', 'update') and self._call.has_location and (
                image.values['location'] != plans.OUR_URL):
            yield 'success, but the image does not have the location'
        elif method in ('create', 'update') and (
                self._call.expected is not None):
            yield from self._data_of(image)
        elif method in _IMPORTS and self._call.wait:
            yield from self._imported(image)
        elif method == 'stage' and not self._end.is_corrupt and (
                image.values['staged'] not in (self._call.expected, None)):
            yield 'success, but other data is staged'
        yield from self._metadata(image)
        yield from self._members(image)

    def _data_of(self, image: worlds.Image) -> collections.abc.Iterator[str]:
        if image.values['status'] != 'active':
            yield 'success, but the image is %s' % image.values['status']
        elif image.values['data'] not in self._possible():
            yield 'success, but the image has other data'

    def _possible(self) -> list[bytes | None]:
        """Return the data that the image may have."""
        expected = self._call.expected
        found = [expected]
        if not self._plan.glance.hashes and self._end.is_corrupt:
            found.append(transport.corrupted(expected or b''))
        imports = self._plan.import_uploads or self._call.source
        if expected and expected[:2] == b'\x1f\x8b' and imports and (
                self._plan.glance.decompresses):
            found.append(gzip.decompress(expected))
        return found

    def _imported(self, image: worlds.Image
                  ) -> collections.abc.Iterator[str]:
        values = image.values
        if self._call.source == 'copy-image':
            report = self._end.report
            missing = set(self._call.stores) - set(values['stores']) - set(
                report.failed if report else ())
            if missing:
                yield 'success, but a store does not have the data'
        elif self._call.expected is not None:
            yield from self._data_of(image)
        if self._call.hash and not self._call.hash[1]:
            yield 'success, but the data does not have the expected hash'

    def _metadata(self, image: worlds.Image
                  ) -> collections.abc.Iterator[str]:
        if self._call.method not in _CREATES + ('update',):
            return
        for name in ('name', 'prop:p', 'prop:r'):
            if image.values.get(name) != 'asked' and (
                    image.writers.get(name) != worlds.OTHER):
                yield 'success, but %s is not what it should be' % name
        if self._call.purge and image.values.get('prop:q') and (
                self._call.method == 'update'):
            yield 'success, but a property is left'

    def _members(self, image: worlds.Image) -> collections.abc.Iterator[str]:
        theirs = image.writers.get('members') == worlds.OTHER
        members = image.values['members']
        gains = self._call.has_member or self._call.method == 'add_member'
        if gains and plans.MEMBER not in members and not theirs:
            yield 'success, but the member is missing'
        if self._call.method == 'remove_member' and 'somebody' in members and (
                not theirs):
            yield 'success, but the member is left'

    # Nothing interferes

    def _quiet(self) -> collections.abc.Iterator[str]:
        if self._end.failed and self._is_sound():
            yield 'a sound call fails though nothing interferes'
        wrong = self._call.hash and not self._call.hash[1]
        for image in self._made:
            if image.gone == worlds.CALL and not wrong and (
                    image.values['status'] == 'active'):
                yield 'a good image is deleted though nothing interferes'

    def _is_sound(self) -> bool:
        """Return whether the call must succeed."""
        call, glance = self._call, self._plan.glance
        if call.has_location or call.hash:
            return False
        if call.stores and not glance.stores:
            return False
        if call.method in _CREATES:
            return call.image in (None, plans.FREE)
        if call.method in ('update', 'stage') or call.source in (
                'web-download',) or call.source and call.expected is not None:
            return call.image == plans.QUEUED
        if call.source == 'glance-direct':
            return call.image == plans.STAGED
        return call.image == plans.ACTIVE
