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
"""Tests of nova_image.image.glance_v2: images without data."""

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
GLANCE33 = case.GLANCE33
IMAGES = case.IMAGES
META = case.META


class TestEmpty(case.DriverTestCase):
    """create() of an image without data sends POST, PUT and GET."""

    def _create(self, **meta):
        meta = dict({'id': recordings.EMPTY, 'size': 0}, **meta)
        self.glance.answers(case.created, GLANCE33('upload_204'),
                            GLANCE33('show_empty'))
        image = self.service.create(self.context, meta)
        self.assertEqual(('active', 0), (image['status'], image['size']))
        return next(call for call in reversed(self.glance.calls)
                    if call.method == 'POST')

    def _formats(self, call):
        sent = recordings.Answer(content=call.body).json
        return sent['disk_format'], sent['container_format']

    def _calls(self):
        return [('POST', IMAGES), ('PUT', case.path(recordings.EMPTY, 'file')),
                ('GET', case.path(recordings.EMPTY))]

    def test_the_callers_formats_are_sent(self):
        call = self._create(disk_format='qcow2', container_format='ovf')
        self.assertEqual(('qcow2', 'ovf'), self._formats(call))
        self.assert_calls(self._calls())
        self.assertEqual(b'', self.glance.calls[1].body)

    def test_the_schema_is_read_once(self):
        self.glance.answers(GLANCE33('schema'))
        self.assertEqual(('raw', 'bare'), self._formats(self._create()))
        self.service = self.driver()
        self._create()
        self.assert_calls([('GET', '/v2/schemas/image')] +
                          self._calls() * 2)

    def test_the_schema_is_read_for_each_glance(self):
        self.glance.answers(GLANCE33('schema'))
        self._create()
        self.set(api_servers=['http://other'])
        self.service = self.driver()
        self.glance.answers(GLANCE15('schema'))
        self._create()
        self.assert_calls(([('GET', '/v2/schemas/image')] +
                           self._calls()) * 2)

    def _offer(self, *offered, **more):
        schema = GLANCE33('schema').json
        for name, formats in dict(more, disk_format=offered).items():
            schema['properties'][name]['enum'] = list(formats)
        self.glance.answers(GLANCE33('schema').saying(schema))

    def _chosen(self, *offered, **more):
        base.endpoint._KNOWLEDGE.clear()
        self._offer(*offered, **more)
        return self._formats(self._create())[1 if more else 0]

    def test_the_preferred_disk_format_on_offer_is_chosen(self):
        self.assertEqual('raw', self._chosen(None, 'vmdk', 'qcow2', 'raw'))
        self.assertEqual('qcow2', self._chosen(None, 'vmdk', 'vhd', 'qcow2'))
        self.assertEqual('vhd', self._chosen('vmdk', 'vhd'))
        self.assertEqual('vmdk', self._chosen('iso', 'vmdk'))
        self.assertEqual('iso', self._chosen(None, 'iso'))
        self.assertEqual('raw', self._chosen())

    def test_the_preferred_container_format_on_offer_is_chosen(self):
        for offered, chosen in (((None, 'ovf', 'bare'), 'bare'),
                                ((None, 'ovf', 'ova'), 'ovf'),
                                ((), 'bare')):
            self.assertEqual(chosen, self._chosen(container_format=offered))

    def test_only_missing_formats_are_chosen(self):
        self.glance.answers(GLANCE33('schema'))
        self.assertEqual(('raw', 'ovf'), self._formats(
            self._create(container_format='ovf')))
        self.assertEqual(('vmdk', 'bare'), self._formats(
            self._create(disk_format='vmdk')))

    def test_a_refused_default_format_is_explained_and_forgotten(self):
        """The error names the options; their new values are used at once."""
        for _ in range(2):
            self._offer('vhd')
            self.glance.answers(case.created, GLANCE33('empty_415'),
                                GLANCE33('delete_204'))
            error = self.assert_raises(
                exception.ImageBadRequest, 'create',
                {'id': recordings.EMPTY, 'size': 0})
            for word in ('disk_formats', 'require_image_format_match'):
                self.assertIn(word, six.text_type(error))
        self._offer('raw')
        self.assertEqual('raw', self._formats(self._create())[0])

    def test_a_refused_format_of_the_caller_is_explained(self):
        self.glance.answers(GLANCE33('schema'))
        self._create()
        named = {'id': recordings.EMPTY, 'size': 0, 'disk_format': 'qcow2',
                 'container_format': 'bare'}
        self.glance.answers(case.created, GLANCE33('empty_415'),
                            GLANCE33('delete_204'))
        error = self.assert_raises(exception.ImageBadRequest, 'create', named)
        self.assertIn('set disk_format to raw', six.text_type(error))
        self._create()  # without another request for the schema

    def test_another_refusal_has_no_advice_about_formats(self):
        self.glance.answers(GLANCE33('schema'), GLANCE33('create_400'))
        error = self.assert_raises(exception.ImageBadRequest, 'create',
                                   {'size': 0, 'properties': {'a': 'b'}})
        self.assertNotIn('only as raw', six.text_type(error))

    def test_a_size_of_none_does_not_make_an_empty_image(self):
        self.glance.answers(case.created)
        self.service.create(self.context, dict(META, size=None))
        self.assert_calls([('POST', IMAGES)])
