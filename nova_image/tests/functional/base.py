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


"""The base class of the functional tests, and helpers that they share.

Each test has its own project, on servers that it shares with other tests. It
leaves no image behind, and fails if a token or password of the run reaches a
log at any level, whoever wrote it.
"""

import collections.abc
import contextlib
import dataclasses
import logging
import re
import time
import typing
import uuid

import fixtures as lib_fixtures
from oslo_config import cfg
import testtools
from testtools import content

from nova_image import conf as nova_image_conf
from nova_image.image import driver
from nova_image.tests import fixtures
from nova_image.tests.functional import servers

Kind = typing.TypeVar('Kind')

_ID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')


@dataclasses.dataclass
class Context:
    """A caller's context, with only the attributes that nova_image needs."""

    project_id: str | None = 'a-project'
    user_id: str | None = 'a-user'
    roles: collections.abc.Sequence[str] = ('member', 'reader')
    is_admin: bool = False
    auth_token: str | None = None
    service_catalog: list[dict[str, typing.Any]] | None = None
    global_id: str | None = None

    def __post_init__(self) -> None:
        """Register the token as a secret that no log may contain."""
        if self.auth_token:
            servers.SECRETS.add(self.auth_token)


def folder() -> lib_fixtures.TempDir:
    """Return a fixture for an empty folder."""
    return lib_fixtures.TempDir()


def new_id() -> str:
    """Return an unused ID for a project or an image."""
    return str(uuid.uuid4())


def make_driver(api: str, endpoints: collections.abc.Sequence[str] = (),
                options: dict[str, typing.Any] | None = None,
                **client: typing.Any) -> driver.ImageDriver:
    """Load a driver as a service does, with its own configuration.

    :param api: ``v1`` or ``v2``
    :param endpoints: ``[glance] api_servers``
    :param options: further options of ``[glance]``
    :param client: arguments for nova_image.image.client.Client
    """
    return driver.load(make_conf(
        {'use_glance_v1': api == 'v1', 'api_servers': list(endpoints),
         **(options or {})}), **client)


def make_conf(options: dict[str, typing.Any]) -> cfg.ConfigOpts:
    """Return a configuration that no file and no other test affects.

    :param options: options of ``[glance]``
    """
    conf = cfg.ConfigOpts()
    conf([], project='nova_image', default_config_files=[],
         default_config_dirs=[])
    nova_image_conf.register_opts(conf)
    for name, value in options.items():
        conf.set_override(name, value, 'glance')
    return conf


class Recording:
    """The requests that a server answered during an operation."""

    def __init__(self) -> None:
        """Start with no requests."""
        self.requests: list[fixtures.Request] = []

    @property
    def lines(self) -> list[str]:
        """The requests as ``'GET /v2/images/ID 200'``, with ID for each ID."""
        return ['%s %s %d' % (one.method, _ID.sub('ID', one.path), one.status)
                for one in self.requests]

    @property
    def calls(self) -> list[str]:
        """The requests as ``'GET /v2/images/ID'``: no query, no status."""
        return ['%s %s' % (one.method,
                           _ID.sub('ID', one.path.partition('?')[0]))
                for one in self.requests]


@contextlib.contextmanager
def recording(server: fixtures.Service) -> collections.abc.Iterator[Recording]:
    """Record the requests that a server answers in the body of a ``with``.

    :param server: a running service
    """
    recorded, mark = Recording(), server.mark()
    yield recorded
    recorded.requests = server.requests(mark)


class _Memory(logging.Handler):
    """Keeps every record as the line that a log file would have."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter('%(levelname)s %(name)s: '
                                            '%(message)s'))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class LogCapture(lib_fixtures.Fixture):
    """Everything that this process logs, from level DEBUG up.

    :ivar lines: the lines logged so far
    """

    #: loggers that set their own level, or may do so
    names = ('', 'keystoneauth', 'keystoneauth.session', 'urllib3',
             'glanceclient', 'nova_image', 'stevedore')

    def _setUp(self) -> None:
        handler = _Memory()
        self.lines = handler.lines
        for name in self.names:
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        root = logging.getLogger()
        root.addHandler(handler)
        self.addCleanup(root.removeHandler, handler)

    @property
    def text(self) -> str:
        """The log so far, as one text."""
        return '\n'.join(self.lines)


class FunctionalTest(testtools.TestCase):
    """A test against real servers.

    :ivar project: the ID of a project that no other test uses
    :ivar log: LogCapture
    """

    def setUp(self) -> None:
        """Start capturing the log."""
        super().setUp()
        self.project = new_id()
        self.log = self.useFixture(LogCapture())
        self.addOnException(self._show_log)
        self.addCleanup(self._assert_no_secrets_logged)

    def _show_log(self, exc_info: typing.Any) -> None:
        for name, text in {'log': self.log.text, **servers.logs()}.items():
            self.addDetail(name, content.text_content(hide(text)[-65536:]))

    def _assert_no_secrets_logged(self) -> None:
        self.assertNoSecrets(self.log.text, 'the log')

    def assertNoSecrets(self, text: str, where: str) -> None:
        """Check that a text contains no token or password of this run.

        :param where: what the text is, for the message
        """
        leaked = [line for line in text.splitlines() if hide(line) != line]
        if leaked:
            self.fail('A secret is in %s: %s' % (where, hide(leaked[0])))

    def context(self, **changes: typing.Any) -> Context:
        """Return a context of this test's project.

        :param changes: attributes that differ from the defaults
        """
        return Context(**{'project_id': self.project, **changes})

    def admin(self, **changes: typing.Any) -> Context:
        """Return an administrator's context in this test's project."""
        return self.context(**{'is_admin': True, 'roles': ('admin',),
                               **changes})

    def enter(self, manager: contextlib.AbstractContextManager[Kind]) -> Kind:
        """Enter a context manager, and exit it when the test ends."""
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(manager)

    def wait_for(self, condition: collections.abc.Callable[[], bool],
                 what: str, deadline: float = 60) -> None:
        """Wait until a condition holds.

        :param condition: returns whether it holds
        :param what: the state that is awaited, for the error message
        :param deadline: how long to wait, in seconds
        """
        end = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > end:
                self.fail('not %s after %d s' % (what, deadline))
            time.sleep(0.02)

    def raw_glance(self, url: str) -> servers.RawGlance:
        """Return a plain HTTP client, and delete all images after the test.

        :param url: the URL of a Glance without Keystone
        """
        raw = servers.RawGlance(url)
        self.addCleanup(raw.wipe)
        return raw


def hide(text: str) -> str:
    """Return a text with the secrets of this run masked."""
    for secret in servers.SECRETS:
        text = text.replace(secret, '<SECRET>')
    return text
