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


"""Random images, stored through one driver and read through both.

The results are equal, except for the listed incompatibilities. This module is
removed together with the v1 driver.
"""

import typing

import hypothesis
from hypothesis import strategies

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import incompatibilities
from nova_image.tests.functional import servers

Image = incompatibilities.Image

#: Glance accepts only characters of the basic multilingual plane. v1 cannot
#: carry control characters at all; another test covers them.
_CHARACTERS = strategies.characters(
    codec='utf-8', exclude_categories=('Cs', 'Cc'), max_codepoint=0xffff)
_TEXT = strategies.text(_CHARACTERS, max_size=20)
_PLAIN = strategies.text('abcABC019 %+&"\'[]{}:,;=\\/', max_size=12)
_NAMES = strategies.one_of(
    strategies.sampled_from(('os_type', 'OS_Type', 'os-type', 'Os-Type',
                             'architecture', 'a:b', 'a b', 'a.b', 'Version')),
    strategies.text('aAbB_-1', min_size=1, max_size=4),
    strategies.sampled_from(incompatibilities.RESERVED))
_VALUES = strategies.one_of(
    _TEXT, _PLAIN, strategies.none(), strategies.booleans(),
    strategies.integers())
_JSON = strategies.recursive(
    strategies.one_of(strategies.none(), strategies.booleans(),
                      strategies.integers(-9, 9), _TEXT),
    lambda inner: strategies.lists(inner, max_size=3) |
    strategies.dictionaries(_PLAIN, inner, max_size=3), max_leaves=5)
_JSON_VALUES = (strategies.lists(strategies.dictionaries(
    _PLAIN, _JSON, max_size=3), max_size=2) | _PLAIN)
_IMAGE_IDS = strategies.one_of(
    strategies.uuids().map(str), strategies.sampled_from((None, '')))


@strategies.composite
def _properties(draw: strategies.DrawFn) -> Image:
    properties: Image = draw(strategies.dictionaries(
        _NAMES, _VALUES, max_size=5))
    properties |= draw(strategies.fixed_dictionaries({}, optional={
        'block_device_mapping': _JSON_VALUES, 'mappings': _JSON_VALUES,
        'kernel_id': _IMAGE_IDS, 'ramdisk_id': _IMAGE_IDS}))
    return properties


_METADATA = strategies.fixed_dictionaries({
    'name': strategies.one_of(strategies.none(), _TEXT, _PLAIN),
    'min_ram': strategies.integers(0, 2 ** 31 - 1),
    'min_disk': strategies.integers(0, 2 ** 31 - 1),
    'is_public': strategies.sampled_from((None, False, True)),
    'properties': _properties(),
}, optional={'size': strategies.just(0)})
#: v1 shows neither the spaces nor the property that has nothing else
_SPACES = {'name': ' ', 'min_ram': 0, 'min_disk': 0, 'is_public': None,
           'properties': {'a': ' ', 'b': ' c ', 'mappings': '  '}}
_FORMATS = strategies.sampled_from((
    {'disk_format': 'raw', 'container_format': 'bare'},
    {'disk_format': 'qcow2', 'container_format': 'ovf'}, {}))
_DATA = strategies.one_of(strategies.none(), strategies.binary(max_size=40))


class DifferentialTest(base.FunctionalTest):
    """Both drivers on one Glance 15."""

    def setUp(self) -> None:
        """Create both drivers."""
        super().setUp()
        glance = servers.glance15()
        self.raw = self.raw_glance(glance.url)
        self.drivers = {name: base.make_driver(name, [glance.url])
                        for name in ('v1', 'v2')}
        self.root = self.admin()

    @hypothesis.settings(max_examples=300, deadline=None, derandomize=True,
                         print_blob=True, database=None)
    @hypothesis.given(strategies.sampled_from(('v1', 'v2')), _METADATA,
                      _FORMATS, _DATA)
    @hypothesis.example('v2', _SPACES, {}, None)
    def test_answers_are_the_same(self, maker: str, meta: Image,
                                  formats: Image,
                                  data: bytes | None) -> None:
        if data is not None and not formats:
            formats = {'disk_format': 'raw', 'container_format': 'bare'}
        meta = meta | formats
        if any(entry.refuses(maker, meta)
               for entry in incompatibilities.INCOMPATIBILITIES):
            self.assertRaises(exception.ImageBadRequest,
                              self.drivers[maker].create, self.root, meta,
                              data)
            self.assertEqual([], self.raw.images())
            return
        image = self.drivers[maker].create(self.root, meta, data)
        try:
            if any(entry.spoils(maker, meta)
                   for entry in incompatibilities.INCOMPATIBILITIES):
                self.assertEqual(image, self._read(
                    'v2', 'show', image['id']))
            else:
                self._compare(maker, image)
        finally:
            self.raw.ask('DELETE', '/v2/images/' + image['id'], 204)

    def _compare(self, maker: str, created: Image) -> None:
        for operation in ('show', 'detail'):
            reading = incompatibilities.Reading(maker, operation)
            answers = {api: self._read(api, operation, created['id'])
                       for api in self.drivers}
            self.assertEqual(set(answers['v1']), set(answers['v2']))
            self.assertEqual(*_made_equal(answers, reading), reading)
            if maker == 'v2' or operation == 'show':
                self.assertEqual(*_made_equal(
                    answers | {maker: created}, reading), reading)

    def _read(self, api: str, operation: str, image_id: str) -> Image:
        driver = self.drivers[api]
        if operation == 'show':
            return driver.show(self.root, image_id)
        # With a limit, v1 does not request another page.
        image, = driver.detail(self.root, limit=1)
        self.assertEqual(image_id, image['id'])
        return image


def _made_equal(answers: dict[str, Image],
                reading: incompatibilities.Reading
                ) -> tuple[typing.Any, typing.Any]:
    """Return v1's result converted to v2's, and v2's converted to v1's."""
    first, second = answers['v1'], answers['v2']
    for entry in incompatibilities.INCOMPATIBILITIES:
        first = entry.as_v2(first, reading)
        second = entry.as_v1(second, reading)
    return first, second
