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

"""A base class of tests of metrics: it remembers what was reported."""

import fixtures
import six

from nova_image.metrics import hook
from nova_image.metrics import sink


class RememberedSink(sink.Sink):
    """A back end that keeps every value.

    :ivar values: list of (name of the metric, labels, value)
    """

    def __init__(self):
        self.values = []
        self.is_new = True

    def begin(self):
        """Return True the first time."""
        was, self.is_new = self.is_new, False
        return was

    def _keep(self, metric, labels, value):
        assert len(labels) == len(metric.labels), (metric, labels)
        assert all(isinstance(label, six.string_types)
                   for label in labels), labels
        self.values.append((metric.name, labels, value))

    def count(self, metric, labels, amount):
        """Keep an amount."""
        assert metric.kind == 'counter'
        self._keep(metric, labels, amount)

    def observe(self, metric, labels, seconds):
        """Keep a duration."""
        assert metric.kind == 'histogram'
        self._keep(metric, labels, seconds)

    def set(self, metric, labels, value):
        """Keep a value."""
        assert metric.kind == 'gauge'
        self._keep(metric, labels, value)


class Remembered(fixtures.Fixture):
    """Turns the metrics on, with a back end that remembers them.

    :ivar sink: the RememberedSink
    """

    def _setUp(self):
        self.sink = RememberedSink()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.metrics.hook.METRICS',
            hook.Live(self.sink, ('1.0', 'v2', 'nova-compute'))))

    def of(self, name):
        """Return {labels: sum} of a metric, by its name without prefix."""
        found = {}
        for metric, labels, value in self.sink.values:
            if metric == 'nova_image_' + name:
                found[labels] = found.get(labels, 0) + value
        return found
