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

"""Tests of nova_image.redaction: no secret is left in a text."""

import json
import random
import string
import time

import six
from six.moves.urllib import parse
import testtools

from nova_image import redaction

SECRET = u'SIGSECRET0123456789'

#: texts with a secret at each @@
URLS = (
    'swift+https://user:@@@auth:5000/v3/c/o is unknown',
    's3+https://AKIAKEY:@@/x+y@s3.amazonaws.com/b/k',
    's3://AKIAKEY:12/@@//x@s3.amazonaws.com/b/k',
    's3://@@@bucket/object',
    'swift+https://a%3Au:@@@h/c/o',
    'vsphere://u:@@@h/f?dcPath=x',
    'http://u:p%40@@@h/',
    'http://u:pa@@@@host/path',
    'http://user:"@@@host/',
    'http://u:a?@@@h/',
    'http://u:a#@@@h/',
    '//user:@@@host/x',
    'user:@@@host/x',
    'http:\\/\\/user:@@@host',
    'http:\\\\/\\\\/user:@@@host',
    'http:&#47;&#47;u:@@@h',
    'https%3A%2F%2Fu%3A@@%40h%2Fa',
    'https%253A%252F%252Fu%253A@@%2540h%252Fa',
    'http://user:@@',
    'http://user:@@/the/end/is/cut',
    'http://u:@@@one/, "https://u:@@@two/"',
    '{"uri":"http://u:@@@h/","a":"http://b"}',
    'https://h/v1/AUTH_a/c/o?temp_url_sig=@@&temp_url_expires=1',
    'http://u:12/x?@@@h/',
    'https://h/a?b=c@@@',
    'https://h/a?@@',
    'https://h/a?@@==',
    'https://h/a#@@',
    'https://h/a#token=@@',
    'https%3A%2F%2Fh%2Fa%3Fx%3D@@',
    'https:\\/\\/h\\/a?x=@@',
    '/img.qcow2?X-Amz-Signature=@@',
    'Max retries exceeded with url: /img?x=@@ (Caused by',
    'X-Amz-Signature=@@',
    'AWSAccessKeyId=@@',
    'a&sig=@@',
    'temp_url_sig=@@',
)
FIELDS = (
    'X-Auth-Token: @@',
    'X-Auth-Token=@@',
    "{'X-Auth-Token': '@@'}",
    "{u'X-Auth-Token': u'@@'}",
    "{b'X-Auth-Token': b'@@'}",
    "{'X-Auth-Token': ['@@']}",
    '"X-Auth-Token", "@@"',
    "('X-Auth-Token', '@@')",
    "[(b'X-Auth-Token', b'@@')]",
    "['X-Auth-Token', ['@@']]",
    '"x-service-token":"@@"',
    'X-Subject-Token: @@,',
    'X-Storage-Token: @@',
    'OpenStack-Auth-Receipt: @@',
    'Authorization: @@',
    'Authorization: Bearer @@',
    'Authorization: Basic @@',
    '"Authorization": "Basic @@"',
    "('Authorization', 'Bearer @@')",
    'Authorization: Digest username="a", nonce="@@", response="@@"',
    'Authorization: AWS4-HMAC-SHA256 Credential=x/@@/s3, SignedHeaders=a;b, '
    'Signature=@@',
    'Proxy-Authorization: Basic @@',
    'Bearer @@',
    'Set-Cookie: a=b; sid=@@',
    '"password": "@@"',
    '"password": "a\\"@@"',
    '"password": "@@',
    '\\"password\\": \\"@@\\"',
    '&quot;password&quot;: &quot;@@&quot;',
    "{'auth': {'password': {'user': {'password': '@@'}}}}",
    'password=@@',
    'password: @@',
    '<password>@@</password>',
    '--os-password @@',
    'client_secret=@@&x=1',
    'access_key: @@',
    'X-Account-Meta-Temp-URL-Key=@@',
    '"adminPass": "@@"',
    'https://h/a;jsessionid=@@',
)
#: tokens and keys without a name in front
BARE = (u'gAAAAABm' + u'x-_Y' * 20, u'eyJhbGciOiJFUzI1NiJ9.eyJzdWIi.c2ln',
        u'AQ' + u'Ab+/' * 9 + u'==')

HARMLESS = (
    'POST https://keystone/v3/auth/tokens: Failed to establish a connection',
    'no image http://glance:9292/v2/images/ID was found',
    'at http://glance:9292: Connection refused',
    'http://[::1]:9292/v2', '(https://cloud/image)',
    '"http://one:9292/","http://two/"', 'rbd://fsid/pool/image/snap',
    'file:///var/lib/glance/ID', 'write to somebody@example.org',
    '3 of 5: a@b', 'what? a=b', 'a // b', 'sort_key=name',
    'Check the token, or the credentials in [glance]',
    'The signature of image ID is verified',
    'img_signature_hash_method=SHA-256',
    "HTTPConnectionPool(host='h', port=1): Max retries exceeded with url: "
    "/v2/images (Caused by NewConnectionError())",
)

#: a URL with a secret in each of its parts
URL = (u'https://us%40er:pa%2Bss%20w0rd/x@b.example.com/img.qcow2?sig=SIG+SEC/'
       u'RET0123456789==&Security-Token=%41TTTTTTTTTTTTT&x=a%20long%20value'
       u'#fragm\xe4nt-is-0ne')
PARTS = (u'pa+ss', u'pa%2Bss', u'w0rd/x', u'SEC/RET', u'0123456',
         u'TTTTTTTT', u'long', u'nt-is-0ne')


def _html(text):
    for character, name in ((u'&', u'amp'), (u'"', u'quot'), (u'/', u'#x2F')):
        text = text.replace(character, u'&%s;' % name)
    return text


def _quoted(text):
    return parse.quote(text.encode('utf-8'), safe='')


def _unquoted(text):
    if six.PY2:
        return parse.unquote(text.encode('utf-8')).decode('utf-8')
    return parse.unquote(text)


#: what servers and libraries do to a text before they repeat it
SPELLINGS = (
    lambda text: text, _quoted, lambda text: _quoted(_quoted(text)),
    _unquoted, lambda text: _unquoted(text).replace(u' ', u'+'), _html,
    lambda text: _html(_html(text)), json.dumps,
    lambda text: json.dumps(json.dumps(text)), repr,
    lambda text: json.dumps(text).replace('/', '\\/'),
    lambda text: repr(text.encode('utf-8')),
    lambda text: text[40:], lambda text: text[:75],
    lambda text: text.replace(u'?', u'/?').replace(u'https://', u''))


class TestRedact(testtools.TestCase):
    """What looks like a secret."""

    def _assert_redacted(self, texts):
        for text in texts:
            shown = redaction.redact(text.replace('@@', SECRET))
            for part in (SECRET, SECRET[:8], SECRET[-8:]):
                self.assertNotIn(part, shown, text)
            self.assertIn('***', shown)
            self.assertEqual(shown, redaction.redact(shown))

    def test_none_becomes_empty_text(self):
        self.assertEqual('', redaction.redact(None))

    def test_text_without_secrets_is_kept(self):
        for text in HARMLESS:
            self.assertEqual(text, redaction.redact(text))

    def test_urls(self):
        self._assert_redacted(URLS)

    def test_headers_and_fields(self):
        self._assert_redacted(FIELDS)

    def test_any_case(self):
        for text in FIELDS:
            name = text.partition('@@')[0]
            self._assert_redacted([text.replace(name, name.upper()),
                                   text.replace(name, name.lower())])

    def test_among_other_words(self):
        self._assert_redacted('see "%s", and try again' % text
                              for text in URLS if ' ' not in text)

    def test_tokens_without_a_name(self):
        for token in BARE:
            self.assertEqual('bad token ***.', redaction.redact(
                'bad token %s.' % token))

    def test_host_and_path_are_kept(self):
        self.assertEqual(
            'at https://***@host:1/a/b?***, or http://***@two/',
            redaction.redact('at https://u:p@host:1/a/b?c=d#e, or '
                             'http://u:p@two/'))
        self.assertEqual("see 'http://host/a?***'", redaction.redact(
            "see 'http://host/a?b=c'"))

    def test_bytes_and_objects(self):
        self.assertEqual(u'http://***@h\xfc', redaction.redact(
            u'http://a:b@h\xfc'.encode('utf-8')))
        self.assertEqual('http://***@h', redaction.redact(
            ValueError('http://a:b@h')))

    def test_time_is_proportional_to_the_length(self):
        known = redaction.Secrets(URL, 'http://a:%s@b' % ('T' * 1200))
        began, size = time.time(), 32 * 1024
        for unit in ('/', '\\', '//', '://', 'a:', '@', ':@', '?', '?a=',
                     '&#', '%25', '%2f', 'token', 'token: ', 'token="',
                     "'token', ", 'eyJ-', 'eyJaaaaaaaaaaa.', 'bearer a',
                     'authorization:a,', 'cookie:a; ', 'a', ' ', 'sig=',
                     '&quot;', 'T', '&amp;', '--', 'http://a:'):
            redaction.redact('a token: http://%s' % (
                unit * (size // len(unit))), known)
        # About 1 s; minutes if it were the square.
        self.assertLess(time.time() - began, 60)


class TestSecrets(testtools.TestCase):
    """The secrets of a request, in any spelling."""

    def _assert_masked(self, secrets, text):
        shown = redaction._read(secrets.masked(text))[0]
        for part in PARTS:
            self.assertNotIn(redaction._read(part)[0], shown)
        self.assertIn('***', shown)

    def test_in_any_spelling(self):
        known = redaction.Secrets({'method': {'name': 'x', 'uri': URL}})
        for spell in SPELLINGS:
            self._assert_masked(known, u'URI %s is refused' % spell(URL))

    def test_random_secrets_in_any_place_and_spelling(self):
        for seed in range(500):
            choose = random.Random(seed).choice
            secret = u''.join(choose(string.printable[:94])
                              for _ in range(choose(range(12, 30))))
            url = choose((u's3+https://key:%s@h:1/a', u'https://h/a?b=%s',
                          u'https://[::1]/a#%s')) % secret
            text = u'{"a":"%s"}' % choose(SPELLINGS)(url)
            shown = redaction.redact(text, redaction.Secrets({'uri': url}))
            self.assertEqual(shown, redaction.redact(shown))
            shown, known = (redaction._read(one)[0]
                            for one in (shown, secret))
            for at in range(len(known) - 7):
                self.assertNotIn(known[at:at + 8], shown, (seed, text))

    def test_in_any_object(self):
        for source in (URL, URL.encode('utf-8'), [URL], ({'a': [URL]},)):
            self._assert_masked(redaction.Secrets(source), URL)

    def test_only_secrets_are_masked(self):
        known = redaction.Secrets({
            'uri': 'http://u:pass@host/?format=qcow2&action=download&a=b',
            'name': 'an image'})
        text = 'the image does not pass: download of qcow2 at http://host/'
        self.assertEqual(text, known.masked(text))
        self.assertEqual('u:***@host', known.masked('u:pass@host'))

    def test_found_when_needed(self):
        known, tokens = redaction.Secrets(), []
        known.add(lambda: tokens)
        self.assertEqual('a t0ken-of-somebody', known.masked(
            'a t0ken-of-somebody'))
        tokens += ['t0ken-of-somebody', None, b'another-t0ken']
        self.assertEqual('a ***, ***...', known.masked(
            'a t0ken-of-somebody, another-t0...'))
