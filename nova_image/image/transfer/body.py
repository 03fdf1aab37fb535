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

"""An image's data as one stream of bytes, whatever connections it takes.

Images never change once they are active, so what broke off is continued where
it stopped, at the next server: a 206 with the right Content-Range goes on, of
a 200 the beginning is thrown away. Stores that have no ranges answer 400
(rbd, swift, s3, http and vmware; seen on Glance 33), which is remembered.
"""

import copy
import re

from oslo_log import log as logging
from oslo_utils import timeutils

from nova_image import exception
from nova_image.image import endpoint
from nova_image.image import retry

LOG = logging.getLogger(__name__)

_CONTENT_RANGE = re.compile(r'^bytes (\d+)-(\d+)/(\d+|\*)$')
#: what a server says to a range that it cannot give
_NO_RANGE = (400, 416)


class NoRanges(exception.ImageDownloadUnavailable):
    """The store does not give parts of an image."""


class Body(object):
    """The data of one image, from an offset to the end.

    :param client: nova_image.image.client.Client
    :param request: for all of the data, with ``stream``
    :param expected_of: gives a digest.Expected for an Answer
    :param expected: digest.Expected where it is known before
    :param part: (first byte, byte behind the last) where less than all of it
        is wanted; ``expected`` has to be known then

    ``offset`` is where the next byte belongs, ``resumes`` how often the
    connection was replaced, ``endpoint`` the last server, ``began`` the
    moment from which download_deadline counts.
    """

    def __init__(self, client, context, request, expected_of, expected=None,
                 part=None):
        self.offset, self._end = part or (0, None)
        self.expected = expected
        self.resumes = 0
        self.endpoint = None
        self._client = client
        self._context = context
        self._request = request
        self._expected_of = expected_of
        self._options = client.conf.glance
        self.began = timeutils.now()
        self._answer = None
        self._skip = 0
        self._given_up = False

    def open(self):
        """Connect; the data can then be read by chunks().

        :returns: digest.Expected
        :raises NovaImageException: when there is no data to be had
        """
        self._connect()
        return self.expected

    def begin_at(self, offset):
        """Leave out the first bytes: they are there already.

        :param offset: how many
        """
        self.offset = offset
        self._skip = offset  # of an answer that was asked for before

    def chunks(self):
        """Yield the data in pieces, to the last byte.

        :raises GlanceConnectionFailed: when it breaks off once too often
        :raises ImageCorrupt: when there is more of it than was recorded, or
            another image in its place
        """
        attempts = self._attempts()
        while True:
            try:
                for chunk in self._arriving():
                    if attempts.number > 1:  # progress refills the budget
                        attempts = self._attempts()
                    yield chunk
                self._check_end()
                return
            except exception.NovaImageException as error:
                self._prepare_next(attempts, error)

    def close(self):
        """Give the connection up, and do not replace it any more."""
        self._given_up = True
        self._drop()

    def abort(self):
        """Have chunks() end soon, in the thread that reads them.

        Closing what another one reads would wait for it, and on eventlet
        fail: that closes by itself.
        """
        self._given_up = True
        answer = self._answer
        if answer is not None:
            answer.abort()

    def _drop(self):
        if self._answer is not None:
            self._answer.close()

    def _attempts(self):
        return retry.Attempts(self._options.download_retries,
                              self._options.max_retry_wait, 0,
                              self._client.sleep)

    def _facts(self):
        return self._request.facts(self.endpoint)

    def _arriving(self):
        """Yield what comes by one connection, without what is there."""
        if self._is_whole() or self._given_up:
            return  # there is no range behind the last byte
        if self._answer is None:
            self._connect()
        for chunk in self._answer.chunks():
            if self._given_up:
                return
            if self._skip:
                chunk = self._beyond_prefix(chunk)
            self.offset += len(chunk)
            self._check_bounds()
            if chunk:
                yield chunk

    def _beyond_prefix(self, chunk):
        dropped = min(self._skip, len(chunk))
        self._skip -= dropped
        return chunk[dropped:]

    def _check_bounds(self):
        size, limit = self._last(), self._options.download_deadline
        if size is not None and self.offset > size:
            raise exception.ImageCorrupt(
                reason='more than the recorded %d bytes arrived' % size,
                **self._facts())
        if timeutils.now() - self.began > limit > 0:
            error = exception.GlanceConnectionFailed(
                reason='after %d seconds, %s bytes of %s have arrived' % (
                    limit, self.offset, size),
                advice='Raise [glance] download_deadline if that is how long '
                       'it takes', **self._facts())
            error.retriable = False
            raise error

    def _is_whole(self):
        """Tell whether all bytes are there, of an image that has some."""
        return self.offset > 0 and self.offset == self._last()

    def _check_end(self):
        size = self._last()
        if self._skip if size is None else self.offset < size:
            raise exception.GlanceConnectionFailed(
                reason='the data ended after %d bytes of %s' % (
                    self.offset - self._skip, size), **self._facts())

    def _prepare_next(self, attempts, error):
        """Wait and forget the connection, or raise the error for good."""
        self._drop()
        self._answer = None
        if self._given_up or not (error.retriable and isinstance(
                error, exception.GlanceConnectionFailed)):
            raise error
        if self._is_whole():
            return  # only the end of the answer was lost
        if self.endpoint is None:
            raise error  # nothing began: num_retries are over already
        endpoint.HEALTH.failed(self.endpoint)
        wait = attempts.wait_for(error.retry_after)
        if wait is None:
            raise error
        LOG.warning('The download broke off at byte %(offset)d and goes on '
                    'in %(wait).1f s. %(error)s', {
                        'offset': self.offset, 'wait': wait, 'error': error})
        attempts.next(wait)
        self.resumes += 1

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
        found = self._expected_of(answer)
        if self.expected is None:
            self.expected = found
        elif found.identity != self.expected.identity:
            raise exception.ImageCorrupt(
                reason='it is another image than it was', **self._facts())

    def _call(self, request):
        """Ask once where chunks() asks again, else as often as any request."""
        return self._client.call(self._context, request,
                                 once=self.endpoint is not None)

    def _rest(self):
        """Return the answer that goes on at the offset; None without one."""
        known = self._client.endpoints.facts(self._context).setdefault(
            'stores without ranges', set())
        stores = self.expected.stores
        if stores in known:
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
                known.add(stores)
            LOG.info('Image %(image)s cannot be had in part (%(status)s): it '
                     'is fetched from its start again', {
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
        """Return how many bytes there are up to the end of what is wanted."""
        return self.expected.size if self._end is None else self._end

    def _continues(self, answer):
        """Tell whether a 206 is about the bytes that were asked for."""
        said = answer.headers.get('Content-Range', '')
        match = _CONTENT_RANGE.match(said)
        right = match and int(match.group(1)) == self.offset and (
            match.group(3) in ('*', '%s' % self.expected.size))
        if not right:
            LOG.warning('%(endpoint)s answered the range "%(said)s" to a '
                        'request for the bytes from %(offset)d on', {
                            'endpoint': exception.redact(answer.endpoint),
                            'said': said, 'offset': self.offset})
        return right
