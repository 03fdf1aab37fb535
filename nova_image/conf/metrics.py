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

"""Options of ``[nova_image]`` for metrics."""

from oslo_config import cfg

GROUP = 'nova_image'

OPTS = [
    cfg.StrOpt(
        'metrics',
        help="""
Name of the back end that receives metrics: counters and timings of
requests, transfers and imports.

Without this option, nothing is measured.

Possible values:

* prometheus: each process serves its metrics by HTTP. Requires the
  package prometheus_client.
* statsd: each process sends its metrics by UDP. Requires the
  package statsd.
"""),
    cfg.IPOpt(
        'metrics_address',
        # Checking a default would import netaddr, also without metrics.
        sample_default='127.0.0.1',
        help="""
IP address of the metrics: with prometheus the one to listen on,
with statsd that of the server.

The default is 127.0.0.1.

The metrics are neither encrypted nor protected by a password. They
name the API servers of Glance, but no image, project or user.
"""),
    cfg.PortOpt(
        'metrics_port',
        min=1,
        help="""
Port of the metrics: with prometheus the first one to listen on,
with statsd that of the server.

The default is 19292 with prometheus and 8125 with statsd.

Related options:

* metrics_ports
"""),
    cfg.IntOpt(
        'metrics_ports',
        default=16,
        min=1,
        max=1000,
        help="""
With prometheus, the number of successive ports, from metrics_port
on. Each process listens on the first one that is free.

Set this to at least the number of processes on the host that use
images: nova-compute, and the workers of nova-api and nova-conductor.
"""),
]


def register_opts(conf):
    """Register these options, unless ``conf`` has them.

    :param conf: an oslo.config ConfigOpts
    """
    conf.register_opts(OPTS, group=GROUP)
