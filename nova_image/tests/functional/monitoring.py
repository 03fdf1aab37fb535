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

"""The examples of monitoring: the queries of the dashboard and of alerts."""

import collections.abc
import json
import pathlib
import re
import typing

import yaml

from nova_image.metrics import catalogue

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / 'examples' / 'monitoring'
DASHBOARD = FOLDER / 'grafana-dashboard.json'
RULES = FOLDER / 'prometheus-rules.yaml'
CONFIG = FOLDER / 'prometheus.yaml'

#: a metric in a query, with its labels
_METRIC = re.compile(r'(nova_image_\w+)(?:\{([^}]*)\})?')
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
_BY = re.compile(r'by\s*\(([^)]*)\)')
_OF_HISTOGRAMS = re.compile('_(bucket|sum|count)$')
#: labels that Prometheus adds, and that of buckets
_ADDED = {'job', 'instance'}


def queries() -> dict[str, str]:
    """Return the queries of the dashboard by panel, as Grafana sends them."""
    found: dict[str, str] = {}
    for panel in json.loads(DASHBOARD.read_text())['panels']:
        for target in panel['targets']:
            found['%s, %s' % (panel['title'], target['refId'])] = (
                target['expr'].replace('$__rate_interval', '1m')
                .replace('$job', '.*'))
    return found


def alerts() -> dict[str, dict[str, typing.Any]]:
    """Return the alert rules by name."""
    groups = yaml.safe_load(RULES.read_text())['groups']
    return {rule['alert']: rule for group in groups
            for rule in group['rules']}


def metrics_in(query: str) -> set[str]:
    """Return the names of a query's metrics, as in the catalogue."""
    return {_name(name) for name, _ in _METRIC.findall(query)}


def _name(name: str) -> str:
    histograms = {metric.name for metric in catalogue.ALL
                  if metric.kind == 'histogram'}
    short = _OF_HISTOGRAMS.sub('', name)
    return short if short in histograms else name


def problems_of(query: str) -> collections.abc.Iterator[str]:
    """Yield what a query asks for and the catalogue does not have."""
    known = {metric.name: metric for metric in catalogue.ALL}
    used: set[str] = set(_ADDED)
    for name, matchers in _METRIC.findall(query):
        metric = known.get(_name(name))
        if metric is None:
            yield 'no metric is called %s' % name
            continue
        if (metric.kind == 'histogram') == (_name(name) == name):
            yield '%s is a %s' % (name, metric.kind)
        labels = set(metric.labels)
        if metric.kind == 'histogram':
            labels.add('le')
        used |= labels
        for label, _ in _MATCHER.findall(matchers):
            if label not in labels | _ADDED:
                yield '%s has no label %s' % (name, label)
    for group in _BY.findall(query):
        for label in group.split(','):
            if label.strip() not in used:
                yield 'nothing has the label %s' % label.strip()
