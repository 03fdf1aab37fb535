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

"""Tests of nova_image.metrics.to_statsd: real datagrams."""

import socket

from nova_image.metrics import catalogue
from nova_image.metrics import hook
from nova_image.metrics import to_statsd
from nova_image.tests.unit import base


class TestStatsd(base.TestCase):
    """Values, as a statsd receives them."""

    def setUp(self):
        super(TestStatsd, self).setUp()
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.server.close)
        self.server.bind(('127.0.0.1', 0))
        self.server.settimeout(30)
        self.conf.set_override('metrics_port', self.server.getsockname()[1],
                               'nova_image')
        self.sink = to_statsd.StatsdSink(self.conf.nova_image)

    def _received(self):
        return self.server.recv(1024).decode('ascii')

    def test_values_of_each_kind(self):
        self.sink.count(catalogue.REQUESTS, ('show', '200'), 1)
        self.assertEqual('nova_image.requests.show.200:1|c', self._received())
        self.sink.count(catalogue.TRANSFER_BYTES, ('download', 'rbd'), 4096)
        self.assertEqual('nova_image.transfer_bytes.download.rbd:4096|c',
                         self._received())
        self.sink.observe(catalogue.REQUEST_SECONDS, ('show',), 0.25)
        self.assertEqual('nova_image.request.show:250.000000|ms',
                         self._received())
        self.sink.set(catalogue.ENDPOINT_UP, ('[::1]:9292',), 0)
        self.assertEqual('nova_image.endpoint_up.___1__9292:0|g',
                         self._received())

    def test_nothing_is_sent_for_nothing(self):
        self.sink.count(catalogue.ENDPOINT_FAILURES, ('glance',), 0)
        self.sink.count(catalogue.RESUMES, (), 1)
        self.assertEqual('nova_image.resumes:1|c', self._received())

    def test_names_are_different(self):
        names = [to_statsd.name_of(metric, ()) for metric in catalogue.ALL]
        self.assertEqual(len(names), len(set(names)))

    def test_a_server_that_is_gone(self):
        self.server.close()
        live = hook.Live(self.sink, ('1', 'v2', 'x'))
        for _ in range(3):
            live.resumed()
        self.assertEqual('', self.log.output)
