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

"""The commands for the locations of images.

The URL of a location may contain the credentials of a store. It is masked
wherever it is shown, so the commands accept what they show.
"""

from __future__ import annotations

import argparse
import collections.abc
import hashlib
import typing

from nova_image.cmd import base
from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image.cmd import safe_text
from nova_image import redaction

#: digits of the list in the ID of a location
_DIGITS = 6


def masked(url: str) -> str:
    """Return the URL of a location without credentials."""
    return redaction.redact(url, redaction.Secrets(url))


def ids(found: list[dict[str, typing.Any]]) -> list[str]:
    """Return the IDs of the locations in a list, such as ``1-3fa9c2``.

    Glance has none. An ID is the number of the location and digits that
    change with the list, so that it never means another location. The digits
    do not depend on credentials, which could be guessed from them.

    :param found: as returned by the API
    """
    text = '\n'.join(masked(one['url']) for one in found)
    digits = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return ['%d-%s' % (number, digits)
            for number in range(1, len(found) + 1)]


def _metadata(location: dict[str, typing.Any]) -> dict[str, str]:
    """Return the metadata of a location, except the store, masked."""
    return {name: redaction.redact('%s=%s' % (name, value)).partition('=')[2]
            for name, value in location['metadata'].items()
            if name != 'store'}


class Locations(base.Lister):
    """List the locations of an image: the URLs of its data in the stores.

    Credentials and queries in the URLs are masked. Glance shows locations
    only to users with the role service, or to everybody if it is set to
    show_multiple_locations.

    The IDs are valid until the list changes.
    """

    examples = """
        nova-image locations cirros
        nova-image locations cirros -f value -c url
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image."""
        base.add_image(parser)
        parser.add_argument('--long', action='store_true',
                            help='Show also the metadata.')

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...],
                               collections.abc.Iterable[typing.Any]]:
        """List the locations."""
        image_id = self.find(parsed_args.image)
        found = self.images.locations(self.caller, image_id)
        names: tuple[str, ...] = ('id', 'store', 'url')
        if parsed_args.long:
            names += ('metadata',)
        rows = [{'id': name, 'store': one['metadata'].get('store') or '',
                 'url': masked(one['url']),
                 'metadata': display.Properties(_metadata(one))}
                for name, one in zip(ids(found), found)]
        return names, [tuple(row[name] for name in names) for row in rows]


class LocationAdd(base.ShowOne):
    """Add a location to an image: data that is already in a store.

    A queued image becomes active, and the image is shown. An active image has
    one more source of its data: Glance does not check that it is the same
    data. The image owns the data from then on: deleting the image or removing
    the location deletes it in the store.

    Glance either accepts locations from everybody whom its policy allows, if
    it is set to show_multiple_locations, or for queued images from users with
    the role service.
    """

    examples = """
        nova-image location-add cirros \\
            --url rbd://7a1d5f0e/images/71c675ab/snap
        nova-image location-add cirros --url http://10.0.0.5/cirros.img \\
            --hash sha512=6513f21e44aa3da349f248188a44bc30...
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image, the URL, the store and the hash."""
        base.add_image(parser)
        parser.add_argument(
            '--url', metavar='<url>', required=True, type=_url,
            help='URL of the data, in the form that the store uses.')
        parser.add_argument(
            '--store', metavar='<store>',
            help='ID of the store, if Glance does not know it by the URL.')
        parser.add_argument(
            '--hash', metavar='<algorithm>=<digest>', type=options.pairs,
            help='Hash of the data, such as sha512=.... Glance records it; '
            'only the locations API compares it with the data.')

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Add the location."""
        algorithm, digest = parsed_args.hash or (None, None)
        return self.columns(self.images.add_location(
            self.caller, self.find(parsed_args.image), parsed_args.url,
            store=parsed_args.store, os_hash_algo=algorithm,
            os_hash_value=digest))


class LocationRemove(base.Command):
    """Remove a location of an image, and delete its data in the store.

    Glance deletes the data at once, or later if it is set to delayed_delete;
    other images or locations that use the same data lose it, too. The data
    behind http URLs remains. The protection of an image does not prevent it.
    The only location cannot be removed: delete the image instead.

    By default, only administrators may remove locations. Nothing is removed
    if another client has changed the list of locations in the meantime, so
    that the ID does not match it any more.
    """

    examples = """
        nova-image location-remove cirros --store slow
        nova-image location-remove cirros \\
            --url rbd://7a1d5f0e/images/71c675ab/snap
        nova-image location-remove cirros --id 2-3fa9c2
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the image and the location."""
        base.add_image(parser)
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument(
            '--url', metavar='<url>', type=_url,
            help='URL of the location, or what nova-image locations shows of '
            'it.')
        group.add_argument(
            '--id', metavar='<id>', dest='location_id', type=base.reference,
            help='ID of the location, as nova-image locations shows it.')
        group.add_argument(
            '--store', metavar='<store>', type=base.reference,
            help='ID of the store, if it has only one location of the image.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Remove the location."""
        image_id = self.find(parsed_args.image)
        if parsed_args.store:
            self.images.remove_from_store(self.caller, image_id,
                                          parsed_args.store)
            return
        found = self.images.locations(self.caller, image_id)
        position = (_by_url(found, parsed_args.url) if parsed_args.url else
                    _by_id(found, parsed_args.location_id))
        self.images.remove_location(self.caller, image_id, found[position])


def _by_url(found: list[dict[str, typing.Any]], url: str) -> int:
    """Return the position of the location with a URL, also a masked one.

    :raises errors.Failed: if there is no such location, or more than one
    """
    urls = [one['url'] for one in found]
    shown = [masked(one) for one in urls]
    for forms in (urls, shown, [safe_text.shown(one) for one in shown]):
        places = [place for place, one in enumerate(forms) if one == url]
        if len(places) > 1:
            raise errors.Failed(
                'Several locations have the URL %s. Use --id: %s' % (
                    masked(url), ', '.join(ids(found)[place]
                                           for place in places)),
                codes.CONFLICT)
        if places:
            return places[0]
    raise errors.Failed('The image does not have the location %s. See '
                        'nova-image locations' % masked(url), codes.NOT_FOUND)


def _by_id(found: list[dict[str, typing.Any]], text: str) -> int:
    """Return the position of the location with an ID.

    :raises errors.Failed: if the list has no such ID any more
    """
    known = ids(found)
    if text not in known:
        raise errors.Failed(
            'No location has the ID %s. The IDs change with the list: see '
            'nova-image locations' % text, codes.NOT_FOUND)
    return known.index(text)


def _url(text: str) -> str:
    """Refuse text that is not a URL; the ``type`` of an argument."""
    if '://' not in text:
        raise argparse.ArgumentTypeError('%r is not a URL' % text)
    return text
