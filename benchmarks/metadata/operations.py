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

"""The measured operations, and the budgets of the project's design."""

import random

from benchmarks.common import race
from benchmarks.common import results

BUDGETS = (
    results.Budget('show', 'wall', 0.65),
    results.Budget('show', 'cpu', 0.5),
    results.Budget('detail', 'cpu', 0.1),
)
# The number of images that a contender shows in one turn.
_TURN = 25
_PAGE_SIZE = 1000


def operations(image_ids: list[str], shows: int) -> list[race.Operation]:
    """Return the operations.

    :param image_ids: the IDs of all images
    :param shows: the number of images to show in one round
    """
    wanted = random.Random(1).sample(image_ids, min(shows, len(image_ids)))
    lists = {'task': 'detail', 'images': len(image_ids)}
    return [
        race.Operation(
            'show', 'show %d images, one at a time' % len(wanted), tuple(
                {'task': 'show', 'image_ids': wanted[start:start + _TURN]}
                for start in range(0, len(wanted), _TURN))),
        race.Operation('detail', 'list %d images' % len(image_ids),
                       (lists | {'page_size': None},)),
        race.Operation('detail-%d' % _PAGE_SIZE,
                       'list %d images in pages of %d' % (
                           len(image_ids), _PAGE_SIZE),
                       (lists | {'page_size': _PAGE_SIZE},)),
    ]
