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


"""Listings of several pages, for every driver: each image once, in order.

NOVA_IMAGE_EVERY_ORDER=1 tries every order with every marker, which takes
minutes.
"""

import collections.abc
import datetime
import itertools
import os
import pathlib
import sqlite3
import typing

import fixtures as lib_fixtures

from nova_image import exception
from nova_image.image import listing
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import budgets
from nova_image.tests.functional import conformance_case as case

Order = dict[str, typing.Any]

EVERY = os.environ.get('NOVA_IMAGE_EVERY_ORDER') == '1'

KEYS = ('name', 'status', 'container_format', 'disk_format', 'size', 'id',
        'created_at', 'updated_at')

#: name, status, container_format, disk_format, size: nulls, equal values,
#: and the values that Glance compares nulls as
FIELDS = (
    ('b', 'active', 'bare', 'raw', 5), (None, 'queued', None, None, None),
    ('', 'queued', 'bare', None, 0), ('a', 'active', 'bare', 'qcow2', 5),
    (None, 'queued', None, 'raw', None), ('b', 'active', 'ovf', 'raw', 7),
    ('', 'active', 'bare', 'raw', 0), ('a', 'queued', 'bare', 'qcow2', None),
    ('C', 'queued', None, None, None), ('é', 'active', 'bare', 'iso', 1 << 40))


def insert_images(database: pathlib.Path, owner: str) -> None:
    """Insert images with FIELDS into a Glance's sqlite database.

    Some were created in the same second, some in the same microsecond.
    """
    begin = datetime.datetime(2020, 1, 1)
    rows = []
    for number, fields in enumerate(FIELDS):
        created = begin + datetime.timedelta(
            seconds=number // 6, microseconds=number * 5 // 2 % 7)
        updated = begin + datetime.timedelta(days=number % 4 + 1)
        rows.append((base.new_id(), *fields, owner) + tuple(
            moment.strftime('%Y-%m-%d %H:%M:%S.%f')
            for moment in (created, updated)))
    with sqlite3.connect(database, timeout=30) as connection:
        connection.executemany(
            'insert into images (id, name, status, container_format, '
            'disk_format, size, owner, created_at, updated_at, deleted, '
            "min_disk, min_ram, protected, visibility) values "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 'private')", rows)
    connection.close()


def _order(key: str | list[str], direction: str | list[str]) -> Order:
    return {'sort_key': key, 'sort_dir': direction}


class Listings(case.DriverCase):
    """Listings by every key that Glance sorts by, in both directions."""

    @property
    def server(self) -> fixtures.Service:
        """The server under test."""
        raise NotImplementedError

    @property
    def database(self) -> pathlib.Path:
        """The server's sqlite database."""
        raise NotImplementedError

    @property
    def orders(self) -> list[Order]:
        """The orders that the driver supports."""
        single = [_order(key, direction) for key in KEYS
                  for direction in ('asc', 'desc')]
        single += [{}, {'sort_key': 'size'}, {'sort_dir': 'asc'}]
        if not EVERY:
            single = single[:2] + single[3:8:2] + single[8:]
        if not self.sorts_by_several_keys:
            return single
        several = [
            _order(['status', 'id'], ['asc', 'desc']),
            _order(['size', 'created_at'], ['desc', 'asc']),
            _order(['name', 'created_at', 'id'], ['desc', 'asc', 'desc']),
            _order(['id', 'size'], ['desc', 'desc']),
            _order(['created_at', 'id'], ['asc', 'desc'])]
        pairs = sorted(itertools.permutations(
            sorted(set(KEYS) - {'created_at', 'id'}), 2))
        return single + several + [
            _order(list(pair), directions)
            for pair in (pairs if EVERY else [('name', 'size')])
            for directions in (['asc', 'desc'], ['desc'])[:1 + EVERY]]

    @property
    def few_orders(self) -> list[Order]:
        """The orders in which the marker matters most."""
        if EVERY:
            return self.orders
        return [_order('name', 'asc'), _order('size', 'desc')]

    def setUp(self) -> None:
        """Create the images."""
        super().setUp()
        self.addCleanup(budgets.remove_images, self.database, self.project)
        insert_images(self.database, self.project)

    def ids(self, **kwargs: typing.Any) -> list[str]:
        """Return the IDs of the images that the driver lists."""
        return [image['id'] for image in
                self.driver.detail(self.ctx, **kwargs)]

    def learn(self) -> None:
        """Learn what makes later listings take fewer requests."""

    @staticmethod
    def removing_markers(gone: list[str], remove: collections.abc.Callable[
            [str], None]) -> lib_fixtures.MonkeyPatch:
        """Return a fixture that removes each page's last image.

        :param gone: receives their IDs
        :param remove: removes the image with an ID
        """
        whole = listing.Progress.page

        def page(*args: typing.Any, **kwargs: typing.Any) -> listing.Page:
            found = whole(*args, **kwargs)
            if found.marker:
                remove(found.marker)
                gone.append(found.marker)
            return found

        return lib_fixtures.MonkeyPatch(
            'nova_image.image.listing.Progress.page', page)

    def test_every_order_is_whole(self) -> None:
        for order in self.orders:
            expected = self.ids(**order)
            self.assertEqual(len(FIELDS), len(set(expected)))
            for size in (1, 2, 3, 10) if EVERY else (4,):
                self.assertEqual(
                    expected, self.ids(page_size=size, **order),
                    (size, order))
                if EVERY or order in self.few_orders:
                    self.assertEqual(expected[:7], self.ids(
                        page_size=size, limit=7, **order), (size, order))

    def test_every_image_is_a_marker(self) -> None:
        for order in self.few_orders:
            expected = self.ids(**order)
            for number, marker in enumerate(expected, 1):
                for kwargs, count in (
                        ({'limit': 2}, 2), ({'limit': 5, 'page_size': 4}, 5),
                        ({'page_size': 2}, 99))[:3 if EVERY else 1]:
                    self.assertEqual(
                        expected[number:][:count],
                        self.ids(marker=marker, **kwargs, **order),
                        (number, kwargs, order))

    def test_a_marker_that_the_filters_leave_out(self) -> None:
        for order in self.few_orders:
            every = self.ids(**order)
            order = {'filters': {'status': 'active'}, **order}
            active = self.ids(**order)
            for number, marker in enumerate(every, 1):
                self.assertEqual(
                    [one for one in every[number:] if one in active],
                    self.ids(marker=marker, page_size=4, **order),
                    (number, order))

    def test_an_image_is_deleted_between_two_pages(self) -> None:
        for order in ({}, {'sort_key': 'size', 'sort_dir': 'desc'}):
            expected = self.ids(**order)
            gone: list[str] = []
            with self.removing_markers(gone, self.raw.delete):
                found = self.ids(page_size=3, **order)
            self.assertEqual(
                [one for one in expected if one not in gone],
                [one for one in found if one not in gone])
            self.assertEqual(len(found), len(set(found)))
            self.assertNotEqual([], gone)

    def test_an_unknown_marker(self) -> None:
        for order in ({}, *self.few_orders):
            self.assertRaises(exception.Invalid, self.ids,
                              marker=base.new_id(), **order)

    def test_number_of_requests(self) -> None:
        self.learn()
        desc = _order('size', 'desc')
        expected = self.ids(**desc)
        for requests, kwargs in (
                (1, {}), (1, {'limit': 4}), (1, {'page_size': 11}),
                (2, {'limit': 4, 'marker': expected[0]}),
                (2, {'limit': 4, 'marker': expected[8]}),
                # The first page, and all pages in another order.
                (5, {'page_size': 3})):
            with base.recording(self.server) as recorded:
                self.ids(**desc, **kwargs)
            self.assertEqual(requests, len(recorded.calls), kwargs)


class LinkedListings(Listings):
    """Listings of several pages, which Glance links to each other."""

    def test_every_page_has_all_tags(self) -> None:
        # Glance's link to the next page has only the last tag.
        for tags in (['x', 'y'], ['y'], ['x']) * 2:
            self.raw.create(owner=self.project, tags=tags)
        filters = {'tag': ['x', 'y']}
        with base.recording(self.server) as recorded:
            images = self.driver.detail(self.ctx, filters=filters,
                                        page_size=1)
        self.assertEqual(2, len(images))
        self.assertEqual(3, len(recorded.calls))

    def test_an_image_is_hidden_between_two_pages(self) -> None:
        expected = self.ids()
        gone: list[str] = []
        with self.removing_markers(gone, self._hide):
            self.assertEqual(expected, self.ids(page_size=3))
        self.assertNotEqual([], gone)

    def _hide(self, image_id: str) -> None:
        """Give an image to another project."""
        with sqlite3.connect(self.database, timeout=30) as connection:
            connection.execute('update images set owner = ? where id = ?',
                               (base.new_id(), image_id))
        connection.close()
