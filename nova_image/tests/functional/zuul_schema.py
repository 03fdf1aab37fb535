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


"""Judges a Zuul configuration by Zuul's own schema; prints what is wrong.

Usage: ``zuul_schema.py FILE``. Run by the Python of a virtualenv that has
zuul, which has no command for this without a whole tenant. The exit status
is 1 if anything is wrong.
"""

import collections.abc
import sys
import typing

import voluptuous
import yaml
from zuul import configloader

Item = dict[str, typing.Any]

_SCHEMAS = {
    'job': configloader.JobParser.schema,
    'project': configloader.ProjectParser(None).schema,
    'project-template': configloader.ProjectTemplateParser(None).schema,
}
_REGEXES = ('branches', 'files', 'irrelevant-files')


def faults(items: list[dict[str, Item]]) -> collections.abc.Iterator[str]:
    """Look at the items of a configuration.

    :param items: what the file holds
    :returns: a line for each fault
    """
    for item in items:
        for kind, body in item.items():
            if kind not in _SCHEMAS:
                yield '%s: nothing that is known here' % kind
                continue
            where = '%s %s' % (kind, body.get('name', ''))
            yield from (where + ': ' + fault
                        for fault in _faults(_SCHEMAS[kind], body))


def _faults(schema: voluptuous.Schema, body: Item
            ) -> collections.abc.Iterator[str]:
    try:
        schema(body)
    except voluptuous.MultipleInvalid as error:
        yield from map(str, error.errors)
    for name in _REGEXES:
        for regex in configloader.as_list(body.get(name)):
            failure = configloader.make_regex(regex).re2_failure_message
            if failure:
                yield '%s: %s' % (regex, failure)


def main(path: str) -> bool:
    """Print the faults of a file.

    :param path: the configuration
    :returns: whether there are any
    """
    with open(path) as stream:
        found = list(faults(yaml.safe_load(stream)))
    print('\n'.join(found))
    return bool(found)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
