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

"""Helpers for the commands of all benchmarks."""

import argparse
import collections.abc
import json
import pathlib
import signal
import sys
import time
import typing

from benchmarks.common import option_types
from benchmarks.common import plot
from benchmarks.common import race
from benchmarks.common import results
from nova_image.tests.fixtures import paths


def parser(name: str, description: str, rounds: int = 3
           ) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks share.

    :param name: the name of the benchmark
    :param description: the description in its help
    :param rounds: the default number of rounds
    """
    folder = paths.cache() / 'benchmarks'
    options = argparse.ArgumentParser(
        prog='./run_benchmarks.sh %s' % name, description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument('--rounds', type=option_types.positive,
                         default=rounds, metavar='N', help='number of rounds')
    for option, suffix, text in (
            ('json', 'json', 'file for the figures'),
            ('plot', 'png', 'file for the plot')):
        options.add_argument(
            '--' + option, type=pathlib.Path, metavar='PATH', help=text,
            default=folder / ('%s.%s' % (name, suffix)))
    options.add_argument('--keep', action='store_true',
                         help="keep the services' folders and logs")
    return options


def add_numbers(options: argparse.ArgumentParser, metavar: str,
                *numbers: tuple[str, int, str]) -> None:
    """Add options that are positive numbers.

    :param options: the parser
    :param metavar: the name of the number or its unit in the help
    :param numbers: name, default and help of each option
    """
    for name, default, text in numbers:
        options.add_argument('--' + name, type=option_types.positive,
                             default=default, metavar=metavar, help=text)


def main(arguments: argparse.Namespace, title: str,
         measure: collections.abc.Callable[
             [argparse.Namespace], tuple[results.Results, dict[str, str]]],
         *facts: str) -> int:
    """Run a benchmark whose plot has all measures of each operation.

    :param arguments: the arguments that parser() has read
    :param title: the title of the plot
    :param measure: returns the results and the versions for the arguments
    :param facts: names of arguments to record with the figures
    :returns: the exit code
    """
    def report() -> None:
        out = Report(arguments, **{
            name: getattr(arguments, name) for name in facts})
        found, versions = measure(arguments)
        out.write(found, versions, plot.measures_of_each(found, title))

    return run(report)


def run(measure: collections.abc.Callable[[], None]) -> int:
    """Run a benchmark, and report what prevents it from running.

    :param measure: the benchmark
    :returns: the exit code; 0 even if a budget is missed
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        measure()
    except race.Broken as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('Interrupted.', file=sys.stderr)
        return 130
    return 0


class Report:
    """Reports the results as a table, a file and a plot, and times the run."""

    def __init__(self, arguments: argparse.Namespace,
                 **facts: typing.Any) -> None:
        """Prepare a report, and start to time the run.

        :param arguments: the arguments that parser() has read
        :param facts: other facts to record with the figures
        """
        self._arguments = arguments
        self._facts = facts
        self._began = time.monotonic()

    def write(self, found: results.Results, versions: dict[str, str],
              layout: plot.Layout) -> None:
        """Write the file and the plot, and print the table.

        :param found: the figures
        :param versions: name -> version of the measured programs
        :param layout: the layout of the plot
        """
        arguments = self._arguments
        facts = {'machine': results.machine(), 'versions': versions,
                 **self._facts, 'rounds': arguments.rounds,
                 'seconds': round(time.monotonic() - self._began)}
        for path in (arguments.json, arguments.plot):
            path.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(
            json.dumps(facts | found.as_json(), indent=2) + '\n')
        plot.draw(found, facts, layout, arguments.plot)
        print('%s, %d CPUs; %s; medians, rounds: %d; took %d s' % (
            facts['machine']['processor'], facts['machine']['cpus'],
            ', '.join('%s %s' % item for item in versions.items()),
            facts['rounds'], facts['seconds']))
        print(found.table())
        print('\n%s\n%s' % (arguments.json, arguments.plot))
