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

"""The figures of all curves, as they are kept in a JSON file."""

import json
import pathlib
import typing

from benchmarks.common import race
from benchmarks.scale import curves
from benchmarks.scale import fits

#: Point -> contender -> measures of each round.
Points = dict[int, dict[str, list[race.Measures]]]
#: The measures with fits -> differences that mean nothing, in seconds and
#: bytes. Memory is allocated in pieces of about that size.
FLOORS = {'wall': 0.001, 'cpu': 0.001, 'glance': 0.001,
          'memory': float(1024 ** 2)}


class Figures:
    """The figures of a run, or of several ones.

    :ivar facts: the machine, its speeds and load, versions, ``rounds`` and
        ``seconds``
    :ivar curves: name of a curve -> its points
    """

    def __init__(self, facts: dict[str, typing.Any] | None = None,
                 curves: dict[str, Points] | None = None) -> None:
        """Collect figures.

        :param facts: the facts
        :param curves: the points of each curve
        """
        self.facts = dict(facts or {})
        self.curves = dict(curves or {})

    def add(self, other: 'Figures') -> None:
        """Add the points of a later run, which replace those of this one."""
        versions = (self.facts.get('versions', {})
                    | other.facts.get('versions', {}))
        self.facts |= other.facts | {'versions': versions}
        for name, points in other.curves.items():
            mine = self.curves.get(name, {}) | points
            self.curves[name] = dict(sorted(mine.items()))

    def names(self, curve: str) -> list[str]:
        """Return the contenders of a curve, in the order of the tables."""
        found = {name for rounds in self.curves[curve].values()
                 for name in rounds}
        return [name for name in curves.CURVES[curve].contenders
                if name in found]

    def points(self, curve: str, name: str, measure: str
               ) -> list[fits.Point]:
        """Return the points of a contender."""
        return [fits.Point(x, tuple(one[measure] for one in rounds[name]))
                for x, rounds in self.curves[curve].items()
                if rounds.get(name)]

    def fit(self, curve: str, name: str, measure: str) -> fits.Fit:
        """Return how a measure of a contender grows."""
        return fits.fit(self.points(curve, name, measure), FLOORS[measure])

    def write(self, path: pathlib.Path) -> None:
        """Write the figures and their fits to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.facts | {
            'curves': self.curves, 'fits': {
                curve: {name: {measure: _as_json(
                    self.fit(curve, name, measure)) for measure in FLOORS}
                    for name in self.names(curve)}
                for curve in self.curves}}, indent=1) + '\n')


def read(path: pathlib.Path) -> Figures:
    """Return the figures of a file.

    :param path: a file that Figures.write() has written
    :raises Broken: if there is none
    """
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise race.Broken('%s has no figures: %s' % (path, error)) from error
    facts.pop('fits')
    return Figures(facts, {
        name: {int(x): rounds for x, rounds in points.items()}
        for name, points in facts.pop('curves').items()})


def _as_json(fit: fits.Fit) -> dict[str, typing.Any]:
    return {name: value._asdict() if hasattr(value, '_asdict') else value
            for name, value in fit._asdict().items()}
