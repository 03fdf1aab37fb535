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

"""The contract of a back end, which receives the values of all metrics."""

import abc

import six

#: the address without ``[nova_image] metrics_address``
DEFAULT_ADDRESS = '127.0.0.1'


@six.add_metaclass(abc.ABCMeta)
class Sink(object):
    """Receives values, in any thread of the process.

    A method must neither wait for a server nor look up a name. Whatever it
    raises becomes a warning, the first time.

    :param options: the section ``[nova_image]`` of a ConfigOpts
    """

    def begin(self):
        """Prepare for values of this process.

        This is called before each value, and when a service starts: a
        process that has forked is another one.

        :returns: whether the process is new
        """
        return False

    @abc.abstractmethod
    def count(self, metric, labels, amount):
        """Add to a counter.

        :param metric: nova_image.metrics.catalogue.Metric
        :param labels: tuple of text, the values of its labels
        :param amount: what to add
        """

    @abc.abstractmethod
    def observe(self, metric, labels, seconds):
        """Add a duration to a histogram.

        :param metric: nova_image.metrics.catalogue.Metric
        :param labels: tuple of text, the values of its labels
        :param seconds: the duration
        """

    @abc.abstractmethod
    def set(self, metric, labels, value):
        """Set a gauge.

        :param metric: nova_image.metrics.catalogue.Metric
        :param labels: tuple of text, the values of its labels
        :param value: its new value
        """
