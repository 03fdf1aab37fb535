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


"""Creating images, with every driver."""

import collections.abc
import copy
import io
import json
import os
import threading

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case
from nova_image.tests.functional import conformance_show as show
from nova_image.tests.functional import loopback

#: larger than any buffer, and not a multiple of one
SIZE = 5 * 1024 * 1024 + 321


def pieces(data: bytes) -> collections.abc.Iterator[bytes]:
    """Yield data in pieces of many sizes, some of them empty."""
    yield b''
    begin, size = 0, 1
    while begin < len(data):
        yield data[begin:begin + size]
        begin, size = begin + size, size * 3
        yield b''


def pipe_of(data: bytes) -> io.BufferedReader:
    """Return the reading end of a pipe that delivers some data."""
    reader, writer = os.pipe()

    def write() -> None:
        with open(writer, 'wb') as stream:
            stream.write(data)

    threading.Thread(target=write).start()
    return open(reader, 'rb')


class Create(case.DriverCase):
    """ImageDriver.create()."""

    def test_create_with_metadata(self) -> None:
        meta = {
            'name': case.UNICODE, 'disk_format': 'qcow2',
            'container_format': 'ovf', 'min_ram': '64', 'min_disk': 3,
            'is_public': False, 'protected': 'True',
            'properties': {'os_type': case.UNICODE, 'count': 5,
                           'auto_disk_config': True,
                           'kernel_id': None, 'ramdisk_id': ''}}
        before = copy.deepcopy(meta)
        image = self.driver.create(self.ctx, meta)
        self.assertEqual(before, meta)
        self.assertShape(image)
        self.assertEqual({'os_type': case.UNICODE, 'count': '5',
                          'auto_disk_config': 'True'}, image['properties'])
        self.assertEqual(image, self.driver.show(self.ctx, image['id']))
        raw = self.raw.image(image['id'])
        self.assertEqual(
            (case.UNICODE, 'qcow2', 'ovf', 64, 3, True, self.project,
             case.UNICODE), tuple(raw[name] for name in (
                 'name', 'disk_format', 'container_format', 'min_ram',
                 'min_disk', 'protected', 'owner', 'os_type')))
        self.assertNotIn('kernel_id', raw)

    def test_unset_metadata_is_left_out(self) -> None:
        image = self.driver.create(self.ctx, dict.fromkeys(
            ('id', 'name', 'disk_format', 'container_format', 'min_ram',
             'min_disk', 'is_public', 'protected', 'owner', 'size',
             'checksum', 'location', 'properties')))
        raw = self.raw.image(image['id'])
        self.assertIsNone(raw['name'])
        self.assertNotEqual('public', raw['visibility'])

    def test_json_properties_are_encoded(self) -> None:
        kernel = base.new_id()
        image = self.make(properties={
            'block_device_mapping': show.DEVICES, 'mappings': [],
            'kernel_id': kernel})
        self.assertEqual({
            'block_device_mapping': show.DEVICES, 'mappings': [],
            'kernel_id': kernel}, image['properties'])
        raw = self.raw.image(image['id'])
        self.assertEqual(show.DEVICES,
                         json.loads(raw['block_device_mapping']))

    def test_case_of_property_names(self) -> None:
        image = self.make(properties={'MixedCase-Name': '1', 'lower': '2'})
        name = ('MixedCase-Name' if self.keeps_property_case
                else 'mixedcase_name')
        self.assertEqual({name: '1', 'lower': '2'}, image['properties'])
        self.assertEqual('1', self.raw.image(image['id'])[name])

    def test_property_names_that_are_also_argument_names(self) -> None:
        names = ('version', 'context', 'method', 'image_id', 'data', 'action',
                 'filters', 'limit', 'headers', 'url')
        image = self.make(properties=dict.fromkeys(names, 'x'))
        self.assertEqual(dict.fromkeys(names, 'x'), image['properties'])

    def test_property_values_that_need_quoting(self) -> None:
        values = {'json': '{"a": ["b c", "%20"]}', 'signs': '%7B+ "\\\'&=;,#',
                  'long': 'ü' * 5000}
        image = self.make(properties=values)
        self.assertEqual(values, image['properties'])
        raw = self.raw.image(image['id'])
        self.assertEqual(values, {name: raw[name] for name in values})

    def test_white_space_in_property_values(self) -> None:
        for value in (' around ', 'two\nlines', '\ttab'):
            if self.keeps_white_space:
                image = self.make(properties={'a': value})
                self.assertEqual({'a': value}, image['properties'])
            else:
                error = self.assertRaises(
                    exception.ImageBadRequest, self.make,
                    properties={'a': value})
                self.assertIn('white space', str(error))

    def test_empty_property_value(self) -> None:
        made = self.make(properties={'empty': '', 'full': 'x'})
        for image in (self.driver.show(self.ctx, made['id']),
                      *self.driver.detail(self.ctx)):
            expected = {'full': 'x'}
            if self.keeps_empty_properties:
                expected['empty'] = ''
            self.assertEqual(expected, image['properties'])

    def test_every_kind_of_data(self) -> None:
        data = os.urandom(SIZE)
        path = os.path.join(self.useFixture(base.folder()).path, 'image')
        with open(path, 'wb') as stream:
            stream.write(data)
        pipe = pipe_of(data)
        self.addCleanup(pipe.close)
        file = self.enter(open(path, 'rb'))
        halfway = self.enter(open(path, 'rb'))
        halfway.seek(SIZE // 2)
        for source, expected in (
                (data, data), (bytearray(data), data), (file, data),
                (io.BytesIO(data), data), (pieces(data), data),
                ([data[:9], data[9:]], data), (pipe, data),
                (halfway, data[SIZE // 2:])):
            image = self.make(source)
            self.assertShape(image)
            self.assertEqual(('active', len(expected)),
                             (image['status'], image['size']))
            self.assertEqual(image, self.driver.show(self.ctx, image['id']))
            self.assertSameBytes(expected, self.raw.data(image['id']))
        self.assertFalse(file.closed)

    def test_empty_data(self) -> None:
        for source in (b'', io.BytesIO(), iter(())):
            image = self.make(source)
            self.assertEqual(('active', 0), (image['status'], image['size']))
            self.assertEqual(b'', b''.join(
                self.driver.download(self.ctx, image['id'])))

    def test_size_zero_without_data(self) -> None:
        for formats in ({}, {'disk_format': 'raw',
                             'container_format': 'bare'}):
            image = self.driver.create(self.ctx, {
                'name': 'empty', 'size': 0, **formats})
            self.assertShape(image)
            self.assertEqual(('active', 0), (image['status'], image['size']))
            self.assertEqual(image, self.driver.show(self.ctx, image['id']))

    def test_size_zero_with_data(self) -> None:
        """Size 0 then means that the size is not known yet."""
        store = self.useFixture(loopback.WebStore(b'elsewhere'))
        for image, size in ((self.make(b'data', size=0), 4),
                            (self.make(size=0, location=store.url), 9)):
            self.assertEqual(('active', size),
                             (image['status'], image['size']))

    def test_create_public_image(self) -> None:
        image = self.make(ctx=self.root, is_public=True)
        self.assertIs(True, image['is_public'])
        self.assertEqual('public', self.raw.image(image['id'])['visibility'])
        self.raw.wipe()
        self.assertRaises(exception.Forbidden, self.make, is_public=True)
        self.assertRaises(exception.Forbidden, self.make, b'data',
                          is_public='true')
        self.assertNothingLeft()

    def test_id_given_by_the_caller(self) -> None:
        image_id = base.new_id()
        self.assertEqual(image_id, self.make(id=image_id)['id'])

    def test_id_that_is_in_use(self) -> None:
        first = self.make(b'the first', name='first',
                          properties={'a': 'b'})
        for data in (None, b'another', iter([b'another'])):
            for ctx in (self.ctx, self.make_context(base.new_id())):
                error = self.assertRaises(
                    exception.ImageConflict, self.make, data, ctx,
                    name='second', id=first['id'])
                self.assertIn(first['id'], str(error))
        self.assertEqual([first], self.driver.detail(self.ctx))
        self.assertEqual(b'the first', self.raw.data(first['id']))

    def test_create_with_location(self) -> None:
        store = self.useFixture(loopback.WebStore(b'elsewhere'))
        image = self.make(location=store.url)
        self.assertShape(image)
        self.assertEqual(('active', 9), (image['status'], image['size']))
        self.assertEqual(b'elsewhere', self.raw.data(image['id']))
        self.assertEqual(image, self.driver.show(self.ctx, image['id']))

    def test_create_with_refused_location(self) -> None:
        for url in ('file:///etc/passwd', 'nonsense', 'no-such-scheme://a/b'):
            self.assertRaises(exception.ImageBadRequest, self.make,
                              location=url)
        self.assertNothingLeft()

    def test_instance_owner_becomes_a_member(self) -> None:
        other = base.new_id()
        meta = {'name': 'snapshot', 'disk_format': 'raw',
                'container_format': 'bare',
                'properties': {'instance_owner': other, 'a': 'b'}}
        before = copy.deepcopy(meta)
        for data in (None, b'data'):
            image = self.driver.create(self.ctx, meta, data)
            self.assertEqual(before, meta)
            self.assertEqual({'a': 'b'}, image['properties'])
            self.assertEqual([other], self.raw.members(image['id']))

    def test_create_with_unknown_attribute(self) -> None:
        error = self.assertRaises(exception.ImageBadRequest, self.make,
                                  nmae='x')
        self.assertIn('nmae', str(error))
        self.assertNothingLeft()
