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

"""Tests of the driver for the Images API v1; removed with it."""

import copy
import datetime
import hashlib
import io
import os

from castellan.common.objects import x_509
import fixtures
import mock
import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image.transfer import signature_case
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v1')
ACTIVE, QUEUED, ABSENT = (recordings.ACTIVE, recordings.QUEUED,
                          recordings.ABSENT)
DATA = recordings.DATA
IMAGES = '/v1/images'
META = {'id': ACTIVE, 'name': recordings.NAME, 'disk_format': 'raw',
        'container_format': 'bare'}


def path(image_id, *rest):
    """Return the path of an image."""
    return '/'.join((IMAGES, image_id) + rest)


class DriverTestCase(base.TestCase):
    """Base class: ``service`` is the driver."""

    def setUp(self):
        super(DriverTestCase, self).setUp()
        self.set(use_glance_v1=True)
        self.service = self.driver()

    def assert_raises(self, kind, method, *args, **kwargs):
        """Assert that a call of the driver raises; return the error."""
        return self.assertRaises(kind, getattr(self.service, method),
                                 self.context, *args, **kwargs)

    def sent_meta(self, number=0):
        """Return the metadata of a request, as Glance reads its headers."""
        found = {}
        for name, value in self.glance.calls[number].headers.items():
            if not isinstance(value, bytes):
                value = value.encode('latin-1')  # as http.client does
            if isinstance(name, bytes):
                name = name.decode('ascii')
            if name.startswith('x-image-meta-'):
                found[name[len('x-image-meta-'):]] = value.decode('utf-8')
        return found

    def purge(self, number):
        """Return whether a request purges properties that it does not name."""
        value = self.glance.calls[number].headers[
            'x-glance-registry-purge-props']
        return value.decode('ascii') if isinstance(value, bytes) else value


class TestLoading(DriverTestCase):
    """The deprecation of the driver."""

    def test_the_deprecation_is_logged_once(self):
        (line,) = self.warnings()
        self.assertIn('v1 is in use', line)
        self.assertIn('use_glance_v1', line)
        self.assertEqual('GlanceImageService', type(self.service).__name__)


class TestShow(DriverTestCase):
    """show() sends one HEAD."""

    def _show(self, answer, image_id=ACTIVE, **kwargs):
        self.glance.answers(answer)
        return self.service.show(self.context, image_id, **kwargs)

    def test_an_active_image_is_translated(self):
        image = self._show(GLANCE15('show_active'))
        for name in ('created_at', 'updated_at'):
            value = image.pop(name)
            self.assertEqual(datetime.timedelta(0), value.utcoffset())
            self.assertEqual(datetime.datetime(2026, 11, 21, 2, 16, 28),
                             value.replace(tzinfo=None))
        self.assertEqual({
            'id': ACTIVE, 'name': recordings.NAME, 'status': 'active',
            'size': 100, 'min_disk': 1, 'min_ram': 512, 'disk_format': 'raw',
            'container_format': 'bare',
            'checksum': '7a08b07e84641703e5f2c836aa59a170',
            'owner': 'a-project', 'is_public': False, 'deleted': False,
            'deleted_at': None, 'properties': {
                'os_type': 'linux', 'kernel_id': recordings.KERNEL,
                'description': recordings.NAME, 'block_device_mapping': [
                    {'device_name': '/dev/vda', 'boot_index': 0}]}}, image)
        self.assert_calls([('HEAD', path(ACTIVE))])

    def test_missing_headers_become_none(self):
        image = self._show(GLANCE15('show_queued'))
        self.assertEqual(
            (None, None, 0, 'queued'),
            (image['name'], image['checksum'], image['size'],
             image['status']))
        image = self._show(GLANCE15('show_empty'))
        self.assertEqual((None, None, 'active'), (
            image['disk_format'], image['container_format'],
            image['status']))

    def test_the_error_names_a_missing_image_although_v1_does_not(self):
        self.glance.answers(GLANCE15('show_404'))
        error = self.assert_raises(exception.ImageNotFound, 'show', ABSENT)
        self.assertIn(ABSENT, six.text_type(error))

    def test_a_deleted_image_is_shown_unless_excluded(self):
        image = self._show(GLANCE15('show_deleted'), QUEUED)
        self.assertIs(True, image['deleted'])
        self.assertIsNotNone(image['deleted_at'])
        self.glance.answers(GLANCE15('show_deleted'))
        self.assert_raises(exception.ImageNotFound, 'show', QUEUED,
                           show_deleted=False)

    def test_locations_are_always_empty(self):
        self.assertEqual([], self._show(
            GLANCE15('show_active'), include_locations=True)['locations'])
        self.assertNotIn('locations', self._show(GLANCE15('show_active')))

    def test_invalid_json_stays_text(self):
        name = 'X-Image-Meta-Property-Mappings'
        for text in ('[{', 'none'):
            image = self._show(GLANCE15('show_active').changed(
                headers={name: text}))
            self.assertEqual(text, image['properties']['mappings'])

    def test_a_login_page_is_a_bad_answer(self):
        self.glance.answers(recordings.Answer(
            200, {'Content-Type': 'text/html'}))
        error = self.assert_raises(exception.GlanceBadAnswer, 'show', ACTIVE)
        self.assertIn('no image metadata', six.text_type(error))

    def test_a_glance_without_v1_raises_version_not_served(self):
        self.glance.answers(GLANCE15('disabled_300'))
        error = self.assert_raises(exception.GlanceVersionNotServed, 'show',
                                   ACTIVE)
        self.assertIn('use_glance_v1', six.text_type(error))

    def test_without_keystone_images_of_other_projects_are_not_found(self):
        self.without_keystone(project_id='another')
        self.glance.answers(GLANCE15('show_active'))
        self.assert_raises(exception.ImageNotFound, 'show', ACTIVE)

    def test_invalid_ids_are_not_found_and_others_are_encoded(self):
        for image_id in ('', '.', '..', u'\u65e5'):
            self.assert_raises(exception.ImageNotFound, 'show', image_id)
        self.assert_calls([])
        self.glance.answers(GLANCE15('show_404'))
        self.assert_raises(exception.ImageNotFound, 'show', 'a/b?c')
        self.assert_calls([('HEAD', path('a%2Fb%3Fc'))])


class TestDetail(DriverTestCase):
    """detail() sends a request for each page."""

    def _detail(self, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.detail(self.context, **kwargs)

    def _query(self, **filters):
        before = copy.deepcopy(filters)
        self._detail(GLANCE15('list_none'), filters=filters)
        self.assertEqual(before, filters)
        return self.glance.calls[-1].path.split('/detail?')[1].replace(
            '&limit=1000', '')

    def _pages(self, count, size=1000):
        raw = GLANCE15('list').json['images'][1]
        for start in range(0, count, size):
            yield GLANCE15('list').saying({'images': [
                dict(raw, id='%d' % number)
                for number in range(start, min(start + size, count))]})

    def test_images_equal_those_of_show(self):
        images = self._detail(GLANCE15('list'), GLANCE15('list_none'))
        self.glance.answers(GLANCE15('show_active'), GLANCE15('show_empty'))
        self.assertEqual(
            [self.service.show(self.context, image_id)
             for image_id in (ACTIVE, recordings.EMPTY)],
            [images[0], images[3]])

    def test_2500_images_in_3_requests(self):
        images = self._detail(*self._pages(2500))
        self.assertEqual(['%d' % number for number in range(2500)],
                         [image['id'] for image in images])
        query = IMAGES + '/detail?is_public=none&limit=1000'
        self.assert_calls([('GET', query), ('GET', query + '&marker=999'),
                           ('GET', query + '&marker=1999')])

    def test_a_smaller_page_size_of_glance_is_remembered(self):
        images = self._detail(*self._pages(60, 25))
        self.assertEqual(60, len(images))
        self.assertEqual(3, len(self.glance.calls))
        # the size of a page is remembered
        self.assertEqual(10, len(self._detail(*self._pages(10, 25))))
        self.assertEqual(4, len(self.glance.calls))

    def test_limit_marker_and_sorting_are_sent(self):
        images = self._detail(*self._pages(5, 5), limit=5, marker='ID',
                              sort_key='name', sort_dir=['asc'])
        self.assertEqual(5, len(images))
        self.assert_calls([(
            'GET', IMAGES + '/detail?is_public=none&sort_key=name&'
            'sort_dir=asc&limit=5&marker=ID')])

    def test_values_with_a_colon_are_sent_unchanged(self):
        self.assertEqual('is_public=none&name=eq%3Aubuntu%3A22.04',
                         self._query(name='ubuntu:22.04'))
        self.assertEqual('is_public=none&property-a=b%3Ac',
                         self._query(**{'property-a': 'b:c'}))

    def test_two_sort_keys_are_not_supported(self):
        self.assert_raises(exception.ImageActionNotSupported, 'detail',
                           sort_key=['name', 'id'])

    def test_is_public_is_translated(self):
        for value, expected in (
                (None, 'none'), ('none', 'none'), ('None', 'none'),
                (True, 'True'), ('true', 'True'), ('1', 'True'),
                (False, 'False'), ('0', 'False')):
            self.assertEqual('is_public=' + expected,
                             self._query(is_public=value))
        self.assertEqual('is_public=none', self._query())
        self.assert_raises(exception.ImageBadRequest, 'detail',
                           filters={'is_public': 'nonsense'})

    def test_property_filters_keep_their_prefix(self):
        self.assertEqual(
            'is_public=none&property-os_type=x&property-property-x=1',
            self._query(**{'property-os_type': 'x',
                           'property-property-x': '1'}))

    def test_unknown_filters_are_sent_as_properties(self):
        for name in ('os_type', 'version', 'context', 'method', 'image_id',
                     'data'):
            self.assertEqual('is_public=none&property-%s=x' % name,
                             self._query(**{name: 'x'}))

    def test_filter_values_are_normalized(self):
        self.assertEqual(
            'is_public=none&changes-since=2026-11-21T02%3A16%3A28Z&'
            'min_ram=5&name=Z%C3%BCrich+%E6%97%A5%E6%9C%AC&protected=True',
            self._query(**{'changes-since': '2026-11-21T02:16:28.5',
                           'name': recordings.NAME, 'protected': '1',
                           'min_ram': '5'}))

    def test_filters_that_v1_lacks_are_applied_to_its_answers(self):
        for name, value in (('id', QUEUED), ('owner', 'a-project'),
                            ('checksum', 'none')):
            images = self._detail(GLANCE15('list'), GLANCE15('list_none'),
                                  filters={name: value})
            self.assertEqual({value} if images else set(),
                             {image[name] for image in images})
        images = self._detail(GLANCE15('list'), GLANCE15('list_none'),
                              filters={'is_public': True})
        self.assertEqual([], images)

    def test_unsupported_and_invalid_filters_are_refused(self):
        for name in ('tag', 'tags', 'visibility'):
            error = self.assert_raises(
                exception.ImageActionNotSupported, 'detail',
                filters={name: 'x'})
            self.assertIn('v1', six.text_type(error))
        for filters in ({'size_min': -1}, {'protected': 'maybe'},
                        {'changes-since': 'yesterday'}, {'name': ['a']}):
            self.assert_raises(exception.Invalid, 'detail', filters=filters)
        self.assert_calls([])

    def test_a_refusal_of_glance_is_invalid(self):
        self.glance.answers(GLANCE15('list_400'))
        error = self.assert_raises(exception.Invalid, 'detail')
        self.assertIn('Bad value', six.text_type(error))

    def test_without_keystone_images_of_other_projects_are_left_out(self):
        self.without_keystone(project_id='another')
        self.assertEqual([], self._detail(GLANCE15('list'),
                                          GLANCE15('list_none')))


class TestHeaders(DriverTestCase):
    """Metadata is sent in raw headers, whatever python-glanceclient does."""

    def _sent(self, **image_meta):
        before = copy.deepcopy(image_meta)
        self.glance.answers(GLANCE15('create_201'))
        self.service.create(self.context, image_meta)
        self.assertEqual(before, image_meta)
        sent = self.sent_meta(len(self.glance.calls) - 1)
        sent.pop('id', None)
        return sent

    def _refused(self, words, **image_meta):
        error = self.assert_raises(exception.ImageBadRequest, 'create',
                                   image_meta)
        self.assertIn(words, six.text_type(error))
        self.assert_calls([])

    def test_text_is_sent_as_raw_utf_8(self):
        text = u'[{"a": "b, 100%25"}] ' + recordings.NAME
        self.assertEqual({'name': text, 'property-x': text},
                         self._sent(name=text, properties={'x': text}))

    def test_none_is_left_out(self):
        self.assertEqual({}, self._sent(
            name=None, min_ram=None, is_public=None, owner=None,
            protected=None, properties=None))

    def test_numbers_and_booleans_become_text(self):
        self.assertEqual(
            {'is_public': 'True', 'min_ram': '5', 'min_disk': '1',
             'protected': 'False', 'owner': 'p'},
            self._sent(is_public='1', min_ram='5', min_disk=1,
                       protected='false', owner='p'))

    def test_visibility_becomes_is_public(self):
        for value, expected in (('public', 'True'), ('private', 'False'),
                                ('shared', 'False')):
            self.assertEqual({'is_public': expected},
                             self._sent(visibility=value))
        # as in v2
        self.assertEqual({'is_public': 'False'}, self._sent(
            visibility='private', is_public=True))

    def test_properties_become_headers(self):
        self.assertEqual(
            {'property-a_b': 'True', 'property-c': 'None', 'property-d': '5',
             'property-mappings': '[{"x": 1}]', 'property-e': '',
             'property-block_device_mapping': '[]'},
            self._sent(properties={
                'A-b': True, 'c': None, 'd': 5, 'mappings': [{'x': 1}],
                'e': '', 'block_device_mapping': '[]', 'kernel_id': None,
                'ramdisk_id': 'None'}))

    def test_properties_named_like_base_fields_are_sent(self):
        names = ('owner', 'name', 'status', 'size', 'id', 'checksum',
                 'version', 'context', 'method', 'image_id', 'data')
        self.assertEqual(
            {'property-' + name: 'x' for name in names},
            self._sent(properties={name: 'x' for name in names}))

    def test_property_names_that_v1_cannot_carry_are_refused(self):
        for name in (u'a:b', u'Z\xfcrich', u'', u'a b', u'a\nb'):
            self._refused('does not support', properties={name: 'x'})

    def test_property_names_that_v1_cannot_distinguish_are_refused(self):
        for other in ('A', 'a-'):
            name = 'a' if other == 'A' else 'a_'
            self._refused('cannot distinguish',
                          properties={name: '1', other: '2'})

    def test_values_that_v1_cannot_carry_are_refused(self):
        for value in (u'a\r\nx-image-meta-owner: me', u' a', u'a ', u'a\0'):
            self._refused('name', name=value)
            self._refused('x', properties={'x': value})
        self._refused('location', location=u'rbd://a\nb')
        self._refused('too long', properties={'x': u'\u65e5' * 6000})

    def test_unknown_attributes_are_refused(self):
        self._refused('no image attribute copy_from', copy_from='http://x')

    def test_a_location_is_sent_unchanged(self):
        self.assertEqual({'location': 'http://u:p@h/a%20b'}, self._sent(
            location='http://u:p@h/a%20b'))


class TestCreate(DriverTestCase):
    """create() sends POST, and PUT if there is data."""

    CALLS = [('POST', IMAGES), ('PUT', path(ACTIVE))]

    def _create(self, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.create(self.context, kwargs.pop('meta', META),
                                   **kwargs)

    def _fail(self, kind, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'create', kwargs.pop('meta', META),
                                  **kwargs)

    def test_without_data_only_the_record_is_created(self):
        image = self._create(GLANCE15('create_201'))
        self.assertEqual(('queued', recordings.NAME),
                         (image['status'], image['name']))
        self.assertNotIn('empty', image['properties'])
        self.assert_calls(self.CALLS[:1])
        self.assertNotIn('size', self.sent_meta())

    def test_data_is_uploaded(self):
        image = self._create(GLANCE15('create_201'), GLANCE15('upload_200'),
                             data=DATA)
        self.assertEqual(('active', 100), (image['status'], image['size']))
        self.assert_calls(self.CALLS)
        self.assertEqual(DATA, self.glance.calls[1].body)
        self.assertEqual('False', self.purge(1))

    def test_a_size_of_zero_creates_an_empty_image(self):
        image = self._create(GLANCE15('create_empty_201'),
                             meta={'name': 'empty', 'size': 0})
        self.assertEqual('active', image['status'])
        self.assert_calls(self.CALLS[:1])
        self.assertEqual('0', self.sent_meta()['size'])

    def test_the_driver_chooses_the_id(self):
        self._create(GLANCE15('create_201'), meta={'name': 'x'})
        self.assertEqual(36, len(self.sent_meta()['id']))

    def test_instance_owner_becomes_a_member(self):
        self._create(GLANCE15('create_201'), GLANCE15('member_204'),
                     meta=dict(META, properties={
                         'instance_owner': 'another-project'}))
        self.assert_calls([
            ('POST', IMAGES),
            ('PUT', path(ACTIVE, 'members', 'another-project'))])
        self.assertEqual({'id', 'name', 'disk_format', 'container_format'},
                         set(self.sent_meta()))

    def test_refusals_of_glance_become_exceptions(self):
        for name, kind in (('create_400', exception.ImageBadRequest),
                           ('create_409', exception.ImageConflict)):
            self._fail(kind, GLANCE15(name))
        self.assert_calls(self.CALLS[:1] * 2)

    def test_the_created_image_is_found_after_a_lost_answer(self):
        image = self._create(base.Lost(), GLANCE15('create_409'),
                             GLANCE15('show_active'))
        self.assertEqual(ACTIVE, image['id'])
        self.assert_calls(self.CALLS[:1] * 2 + [('HEAD', path(ACTIVE))])
        self.assertEqual(self.sent_meta(0), self.sent_meta(1))

    def test_another_image_is_a_conflict_after_a_lost_answer(self):
        self._fail(exception.ImageConflict, base.Lost(),
                   GLANCE15('create_409'), GLANCE15('show_queued'))

    def test_an_image_with_our_id_is_deleted_if_no_answer_arrives(self):
        self.set(num_retries=0)
        self._fail(exception.GlanceConnectionFailed, base.Lost(),
                   GLANCE15('delete_404'), meta={'name': 'x'})
        self.assert_calls([('POST', IMAGES),
                           ('DELETE', path(self.sent_meta()['id']))])

    def test_the_image_is_deleted_after_a_failed_upload(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceServerError, GLANCE15('create_201'),
            recordings.Answer(503), GLANCE15('delete_200'), data=DATA)
        self.assertEqual(503, error.status)
        self.assert_calls(self.CALLS + [('DELETE', path(ACTIVE))])

    def test_a_partly_sent_file_is_rewound(self):
        self._create(GLANCE15('create_201'), base.Lost(pieces=1),
                     GLANCE15('upload_200'), data=io.BytesIO(DATA))
        self.assertEqual(DATA, self.glance.calls[2].body)

    def test_the_uploaded_data_is_found_after_a_lost_answer(self):
        image = self._create(
            GLANCE15('create_201'), base.Lost(),
            GLANCE15('upload_409').changed(pieces=0),
            GLANCE15('show_active'), data=DATA)
        self.assertEqual('active', image['status'])
        self.assert_calls(self.CALLS + self.CALLS[1:] +
                          [('HEAD', path(ACTIVE))])

    def test_other_data_is_a_conflict_after_a_lost_answer(self):
        self._fail(exception.ImageConflict, GLANCE15('create_201'),
                   base.Lost(), GLANCE15('upload_409'),
                   GLANCE15('show_active').changed(
                       headers={'X-Image-Meta-Size': '99'}),
                   GLANCE15('delete_200'), data=DATA)

    def test_a_killed_image_after_a_lost_answer_is_an_upload_failure(self):
        error = self._fail(
            exception.ImageUploadFailed, GLANCE15('create_201'),
            base.Lost(), GLANCE15('upload_409'), self._with_status('killed'),
            GLANCE15('delete_200'), data=DATA)
        self.assertIn('killed', six.text_type(error))
        self.assert_calls(self.CALLS + self.CALLS[1:] + [
            ('HEAD', path(ACTIVE)), ('DELETE', path(ACTIVE))])

    def test_the_upload_is_retried_while_glance_is_saving(self):
        self._create(
            GLANCE15('create_201'), base.Lost(), GLANCE15('upload_409'),
            self._with_status('saving'), GLANCE15('upload_409'),
            self._with_status('active'), data=DATA)
        self.assert_calls(self.CALLS + [('PUT', path(ACTIVE)),
                                        ('HEAD', path(ACTIVE))] * 2)

    @staticmethod
    def _with_status(status):
        return GLANCE15('show_active').changed(
            headers={'X-Image-Meta-Status': status})

    def test_a_smaller_size_in_glance_is_an_upload_failure(self):
        less = GLANCE15('upload_200').json['image']
        error = self._fail(
            exception.ImageUploadFailed, GLANCE15('create_201'),
            GLANCE15('upload_200').but(image=dict(less, size=60)),
            GLANCE15('delete_200'), data=DATA)
        self.assertIn('60 bytes of 100', six.text_type(error))

    def test_another_hash_in_glance_is_an_upload_failure(self):
        other = GLANCE15('upload_200').json['image']
        other = GLANCE15('upload_200').but(image=dict(other, checksum='0'))
        error = self._fail(
            exception.ImageUploadFailed, GLANCE15('create_201'), other,
            GLANCE15('delete_200'), data=DATA)
        self.assertIn('md5', six.text_type(error))
        self.assert_calls(self.CALLS + [('DELETE', path(ACTIVE))])
        self.set(verify_uploads=False)
        self._create(GLANCE15('create_201'), other, data=DATA)


class TestUpdate(DriverTestCase):
    """update() sends one PUT, and another for data."""

    def _update(self, meta, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.update(self.context, QUEUED, meta, **kwargs)

    def test_properties_are_purged_by_default(self):
        image = self._update({'id': 'x', 'name': 'two',
                              'properties': {'os_type': 'bsd'}},
                             GLANCE15('update_200'))
        self.assertEqual(('two', {'os_type': 'bsd'}),
                         (image['name'], image['properties']))
        self.assert_calls([('PUT', path(QUEUED))])
        self.assertEqual({'name': 'two', 'property-os_type': 'bsd'},
                         self.sent_meta())
        self.assertEqual('True', self.purge(0))

    def test_properties_are_kept_without_purge_props(self):
        self._update({'name': 'two'}, GLANCE15('update_200'),
                     purge_props=False)
        self.assertEqual('False', self.purge(0))

    def test_empty_metadata_sends_no_headers(self):
        self._update({}, GLANCE15('update_200'))
        self.assertEqual({}, self.sent_meta())

    def test_data_without_purging_is_sent_in_one_request(self):
        image = self._update({'name': 'two'}, GLANCE15('upload_200'),
                             data=DATA, purge_props=False)
        self.assertEqual('active', image['status'])
        self.assert_calls([('PUT', path(QUEUED))])
        self.assertEqual(DATA, self.glance.calls[0].body)

    def test_data_with_purging_is_sent_in_two_requests(self):
        # v1 purges nothing in a request that has data
        self._update({'name': 'two'}, GLANCE15('update_200'),
                     GLANCE15('upload_200'), data=DATA)
        self.assertEqual([('', 'True'), (DATA.decode('ascii'), 'False')], [
            (call.body.decode('ascii'), self.purge(number))
            for number, call in enumerate(self.glance.calls)])

    def test_the_callers_metadata_is_not_modified(self):
        meta = {'id': 'x', 'is_public': False, 'properties': {
            'mappings': [{}], 'kernel_id': None}}
        before = copy.deepcopy(meta)
        self._update(meta, GLANCE15('update_200'))
        self.assertEqual(before, meta)

    def test_updating_a_deleted_image_is_not_authorized(self):
        self.glance.answers(GLANCE15('update_403'))
        error = self.assert_raises(exception.ImageNotAuthorized, 'update',
                                   QUEUED, {'name': 'x'})
        self.assertIn('deleted', six.text_type(error))

    def test_data_for_an_active_image_is_a_conflict(self):
        self.glance.answers(GLANCE15('upload_409'))
        self.assert_raises(exception.ImageConflict, 'update', QUEUED, {},
                           data=DATA, purge_props=False)
        self.assert_calls([('PUT', path(QUEUED))])


class TestDelete(DriverTestCase):
    """delete() sends one request."""

    def test_delete_sends_one_request(self):
        self.glance.answers(GLANCE15('delete_200'))
        self.assertIs(True, self.service.delete(self.context, QUEUED))
        self.assert_calls([('DELETE', path(QUEUED))])

    def test_refusals_of_glance_become_exceptions(self):
        for answer, kind in (
                (GLANCE15('delete_404'), exception.ImageNotFound),
                (GLANCE15('delete_403'), exception.ImageNotAuthorized),
                (recordings.Answer(409), exception.ImageDeleteConflict)):
            self.glance.answers(answer)
            self.assert_raises(kind, 'delete', QUEUED)

    def test_not_found_after_a_lost_answer_is_a_success(self):
        self.glance.answers(base.Lost(), GLANCE15('delete_404'))
        self.assertIs(True, self.service.delete(self.context, QUEUED))


class TestDownload(DriverTestCase):
    """download() sends one request."""

    def setUp(self):
        super(TestDownload, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')

    def test_data_is_written_to_a_path(self):
        self.glance.answers(GLANCE15('download_200'))
        self.service.download(self.context, ACTIVE, dst_path=self.path)
        with open(self.path, 'rb') as stream:
            self.assertEqual(DATA, stream.read())
        self.assert_calls([('GET', path(ACTIVE))])

    def test_data_is_returned_as_an_iterator(self):
        self.glance.answers(GLANCE15('download_200'))
        self.assertEqual(DATA, b''.join(
            self.service.download(self.context, ACTIVE)))

    def test_wrong_data_is_corrupt_and_leaves_no_file(self):
        self.glance.answers(*[GLANCE15('download_200').changed(
            content=DATA[::-1]) for _ in range(4)])
        self.assert_raises(exception.ImageCorrupt, 'download', ACTIVE,
                           dst_path=self.path)
        self.assertEqual([], os.listdir(self.folder))

    def test_an_image_without_data_is_unacceptable(self):
        for kwargs in ({'dst_path': self.path}, {}):
            self.glance.answers(GLANCE15('download_404'),
                                GLANCE15('show_queued'))
            error = self.assert_raises(exception.ImageUnacceptable,
                                       'download', QUEUED, **kwargs)
            self.assertIn('no data, its status is queued',
                          six.text_type(error))
        self.assertEqual([], os.listdir(self.folder))
        self.assert_calls([('GET', path(QUEUED)), ('HEAD', path(QUEUED))] * 2)

    def test_a_missing_image_is_not_found(self):
        self.glance.answers(GLANCE15('download_404'), GLANCE15('show_404'))
        self.assert_raises(exception.ImageNotFound, 'download', ABSENT)

    def test_an_interrupted_download_resumes(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 10))
        stream = io.BytesIO()
        self.glance.answers(  # Glance 15 has no ranges in v1
            GLANCE15('download_200').changed(content=DATA[:40]),
            GLANCE15('download_200'))
        self.service.download(self.context, ACTIVE, stream)
        self.assertEqual(DATA, stream.getvalue())
        self.assert_calls([('GET', path(ACTIVE))] * 2)
        self.assertEqual('bytes=40-', self.glance.calls[1].headers['range'])

    def test_another_image_after_an_interruption_is_corrupt(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 10))
        self.set(num_retries=0)
        for name, value in (('Size', '99'), ('Checksum', '0' * 32)):
            self.glance.answers(
                GLANCE15('download_200').changed(content=DATA[:40]),
                GLANCE15('download_200').changed(
                    headers={'X-Image-Meta-' + name: value}))
            error = self.assert_raises(exception.ImageCorrupt, 'download',
                                       ACTIVE, dst_path=self.path)
            self.assertIn('no longer the same image', six.text_type(error))
            self.assertEqual([], os.listdir(self.folder))

    def test_an_image_that_does_not_fit_is_refused(self):
        room = mock.Mock(f_bavail=99, f_frsize=1)
        self.glance.answers(GLANCE15('download_200'))
        with mock.patch('os.statvfs', return_value=room):
            self.assert_raises(exception.InsufficientDiskSpace, 'download',
                               ACTIVE, dst_path=self.path)
        self.assertEqual([], os.listdir(self.folder))

    def test_the_format_check_gets_the_disk_format(self):
        constructor = self.useFixture(fixtures.MockPatch(
            'nova_image.image.transfer.format_check.FormatCheck',
            side_effect=exception.ImageUnacceptable)).mock
        self.glance.answers(GLANCE15('download_200'))
        self.assert_raises(exception.ImageUnacceptable, 'download', ACTIVE,
                           inspect=True)
        self.assertEqual(('raw',), constructor.call_args[0])

    def test_only_signed_data_is_accepted(self):
        keys = self.useFixture(signature_case.KeyManager())
        signer = signature_case.signer('self-signed')
        keys.objects['the-id'] = x_509.X509(signer.der)
        self.set(verify_glance_signatures=True)
        headers = {'X-Image-Meta-Property-' + name.capitalize(): value
                   for name, value in signer.properties(
                       'the-id', DATA).items()}
        signed = GLANCE15('download_200').changed(headers=headers)
        self.glance.answers(signed)
        self.assertEqual(DATA, b''.join(
            self.service.download(self.context, ACTIVE)))
        self.glance.answers(signed.changed(
            content=DATA[::-1], headers={'X-Image-Meta-Checksum': (
                hashlib.md5(DATA[::-1]).hexdigest())}))
        self.assert_raises(exception.SignatureVerificationError, 'download',
                           ACTIVE, dst_path=self.path)
        self.assertEqual([], os.listdir(self.folder))

    def test_an_unsigned_image_is_refused(self):
        for kwargs in ({'dst_path': self.path}, {}):
            self.glance.answers(GLANCE15('download_200'))
            error = self.assert_raises(
                exception.SignatureVerificationError, 'download', ACTIVE,
                trusted_certs=['cert'], **kwargs)
            self.assertIn('has no img_signature', six.text_type(error))
        self.assertEqual([], os.listdir(self.folder))


class TestInvalidAnswers(DriverTestCase):
    """JSON answers that do not describe images."""

    def test_each_operation_raises_bad_answer(self):
        for method, args in (('detail', []), ('create', [META]),
                             ('update', [ACTIVE, {}])):
            for content in (b'{}', b'{"image": {}, "images": {}}'):
                self.glance.answers(recordings.Answer(content=content))
                error = self.assert_raises(exception.GlanceBadAnswer, method,
                                           *args)
                self.assertIn('JSON is no', six.text_type(error))
        self.assertEqual([], self.waits)


class TestImport(DriverTestCase):
    """v1 has no imports."""

    def test_imports_are_not_supported(self):
        for method, args in (('image_import_copy', (ACTIVE, ['slow'])),
                             ('import_image', (ACTIVE, 'web-download'))):
            error = self.assert_raises(exception.ImageActionNotSupported,
                                       method, *args)
            self.assertIn('v1', six.text_type(error))
        self.assert_calls([])


class TestMembers(DriverTestCase):
    """Each method sends one request; v1 reports little about members."""

    PROJECT = 'another-project'
    MEMBER = {'member_id': PROJECT, 'status': None, 'can_share': None,
              'created_at': None, 'updated_at': None}

    def _call(self, method, *args):
        return getattr(self.service, method)(self.context, ACTIVE, *args)

    def _fail(self, kind, answers, method, *args):
        self.glance.answers(*answers)
        return six.text_type(
            self.assert_raises(kind, method, ACTIVE, *args))

    def test_members_are_listed(self):
        self.glance.answers(GLANCE15('members_200'))
        self.assertEqual([dict(self.MEMBER, can_share=False)],
                         self._call('members'))
        self.assert_calls([('GET', path(ACTIVE, 'members'))])

    def test_adding_a_member_is_retried(self):
        """v1 accepts it twice."""
        self.glance.answers(base.Lost(), GLANCE15('member_204'))
        self.assertEqual(self.MEMBER, self._call('add_member', self.PROJECT))
        self.assert_calls([('PUT', path(ACTIVE, 'members', self.PROJECT))] * 2)

    def test_setting_a_status_is_not_supported(self):
        self.assertIn('v1', self._fail(
            exception.ImageActionNotSupported, [], 'set_member_status',
            self.PROJECT, 'accepted'))
        self.assert_calls([])

    def test_a_member_is_removed(self):
        self.glance.answers(GLANCE15('member_204'))
        self.assertIs(True, self._call('remove_member', self.PROJECT))
        self.assert_calls([('DELETE', path(ACTIVE, 'members', self.PROJECT))])

    def test_not_found_after_a_lost_answer_is_a_success(self):
        self.glance.answers(base.Lost(), GLANCE15('member_404'))
        self.assertIs(True, self._call('remove_member', self.PROJECT))

    def test_missing_images_and_members_are_not_found(self):
        self._fail(exception.ImageNotFound, [GLANCE15('members_404')],
                   'members')
        self._fail(exception.ImageNotFound, [GLANCE15('members_404')],
                   'add_member', self.PROJECT)
        self.assertIn('Membership could not be found', self._fail(
            exception.NotFound, [GLANCE15('member_404')], 'remove_member',
            'nobody'))

    def test_a_404_that_denies_permission_is_not_authorized(self):
        denied = GLANCE15('member_denied_404')
        for method in ('add_member', 'remove_member'):
            self.assertIn('No permission to share', self._fail(
                exception.ImageNotAuthorized, [denied], method, self.PROJECT))
            self._fail(exception.ImageNotAuthorized, [base.Lost(), denied],
                       method, self.PROJECT)

    def test_invalid_project_ids_are_refused(self):
        for method in ('add_member', 'remove_member'):
            for member in ('', '.', '..', 'a/b', u'\u043a', 'a b', None, 5):
                self._fail(exception.ImageBadRequest, [], method, member)
        self.assert_raises(exception.ImageBadRequest, 'create', {
            'properties': {'instance_owner': '..'}})
        self.assert_calls([])

    def test_an_invalid_list_of_members_is_a_bad_answer(self):
        for content in (b'{}', b'{"members": {}}'):
            self.assertIn('is not a list of members', self._fail(
                exception.GlanceBadAnswer,
                [recordings.Answer(content=content)], 'members'))
