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

"""Listings that are read in threads."""

import itertools
import threading

import six

from nova_image import exception
from nova_image.tests.unit.replication import case
from nova_image.tests.unit.replication import memory
from nova_image.tests.unit.replication import test_run

if six.PY3:
    from nova_image.replication import ahead


class TestListing(case.TestCase):
    """Listing()."""

    def setUp(self):
        super(TestListing, self).setUp()
        self.closed = threading.Event()
        self.read = 0

    def images(self, error=None):
        """Yield images, without end or until an error."""
        try:
            for number in itertools.count():
                if error is not None and number == 250:
                    raise error
                self.read += 1
                yield case.image(id=str(number))
        finally:
            self.closed.set()

    def test_records_come_in_their_order(self):
        images = [case.image(id=str(number)) for number in range(1234)]
        self.assertEqual(images, list(ahead.Listing(lambda: images)))
        self.assertEqual([], list(ahead.Listing(list)))

    def test_failure_comes_after_the_records(self):
        for error in (ValueError('mine'), memory.Killed()):
            found = []

            def read(error=error, found=found):
                for image in ahead.Listing(lambda: self.images(error)):
                    found.append(image)

            self.assertIs(error, self.assertRaises(type(error), read))
            self.assertEqual(250, len(found))

    def test_it_is_at_most_about_a_page_ahead(self):
        listing = ahead.Listing(self.images)
        images = iter(listing)
        for _ in range(5):
            next(images)
        self.assertFalse(self.closed.wait(0.1))
        self.assertLessEqual(self.read, 1300)
        listing.close()
        self.assertTrue(self.closed.wait(60))
        self.assertLessEqual(self.read, 1300)

    def test_closing_what_nobody_reads(self):
        ahead.Listing(self.images).close()
        self.assertTrue(self.closed.wait(60))


class TestBothEnds(test_run.RunTest):
    """The ends list their images at the same time."""

    def test_neither_waits_for_the_other(self):
        events = [threading.Event(), threading.Event()]
        seen = []

        def trouble(mine, other):
            def meet(what, image_id):
                if what == 'GET images':
                    mine.set()
                    seen.append(other.wait(60))
            return meet

        self.source.trouble = trouble(*events)
        self.target.trouble = trouble(*events[::-1])
        self.add('A')
        self.replicate()
        self.assertEqual([True, True], seen)
        self.check_same('A')

    def test_failed_listing_ends_the_other_one(self):
        def trouble(what, image_id):
            raise exception.GlanceConnectionFailed(reason='it is away')

        for number in range(3000):
            self.add(str(number))
        for end in (self.target, self.source):
            end.trouble = trouble
            self.assertRaises(exception.GlanceConnectionFailed,
                              self.replicate)
            for thread in threading.enumerate():
                if thread.name == 'replication-list':
                    thread.join(60)
                    self.assertFalse(thread.is_alive())
            end.trouble = lambda what, image_id: None
