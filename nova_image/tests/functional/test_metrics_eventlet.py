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

"""Metrics of a process on eventlet, such as nova-compute."""

import os
import subprocess

import requests
import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import processes

#: seconds; how long other greenthreads of a service may be blocked
_GAP = 1.0
_TIMEOUT = 60
#: prints the port, and at the end the longest time without a greenthread
_PROGRAM = '''
import selectors, socketserver, sys, time  # before they are patched
import eventlet
from eventlet import tpool
eventlet.monkey_patch()
from oslo_config import cfg
from nova_image import conf as confs
from nova_image.metrics import hook, loading
conf = cfg.ConfigOpts()
confs.register_opts(conf)
conf([], default_config_files=[])
conf.set_override('metrics', 'prometheus', 'nova_image')
conf.set_override('metrics_port', int(sys.argv[1]), 'nova_image')
loading.start(conf, 'v2')
gaps = []
def tick():
    last = time.time()
    while True:
        eventlet.sleep(0.01)
        now = time.time()
        gaps.append(now - last)
        last = now
eventlet.spawn(tick)
eventlet.sleep(0)
hook.METRICS.begin()
print(hook.METRICS._sink.port, flush=True)
tpool.execute(sys.stdin.readline)
while len(gaps) < 20:
    eventlet.sleep(0.01)
print(max(gaps), flush=True)
'''


class EventletTest(testtools.TestCase):
    """The server of the metrics, on eventlet's hub."""

    def test_scrapes_do_not_block_greenthreads(self) -> None:
        """Neither do clients that are silent between two of them."""
        python = self.useFixture(nova_virtualenv.nova()).bin / 'python'
        port = self.useFixture(fixtures.Port()).number
        process = subprocess.Popen(
            [str(python), '-c', _PROGRAM, str(port)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=processes.clean_environment(
                {'PYTHONPATH': os.environ.get('PYTHONPATH', '')}))
        self.addCleanup(process.communicate, '\n', _TIMEOUT)
        assert process.stdout and process.stdin
        self.assertEqual(port, int(process.stdout.readline()))
        with requests.Session() as silent:
            for _ in range(3):
                answer = silent.get('http://127.0.0.1:%d/metrics' % port,
                                    timeout=_TIMEOUT)
                self.assertIn('nova_image_info{', answer.text)
            process.stdin.write('\n')
            process.stdin.flush()
            gap = float(process.stdout.readline())
        self.assertLess(gap, _GAP)
