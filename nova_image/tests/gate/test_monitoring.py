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

"""A real Prometheus scrapes the services of the cloud."""

import re
import subprocess
import urllib.parse

from nova_image.tests import fixtures
from nova_image.tests.fixtures import paths
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import monitoring
from nova_image.tests.gate import base
from nova_image.tests.gate import plugin

_SERVICES = 'nova-api', 'nova-compute'
_TIMEOUT = 60
_AT = re.compile(r'The metrics of this process are at (http://\S+)')


class MonitoringTest(plugin.GateTest):
    """The metrics of nova-api and nova-compute."""

    def _target(self, program: str) -> str:
        """Return the host and port of a program's metrics."""
        found: list[str] = _AT.findall(self.cloud.nova.log(program))
        self.assertNotEqual([], found, program)
        return urllib.parse.urlsplit(found[-1]).netloc

    def _image(self) -> str:
        image = self.cloud.upload(self.cloud.blank())
        self.addCleanup(self.remove_image, image)
        return image

    def test_dashboard_has_data_after_a_boot_and_a_snapshot(self) -> None:
        """Prometheus scrapes both, and each query returns data."""
        image = self._image()
        proxy = self.cloud.compute(microversion='2.1')
        proxy.get('/images/' + image)  # now nova-api has metrics
        prometheus = self.useFixture(fixtures.Prometheus({
            program: [self._target(program)] for program in _SERVICES}))
        base.wait_for('both are scraped', lambda: list(
            prometheus.targets().values()) == ['up', 'up'])
        self._wait_for_samples(prometheus, 'nova_image_info')
        server = self.boot(image)
        snapshot = self.snapshot(server)
        proxy.get('/images/' + snapshot)
        for source in ('direction="download", source="http"',
                       'direction="upload", source="http"'):
            self._wait_for_samples(
                prometheus, 'increase(nova_image_transfers_total{job='
                '"nova-compute", result="ok", %s}[1m]) > 0' % source)
        self._wait_for_samples(prometheus, 'nova_image_requests_total{job='
                               '"nova-api", call="show", status="200"}')
        empty = [panel for panel, query in monitoring.queries().items()
                 if not prometheus.query(query)]
        self.assertEqual([], empty)
        services = {one['metric']['job']: one['metric']['driver']
                    for one in prometheus.query('nova_image_info')}
        self.assertEqual(dict.fromkeys(_SERVICES, 'v2'), services)

    def _wait_for_samples(self, prometheus: fixtures.Prometheus,
                          query: str) -> None:
        base.wait_for(query, lambda: bool(prometheus.query(query)))


class HealthTest(plugin.GateTest):
    """The health check of a service that runs."""

    def _check(self, config: str) -> tuple[int, str]:
        """Check nova-compute; return the exit code and the line."""
        compute = self.cloud.nova.compute
        path = compute.folder / 'health.conf'
        paths.write_private(path, config)
        self.addCleanup(path.unlink, missing_ok=True)
        command = self.cloud.virtualenv.bin / 'nova-image-run'
        ended = subprocess.run(
            [command, '--check', '--glance', 'nova-compute', '--config-file',
             path], cwd=compute.folder, env=processes.clean_environment({}),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_TIMEOUT)
        line, = (ended.stdout + ended.stderr).splitlines()
        return ended.returncode, line

    def test_glance_that_answers_and_one_that_does_not(self) -> None:
        """The URL comes from the catalog, or from the configuration."""
        config = self.cloud.nova.compute.config.read_text()
        before = self.cloud.glance.mark()
        code, line = self._check(config)
        self.assertEqual(0, code, line)
        self.assertIn('%s answers in ' % self.cloud.glance.url, line)
        self.assertEqual(['/versions'], [
            request.path for request in self.cloud.glance.requests(before)])
        code, line = self._check(config.replace(
            '[glance]', '[glance]\napi_servers = http://127.0.0.1:9', 1))
        self.assertEqual(1, code, line)
        self.assertIn('no Glance answers: http://127.0.0.1:9: ', line)
