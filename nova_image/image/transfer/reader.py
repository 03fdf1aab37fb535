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

"""An image's data as one stream of bytes, across any number of connections.

Images never change once they are active, so an interrupted download resumes
where it stopped, at the next server: a 206 with the right Content-Range is
continued, the beginning of a 200 is skipped. Stores without ranges answer 400
(rbd, swift, s3, http and vmware; seen on Glance 33), which is remembered.
"""

import collections
import copy
import re

from oslo_log import log as logging
from oslo_utils import units

from nova_image import exception
from nova_image.image import deadline
from nova_image.image import endpoint
from nova_image.image import knowledge
from nova_image.image import retry
from nova_image.image import sizes
from nova_image.image.transfer import contracts
from nova_image.image.transfer import limits
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

_CONTENT_RANGE = re.compile(
    r'^bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)\Z')
#: the statuses by which a server refuses a range
_NO_RANGE = (400, 416)

#: What to read, the same for all attempts: the client, the caller's context,
#: the Request for all of the data, with ``stream``, a callable that returns
#: the Recorded for an Answer, and the time from which download_deadline
#: counts, as of oslo_utils.timeutils.now().
Origin = collections.namedtuple(
    'Origin', 'client context request record_of began')


class NoRanges(exception.ImageDownloadUnavailable):
    """The store cannot return parts of an image."""


def without_ranges(stores):
    """Return the Fact that some stores cannot return parts of an image.

    :param stores: text that names them
    """
    return knowledge.Fact('lack of ranges in %s' % stores, _is_true)


def _is_true(value):
    return value is True


class Reader(contracts.DataReader):
    """Reads by one connection at a time. See DataReader.

    ``piece`` is the size in bytes of the pieces, None for sizes.CHUNK.

    :param origin: Origin
    :param recorded: Recorded, if it is known already
    :param part: (first byte, byte behind the last) of the part to read, if
        it is not all of the data; requires ``recorded``
    :param eager: whether to raise the error of the first request at once,
        instead of trying again
    """

    def __init__(self, origin, recorded=None, part=None, eager=False):
        super(Reader, self).__init__(recorded)
        self.offset, self._end = part or (0, None)
        self.piece = None
        self._origin = origin
        self._eager = eager
        self._options = origin.client.conf.glance
        self._deadline = deadline.Deadline(
            self._options.download_deadline, 'download_deadline',
            began=origin.began)
        self._request = copy.copy(origin.request)
        self._request.deadline = self._deadline
        self._throttle = limits.Throttle(origin.client.conf,
                                         origin.client.sleep)
        self._answer = None
        self._skip = 0
        self._is_closed = False

    def open(self):
        """Connect. See DataReader."""
        self._connect()
        return self.recorded

    @property
    def answer(self):
        """The nova_image.image.messages.Answer that is read; None so far."""
        return self._answer

    def begin_at(self, offset):
        """Skip data that is there already. See DataReader."""
        self.offset = offset
        self._skip = offset  # of an answer that is open already

    def chunks(self):
        """Yield the data in pieces. See DataReader."""
        attempts = self._attempts()
        while True:
            try:
                for chunk in self._arriving():
                    if attempts.number > 1:  # progress restores the budget
                        attempts = self._attempts()
                    yield chunk
                self._check_end()
                return
            except exception.NovaImageException as error:
                self._prepare_next(attempts, error)

    def close(self):
        """End chunks() and release its connection."""
        self._is_closed = True
        self._drop()

    def abort(self):
        """Make chunks() end soon, in the thread that reads it.

        Closing a connection that another thread reads would wait for it, and
        fail with eventlet: that thread closes it.
        """
        self._is_closed = True
        answer = self._answer
        if answer is not None:
            answer.abort()

    def _drop(self):
        if self._answer is not None:
            self._answer.close()

    def _attempts(self):
        return retry.Attempts(self._options.download_retries,
                              self._options.max_retry_wait, 0,
                              self._origin.client.sleep)

    def _facts(self):
        return self._origin.request.facts(self.endpoint)

    def _arriving(self):
        """Yield what one connection sends, without what is there already."""
        if self._is_whole() or self._is_closed:
            return  # there is no range behind the last byte
        if self._answer is None:
            self._connect()
        for chunk in self._in_time(self._answer.chunks(self.piece)):
            if self._is_closed:
                return
            if self._skip:
                chunk = self._beyond_prefix(chunk)
            self.offset += len(chunk)
            self._check_limits()
            if chunk:
                yield chunk

    def _in_time(self, chunks):
        """Yield pieces of an answer as fast as the bandwidth allows."""
        while True:
            wanted = sizes.CHUNK
            if self._last() is not None:
                wanted = min(wanted, self._last() - self.offset + self._skip)
            self._throttle.take(wanted, self._may_wait)
            chunk = b'' if self._is_closed else next(chunks, b'')
            self._throttle.take(len(chunk) - wanted)
            if not chunk:
                return
            yield chunk

    def _may_wait(self):
        self._check_deadline()
        return not self._is_closed

    def _beyond_prefix(self, chunk):
        dropped = min(self._skip, len(chunk))
        self._skip -= dropped
        return chunk[dropped:]

    def _check_limits(self):
        size, limit = self._last(), self._options.max_unsized_download
        if size is not None and self.offset > size:
            raise exception.ImageCorrupt(
                reason='more than the recorded %d bytes arrived' % size,
                **self._facts())
        if size is None and self.offset > limit * units.Gi > 0:
            raise exception.ImageUnacceptable(
                reason='Glance has not recorded its size, and more than %d '
                       'GiB arrived' % limit,
                advice='Increase [glance] max_unsized_download if the image '
                       'is that large', **self._facts())
        self._check_deadline()

    def _check_deadline(self):
        if self._deadline.is_over():
            raise exception.GlanceConnectionFailed(
                reason='after %d seconds, %s bytes of %s have arrived' % (
                    self._deadline.seconds, self.offset, self._last()),
                retriable=False,
                advice='Increase [glance] download_deadline if downloads take '
                       'that long', **self._facts())

    def _is_whole(self):
        """Return whether all bytes are there, of an image that has some."""
        return self.offset > 0 and self.offset == self._last()

    def _check_end(self):
        size = self._last()
        if self._skip if size is None else self.offset < size:
            raise exception.GlanceConnectionFailed(
                reason='the data ended after %d bytes of %s' % (
                    self.offset - self._skip, size), **self._facts())

    def _prepare_next(self, attempts, error):
        """Wait and drop the connection, or raise the error."""
        self._drop()
        self._answer = None
        if isinstance(error, exception.GlanceConnectionFailed):
            self._check_deadline()  # it may be the reason
        if self._is_closed or not (error.retriable and isinstance(
                error, exception.GlanceConnectionFailed)):
            raise error
        if self._is_whole():
            return  # only the end of the answer was lost
        if self.endpoint is None:
            raise error  # nothing began: num_retries were made already
        endpoint.HEALTH.failed(self.endpoint)
        delay = attempts.delay(error.retry_after)
        left = self._deadline.left()
        if delay is None or left is not None and delay > left:
            raise error
        LOG.warning('The download was interrupted at byte %(offset)d and '
                    'resumes in %(delay).1f s. %(error)s', {
                        'offset': self.offset, 'delay': delay,
                        'error': error})
        attempts.repeat_after(delay)
        self.resumes += 1
        hook.METRICS.resumed()

    def _connect(self):
        ranged = self.offset or self._end is not None
        answer = self._rest() if ranged else None
        if answer is None and self._end is not None:
            raise NoRanges(**self._facts())
        if answer is None:
            answer = self._call(self._request)
        self._answer = answer
        self.endpoint = answer.endpoint
        self._skip = 0 if answer.status == 206 else self.offset
        found = self._origin.record_of(answer)
        if self.recorded is None:
            self.recorded = found
        elif found.identity != self.recorded.identity:
            raise exception.ImageCorrupt(
                reason='it is no longer the same image', **self._facts())

    def _call(self, request):
        """Ask once if chunks() asks again, otherwise like any request."""
        once = self._eager or self.endpoint is not None
        return self._origin.client.call(self._origin.context, request,
                                        once=once)

    def _rest(self):
        """Return an answer that begins at the offset; None without one."""
        origin, stores = self._origin, self.recorded.stores
        known, fact = origin.client.knowledge(origin.context), (
            without_ranges(stores))
        if known.get(fact):
            return None
        request = copy.copy(self._request)
        # python-glanceclient would percent-encode the "=".
        request.raw_headers = dict(request.raw_headers,
                                   Range=self._range())
        try:
            answer = self._call(request)
        except exception.NovaImageException as error:
            if error.status not in _NO_RANGE:
                raise
            if error.status == 400 and stores:
                known.remember(fact, True)
            LOG.info('The store returns no part of image %(image)s '
                     '(%(status)s): it is fetched from the start', {
                         'image': request.image_id, 'status': error.status})
            return None
        useless = answer.status != 206 if self._end is not None else False
        if useless or answer.status == 206 and not self._continues(answer):
            answer.close()
            return None
        return answer

    def _range(self):
        last = '' if self._end is None else '%d' % (self._end - 1)
        return 'bytes=%d-%s' % (self.offset, last)

    def _last(self):
        """Return the position behind the last byte to read, or None."""
        return self.recorded.size if self._end is None else self._end

    def _continues(self, answer):
        """Return whether a 206 has the bytes that were asked for."""
        said = answer.headers.get('Content-Range', '')
        match = _CONTENT_RANGE.match(said)
        right = match and int(match.group(1)) == self.offset and (
            match.group(3) in ('*', '%s' % self.recorded.size))
        if not right:
            LOG.warning('%(endpoint)s answered the range "%(said)s" to a '
                        'request for the bytes from %(offset)d', {
                            'endpoint': exception.redact(answer.endpoint),
                            'said': exception.redact(said),
                            'offset': self.offset})
        return right
