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

"""The plugin for dom0: answers, parameters and errors.

The functional tests run it as a process.
"""

import pickle
import re

import mock
import testtools

from nova_image.tests.unit.virt.dom0 import plugin


class TestAnswers(testtools.TestCase):
    """What Glance answers."""

    def connection(self, url='http://glance:9292/v2?a=b'):
        """Return a connection that is not open."""
        return plugin._Connection(url, False)

    def judge(self, status):
        """Return the error for a status."""
        connection = self.connection()
        connection._method = 'GET'
        try:
            connection.judge(mock.Mock(status=status, reason='why'), (200,))
        except Exception as error:
            return error

    def test_statuses(self):
        self.assertIsNone(self.judge(200))
        for status in (408, 429, 500, 502, 503, 504, 507, 599):
            self.assertIsInstance(self.judge(status), plugin.RetryableError)
        for status in (204, 206, 300, 301, 400, 401, 402, 403, 405, 409, 410,
                       413, 415, 416, 426, 501, 505, 510):
            self.assertIsInstance(self.judge(status), plugin.PluginError)
        self.assertIsInstance(self.judge(404), plugin.ImageNotFound)
        self.assertEqual('ImageNotFound', self.judge(404).details[0])

    def test_texts_have_no_credentials_and_no_query(self):
        connection = self.connection('http://user:pw@glance:9292/v2?token=x')
        self.assertEqual('http://glance:9292/v2', connection.where)
        self.assertEqual('/v2?token=x', connection._target)

    def test_urls(self):
        for url in ('ftp://glance', 'http://', '/v2', 'http://a/b c', '',
                    'http://a/\r\nX: y', 'http://a:port/', 'file:///etc'):
            self.assertRaises(plugin.PluginError, self.connection, url)

    def test_https_without_verification(self):
        with mock.patch.object(plugin, 'ssl', None):
            error = self.assertRaises(plugin.PluginError, self.connection,
                                      'https://glance')
            self.assertIn('cannot verify', str(error))
            plugin._Connection('https://glance', True)

    def test_recorded(self):
        answer = mock.Mock()
        answer.getheader = {
            'ETag': '"%s"' % ('A' * 32), 'Content-Length': '7',
            'Content-MD5': 'b' * 32}.get
        self.assertEqual(
            ([('Glance', 'c' * 32), ('ETag', 'a' * 32),
              ('Content-MD5', 'b' * 32)],
             [('Glance', 8), ('Content-Length', 7)]),
            plugin._recorded(answer, {'md5': 'C' * 32, 'size': 8}))

    def test_other_etags(self):
        answer = mock.Mock()
        answer.getheader = {'ETag': 'W/"5-1"', 'Content-MD5': '',
                            'Content-Length': 'x'}.get
        self.assertEqual(([], []), plugin._recorded(
            answer, {'md5': None, 'size': None}))

    BODIES = (
        ('{"status": "queued"}', 'queued'),
        ('{"a": {"status": "active"}, "status": "queued"}', 'queued'),
        ('{"status":"queued","z":"\\"status\\": \\"active\\""}', 'queued'),
        ('{"a": "status", "b": ["status", "x"], "status": "queued"}',
         'queued'),
        ('{"tags": ["\\", \\"status\\": \\"active"], "status": "queued"}',
         'queued'),
        ('{"status": "active", "status": "queued"}', 'queued'),
        ('{"a": [{"status": "active"}]}', None),
        ('{"status": null}', None),
        ('{"status": 1}', None),
        ('{"status": {"status": "active"}}', None),
        ('{"status": ["active"]}', None),
        ('{"status": "active", "status": ["queued"]}', None),
        ('{"x_status": "active", "status ": "active"}', None),
        ('{}', None))

    def test_field(self):
        for body, expected in self.BODIES:
            self.assertEqual(expected, plugin.read_field(
                body.encode(), 'status'), body)

    def test_field_without_json(self):
        with mock.patch.object(plugin, 'json', None):
            for body, expected in self.BODIES:
                self.assertEqual(expected, plugin.read_field(
                    body.encode(), 'status'), body)

    def test_no_object(self):
        for module in (plugin.json, None):
            with mock.patch.object(plugin, 'json', module):
                for body in (b'', b'<html>', b'["status"]', b'{"status": "a"',
                             b'"status"'):
                    self.assertRaises(plugin.RetryableError,
                                      plugin.read_field, body, 'status')


class TestCalls(testtools.TestCase):
    """Parameters, results and errors."""

    def setUp(self):
        super(TestCalls, self).setUp()
        self.patch(plugin, '_secrets', [])
        self.patch(plugin, '_stagings', [])
        self.patch(plugin.syslog, 'syslog', mock.Mock())
        self.patch(plugin.signal, 'signal', mock.Mock())

    def call(self, function, **kwargs):
        """Call a function as XenAPIPlugin does, and return its result."""
        params = pickle.dumps({'args': [], 'kwargs': kwargs}, 0)
        answer = plugin._serialized(function)(
            None, {'params': params.decode('latin-1')})
        self.assertIsInstance(answer, str)
        return pickle.loads(answer.encode('latin-1'))

    def test_values(self):
        value = {'a': [1, None, True, 2.5, 'text', u'\xe4'], 'b': 2 ** 40}
        self.assertEqual(value['a'][:-1] + [value['b']], self.call(
            lambda session, a, b: a[:-1] + [b], **value))

    def test_classes_are_refused(self):
        seen = []
        for bad in (b"cos\nsystem\n(S'true'\ntR.", b"(S'x'\nios\nsystem\n."):
            self.assertRaises(
                plugin.PluginError, plugin._serialized(seen.append), None,
                {'params': bad.decode()})
        self.assertEqual([], seen)

    def test_classes_of_errors(self):
        for raised, expected in (
                (plugin.RetryableError('x'), plugin.RetryableError),
                (plugin.PluginError('x'), plugin.PluginError),
                (plugin.ImageNotFound(['x']), plugin.ImageNotFound),
                (plugin.Ended('signal 15'), plugin.RetryableError),
                (OSError(28, 'No space left'), plugin.PluginError),
                (KeyError('url'), plugin.PluginError)):
            error = self.assertRaises(
                expected, self.call, mock.Mock(side_effect=raised))
            self.assertIs(expected, type(error))

    def test_secrets_are_hidden(self):
        token = 'a-secret-token'
        plugin._headers({'X-Auth-Token': token, 'X-Roles': 'admin',
                         'X-Service-Token': u'another', 'None': None})
        error = self.assertRaises(plugin.PluginError, self.call, mock.Mock(
            side_effect=ValueError('admin: %s another' % token)))
        self.assertEqual('ValueError: admin: *** ***', str(error))
        self.assertEqual('PluginError: ValueError: admin: *** ***',
                         plugin.syslog.syslog.call_args[0][1])

    def test_texts_fit_into_xml(self):
        """Whatever Glance or the image has for a name."""
        for said in ('a\0b', u'a\x16b'.encode('latin-1'), 'a\x7fb',
                     u'a\xe4b'.encode('latin-1'), 'a\x1bb'):
            said = said if isinstance(said, str) else said.decode('latin-1')
            error = self.assertRaises(plugin.PluginError, self.call,
                                      mock.Mock(side_effect=KeyError(said)))
            self.assertIsNone(re.search('[^ -~]', str(error)))
        error = self.assertRaises(
            plugin.PluginError, self.call, mock.Mock(
                side_effect=plugin.PluginError('a\x16 b\n c' * 9999)))
        self.assertTrue(str(error).startswith('a? b ca? b c'))
        self.assertLess(len(str(error)), 3000)

    def test_headers(self):
        self.assertEqual(
            [('A', '1'), ('B', 'True'), ('C', 'x')],
            sorted(plugin._headers({u'A': 1, 'B': True, 'C': u'x',
                                    'D': None})))
        self.assertRaises(plugin.PluginError, plugin._headers,
                          {'A': 'x\r\nB: y'})

    def test_staging_is_removed_again(self):
        """A signal may have interrupted the first time."""
        staging = mock.Mock()
        plugin._stagings.append(staging)
        self.assertRaises(plugin.RetryableError, self.call, mock.Mock(
            side_effect=plugin.Ended('signal 15')))
        staging.remove.assert_called_once_with()

    def test_fips(self):
        with mock.patch.object(plugin.hashlib, 'md5', side_effect=[
                ValueError('disabled'), 'an MD5']):
            self.assertEqual('an MD5', plugin._new_md5())
