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

"""Unit tests of nova_image.status.access_logs."""

import bz2
import gzip
import io
import os

import fixtures
from oslo_utils import timeutils
import six

from nova_image.tests.unit.status import case
from nova_image.tests.unit.status import test_access_formats as lines

if six.PY3:
    import lzma
    from nova_image.status import access_logs

_TIME = timeutils.parse_isotime('2026-11-26T11:08:13Z')


def call(address='10.0.0.1', agent='nova', path='/v1/images', status=200,
         time='11:08:13'):
    """Return a line with a call."""
    return '%s - - [26/Nov/2026:%s +0000] "GET %s HTTP/1.1" %d 3 "-" "%s"' % (
        address, time, path, status, agent)


class TestClients(case.TestCase):
    """Files of access logs."""

    def setUp(self):
        """Make a folder."""
        super(TestClients, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path

    def write(self, content, name='access.log'):
        """Write a file, and return its path."""
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as stream:
            stream.write(content)
        return path

    def read(self, *found, **options):
        """Return the Usage of some lines."""
        text = u'\n'.join(found) + u'\n'
        return access_logs.clients([self.write(text.encode('utf-8'))],
                                   **options)

    def test_callers_of_v1(self):
        found = self.read(
            call(), call(time='11:09:13'), call(agent='cinder'),
            call(path='/v2/images'), call(address='10.0.0.2', status=300),
            lines.GLANCE, lines.QUEENS, lines.UWSGI, lines.HAPROXY, 'words')
        self.assertEqual((10, 9, 7, 0), (
            found.lines, found.requests, found.calls, found.unknown))
        first = found.clients[0]
        self.assertEqual(('10.0.0.1', 'nova', None, None, 2), (
            first.address, first.agent, first.user, first.project,
            first.calls))
        self.assertEqual((_TIME, _TIME.replace(minute=9)),
                         (first.first, first.last))
        self.assertEqual([('nova', 3), ('cinder', 1)], [
            (one.agent, one.calls) for one in found.by('agent')])
        self.assertEqual(['the-admins'], [
            one.project for one in found.by('project')])
        self.assertEqual({'200': 6, '300': 1}, found.statuses)
        self.assertEqual({'GET /v1/images': 4, 'GET /v1/images/detail': 3},
                         found.operations)
        self.assertEqual(2, dict(found)['nova, from 10.0.0.1'])

    def test_which_paths_are_v1(self):
        for path in ('/v1/images', '/v1/images/', '/v1/images/detail',
                     '/v1.1/images/x/members', '/image/v1/images/x',
                     '/v1/shared-images/x', '/v1.0/images'):
            self.assertTrue(access_logs.is_v1(path), path)
        for path in ('/v1', '/v1/', '/v2/images', '/v1/AUTH_x/images',
                     '/v1/imagesx', '/v11/images', '/xv1/images', '/images',
                     '/v2/v1x/images', '/v1/servers/images'):
            self.assertFalse(access_logs.is_v1(path), path)

    def test_v1_only_in_a_query(self):
        found = self.read(call(path='/v2/images?name=/v1/images/x'))
        self.assertEqual((1, 0), (found.requests, found.calls))

    def test_operations_have_no_ids(self):
        found = self.read(*[call(path=path) for path in (
            '/v1/images/A', '/v1/images/B', '/image/v1.1/images/A/members/p',
            '/v1/images/A/members', '/v1/shared-images/p', '/v1/images/')])
        self.assertEqual({
            'GET /v1/images/ID': 2, 'GET /v1/images/ID/members/ID': 1,
            'GET /v1/images/ID/members': 1, 'GET /v1/shared-images/ID': 1,
            'GET /v1/images': 1}, found.operations)

    def test_operations_are_short(self):
        found = self.read(call(path='/v1/images/A/' + 9000 * 'x'))
        self.assertEqual([200], [len(one) for one in found.operations])

    def test_since(self):
        found = self.read(call(), call(time='11:09:13'),
                          since=_TIME.replace(minute=9))
        self.assertEqual((2, 1), (found.requests, found.calls))
        self.assertEqual(_TIME.replace(minute=9), found.clients[0].first)

    def test_call_without_a_time(self):
        found = self.read(call().replace('Nov', 'Foo'), since=_TIME)
        self.assertEqual(1, found.calls)
        self.assertIsNone(found.clients[0].last)

    def test_unknown_formats(self):
        odd = 'a new format: HTTP/1.1 GET /v1/images token=0123456789abcdef'
        found = self.read(*([odd] * 5 + ['debug: GET /v1/images']))
        self.assertEqual((6, 0, 5), (
            found.lines, found.requests, found.unknown))
        self.assertEqual(3, len(found.examples))

    def test_compressed(self):
        plain = (call() + '\n').encode('utf-8')
        paths = [self.write(content, name) for name, content in (
            ('plain', plain), ('a.gz', gzip.compress(plain)),
            ('a.bz2', bz2.compress(plain)), ('a', lzma.compress(plain)))]
        self.assertEqual(4, access_logs.clients(paths).calls)

    def test_standard_input(self):
        stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(
            gzip.compress((call() + '\n').encode('utf-8')))))
        self.useFixture(fixtures.MonkeyPatch('sys.stdin', stream))
        self.assertEqual(1, access_logs.clients(['-']).calls)
        self.assertFalse(stream.closed)

    def test_files_that_cannot_be_read(self):
        good = self.write((call() + '\n').encode('utf-8'))
        damaged = self.write(gzip.compress(os.urandom(9999))[:5000], 'b.gz')
        broken = self.write(b'\x1f\x8b' + b'x' * 50, 'c.gz')
        gone = os.path.join(self.folder, 'gone')
        found = access_logs.clients([gone, damaged, broken, self.folder,
                                     good])
        self.assertEqual(1, found.calls)
        self.assertEqual({gone, damaged, broken, self.folder},
                         set(found.unreadable))
        self.assertEqual('No such file or directory', found.unreadable[gone])

    def test_no_files(self):
        self.assertEqual(0, access_logs.clients([]).lines)

    def test_empty_file(self):
        found = access_logs.clients([self.write(b'')])
        self.assertEqual((0, {}), (found.lines, found.unreadable))

    def test_bytes_that_are_no_text(self):
        path = self.write(b'\xff\xfe\x00\n' + call(agent='x').encode(
            'utf-8').replace(b'"x"', b'"\xff"') + b'\r\n')
        self.assertEqual(1, access_logs.clients([path]).calls)

    def test_files_that_are_no_text(self):
        path = self.write(b'\x28\xb5\x2f\xfd\x00\x01\n\x02')
        good = self.write(call().encode('utf-8'), 'good.log')
        found = access_logs.clients([path, good])
        self.assertEqual(1, found.calls)
        self.assertEqual([path], list(found.unreadable))
        self.assertIn('not text', found.unreadable[path])

    def test_very_long_line(self):
        found = self.read('x' * 300000, call(), call(agent='y' * 200000))
        self.assertEqual((3, 2), (found.lines, found.calls))

    def test_bounded_memory(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.status.access_logs.MAX_CLIENTS', 3))
        found = self.read(*[call(agent='agent %d' % number)
                            for number in range(10)])
        self.assertEqual(10, found.calls)
        self.assertEqual([('(others)', 7), ('agent 0', 1), ('agent 1', 1),
                          ('agent 2', 1)],
                         [(one.agent, one.calls) for one in found.clients])

    def test_progress(self):
        seen = []
        path = self.write(b'words\n' * 250000)
        access_logs.clients([path], progress=seen.append)
        self.assertEqual([100000, 200000], seen)
