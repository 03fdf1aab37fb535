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

"""Metrics that are sent to a statsd, by UDP.

statsd has no labels: their values follow the name, separated by dots.
"""

import re

import statsd

from nova_image.metrics import sink

DEFAULT_PORT = 8125
PREFIX = 'nova_image'

_UNSAFE = re.compile(r'[^A-Za-z0-9_+-]')
_UNITS = ('_total', '_seconds')


class StatsdSink(sink.Sink):
    """Sends each value as a datagram, and does not wait for anything."""

    def __init__(self, options):
        address = options.metrics_address or sink.DEFAULT_ADDRESS
        # An address, not a name: nothing is looked up.
        self._client = statsd.StatsClient(
            host=address, port=options.metrics_port or DEFAULT_PORT,
            prefix=PREFIX, ipv6=':' in address)

    def count(self, metric, labels, amount):
        """Send a counter. See Sink."""
        if amount:
            self._client.incr(name_of(metric, labels), amount)

    def observe(self, metric, labels, seconds):
        """Send a duration, in milliseconds. See Sink."""
        self._client.timing(name_of(metric, labels), seconds * 1000.0)

    def set(self, metric, labels, value):
        """Send a gauge. See Sink."""
        self._client.gauge(name_of(metric, labels), value)


def name_of(metric, labels):
    """Return the name of a value, without the prefix.

    :param metric: nova_image.metrics.catalogue.Metric
    :param labels: tuple of text, the values of its labels
    :returns: such as ``requests.show.200``
    """
    name = metric.name[len(PREFIX) + 1:]
    for unit in _UNITS:
        if name.endswith(unit):
            name = name[:-len(unit)]
    return '.'.join([name] + [_UNSAFE.sub('_', one) for one in labels])
