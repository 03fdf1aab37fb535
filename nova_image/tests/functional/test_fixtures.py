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

"""Tests of the service fixtures: they start, answer, refuse and stop."""

import collections.abc
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import fixtures as lib_fixtures
import requests
import testtools

from nova_image.tests import fixtures
from nova_image.tests.fixtures import legacy
from nova_image.tests.fixtures import processes

_DEADLINE = 10
_ROOT = pathlib.Path(__file__).resolve().parents[3]
# The program of a starter that the test kills: it prints what it has started,
# then waits.
_STARTER = """
import json, sys
from nova_image.tests import fixtures
with fixtures.%s as service:
    print(json.dumps([service.port, service.pids, str(service.folder)]))
    sys.stdout.flush()
    sys.stdin.read()
"""


def identity(*roles: str, project: str = 'a-project') -> dict[str, str]:
    """Return the headers that identify a caller.

    :param roles: the caller's roles
    :param project: the ID of the caller's project
    """
    return {'X-Identity-Status': 'Confirmed', 'X-User-Id': 'a-user',
            'X-Tenant-Id': project, 'X-Roles': ','.join(roles)}


MEMBER = identity('member', 'reader')
STRANGER = identity('member', 'reader', project='another-project')
ADMIN = identity('admin', project='admins')
IMAGE = {'name': 'an image', 'disk_format': 'raw', 'container_format': 'bare'}


def groups(pids: list[int]) -> set[int]:
    """Return the process groups of some processes."""
    return {os.getpgid(pid) for pid in pids}


def running(leaders: set[int]) -> list[int]:
    """Return the processes that run in some process groups."""
    return [pid for leader in leaders for pid in processes.group(leader)]


def wait_for(condition: collections.abc.Callable[[], bool],
             what: str) -> None:
    """Wait until a condition holds.

    :param condition: returns whether it holds
    :param what: what is wrong until then, for the error message
    :raises AssertionError: if it does not hold before the deadline
    """
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError('%s (waited %d s)' % (what, _DEADLINE))
        time.sleep(0.02)


class ServiceTest(testtools.TestCase):
    """The base class of the tests of services."""

    def get(self, service: fixtures.Service, path: str,
            headers: dict[str, str] | None = None) -> requests.Response:
        """Send a GET to a service, on a new connection."""
        return requests.get(service.url + path, headers=headers, timeout=30)

    def assertStopsAndStarts(self, service: fixtures.Service,
                             path: str, headers: dict[str, str]) -> None:
        """Check that a service leaves nothing behind and starts again."""
        before = self.get(service, path, headers).content
        leaders = groups(service.pids)
        service.stop()
        self.assertEqual([], running(leaders))
        self.assertRaises(requests.ConnectionError,
                          self.get, service, path, headers)
        started = time.monotonic()
        service.start()
        self.addDetail('restart', testtools.content.text_content(
            '%.1f s' % (time.monotonic() - started)))
        self.assertEqual(before, self.get(service, path, headers).content)

    def assertDiesWithItsStarter(self, call: str) -> None:
        """Check that a service ends when its starter is killed."""
        starter = subprocess.Popen(
            [sys.executable, '-c', _STARTER % call], cwd=_ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(starter.communicate)
        self.addCleanup(starter.kill)
        port, pids, folder = json.loads(starter.stdout.readline())
        leaders = groups(pids)
        starter.send_signal(signal.SIGKILL)
        wait_for(lambda: not running(leaders), '%s is still there' % leaders)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(('127.0.0.1', port))
        wait_for(lambda: not self._remains(folder),
                 'the next run leaves %s' % folder)

    def _remains(self, folder: str) -> bool:
        """Return whether a folder is there while another run begins."""
        with fixtures.RunFolder('next'):
            return os.path.exists(folder)


class GlanceTest(ServiceTest):
    """Glance 33 with identities in headers."""

    def test_bad_arguments(self) -> None:
        self.assertRaises(ValueError, fixtures.Glance, auth='magic')
        self.assertRaises(ValueError, fixtures.Glance, auth='keystone')

    def test_answers_callers_with_identity_headers(self) -> None:
        glance = self.useFixture(fixtures.Glance(
            stores={'fast': 'file', 'slow': 'file'},
            options={'DEFAULT': {'show_image_direct_url': 'false'}}))
        self.assertEqual(401, self.get(glance, '/v2/images').status_code)
        self.assertEqual(403, self.get(
            glance, '/v2/images', identity()).status_code)
        self._test_images(glance)
        self._test_stores(glance)
        mark = glance.mark()
        self.get(glance, '/v2/images?name=a%20b', MEMBER)
        self.get(glance, '/v2/nothing', ADMIN)
        self.assertEqual([('GET', '/v2/images?name=a%20b', 200),
                          ('GET', '/v2/nothing', 404)],
                         glance.requests(since=mark))
        glance.clear_requests()
        self.assertEqual([], glance.requests())

    def _test_images(self, glance: fixtures.Glance) -> None:
        images = glance.url + '/v2/images'
        image = requests.post(images, json=IMAGE, headers=MEMBER).json()
        self.assertEqual('a-project', image['owner'])
        path = '/v2/images/' + image['id']
        self.assertEqual(204, requests.put(
            glance.url + path + '/file', data=b'1234', headers=dict(
                MEMBER, **{'Content-Type': 'application/octet-stream'})
        ).status_code)
        shown = self.get(glance, path, ADMIN).json()
        self.assertEqual(('active', 4), (shown['status'], shown['size']))
        self.assertEqual(1, len(shown['locations']))
        self.assertNotIn('direct_url', shown)
        self.assertEqual(404, self.get(glance, path, STRANGER).status_code)
        for headers, status in ((MEMBER, 403), (ADMIN, 201)):
            self.assertEqual(status, requests.post(
                images, json=dict(IMAGE, visibility='public'),
                headers=headers).status_code)
        self.assertEqual(400, requests.post(
            images, json=dict(IMAGE, kernel_id='no id'), headers=MEMBER
        ).status_code)

    def _test_stores(self, glance: fixtures.Glance) -> None:
        stores = self.get(glance, '/v2/info/stores', MEMBER).json()['stores']
        self.assertEqual([{'id': 'fast', 'default': 'true'}, {'id': 'slow'}],
                         stores)
        self.assertEqual(1, len(list((glance.folder / 'fast').iterdir())))

    def test_stops_and_starts(self) -> None:
        started = time.monotonic()
        glance = self.useFixture(fixtures.Glance())
        self.addDetail('start', testtools.content.text_content(
            '%.1f s' % (time.monotonic() - started)))
        requests.post(glance.url + '/v2/images', json=IMAGE, headers=MEMBER)
        self.assertStopsAndStarts(glance, '/v2/images', MEMBER)
        self.assertEqual(3, len(glance.pids))
        glance.kill()
        self.assertEqual([], glance.pids)
        glance.start()
        glance.pause()
        self.assertRaises(requests.Timeout, requests.get, glance.url,
                          timeout=0.3)
        glance.resume()
        self.assertEqual(300, self.get(glance, '/').status_code)

    def test_imports_from_this_machine(self) -> None:
        glance = self.useFixture(fixtures.Glance())
        folder = self.useFixture(lib_fixtures.TempDir()).path
        pathlib.Path(folder, 'data').write_bytes(b'1234')
        port = self.useFixture(fixtures.Port()).number
        url = 'http://127.0.0.1:%d/data' % port
        self.useFixture(fixtures.Process(
            'web', [sys.executable, '-m', 'http.server', str(port),
                    '--bind', '127.0.0.1', '--directory', folder],
            glance.folder / 'web.log', lambda: processes.answers(url)))
        images = glance.url + '/v2/images'
        image = requests.post(images, json=IMAGE, headers=ADMIN).json()
        path = '/v2/images/' + image['id']
        self.assertEqual(202, requests.post(
            glance.url + path + '/import', headers=ADMIN, json={
                'method': {'name': 'web-download', 'uri': url}}).status_code)
        wait_for(lambda: self.get(glance, path, ADMIN).json()['status']
                 == 'active', 'the image is not active')
        self.assertEqual(b'1234', self.get(
            glance, path + '/file', ADMIN).content)

    def test_dies_with_its_starter(self) -> None:
        self.assertDiesWithItsStarter('Glance()')

    def test_bad_option_raises_an_error_with_the_log(self) -> None:
        glance = fixtures.Glance(options={
            'glance_store': {'default_backend': 'missing'}})
        error = self.assertRaises(fixtures.ProcessFailed, glance.setUp)
        self.assertIn('missing', str(error))
        self.assertFalse(glance.folder.exists())


class KeystoneTest(ServiceTest):
    """Keystone 30, and a Glance that uses it."""

    def test_glance_authenticates_with_keystone(self) -> None:
        keystone = self.useFixture(fixtures.Keystone())
        glance = self.useFixture(
            fixtures.Glance(auth='keystone', keystone=keystone))
        keystone.add_endpoint('image', 'glance', glance.url)
        for headers in ({}, MEMBER, {'X-Auth-Token': 'x'}):
            self.assertEqual(
                401, self.get(glance, '/v2/images', headers).status_code)
        self._test_users(keystone)
        self._test_secrets(keystone, glance)
        self.assertStopsAndStarts(keystone, '/v3', {})
        self.assertEqual(200, self._images(keystone, 'demo').status_code)

    def _images(self, keystone: fixtures.Keystone, user: str,
                method: str = 'GET', **kwargs) -> requests.Response:
        return keystone.session(user).request(
            '/v2/images', method, raise_exc=False,
            endpoint_filter={'service_type': 'image'}, **kwargs)

    def _test_users(self, keystone: fixtures.Keystone) -> None:
        for user, visibility, status in (
                ('demo', 'private', 201), ('demo', 'public', 403),
                ('admin', 'public', 201)):
            answer = self._images(keystone, user, 'POST',
                                  json=dict(IMAGE, visibility=visibility))
            self.assertEqual(status, answer.status_code)
        for user, count in (('demo', 2), ('other', 1), ('glance', 2)):
            listed = self._images(keystone, user).json()['images']
            self.assertEqual(count, len(listed), user)
        owners = {image['owner'] for image in listed}
        self.assertIn(keystone.project_id('demo'), owners)

    def _test_secrets(self, keystone: fixtures.Keystone,
                      glance: fixtures.Glance) -> None:
        token = keystone.session('demo').get_token()
        texts = [service.log.read_text() + service.access_log.read_text()
                 for service in (keystone, glance)]
        for pid in keystone.pids + glance.pids:
            texts.append(pathlib.Path('/proc/%d/cmdline' % pid).read_text())
        for user in ('admin', 'demo', 'glance'):
            secret = keystone.auth_options(user)['password']
            self.assertFalse(any(secret in text for text in texts), user)
        self.assertFalse(any(token in text for text in texts))

    def test_dies_with_its_starter(self) -> None:
        self.assertDiesWithItsStarter('Keystone()')


class LegacyGlanceTest(ServiceTest):
    """Glance 15 with v1, v2 or both."""

    def _legacy(self, **kwargs) -> fixtures.LegacyGlance:
        return self.useFixture(fixtures.LegacyGlance(**kwargs))

    def test_bad_arguments(self) -> None:
        for apis in ((), ('v3',)):
            self.assertRaises(ValueError, fixtures.LegacyGlance, apis=apis)

    def test_skipped_without_python27(self) -> None:
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.tests.fixtures.virtualenvs.find_python27',
            lambda: None))
        self.useFixture(lib_fixtures.MonkeyPatch(
            'nova_image.tests.fixtures.legacy._warn', lambda: None))

        class Needing(testtools.TestCase):
            def test(self) -> None:
                self.useFixture(fixtures.LegacyGlance())

        result = testtools.TestResult()
        Needing('test').run(result)
        self.assertEqual([legacy._WHY], list(result.skip_reasons))
        self.assertEqual([], result.errors)

    def test_serves_both_apis(self) -> None:
        glance = self._legacy()
        for api in ('/v1/images', '/v2/images'):
            for headers, status in (({}, 401), (MEMBER, 200), (ADMIN, 200)):
                self.assertEqual(
                    status, self.get(glance, api, headers).status_code)
        self.assertEqual([401, 200, 200] * 2,
                         [answer.status for answer in glance.requests()])
        self.assertEqual(403, self._create(glance, is_public='True'))
        self.assertEqual(201, self._create(glance))
        self.assertStopsAndStarts(glance, '/v1/images/detail', MEMBER)
        self.assertEqual(2, len(glance.pids))

    def _create(self, glance: fixtures.LegacyGlance, **meta: str) -> int:
        headers = {'x-image-meta-' + name: value
                   for name, value in (IMAGE | meta).items()}
        return requests.post(
            glance.url + '/v1/images', data=b'1234', headers=dict(
                MEMBER, **headers, **{'Content-Type':
                                      'application/octet-stream'})
        ).status_code

    def test_one_server_for_each_api_over_the_same_images(self) -> None:
        first = self._legacy(apis=('v1',))
        second = self._legacy(apis=('v2',), data_of=first)
        self.assertEqual(201, self._create(first))
        image, = self.get(second, '/v2/images', MEMBER).json()['images']
        self.assertEqual(b'1234', self.get(
            second, '/v2/images/%s/file' % image['id'], MEMBER).content)
        self.assertEqual(300, self.get(first, '/v2/images').status_code)
        self.assertEqual(300, self.get(second, '/v1/images').status_code)
        self.assertEqual(1, len(second.pids))

    def test_dies_with_its_starter(self) -> None:
        # Skips without a Python 2.7.
        with fixtures.LegacyGlance(apis=('v2',)):
            self.assertDiesWithItsStarter('LegacyGlance()')
