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

"""Compares the ratios of a run with those of an earlier one."""

import collections.abc
import typing

from benchmarks.common import confidence

#: measures that are compared; the memory of a short run says little
MEASURES = ('wall', 'cpu', 'requests')
# Seconds; the clock of a shorter operation of the peer is too coarse.
_SHORTEST = 0.005
# Two runs of the same code differ by that much: their processes start again,
# with other addresses and another order of files on the disk.
_BETWEEN_RUNS = 1.05


class Change(typing.NamedTuple):
    """A ratio, today and when it was recorded.

    :ivar name: such as ``metadata/show/cpu``
    :ivar recorded: None if it was not recorded
    """

    name: str
    today: confidence.Ratio
    recorded: confidence.Ratio | None

    @property
    def verdict(self) -> str:
        """``worse`` or ``better`` by more than noise, ``same`` or ``new``."""
        if self.recorded is None:
            return 'new'
        # The number of requests has no noise.
        slack = 1.0 if self.name.endswith('/requests') else _BETWEEN_RUNS
        if self.today.low > self.recorded.high * slack:
            return 'worse'
        return ('better' if self.today.high * slack < self.recorded.low
                else 'same')


def ratios_of(name: str, figures: dict[str, typing.Any],
              ours: collections.abc.Container[str]
              ) -> collections.abc.Iterator[tuple[str, confidence.Ratio]]:
    """Yield the ratios of a benchmark to its peers, by name.

    Both contenders of a ratio ran in the same round, and so under the same
    load.

    :param name: the name of the benchmark
    :param figures: its JSON file
    :param ours: the contenders to compare with the operation's standard
    """
    for operation, found in figures['operations'].items():
        standard = found['contenders'][found['standard']]['rounds']
        for contender in found['contenders'].keys() - {found['standard']}:
            if contender not in ours:
                continue
            rounds = found['contenders'][contender]['rounds']
            for measure in MEASURES:
                pairs = [(mine[measure], other[measure])
                         for mine, other in zip(
                             rounds, standard, strict=True)]
                least = 1 if measure == 'requests' else _SHORTEST
                if pairs and all(other >= least for _, other in pairs):
                    yield ('/'.join((name, operation, contender, measure)),
                           confidence.interval(
                               [mine / other for mine, other in pairs]))


def changes(today: dict[str, confidence.Ratio],
            recorded: dict[str, confidence.Ratio]) -> list[Change]:
    """Return the changes of all ratios of today, by name."""
    return [Change(name, ratio, recorded.get(name))
            for name, ratio in sorted(today.items())]


def table(found: collections.abc.Iterable[Change]) -> str:
    """Return the changes as a table, the worse ones last."""
    order = 'same', 'better', 'new', 'worse'
    rows = sorted(found, key=lambda one: (order.index(one.verdict), one.name))
    width = max((len(one.name) for one in rows), default=0)
    return '\n'.join('%-6s  %-*s  %-24s  recorded %s' % (
        one.verdict.upper() if one.verdict == 'worse' else one.verdict,
        width, one.name, one.today, one.recorded or 'never') for one in rows)
