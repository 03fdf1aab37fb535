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

"""What the benchmarks of showing and listing images share."""

import argparse
import collections.abc
import contextlib
import dataclasses

from benchmarks.common import command
from benchmarks.common import race
from benchmarks.common import results
from benchmarks.metadata import cloud

#: Returns the operations, for the IDs of all images and the number of shows.
Tasks = collections.abc.Callable[[list[str], int], list[race.Operation]]


def parse_arguments(name: str, description: str) -> argparse.Namespace:
    """Read the command line.

    :param name: the name of the benchmark
    :param description: the description in its help
    """
    parser = command.parser(name, description, rounds=5)
    command.add_numbers(
        parser, 'N',
        ('shows', 600, 'number of images to show in each round'),
        ('images', 10000, 'number of images in Glance'))
    return parser.parse_args()


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Contenders that show and list images of one Glance.

    ``worker`` is the module of their processes.
    """

    title: str
    worker: str
    contenders: collections.abc.Iterable[str]
    tasks: Tasks
    budgets: tuple[results.Budget, ...] = ()

    def main(self, arguments: argparse.Namespace) -> int:
        """Run the benchmark.

        :param arguments: those of parse_arguments()
        :returns: exit code
        """
        return command.main(arguments, self.title, self._measure, 'images')

    def _measure(self, arguments: argparse.Namespace
                 ) -> tuple[results.Results, dict[str, str]]:
        with contextlib.ExitStack() as stack:
            race.say('Starting Keystone and Glance with %d images'
                     % arguments.images)
            place = stack.enter_context(
                cloud.Cloud(arguments.images, arguments.keep))
            start = {'auth': place.keystone.auth_options('demo'),
                     'image_id': place.image_ids[0]}
            runners = stack.enter_context(race.Race(
                self.worker, dict.fromkeys(self.contenders, start),
                place.glance, arguments.keep))
            tasks = self.tasks(place.image_ids, arguments.shows)
            found = runners.run(tasks, arguments.rounds)
            return (results.Results(tasks, found, self.budgets),
                    runners.versions)
