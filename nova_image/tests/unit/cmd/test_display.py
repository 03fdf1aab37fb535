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

"""Values in the output."""

import datetime

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import display

IMAGE = {
    'id': 'ID', 'name': 'disk', 'status': 'active', 'size': 64 * 1024 ** 2,
    'min_disk': 0, 'min_ram': 0, 'disk_format': 'raw',
    'container_format': 'bare', 'checksum': None, 'owner': 'me',
    'is_public': False,
    'created_at': datetime.datetime(2026, 1, 31, 12, 0, 5),
    'updated_at': None, 'deleted': False, 'deleted_at': None,
    'properties': {'b': '1', 'a': '2'}, 'visibility': 'shared',
    'protected': False, 'tags': ['b', 'a'], 'virtual_size': None,
    'os_hidden': False, 'os_hash_algo': 'sha512', 'os_hash_value': 'ab' * 64,
    'stores': None}


class TestValues(case.TestCase):
    """The formats of values."""

    def test_sizes(self):
        self.assertEqual(
            ['0 B', '1023 B', '1.0 KiB', '1.5 MiB', '8.0 EiB', '1.0 PiB'],
            [display.human_size(number) for number in (
                0, 1023, 1024, 3 * 512 * 1024, 2 ** 63, 2 ** 50)])

    def test_formats_for_people_and_programs(self):
        shown = display.details(IMAGE)
        self.assertEqual('67108864 (64.0 MiB)',
                         shown['size'].human_readable())
        self.assertEqual(64 * 1024 ** 2, shown['size'].machine_readable())
        self.assertEqual('a=2\nb=1', shown['properties'].human_readable())
        self.assertEqual({'a': '2', 'b': '1'},
                         shown['properties'].machine_readable())
        self.assertEqual('2026-01-31T12:00:05Z', shown['created_at'])

    def test_all_fields_in_order(self):
        self.assertEqual(list(display.FIELDS), list(display.details(IMAGE)))
        self.assertEqual(set(display.FIELDS), set(IMAGE))

    def test_row(self):
        name, size = display.row(IMAGE, ('name', 'size'))
        self.assertEqual(('disk', '64.0 MiB'), (name, str(size)))

    def test_tags_are_sorted(self):
        tags = display.details(IMAGE)['tags']
        self.assertEqual(('a, b', ['a', 'b']),
                         (str(tags), tags.machine_readable()))

    def test_fields_that_an_api_lacks(self):
        image = dict(IMAGE, tags=None)
        del image['os_hidden'], image['os_hash_value']
        names = ('tags', 'os_hidden', 'os_hash_value', 'virtual_size')
        self.assertEqual((None,) * 4, display.row(image, names))
        self.assertEqual([None] * 4, [display.details(image)[name]
                                      for name in names])

    def test_hash(self):
        self.assertEqual('ab' * 64, display.details(IMAGE)['os_hash_value'])
        (short,) = display.row(IMAGE, ('os_hash_value',))
        self.assertEqual(('abababababab...', 'ab' * 64),
                         (str(short), short.machine_readable()))

    def test_formats_of_imports(self):
        self.assertEqual('fast, slow',
                         str(display.Names(['fast', 'slow'])))
        self.assertEqual('disk_format: qcow2 -> raw', str(
            display.Changes({'disk_format': ('qcow2', 'raw')})))
