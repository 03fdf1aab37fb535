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

"""Requests that another machine sends, with every driver."""

import collections.abc
import os
import typing

import requests

from nova_image import exception
from nova_image.tests.functional import conformance_case as case


def _pieces(data: bytes) -> collections.abc.Iterator[bytes]:
    """Yield data as a body without a length."""
    for start in range(0, len(data), 10000):
        yield data[start:start + 10000]


class Requests(case.DriverCase):
    """ImageDriver.data_requests()."""

    def described(self, image_id: str, action: typing.Any
                  ) -> dict[str, typing.Any]:
        """Return the first request; skip the test if there are none."""
        try:
            return next(self.driver.data_requests(self.ctx, image_id, action))
        except exception.ImageActionNotSupported:
            self.assertFalse(self.describes_data_requests)
            raise self.skipException('not supported by the driver') from None

    @staticmethod
    def send(request: dict[str, typing.Any],
             data: collections.abc.Iterator[bytes] | None = None
             ) -> requests.Response:
        """Send a request as it is described."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                request['method'], request['url'], headers=request['headers'],
                timeout=request['timeout'], data=data)

    def test_download_by_request(self) -> None:
        data = os.urandom(100000)
        answer = self.send(self.described(
            self.make(data)['id'], 'download'))
        self.assertEqual(200, answer.status_code)
        self.assertSameBytes(data, answer.content)

    def test_upload_by_request(self) -> None:
        """Nothing but the data changes."""
        data = os.urandom(100000)
        before = self.make(name='x', properties={'os_type': 'linux'})
        request = self.described(before['id'], 'upload')
        self.assertEqual('queued', self._status(request['check']))
        self.assertEqual('queued', request['check']['expects'])
        answer = self.send(request, _pieces(data))
        self.assertIn(answer.status_code, request['expects'])
        self.assertNotEqual('queued', self._status(request['check']))
        after = self.driver.show(self.ctx, before['id'])
        self.assertEqual(
            ('active', len(data)), (after['status'], after['size']))
        for name in ('name', 'properties', 'is_public', 'disk_format',
                     'container_format', 'owner'):
            self.assertEqual(before[name], after[name], name)
        self.assertSameBytes(data, b''.join(
            self.driver.download(self.ctx, before['id'])))

    def _status(self, check: dict[str, typing.Any]) -> str:
        answer = self.send(check)
        return str(answer.headers[check['header']] if check['header']
                   else answer.json()[check['field']])

    def test_requests_do_not_end(self) -> None:
        """Each attempt gets another one."""
        image = self.make(b'data')['id']
        self.described(image, 'download')
        found = self.driver.data_requests(self.ctx, image, 'download')
        self.assertEqual(200, [self.send(next(found)).status_code
                               for _ in range(3)][2])
