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


"""What functional tests have in common.

Each test has a project of its own, on servers that it shares with others; it
leaves no image behind, and fails when a token or password of the run reaches
a log at any level, whoever wrote it.
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
    """Who asks: what nova_image wants of a context, and no more."""

    project_id: str | None = 'a-project'
    user_id: str | None = 'a-user'
    roles: collections.abc.Sequence[str] = ('member', 'reader')
    is_admin: bool = False
    auth_token: str | None = None
    service_catalog: list[dict[str, typing.Any]] | None = None
    global_id: str | None = None

    def __post_init__(self) -> None:
        """Note the token as something that must not be told."""
        if self.auth_token:
            servers.SECRETS.add(self.auth_token)


def folder() -> lib_fixtures.TempDir:
    """Return a fixture that is an empty folder."""
    return lib_fixtures.TempDir()


def new_id() -> str:
    """Return an id for a project or an image that nobody has used."""
    return str(uuid.uuid4())


def make_driver(api: str, endpoints: collections.abc.Sequence[str] = (),
                options: dict[str, typing.Any] | None = None,
                **client: typing.Any) -> driver.ImageDriver:
    """Load a driver as a service does, with a configuration of its own.

    :param api: ``v1`` or ``v2``
    :param endpoints: ``[glance] api_servers``
    :param options: more of ``[glance]``
    :param client: for nova_image.image.client.Client
    """
    return driver.load(make_conf(
        {'use_glance_v1': api == 'v1', 'api_servers': list(endpoints),
         **(options or {})}), **client)


def make_conf(options: dict[str, typing.Any]) -> cfg.ConfigOpts:
    """Return a configuration that no file and no other test has a say in.

    :param options: those of ``[glance]``
    """
    conf = cfg.ConfigOpts()
    conf([], project='nova_image', default_config_files=[],
         default_config_dirs=[])
    nova_image_conf.register_opts(conf)
    for name, value in options.items():
        conf.set_override(name, value, 'glance')
    return conf


class Told:
    """The requests that a server answered during an operation."""

    def __init__(self) -> None:
        """Begin with none."""
        self.requests: list[fixtures.Request] = []

    @property
    def lines(self) -> list[str]:
        """As ``'GET /v2/images/ID 200'``, every image's id being ID."""
        return ['%s %s %d' % (one.method, _ID.sub('ID', one.path), one.status)
                for one in self.requests]

    @property
    def calls(self) -> list[str]:
        """As ``'GET /v2/images/ID'``, without query and status."""
        return ['%s %s' % (one.method,
                           _ID.sub('ID', one.path.partition('?')[0]))
                for one in self.requests]


@contextlib.contextmanager
def listening(server: fixtures.Service) -> collections.abc.Iterator[Told]:
    """Note the requests that a server answers in the body of a ``with``.

    :param server: a running service
    """
    told, mark = Told(), server.mark()
    yield told
    told.requests = server.requests(mark)


class _Memory(logging.Handler):
    """Keeps every record as the text that a log file would have."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter('%(levelname)s %(name)s: '
                                            '%(message)s'))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class LogCapture(lib_fixtures.Fixture):
    """All that any logger of this process says, from DEBUG on.

    :ivar lines: what was said so far
    """

    #: loggers that set a level of their own, or may
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
        """What was said, line by line."""
        return '\n'.join(self.lines)


class FunctionalTest(testtools.TestCase):
    """A test against real servers.

    :ivar project: the id of a project that only this test knows
    :ivar log: LogCapture
    """

    def setUp(self) -> None:
        """Begin to listen to the log."""
        super().setUp()
        self.project = new_id()
        self.log = self.useFixture(LogCapture())
        self.addOnException(self._show_log)
        self.addCleanup(self._assert_nothing_told)

    def _show_log(self, exc_info: typing.Any) -> None:
        for name, text in {'log': self.log.text, **servers.logs()}.items():
            self.addDetail(name, content.text_content(hide(text)[-65536:]))

    def _assert_nothing_told(self) -> None:
        self.assertTellsNothing(self.log.text, 'the log')

    def assertTellsNothing(self, text: str, where: str) -> None:
        """Check that no token and no password of this run is in a text.

        :param where: what the text is, for the message
        """
        told = [line for line in text.splitlines() if hide(line) != line]
        if told:
            self.fail('A secret is in %s: %s' % (where, hide(told[0])))

    def context(self, **changes: typing.Any) -> Context:
        """Return a context of this test's project.

        :param changes: attributes that are to be different
        """
        return Context(**{'project_id': self.project, **changes})

    def admin(self, **changes: typing.Any) -> Context:
        """Return an administrator's context, of this test's project."""
        return self.context(**{'is_admin': True, 'roles': ('admin',),
                               **changes})

    def enter(self, manager: contextlib.AbstractContextManager[Kind]) -> Kind:
        """Enter a context that is left when the test ends."""
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(manager)

    def wait_for(self, condition: collections.abc.Callable[[], bool],
                 what: str, deadline: float = 60) -> None:
        """Wait until something is so.

        :param condition: tells whether it is
        :param what: what the error says if it never was
        :param deadline: seconds
        """
        end = time.monotonic() + deadline
        while not condition():
            if time.monotonic() > end:
                self.fail('not %s after %d s' % (what, deadline))
            time.sleep(0.02)

    def clean(self, url: str) -> servers.RawGlance:
        """Return a Glance by raw HTTP, whose images go when the test ends.

        :param url: of a server without Keystone
        """
        raw = servers.RawGlance(url)
        self.addCleanup(raw.wipe)
        return raw


def hide(text: str) -> str:
    """Return a text with the secrets of this run made unreadable."""
    for secret in servers.SECRETS:
        text = text.replace(secret, '<SECRET>')
    return text
