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

"""The checks of images that any Images API can answer."""

from __future__ import annotations

import collections.abc
import datetime
import re
import typing

from nova_image.status import checks
from nova_image.status import facts

Code = checks.Code

#: the limits of Glance and of its database
MOST = 128
LONGEST = 255
#: characters of four bytes, which Glance refuses
_LARGE = re.compile('[\U00010000-\U0010ffff]')
_UUID = re.compile('[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')
#: properties that name another image
REFERENCES = ('kernel_id', 'ramdisk_id')
#: how much of a text of the cloud is shown
_SHOWN = 60


def shown(text: str) -> str:
    """Return a text of the cloud, shortened."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + '...')


class NonAsciiProperties(checks.ImageCheck):
    """Names that Glance on Python 2 cannot handle in v2 (15.0.2)."""

    name = 'non-ascii-properties'
    title = 'Properties with non-ASCII names'
    result = 'failure'
    of = 'cannot be read by v2'
    why = ('v1 stores such names. Up to Queens, v2 answers 500 to every '
           'request about such an image, although it lists it.')
    advice = ('Remove or rename the property through v1 while there is v1, '
              'or upgrade Glance.')
    cost = 'the listing, and 1 for each image with such a name'
    kinds = frozenset(('readable',))

    def ask(self, image: facts.Image
            ) -> collections.abc.Iterable[facts.Question]:
        """Ask for the images whose names may be trouble."""
        if not all(name.isascii() for name in image.properties):
            yield facts.Question('readable', image.id)

    def unheard(self, image: facts.Image, question: facts.Question,
                error: Exception) -> None:
        """Judge why v2 does not show the image."""
        if getattr(error, 'status', None) == 500:
            self.unanswered(image, question)
        else:
            super().unheard(image, question, error)

    def unanswered(self, image: facts.Image,
                   question: facts.Question) -> None:
        """Judge an image without v2: a Glance with v1 is on Python 2."""
        names = [name for name in image.properties if not name.isascii()]
        self.find(image.id, ', '.join(map(shown, names)), Code.FAILURE)


class SimilarProperties(checks.ImageCheck):
    """Names that v1 shows as one."""

    name = 'similar-properties'
    title = 'Properties that v1 shows as one'
    of = 'have properties whose names differ only in case, - and _'
    why = ('v1 shows names in lower case with _ for -, so its callers see one '
           'of these properties. v2 shows both.')
    advice = 'Remove the unwanted property through v2.'

    def look(self, image: facts.Image) -> None:
        """Compare the names."""
        seen: dict[str, list[str]] = {}
        for name in image.properties:
            seen.setdefault(name.lower().replace('-', '_'), []).append(name)
        for names in seen.values():
            if len(names) > 1:
                self.find(image.id, ', '.join(map(shown, sorted(names))))


class Formats(checks.ImageCheck):
    """Formats that v2 does not accept."""

    name = 'formats'
    title = 'Formats that v2 does not accept'
    of = 'have no formats, or others than v2 accepts'
    why = ('v2 accepts no data for an image without formats, so a snapshot '
           'into it fails. v1 also makes active images without data and '
           'formats, which no one can upload again.')
    advice = ('--fix sets the formats of queued images. Those of active ones '
              'can be set only through v1: PUT /v1/images/ID with '
              'x-image-meta-disk_format, x-image-meta-container_format and '
              'x-glance-registry-purge-props: False. Or add the format to '
              '[image_format] in glance-api.conf.')

    def begin(self, about: facts.About) -> None:
        """Remember the formats."""
        self._accepted = about.formats

    def look(self, image: facts.Image) -> None:
        """Compare the formats."""
        if image.status not in ('queued', *facts.WITH_DATA):
            return
        wrong = []
        for what, value, accepted in (
                ('disk_format', image.disk_format, self._accepted.disk),
                ('container_format', image.container_format,
                 self._accepted.container)):
            if value is None:
                wrong.append('no ' + what)
            elif accepted and value not in accepted:
                wrong.append('%s %s' % (what, shown(value)))
        if wrong:
            self.find(image.id, '%s, %s' % (image.status, ', '.join(wrong)))


class References(checks.ImageCheck):
    """Kernels and ramdisks."""

    name = 'kernel-and-ramdisk'
    title = 'Kernels and ramdisks of images'
    result = 'failure if it is not a UUID; warning if it does not exist'
    of = 'name a kernel or ramdisk that does not exist'
    why = ('v2 accepts only UUIDs in kernel_id and ramdisk_id. A snapshot of '
           'a server inherits them, and v2 refuses to create it.')
    advice = ('Correct the property or remove it: openstack image unset '
              '--property kernel_id ID')
    cost = 'the listing, and 1 for each kernel and ramdisk'
    kinds = frozenset(('exists',))

    def look(self, image: facts.Image) -> None:
        """Judge the form of the names."""
        for name in REFERENCES:
            value = image.properties.get(name)
            if not is_unset(value) and not _is_uuid(value):
                self.find(image.id, '%s is %s' % (name, shown(str(value))),
                          Code.FAILURE)

    def ask(self, image: facts.Image
            ) -> collections.abc.Iterable[facts.Question]:
        """Ask whether the other image exists."""
        for name in REFERENCES:
            value = image.properties.get(name)
            if _is_uuid(value):
                yield facts.Question('exists', str(value).lower())

    def hear(self, image: facts.Image, question: facts.Question,
             answer: typing.Any) -> None:
        """Judge whether the other image exists."""
        if not answer:
            names = [name for name in REFERENCES if str(
                image.properties.get(name)).lower() == question.image_id]
            self.find(image.id, '%s %s is gone' % (
                ' and '.join(names), question.image_id))


def is_unset(value: typing.Any) -> bool:
    """Return whether the value of a reference means that there is none."""
    return value in (None, '', 'None')


def _is_uuid(value: typing.Any) -> bool:
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


class Values(checks.ImageCheck):
    """What v2 would refuse to store again."""

    name = 'values'
    title = 'Values that v2 would not store again'
    of = 'have names, values or numbers that v2 refuses or misreads'
    why = ('v1 makes text of every value, such as "None". v2 refuses names of '
           'more than 255 characters or with characters of four bytes, and '
           'answers 413 to a change of an image with more than 128 '
           'properties or members.')
    advice = ('Remove or correct the properties. --fix unsets a kernel_id or '
              'ramdisk_id that is "None", through v1. Raise '
              'image_property_quota and image_member_quota in glance-api.conf '
              'if the images need so many.')
    cost = 'the listing; members are counted if pending-members reads them'
    kinds = frozenset(('members',))

    def look(self, image: facts.Image) -> None:
        """Judge names, values and their number."""
        if len(image.properties) > MOST:
            self.find(image.id, '%d properties' % len(image.properties))
        for name, value in image.properties.items():
            if len(name) > LONGEST:
                self.find(image.id, 'a name of %d characters: %s' % (
                    len(name), shown(name)))
            elif _LARGE.search(name):
                self.find(image.id, 'characters of four bytes in the name '
                          '%s' % shown(name))
            elif value == 'None':
                self.find(image.id, '%s is "None"' % shown(name))

    def hear(self, image: facts.Image, question: facts.Question,
             answer: typing.Any) -> None:
        """Count the members."""
        if len(answer) > MOST:
            self.find(image.id, '%d members' % len(answer))


class Unfinished(checks.ImageCheck):
    """Images that will never be used.

    :param now: the time
    """

    name = 'unfinished-images'
    title = 'Images that were never finished'
    of = 'were never finished, or remain after their deletion'
    why = ('They have no data and nobody can use them. v1 leaves killed '
           'images, which v2 does not list. Nobody removes the data of '
           'pending_delete ones while glance-scrubber is not running.')
    advice = ('Delete the images that nobody waits for. Run glance-scrubber, '
              'and glance-manage db purge.')
    cost = 'the listing, and 2 through v1'
    unlisted = True

    def __init__(self, now: datetime.datetime | None = None) -> None:
        """Remember the time."""
        super().__init__()
        self._now = now or datetime.datetime.now(datetime.timezone.utc)

    def look(self, image: facts.Image) -> None:
        """Judge status and age."""
        if image.status in ('killed', 'pending_delete'):
            self.find(image.id, image.status)
        elif image.status in ('queued', 'saving', 'uploading', 'importing'):
            since = image.updated_at or image.created_at
            age = self._now - (since or self._now)
            if age > datetime.timedelta(days=1):
                self.find(image.id, '%s for %d days' % (
                    image.status, age.days))


class Hashes(checks.ImageCheck):
    """Data that cannot be verified."""

    name = 'hashes'
    title = 'Images without a hash'
    of = 'have data that cannot be verified'
    why = ('A download cannot be verified without a hash. v1 and locations '
           'leave images without os_hash_value, or without any hash.')
    advice = ('Nothing has to be done. To verify downloads, upload the image '
              'again, or copy it with nova-image replicate.')

    def look(self, image: facts.Image) -> None:
        """Judge which hashes there are."""
        if not image.has_data:
            return
        if image.checksum is None and not image.hash_value:
            self.find(image.id, 'neither checksum nor os_hash_value')
        elif image.hash_value is None:
            self.find(image.id, 'no os_hash_value')


class Content(checks.ImageCheck):
    """Data that is not what disk_format says."""

    name = 'content'
    title = 'Data against disk_format'
    of = 'have data that contradicts disk_format'
    why = ('Glance since 2025 refuses such an upload with 415, so the image '
           'cannot be copied to a new cloud; nova-compute refuses some, too.')
    advice = ('Upload the image again with the right disk_format. '
              'disk_format of an image with data cannot be changed.')
    cost = 'the listing, and 36 KiB of each image'
    kinds = frozenset(('start',))
    option = '--content'

    def ask(self, image: facts.Image
            ) -> collections.abc.Iterable[facts.Question]:
        """Ask for the first bytes of images with data."""
        if image.status == 'active' and image.has_data:
            yield facts.Question('start', image.id)

    def hear(self, image: facts.Image, question: facts.Question,
             answer: typing.Any) -> None:
        """Judge the first bytes."""
        problem = contradiction(image.disk_format, answer)
        if problem:
            self.find(image.id, 'disk_format is %s, but the data %s' % (
                image.disk_format, problem))


#: disk_formats of data without a format of its own
_PLAIN = frozenset(('raw', 'ami', 'ari', 'aki'))


def contradiction(disk_format: str | None, start: bytes) -> str | None:
    """Return what data looks like, if it is not what disk_format says.

    :param start: the first bytes of the data
    """
    from nova_image.image import disk_formats

    guess = disk_formats.guess(start)
    if guess is None:
        return 'does not look like it' if disk_formats.is_visible(
            disk_format, None) else None
    if guess.disk_format == disk_format:
        return None
    if guess.disk_format in (None, 'raw', 'aki', 'luks'):
        # Glance accepts any of these as raw, and cannot see some formats.
        return None if disk_format in _PLAIN or not disk_formats.is_visible(
            disk_format, None) else guess.looks
    looks: str = guess.looks
    return looks


def all_checks() -> list[checks.ImageCheck]:
    """Return a new one of each check in this module."""
    return [NonAsciiProperties(), SimilarProperties(), Formats(),
            References(), Values(), Unfinished(), Hashes(), Content()]
