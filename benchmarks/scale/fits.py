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

"""Fits lines and powers to the points of a curve, and finds its bend; pure.

All points count equally: what is minimised are relative deviations, because a
curve spans several powers of ten, and its largest point would decide
everything.
"""

import math
import statistics
import typing

# Points deviate by this share of their median before it means anything.
_NOISE = 0.1
# A line through fewer points says nothing.
_FEWEST = 3


class Point(typing.NamedTuple):
    """A point of a curve.

    :ivar x: the number of images, properties, MiB or threads
    :ivar values: the measured value of each round, in seconds or bytes
    """

    x: float
    values: tuple[float, ...]

    @property
    def y(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)

    def interval(self, floor: float = 0) -> tuple[float, float]:
        """Return the least and the largest value that may be the true one.

        These are the extremes of the rounds, but at least a tenth of the
        median to both sides.

        :param floor: the least distance from the median, in the unit of y
        """
        noise = max(floor, _NOISE * self.y)
        return (min(*self.values, self.y - noise),
                max(*self.values, self.y + noise))


class Line(typing.NamedTuple):
    """A line ``start + slope * x``, and how well it fits.

    ``r2`` is the coefficient of determination with the weights of the fit;
    NaN if all values are equal or there are fewer than three points.
    """

    start: float
    slope: float
    r2: float

    def at(self, x: float) -> float:
        """Return the value of the line."""
        return self.start + self.slope * x


class Power(typing.NamedTuple):
    """A power law: y grows with ``x ** exponent``; ``r2`` is of the logs."""

    exponent: float
    r2: float


class Fit(typing.NamedTuple):
    """All that is known about the growth of a curve.

    :ivar line: the line through the points before the bend, or through all;
        None if there are fewer than three of them
    :ivar bend: x of the first point that is off the line, or None
    :ivar after: the line through the last point before the bend and those
        after it; None without a bend, or with fewer than three points
    :ivar power: the power law of all points
    :ivar tail: the power law of the points of ``after``, or None
    :ivar off: the last point, divided by the value of ``line`` there; None
        without a line
    """

    line: Line | None
    bend: float | None
    after: Line | None
    power: Power | None
    tail: Power | None
    off: float | None


def line(points: list[Point], floor: float = 0) -> Line:
    """Return the line with the least relative deviations.

    :param points: two or more points of different x
    :param floor: values below this count as much as if they were it
    """
    weights = [1 / max(abs(point.y), floor or 1e-12) ** 2
               for point in points]
    return _line([point.x for point in points],
                 [point.y for point in points], weights)


def power(points: list[Point]) -> Power | None:
    """Return the power law, by a line through the logarithms.

    :param points: the points; those that are not above zero are left out
    :returns: the power law; None if fewer than three points are left
    """
    positive = [point for point in points if point.x > 0 and point.y > 0]
    if len(positive) < _FEWEST:
        return None
    found = _line([math.log(point.x) for point in positive],
                  [math.log(point.y) for point in positive],
                  [1.0] * len(positive))
    return Power(found.slope, found.r2)


def fit(points: list[Point], floor: float = 0) -> Fit:
    """Fit a curve.

    :param points: the points in ascending order of x
    :param floor: differences below this mean nothing, in the unit of y
    """
    index = bend(points, floor)
    before = points[:index]
    tail = [] if index is None else points[index - 1:]
    first = line(before, floor) if len(before) >= _FEWEST else None
    at_last = first.at(points[-1].x) if first else 0
    return Fit(first, None if index is None else points[index].x,
               line(tail, floor) if len(tail) >= _FEWEST else None,
               power(points), power(tail),
               points[-1].y / at_last if at_last > 0 else None)


def bend(points: list[Point], floor: float = 0) -> int | None:
    """Return the index of the first point that is off the line.

    A point is off if there is no line that passes through its interval and
    those of all points before it. So a bend is not noise, and does not
    depend on how a line is fitted to the points before it.

    :param points: the points in ascending order of x
    :param floor: the least distance of an interval's ends from its median
    """
    for number in range(_FEWEST, len(points) + 1):
        if not _is_straight(points[:number], floor):
            return number - 1
    return None


def _is_straight(points: list[Point], floor: float) -> bool:
    """Return whether a line passes through the intervals of all points.

    If there is one, there is also one through the ends of two intervals.
    """
    ends = [(point.x, *point.interval(floor)) for point in points]
    return any(
        all(low <= _through(x, one, other) + 1e-9 * abs(high)
            and _through(x, one, other) <= high + 1e-9 * abs(high)
            for x, low, high in ends)
        for number, (x1, *first) in enumerate(ends)
        for x2, *second in ends[number + 1:]
        for one in ((x1, end) for end in first)
        for other in ((x2, end) for end in second))


def _through(x: float, one: tuple[float, float],
             other: tuple[float, float]) -> float:
    """Return the value at x of the line through two points."""
    slope = (other[1] - one[1]) / (other[0] - one[0])
    return one[1] + slope * (x - one[0])


def _line(x: list[float], y: list[float], weights: list[float]) -> Line:
    """Return the line with the least squares of deviations."""
    def mean(values: typing.Iterable[float]) -> float:
        return sum(weight * value for weight, value in zip(
            weights, values, strict=True)) / sum(weights)

    x0, y0 = mean(x), mean(y)
    slope = (mean((one - x0) * (other - y0) for one, other in zip(
        x, y, strict=True)) / mean((one - x0) ** 2 for one in x))
    start = y0 - slope * x0
    total = mean((one - y0) ** 2 for one in y)
    rest = mean((other - start - slope * one) ** 2 for one, other in zip(
        x, y, strict=True))
    # Equal values differ by rounding.
    known = len(y) >= _FEWEST and total > 1e-20 * mean(one ** 2 for one in y)
    return Line(start, slope, 1 - rest / total if known else math.nan)
