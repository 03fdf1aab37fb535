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

"""Fetches an image's data from Glance into a sink, or for a caller's loop.

In one pass: each piece is written and, at the same time, hashed and
inspected. The recorded hash, the signature and the format are verified before
anything is published.
"""

import collections
import functools

from oslo_log import log as logging
from oslo_utils import timeutils
from oslo_utils import units

from nova_image import exception
from nova_image.image import offload
from nova_image.image import retry
from nova_image.image.transfer import digest
from nova_image.image.transfer import distance
from nova_image.image.transfer import file_copy
from nova_image.image.transfer import format_check
from nova_image.image.transfer import limits
from nova_image.image.transfer import parallel
from nova_image.image.transfer import reader as readers
from nova_image.image.transfer import signature
from nova_image.image.transfer import sink as sinks
from nova_image.image.transfer import turns
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

#: Data that has arrived: its size in bytes, where it came from, as a label of
#: metrics and as URL or path, and how often the connection was replaced.
_Arrived = collections.namedtuple('_Arrived', 'size source endpoint resumes')
#: the source of data that another download on this host has brought
_SHARED = 'shared'


class Download(object):
    """One download of one image, by run().

    :param client: nova_image.image.client.Client
    :param context: the caller's context
    :param request: Request for the data, with ``stream``
    :param record_of: callable that returns the Recorded for an Answer
    :keyword recorded: Recorded, if it is known already
    :keyword locations: URLs of the data in the stores, if they are known
    :keyword handlers: nova_image.image.download.Handler by URL scheme
    :keyword trusted_certs: IDs of certificates for the image's signature
    :keyword inspect: whether to refuse data that is unsafe to use, or whose
        format is not the recorded one
    :keyword progress: called with (bytes done, total bytes or None, bytes per
        second) after each piece
    :keyword replace: whether run() may replace an existing file
    """

    def __init__(self, client, context, request, record_of, **options):
        self._client = client
        self._context = context
        self._request = request
        self._recorded = options.pop('recorded', None)
        self._locations = options.pop('locations', ())
        self._handlers = options.pop('handlers', None) or {}
        self._trusted_certs = options.pop('trusted_certs', None)
        self._inspect = options.pop(
            'inspect', False) or client.conf.glance.inspect_images
        self._progress = options.pop('progress', None)
        self._replace = options.pop('replace', True)
        if options:
            raise TypeError('unknown options: %s' % ', '.join(sorted(options)))
        self._began = timeutils.now()
        # The deadline is one for all attempts.
        self._origin = readers.Origin(client, context, request, record_of,
                                      self._began)
        self._restarts = 0

    def run(self, data=None, path=None):
        """Download to a file object or a path, or for a loop.

        :param data: a writable binary file object, or None
        :param path: path of the file to create, or None
        :returns: a Stream if both are None, otherwise None
        """
        if data is None and path is None:
            return self.to_stream()
        options = self._client.conf.glance
        self.to_sink(sinks.open_sink(
            data, path, replace=self._replace,
            keep=options.keep_partial_downloads,
            max_age=options.partial_download_age,
            cache_limit=options.page_cache_limit * units.Mi))
        return None

    def to_sink(self, sink):
        """Download to a sink, and publish the data once it is verified.

        Data that differs from what was recorded is fetched again, with new
        checks, as often as a request is retried.

        :param sink: nova_image.image.transfer.contracts.Sink
        """
        try:
            sink.receive(self)
        except exception.ImageUnacceptable:
            sink.discard()
            raise
        except BaseException:
            sink.give_up()
            raise

    def turn(self):
        """Return a context manager for this download's turns.Turn."""
        return turns.turn(self._client.conf, self._request.image_id,
                          self._recorded, self._client.sleep, self._began)

    def fill(self, sink, turn=None):
        """Write the verified data to a sink.

        :param sink: Sink
        :param turn: turns.Turn, of a sink that others can write to
        """
        with limits.slot(self._client.conf, self._client.sleep, self._began,
                         turn):
            if turn is None or not self._by_shortcut(sink, turn):
                self._until_verified(sink)

    def to_stream(self):
        """Return a Stream."""
        reader = self._reader()
        try:
            with hook.Failures(hook.DOWNLOAD):
                recorded = reader.open()
                checks = self._checks(recorded, reader.endpoint)
            return Stream(self, reader, checks)
        except BaseException:
            reader.close()
            raise

    def _reader(self):
        recorded = self._recorded
        most = self._client.conf.glance.download_connections
        if most > 1 and recorded and (recorded.size or 0) > distance.MEASURED:
            return parallel.ParallelReader(self._origin, recorded, most)
        return readers.Reader(self._origin, recorded)

    def _by_shortcut(self, sink, turn):
        """Copy the data from where this host can reach it, if possible.

        :returns: whether the sink now has it, verified
        """
        if self._recorded is None:
            return False
        for source, origin, copy in self._shortcuts(turn):
            try:
                with hook.Failures(hook.DOWNLOAD, source):
                    self._copy(sink, source, origin, copy)
                return True
            except exception.ImageCorrupt as error:
                self._warn_of_shortcut(origin, error)
            except exception.ImageUnacceptable:
                raise  # it would be refused from anywhere
            except Exception as error:
                self._warn_of_shortcut(origin, error)
            sink.restart()  # the data would show through holes
        return False

    def _shortcuts(self, turn):
        """Yield (source, path or URL of the data, function that copies)."""
        brought = turn.brought()
        if brought:
            yield _SHARED, brought, functools.partial(
                file_copy.copy_path, brought)
        for url in self._locations:
            scheme = url.partition(':')[0]
            handler = self._handlers.get(scheme)
            if handler is not None:
                yield scheme.partition('+')[0], url, functools.partial(
                    self._by, handler, url)

    def _by(self, handler, url, output, check):
        bind = getattr(handler, 'for_caller', None)
        if bind is not None:
            handler = bind(self._client, self._context, self._recorded)
        handler.copy(url, output, check)

    def _copy(self, sink, source, origin, copy):
        recorded = self._recorded
        sink.begin_copy(self._request.image_id, recorded)
        checks = self._checks(recorded, origin)
        feeder = offload.beside(checks, recorded.size)
        try:
            copy(sink.stream, _Followed(feeder, sink))
            feeder.finish()
        finally:
            feeder.close()
        arrived = _Arrived(sink.take_over(), source, origin, 0)
        checks.verify()
        self.report(arrived.size, recorded.size)
        self.record(arrived, checks)

    def _warn_of_shortcut(self, origin, error):
        LOG.warning('Image %(image)s could not be copied from %(origin)s and '
                    'is fetched from elsewhere: %(kind)s: %(error)s', {
                        'image': self._request.image_id,
                        'origin': exception.redact(origin),
                        'kind': type(error).__name__,
                        'error': exception.redact(error)})

    def _until_verified(self, sink):
        options = self._client.conf.glance
        attempts = retry.Attempts(options.num_retries, options.max_retry_wait,
                                  0, self._client.sleep)
        while True:
            try:
                with hook.Failures(hook.DOWNLOAD):
                    return self._attempt(sink)
            except exception.ImageCorrupt as error:
                delay = attempts.delay() if sink.restart() else None
                if delay is None:
                    raise
                LOG.warning('The data is discarded and fetched again in '
                            '%(delay).1f s. %(error)s', {
                                'delay': delay, 'error': error})
                attempts.repeat_after(delay)
                self._restarts += 1

    def _attempt(self, sink):
        reader = self._reader()
        try:
            recorded = self._recorded or reader.open()
            kept = sink.begin(self._request.image_id, recorded)
            checks = self._checks(recorded, reader.endpoint)
            feeder = offload.beside(checks, recorded.size)
            try:
                if kept:
                    self._take_up(sink, feeder, reader, kept)
                self._pump(reader, feeder, sink)
                feeder.finish()
            finally:
                feeder.close()
            checks.verify()
            self.record(_arrived(reader), checks)
        finally:
            reader.close()

    def _pump(self, reader, feeder, sink):
        """Pass the data from a reader to the checks and the sink."""
        for chunk in reader.chunks():
            feeder.update(chunk)
            sink.write(chunk)
            self.report(reader.offset, reader.recorded.size)

    def _take_up(self, sink, feeder, reader, kept):
        """Check what an earlier process has left, and resume behind it."""
        LOG.info('The download of image %(image)s resumes at byte %(kept)d', {
            'image': self._request.image_id, 'kept': kept})
        for chunk in sink.kept():
            feeder.update(chunk)
        reader.begin_at(kept)

    def _checks(self, recorded, endpoint):
        """Return new checks; each attempt needs its own."""
        facts = self._request.facts(endpoint)
        checks = [digest.Digest(recorded, **facts)]
        verifier = signature.open_verifier(
            self._client.conf, self._context, recorded.properties,
            self._trusted_certs, **facts)
        if verifier is not None:
            checks.append(verifier)
        if self._inspect:
            checks.append(format_check.FormatCheck(
                recorded.disk_format, **facts))
        return digest.Checks(checks)

    def report(self, done, total):
        """Report the progress to the caller, if it asked for that.

        :param done: bytes
        :param total: bytes, or None
        """
        if self._progress is not None:
            seconds = timeutils.now() - self._began
            self._progress(done, total, done / seconds if seconds else 0.0)

    def record(self, arrived, checks):
        """Log what was done: a line to read, and a record for programs.

        :param arrived: _Arrived, data that was verified
        :param checks: digest.Checks
        """
        if 'size' in checks.names and 'signature' not in checks.names:
            LOG.warning('Image %s has no recorded hash: only the size of its '
                        'data is verified', self._request.image_id)
        seconds = timeutils.now() - self._began
        done = {'image': self._request.image_id, 'direction': hook.DOWNLOAD,
                'source': arrived.source, 'bytes': arrived.size,
                'endpoint': exception.redact(arrived.endpoint),
                'seconds': round(seconds, 3), 'resumes': arrived.resumes,
                'restarts': self._restarts, 'verified_by': checks.names}
        LOG.info('Image %(image)s: %(bytes)d bytes from %(endpoint)s in '
                 '%(seconds).1f s, %(rate).1f MiB/s, resumed %(resumes)d '
                 'times, verified by %(by)s', dict(
                     done, rate=arrived.size / float(units.Mi) / (
                         seconds or 1),
                     by=', '.join(checks.names)), extra={'transfer': done})
        hook.METRICS.moved(hook.DOWNLOAD, arrived.source, arrived.size,
                           seconds)


def _arrived(reader):
    """Return the _Arrived of a reader that has read all data."""
    return _Arrived(reader.offset, hook.HTTP, reader.endpoint,
                    reader.resumes)


class _Followed(object):
    """A check that tells the sink how far a copy has come."""

    def __init__(self, check, sink):
        self._check = check
        self._sink = sink
        self._position = 0

    def update(self, chunk):
        """Process the next bytes, which are in the file."""
        self._check.update(chunk)
        self._position += len(chunk)
        self._sink.advance(self._position)


class Stream(object):
    """The data as an iterator that verifies itself.

    It resumes by itself. At its end it raises what to_sink() would raise. It
    closes its connection at the end, in close() and when it is dropped.

    :param download: Download
    :param reader: nova_image.image.transfer.contracts.DataReader, open
    :param checks: digest.Checks, new
    """

    def __init__(self, download, reader, checks):
        self._reader = reader
        self._chunks = self._verified(download, reader, checks)

    @staticmethod  # a cycle would keep a dropped stream from being closed
    def _verified(download, reader, checks):
        feeder = offload.beside(checks, reader.recorded.size)
        try:
            with hook.Failures(hook.DOWNLOAD):
                for chunk in reader.chunks():
                    feeder.update(chunk)
                    download.report(reader.offset, reader.recorded.size)
                    yield chunk
                feeder.finish()
                checks.verify()
            download.record(_arrived(reader), checks)
        finally:
            feeder.close()
            reader.close()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._chunks)

    next = __next__

    def close(self):
        """Release the connection."""
        self._chunks.close()
        self._reader.close()

    __del__ = close
