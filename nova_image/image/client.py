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

"""One call to Glance: session, endpoint, retries, and errors as exceptions.

Knows no API version: the drivers say what to send and read the answer.
"""

import contextlib
import functools
import time

from oslo_log import log as logging
from oslo_serialization import jsonutils
from oslo_utils import units
import six

from nova_image import exception
from nova_image.image import deadline as deadlines
from nova_image.image import endpoint as endpoints
from nova_image.image import faults
from nova_image.image import identity as identities
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image import reasons
from nova_image.image import retry
from nova_image.image import transport
from nova_image.image import values
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

#: Statuses by which a server says that it has not processed the request. A
#: request may be sent again after them, but a proxy also sends 503 if the
#: server behind it has failed half-way.
_NOT_PROCESSED = (429, 503)
_READS = ('GET', 'HEAD')


class Client(object):
    """Makes calls for one service object.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :keyword identity: nova_image.image.identity.Identity or the host's own
    :keyword pinned: URL of the only Glance to ask
    :keyword sleep: callable that takes seconds; tests replace it

    ``conf``, ``sleep`` and ``endpoints`` are for those who continue with an
    answer.
    """

    def __init__(self, conf, identity=None, pinned=None, sleep=time.sleep):
        self.conf = conf
        self._identity = identity or identities.Identity(conf)
        self.sleep = sleep
        self.endpoints = endpoints.Endpoints(conf, self._identity, pinned)

    def pinned_to(self, url):
        """Return a client that asks only the Glance at ``url``."""
        return Client(self.conf, self._identity, url, self.sleep)

    def knowledge(self, context):
        """Return the Knowledge about the Glance of a caller.

        :param context: the caller's context
        """
        return self.endpoints.knowledge(context)

    def sender(self, context, as_service=False):
        """Return who sends a caller's requests, a key for Knowledge.

        :param context: the caller's context
        :param as_service: as for nova_image.image.messages.Request
        """
        return self._identity.sender(context, as_service)

    def token_project(self, context):
        """Return the ID of the project of the token that requests carry.

        :returns: '' if it has no project; None without a token
        """
        return self._identity.token_project(context)

    def seen_by(self, context):
        """Return a test of whether a caller may see an image.

        :returns: a callable that takes an image in the callers' format
        """
        if self._identity.uses_keystone(context) and (
                not self._identity.borrows(context)):
            return values.always  # Glance has checked
        return functools.partial(identities.may_see, context)

    def check_owner(self, context):
        """Refuse to create an image that no project would own.

        :raises Forbidden: see Identity.check_owner()
        """
        self._identity.check_owner(context)

    def check_seen(self, context, image_id, action, read):
        """Refuse an image that only the service may see, not the caller.

        :param read: callable that returns the image in the callers' format
        :raises ImageNotFound: if the caller borrows the service's credentials
            and may not see it
        """
        if self._identity.borrows(context) and not self.seen_by(context)(
                read()):
            raise exception.ImageNotFound(image_id=image_id, action=action)

    def _check_loan(self, context, request):
        """Refuse what a caller without a token may not do as the service."""
        if request.is_checked or not self._identity.borrows(context):
            return
        if request.method != 'GET' or request.image_id:
            kind = (exception.ImageNotAuthorized if request.image_id
                    else exception.Forbidden)
            raise kind(
                'No token for Glance is available', reason='the context of '
                "the request has no token and is not an administrator's, and "
                'the credentials in [glance] are only for the service',
                advice='Pass a context with the token of the user',
                action=request.action, image_id=request.image_id)

    def headers_of(self, context, request, endpoint):
        """Return the headers of a request that another machine sends.

        :param context: the caller's context
        :param request: nova_image.image.messages.Request
        :param endpoint: URL of the Glance
        :returns: dict, with the caller's token or identity
        :raises Forbidden: if the caller borrows the service's credentials
        """
        self._check_loan(context, request)
        headers = dict(request.headers, **request.raw_headers)
        if getattr(context, 'global_id', None):
            headers['X-OpenStack-Request-ID'] = context.global_id
        try:
            headers.update(self._identity.authorization(context, endpoint))
        except exception.NovaImageException:
            raise
        except Exception as error:
            faults.raise_ours(error, request, endpoint)
        return headers

    def json(self, context, request, settle=None, once=False):
        """Make a call and return its JSON object.

        See call() for the parameters and the errors.
        """
        return self.call(context, request, _json_object, settle, once)

    def call(self, context, request, consume=None, settle=None, once=False):
        """Make a call, and retry it where that is safe.

        :param context: the caller's context
        :param request: nova_image.image.messages.Request
        :param consume: called with the Answer within the attempt, so that a
            body that breaks is retried like the request
        :param settle: called when a retry fails and the answer to an earlier
            attempt was lost, with the exception of the retry; returns one of
            nova_image.image.outcome
        :param once: whether to leave all retries to the caller
        :returns: what ``consume`` returns, otherwise the Answer
        :raises NovaImageException: one of its subclasses
        """
        self._check_loan(context, request)
        deadline = self._deadline(request)
        attempts = retry.Attempts(
            0 if once else self.conf.glance.num_retries,
            self.conf.glance.max_retry_wait,
            self.conf.glance.request_deadline, self.sleep)
        lost = False
        while True:
            try:
                with deadlines.applied(deadline):
                    return self._attempt(context, request, consume)
            except exception.NovaImageException as raised:
                error = request.judge(raised)
                before, lost = lost, lost or _is_lost(request, error)
                with _in_doubt(request if lost else None):
                    _raise_if_late(deadline, error)
                again = error.retriable and _may_repeat(request, error)
                if before and settle and _can_be_settled(error):
                    with _in_doubt(request):
                        result = settle(error)
                        if isinstance(result, outcome.Found):
                            return result.value
                        if isinstance(result, outcome.Failed):
                            raise result.error or error
                    again = True
                with _in_doubt(request if lost else None):
                    self._prepare_next(attempts, request, error, again)

    def _deadline(self, request):
        """Return the Deadline of a request, with all its attempts."""
        return request.deadline or deadlines.Deadline(
            self.conf.glance.request_deadline, 'request_deadline',
            pausable=request.body is not None)

    def _prepare_next(self, attempts, request, error, again):
        """Wait for the next attempt, or raise the error.

        :param again: whether the request may be sent again
        """
        delay = attempts.delay(error.retry_after) if again else None
        if delay is None:
            raise error
        if request.body is not None and not request.body.restart():
            if error is request.body.failure:
                raise error
            six.raise_from(error.but(advice=(
                'Part of the data had been read and cannot be read again: '
                'pass a file that can be rewound, or try again')), error)
        LOG.warning('Attempt %(number)d of %(total)d failed, next in '
                    '%(delay).1f s. %(error)s', {
                        'number': attempts.number, 'total': attempts.total,
                        'delay': delay, 'error': reasons.brief(error)})
        hook.METRICS.retried(request)
        attempts.repeat_after(delay)

    def _attempt(self, context, request, consume):
        endpoint = None
        try:
            auth = self._identity.auth(context)
            endpoint = self.endpoints.choose(context, auth)
            answer = self._send(context, request, endpoint, auth)
            return consume(answer) if consume else answer
        except exception.NovaImageException as error:
            if not request.is_cut_by(error):
                _report(endpoint, error)
            raise
        except Exception as error:
            if request.body is not None and request.body.failure is not None:
                raise request.body.failure
            _report(endpoint, faults.from_error(error, request, endpoint))
            faults.raise_ours(error, request, endpoint)

    def _send(self, context, request, endpoint, auth):
        began = time.time()
        if request.as_service:
            auth = self._identity.service_auth() or auth
        session = self._identity.session(endpoint)
        request.secrets.add(functools.partial(
            identities.tokens, context, auth))
        raw = dict(request.raw_headers)
        if auth is None:
            raw.update(self._identity.headers(context))
        if request.body is not None:
            request.body.begin(endpoint)
        response = None
        try:
            response, _ = transport.opened(
                session, auth, endpoint, raw).request(
                    request.path, request.method,
                    **self._arguments(context, request, auth))
        finally:
            hook.METRICS.answered(
                request, getattr(response, 'status_code', None),
                time.time() - began)
        if LOG.isEnabledFor(logging.DEBUG):
            _log(request, endpoint, response, time.time() - began)
        if response.status_code >= 300:
            renewed = response.status_code == 401 and request.body and (
                auth and session.invalidate(auth))
            raise faults.from_response(response, request, endpoint,
                                       retriable=renewed or None)
        endpoints.HEALTH.answered(endpoint)
        answer = messages.Answer(response, request, endpoint)
        answer.check_encoding()
        if not request.stream:
            # Reading it whole returns the connection to the pool.
            answer.load(self.conf.glance.max_answer_size * units.Mi)
            answer.check_kind()
        return answer

    def _arguments(self, context, request, auth):
        """Return how to send a request, for the session client."""
        headers = dict(request.headers)
        if getattr(context, 'global_id', None):
            headers['X-OpenStack-Request-ID'] = context.global_id
        # keystoneauth's own log of headers and bodies is off: locations in
        # them contain credentials.
        # Redirects are errors: keystoneauth would send the token to any host.
        arguments = {'headers': headers, 'log': False, 'redirect': False,
                     'authenticated': auth is not None}
        if request.stream:
            stall = self.conf.glance.transfer_stall_timeout
            if stall:
                arguments['timeout'] = stall
        if request.body is not None:
            # Reauthentication would send a body that has been read already.
            arguments.update(data=request.body, allow_reauth=False)
        if request.json is not None:
            headers['Content-Type'] = request.content_type
            arguments['data'] = jsonutils.dumps(request.json)
        return arguments


def _log(request, endpoint, response, seconds):
    LOG.debug(
        '%(method)s %(endpoint)s%(path)s: %(status)s in %(seconds).3f s', {
            'method': request.method, 'endpoint': exception.redact(endpoint),
            'path': request.path, 'status': response.status_code,
            'seconds': seconds})


def _report(endpoint, error):
    """Let other calls avoid a server for a while if it failed.

    A server that answered has not failed if only this answer cannot be used:
    one image must not make a server look bad to all callers.
    """
    if isinstance(error, exception.GlanceConnectionFailed) and not (
            isinstance(error, exception.GlanceBadAnswer) and
            (error.status is None or error.status < 300)):
        endpoints.HEALTH.failed(endpoint)


def _raise_if_late(deadline, error):
    """Raise the error of the deadline if a call failed because of it."""
    deadline.resume()
    if deadline.is_over() and error.status is None and isinstance(
            error, exception.GlanceConnectionFailed):
        six.raise_from(error.but(
            reason='no complete answer within %d seconds' % deadline.seconds,
            advice='Increase [glance] %s if Glance needs more time' % (
                deadline.option), retriable=False), error)


def _may_repeat(request, error):
    """Return whether a failed request may be sent again.

    A request that must take effect only once may, if the server says that it
    has not processed it.
    """
    return request.repeatable or error.status in _NOT_PROCESSED


def _can_be_settled(error):
    """Return whether a look at the image shows what an error means.

    If its store has refused the token, only the driver's operation knows.
    """
    return not (error.retriable or
                isinstance(error, exception.GlanceStoreRefused))


def _is_lost(request, error):
    """Return whether a failed request may have taken effect."""
    if request.method in _READS or request.is_cut_by(error) or (
            isinstance(error, (exception.GlanceEndpointUnknown,
                               exception.GlanceNotTrusted))):
        return False  # nothing was sent, or not all of it
    return isinstance(error, exception.GlanceConnectionFailed)


@contextlib.contextmanager
def _in_doubt(request):
    """Make errors say what a request may have left.

    :param request: one whose answer was lost; None if none was
    """
    try:
        yield
    except exception.NovaImageException as error:
        if error.left or request is None or not request.doubt:
            raise
        six.raise_from(error.but(left=request.doubt, in_doubt=True), error)


def _json_object(answer):
    return answer.json()
