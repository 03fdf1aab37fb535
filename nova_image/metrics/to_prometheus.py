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

"""Metrics that Prometheus scrapes from each process.

Each process serves its own values on a port of its own, the first free one of
a range. prometheus_client could also add up the values of several processes
in files, but those are mapped into memory: if their disk is full, the next
value kills the service (SIGBUS, seen with 0.26.0). A process that has forked
starts from zero, and on another port.
"""

import errno
import os
import socket
import threading
import time
from wsgiref import simple_server

from oslo_log import log as logging
from oslo_utils import timeutils
import prometheus_client
from six.moves import socketserver

from nova_image.metrics import catalogue
from nova_image.metrics import sink

LOG = logging.getLogger(__name__)

DEFAULT_PORT = 19292
#: seconds until a process without a port looks for one again
_PAUSE = 60
#: seconds after a connection that could not be accepted
_REST = 1
#: seconds that a client has to send its request
_TIMEOUT = 10

_KINDS = {'counter': prometheus_client.Counter,
          'gauge': prometheus_client.Gauge,
          'histogram': prometheus_client.Histogram}


class PrometheusSink(sink.Sink):
    """The values of this process, and the port that serves them."""

    def __init__(self, options):
        self._address = options.metrics_address or sink.DEFAULT_ADDRESS
        first = options.metrics_port or DEFAULT_PORT
        self._ports = range(first, min(first + options.metrics_ports, 65536))
        self._pid = None
        self._server = None
        self._tried = None
        self._warned = False

    @property
    def port(self):
        """The port that serves the values, or None."""
        return self._server and self._server.server_port

    def begin(self):
        """Serve the values of this process. See Sink."""
        is_new = self._pid != os.getpid()
        if is_new:
            self._pid = os.getpid()
            self._renew()
        if self._server is None and (
                is_new or timeutils.now() - self._tried > _PAUSE):
            self._tried = timeutils.now()
            self._serve()
        return is_new

    def count(self, metric, labels, amount):
        """Add to a counter. See Sink."""
        self._child(metric, labels).inc(amount)

    def observe(self, metric, labels, seconds):
        """Add to a histogram. See Sink."""
        self._child(metric, labels).observe(seconds)

    def set(self, metric, labels, value):
        """Set a gauge. See Sink."""
        self._child(metric, labels).set(value)

    def _child(self, metric, labels):
        found = self._metrics[metric.name]
        return found.labels(*labels) if labels else found

    def _renew(self):
        """Forget the values and the port of the process that has forked."""
        if self._server is not None:
            self._server.socket.close()  # only this process's copy
            self._server = None
        self._registry = _Registry()
        self._metrics = {one.name: self._made(one) for one in catalogue.ALL}
        for metric, labels in catalogue.ZEROS:
            self._child(metric, labels)

    def _made(self, metric):
        options = {'registry': self._registry}
        if metric.kind == 'histogram':
            options['buckets'] = catalogue.BUCKETS[metric.name]
        return _KINDS[metric.kind](metric.name, metric.help, metric.labels,
                                   **options)

    def _serve(self):
        """Take the first free port.

        :raises EnvironmentError: if the address cannot be used
        """
        application = prometheus_client.make_wsgi_app(self._registry)
        for port in self._ports:
            try:
                self._server = _Server((self._address, port), _Handler)
            except (EnvironmentError, socket.error) as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._server.set_app(application)
            thread = threading.Thread(target=self._server.serve,
                                      name='nova_image metrics')
            thread.daemon = True
            thread.start()
            LOG.info('The metrics of this process are at http://%s:%d/',
                     self._address, port)
            return
        if not self._warned:
            self._warned = True
            LOG.warning('The metrics of this process cannot be scraped: none '
                        'of the ports from %(first)d to %(last)d is free. '
                        'Increase [nova_image] metrics_ports', {
                            'first': self._ports[0],
                            'last': self._ports[-1]})


class _Registry(prometheus_client.CollectorRegistry):
    """Leaves out the time at which each counter was created."""

    def collect(self):
        """Yield the metrics."""
        for family in super(_Registry, self).collect():
            family.samples = [one for one in family.samples
                              if not one.name.endswith('_created')]
            yield family


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    """Serves the values, by a thread for each scrape."""

    daemon_threads = True

    def __init__(self, address, handler):
        if ':' in address[0]:
            self.address_family = socket.AF_INET6
        simple_server.WSGIServer.__init__(self, address, handler)

    def server_bind(self):
        """Bind, without looking up the name of the address."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()

    def serve(self):
        """Serve until the socket is closed.

        serve_forever() would poll with a selector that eventlet may not have
        patched, and block all greenthreads of nova-compute.
        """
        while True:
            try:
                request, address = self.get_request()
            except (EnvironmentError, socket.error) as error:
                if error.errno in (errno.EBADF, errno.EINVAL):
                    return
                time.sleep(_REST)  # such as too many open files
                continue
            self.process_request(request, address)

    def handle_error(self, request, client_address):
        """Ignore a client that has gone away."""


class _Handler(simple_server.WSGIRequestHandler):
    """Answers one scrape, without a log."""

    timeout = _TIMEOUT

    def address_string(self):
        """Return the client's address, without looking up its name."""
        return self.client_address[0]

    def log_message(self, *args):
        """Log nothing."""
