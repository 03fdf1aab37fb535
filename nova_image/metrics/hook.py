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

"""Where the rest of the package reports what it does.

``METRICS`` has no effect until nova_image.metrics.loading replaces it. What a
back end does never breaks a call: its errors become one warning.
"""

import functools

from oslo_log import log as logging
from six.moves.urllib import parse

from nova_image import exception
from nova_image.metrics import calls
from nova_image.metrics import catalogue

LOG = logging.getLogger(__name__)

DOWNLOAD, UPLOAD, STAGE = 'download', 'upload', 'stage'
#: where the data of a transfer is, if Glance moves it
HTTP = 'http'


class Metrics(object):
    """Ignores everything: the metrics are off."""

    is_on = False

    def begin(self):
        """Prepare for values of this process, when a service starts."""

    def answered(self, request, status, seconds):
        """Count a request to Glance.

        :param request: nova_image.image.messages.Request
        :param status: the status of the answer; None without an answer
        :param seconds: the time until the head of the answer
        """

    def retried(self, request):
        """Count a request that is going to be sent again.

        :param request: nova_image.image.messages.Request
        """

    def server(self, url, is_good):
        """Record whether an API server has answered.

        :param url: its URL, or None
        :param is_good: False if it has failed, and is avoided for a while
        """

    def moved(self, direction, source, size, seconds):
        """Count a transfer that is complete and verified.

        :param direction: DOWNLOAD, UPLOAD or STAGE
        :param source: where the data came from or went to: HTTP, or the
            scheme of a store
        :param size: in bytes
        :param seconds: its duration, None if it is not known
        """

    def not_moved(self, direction, source, error):
        """Count a transfer that has failed.

        :param direction: as for moved()
        :param source: as for moved()
        :param error: the exception, or its class
        """

    def resumed(self):
        """Count a download that resumes."""

    def verified(self, check, is_good):
        """Count a verification of data.

        :param check: the hash algorithm, or the name of another check
        :param is_good: whether the data is what it should be
        """

    def imported(self, method, result, seconds=None):
        """Count an import.

        :param method: Glance's name of the method
        :param result: text
        :param seconds: its duration if it has succeeded, otherwise None
        """

    def undone(self, result):
        """Count an image that a failed call had created.

        :param result: 'deleted', 'left' or 'kept'
        """


class Failures(object):
    """A context manager that counts a transfer if its block fails.

    :param direction: as for Metrics.moved()
    :param source: as for Metrics.moved()
    """

    def __init__(self, direction, source=HTTP):
        self._what = (direction, source)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None:
            METRICS.not_moved(*self._what + (kind if error is None else
                                             error,))


def _guarded(method):
    """Make a method of Live ignore errors, except for one warning."""
    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        try:
            if self._sink.begin():
                self._sink.set(catalogue.INFO, self._facts, 1)
            method(self, *args, **kwargs)
        except Exception as error:
            if not self._warned:
                self._warned = True
                LOG.warning('Metrics are incomplete: %(kind)s: %(error)s', {
                    'kind': type(error).__name__,
                    'error': exception.redact(error)})
    return guarded


class Live(Metrics):
    """Turns what happens into values of the metrics of catalogue.

    :param sink: nova_image.metrics.sink.Sink
    :param facts: the values of the labels of catalogue.INFO
    """

    is_on = True

    def __init__(self, sink, facts):
        self._sink = sink
        self._facts = facts
        self._warned = False

    @_guarded
    def begin(self):
        """Let the back end prepare. See Metrics."""

    @_guarded
    def answered(self, request, status, seconds):
        """Count a request to Glance. See Metrics."""
        call = calls.call_of(request)
        self._count(catalogue.REQUESTS, call, '%s' % (status or 'none'))
        if status is not None:
            self._sink.observe(catalogue.REQUEST_SECONDS, (call,), seconds)

    @_guarded
    def retried(self, request):
        """Count a request that is going to be sent again. See Metrics."""
        self._count(catalogue.RETRIES, calls.call_of(request))

    @_guarded
    def server(self, url, is_good):
        """Record whether an API server has answered. See Metrics."""
        if url is None:
            return  # no server could be chosen
        host = parse.urlsplit(url).netloc.rpartition('@')[2]
        self._sink.set(catalogue.ENDPOINT_UP, (host,), int(is_good))
        # Both exist from the first request on, so that rates are right.
        self._sink.count(catalogue.ENDPOINT_FAILURES, (host,),
                         int(not is_good))

    @_guarded
    def moved(self, direction, source, size, seconds):
        """Count a complete transfer. See Metrics."""
        labels = (direction, source)
        self._count(catalogue.TRANSFERS, direction, source, 'ok')
        self._sink.count(catalogue.TRANSFER_BYTES, labels, size)
        if seconds is not None:
            self._sink.observe(catalogue.TRANSFER_SECONDS, labels, seconds)

    @_guarded
    def not_moved(self, direction, source, error):
        """Count a transfer that has failed. See Metrics."""
        self._count(catalogue.TRANSFERS, direction, source, _result(error))

    @_guarded
    def resumed(self):
        """Count a download that resumes. See Metrics."""
        self._count(catalogue.RESUMES)

    @_guarded
    def verified(self, check, is_good):
        """Count a verification of data. See Metrics."""
        self._count(catalogue.VERIFICATIONS, check.lower(),
                    'ok' if is_good else 'failed')

    @_guarded
    def imported(self, method, result, seconds=None):
        """Count an import. See Metrics."""
        self._count(catalogue.IMPORTS, method, result)
        if seconds is not None:
            self._sink.observe(catalogue.IMPORT_SECONDS, (method,), seconds)

    @_guarded
    def undone(self, result):
        """Count an image that a failed call had created. See Metrics."""
        self._count(catalogue.UNDOS, result)

    def _count(self, metric, *labels):
        self._sink.count(metric, labels, 1)


def _result(error):
    """Return why a transfer has failed, as a label.

    :param error: exception, or its class
    """
    kind = error if isinstance(error, type) else type(error)
    for classes, result in (
            (exception.ImageCorrupt, 'corrupt'),
            (exception.ImageUnacceptable, 'refused'),
            (exception.GlanceConnectionFailed, 'interrupted'),
            (Exception, 'failed')):
        if issubclass(kind, classes):
            return result
    return 'stopped'  # by the caller, or with the process


METRICS = Metrics()


def use(metrics):
    """Report everything to an object from now on.

    :param metrics: Metrics
    """
    global METRICS
    METRICS = metrics
