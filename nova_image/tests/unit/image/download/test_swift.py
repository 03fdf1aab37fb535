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

"""Tests of nova_image.image.download.swift.

The answers are those of Swift 2.38.3; see functional.test_swift.
"""

import os

import six

from nova_image import exception
from nova_image.image.download import swift
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.download import case
from nova_image.tests.unit.image import glance_v2_case
from nova_image.tests.unit import recordings

DATA = recordings.DATA
ACTIVE = glance_v2_case.ACTIVE
PATH = '/v1/AUTH_a/glance_1/1'
URL = 'swift+https://swift:8080' + PATH
OK = recordings.Answer(200, content=DATA)


class SwiftTest(case.DownloadTest):
    """Base class: one endpoint is allowed."""

    def setUp(self):
        super(SwiftTest, self).setUp()
        self.set(direct_swift_endpoints=['https://swift:8080/v1'],
                 num_retries=1)
        self.handler = swift.SwiftHandler(self.conf).for_caller(
            self.client(), self.context, recorded.Recorded(len(DATA)))


class TestUrls(SwiftTest):
    """To which servers a token is sent."""

    def test_an_object_is_read_with_the_callers_token(self):
        self.glance.answers(OK)
        self.assertEqual(DATA, self.copied(self.handler, URL))
        call, = self.glance.calls
        self.assertEqual(('GET', 'https://swift:8080' + PATH),
                         (call.method, call.url))
        self.assertEqual('a-secret-token', call.headers['x-auth-token'])

    def test_endpoints_may_end_in_a_slash_or_have_no_path(self):
        for endpoint in ('https://swift:8080', 'https://SWIFT:8080/v1/'):
            self.set(direct_swift_endpoints=['http://other', endpoint])
            self.glance.answers(OK)
            self.assertEqual(DATA, self.copied(self.handler, URL))

    def test_a_default_port_may_be_missing(self):
        for endpoint, url in (
                ('https://swift:443/v1', 'https://swift'),
                ('https://swift', 'https://swift:443'),
                ('http://[2001:db8::1]', 'http://[2001:DB8::1]:80')):
            self.set(direct_swift_endpoints=[endpoint])
            self.glance.answers(OK)
            self.assertEqual(DATA, self.copied(
                self.handler, 'swift+' + url + PATH))
        for endpoint, url in (('https://swift:80', 'https://swift'),
                              ('http://swift', 'http://swift:443'),
                              ('http://[2001:db8::80]', 'http://[2001:db8:]'),
                              ('http://swift', 'http://swift:8080')):
            self.set(direct_swift_endpoints=[endpoint])
            self.assertRaises(exception.ImageDownloadUnavailable, self.copied,
                              self.handler, 'swift+' + url + PATH)
        self.assertEqual(3, len(self.glance.calls))

    def test_a_wrong_endpoint_does_not_hide_the_others(self):
        for wrong in ('swift:8080/v1', 'https://user:hush@swift:8080', '', '[',
                      'https://swift:8080/v1?x=1', 'https://['):
            self.set(direct_swift_endpoints=[wrong, 'https://swift:8080'])
            self.glance.answers(OK)
            self.assertEqual(DATA, self.copied(self.handler, URL), wrong)
            self.set(direct_swift_endpoints=[wrong])
            error = self.assertRaises(
                exception.ImageDownloadUnavailable, self.copied, self.handler,
                URL)
            self.assertIn('is not at an endpoint', six.text_type(error))

    def test_no_other_server_gets_the_token(self):
        for url in (
                'swift+http://swift:8080' + PATH,
                'swift+https://swift' + PATH,
                'swift+https://swift:8080.evil' + PATH,
                'swift+https://evil' + PATH,
                'swift+https://swift:8080/v1evil/c/o',
                'swift+https://swift:8080/v2/AUTH_a/c/o',
                'swift+https://swift:8080/v1/../v2/c/o',
                'swift+https://swift:8080/v1/%2e%2e/v2/c/o',
                'swift+https://swift:8080/v1/a\\..\\b/o',
                URL + '?temp_url_sig=1', URL + '#x', 'swift+https:///v1/a/c/o',
                'swift+https://[', 'rbd://a', ''):
            error = self.assertRaises(
                exception.ImageDownloadUnavailable, self.copied, self.handler,
                url)
            self.assertEqual([], self.glance.calls, url)
            self.assertTrue(error.reason)

    def test_credentials_are_refused_and_not_shown(self):
        for url in ('swift+https://user:hush@swift:8080/v1/a/c/o',
                    'swift+https://acc%3Auser:hush@swift:8080/v1/a/c/o',
                    'swift+https://hush@swift:8080/v1/a/c/o'):
            error = self.assertRaises(
                exception.ImageDownloadUnavailable, self.copied, self.handler,
                url)
            self.assertIn('it contains credentials', six.text_type(error))
            self.assertNotIn('hush', six.text_type(error))
        self.assertEqual([], self.glance.calls)

    def test_a_redirect_is_not_followed(self):
        self.glance.answers(recordings.Answer(
            302, headers={'Location': 'https://evil/'}))
        self.assertRaises(exception.GlanceBadAnswer, self.copied,
                          self.handler, URL)
        self.assertEqual(1, len(self.glance.calls))

    def test_without_an_endpoint_it_is_not_enabled(self):
        self.assertTrue(swift.SwiftHandler.enabled(self.conf))
        self.set(direct_swift_endpoints=[])
        self.assertFalse(swift.SwiftHandler.enabled(self.conf))

    def test_without_a_caller_nothing_is_read(self):
        self.assertRaises(exception.ImageDownloadUnavailable, self.copied,
                          swift.SwiftHandler(self.conf), URL)


class TestData(SwiftTest):
    """Interrupted and refused downloads."""

    def test_it_resumes_where_it_stopped(self):
        broken = OK.changed(content=DATA[:40])
        rest = recordings.Answer(206, content=DATA[40:], headers={
            'Content-Range': 'bytes 40-99/100'})
        self.glance.answers(broken, rest)
        self.assertEqual(DATA, self.copied(self.handler, URL))
        self.assertEqual([None, 'bytes=40-'], [
            call.headers.get('range') for call in self.glance.calls])

    def test_a_refusal_is_an_error(self):
        for status, kind in ((401, exception.ImageNotAuthorized),
                             (403, exception.ImageNotAuthorized),
                             (404, exception.ImageNotFound)):
            self.glance.answers(recordings.Answer(status))
            self.assertRaises(kind, self.copied, self.handler, URL)

    def test_more_than_was_recorded_is_refused(self):
        self.glance.answers(OK.changed(content=DATA + b'x'))
        self.assertRaises(exception.ImageCorrupt, self.copied, self.handler,
                          URL)

    def test_a_borrowed_token_is_not_sent(self):
        class Plugin(object):
            pass

        client = self.client()
        client._identity._service_auth = Plugin()
        self.context.auth_token = None
        handler = swift.SwiftHandler(self.conf).for_caller(
            client, self.context, recorded.Recorded(len(DATA)))
        self.assertRaises(exception.ImageNotAuthorized, self.copied, handler,
                          URL)
        self.assertEqual([], self.glance.calls)


class TestDriver(SwiftTest):
    """Downloads by the driver."""

    def setUp(self):
        super(TestDriver, self).setUp()
        self.shown = glance_v2_case.GLANCE33('show_active').but(
            locations=[{'url': URL, 'metadata': {}}], direct_url=URL)

    def _download(self, *answers):
        self.glance.answers(self.shown, *answers)
        self.driver().download(self.context, ACTIVE,
                               dst_path=self.path('image'))
        with open(self.path('image'), 'rb') as stream:
            return stream.read()

    def test_an_image_is_read_from_swift(self):
        self.assertEqual(DATA, self._download(OK))
        self.assert_calls([('GET', glance_v2_case.path(ACTIVE)),
                           ('GET', PATH)])
        self.assertIn('verified by sha512', self.log.output)

    def test_wrong_data_is_fetched_from_glance(self):
        self.assertEqual(DATA, self._download(
            OK.changed(content=b'y' * len(DATA)),
            glance_v2_case.GLANCE33('download_200')))
        self.assertIn('fetched from elsewhere', ''.join(self.warnings()))

    def test_credentials_are_not_logged(self):
        url = 'swift+https://user:hush@swift:8080/v1/a/c/o'
        self.shown = self.shown.but(
            locations=[{'url': url, 'metadata': {}}], direct_url=url)
        self.assertEqual(DATA, self._download(
            glance_v2_case.GLANCE33('download_200')))
        self.assertIn('it contains credentials', ''.join(self.warnings()))
        self.assertNotIn('hush', self.log.output)
        self.assertTrue(os.path.exists(self.path('image')))
