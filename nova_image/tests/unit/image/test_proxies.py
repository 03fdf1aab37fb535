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

"""Tests of nova_image.image.proxies: errors that are not Glance's."""

import six

from nova_image import exception
from nova_image.image import messages
from nova_image.image import proxies
from nova_image.tests.unit import base
from nova_image.tests.unit import recordings

_HTML = {'Content-Type': 'text/html'}
_TEXT = {'Content-Type': 'text/plain'}
_JSON = {'Content-Type': 'application/json'}
_ENVOY = dict(_TEXT, Server='envoy')


class ProxiesTestCase(base.TestCase):
    """Base class: one answer to one request."""

    def fault(self, status, headers, content, image_id='ID', **options):
        """Return the exception for an answer to all attempts."""
        self.set(num_retries=0)
        self.glance.answers(recordings.Answer(status, headers, content))
        return self.assertRaises(
            exception.NovaImageException, self.client().call, self.context,
            messages.Request('GET', '/v2/images', 'show', image_id,
                             **options))


class TestGlance(ProxiesTestCase):
    """Answers of Glance are not said to be a proxy's."""

    def test_recorded_errors_are_those_of_glance(self):
        for name in recordings.files():
            load = recordings.load(name)
            for answer in recordings.names(name):
                found = load(answer)
                if found.status >= 400:
                    error = self.fault(found.status, found.headers,
                                       found.content)
                    self.assertNotIn('proxy', six.text_type(error))
                    self.assertNotEqual(exception.GlanceBadAnswer,
                                        type(error))

    def test_the_words_of_a_proxy_in_an_error_of_glance(self):
        error = self.fault(404, {'X-Openstack-Request-Id': 'req-1'},
                           b'no image 404 page not found')
        self.assertIs(exception.ImageNotFound, type(error))

    def test_keystonemiddleware_and_webob(self):
        for headers, content in (
                (dict(_HTML, **{'WWW-Authenticate': 'Keystone uri="x"'}),
                 b'<p>no'),
                (_TEXT, b'401 Unauthorized\n\nThis server\n\n'),
                (_JSON, b'{"message": "x", "code": "401 Unauthorized"}')):
            error = self.fault(401, headers, content)
            self.assertEqual('Not authorized for the image', error.message)


class TestProxies(ProxiesTestCase):
    """Answers of proxies: a class, and whether to try again."""

    def _assert(self, kind, retriable, status, headers, content, **options):
        error = self.fault(status, headers, content, **options)
        self.assertEqual((kind, retriable, status), (
            type(error), error.retriable, error.status), error)
        self.assertNotEqual(kind.advice, error.advice)
        return error

    def test_temporary(self):
        for status, headers, content in (
                (408, _HTML, b'<h1>408 Request Time-out</h1>'),
                (425, {}, b''), (460, {}, b''), (499, {}, b''),
                (429, _HTML, b'<p>slow down'),
                (500, _HTML, b'<center>nginx</center>'),
                (502, _TEXT, b'Bad Gateway'),
                (503, _HTML, b'<h1>Guru Meditation:</h1>'),
                (503, _TEXT, b'no available server\n'),
                (503, {'Server': 'awselb/2.0'}, b''),
                (503, _ENVOY, b'upstream connect error or disconnect/reset '
                 b'before headers. reset reason: connection failure'),
                (504, _ENVOY, b'upstream request timeout'),
                (504, {}, b''), (509, {}, b'')) + tuple(
                    (status, _TEXT, b'error code: %d' % status if not six.PY2
                     else b'error') for status in (520, 521, 522, 523, 524,
                                                   527, 529)):
            self._assert(exception.GlanceServerError, True, status, headers,
                         content)

    def test_limits(self):
        for status, headers, content in (
                (413, _ENVOY, b'Payload Too Large'),
                (413, _JSON, b'{"message": "Request size limit exceeded"}'),
                (414, _HTML, b'<h1>414</h1>'), (431, {}, b''), (463, {}, b''),
                (494, {}, b''), (411, _HTML, b'<p>length'),
                (405, _HTML, b'<p>not allowed'), (501, _HTML, b'<p>no')):
            self._assert(exception.ImageBadRequest, False, status, headers,
                         content)

    def test_denials(self):
        for status, headers, content in (
                (401, dict(_HTML, **{'WWW-Authenticate': 'Basic realm="x"'}),
                 b'<p>Authorization Required'),
                (403, _TEXT, b'RBAC: access denied'),
                (403, dict(_HTML, Server='awselb/2.0'), b'<h1>403'),
                (403, {'X-Squid-Error': 'ERR_ACCESS_DENIED 0'}, b''),
                (407, {}, b''), (495, {}, b''), (496, {}, b''),
                (451, _HTML, b'<p>Unavailable')):
            self._assert(exception.ImageNotAuthorized, False, status, headers,
                         content)

    def test_wrong_places(self):
        for status, headers, content in (
                (404, _HTML, b'<center>nginx</center>'),
                (404, _TEXT, b'404 page not found\n'),
                (404, _TEXT, b'default backend - 404'),
                (404, {'Server': 'envoy'}, b''),
                (421, {}, b''), (464, {}, b''), (497, {}, b''),
                (511, _HTML, b'<p>Log in'), (525, {}, b''), (526, {}, b''),
                (530, {}, b''), (561, {}, b'')):
            self._assert(exception.GlanceBadAnswer, False, status, headers,
                         content)

    def test_requests_that_must_be_sent_once(self):
        self._assert(exception.GlanceServerError, False, 503, _ENVOY,
                     b'upstream connect error or disconnect/reset before '
                     b'headers. reset reason: connection termination',
                     repeatable=False)
        self._assert(exception.GlanceServerError, True, 503, _ENVOY,
                     b'no healthy upstream', repeatable=False)

    def test_envoy_passes_answers_of_glance_on(self):
        error = self.fault(404, dict(
            _ENVOY, **{'X-Envoy-Upstream-Service-Time': '3'}), b'no image')
        self.assertIs(exception.ImageNotFound, type(error))

    def test_tunnels(self):
        for text, final in (('407 Proxy Authentication Required', True),
                            ('403 Forbidden', True), ('429 x', False),
                            ('503 Service Unavailable', False)):
            self.assertEqual(final, proxies.is_final(
                'Tunnel connection failed: ' + text))
