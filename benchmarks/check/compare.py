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
import dataclasses
import json
import pathlib
import random
import statistics
import typing

#: measures that are compared; the memory of a short run says little
MEASURES = ('wall', 'cpu', 'requests')
# Seconds; the clock of a shorter operation of the peer is too coarse.
_SHORTEST = 0.005
_RESAMPLES = 2000
# The middle 95 % of the medians of the resampled rounds.
_LOW, _HIGH = 0.025, 0.975
# Two runs of the same code differ by that much: their processes start again,
# with other addresses and another order of files on the disk.
_BETWEEN_RUNS = 1.05


class Unusable(Exception):
    """A file with recorded ratios cannot be used."""


@dataclasses.dataclass(frozen=True)
class Ratio:
    """A ratio to a peer, with its interval of confidence of 95 %.

    :ivar value: the median of the rounds' ratios
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the ratio for a table, such as ``0.81 (0.79 to 0.84)``."""
        return '%.3g (%.3g to %.3g)' % (self.value, self.low, self.high)


class Change(typing.NamedTuple):
    """A ratio, today and when it was recorded.

    :ivar name: such as ``metadata/show/cpu``
    :ivar recorded: None if it was not recorded
    """

    name: str
    today: Ratio
    recorded: Ratio | None

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


def interval(ratios: collections.abc.Sequence[float]) -> Ratio:
    """Return the median of the rounds' ratios with a bootstrap interval.

    The rounds are drawn with replacement, with a fixed seed: the same rounds
    have the same interval.

    :param ratios: the ratio of each round, at least one
    """
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios)))
                     for _ in range(_RESAMPLES))
    return Ratio(statistics.median(ratios), medians[int(_LOW * _RESAMPLES)],
                 medians[int(_HIGH * _RESAMPLES) - 1])


def ratios_of(name: str, figures: dict[str, typing.Any],
              ours: collections.abc.Container[str]
              ) -> collections.abc.Iterator[tuple[str, Ratio]]:
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
                           interval([mine / other for mine, other in pairs]))


def changes(today: dict[str, Ratio], recorded: dict[str, Ratio]
            ) -> list[Change]:
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


def write(path: pathlib.Path, machine: dict[str, typing.Any],
          ratios: dict[str, Ratio]) -> None:
    """Record ratios.

    :param path: the file
    :param machine: facts about the machine, see results.machine()
    :param ratios: name -> ratio
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        'machine': machine,
        'ratios': {name: dataclasses.asdict(ratio)
                   for name, ratio in sorted(ratios.items())}},
        indent=1) + '\n')


def read(path: pathlib.Path
         ) -> tuple[dict[str, typing.Any], dict[str, Ratio]]:
    """Return the machine and the ratios that write() recorded.

    :raises Unusable: if the file is missing or is not of that form
    """
    try:
        found = json.loads(path.read_text())
        return dict(found['machine']), {
            name: Ratio(float(ratio['value']), float(ratio['low']),
                        float(ratio['high']))
            for name, ratio in found['ratios'].items()}
    except OSError as error:
        raise Unusable('%s: %s' % (path, error.strerror)) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unusable('%s has no recorded ratios' % path) from error
