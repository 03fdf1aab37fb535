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

"""What these tests record of each run, as a line of JSON.

``python -m tools.compatibility`` makes the page of compatibility from it.
"""

import datetime
import importlib.metadata
import json

from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.fixtures import paths

PASSED, FAILED = 'passed', 'failed'
# The libraries whose versions matter most to nova_image.
_LIBRARIES = 'oslo.config', 'oslo.log', 'keystoneauth1', 'requests', 'eventlet'


def write(run: dict[str, str], result: str,
          virtualenv: nova_virtualenv.NovaVirtualenv) -> None:
    """Append a run to the record in the cache.

    :param run: what identifies it: nova_releases.key()
    :param result: PASSED or FAILED
    :param virtualenv: the virtualenv of the Nova, already set up
    """
    line = run | {
        'python': virtualenv.version, 'result': result,
        'date': datetime.date.today().isoformat(),
        'libraries': _libraries(virtualenv)}
    with (paths.below('novas') / 'runs.jsonl').open('a') as stream:
        stream.write(json.dumps(line) + '\n')


def _libraries(virtualenv: nova_virtualenv.NovaVirtualenv) -> dict[str, str]:
    found = {_normal(one.metadata['Name']): one.version
             for one in importlib.metadata.distributions(
                 path=[str(virtualenv.packages)])}
    return {name: found[_normal(name)] for name in _LIBRARIES}


def _normal(name: str) -> str:
    return name.lower().replace('.', '-').replace('_', '-')
