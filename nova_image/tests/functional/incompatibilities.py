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


"""The complete list of differences between the Images APIs v1 and v2.

Callers get the same results in the same format from both drivers, except for
the differences listed here. The function page() renders the list as
``doc/source/user/incompatibilities.rst``, and a test of random images accepts
no differences other than those that the entries' functions describe. Run this
module to write the page::

    python -m nova_image.tests.functional.incompatibilities
"""

import collections
import collections.abc
import dataclasses
import pathlib
import textwrap
import typing

Image = dict[str, typing.Any]

PAGE = (pathlib.Path(__file__).resolve().parents[3] / 'doc' / 'source' /
        'user' / 'incompatibilities.rst')

#: names that v2 reserves, but that a property may have in v1
RESERVED = ('owner', 'tags', 'self', 'file', 'schema', 'status', 'size',
            'visibility', 'os_glance_x')


@dataclasses.dataclass(frozen=True)
class Reading:
    """How an image was created, and how it is read."""

    #: the API that created it, ``v1`` or ``v2``
    maker: str
    #: ``show`` or ``detail``
    operation: str


def _same(image: Image, reading: Reading) -> Image:
    return image


def _never(maker: str, meta: Image) -> bool:
    return False


Change = collections.abc.Callable[[Image, Reading], Image]


@dataclasses.dataclass(frozen=True)
class Incompatibility:
    """One difference, for readers and for the test."""

    #: the anchor of links
    id: str
    title: str
    #: one paragraph, in plain words; names and values are literals
    text: str
    #: changes an image as v2 returns it to the same image as v1 returns it
    as_v1: Change = _same
    #: changes an image as v1 returns it to the same image as v2 returns it
    as_v2: Change = _same
    #: whether an API (``v1`` or ``v2``) refuses to create such an image
    refuses: collections.abc.Callable[[str, Image], bool] = _never
    #: whether v1 misreads an image that an API (``v1`` or ``v2``) created
    spoils: collections.abc.Callable[[str, Image], bool] = _never


def _renamed(image: Image, rename: collections.abc.Callable[[str], str]
             ) -> Image:
    return dict(image, properties={
        rename(name): value for name, value in image['properties'].items()})


def _without(image: Image, unwanted: collections.abc.Callable[
        [str, typing.Any], bool]) -> Image:
    return dict(image, properties={
        name: value for name, value in image['properties'].items()
        if not unwanted(name, value)})


def _lower(image: Image, reading: Reading) -> Image:
    if reading.operation == 'detail':
        return image
    return _renamed(image, str.lower)


def _unclashing(image: Image, reading: Reading) -> Image:
    """Leave out properties whose names differ only in case."""
    if reading.operation == 'detail':
        return image
    count = collections.Counter(map(str.lower, image['properties']))
    return _without(image, lambda name, value: count[name.lower()] > 1)


def _folded(name: str) -> str:
    return name.lower().replace('-', '_')


def _sent(meta: Image) -> Image:
    """Return the properties that the drivers send: no empty kernel_id."""
    return {name: value for name, value in meta['properties'].items()
            if not (name in ('kernel_id', 'ramdisk_id') and
                    value in (None, ''))}


def _clash(maker: str, meta: Image) -> bool:
    names = [_folded(name) for name in _sent(meta)]
    return maker == 'v1' and len(set(names)) < len(names)


def _visible(image: Image, reading: Reading) -> Image:
    return _without(image, lambda name, value: name in RESERVED)


def _reserved(maker: str, meta: Image) -> bool:
    return maker == 'v2' and bool(set(RESERVED) & set(meta['properties']))


def _no_empty(image: Image, reading: Reading) -> Image:
    if reading.operation == 'detail' and reading.maker == 'v2':
        return image
    return _without(image, lambda name, value: value == '')


def _stripped(image: Image, reading: Reading) -> Image:
    if reading.operation == 'detail':
        return image
    name = image['name'] and image['name'].strip(' ')
    return _no_empty(dict(image, name=name, properties={
        name: value.strip(' ') if isinstance(value, str) else value
        for name, value in image['properties'].items()}), reading)


def _white_space(maker: str, meta: Image) -> bool:
    texts = [meta['name'], *_sent(meta).values()]
    return maker == 'v1' and any(
        isinstance(text, str) and text != text.strip() for text in texts)


def _refuses_odd_names(maker: str, meta: Image) -> bool:
    return maker == 'v1' and any(
        ':' in name or ' ' in name for name in meta['properties'])


def _spoils_odd_names(maker: str, meta: Image) -> bool:
    return maker == 'v2' and _refuses_odd_names('v1', meta)


def _as_one(text: str) -> str:
    return ' '.join(text.split())


def _entry(name: str, title: str, text: str,
           **functions: typing.Any) -> Incompatibility:
    return Incompatibility(name, title, _as_one(text), **functions)


INCOMPATIBILITIES = (
    _entry(
        'property-names', 'Property names in v1 are lower case', """
        v1 stores the name of a property in lower case, with an underscore for
        each hyphen; v2 stores it unchanged. A property that was stored through
        v2 has its own name when v1 lists images, and a lower case name when v1
        shows the image. Programs that work with both APIs must use lower case
        and underscores.""", as_v1=_lower),
    _entry(
        'clashing-names', 'Property names that differ only in case', """
        In v2, two properties may have names that differ only in case, or only
        in a hyphen and an underscore. In v1 they cannot: the v1 driver refuses
        to store such an image, and if it reads one that was stored through v2,
        the values of those properties are unreliable.""",
        as_v1=_unclashing, as_v2=_unclashing, refuses=_clash),
    _entry(
        'reserved-names', 'Properties named like fields of v2', """
        v1 keeps properties separate from fields, so a property may have the
        name ``owner``, ``tags`` or ``size``. v2 keeps both in one namespace
        and reserves the names of all its fields, including ``location`` and
        ``deleted``, and all names that begin with ``os_glance_``. The v2
        driver refuses to store such a property, and does not show one that
        was stored through v1; it takes ``os_hidden``, ``os_hash_algo``,
        ``os_hash_value`` and ``stores`` for fields. In particular, a
        property with the name ``owner`` never changes the owner of an
        image.""", as_v2=_visible, refuses=_reserved),
    _entry(
        'empty-properties', 'Properties without a value', """
        v2 keeps a property whose value is the empty string. v1 never shows
        one, and lists only those that were stored through v2.""",
        as_v1=_no_empty, as_v2=_no_empty),
    _entry(
        'white-space', 'White space around values', """
        v1 carries metadata in HTTP headers, which may lose leading and
        trailing blanks and cannot contain line breaks or other control
        characters. The v1 driver refuses to store an image whose name or
        properties have them, and may return values that were stored through v2
        without the blanks. A property with nothing but blanks has no value
        then.""",
        as_v1=_stripped, as_v2=_stripped, refuses=_white_space),
    _entry(
        'header-names', 'Characters in property names', """
        In v1 the name of a property is part of the name of an HTTP header: the
        v1 driver refuses colons, blanks and similar characters, which v2
        accepts. If such a name was stored through v2, v1 shows it damaged, and
        may lose other attributes of that image. Both drivers refuse names that
        are not ASCII: Glance 15 stores them, but can then no longer show the
        image through v2.""",
        refuses=_refuses_odd_names, spoils=_spoils_odd_names),
    _entry(
        'long-values', 'Long values', """
        By default, Glance accepts 16384 bytes in one header
        (``max_header_line``), so the v1 driver refuses longer names and
        property values. v2 accepts as much as the database does."""),
    _entry(
        'kernel-and-ramdisk', '``kernel_id`` and ``ramdisk_id``', """
        If the usual property schema is installed, v2 accepts only the ID of an
        image, or null, as ``kernel_id`` and ``ramdisk_id``; v1 accepts any
        text. Both drivers leave them out if they are empty or None."""),
    _entry(
        'locations', 'Locations', """
        v1 never returns the locations of an image's data: the list of
        locations is empty. v2 returns them if Glance is configured to
        (``show_multiple_locations``, ``show_image_direct_url``).

        v1 accepts a location only for a ``queued`` image, without a store and
        a hash. The v1 driver raises ``ImageActionNotSupported`` for listing
        locations, for ``remove_location`` and ``remove_from_store``."""),
    _entry(
        'deleted-images', 'Deleted images', """
        An administrator can still read the metadata of a deleted image through
        v1, but not change it: the v1 driver raises ``ImageNotAuthorized``.
        Through v2 the image is gone at once, for everybody: the driver raises
        ``ImageNotFound``. Both drivers raise ``ImageNotFound`` for the data of
        a deleted image."""),
    _entry(
        'times', 'Fractions of a second', """
        Glance stores times with microseconds, which v1 shows and v2 does not.
        Both drivers return whole seconds, so that an image has the same
        ``created_at``, ``updated_at`` and ``deleted_at`` through both. With
        Nova's own image code, times of v1 have microseconds."""),
    _entry(
        'changes-since', 'Listing changed images', """
        With the filter ``changes-since``, v1 also lists images that were
        deleted since then. v2 lists only images that exist. A program
        that keeps a copy of the list must compare IDs to detect deleted
        images."""),
    _entry(
        'visibility', 'Visibilities other than public and private', """
        In v2 an image is ``public``, ``private``, ``shared`` or ``community``.
        Callers see only ``is_public``, which is False for the last three. If
        ``is_public`` False is written back, the v2 driver leaves the
        visibility unchanged. v1 cannot distinguish the three and makes the
        image ``shared``: without members this is equivalent to ``private``,
        and a community image is no longer available to the projects that use
        it."""),
    _entry(
        'members', 'Members of shared images', """
        v1 lists an image as soon as it is shared with a project; v2 lists it
        once the project has accepted it. Through both, the project can read
        and use the image by its ID at once. To share an image, v2 requires the
        visibility ``shared`` instead of ``private``; the v2 driver creates the
        image as ``shared``. v1 accepts members for any image, but they have
        access only if the visibility in v2 is ``shared``, which v1 gives to
        all images that are not public. v1 accepts the same member twice; v2
        refuses it with ``ImageConflict``. Only in v2 do members have a status;
        only in v1 can members be allowed to share the image further."""),
    _entry(
        'tags', 'Tags and filters by tag and visibility', """
        v1 does not support tags: it neither shows nor changes the tags of an
        image. The v1 driver refuses to filter by tag or visibility instead of
        listing all images."""),
    _entry(
        'sorting', 'Sorting by several keys', """
        v2 sorts by several keys, v1 by only one: the v1 driver refuses
        more."""),
    _entry(
        'empty-images', 'Images without data', """
        Through v1 an image of ``size`` 0 becomes active without data and
        without formats. v2 requires both formats and an empty upload. If the
        caller gives no formats, the v2 driver chooses ``bare``, if Glance
        offers it, and the first of ``raw``, ``qcow2``, ``vhd`` and ``vmdk``
        that Glance offers."""),
    _entry(
        'failed-uploads', 'After a failed upload', """
        If sending the data of an existing image fails, v1 leaves the image
        ``killed``: it can only be deleted. v2 leaves it ``queued``: the data
        can be sent again. In both cases, an image that the failed call itself
        created is deleted."""),
    _entry(
        'import', 'Import and copies between stores', """
        v1 has one store and no import. The v1 driver refuses to import an
        image or to copy it to another store with ``ImageActionNotSupported``.
        Neither driver offers ``copy_from`` of v1: it lets callers scan the
        network of Glance (OSSN 0078)."""),
)


def page() -> str:
    """Return the documentation page, as reStructuredText."""
    title = 'Incompatibilities of the Images APIs v1 and v2'
    intro = """
        This page is for authors of programs that used v1, and for operators
        whose users have such programs. Callers get the same results in the
        same format, whichever Images API the driver uses. This page lists
        all remaining differences, which exist because one API lacks a feature
        of the other. A test stores random images through each driver, reads
        them through both, and accepts no other difference."""
    lines = [title, '=' * len(title), '', *_wrapped(intro)]
    for entry in INCOMPATIBILITIES:
        lines += ['', '.. _incompatibility-%s:' % entry.id, '', entry.title,
                  '-' * len(entry.title), '', *_wrapped(entry.text)]
    return '\n'.join(lines) + '\n'


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(_as_one(text), 79, break_on_hyphens=False,
                         break_long_words=False)


if __name__ == '__main__':
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
