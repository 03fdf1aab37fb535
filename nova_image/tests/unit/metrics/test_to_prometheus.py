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

"""Tests of nova_image.metrics.to_prometheus: real ports, real scrapes."""

import os
import re
import socket

import fixtures
import prometheus_client.parser
from six.moves.urllib import request as urllib
import testtools

from nova_image.metrics import catalogue
from nova_image.metrics import hook
from nova_image.metrics import to_prometheus
from nova_image.tests.unit import base

_ADDRESS = '127.0.0.1'


def _free_ports(number):
    """Return the first of some successive ports that are free."""
    while True:
        taken = []
        try:
            for _ in range(number):
                one = socket.socket()
                taken.append(one)
                one.bind((_ADDRESS, taken[0].getsockname()[1] + len(taken) - 1
                          if len(taken) > 1 else 0))
            return taken[0].getsockname()[1]
        except (OverflowError, EnvironmentError, socket.error):
            continue
        finally:
            for one in taken:
                one.close()


class TestPrometheus(base.TestCase):
    """The values of a process, as Prometheus reads them."""

    def setUp(self):
        super(TestPrometheus, self).setUp()
        self.first = _free_ports(3)
        self.conf.set_override('metrics_port', self.first, 'nova_image')
        self.conf.set_override('metrics_ports', 3, 'nova_image')

    def _sink(self):
        sink = to_prometheus.PrometheusSink(self.conf.nova_image)
        self.addCleanup(self._stop, sink)
        return sink

    @staticmethod
    def _stop(sink):
        server = sink._server
        if server is None:
            return
        server.socket.shutdown(socket.SHUT_RDWR)  # ends its thread
        server.server_close()
        sink._server = None

    def _scrape(self, port):
        url = 'http://%s:%d/metrics' % (_ADDRESS, port)
        answer = urllib.build_opener(urllib.ProxyHandler({})).open(
            url, timeout=30)
        try:
            return answer.read().decode('utf-8')
        finally:
            answer.close()

    def _values(self, port):
        """Return {(name, labels): value} of a scrape."""
        return {(one[0], tuple(sorted(one[1].items()))): one[2]
                for family in
                prometheus_client.parser.text_string_to_metric_families(
                    self._scrape(port)) for one in family.samples}

    def test_values_of_each_kind(self):
        sink = self._sink()
        self.assertIsNone(sink.port)
        self.assertTrue(sink.begin())
        self.assertFalse(sink.begin())
        self.assertEqual(self.first, sink.port)
        sink.count(catalogue.RESUMES, (), 2)
        sink.count(catalogue.RETRIES, ('show',), 3)
        sink.set(catalogue.ENDPOINT_UP, ('glance:9292',), 1)
        sink.observe(catalogue.REQUEST_SECONDS, ('show',), 0.2)
        found = self._values(self.first)
        for name, labels, value in (
                ('nova_image_resumes_total', (), 2),
                ('nova_image_retries_total', (('call', 'show'),), 3),
                ('nova_image_retries_total', (('call', 'list'),), 0),
                ('nova_image_undos_total', (('result', 'left'),), 0),
                ('nova_image_endpoint_up', (('endpoint', 'glance:9292'),), 1),
                ('nova_image_request_seconds_count',
                 (('call', 'show'),), 1),
                ('nova_image_request_seconds_bucket',
                 (('call', 'show'), ('le', '0.1')), 0),
                ('nova_image_request_seconds_bucket',
                 (('call', 'show'), ('le', '0.25')), 1)):
            self.assertEqual(value, found[name, labels])

    def test_only_the_catalogue_is_served(self):
        sink = self._sink()
        sink.begin()
        for metric in catalogue.ALL:
            {'counter': sink.count, 'gauge': sink.set,
             'histogram': sink.observe}[metric.kind](
                 metric, ('x',) * len(metric.labels), 1)
        text = self._scrape(sink.port)
        self.assertNotIn('_created', text)
        names = {name for name, _ in self._values(sink.port)}
        self.assertEqual(
            {metric.name for metric in catalogue.ALL},
            {re.sub('_(bucket|sum|count)$', '', name) for name in names})
        for metric in catalogue.ALL:
            self.assertIn(metric.help, text)

    def test_each_process_has_a_port(self):
        first, second = self._sink(), self._sink()
        first.begin()
        second.begin()
        self.assertEqual([self.first, self.first + 1],
                         [first.port, second.port])
        second.count(catalogue.RESUMES, (), 1)
        key = 'nova_image_resumes_total', ()
        self.assertEqual([0, 1], [self._values(one.port)[key]
                                  for one in (first, second)])

    def test_without_a_free_port_one_warning_is_logged(self):
        sinks = [self._sink() for _ in range(4)]
        live = hook.Live(sinks[3], ('1', 'v2', 'x'))
        for one in sinks[:3]:
            one.begin()
        for _ in range(2):
            live.resumed()
        self.assertIsNone(sinks[3].port)
        self.assertEqual(1, self.log.output.count('cannot be scraped'))
        self.assertIn('Increase [nova_image] metrics_ports', self.log.output)

    def test_a_port_is_looked_for_again(self):
        now = self.useFixture(fixtures.MockPatch(
            'oslo_utils.timeutils.now', return_value=100.0)).mock
        sinks = [self._sink() for _ in range(4)]
        for one in sinks:
            one.begin()
        self._stop(sinks[1])
        sinks[3].begin()
        self.assertIsNone(sinks[3].port)
        now.return_value = 161.0
        sinks[3].begin()
        self.assertEqual(self.first + 1, sinks[3].port)

    def test_an_address_of_another_host(self):
        self.conf.set_override('metrics_address', '192.0.2.1', 'nova_image')
        live = hook.Live(self._sink(), ('1', 'v2', 'x'))
        for _ in range(2):
            live.resumed()
        self.assertEqual(1, self.log.output.count('Metrics are incomplete'))

    def test_ipv6(self):
        self.conf.set_override('metrics_address', '::1', 'nova_image')
        sink = self._sink()
        try:
            sink.begin()
        except (EnvironmentError, socket.error):
            self.skipTest('this host has no IPv6')
        self.assertEqual(self.first, sink.port)

    def test_a_fork_begins_at_zero_on_its_own_port(self):
        sink = self._sink()
        sink.begin()
        sink.count(catalogue.RESUMES, (), 5)
        reading, writing = os.pipe()
        ending, end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(end)
                sink.begin()
                sink.count(catalogue.RESUMES, (), 1)
                os.write(writing, b'%d' % sink.port)
                os.read(ending, 1)
            finally:
                os._exit(0)
        try:
            port = int(os.read(reading, 10))
            key = 'nova_image_resumes_total', ()
            self.assertEqual(
                [(self.first, 5), (self.first + 1, 1)],
                [(one, self._values(one)[key]) for one in (sink.port, port)])
        finally:
            for one in end, ending, reading, writing:
                os.close(one)
            os.waitpid(pid, 0)


class TestFreePorts(testtools.TestCase):
    """The helper above."""

    def test_ports_can_be_bound(self):
        first = _free_ports(2)
        for port in first, first + 1:
            one = socket.socket()
            self.addCleanup(one.close)
            one.bind((_ADDRESS, port))
