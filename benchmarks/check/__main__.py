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

"""Runs small benchmarks, and reports ratios that have become worse."""

import argparse
import collections.abc
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import typing

from benchmarks.check import compare
from benchmarks.common import command
from benchmarks.common import confidence
from benchmarks.common import option_types
from benchmarks.common import race
from benchmarks.common import results


class Part(typing.NamedTuple):
    """A benchmark in a small size.

    :ivar arguments: its options
    :ivar ours: the contenders whose ratios are compared
    """

    arguments: tuple[str, ...]
    ours: tuple[str, ...] = (results.OURS,)


PARTS = {
    'metadata': Part(('--images=2000', '--shows=100')),
    'metrics': Part(('--images=1000', '--shows=100'),
                    ('prometheus', 'statsd')),
    'transfer': Part(('--sizes=16M,64M', '--only=download,upload,file')),
    'startup': Part(()),
    'replicate': Part(('--small', '--osc-images=1')),
}
_RECORD = pathlib.Path(__file__).parent / 'ratios.json'


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='./run_benchmarks.sh check',
        description=(
            'Run small versions of the benchmarks, and compare the ratios of '
            'nova_image to its peers with recorded ones. Record them with '
            'the code before a change, and check the code after it, on the '
            'same machine. The exit code is 1 if a ratio is worse by more '
            'than noise: if its interval of confidence (95 %) is above the '
            'recorded one, also when the benchmark is repeated.'))
    parser.add_argument(
        'parts', nargs='*', metavar='NAME',
        help='benchmarks to run, out of %s; all by default'
             % ', '.join(PARTS))
    parser.add_argument('--record', action='store_true',
                        help='record the ratios instead of comparing them')
    parser.add_argument(
        '--file', type=pathlib.Path, metavar='PATH', default=_RECORD,
        help='file with the recorded ratios (default: %(default)s)')
    parser.add_argument('--rounds', type=option_types.positive, default=5,
                        metavar='N', help='number of rounds (default: 5)')
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - PARTS.keys()
    if unknown:
        parser.error('unknown benchmarks: %s' % ', '.join(sorted(unknown)))
    return arguments


def main() -> int:
    """Run the check.

    :returns: exit code: 0, 1 if a ratio is worse or a benchmark fails, 2 if
        there are no recorded ratios
    """
    arguments = parse_arguments()
    recorded: dict[str, confidence.Ratio] = {}
    if not arguments.record:
        try:
            machine, recorded = confidence.read(arguments.file)
        except confidence.Unusable as error:
            print('%s. Record them first, with the code to compare with: '
                  './run_benchmarks.sh check --record' % error,
                  file=sys.stderr)
            return 2
        if machine != results.machine():
            print('WARNING: the ratios were recorded on another machine, '
                  'where they may differ: %s' % machine.get('processor'),
                  file=sys.stderr)
    worse: list[str] = []
    code = command.run(lambda: worse.extend(_check(arguments, recorded)))
    return code or (1 if worse else 0)


def _check(arguments: argparse.Namespace, recorded: dict[str, confidence.Ratio]
           ) -> list[str]:
    """Run the benchmarks, and return the names of the worse ratios."""
    today = _measure_all(arguments.parts or PARTS, arguments.rounds)
    if arguments.record:
        _record(arguments.file, today)
        return []
    suspects = _worse(today, recorded)
    if suspects:
        print('Repeating what seems worse: %s' % ', '.join(suspects))
        again = _measure_all(
            dict.fromkeys(name.partition('/')[0] for name in suspects),
            arguments.rounds)
        today |= {name: again[name] for name in suspects
                  if again[name].value < today[name].value}
    found = compare.changes(today, recorded)
    worse = _worse(today, recorded)
    print(compare.table(found))
    print('\n%d ratios, %d worse, %d better' % (
        len(found), len(worse),
        sum(one.verdict == 'better' for one in found)))
    return worse


def _record(path: pathlib.Path, today: dict[str, confidence.Ratio]) -> None:
    """Record ratios, and keep those of other benchmarks on this machine."""
    with contextlib.suppress(confidence.Unusable):
        machine, recorded = confidence.read(path)
        if machine == results.machine():
            parts = {name.partition('/')[0] for name in today}
            today = today | {name: ratio for name, ratio in recorded.items()
                             if name.partition('/')[0] not in parts}
    confidence.write(path, results.machine(), today)
    print('Recorded %d ratios in %s' % (len(today), path))


def _worse(today: dict[str, confidence.Ratio],
           recorded: dict[str, confidence.Ratio]) -> list[str]:
    return [one.name for one in compare.changes(today, recorded)
            if one.verdict == 'worse']


def _measure_all(parts: collections.abc.Iterable[str], rounds: int
                 ) -> dict[str, confidence.Ratio]:
    return {name: ratio for part in parts
            for name, ratio in _measure(part, rounds)}


def _measure(name: str, rounds: int
             ) -> collections.abc.Iterator[tuple[str, confidence.Ratio]]:
    """Run a benchmark, and yield its ratios by name.

    :raises Broken: if it fails
    """
    part = PARTS[name]
    with tempfile.TemporaryDirectory() as folder:
        figures = pathlib.Path(folder, 'figures.json')
        argv = [sys.executable, '-m', 'benchmarks.' + name,
                '--rounds=%d' % rounds, '--json=%s' % figures,
                '--plot=%s' % pathlib.Path(folder, 'plot.png'),
                *part.arguments]
        print('== %s' % ' '.join(argv[2:4]), flush=True)
        if subprocess.run(argv, cwd=race.ROOT, check=False).returncode:
            raise race.Broken('The benchmark %s failed.' % name)
        yield from compare.ratios_of(
            name, json.loads(figures.read_text()), part.ours)


if __name__ == '__main__':
    sys.exit(main())
