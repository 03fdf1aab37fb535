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

"""Prints what has happened in the runs of chaos.

The name of the file with the facts is the argument.
"""

import collections
import json
import sys
import typing

from nova_image.tests.chaos import disasters

#: what must have happened in some runs of 50
_REQUIRED = (
    'command killed', 'worker killed', 'source killed', 'target killed',
    'download cut', 'upload cut', 'answered 401', 'source image deleted',
    'upload refused for lack of quota', 'source image deactivated')
#: runs from which on all of that is required
_MANY = 50

Facts = dict[str, typing.Any]


def lines(runs: list[Facts]) -> list[str]:
    """Return the summary of some runs.

    :param runs: the facts of each
    """
    seeds: collections.Counter[str] = collections.Counter()
    times: collections.Counter[str] = collections.Counter()
    planned: collections.Counter[str] = collections.Counter()
    for run in runs:
        seeds.update(run.get('struck', {}).keys())
        times.update(run.get('struck', {}))
        planned.update(one.split()[0] for one in run.get('disasters', ()))
    failed = [run['seed'] for run in runs if not run['passed']]
    found = ['%d runs, %d of them with workers, in %d s' % (
        len(runs), sum(run.get('workers', False) for run in runs),
        sum(run.get('all s', 0) for run in runs)),
        '%d failed%s' % (len(failed), ''.join(
            ' %d' % seed for seed in sorted(failed))),
        'clean runs until all was equal: ' + ', '.join(
            '%d in %d runs' % (number, count) for number, count in sorted(
                collections.Counter(
                    run['clean_runs'] for run in runs
                    if 'clean_runs' in run).items())),
        '%d looks and %d downloads of other projects' % (
            sum(run.get('looks', 0) for run in runs),
            sum(run.get('downloads', 0) for run in runs)),
        'Planned: ' + ', '.join('%s %d' % (
            one.__name__, planned[one.__name__]) for one in disasters.ALL),
        'Struck:']
    return found + ['%6d times in %2d runs  %s' % (
        times[what], seeds[what], what) for what in sorted(times)]


def missing(runs: list[Facts]) -> list[str]:
    """Return the required disasters that have not struck in many runs."""
    struck = {what.removesuffix(' in transfer') for run in runs
              for what in run.get('struck', ())}
    return [what for what in _REQUIRED
            if len(runs) >= _MANY and what not in struck]


def main(path: str) -> int:
    """Print the summary; return 1 if a disaster has never struck."""
    with open(path) as stream:
        runs = [json.loads(line) for line in stream]
    print('\n'.join(lines(runs)))
    never = missing(runs)
    for what in never:
        print('NEVER   %s' % what)
    return 1 if never else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
