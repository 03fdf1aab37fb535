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

"""Gets an image's data from Glance into a sink, or to a caller's loop.

One pass: each piece is written and, beside it, hashed and looked at. What was
recorded of the image, its signature and its format are checked before
anything is published.
"""

import functools

from oslo_log import log as logging
from oslo_utils import timeutils

from nova_image import exception
from nova_image.image import offload
from nova_image.image import retry
from nova_image.image.transfer import body as bodies
from nova_image.image.transfer import digest
from nova_image.image.transfer import file_copy
from nova_image.image.transfer import format_check
from nova_image.image.transfer import limits
from nova_image.image.transfer import parallel
from nova_image.image.transfer import signature
from nova_image.image.transfer import sink as sinks

LOG = logging.getLogger(__name__)

_MIB = 1024.0 * 1024.0


class Download(object):
    """One download of one image, by run().

    :param client: nova_image.image.client.Client
    :param request: for the data, with ``stream``
    :param expected_of: gives a digest.Expected for an Answer
    :keyword expected: digest.Expected where it is known before
    :keyword locations: URLs of the data in the stores, where they are known
    :keyword handlers: nova_image.image.download.Handler by scheme of these
    :keyword trusted_certs: IDs of certificates for the image's signature
    :keyword inspect: whether to refuse what is unsafe to use, or in another
        format than its record says
    :keyword progress: called with (bytes done, bytes in all or None, bytes a
        second) after each piece
    """

    def __init__(self, client, context, request, expected_of, **options):
        self._client = client
        self._context = context
        self._request = request
        self._expected_of = expected_of
        self._expected = options.pop('expected', None)
        self._locations = options.pop('locations', ())
        self._handlers = options.pop('handlers', None) or {}
        self._trusted_certs = options.pop('trusted_certs', None)
        self._inspect = options.pop(
            'inspect', False) or client.conf.glance.inspect_images
        self._progress = options.pop('progress', None)
        if options:
            raise TypeError('unknown options: %s' % ', '.join(sorted(options)))
        self._began = timeutils.now()
        self._restarts = 0

    def run(self, data=None, path=None):
        """Download to where it is wanted.

        :param data: a writable binary file object, or None
        :param path: path of the file to make, or None
        :returns: a Stream when both are None, else None
        """
        if data is None and path is None:
            return self.to_stream()
        options = self._client.conf.glance
        self.to_sink(sinks.open_sink(
            data, path, keep=options.keep_partial_downloads,
            max_age=options.partial_download_age,
            cache_limit=options.page_cache_limit * 1024 * 1024))
        return None

    def to_sink(self, sink):
        """Download to a sink and publish it when it is whole and verified.

        What is not as it was recorded is fetched again, with new checks, as
        often as a request is repeated.

        :param sink: of nova_image.image.transfer.sink
        """
        conf, sleep = self._client.conf, self._client.sleep
        expected = self._expected if sink.path else None
        try:
            with limits.turn(conf, self._request.image_id, expected) as turn:
                with limits.place(conf, sleep):
                    if not self._by_shortcut(sink, turn):
                        self._until_verified(sink)
                offload.call(sink.publish)
                if sink.path:
                    turn.leave_note(sink.path)
        except exception.ImageUnacceptable:
            sink.discard()
            raise
        except BaseException:
            sink.give_up()
            raise

    def to_stream(self):
        """Return a Stream."""
        body = self._body()
        try:
            return Stream(self, body, self._checks(body.open(), body))
        except BaseException:
            body.close()
            raise

    def _body(self):
        expected = self._expected
        options = self._client.conf.glance
        if options.download_connections > 1 and expected and (
                (expected.size or 0) > 2 * parallel.PART):
            return parallel.ParallelBody(self._one_body, expected,
                                         options.download_connections)
        return self._one_body()

    def _one_body(self, part=None):
        body = bodies.Body(self._client, self._context, self._request,
                           self._expected_of, self._expected, part)
        body.began = self._began  # the deadline is one for all attempts
        return body

    def _by_shortcut(self, sink, turn):
        """Copy the data from where this host can reach them, if it can.

        :returns: whether it did, and they are verified
        """
        if not sink.path or self._expected is None:
            return False
        for place, copy in self._shortcuts(turn):
            try:
                self._copy(sink, place, copy)
                return True
            except exception.ImageCorrupt as error:
                self._warn_of_shortcut(place, error)
            except exception.ImageUnacceptable:
                raise  # it would be refused from anywhere
            except Exception as error:
                self._warn_of_shortcut(place, error)
            sink.restart()  # what is left would show through holes
        return False

    def _shortcuts(self, turn):
        """Yield (where the data is, what copies it into a file)."""
        brought = turn.brought()
        if brought:
            yield brought, functools.partial(file_copy.copy_path, brought)
        for url in self._locations:
            handler = self._handlers.get(url.partition(':')[0])
            if handler is not None:
                yield url, functools.partial(handler.copy, url)

    def _copy(self, sink, place, copy):
        body = self._body()
        body.endpoint = place
        sink.begin_copy(self._request.image_id, self._expected)
        checks = self._checks(self._expected, body)
        feeder = offload.beside(checks)
        try:
            copy(sink.stream, _Followed(feeder, sink))
            feeder.finish()
        finally:
            feeder.close()
        body.offset = sink.take_over()
        checks.verify()
        self.report(body)
        self.record(body, checks)

    def _warn_of_shortcut(self, place, error):
        LOG.warning('Image %(image)s could not be copied from %(place)s and '
                    'is fetched from elsewhere: %(kind)s: %(error)s', {
                        'image': self._request.image_id,
                        'place': exception.redact(place),
                        'kind': type(error).__name__,
                        'error': exception.redact(error)})

    def _until_verified(self, sink):
        options = self._client.conf.glance
        attempts = retry.Attempts(options.num_retries, options.max_retry_wait,
                                  0, self._client.sleep)
        while True:
            try:
                return self._attempt(sink)
            except exception.ImageCorrupt as error:
                wait = attempts.wait_for() if sink.restart() else None
                if wait is None:
                    raise
                LOG.warning('What arrived is thrown away and fetched again '
                            'in %(wait).1f s. %(error)s', {
                                'wait': wait, 'error': error})
                attempts.next(wait)
                self._restarts += 1

    def _attempt(self, sink):
        body = self._body()
        throttle = limits.Throttle(self._client.conf, self._client.sleep)
        try:
            expected = self._expected or body.open()
            kept = sink.begin(self._request.image_id, expected)
            checks = self._checks(expected, body)
            feeder = offload.beside(checks)
            try:
                if kept:
                    self._take_up(sink, feeder, body, kept)
                for chunk in body.chunks():
                    feeder.update(chunk)
                    sink.write(chunk)
                    self.report(body)
                    throttle.take(len(chunk))
                feeder.finish()
            finally:
                feeder.close()
            checks.verify()
            self.record(body, checks)
        finally:
            body.close()

    def _take_up(self, sink, feeder, body, kept):
        """Check what an earlier process has left, and go on behind it."""
        LOG.info('The download of image %(image)s goes on at byte %(kept)d', {
            'image': self._request.image_id, 'kept': kept})
        for chunk in sink.kept():
            feeder.update(chunk)
        body.begin_at(kept)

    def _checks(self, expected, body):
        """Return new checks; each attempt has its own."""
        facts = self._request.facts(body.endpoint)
        wanted = [digest.Digest(expected, **facts)]
        verifier = signature.open_verifier(
            self._client.conf, self._context, expected.properties,
            self._trusted_certs, **facts)
        if verifier is not None:
            wanted.append(verifier)
        if self._inspect:
            wanted.append(format_check.FormatCheck(
                expected.disk_format, **facts))
        return digest.Checks(wanted)

    def report(self, body):
        """Tell the caller how far it is, where it wants to know."""
        if self._progress is not None:
            seconds = timeutils.now() - self._began
            self._progress(body.offset, body.expected.size,
                           body.offset / seconds if seconds else 0.0)

    def record(self, body, checks):
        """Log what was done: a line to read, and a record for programs."""
        if 'size' in checks.names and 'signature' not in checks.names:
            LOG.warning('Image %s has no hash recorded: its data is '
                        'unverified but for the size',
                        self._request.image_id)
        seconds = timeutils.now() - self._began
        done = {'image': self._request.image_id, 'bytes': body.offset,
                'endpoint': exception.redact(body.endpoint),
                'seconds': round(seconds, 3), 'resumes': body.resumes,
                'restarts': self._restarts, 'verified_by': checks.names}
        LOG.info('Image %(image)s: %(bytes)d bytes from %(endpoint)s in '
                 '%(seconds).1f s, %(rate).1f MiB/s, resumed %(resumes)d '
                 'times, verified by %(by)s', dict(
                     done, rate=body.offset / _MIB / (seconds or 1.0),
                     by=', '.join(checks.names)), extra={'transfer': done})


class _Followed(object):
    """A check that tells the sink how far a copy has come."""

    def __init__(self, check, sink):
        self._check = check
        self._sink = sink
        self._position = 0

    def update(self, chunk):
        """Take the next bytes into account, which are in the file."""
        self._check.update(chunk)
        self._position += len(chunk)
        self._sink.advance(self._position)


class Stream(object):
    """The data as an iterator that verifies itself.

    It resumes underneath. Raises at its end what to_sink() would; closes its
    connection there, when it is closed and when it is dropped.

    :param download: Download
    :param body: nova_image.image.transfer.body.Body, open
    :param checks: digest.Checks, new
    """

    def __init__(self, download, body, checks):
        self._body = body
        self._chunks = self._verified(download, body, checks)

    @staticmethod  # a cycle would keep what is dropped from being closed
    def _verified(download, body, checks):
        try:
            for chunk in body.chunks():
                offload.call(checks.update, chunk)
                download.report(body)
                yield chunk
            checks.verify()
            download.record(body, checks)
        finally:
            body.close()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._chunks)

    next = __next__

    def close(self):
        """Give the connection up."""
        self._chunks.close()
        self._body.close()

    __del__ = close
