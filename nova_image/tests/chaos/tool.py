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


"""The commands of a run of chaos, in processes that can be killed."""

import json
import os
import pathlib
import subprocess
import typing

from nova_image.tests.chaos import world
from nova_image.tests.fixtures import processes
from nova_image.tests.functional import cli_case


class Tool:
    """A ``nova-image replicate`` that runs in its own process.

    :param scene: the world
    :param folder: the folder for its home and its output
    :param number: a number that no other one has in this run
    :param options: options of the command
    :param home: the folder with its journal
    :param coordination_url: where it meets other workers, if it is one
    """

    def __init__(self, scene: 'world.World', folder: pathlib.Path,
                 number: int, *options: str, home: str = '',
                 coordination_url: str | None = None) -> None:
        self._output = folder / ('output-%d' % number)
        self._errors = folder / ('errors-%d' % number)
        kept = {name: os.environ[name] for name in ('PYTHONPATH',)
                if name in os.environ}
        if coordination_url:
            kept['NOVA_IMAGE_COORDINATION_URL'] = coordination_url
        with open(self._output, 'wb') as output, open(
                self._errors, 'wb') as errors:
            self._process = subprocess.Popen(
                [cli_case.PROGRAM, 'replicate', '--from', scene.source.url,
                 '--to', scene.target.url, '--json', *options],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=errors, env=processes.clean_environment({
                    'HOME': str(folder / home), 'LC_ALL': 'C.UTF-8', **kept}))

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill it, if it has not ended."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> int | None:
        """Wait until it ends.

        :returns: its exit code; None if it was killed because it has not
            ended in time
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    @property
    def errors(self) -> str:
        """What it has written to standard error."""
        return self._errors.read_text()

    @property
    def outcomes(self) -> dict[str, dict[str, typing.Any]]:
        """What it has written about each image, by its ID."""
        found = {}
        for line in self._output.read_text().splitlines():
            one = json.loads(line)
            if 'image' in one:
                found[one['image']] = one
        return found
