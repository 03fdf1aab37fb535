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

"""Tests of nova_image.metrics.loading: the choice of the back end."""

import sys

import fixtures
import six

from nova_image import exception
from nova_image.metrics import hook
from nova_image.tests.unit import base
from nova_image import version


class TestLoading(base.TestCase):
    """Loading a driver with metrics."""

    def setUp(self):
        super(TestLoading, self).setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.metrics.hook.METRICS', hook.Metrics()))

    def _load(self, name):
        self.conf.set_override('metrics', name, 'nova_image')
        return self.driver()

    def _miss(self, package):
        """Make a package look as if it were not installed."""
        for name in list(sys.modules):
            if name.startswith('nova_image.metrics.to_') or name == package:
                self.addCleanup(sys.modules.__setitem__, name,
                                sys.modules.pop(name))
        sys.modules[package] = None
        self.addCleanup(sys.modules.pop, package)

    def test_metrics_are_off_by_default(self):
        self.driver()
        self.assertFalse(hook.METRICS.is_on)

    def test_each_back_end(self):
        for name, kind in (('statsd', 'StatsdSink'),
                           ('prometheus', 'PrometheusSink')):
            hook.use(hook.Metrics())
            self._load(name)
            self.assertEqual(kind, type(hook.METRICS._sink).__name__)
            self.assertEqual((version.version_string(), 'v2', 'python'),
                             hook.METRICS._facts[:2] + ('python',))

    def test_the_first_configuration_decides(self):
        self._load('statsd')
        first = hook.METRICS
        self._load('prometheus')
        self.conf.set_override('metrics', None, 'nova_image')
        self.driver()
        self.assertIs(first, hook.METRICS)

    def test_an_unknown_back_end(self):
        error = self.assertRaises(exception.DriverLoadError, self._load,
                                  'graphite')
        for words in ('[nova_image] metrics', 'graphite',
                      'prometheus, statsd'):
            self.assertIn(words, six.text_type(error))

    def test_a_missing_package(self):
        self._miss('statsd')
        error = self.assertRaises(exception.DriverLoadError, self._load,
                                  'statsd')
        for words in ('[nova_image] metrics: the back end statsd',
                      "pip install 'nova_image[statsd]'"):
            self.assertIn(words, six.text_type(error))
        self.assertFalse(hook.METRICS.is_on)
