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

"""Transfers with faults through v1, on Glance 15.

v1 ignores Range: a resumed download receives the whole image again, and skips
the bytes that it already has. An image whose upload was interrupted is
``killed``, and accepts no more data. This module is removed together with the
v1 driver.
"""

import http.client
import typing
import urllib.parse

from nova_image.tests import fixtures
from nova_image.tests.fixtures import faults
from nova_image.tests.functional import base
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_transfer_faults as seeded
from nova_image.tests.functional import transfer_case
from nova_image.tests.functional import transfer_faults as cases


class _OnGlance15(transfer_case.TransferTest):
    """The v1 driver on Glance 15.

    It requests no metadata before a download: a fault that is drawn for the
    metadata strikes one more request for data.
    """

    options = {'use_glance_v1': True}
    images_path = '/v1/images'
    data_path = '/v1/images/'
    serves_ranges = False
    without_data = ('queued', 'killed')

    def glance(self) -> fixtures.Service:
        """Return the Glance to test against."""
        return servers.glance15()

    def must_succeed(self, case: cases.Upload) -> bool:
        """Return whether an upload must succeed: a truncated one is killed."""
        return case.must_succeed and not any(
            isinstance(one, faults.TruncatedUpload) for one in case.faults)


class V1FileTest(_OnGlance15, seeded.SeededTest):
    """Downloads to a file."""

    first = 7000
    kind = 'file'

    def test_seeds(self) -> None:
        self.check(0)


class V1ObjectTest(_OnGlance15, seeded.SeededTest):
    """Downloads to file objects, some of which cannot seek."""

    first = 7100
    size = 20
    kind = 'object'

    def test_seeds(self) -> None:
        self.check(0)


class V1StreamTest(_OnGlance15, seeded.SeededTest):
    """Downloads that the caller iterates over, or abandons."""

    first = 7200
    size = 20
    kind = 'stream'

    def test_seeds(self) -> None:
        self.check(0)


class V1CreateTest(_OnGlance15, seeded.SeededTest):
    """Uploads of new images."""

    first = 7300
    size = 30
    kind = 'create'

    def test_seeds(self) -> None:
        self.check(0)


class V1UpdateTest(_OnGlance15, seeded.SeededTest):
    """Uploads to images that have no data yet."""

    first = 7400
    size = 30
    kind = 'update'

    def test_seeds(self) -> None:
        self.check(0)


class V1KilledClientTest(_OnGlance15, seeded.KilledClientTest):
    """The process that makes the transfer is killed during it."""


class V1SavingTest(_OnGlance15):
    """Glance still receives an upload that the driver has given up.

    Seen on Glance 15: until it ends, a second upload is refused with 409.
    """

    data = cases.data_of(cases.SIZES[-1])

    def _begin_upload(self, image: str) -> http.client.HTTPConnection:
        """Send part of the data, like an attempt that the driver gave up."""
        connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(self.server.url).netloc)
        self.addCleanup(connection.close)
        connection.putrequest('PUT', '/v1/images/' + image)
        for name, value in {
                **servers.headers_of(self.project, 'member'),
                'Content-Type': 'application/octet-stream',
                'Content-Length': str(len(self.data))}.items():
            connection.putheader(name, value)
        connection.endheaders(self.data[:cases.MIB])
        self.wait_for(lambda: self.raw.image(image)['status'] == 'saving',
                      'saving')
        return connection

    def test_driver_waits_for_the_earlier_upload(self) -> None:
        image = self.raw.create(owner=self.project)['id']
        uploads: list[http.client.HTTPConnection] = []
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                uploads[0].send(self.data[cases.MIB:])
                self.assertEqual(200, uploads[0].getresponse().status)

        driver: typing.Any = base.make_driver('v1', [self.proxy.url],
                                              sleep=sleep)
        given = driver._head

        def head(*args: typing.Any) -> typing.Any:
            found = given(*args)
            if not uploads:  # the driver has seen that the image is queued
                uploads.append(self._begin_upload(image))
            return found

        self.patch(driver, '_head', head)
        self.proxy.plan(faults.TruncatedUpload(0), path=self.data_path,
                        method='PUT')
        made = driver.update(self.context(), image, {}, self.data,
                             purge_props=False)
        self.assertEqual('active', made['status'])
        self.assertEqual([None, 409, 409], [
            one.status for one in self.data_requests])
        self.assertTrue(self.raw.data(image) == self.data, 'the data differs')
