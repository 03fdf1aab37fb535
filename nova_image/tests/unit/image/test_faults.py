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

"""Tests of nova_image.image.faults: any failed request as one exception."""

import socket
import time
import traceback
import zlib

from glanceclient import exc as client_exc
from keystoneauth1 import exceptions as ksa_exc
import mock
import requests
import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import connections
from nova_image.image import faults
from nova_image.image import identity
from nova_image.image import messages
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')


class FaultsTestCase(base.TestCase):
    """Base class: a request that Glance answers with an error."""

    def fault(self, answer, image_id='ID', **kwargs):
        """Return the exception for an answer."""
        self.set(num_retries=0)
        self.glance.answers(answer)
        return self.assertRaises(
            exception.NovaImageException, self.client().call, self.context,
            messages.Request('GET', '/v2/images', 'show', image_id, **kwargs))


class TestKinds(FaultsTestCase):
    """The exception for each status."""

    def _assert_kinds(self, expected, image_id):
        kinds = {status: type(self.fault(recordings.Answer(status), image_id))
                 for status in expected}
        self.assertEqual(expected, kinds)

    def test_statuses_of_requests_about_an_image(self):
        self._assert_kinds({
            300: exception.GlanceVersionNotServed,
            400: exception.ImageBadRequest,
            401: exception.ImageNotAuthorized,
            403: exception.ImageNotAuthorized,
            404: exception.ImageNotFound, 405: exception.ImageBadRequest,
            409: exception.ImageConflict, 413: exception.ImageQuotaExceeded,
            415: exception.ImageBadRequest, 418: exception.ImageBadRequest,
            501: exception.ImageActionNotSupported}, 'ID')

    def test_statuses_of_other_requests(self):
        self._assert_kinds({
            400: exception.Invalid, 401: exception.Forbidden,
            403: exception.Forbidden, 404: exception.NotFound,
            409: exception.ImageConflict, 413: exception.ImageQuotaExceeded,
            415: exception.Invalid}, None)

    def test_temporary_statuses_are_server_errors(self):
        self._assert_kinds(dict.fromkeys(
            (429, 500, 502, 503, 504), exception.GlanceServerError), 'ID')

    def test_statuses_that_glance_never_sends_are_bad_answers(self):
        for status in (304, 505, 599):
            error = self.fault(recordings.Answer(status))
            self.assertIs(exception.GlanceBadAnswer, type(error))
            self.assertFalse(error.retriable)

    def test_a_request_can_choose_its_exceptions(self):
        error = self.fault(recordings.Answer(409), errors={
            409: exception.ImageDeleteConflict})
        self.assertIs(exception.ImageDeleteConflict, type(error))


class TestTooLarge(FaultsTestCase):
    """Who refuses the size of a request."""

    #: nginx 1.22, Apache 2.4 and HAProxy 2.6
    PAGES = (
        b'<html>\r\n<head><title>413 Request Entity Too Large</title></head>'
        b'\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1>'
        b'</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n'
        b'</html>\r\n',
        b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n'
        b'<title>413 Request Entity Too Large</title>\n</head><body>\n<h1>'
        b'Request Entity Too Large</h1>\nThe requested resource does not '
        b'allow request data with PUT requests, or the amount of data '
        b'provided in\nthe request exceeds the capacity limit.\n</body>',
        b'<html><body><h1>413 Payload Too Large</h1>\nThe request entity '
        b'exceeds the maximum allowed.\n</body></html>\n')

    def _page(self, content, **headers):
        return recordings.Answer(
            413, dict({'Content-Type': 'text/html'}, **headers), content)

    def test_the_limit_of_a_proxy_is_not_a_quota(self):
        for page in self.PAGES:
            error = self.fault(self._page(page))
            self.assertIs(exception.ImageBadRequest, type(error))
            self.assertEqual(413, error.status)
            self.assertIn('proxy', six.text_type(error))
            self.assertNotIn('higher limits', six.text_type(error))

    def test_the_limit_of_glance_is_a_quota(self):
        for answer in (GLANCE15('create_413'), GLANCE33('create_413'),
                       recordings.Answer(413, content=b'quota'),
                       self._page(b'<p>quota', **{
                           'x-openstack-request-id': 'req-1'})):
            self.assertIs(exception.ImageQuotaExceeded,
                          type(self.fault(answer)))


class TestPages(FaultsTestCase):
    """The text of HTML pages, in linear time."""

    def _text(self, page):
        return ' '.join(faults._without_tags(page).split())

    def test_text_is_found_in_broken_pages(self):
        for page, expected in (
                (u'<H1>Gone</h1>Sorry', 'Sorry'), (u'<h1>Gone', 'Gone'),
                (u'<style>p{}</STYLE >Sorry', 'p{} Sorry'),
                (u'Sorry <b', 'Sorry <b'), (u'a < b', 'a < b'),
                (u'<head><script>x</script></head>Sorry', 'Sorry'),
                (u'<header>Sorry</header>', 'Sorry'),
                (u'\u0130\u0130<h1>x</h1>Sorry', u'\u0130\u0130 Sorry'),
                (u'&lt;&#65;&amp;', '<A&'), (u'', '')):
            self.assertEqual(expected, self._text(page))

    def test_an_entity_without_a_character_is_no_error(self):
        for digits in ('9' * 5000, '9' * 11, 'x110000', 'xffffffffff'):
            self._text(u'&#%s;' % digits)

    def test_hostile_pages_take_linear_time(self):
        """64 KiB took up to 40 s, as in a regular expression."""
        pieces = [u'<', u'>', u'<h1', u'<h1>', u'</h1', u'<h1></h1>',
                  u'<head><script>', u'<style>', u'&', u'&#', u'&#9',
                  u'<h1></head>', u'</', u'<!--', u'<![CDATA[', u'<?', u'<a ']
        began = time.time()
        for piece in pieces:
            self._text(piece * (faults.MAX_ERROR_BODY // len(piece)))
        self.assertLess(time.time() - began, 10)


class TestEncoding(FaultsTestCase):
    """The body of an error that is compressed."""

    def test_it_is_not_unpacked(self):
        packed = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = packed.compress(b'x' * 10 ** 6) + packed.flush()
        for encoding in ('gzip', 'x-gzip', 'GZIP', 'br', 'identity, gzip'):
            error = self.fault(recordings.Answer(
                404, {'Content-Encoding': encoding}, body))
            self.assertIs(exception.ImageNotFound, type(error))
            self.assertEqual('Not Found', error.reason)


class TestReason(FaultsTestCase):
    """The reason is Glance's own text, whatever its format."""

    def _assert_reason(self, expected, answer):
        self.assertEqual(expected, self.fault(answer).reason)

    def test_the_reason_is_extracted_from_html_pages(self):
        for name, expected in (
                ('show_404', 'No image found with ID ' + recordings.ABSENT),
                ('upload_409', 'Image status transition from active to '
                               'saving is not allowed'),
                ('create_403', "Attribute 'status' is read-only"),
                ('location_400', 'Invalid location'),
                ('list_400', 'limit param must be positive')):
            for glance in (GLANCE15, GLANCE33):
                self._assert_reason(expected, glance(name))

    def test_the_schema_is_left_out(self):
        said = ("Provided object does not match schema 'image': 'x' is not "
                "one of ['raw'] Failed validating 'enum' in schema"
                "['properties']['disk_format']: {'enum': ['raw'], 'items': "
                "[]} On instance[u'disk_format']: u'x]'")
        self._assert_reason(
            "Provided object does not match schema 'image': 'x' is not one "
            "of ['raw'] (disk_format)",
            recordings.Answer(400, {'Content-Type': 'text/plain'},
                              said.encode('utf-8')))
        for other in ('a Failed validating b', 'On instance[a]: b'):
            self._assert_reason(other, recordings.Answer(
                400, {'Content-Type': 'text/plain'}, other.encode('utf-8')))

    def test_text_and_json_become_one_line(self):
        for kind, text in (('text/plain', 'go  away\n.'),
                           ('application/json', '{"message": "go away"}')):
            error = self.fault(recordings.Answer(
                400, {'Content-Type': kind}, text.encode('utf-8')))
            self.assertIn('go', error.reason)
            self.assertNotIn('\n', error.reason)

    def test_an_empty_body_leaves_the_phrase_of_the_status(self):
        self._assert_reason('Not Found', recordings.Answer(404))

    def test_utf_8_is_decoded_and_other_bytes_are_replaced(self):
        self._assert_reason(recordings.NAME, recordings.Answer(
            400, {}, recordings.NAME.encode('utf-8')))
        self._assert_reason(u'\ufffd', recordings.Answer(400, {}, b'\xff'))

    def test_long_pages_are_cut(self):
        page = b'<html>' + b'x' * (2 * faults.MAX_ERROR_BODY)
        error = self.fault(recordings.Answer(
            400, {'Content-Type': 'text/html'}, page))
        self.assertLessEqual(len(error.reason), faults.MAX_ERROR_BODY)

    def test_scripts_and_styles_are_left_out(self):
        self._assert_reason('Sorry', recordings.Answer(
            400, {'Content-Type': 'text/html'},
            b'<style>p {}</style><script>x()</script><p>Sorry</p>'))

    def test_an_interrupted_body_leaves_the_phrase_of_the_status(self):
        error = self.fault(recordings.Answer(400, content=base.BrokenBody(
            b'', socket.error('reset'))), stream=True)
        self.assertEqual('Bad Request', error.reason)

    def test_secrets_are_redacted(self):
        error = self.fault(recordings.Answer(
            400, content=b'swift+http://user:pa55@auth is unknown, nor '
                         b'X-Auth-Token: t0ken'))
        self.assertNotIn('pa55', six.text_type(error))
        self.assertNotIn('t0ken', six.text_type(error))

    def test_the_error_has_status_image_action_and_endpoint(self):
        error = self.fault(GLANCE33('show_404'))
        self.assertEqual(
            (404, 'ID', 'show', base.ENDPOINT),
            (error.status, error.image_id, error.action, error.endpoint))

    def test_300_means_that_the_version_is_not_served(self):
        error = self.fault(GLANCE15('disabled_300'))
        self.assertIs(exception.GlanceVersionNotServed, type(error))
        self.assertEqual('Multiple Choices', error.reason)
        self.assertIn('use_glance_v1', six.text_type(error))

    def test_retry_after_is_kept(self):
        error = self.fault(recordings.Answer(503, {'Retry-After': '7'}))
        self.assertEqual(7.0, error.retry_after)


class TestNoAnswer(FaultsTestCase):
    """Exceptions of libraries when no answer arrives."""

    def _translated(self, error):
        request = messages.Request('GET', '/v2/images', 'show', 'ID')
        return faults.from_error(error, request, 'http://glance')

    def test_connection_errors_are_retriable(self):
        for error in (client_exc.CommunicationError('no'),
                      client_exc.InvalidEndpoint('no'),
                      ksa_exc.ConnectFailure('no'),
                      ksa_exc.ConnectTimeout('no'),
                      ksa_exc.UnknownConnectionError('no', None),
                      ksa_exc.SSLError('no'),
                      requests.ConnectionError('no'),
                      requests.exceptions.ChunkedEncodingError('no'),
                      six.moves.http_client.IncompleteRead(b'')):
            ours = self._translated(error)
            self.assertIs(exception.GlanceConnectionFailed, type(ours), error)
            self.assertTrue(ours.retriable)

    def test_authentication_errors_are_forbidden(self):
        for error in (ksa_exc.AuthorizationFailure('no'),
                      ksa_exc.Unauthorized('no'), ksa_exc.Forbidden('no'),
                      ksa_exc.BadRequest('no'),
                      ksa_exc.MissingAuthPlugin('no')):
            ours = self._translated(error)
            self.assertIs(exception.Forbidden, type(ours), error)
            self.assertFalse(ours.retriable)

    def test_other_errors_of_keystone_are_failed_connections(self):
        for error, retriable in ((ksa_exc.ServiceUnavailable('no'), True),
                                 (ksa_exc.InternalServerError('no'), True),
                                 (ksa_exc.InvalidResponse(None), False),
                                 (ksa_exc.DiscoveryFailure('no'), False)):
            ours = self._translated(error)
            self.assertIs(exception.GlanceConnectionFailed, type(ours), error)
            self.assertIs(retriable, ours.retriable)
            self.assertIn('Keystone could not', six.text_type(ours))

    def test_an_empty_catalog_is_an_unknown_endpoint(self):
        ours = self._translated(ksa_exc.EmptyCatalog('no'))
        self.assertIs(exception.GlanceEndpointUnknown, type(ours))
        self.assertFalse(ours.retriable)

    def test_a_header_that_cannot_be_sent_is_no_lost_connection(self):
        refused = requests.exceptions.InvalidHeader('no')
        for error in (refused, ksa_exc.UnknownConnectionError('no', refused)):
            self.assertIs(exception.Invalid, type(self._translated(error)))

    def test_a_head_that_cannot_be_read_is_a_bad_answer(self):
        ours = self._translated(connections.UnreadableHead('too long'))
        self.assertIs(exception.GlanceBadAnswer, type(ours))
        self.assertIn('too long', six.text_type(ours))
        error = requests.exceptions.InvalidHeader(ValueError('two lengths'))
        for one in error, ksa_exc.UnknownConnectionError('no', error):
            self.assertIs(exception.GlanceBadAnswer,
                          type(self._translated(one)))

    def test_the_reason_of_a_bad_answer_is_one_short_line(self):
        response = mock.Mock(status_code=200)
        ours = faults.bad_answer(
            response, messages.Request('GET', '/v2/images', 'show'), None,
            'it describes image a\n%s' % ('b' * 70000))
        self.assertEqual('it describes image a bbb', ours.reason[:24])
        self.assertEqual(faults.MAX_REASON, len(ours.reason))

    def test_unrelated_errors_are_not_translated(self):
        for error in (ValueError(), IOError(), KeyError('a'), TypeError()):
            self.assertIsNone(self._translated(error))

    def test_passwords_are_redacted(self):
        ours = self._translated(
            requests.ConnectionError('http://u:pa55@glance'))
        self.assertNotIn('pa55', six.text_type(ours))


class TestSecrets(FaultsTestCase):
    """A server repeats what a request has sent to it."""

    SECRET = 'SIGSECRET0123456789'
    URLS = (
        'https://bucket.s3.amazonaws.com/img?X-Amz-Signature=' + SECRET,
        'https://bucket.s3.amazonaws.com/img?X-Amz-Signature=%s&'
        'X-Amz-Security-Token=%s' % (SECRET, 'T' * 1200),
        'https://h/img?a=' + SECRET + '&x=a%20b', 'https://h/a#' + SECRET,
        'https://user:ab/%s@h/a' % SECRET, 'swift://a:' + SECRET + '@h/c/o')
    ECHOES = (
        lambda url: url, lambda url: parse.quote(url, safe=''),
        lambda url: 'x' * 900 + url, lambda url: url.replace('?', '/?'),
        lambda url: url.partition('h')[2].partition('/')[2],
        lambda url: url.replace('%20', '+'),
        lambda url: url.rpartition('=')[2],
        lambda url: url.rpartition(':')[2][:30])

    def _assert_hidden(self, secret, error):
        text = '%s %r %r %s' % (
            six.text_type(error), error, vars(error), self.log.output)
        if six.PY3:
            text += ''.join(traceback.format_exception(
                type(error), error, error.__traceback__))
        for part in (secret, secret[:8], secret[-8:]):
            self.assertNotIn(part, text)

    def _echoed(self, echo, status, **sent):
        answer = recordings.Answer(
            status, {'Content-Type': 'text/plain'}, echo.encode('utf-8'))
        self.set(num_retries=1)
        self.glance.answers(*[answer] * (2 if status == 503 else 1))
        return self.assertRaises(
            exception.NovaImageException, self.client().call, self.context,
            messages.Request('POST', '/v2/images/ID/import', 'import', 'ID',
                             **sent))

    def test_urls_in_json(self):
        for url in self.URLS:
            for echo in self.ECHOES:
                for status in (400, 503):
                    self._assert_hidden(self.SECRET, self._echoed(
                        'URI %s is refused' % echo(url), status,
                        json=[{'value': {'url': url}}]))
        self.assertEqual(len(self.URLS) * len(self.ECHOES),
                         len(self.warnings()))

    def test_urls_in_headers(self):
        for url in self.URLS:
            self._assert_hidden(self.SECRET, self._echoed(
                parse.quote(url, safe=''), 400,
                raw_headers={'x-image-meta-location': url}))

    def test_the_token(self):
        for echo in ('%s', 'bad %s!', '["%s"]', '%.12s...'):
            self._assert_hidden('a-secret-token', self._echoed(
                echo % self.context.auth_token, 400))

    def test_a_renewed_and_a_service_token(self):
        plugins = [identity.ContextToken(token)
                   for token in ('t0ken-in-use', 'another', 'another')]
        plugins[1].auth_ref = mock.Mock(auth_token='t0ken-in-use')
        plugins[2].service_auth = plugins[1]
        for auth in plugins:
            with mock.patch.object(identity.Identity, 'auth',
                                   return_value=auth):
                self._assert_hidden('t0ken-in-use', self._echoed(
                    'unknown: t0ken-in-use', 400))

    def test_lost_answers_and_their_causes(self):
        request = messages.Request('POST', '/v2/images', 'create',
                                   json=self.URLS[0])
        deepest = ValueError('in %s' % self.SECRET)
        cause = requests.ConnectionError('failed')
        cause.__cause__ = deepest
        for error in (requests.ConnectionError(self.URLS[0]), cause):
            self._assert_hidden(self.SECRET, self.assertRaises(
                exception.GlanceConnectionFailed, faults.raise_ours, error,
                request, None))

    def test_redirects(self):
        self._assert_hidden('s3cret', self.fault(recordings.Answer(
            302, {'Location': 'https://login/?ticket=s3cret'})))
