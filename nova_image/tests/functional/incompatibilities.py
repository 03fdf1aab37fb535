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


"""The whole list of what differs between the Images APIs v1 and v2.

Callers get the same answers in the same format from both drivers, but for
what is here: one entry a difference. The page
``doc/source/user/incompatibilities.rst`` is page() of this list, and a test
of random images takes the entries' functions for the only differences that
there may be. Run this module to write the page::

    python -m nova_image.tests.functional.incompatibilities
"""

import collections
import collections.abc
import dataclasses
import pathlib
import re
import textwrap
import typing

Image = dict[str, typing.Any]

PAGE = (pathlib.Path(__file__).resolve().parents[3] / 'doc' / 'source' /
        'user' / 'incompatibilities.rst')

#: names that v2 has for itself, of those that a property may have in v1
RESERVED = ('owner', 'tags', 'self', 'file', 'schema', 'status', 'size',
            'visibility', 'os_glance_x')


@dataclasses.dataclass(frozen=True)
class Reading:
    """How an image came to be, and how it is read."""

    #: the API that made it, ``v1`` or ``v2``
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
    """One difference, for people and for the test."""

    #: for links
    id: str
    title: str
    #: one paragraph, in plain words
    text: str
    #: what v1 makes of the image that v2 answers
    as_v1: Change = _same
    #: what v2 makes of the image that v1 answers
    as_v2: Change = _same
    #: whether one of them (``v1`` or ``v2``) refuses to make such an image
    refuses: collections.abc.Callable[[str, Image], bool] = _never
    #: whether v1's answer about an image of that API is not to be relied on
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
    """Leave out what differs in case alone."""
    if reading.operation == 'detail':
        return image
    count = collections.Counter(map(str.lower, image['properties']))
    return _without(image, lambda name, value: count[name.lower()] > 1)


def _folded(name: str) -> str:
    return name.lower().replace('-', '_')


def _sent(meta: Image) -> Image:
    """Return the properties that are sent: no empty kernel_id."""
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
    return dict(image, name=name, properties={
        name: value.strip(' ') if isinstance(value, str) else value
        for name, value in image['properties'].items()})


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
        'property-names', 'Names of properties in v1 are in lower case', """
        v1 stores the name of a property in lower case and with an underscore
        for each hyphen; v2 stores it as it is. A property that was stored
        through v2 is found under its own name by v1's list, and in lower
        case where v1 reads that one image. Programs that work with both have
        to use lower case and underscores.""", as_v1=_lower),
    _entry(
        'clashing-names', 'Names that differ in case alone', """
        v2 keeps two properties apart whose names differ in case, or in a
        hyphen and an underscore, alone. v1 cannot: the v1 driver refuses to
        store such an image, and when it reads one that was stored through v2
        the values of those properties are not to be relied on.""",
        as_v1=_unclashing, as_v2=_unclashing, refuses=_clash),
    _entry(
        'reserved-names', 'Properties named like fields of v2', """
        v1 has a room of its own for properties, so that one may be called
        owner, tags or size. v2 has them beside its own fields, where these
        names are taken: those of all its fields, location and deleted among
        them, and all that begin with os_glance_. The v2 driver refuses to
        store such a property, and does not show one that was stored through
        v1. In particular a property called owner never changes an image's
        owner.""", as_v2=_visible, refuses=_reserved),
    _entry(
        'empty-properties', 'Properties without a value', """
        A property whose value is an empty text is there for v2. v1 has no
        such thing when it reads one image, nor anywhere when it stored the
        property itself.""", as_v1=_no_empty, as_v2=_no_empty),
    _entry(
        'white-space', 'White space around values', """
        v1 carries metadata as HTTP headers, which may lose blanks at both
        ends and cannot have line breaks or other control characters. The v1
        driver refuses to store an image whose name or properties have them,
        and may read those that were stored through v2 without the blanks.
        """, as_v1=_stripped, as_v2=_stripped, refuses=_white_space),
    _entry(
        'header-names', 'Characters in names of properties', """
        A property's name is part of an HTTP header's name in v1: colons,
        blanks and the like are refused by the v1 driver and are no problem
        in v2. Where v2 stored such a name, v1 spoils it, and may lose other
        attributes, when it reads that image. Names that are not ASCII are
        refused by both: Glance 15 stores them and can then no longer show
        the image through v2.""",
        refuses=_refuses_odd_names, spoils=_spoils_odd_names),
    _entry(
        'long-values', 'Long values', """
        Glance takes 16384 bytes in one header unless it is told otherwise
        (max_header_line), so the v1 driver refuses longer values of names
        and properties. v2 takes as much as the database."""),
    _entry(
        'kernel-and-ramdisk', 'kernel_id and ramdisk_id', """
        Where the usual description of properties is installed, v2 takes the
        ID of an image, or nothing, for kernel_id and ramdisk_id; v1 takes
        any text. Both drivers leave them out when they are empty or None.
        """),
    _entry(
        'locations', 'Locations', """
        v1 never tells where an image's data is: the list of locations is
        empty. v2 tells it where Glance is configured to
        (show_multiple_locations, show_image_direct_url)."""),
    _entry(
        'deleted-images', 'Deleted images', """
        An administrator can still read a deleted image through v1. For v2 it
        is gone at once, for everybody: the answer is ImageNotFound."""),
    _entry(
        'changes-since', 'Listing what has changed', """
        With the filter changes-since v1 lists images that were deleted since
        then, too. v2 lists those that exist. A program that keeps a copy of
        the list has to compare IDs to learn what was deleted."""),
    _entry(
        'visibility', 'More than public and private', """
        v2 knows images that are public, private, shared and community.
        Callers see is_public alone, which is False for the last three. The
        v2 driver leaves an image as it is when is_public False is written
        back; v1 cannot tell them apart and makes it shared, which without
        members is as good as private, and takes a community image away from
        the projects that use it."""),
    _entry(
        'members', 'Members of shared images', """
        v1 lists an image that was shared with a project at once. v2 lists it
        when the project has accepted it; by its ID it can be read and used
        at once through both. To give a project access, v2 wants the image to
        be shared rather than private; the v2 driver creates it so. v1 takes
        members for any image, and they have access only where v2 calls it
        shared, which is how v1 makes images that are not public. v1 takes
        the same member twice; v2 refuses it with ImageConflict. Only v2 has
        a status of members, only v1 members that may share on."""),
    _entry(
        'tags', 'Tags and filters by tag and visibility', """
        v1 knows no tags: it neither shows nor changes those that an image
        has. The v1 driver refuses to filter by tag and by visibility rather
        than to list everything."""),
    _entry(
        'sorting', 'Sorting by several keys', """
        v2 sorts by several keys, v1 by one: the v1 driver refuses more."""),
    _entry(
        'empty-images', 'Images without data', """
        Through v1 an image of size 0 becomes active with neither data nor
        formats. v2 wants both formats and an upload of nothing; where the
        caller names no formats the v2 driver chooses bare, if Glance offers
        it, and of raw, qcow2, vhd and vmdk the first that it offers."""),
    _entry(
        'failed-uploads', 'After an upload that failed', """
        When sending the data of an existing image fails, v1 leaves the image
        killed: it can only be deleted. v2 leaves it queued: the data can be
        sent again. An image that the failed call itself created is deleted
        in both cases."""),
    _entry(
        'import', 'Import and copies between stores', """
        v1 has one store and no import. The v1 driver refuses to import, and
        to copy an image to another store, with ImageActionNotSupported. v1's
        copy_from is offered by neither: it lets callers scan Glance's network
        (OSSN 0078)."""),
)


def page() -> str:
    """Return the documentation page, as reStructuredText."""
    title = 'Incompatibilities of the Images APIs v1 and v2'
    intro = """
        Whichever Images API the driver speaks, callers get the same answers
        in the same format. This is the list of all differences that are
        left, because one of the APIs cannot do what the other can. A test
        stores random images through either driver, reads them through both
        and accepts no other difference."""
    lines = [title, '=' * len(title), '', *_wrapped(intro)]
    for entry in INCOMPATIBILITIES:
        lines += ['', '.. _incompatibility-%s:' % entry.id, '', entry.title,
                  '-' * len(entry.title), '', *_wrapped(entry.text)]
    return '\n'.join(lines) + '\n'


def _wrapped(text: str) -> list[str]:
    # Names of the code are literals on the page.
    literal = re.sub(r'\b(\w+_\w+|changes-since|ImageNotFound|'
                     r'ImageActionNotSupported)(?!\w)', r'``\1``',
                     _as_one(text))
    return textwrap.wrap(literal, 79, break_on_hyphens=False,
                         break_long_words=False)


if __name__ == '__main__':
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
