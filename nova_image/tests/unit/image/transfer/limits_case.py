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


"""Base class of the tests of limits and turns in image.transfer."""

import os

import fixtures

from nova_image.image.transfer import recorded
from nova_image.tests.unit import base

RECORDED = recorded.Recorded(5, 'md5', 'abc')


class LimitsTestCase(base.TestCase):
    """Base class: a folder for the locks, and one for images."""

    def setUp(self):
        super(LimitsTestCase, self).setUp()
        self.locks = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'image')
        self.set(transfer_lock_path=self.locks)

    def write(self, data=b'bytes'):
        """Write the image's file."""
        with open(self.path, 'wb') as stream:
            stream.write(data)

    def stop_the_clock(self):
        """Return a Clock that replaces the monotonic one."""
        clock = Clock()
        self.useFixture(fixtures.MonkeyPatch('oslo_utils.timeutils.now',
                                             lambda: clock.now))
        return clock


class Clock(object):
    """A clock that only sleep() moves."""

    def __init__(self):
        self.now = 1000.0

    def sleep(self, seconds):
        """Move the clock, instead of waiting."""
        self.now += seconds
