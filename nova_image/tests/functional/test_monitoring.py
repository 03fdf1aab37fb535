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

"""The examples of monitoring and their page, against the catalogue."""

import re
import shutil
import subprocess

import testtools

from nova_image.metrics import catalogue
from nova_image.metrics import to_statsd
from nova_image.tests.functional import monitoring

_PAGE = monitoring.ROOT / 'doc/source/operator/monitoring.rst'
_ENTRY = re.compile(r'^``(nova_image_\w+)``\n((?:   .*\n)+)', re.MULTILINE)


class ExamplesTest(testtools.TestCase):
    """The dashboard and the alert rules."""

    def test_queries_of_the_dashboard(self) -> None:
        for panel, query in monitoring.queries().items():
            self.assertEqual([], list(monitoring.problems_of(query)), panel)

    def test_queries_of_the_alerts(self) -> None:
        for name, rule in monitoring.alerts().items():
            self.assertEqual(
                [], list(monitoring.problems_of(rule['expr'])), name)
            self.assertTrue(name.startswith('NovaImage'))
            self.assertEqual({'summary', 'description'},
                             set(rule['annotations']), name)

    def test_dashboard_shows_all_metrics(self) -> None:
        shown = {name for query in monitoring.queries().values()
                 for name in monitoring.metrics_in(query)}
        self.assertEqual({metric.name for metric in catalogue.ALL}, shown)

    def test_problems_are_found(self) -> None:
        for query, problem in (
                ('nova_image_requests', 'no metric is called'),
                ('rate(nova_image_request_seconds[5m])', 'is a histogram'),
                ('nova_image_requests_total{image="x"}', 'has no label'),
                ('sum by (image) (nova_image_info)', 'has the label image')):
            self.assertIn(problem, '\n'.join(monitoring.problems_of(query)))

    def test_files_are_valid_for_prometheus(self) -> None:
        promtool = shutil.which('promtool')
        if promtool is None:
            self.skipTest('promtool, of the Debian package prometheus, is '
                          'not installed')
        for kind, path in (('rules', monitoring.RULES),
                           ('config', monitoring.CONFIG)):
            ended = subprocess.run([promtool, 'check', kind, path],
                                   capture_output=True, text=True)
            self.assertEqual(0, ended.returncode,
                             ended.stdout + ended.stderr)


class PageTest(testtools.TestCase):
    """The metrics in the operator's guide."""

    def test_metrics(self) -> None:
        entries = dict(_ENTRY.findall(_PAGE.read_text()))
        self.assertEqual([metric.name for metric in catalogue.ALL],
                         list(entries))
        for metric in catalogue.ALL:
            labels = ', '.join('``%s``' % label for label in metric.labels)
            self.assertEqual('%s (%s)%s. %s' % (
                metric.kind.capitalize(), metric.unit,
                ' by ' + labels if labels else '', metric.help),
                ' '.join(entries[metric.name].split()))

    def test_names_for_statsd(self) -> None:
        shown = set(re.findall(r'^   nova_image\.(.*):', _PAGE.read_text(),
                               re.MULTILINE))
        self.assertEqual({to_statsd.name_of(*one) for one in (
            (catalogue.REQUESTS, ('show', '200')),
            (catalogue.REQUEST_SECONDS, ('show',)),
            (catalogue.TRANSFER_BYTES, ('download', 'rbd')),
            (catalogue.ENDPOINT_UP, ('glance1:9292',)))}, shown)
