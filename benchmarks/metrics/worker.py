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

"""Measures nova_image with the back end that its argument names."""

import sys

from benchmarks.common import worker as workers
from benchmarks.metadata import worker
from nova_image import conf as nova_image_conf
from nova_image.image import messages
from nova_image.metrics import hook
from nova_image.metrics import loading
from oslo_config import cfg

#: contender -> back end
BACK_ENDS = {'off': None, 'prometheus': 'prometheus', 'statsd': 'statsd'}
_URL = 'http://127.0.0.1:9292'


class Worker(worker.Worker):
    """Runs the tasks."""

    def __init__(self, name: str) -> None:
        """Prepare a worker, and turn its metrics on.

        :param name: one of BACK_ENDS
        """
        super().__init__('nova_image')
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[])
        nova_image_conf.register_opts(conf)
        conf.set_override('metrics', BACK_ENDS[name], 'nova_image')
        loading.start(conf, 'v2')

    def report(self, times: int) -> dict[str, float]:
        """Report what one show reports, and return the measures.

        :param times: how often
        """
        request = messages.Request('GET', '/v2/images/ID', 'show', 'ID')

        def run() -> bool:
            for _ in range(times):
                hook.METRICS.answered(request, 200, 0.01)
                hook.METRICS.server(_URL, True)
            return True
        return self._measure(run)


if __name__ == '__main__':
    workers.serve(Worker(sys.argv[1]))
