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

"""Reasons of failed connections, as the libraries put them."""

import testtools

from nova_image.image import reasons

_URL = 'http://h:1/v2/images?***'
_WRAPPED = ('list at http://h:1: Error finding address for %s: Unable to '
            'establish connection to %s: ' % (_URL, _URL))
_POOL = ("HTTPConnectionPool(host='h', port=1): Max retries exceeded with "
         'url: /v2/images?*** (Caused by %s)')


class BriefTest(testtools.TestCase):
    """reasons.brief()"""

    def _check(self, expected, text):
        self.assertEqual('list at http://h:1: %s. Advice' % expected,
                         reasons.brief(_WRAPPED + text + '. Advice'))

    def test_refused(self):
        for cause in (
                'NewConnectionError("HTTPConnection(host=\'h\', port=1): '
                'Failed to establish a new connection: [Errno 111] '
                'Connection refused")',
                "NewConnectionError('<urllib3.connection.HTTPConnection "
                'object at 0x7f11>: Failed to establish a new connection: '
                "[Errno 111] Connection refused',)"):
            self._check('Failed to establish a new connection: [Errno 111] '
                        'Connection refused', _POOL % cause)

    def test_untrusted(self):
        self._check(
            '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: '
            'self-signed certificate (_ssl.c:1006)',
            _POOL % "SSLError(SSLCertVerificationError(1, '[SSL: "
            'CERTIFICATE_VERIFY_FAILED] certificate verify failed: '
            "self-signed certificate (_ssl.c:1006)'))")

    def test_aborted(self):
        for cause in ("ConnectionResetError(104, 'Connection reset by peer')",
                      "error(104, 'Connection reset by peer')"):
            self._check('Connection reset by peer',
                        "('Connection aborted.', %s)" % cause)
        self._check('Remote end closed connection without response',
                    "('Connection aborted.', RemoteDisconnected('Remote end "
                    "closed connection without response'))")

    def test_timeout(self):
        self.assertEqual('x at http://h:1: the request timed out', (
            reasons.brief('x at http://h:1: Error communicating with %s '
                          'Request to %s timed out' % (_URL, _URL))))

    def test_url_that_is_named_nowhere_else(self):
        self.assertEqual(
            'Connection to Keystone failed: http://k/v3: reset', (
                reasons.brief('Connection to Keystone failed: Unable to '
                              'establish connection to http://k/v3: reset')))

    def test_other_text(self):
        for text in ('', 'Image not found (image x)', '(Caused by x',
                     u'sno\u2603: (a (b))', '(Caused by ' + '(' * 1000):
            self.assertEqual(text, reasons.brief(text))

    def test_a_server_that_is_shown_in_front_of_the_text(self):
        text = 'Error communicating with http://h:1/v2/images no'
        for server, found in (('http://h:1', 'no'), (
                'http://i:1', 'http://h:1/v2/images: no'), (
                None, 'http://h:1/v2/images: no')):
            self.assertEqual(found, reasons.brief(text, server))
