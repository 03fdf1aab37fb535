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

"""The base of the unit tests: a context, options and a scripted Glance.

A test scripts one answer of Glance for each request, calls the driver, and
asserts the exact list of requests::

    self.glance.answers(GLANCE33('show_active'))
    image = self.driver().show(self.context, ACTIVE)
    self.assert_calls([('GET', '/v2/images/' + ACTIVE)])

Nothing waits: the seconds of each wait are appended to ``self.waits``.
"""

import collections
import io
import json
import logging

import fixtures
import mock
from oslo_config import cfg
import requests
from requests_mock.contrib import fixture as requests_fixture
import six
import testtools

from nova_image import conf as nova_image_conf
from nova_image.image import client as glance_client
from nova_image.image import driver as image_driver
from nova_image.image import endpoint
from nova_image.image import identity

ENDPOINT = 'http://glance:9292'

#: A request to the scripted Glance; ``path`` includes the query.
Call = collections.namedtuple('Call', 'method url path headers body')


class Context(object):
    """A caller's context, with only the attributes that the drivers need."""

    def __init__(self, **attributes):
        self.auth_token = 'a-secret-token'
        self.user_id = 'a-user'
        self.project_id = 'a-project'
        self.roles = ['member', 'reader']
        self.is_admin = False
        for name, value in attributes.items():
            setattr(self, name, value)


class Lost(object):
    """An error before an answer arrives.

    :param error: the exception that requests raises
    :param pieces: the number of pieces of the request's body that are read
        before the error; all of them if None
    """

    def __init__(self, error=None, pieces=None):
        self.error = error or requests.ConnectionError('connection reset')
        self.pieces = pieces

    def respond(self, request):
        """Raise the error."""
        raise self.error


class BrokenBody(io.BytesIO):
    """A body of an answer that is interrupted.

    :param content: the bytes that arrive
    :param error: the exception that is raised after them
    """

    def __init__(self, content, error):
        super(BrokenBody, self).__init__(content)
        self._error = error

    def read(self, *args):
        """Return the next bytes, or raise the error after the last ones."""
        found = super(BrokenBody, self).read(*args)
        if not found:
            raise self._error
        return found


class ScriptedGlance(fixtures.Fixture):
    """Answers each request with the next answer of its script.

    :ivar calls: a list of the Calls, in order
    """

    def _setUp(self):
        self.calls = []
        self._script = collections.deque()
        mocker = self.useFixture(requests_fixture.Fixture())
        mocker.add_matcher(self._answer)

    def answers(self, *answers):
        """Append answers to the script.

        :param answers: each a recordings.Answer, a Lost, or a callable that
            takes the Call and returns one of them
        """
        self._script.extend(answers)

    @property
    def left(self):
        """The number of answers that no request has used."""
        return len(self._script)

    def _answer(self, request):
        pieces, whole = _pieces(request.body), []
        answer = self._script.popleft() if self._script else None
        wanted = getattr(answer, 'pieces', None)
        try:
            while wanted is None or len(whole) < wanted:
                whole.append(next(pieces))
        except StopIteration:
            pass
        finally:
            call = _call(request, b''.join(whole))
            self.calls.append(call)
        if answer is None:
            raise AssertionError('no answer for %s %s' % call[:2])
        if not hasattr(answer, 'respond'):
            answer = answer(call)
        return answer.respond(request)


def _pieces(body):
    """Return an iterator over a request's body."""
    if body is None:
        return iter(())
    if isinstance(body, six.text_type):
        body = body.encode('utf-8')
    return iter([body]) if isinstance(body, bytes) else iter(body)


def _call(request, body):
    url = request.url
    path = '/' + url.split('://', 1)[1].split('/', 1)[1]
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, url, path, headers, body)


class TestCase(testtools.TestCase):
    """The base class of the unit tests.

    :ivar conf: a ConfigOpts that only this test uses
    :ivar context: the context of a caller with a token
    :ivar glance: the ScriptedGlance
    :ivar log: a fixtures.FakeLogger, from level DEBUG up
    :ivar waits: the seconds of each wait, in order
    """

    def setUp(self):
        super(TestCase, self).setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            level=logging.DEBUG, format='%(levelname)s %(name)s %(message)s'))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.endpoint.HEALTH', endpoint.Health()))
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.endpoint._KNOWLEDGE', {}))
        self.glance = self.useFixture(ScriptedGlance())
        self.context = Context()
        self.conf = self.new_conf(api_servers=[ENDPOINT])
        self.waits = []

    def new_conf(self, **options):
        """Return a configuration with options of ``[glance]``."""
        conf = cfg.ConfigOpts()
        nova_image_conf.register_opts(conf)
        conf([], project='nova_image', default_config_files=[],
             default_config_dirs=[])
        for name, value in options.items():
            conf.set_override(name, value, group='glance')
        return conf

    def set(self, **options):
        """Set options of ``[glance]``."""
        for name, value in options.items():
            self.conf.set_override(name, value, group='glance')

    def driver(self):
        """Return the configured driver."""
        return image_driver.load(self.conf, sleep=self.waits.append)

    def client(self, **options):
        """Return a client."""
        return glance_client.Client(
            self.conf, sleep=self.waits.append, **options)

    def without_keystone(self, **attributes):
        """Replace the context by one without a token."""
        self.context = Context(auth_token=None, **attributes)

    def with_renewable_token(self):
        """Give the context a plugin whose token can be renewed.

        :returns: the plugin
        """
        plugin = identity.ContextToken('a-secret-token')
        plugin.invalidate = mock.Mock(return_value=True)
        self.context.get_auth_plugin = lambda: plugin
        return plugin

    def assert_calls(self, expected):
        """Check the exact list of requests, and that no answer is left.

        :param expected: a list of (method, path with its query)
        """
        self.assertEqual(
            expected, [(call.method, call.path) for call in self.glance.calls])
        self.assertEqual(0, self.glance.left, 'answers without a request')

    def sent_json(self, number):
        """Return the JSON body of a request.

        :param number: the index of the request, starting at 0
        """
        return json.loads(self.glance.calls[number].body.decode('utf-8'))

    def warnings(self):
        """Return the lines logged at level WARNING."""
        return [line for line in self.log.output.splitlines()
                if line.startswith('WARNING')]
