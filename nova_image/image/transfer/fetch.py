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

"""Gets an image's data from Glance into a sink, or to a caller's loop."""

from nova_image import exception
from nova_image.image.transfer import digest


def to_sink(client, context, request, expected_of, sink):
    """Download to a sink and publish it when it is whole and verified.

    A body that breaks, or that is not what was recorded, is fetched again
    from its start with a new digest, as often as a request is repeated.

    :param client: nova_image.image.client.Client
    :param request: for the data, with ``stream``
    :param expected_of: gives a digest.Expected for an Answer
    :param sink: of nova_image.image.transfer.sink
    """
    def receive(answer):
        checker = _checker(answer, request, expected_of)
        try:
            for chunk in digest.checked(answer.chunks(), checker):
                sink.write(chunk)
        except exception.NovaImageException as error:
            error.retriable = error.retriable and sink.restart()
            raise

    try:
        client.call(context, request, receive)
        sink.publish()
    except BaseException:
        sink.discard()
        raise


class Stream(object):
    """The data as an iterator that verifies itself.

    Raises at its end what to_sink() would; closes its connection there, when
    it is closed and when it is dropped.

    :param answer: nova_image.image.client.Answer with an unread body
    :param checker: a new digest.Digest
    """

    def __init__(self, answer, checker):
        self._answer = answer
        self._chunks = digest.checked(answer.chunks(), checker)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._chunks)

    next = __next__

    def close(self):
        """Give the connection up."""
        self._chunks.close()
        self._answer.close()

    __del__ = close


def to_stream(client, context, request, expected_of):
    """Return a Stream; the parameters are those of to_sink()."""
    answer = client.call(context, request)
    return Stream(answer, _checker(answer, request, expected_of))


def _checker(answer, request, expected_of):
    """Return a new Digest; the answer is closed where there can be none."""
    try:
        return digest.Digest(expected_of(answer),
                             **request.facts(answer.endpoint))
    except BaseException:
        answer.close()
        raise
