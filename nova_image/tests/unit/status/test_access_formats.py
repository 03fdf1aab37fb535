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

"""Unit tests of nova_image.status.access_formats.

The lines of Glance, gunicorn and uwsgi were written by Glance 15.0.2,
gunicorn 23 and uWSGI 2. Those of the others are in their documentation, with
other addresses and paths.
"""

from oslo_utils import timeutils
import six

from nova_image.tests.unit.status import case

if six.PY3:
    from nova_image.status import access_formats

#: of Glance 15, Queens, and Yoga, whose context has another ID in front
GLANCE = (
    '2026-11-26 10:42:11.609 2862 INFO eventlet.wsgi.server '
    '[req-01fb86fe-7bf1-44ce-910a-c44a7f8fc3e2 a-user the-admins - - -] '
    '127.0.0.1 - - [26/Nov/2026 10:42:11] '
    '"GET /v1/images/detail?property-os_type=x%20y HTTP/1.1" 200 212 0.019196')
QUEENS = (
    '2018-03-23 08:47:15.696 4173 INFO eventlet.wsgi.server '
    '[req-21ff30d1-d9d0-434e-a6cd-b7bc38afc021 '
    '7e3e8611991f4d76849357f9c5954f1f ecd3c6a4b5ee4f3d82df93ff9ec48acf - '
    '185647530e46491b86b391c5c5275828 185647530e46491b86b391c5c5275828] '
    '10.101.0.83 - - [23/Mar/2018 08:47:15] '
    '"GET /v2/images?limit=1000&sort_key=created_at HTTP/1.1" 200 887 0.0285')
YOGA = (
    'Jun 01 10:00:00 ctl1 glance-api[7]: 2022-06-01 10:00:00.123 7 INFO '
    'eventlet.wsgi.server [None req-21ff30d1-d9d0-434e-a6cd-b7bc38afc021 '
    '7e3e8611991f4d76849357f9c5954f1f ecd3c6a4b5ee4f3d82df93ff9ec48acf - - '
    'default default] 10.0.0.5 - - [01/Jun/2022 10:00:00] '
    '"HEAD /v1/images/an-id HTTP/1.1" 300 0 0.001')
NO_CONTEXT = (
    '2018-03-23 08:59:33.376 4169 INFO eventlet.wsgi.server [-] 10.101.0.83 '
    '- - [23/Mar/2018 08:59:33] "GET /versions HTTP/1.1" 200 1101 0.001388')
FORWARDED = GLANCE.replace('127.0.0.1', '10.1.2.3,127.0.0.1')
OSLO_SERVICE = (
    '2026-11-26 10:42:11.609 2862 INFO nova.osapi_compute.wsgi.server '
    '[req-01fb86fe-7bf1-44ce-910a-c44a7f8fc3e2 a-user a-project - - -] '
    '10.0.0.7 "GET /v1/images HTTP/1.1" status: 200  len: 212 time: 0.019196')
GUNICORN = (
    '127.0.0.1 - - [26/Nov/2026:11:08:13 +0000] '
    '"GET /v1/images/an-id HTTP/1.1" 200 3 "-" "a \\"quoted\\" agent"')
COMBINED = (
    '10.0.0.9 - nova [26/Nov/2026:12:08:13 +0130] "PUT '
    '/image/v1/images/an-id HTTP/1.1" 201 - "-" "python-glanceclient"')
COMMON = '::1 - - [26/Nov/2026:11:08:13 +0000] "GET /v1/images HTTP/1.0" 200 3'
VHOST = 'glance.example.org:443 ' + COMBINED
NGINX = COMBINED + ' "10.1.2.3, 10.0.0.9"'
KOLLA = COMBINED.replace(' 201 - ', ' 201 512 30211 ')
UWSGI = (
    '[pid: 14902|app: 0|req: 1/1] 127.0.0.1 () {24 vars in 301 bytes} '
    '[Thu Nov 26 11:08:17 2026] GET /v1/images/detail?limit=5 => generated 3 '
    'bytes in 0 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on '
    'core 0)')
DEVSTACK = UWSGI.replace('app: 0|req: 1/1', 'app: |req: /').replace(
    '()', '(nova)')
HAPROXY = (
    'Feb  6 12:14:14 lb1 haproxy[14389]: 10.0.1.2:33317 '
    '[06/Feb/2009:12:14:14.655] glance_in glance/ctl1 10/0/30/69/109 200 2750 '
    '- - ---- 1/1/1/1/0 0/0 "GET /v1/images/detail HTTP/1.1"')
CAPTURED = HAPROXY.replace(
    ' "GET', ' {glance.example.org|python-glanceclient} {} "GET').replace(
        '10.0.1.2:', '2001:db8::2:')
NO_ANSWER = HAPROXY.replace(' 200 2750 ', ' -1 +0 ').replace(
    '10/0/30/69/109', '-1/-1/-1/-1/+8490')


class TestParse(case.TestCase):
    """Lines of all servers."""

    def check(self, line, *expected, **more):
        """Check method, path, status, time, address and more of a line."""
        method, path, status, moment, address = expected
        self.assertEqual(access_formats.Request(
            method, path, status, timeutils.parse_isotime(moment), address,
            more.get('agent'), more.get('user'), more.get('project')),
            access_formats.parse(line))

    def test_glance(self):
        self.check(GLANCE, 'GET', '/v1/images/detail', 200,
                   '2026-11-26T10:42:11Z', '127.0.0.1', user='a-user',
                   project='the-admins')
        self.check(QUEENS, 'GET', '/v2/images', 200, '2018-03-23T08:47:15Z',
                   '10.101.0.83', user='7e3e8611991f4d76849357f9c5954f1f',
                   project='ecd3c6a4b5ee4f3d82df93ff9ec48acf')
        self.check(YOGA, 'HEAD', '/v1/images/an-id', 300,
                   '2022-06-01T10:00:00Z', '10.0.0.5',
                   user='7e3e8611991f4d76849357f9c5954f1f',
                   project='ecd3c6a4b5ee4f3d82df93ff9ec48acf')
        self.check(NO_CONTEXT, 'GET', '/versions', 200,
                   '2018-03-23T08:59:33Z', '10.101.0.83')

    def test_first_of_several_addresses(self):
        self.check(FORWARDED, 'GET', '/v1/images/detail', 200,
                   '2026-11-26T10:42:11Z', '10.1.2.3', user='a-user',
                   project='the-admins')

    def test_no_user_and_no_project(self):
        line = GLANCE.replace(' a-user the-admins ', ' - - ')
        self.check(line, 'GET', '/v1/images/detail', 200,
                   '2026-11-26T10:42:11Z', '127.0.0.1')

    def test_oslo_service(self):
        self.check(OSLO_SERVICE, 'GET', '/v1/images', 200,
                   '2026-11-26T10:42:11Z', '10.0.0.7', user='a-user',
                   project='a-project')

    def test_gunicorn(self):
        self.check(GUNICORN, 'GET', '/v1/images/an-id', 200,
                   '2026-11-26T11:08:13Z', '127.0.0.1',
                   agent='a "quoted" agent')

    def test_apache_and_nginx(self):
        for line in (COMBINED, VHOST, KOLLA):
            self.check(line, 'PUT', '/image/v1/images/an-id', 201,
                       '2026-11-26T10:38:13Z', '10.0.0.9',
                       agent='python-glanceclient')
        self.check(NGINX, 'PUT', '/image/v1/images/an-id', 201,
                   '2026-11-26T10:38:13Z', '10.1.2.3',
                   agent='python-glanceclient')
        self.check(COMMON, 'GET', '/v1/images', 200, '2026-11-26T11:08:13Z',
                   '::1')
        self.check(COMBINED.replace('- nova', '- a user'), 'PUT',
                   '/image/v1/images/an-id', 201, '2026-11-26T10:38:13Z',
                   '10.0.0.9', agent='python-glanceclient')
        self.check(COMMON.replace('+0000', '-0130'), 'GET', '/v1/images', 200,
                   '2026-11-26T12:38:13Z', '::1')

    def test_uwsgi(self):
        for line in (UWSGI, DEVSTACK, 'Nov 26 11:08:17 devstack '
                     'devstack@g-api.service[99]: ' + DEVSTACK):
            self.check(line, 'GET', '/v1/images/detail', 200,
                       '2026-11-26T11:08:17Z', '127.0.0.1')

    def test_haproxy(self):
        self.check(HAPROXY, 'GET', '/v1/images/detail', 200,
                   '2009-02-06T12:14:14Z', '10.0.1.2')
        self.check(CAPTURED, 'GET', '/v1/images/detail', 200,
                   '2009-02-06T12:14:14Z', '2001:db8::2',
                   agent='glance.example.org|python-glanceclient')
        self.check(NO_ANSWER, 'GET', '/v1/images/detail', None,
                   '2009-02-06T12:14:14Z', '10.0.1.2')

    def test_json(self):
        for name in ('log', 'MESSAGE'):
            line = '{"stream": "stdout", "%s": "%s\\\\n", "time": "x"}' % (
                name, COMBINED.replace('"', '\\"'))
            self.check(line, 'PUT', '/image/v1/images/an-id', 201,
                       '2026-11-26T10:38:13Z', '10.0.0.9',
                       agent='python-glanceclient')

    def test_whole_url(self):
        line = COMMON.replace(' /v1', ' http://glance:9292/v1')
        self.check(line, 'GET', '/v1/images', 200, '2026-11-26T11:08:13Z',
                   '::1')

    def test_impossible_times(self):
        for line in (COMMON.replace('26/Nov', '31/Nov'),
                     COMMON.replace('Nov', 'Foo'),
                     COMMON.replace('11:08', '99:08'),
                     UWSGI.replace('Nov 26', 'Foo 26')):
            self.assertIsNone(access_formats.parse(line).moment)

    def test_other_lines(self):
        for line in ('', '{', '{}', '[]', '"', '{"log": 5}', 'GET /v1/images',
                     '"GET /v1/images HTTP/1.1"', '"GET /v1/images" 200',
                     '[x] "GET /v1/images HTTP/1.1" 200',
                     '- - [x] "GET /v1/images HTTP/1.1" abc',
                     COMMON.replace('200', 'two'), UWSGI[:80],
                     '[' * 70000, '{' * 70000):
            self.assertIsNone(access_formats.parse(line), line[:80])

    def test_names_are_cut(self):
        found = access_formats.parse(COMBINED.replace(
            'python-glanceclient', 'x' * 5000))
        self.assertEqual('x' * 200, found.agent)

    def test_linear_time(self):
        begins = ('"GET ', '"GET /v1/images HTTP/1.1" ', '[26/Nov/2026 ',
                  '[req-', '] 1 () {', ' => generated ', '"\\\\', ' a/b',
                  '10/', '{a} ', '- ', '[pid: ', '1', ' ', 'a', '\\', '"')
        ends = ('', ' HTTP/1.1" 200', '] "GET /v1/images HTTP/1.1" 200 1 "-')
        head = HAPROXY.partition('10/0/30')[0]
        for part in begins:
            for end in ends:
                for line in (part * (65000 // len(part)) + end,
                             head + part * (60000 // len(part)) + end):
                    began = timeutils.now()
                    access_formats.parse(line)
                    self.assertLess(timeutils.now() - began, 5, (part, end))
