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

"""Ratios with intervals of confidence, and files that record them."""

import collections.abc
import dataclasses
import json
import pathlib
import random
import statistics
import typing

_RESAMPLES = 2000
# The middle 95 % of the medians of the resampled rounds.
_LOW, _HIGH = 0.025, 0.975


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
