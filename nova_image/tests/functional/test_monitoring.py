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

import pathlib
import re
import shutil
import subprocess

import fixtures
import testtools
import yaml

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


#: alert -> (series and their values each minute, further labels)
_ALARMING = {
    'NovaImageNotScraped': ({}, {'severity': 'warning'}),
    'NovaImageRequestsFail': (
        {'nova_image_requests_total{call="show",status="200"}': '0+10x60',
         'nova_image_requests_total{call="show",status="none"}': '0+2x60'},
        {'severity': 'critical'}),
    'NovaImageServerFails': (
        {'nova_image_endpoint_failures_total{endpoint="glance:9292"}':
         '0+1x60'}, {'severity': 'warning', 'endpoint': 'glance:9292'}),
    'NovaImageRequestsSlow': (
        {'nova_image_request_seconds_bucket{call="show",le="1"}': '0x60',
         'nova_image_request_seconds_bucket{call="show",le="2.5"}': '0+9x60',
         'nova_image_request_seconds_bucket{call="show",le="+Inf"}':
         '0+9x60'}, {'severity': 'warning'}),
    'NovaImageTransfersFail': (
        {'nova_image_transfers_total{direction="download",source="rbd",'
         'result="failed"}': '0+1x60'},
        {'severity': 'warning', 'direction': 'download', 'source': 'rbd'}),
    'NovaImageDataCorrupt': (
        {'nova_image_transfers_total{direction="upload",source="http",'
         'result="corrupt"}': '0x50 1x10'},
        {'severity': 'critical', 'direction': 'upload', 'source': 'http'}),
    'NovaImageImportsFail': (
        {'nova_image_imports_total{method="web-download",result="failed"}':
         '0x50 1x10'}, {'severity': 'warning', 'method': 'web-download'}),
    'NovaImageImagesLeft': (
        {'nova_image_undos_total{result="left"}': '0x50 1x10'},
        {'severity': 'warning'}),
}
#: what a cloud without trouble has
_USUAL = {
    'nova_image_info{service="nova-compute"}': '1x60',
    'nova_image_requests_total{call="show",status="200"}': '0+10x60',
    'nova_image_requests_total{call="show",status="404"}': '0+10x60',
    'nova_image_requests_total{call="show",status="none"}': '0x60',
    'nova_image_request_seconds_bucket{call="show",le="1"}': '0+10x60',
    'nova_image_request_seconds_bucket{call="show",le="+Inf"}': '0+10x60',
    'nova_image_transfers_total{direction="download",source="http",'
    'result="ok"}': '0+10x60',
    'nova_image_transfers_total{direction="download",source="http",'
    'result="stopped"}': '0+10x60',
    'nova_image_undos_total{result="deleted"}': '0+1x60',
}


class AlertsTest(testtools.TestCase):
    """Which alerts are raised, by promtool."""

    def setUp(self) -> None:
        """Copy the rules without their texts, which promtool compares."""
        super().setUp()
        self.promtool = shutil.which('promtool')
        if self.promtool is None:
            self.skipTest('promtool, of the Debian package prometheus, is '
                          'not installed')
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        rules = yaml.safe_load(monitoring.RULES.read_text())
        for group in rules['groups']:
            for rule in group['rules']:
                del rule['annotations']
        (self.folder / 'rules').write_text(yaml.safe_dump(rules))

    def _check(self, series: dict[str, str],
               expected: dict[str, dict[str, str]]) -> None:
        """Check the alerts after an hour.

        :param series: the values each minute
        :param expected: alert -> its labels, of those that are raised
        """
        tests = self.folder / 'tests'
        tests.write_text(yaml.safe_dump({'rule_files': ['rules'], 'tests': [{
            'interval': '1m',
            'input_series': [{'series': name, 'values': values}
                             for name, values in series.items()],
            'alert_rule_test': [
                {'alertname': name, 'eval_time': '59m', 'exp_alerts': (
                    [{'exp_labels': expected[name]}]
                    if name in expected else [])}
                for name in {**monitoring.alerts(), **expected}
                if not expected or name in expected]}]}))
        ended = subprocess.run([self.promtool, 'test', 'rules', tests],
                               capture_output=True, text=True)
        self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)

    def test_each_is_raised(self) -> None:
        self.assertEqual(set(monitoring.alerts()), set(_ALARMING))
        for name, (series, labels) in _ALARMING.items():
            self._check(series, {name: labels})

    def test_none_is_raised_without_trouble(self) -> None:
        self._check(_USUAL, {})


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
