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

"""Writes doc/source/cli/captures: what terminals show of nova-image.

Run it after a change of what nova-image shows::

    .venv/bin/python -m tools.captures

It starts a Keystone and a Glance, and types commands into a shell in terminals
of several widths. A test compares the files with what terminals show. IDs,
times and speeds differ each time; a file in which only these have changed is
not written.
"""

import collections.abc
import contextlib
import dataclasses
import functools
import operator
import os
import pathlib
import re
import sys
import tempfile
import time

from nova_image.tests import fixtures
from nova_image.tests.fixtures import keystone as keystone_fixture
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import screen
from nova_image.tests.functional import servers

FOLDER = (pathlib.Path(__file__).parent.parent / 'doc' / 'source' / 'cli' /
          'captures')
_MIB = 1024 ** 2
_SIZE = 20 * _MIB
#: bytes per second of transfers, so that there is time to see a bar
_BANDWIDTH = 12 * _MIB
_PROMPT = '$ '
_NARROW, _WIDE = 30, 80
_IMAGES = (
    {'id': '71c675ab-d94f-49cd-a114-e12490b328d9', 'name': 'cirros',
     'disk_format': 'raw', 'container_format': 'bare', 'os_type': 'linux',
     'hw_disk_bus': 'virtio', 'tags': ['test']},
    {'id': '0e0ac4e5-6f44-4a5a-9bc8-5a1d2f1c7d33',
     'name': 'ubuntu-24.04-server-cloudimg-amd64', 'disk_format': 'qcow2',
     'container_format': 'bare', 'min_ram': 512},
)
#: what differs each time -> what stands for it in a comparison
_BARS = (
    (r'\b[1-9]?\d%\|.*', 'BAR'),
    (r'100%\|.*', 'FULL BAR'),
    (r'\b[1-9]?\d% [0-9.?]+[kMG]?B/s', 'BAR'),  # of a narrow terminal
    (r'100% [0-9.?]+[kMG]?B/s', 'FULL BAR'),
    (r'\[\d\d:\d\d, \?B/s\]', 'NO BAR'),
)
#: the same, in a text without white space
_CHANGING = (
    (r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'ID'),
    (r'[0-9a-f]{32}', 'ID'),
    (r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', 'TIME'),
    (r'127\.0\.0\.1:\d+', 'ADDRESS'),
)


@dataclasses.dataclass(frozen=True)
class Scene:
    """Commands in a terminal.

    :ivar name: name of the file, without the width
    :ivar commands: what is typed
    :ivar widths: widths of the terminals
    :ivar midway: whether to show the commands midway, too
    :ivar credentials: whether the shell has the user's credentials
    """

    name: str
    commands: tuple[str, ...]
    widths: tuple[int, ...] = (_WIDE, _NARROW)
    midway: bool = False
    credentials: bool = True


SCENES = (
    Scene('list', ('nova-image list',)),
    Scene('list-long', ('nova-image list --long --name cirros',)),
    Scene('show', ('nova-image show cirros',)),
    Scene('save', ('nova-image save cirros --file copy.img',), midway=True),
    Scene('create', (
        'nova-image create new --file disk.img --disk-format raw '
        '--container-format bare -c name -c status -c size',), midway=True),
    Scene('errors', (
        'nova-image show cirrus',
        'nova-image create new --file disk.img --disk-format qcow3 '
        '--container-format bare',
        'nova-image list --sort size:down',
        'OS_PASSWORD=wrong nova-image list')),
    Scene('no-credentials', ('nova-image list </dev/null',),
          credentials=False),
)


class Studio:
    """A cloud with some images, and a folder with a file."""

    def __init__(self, folder: pathlib.Path, proxy: fixtures.FaultyProxy
                 ) -> None:
        """Create the images and the file.

        :param folder: an empty folder
        :param proxy: a running proxy of servers.secured_glance()
        """
        self._folder = folder
        self._proxy = proxy
        self._raw = servers.RawGlance(servers.secured_glance().url, {
            'X-Auth-Token': servers.token_of('demo')})
        for image in _IMAGES:
            self._raw.ask('POST', '/v2/images', 201, json=image)
            time.sleep(1.1)  # the order of images of one second is not fixed
        self._raw.ask(
            'PUT', '/v2/images/%s/file' % _IMAGES[0]['id'], 204,
            data=bytes(_SIZE),
            headers={'Content-Type': 'application/octet-stream'})
        (folder / 'disk.img').write_bytes(bytes(_SIZE))

    def close(self) -> None:
        """Delete all images."""
        for image in self._raw.images():
            self._raw.ask('DELETE', '/v2/images/' + image['id'], 204)

    def take(self, scene: Scene, columns: int, **variables: str) -> str:
        """Return what a terminal shows of a scene.

        :param columns: width of the terminal
        :param variables: environment variables to change
        """
        self._forget()
        shown = screen.Screen(
            ['bash', '--norc', '--noprofile'],
            self._environment(scene) | variables, self._folder, columns, 200)
        try:
            return '\n\n'.join(self._frames(scene, shown)) + '\n'
        finally:
            shown.close()

    def _frames(self, scene: Scene, shown: screen.Screen
                ) -> collections.abc.Iterator[str]:
        text = shown.wait(_is_ready)
        for command in scene.commands:
            shown.send(command + '\r')
            shown.wait(functools.partial(operator.ne, text))
            if scene.midway:
                yield shown.wait(re.compile(r'\b[45]\d%').search)
            text = shown.wait(_is_ready)
        yield text.rpartition('\n')[0]

    def _forget(self) -> None:
        """Undo what earlier commands have done."""
        (self._folder / 'copy.img').unlink(missing_ok=True)
        for image in self._raw.images(name='new'):
            self._raw.ask('DELETE', '/v2/images/' + image['id'], 204)

    def _environment(self, scene: Scene) -> dict[str, str]:
        options = servers.keystone().auth_options('demo')
        mine = {'OS_' + name.upper(): value
                for name, value in options.items()}
        mine['OS_REGION_NAME'] = keystone_fixture.REGION
        mine['OS_IMAGE_ENDPOINT_OVERRIDE'] = self._proxy.url
        kept = {name: os.environ[name] for name in ('PYTHONPATH',)
                if name in os.environ}
        return processes.clean_environment({
            'HOME': str(self._folder), 'XDG_CONFIG_HOME': str(self._folder),
            'LC_ALL': 'C.UTF-8', 'PS1': _PROMPT, 'HISTFILE': '',
            'PATH': '%s:%s' % (pathlib.Path(sys.executable).parent,
                               os.environ['PATH']),
            **kept, **(mine if scene.credentials else {})})


def _is_ready(text: str) -> bool:
    """Return whether the shell waits for a command."""
    return text.rpartition('\n')[2] == _PROMPT.strip()


@contextlib.contextmanager
def studio() -> collections.abc.Iterator[Studio]:
    """Provide a studio for the body of a ``with``."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        proxy = stack.enter_context(fixtures.FaultyProxy(
            servers.secured_glance().url, bandwidth=_BANDWIDTH))
        yield stack.enter_context(contextlib.closing(
            Studio(pathlib.Path(folder), proxy)))


def path_of(scene: Scene, columns: int) -> pathlib.Path:
    """Return the path of the file with a scene.

    :param columns: width of the terminal
    """
    return FOLDER / ('%s-%d.txt' % (scene.name, columns))


def normalized(text: str) -> str:
    """Return a text without what differs each time.

    It has no white space either, because a terminal wraps IDs.
    """
    for pattern, replacement in _BARS:
        text = re.sub(pattern, replacement, text)
    text = re.sub(r'\s+', '', text)
    for pattern, replacement in _CHANGING:
        text = re.sub(pattern, replacement, text)
    return text


def main() -> None:
    """Write the files that have changed."""
    FOLDER.mkdir(exist_ok=True)
    paths = {path_of(scene, columns): (scene, columns)
             for scene in SCENES for columns in scene.widths}
    for path in {*FOLDER.iterdir()} - {*paths}:
        path.unlink()
    with studio() as made:
        for path, (scene, columns) in paths.items():
            text = made.take(scene, columns)
            if not path.exists() or (
                    normalized(path.read_text()) != normalized(text)):
                path.write_text(text)
                print('written:', path.name)


if __name__ == '__main__':
    main()
