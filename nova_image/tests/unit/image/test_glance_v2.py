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

"""Tests of nova_image.image.glance_v2: the requests of each operation."""

import copy
import hashlib
import io
import os

from castellan.common.objects import x_509
import fixtures
import requests
import six

from nova_image import exception
from nova_image.image.v2 import translation
from nova_image.tests.unit import base
from nova_image.tests.unit.image.transfer import signature_case
from nova_image.tests.unit import recordings

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
ACTIVE, QUEUED, SHARED, ABSENT = (recordings.ACTIVE, recordings.QUEUED,
                                  recordings.SHARED, recordings.ABSENT)
DATA = recordings.DATA
IMAGES = '/v2/images'
ADD_LOCATION = {'op': 'add', 'path': '/locations/-',
                'value': {'url': 'rbd://a', 'metadata': {}}}
META = {'id': ACTIVE, 'name': recordings.NAME, 'disk_format': 'raw',
        'container_format': 'bare'}


def path(image_id, *rest):
    """Return the path of an image."""
    return '/'.join((IMAGES, image_id) + rest)


def created(call):
    """Answer a POST as Glance does: with what was sent, and more."""
    sent = recordings.Answer(content=call.body).json
    return GLANCE33('show_queued').but(**sent).changed(status=201)


class DriverTestCase(base.TestCase):
    """Base class: ``service`` is the driver."""

    def setUp(self):
        super(DriverTestCase, self).setUp()
        self.service = self.driver()

    def assert_raises(self, kind, method, *args, **kwargs):
        """Assert that a call of the driver raises; return the error."""
        return self.assertRaises(kind, getattr(self.service, method),
                                 self.context, *args, **kwargs)


class TestShow(DriverTestCase):
    """show() sends one request."""

    def _show(self, answer, image_id=ACTIVE, **kwargs):
        self.glance.answers(answer)
        return self.service.show(self.context, image_id, **kwargs)

    def test_show_sends_one_get(self):
        for glance in (GLANCE15, GLANCE33):
            self.assertEqual(recordings.NAME,
                             self._show(glance('show_active'))['name'])
        self.assert_calls([('GET', path(ACTIVE))] * 2)

    def test_locations_are_returned_if_asked_for(self):
        image = self._show(GLANCE33('show_active'), include_locations=True)
        self.assertEqual(
            ['file:///var/lib/glance/fast/' + ACTIVE],
            [location['url'] for location in image['locations']])
        self.assert_calls([('GET', path(ACTIVE))])

    def test_a_missing_image_is_not_found(self):
        for glance in (GLANCE15, GLANCE33):
            self.glance.answers(glance('show_404'))
            error = self.assert_raises(exception.ImageNotFound, 'show',
                                       ABSENT)
            self.assertIn(ABSENT, six.text_type(error))

    def test_ids_are_percent_encoded(self):
        for image_id, quoted in (('a/b', 'a%2Fb'), (u'\u65e5', '%E6%97%A5'),
                                 ('../x', '..%2Fx'), ('a?b', 'a%3Fb')):
            self.glance.answers(GLANCE33('show_404'))
            self.assert_raises(exception.ImageNotFound, 'show', image_id)
            self.assertEqual(path(quoted), self.glance.calls[-1].path)

    def test_invalid_ids_are_not_found_without_a_request(self):
        for image_id in ('', '.', '..'):
            self.assert_raises(exception.ImageNotFound, 'show', image_id)
        self.assert_calls([])

    def test_a_glance_without_v2_raises_version_not_served(self):
        self.glance.answers(GLANCE15('disabled_300'))
        error = self.assert_raises(exception.GlanceVersionNotServed, 'show',
                                   ACTIVE)
        self.assertIn('use_glance_v1', six.text_type(error))

    def test_without_keystone_images_of_other_projects_are_not_found(self):
        self.without_keystone(project_id='another')
        self.glance.answers(GLANCE33('show_active'))
        self.assert_raises(exception.ImageNotFound, 'show', ACTIVE)


class TestDetail(DriverTestCase):
    """detail() sends a request for each page."""

    def _detail(self, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.detail(self.context, **kwargs)

    def _pages(self, count, size=1000):
        raw = GLANCE33('show_queued').json
        for start in range(0, count, size):
            page = {'images': [
                dict(raw, id='%d' % number)
                for number in range(start, min(start + size, count))]}
            if start + size < count:
                page['next'] = IMAGES + '?marker=%d&limit=%d' % (
                    start + size - 1, size)
            yield GLANCE33('list_none').saying(page)

    def test_links_to_next_pages_are_followed_unchanged(self):
        for glance in (GLANCE15, GLANCE33):
            del self.glance.calls[:]
            first = glance('list_first')
            images = self._detail(first, glance('list_last'))
            self.assertEqual([ACTIVE, QUEUED, recordings.EMPTY],
                             [image['id'] for image in images])
            self.assert_calls([('GET', IMAGES + '?limit=1000'),
                               ('GET', first.json['next'])])

    def test_a_link_to_another_host_is_requested_from_this_glance(self):
        first = GLANCE33('list_first')
        self._detail(
            first.but(next='http://evil/image' + first.json['next']),
            GLANCE33('list_last'))
        self.assert_calls([('GET', IMAGES + '?limit=1000'),
                           ('GET', first.json['next'])])
        self.assertTrue(self.glance.calls[1].url.startswith(base.ENDPOINT))

    def test_a_property_named_like_a_query_parameter_filters_answers(self):
        page = GLANCE33('list_first').json
        page['images'][0]['limit'] = '2'
        del page['next']
        for value, found in (('2', [ACTIVE]), ('3', [])):
            images = self._detail(GLANCE33('list_first').saying(page),
                                  filters={'property-limit': value})
            self.assertEqual(found, [image['id'] for image in images])
            self.assertEqual(IMAGES + '?limit=1000',
                             self.glance.calls[-1].path)

    def test_an_empty_listing(self):
        self.assertEqual([], self._detail(GLANCE33('list_none')))

    def test_2500_images_in_3_requests(self):
        images = self._detail(*self._pages(2500))
        self.assertEqual(['%d' % number for number in range(2500)],
                         [image['id'] for image in images])
        self.assert_calls([
            ('GET', IMAGES + '?limit=1000'),
            ('GET', IMAGES + '?marker=999&limit=1000'),
            ('GET', IMAGES + '?marker=1999&limit=1000')])

    def test_no_page_is_requested_beyond_the_limit(self):
        page = next(self._pages(2500))
        self.assertEqual(1000, len(self._detail(page, limit=1000)))
        self.assertEqual(0, self.glance.left)

    def test_the_limit_is_sent(self):
        self.assertEqual(3, len(self._detail(*self._pages(3, 3), limit=3)))
        self.assert_calls([('GET', IMAGES + '?limit=3')])

    def test_filters_become_the_query(self):
        self._detail(GLANCE33('list_none'), filters={
            'name': recordings.NAME, 'property-os_type': 'linux',
            'property-property-x': '1', 'status': 'active'})
        self.assert_calls([(
            'GET', IMAGES + '?name=Z%C3%BCrich+%E6%97%A5%E6%9C%AC&'
            'os_type=linux&property-x=1&status=active&limit=1000')])

    def test_the_callers_filters_are_not_modified(self):
        filters = {'is_public': True, 'property-a': '1', 'tag': ['a']}
        before = copy.deepcopy(filters)
        self._detail(GLANCE33('list_none'), filters=filters)
        self.assertEqual(before, filters)

    def test_a_filter_that_cannot_match_sends_no_request(self):
        self.assertEqual([], self._detail(filters={'property-owner': 'x'}))
        self.assert_calls([])

    def test_properties_named_like_arguments_are_filters(self):
        for name in ('version', 'context', 'method', 'image_id', 'data'):
            self._detail(GLANCE33('list_none'), filters={name: 'x'})
            self.assertEqual('%s?%s=x&limit=1000' % (IMAGES, name),
                             self.glance.calls[-1].path)

    def test_is_public_false_leaves_out_public_images(self):
        page = GLANCE33('list_first').json
        page['images'][0]['visibility'] = 'public'
        del page['next']
        images = self._detail(GLANCE33('list_none').saying(page),
                              filters={'is_public': False})
        self.assertEqual([QUEUED], [image['id'] for image in images])

    def test_the_limit_counts_only_matching_images(self):
        page = GLANCE33('list_first').json
        page['images'][0]['visibility'] = 'public'
        images = self._detail(
            GLANCE33('list_first').saying(page), GLANCE33('list_last'),
            filters={'is_public': False}, limit=2)
        self.assertEqual([QUEUED, recordings.EMPTY],
                         [image['id'] for image in images])

    def test_without_keystone_images_of_other_projects_are_left_out(self):
        self.without_keystone(project_id='another')
        page = GLANCE33('list_last')
        self.assertEqual([], self._detail(page))

    def test_an_unknown_marker_is_invalid(self):
        self.glance.answers(GLANCE33('list_marker_400'))
        error = self.assert_raises(exception.Invalid, 'detail', marker=ABSENT)
        self.assertIn(ABSENT, six.text_type(error))

    def test_a_failed_page_request_is_retried(self):
        images = self._detail(
            GLANCE33('list_first'), recordings.Answer(503),
            GLANCE33('list_last'))
        self.assertEqual(3, len(images))

    def test_invalid_arguments_are_refused_without_a_request(self):
        for kwargs in ({'limit': -1}, {'page_size': 'x'},
                       {'filters': {'protected': 'maybe'}}):
            self.assert_raises(exception.Invalid, 'detail', **kwargs)
        self.assert_calls([])


class TestCreate(DriverTestCase):
    """create() sends POST, and PUT and GET if there is data."""

    CALLS = [('POST', IMAGES), ('PUT', path(ACTIVE, 'file')),
             ('GET', path(ACTIVE))]

    def _create(self, *answers, **kwargs):
        self.glance.answers(*answers)
        meta = kwargs.pop('meta', META)
        return self.service.create(self.context, meta, **kwargs)

    def _fail(self, kind, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'create', kwargs.pop('meta', META),
                                  **kwargs)

    def test_without_data_only_the_record_is_created(self):
        image = self._create(GLANCE33('create_201'))
        self.assertEqual('queued', image['status'])
        self.assert_calls(self.CALLS[:1])

    def test_data_is_uploaded(self):
        image = self._create(
            GLANCE33('create_201'), GLANCE33('upload_204'),
            GLANCE33('show_active'), data=DATA)
        self.assertEqual(('active', 100), (image['status'], image['size']))
        self.assert_calls(self.CALLS)
        self.assertEqual(DATA, self.glance.calls[1].body)
        kind = self.glance.calls[1].headers['content-type']
        self.assertIn('octet-stream', str(kind))

    def test_the_driver_chooses_the_id(self):
        self._create(created, meta={'name': 'x'})
        sent = self.sent_json(0)
        self.assertEqual({'id', 'name'}, set(sent))
        self.assertEqual(36, len(sent['id']))

    def test_metadata_is_translated(self):
        self._create(created, meta=dict(
            META, is_public=True, min_ram='512', properties={
                'kernel_id': None, 'ramdisk_id': 'None', 'os_type': 'linux',
                'block_device_mapping': [{'a': 1}],
                'description': recordings.NAME}))
        self.assertEqual(dict(
            META, visibility='public', min_ram=512, os_type='linux',
            block_device_mapping='[{"a": 1}]',
            description=recordings.NAME), self.sent_json(0))

    def test_the_callers_metadata_is_not_modified(self):
        meta = dict(META, size=0, properties={
            'instance_owner': 'p', 'kernel_id': None, 'mappings': [{}]})
        before = copy.deepcopy(meta)
        self._create(created, GLANCE33('member_200'), GLANCE33('upload_204'),
                     GLANCE33('show_empty'), meta=meta)
        self.assertEqual(before, meta)

    def test_invalid_arguments_are_refused_without_a_request(self):
        for meta in ({'properties': {'owner': 'me'}}, {'copy_from': 'x'},
                     {'min_ram': 'much'}):
            self._fail(exception.ImageBadRequest, meta=meta)
        self._fail(exception.ImageUploadFailed, data=5)
        self.assert_calls([])

    def test_refusals_of_glance_become_exceptions(self):
        for name, kind in (('create_400', exception.ImageBadRequest),
                           ('create_403', exception.ImageNotAuthorized),
                           ('create_409', exception.ImageConflict),
                           ('create_413', exception.ImageQuotaExceeded)):
            for glance in (GLANCE15, GLANCE33):
                self._fail(kind, glance(name))
        self.assert_calls(self.CALLS[:1] * 8)

    def test_the_created_image_is_found_after_a_lost_answer(self):
        image = self._create(base.Lost(), GLANCE33('create_409'),
                             GLANCE33('show_active'))
        self.assertEqual(ACTIVE, image['id'])
        self.assert_calls([('POST', IMAGES), ('POST', IMAGES),
                           ('GET', path(ACTIVE))])
        self.assertEqual(self.sent_json(0), self.sent_json(1))

    def test_another_image_is_a_conflict_after_a_lost_answer(self):
        self._fail(exception.ImageConflict, base.Lost(),
                   GLANCE33('create_409'),
                   GLANCE33('show_active').but(name='another'))
        self.assert_calls([('POST', IMAGES), ('POST', IMAGES),
                           ('GET', path(ACTIVE))])

    def test_an_image_with_our_id_is_deleted_if_no_answer_arrives(self):
        self.set(num_retries=0)
        self._fail(exception.GlanceConnectionFailed, base.Lost(),
                   GLANCE33('delete_204'), meta={'name': 'x'})
        own = self.sent_json(0)['id']
        self.assert_calls([('POST', IMAGES), ('DELETE', path(own))])

    def test_an_image_with_the_callers_id_stays_if_no_answer_arrives(self):
        self.set(num_retries=0)
        self._fail(exception.GlanceConnectionFailed, base.Lost())
        self.assert_calls(self.CALLS[:1])

    def test_the_image_is_deleted_after_a_failed_upload(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceServerError, GLANCE33('create_201'),
            recordings.Answer(503), GLANCE33('delete_204'), data=DATA)
        self.assertEqual(503, error.status)
        self.assert_calls(self.CALLS[:2] + [('DELETE', path(ACTIVE))])

    def test_a_failed_deletion_does_not_hide_the_first_error(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceServerError, GLANCE33('create_201'),
            recordings.Answer(503), GLANCE33('delete_403'), data=DATA)
        self.assertEqual(503, error.status)
        self.assertIn('left behind', self.log.output)

    def test_an_error_of_the_data_is_raised_and_the_image_deleted(self):
        broken = ValueError('mine')

        def pieces():
            yield b'a'
            raise broken
        error = self._fail(
            ValueError, GLANCE33('create_201'), GLANCE33('upload_204'),
            GLANCE33('delete_204'), data=pieces())
        self.assertIs(broken, error)
        self.assertEqual([], self.waits)

    def test_the_uploaded_data_is_found_after_a_lost_answer(self):
        image = self._create(
            GLANCE33('create_201'), base.Lost(), GLANCE33('upload_409'),
            GLANCE33('show_active'), GLANCE33('show_active'), data=DATA)
        self.assertEqual('active', image['status'])
        self.assert_calls(self.CALLS[:2] + self.CALLS[1:] +
                          self.CALLS[2:])

    def test_a_retry_may_be_refused_before_all_data_is_sent(self):
        # a server may refuse a large body without reading it
        self._create(
            GLANCE33('create_201'), base.Lost(),
            GLANCE33('upload_409').changed(pieces=0),
            GLANCE33('show_active'), GLANCE33('show_active'),
            data=io.BytesIO(DATA))
        self.assertEqual([DATA, b''], [
            call.body for call in self.glance.calls[1:3]])

    def test_other_data_is_a_conflict_after_a_lost_answer(self):
        self._fail(exception.ImageConflict, GLANCE33('create_201'),
                   base.Lost(), GLANCE33('upload_409'),
                   GLANCE33('show_active').but(size=99),
                   GLANCE33('delete_204'), data=DATA)

    def test_the_upload_is_retried_after_glance_drops_the_lost_one(self):
        waiting = [answer for status in ('saving', 'queued') for answer in (
            GLANCE33('upload_409'), GLANCE33('show_active').but(
                status=status))]
        self._create(
            GLANCE33('create_201'), base.Lost(pieces=1), *(waiting + [
                GLANCE33('upload_204'), GLANCE33('show_active')]), data=DATA)
        self.assertEqual(DATA, self.glance.calls[-2].body)
        self.assertEqual(3, len(self.waits))

    def test_the_image_is_deleted_if_a_generator_is_interrupted(self):
        self._fail(exception.GlanceConnectionFailed, GLANCE33('create_201'),
                   base.Lost(pieces=1), GLANCE33('delete_204'),
                   data=(piece for piece in (b'a', b'b')))
        self.assert_calls(self.CALLS[:2] + [('DELETE', path(ACTIVE))])

    def test_a_smaller_size_in_glance_is_an_upload_failure(self):
        error = self._fail(
            exception.ImageUploadFailed, GLANCE33('create_201'),
            GLANCE33('upload_204'), GLANCE33('show_active').but(size=60),
            GLANCE33('delete_204'), data=DATA)
        self.assertIn('60 bytes of 100', six.text_type(error))

    def test_another_hash_in_glance_is_an_upload_failure(self):
        other = GLANCE33('show_active').but(os_hash_value='0')
        error = self._fail(
            exception.ImageUploadFailed, GLANCE33('create_201'),
            GLANCE33('upload_204'), other, GLANCE33('delete_204'), data=DATA)
        self.assertIn('sha512', six.text_type(error))
        self.assert_calls(self.CALLS + [('DELETE', path(ACTIVE))])
        self.set(verify_uploads=False)
        self._create(GLANCE33('create_201'), GLANCE33('upload_204'), other,
                     data=DATA)

    def test_an_unknown_size_in_glance_is_accepted(self):
        self._create(GLANCE33('create_201'), GLANCE33('upload_204'),
                     GLANCE33('show_active').but(size=None), data=DATA)

    def test_a_location_is_added_after_the_record(self):
        image = self._create(
            GLANCE33('create_201'), GLANCE33('show_active'),
            meta=dict(META, location='rbd://a'))
        self.assertEqual('active', image['status'])
        self.assert_calls([('POST', IMAGES), ('PATCH', path(ACTIVE))])
        self.assertEqual([ADD_LOCATION], self.sent_json(1))
        self.assertNotIn('location', self.sent_json(0))

    def test_the_image_is_deleted_if_its_location_is_refused(self):
        for status, kind in ((400, exception.ImageLocationRefused),
                             (403, exception.Forbidden),
                             (409, exception.ImageLocationRefused),
                             (501, exception.ImageLocationRefused)):
            self._fail(kind, GLANCE33('create_201'),
                       GLANCE33('location_400').changed(status=status),
                       GLANCE33('delete_204'),
                       meta=dict(META, location='rbd://a'))
            self.assertEqual('DELETE', self.glance.calls[-1].method)

    def test_credentials_in_a_location_are_not_shown(self):
        self.set(debug=True, num_retries=1)
        secret = 'swift+http://user:pa55@auth/c/o'
        error = self._fail(
            exception.ImageLocationRefused, GLANCE33('create_201'),
            recordings.Answer(503, content=b'no ' + secret.encode('ascii')),
            base.Lost(requests.Timeout(secret)), GLANCE33('delete_204'),
            meta=dict(META, location=secret))
        self.assertNotIn('pa55', six.text_type(error))
        self.assertNotIn('pa55', self.log.output)

    def test_instance_owner_becomes_a_member(self):
        self._create(created, GLANCE33('member_200'), meta=dict(
            META, properties={'instance_owner': 'another', 'a': '1'}))
        self.assert_calls([('POST', IMAGES),
                           ('POST', path(ACTIVE, 'members'))])
        self.assertEqual(dict(META, a='1', visibility='shared'),
                         self.sent_json(0))
        self.assertEqual({'member': 'another'}, self.sent_json(1))

    def test_the_image_is_deleted_if_the_member_is_refused(self):
        self._fail(exception.ImageNotAuthorized, GLANCE33('create_201'),
                   recordings.Answer(403), GLANCE33('delete_204'),
                   meta=dict(META, properties={'instance_owner': 'x'}))


class TestEmpty(DriverTestCase):
    """create() of an image without data sends POST, PUT and GET."""

    def _create(self, **meta):
        meta = dict({'id': recordings.EMPTY, 'size': 0}, **meta)
        self.glance.answers(created, GLANCE33('upload_204'),
                            GLANCE33('show_empty'))
        image = self.service.create(self.context, meta)
        self.assertEqual(('active', 0), (image['status'], image['size']))
        return next(call for call in reversed(self.glance.calls)
                    if call.method == 'POST')

    def _formats(self, call):
        sent = recordings.Answer(content=call.body).json
        return sent['disk_format'], sent['container_format']

    def _calls(self):
        return [('POST', IMAGES), ('PUT', path(recordings.EMPTY, 'file')),
                ('GET', path(recordings.EMPTY))]

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
            self.glance.answers(created, GLANCE33('empty_415'),
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
        self.glance.answers(created, GLANCE33('empty_415'),
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
        self.glance.answers(created)
        self.service.create(self.context, dict(META, size=None))
        self.assert_calls([('POST', IMAGES)])


class TestUpdate(DriverTestCase):
    """update() sends GET, and PATCH if something changes."""

    CALLS = [('GET', path(SHARED)), ('PATCH', path(SHARED))]

    def _update(self, meta, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.update(self.context, SHARED, meta, **kwargs)

    def _fail(self, kind, meta, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'update', SHARED, meta, **kwargs)

    def test_properties_that_are_not_named_are_purged(self):
        image = self._update(
            {'name': 'two', 'properties': {'os_type': 'bsd'}},
            GLANCE33('show_shared').but(old='1', kernel_id='K'),
            GLANCE33('patch_200'))
        self.assertEqual('two', image['name'])
        self.assert_calls(self.CALLS)
        self.assertEqual([
            {'op': 'replace', 'path': '/name', 'value': 'two'},
            {'op': 'add', 'path': '/os_type', 'value': 'bsd'},
            {'op': 'remove', 'path': '/kernel_id'},
            {'op': 'remove', 'path': '/old'}], self.sent_json(1))
        self.assertIn('json-patch', str(
            self.glance.calls[1].headers['content-type']))

    def test_properties_are_kept_without_purge_props(self):
        self._update({'name': 'two'}, GLANCE33('show_shared').but(old='1'),
                     GLANCE33('patch_200'), purge_props=False)
        self.assertEqual([{'op': 'replace', 'path': '/name',
                           'value': 'two'}], self.sent_json(1))

    def test_no_patch_is_sent_without_changes(self):
        image = self._update({'name': 'one'}, GLANCE33('show_shared'))
        self.assertEqual('one', image['name'])
        self.assert_calls(self.CALLS[:1])

    def test_writing_an_image_back_unchanged_sends_no_patch(self):
        for name in ('show_active', 'show_shared', 'show_community',
                     'show_queued'):
            raw = GLANCE33(name)
            del self.glance.calls[:]
            self._update(translation.from_glance(raw.json, True), raw)
            self.assert_calls(self.CALLS[:1])

    def test_empty_metadata_changes_nothing(self):
        self._update({}, GLANCE33('show_community'), purge_props=False)
        self.assert_calls(self.CALLS[:1])

    def test_is_public_false_makes_a_public_image_private(self):
        self._update({'is_public': False},
                     GLANCE33('show_shared').but(visibility='public'),
                     GLANCE33('patch_200'))
        self.assertEqual([{'op': 'replace', 'path': '/visibility',
                           'value': 'private'}], self.sent_json(1))

    def test_an_explicit_private_visibility_is_set(self):
        for meta in ({'visibility': 'private'},
                     {'visibility': 'private', 'is_public': False}):
            del self.glance.calls[:]
            self._update(meta, GLANCE33('show_shared'), GLANCE33('patch_200'))
            self.assertEqual([{'op': 'replace', 'path': '/visibility',
                               'value': 'private'}], self.sent_json(1))

    def test_the_callers_metadata_is_not_modified(self):
        meta = {'id': 'other', 'name': 'two', 'is_public': False,
                'properties': {'mappings': [{}], 'kernel_id': None}}
        before = copy.deepcopy(meta)
        self._update(meta, GLANCE33('show_shared'), GLANCE33('patch_200'))
        self.assertEqual(before, meta)

    def test_an_id_in_the_metadata_is_ignored(self):
        self._update({'id': 'other', 'name': 'one'}, GLANCE33('show_shared'))
        self.assert_calls(self.CALLS[:1])

    def test_a_lost_update_that_took_effect_is_a_success(self):
        changed = GLANCE33('patch_200')
        image = self._update(
            {'name': 'two', 'properties': {'os_type': 'bsd'}},
            GLANCE33('show_shared').but(old='1'), base.Lost(),
            recordings.Answer(409), changed)
        self.assertEqual('two', image['name'])
        self.assert_calls(self.CALLS + self.CALLS[1:] + self.CALLS[:1])

    def test_a_lost_update_without_effect_raises_the_conflict(self):
        self._fail(
            exception.ImageConflict, {'name': 'two'},
            GLANCE33('show_shared'), base.Lost(), recordings.Answer(409),
            GLANCE33('show_shared'))

    def test_a_refusal_is_raised_without_another_request(self):
        self._fail(exception.ImageBadRequest, {'name': 'two'},
                   GLANCE33('show_shared'), GLANCE33('empty_415'))
        self.assert_calls(self.CALLS)

    def test_data_is_uploaded_after_the_patch(self):
        self._update({'name': 'two'}, GLANCE33('show_shared'),
                     GLANCE33('patch_200'), GLANCE33('upload_204'),
                     GLANCE33('show_active'), data=DATA)
        self.assert_calls(self.CALLS + [('PUT', path(SHARED, 'file'))] +
                          self.CALLS[:1])

    def test_the_image_stays_after_a_failed_upload(self):
        self._fail(exception.ImageConflict, {}, GLANCE33('show_shared'),
                   GLANCE33('upload_409'), data=DATA)
        self.assert_calls(self.CALLS[:1] + [('PUT', path(SHARED, 'file'))])

    def test_a_location_is_added(self):
        self._update({'location': 'rbd://a'}, GLANCE33('show_shared'),
                     GLANCE33('patch_200'))
        self.assertEqual([ADD_LOCATION], self.sent_json(1))

    def test_a_refused_location_raises_the_right_exception(self):
        for status, kind in ((403, exception.Forbidden),
                             (409, exception.ImageLocationRefused),
                             (501, exception.ImageLocationRefused)):
            self._fail(kind, {'location': 'rbd://a'},
                       GLANCE33('show_shared'),
                       GLANCE33('location_400').changed(status=status))

    def test_a_deleted_image_is_not_found(self):
        self._fail(exception.ImageNotFound, {'name': 'x'},
                   GLANCE33('show_404'))


class TestDelete(DriverTestCase):
    """delete() sends one request."""

    def _fail(self, kind, *answers):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'delete', ACTIVE)

    def test_delete_sends_one_request(self):
        self.glance.answers(GLANCE33('delete_204'))
        self.assertIs(True, self.service.delete(self.context, ACTIVE))
        self.assert_calls([('DELETE', path(ACTIVE))])

    def test_refusals_of_glance_become_exceptions(self):
        for glance in (GLANCE15, GLANCE33):
            self._fail(exception.ImageNotFound, glance('delete_404'))
            error = self._fail(exception.ImageNotAuthorized,
                               glance('delete_403'))
            self.assertIn('protected', six.text_type(error))
        self._fail(exception.ImageDeleteConflict, recordings.Answer(409))

    def test_not_found_after_a_lost_answer_is_a_success(self):
        for lost in (base.Lost(), recordings.Answer(504)):
            self.glance.answers(lost, GLANCE33('delete_404'))
            self.assertIs(True, self.service.delete(self.context, ACTIVE))

    def test_a_refusal_after_a_lost_answer_is_raised(self):
        self._fail(exception.ImageNotAuthorized, base.Lost(),
                   GLANCE33('delete_403'))


class TestDownload(DriverTestCase):
    """download() requests the image, then its data."""

    CALLS = [('GET', path(ACTIVE)), ('GET', path(ACTIVE, 'file'))]

    def setUp(self):
        super(TestDownload, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')

    def _fail(self, kind, *answers, **kwargs):
        self.glance.answers(*answers)
        error = self.assert_raises(kind, 'download', ACTIVE,
                                   dst_path=self.path, **kwargs)
        self.assertEqual([], os.listdir(self.folder))
        return error

    def test_data_is_written_to_a_path(self):
        for glance in (GLANCE15, GLANCE33):
            del self.glance.calls[:]
            self.glance.answers(glance('show_active'), glance('download_200'))
            self.assertIsNone(self.service.download(
                self.context, ACTIVE, dst_path=self.path))
            with open(self.path, 'rb') as stream:
                self.assertEqual(DATA, stream.read())
            self.assert_calls(self.CALLS)

    def test_data_is_written_to_a_file_object(self):
        stream = io.BytesIO()
        self.glance.answers(GLANCE33('show_active'), GLANCE33('download_200'))
        self.assertIsNone(self.service.download(self.context, ACTIVE, stream))
        self.assertEqual(DATA, stream.getvalue())

    def test_data_is_returned_as_an_iterator(self):
        self.glance.answers(GLANCE33('show_active'), GLANCE33('download_200'))
        self.assertEqual(DATA, b''.join(
            self.service.download(self.context, ACTIVE)))
        self.assert_calls(self.CALLS)

    def test_os_hash_value_is_verified_rather_than_the_checksum(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.ImageCorrupt,
            GLANCE33('show_active').but(os_hash_value='0' * 128),
            GLANCE33('download_200'))
        self.assertIn('sha512', six.text_type(error))

    def test_an_image_without_data_is_unacceptable(self):
        for glance in (GLANCE15, GLANCE33):
            error = self._fail(
                exception.ImageUnacceptable, glance('show_queued'),
                glance('download_204'))
            self.assertIn('no data, its status is queued',
                          six.text_type(error))
            self.assertNotIsInstance(error, exception.ImageCorrupt)

    def test_an_image_without_data_is_refused_before_iterating(self):
        self.glance.answers(GLANCE33('show_queued'), GLANCE33('download_204'))
        self.assert_raises(exception.ImageUnacceptable, 'download', ACTIVE)

    def test_a_deactivated_image_is_not_authorized(self):
        for glance in (GLANCE15, GLANCE33):
            error = self._fail(exception.ImageNotAuthorized,
                               glance('show_active'), glance('download_403'))
            self.assertIn('deactivated', six.text_type(error))

    def test_a_missing_image_is_not_found(self):
        self._fail(exception.ImageNotFound, GLANCE33('show_404'))

    def test_a_closed_file_object_is_refused(self):
        stream = io.BytesIO()
        stream.close()
        self.glance.answers(GLANCE33('show_active'))
        self.assert_raises(exception.ImageUnacceptable, 'download', ACTIVE,
                           stream)

    def test_an_interrupted_download_resumes(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 10))
        self.glance.answers(
            GLANCE33('show_active'),
            GLANCE33('download_200').changed(content=DATA[:90]),
            GLANCE33('download_206'))
        self.service.download(self.context, ACTIVE, dst_path=self.path)
        self.assert_calls(self.CALLS + [('GET', path(ACTIVE, 'file'))])
        self.assertEqual('bytes=90-', self.glance.calls[-1].headers['range'])

    def test_a_store_without_ranges_is_remembered_by_its_name(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova_image.image.sizes.CHUNK', 10))
        whole = GLANCE33('download_200')
        for more, ranges in (([GLANCE33('list_400'), whole], 1),
                             ([whole], 0)):
            del self.glance.calls[:]
            self.glance.answers(GLANCE33('show_active'),
                                whole.changed(content=DATA[:90]), *more)
            stream = io.BytesIO()
            self.service.download(self.context, ACTIVE, stream)
            self.assertEqual(DATA, stream.getvalue())
            self.assertEqual(ranges, len([
                call for call in self.glance.calls
                if 'range' in call.headers]))

    def test_progress_is_reported(self):
        reported = []
        self.glance.answers(GLANCE33('show_active'), GLANCE33('download_200'))
        self.service.download(self.context, ACTIVE, dst_path=self.path,
                              progress=lambda *args: reported.append(args[:2]))
        self.assertEqual([(100, 100)], reported)

    def test_the_format_check_gets_the_disk_format(self):
        constructor = self.useFixture(fixtures.MockPatch(
            'nova_image.image.transfer.format_check.FormatCheck',
            side_effect=exception.ImageUnacceptable)).mock
        self._fail(exception.ImageUnacceptable, GLANCE33('show_active'),
                   inspect=True)
        self.assertEqual(('raw',), constructor.call_args[0])

    def test_unknown_options_are_a_type_error(self):
        self.glance.answers(GLANCE33('show_active'))
        self.assert_raises(TypeError, 'download', ACTIVE, other=1)


class TestSignatures(DriverTestCase):
    """download() of images that are signed with a real key."""

    def setUp(self):
        super(TestSignatures, self).setUp()
        self.keys = self.useFixture(signature_case.KeyManager())
        signer = signature_case.signer('self-signed')
        self.keys.objects['the-id'] = x_509.X509(signer.der)
        self.signed = GLANCE33('show_active').but(
            **signer.properties('the-id', DATA))
        self.set(verify_glance_signatures=True)

    def _download(self, image, data=DATA, **options):
        # The recorded hash is right even if the signature is not.
        image = image.but(os_hash_value=hashlib.sha512(data).hexdigest())
        self.glance.answers(image, GLANCE33('download_200').changed(
            content=data))
        return b''.join(self.service.download(self.context, ACTIVE,
                                              **options))

    def test_a_valid_signature_is_verified(self):
        self.assertEqual(DATA, self._download(self.signed))
        self.assertEqual(['the-id'], self.keys.ids)
        self.assertIn('verified by sha512, signature', self.log.output)

    def test_data_that_was_not_signed_is_refused(self):
        self.assertRaises(exception.SignatureVerificationError,
                          self._download, self.signed, DATA[::-1])
        self.assertEqual([], self.waits)

    def test_refused_data_leaves_no_file(self):
        folder = self.useFixture(fixtures.TempDir()).path
        self.glance.answers(
            self.signed.but(os_hash_value=None, checksum=None),
            GLANCE33('download_200').changed(content=DATA[::-1]))
        self.assert_raises(
            exception.SignatureVerificationError, 'download', ACTIVE,
            dst_path=os.path.join(folder, 'image'))
        self.assertEqual([], os.listdir(folder))
        self.assertEqual(0, self.glance.left)

    def test_an_unsigned_image_is_refused(self):
        for options, certificates in (
                ({'verify_glance_signatures': True}, None),
                ({'verify_glance_signatures': False}, ['the-id'])):
            self.set(**options)
            self.assertRaises(exception.SignatureVerificationError,
                              self._download, GLANCE33('show_active'),
                              trusted_certs=certificates)

    def test_the_signing_certificate_must_be_trusted(self):
        self.set(verify_glance_signatures=False)
        signer = signature_case.signer('authority', ca=True)
        self.keys.objects['root'] = x_509.X509(signer.der)
        image = self.signed.but(**signer.properties('root', DATA))
        self.assertEqual(DATA, self._download(image,
                                              trusted_certs=['root']))
        for trusted in (['the-id'], ['another']):
            self.assertRaises(exception.CertificateValidationFailed,
                              self._download, image, trusted_certs=trusted)


class TestInvalidAnswers(DriverTestCase):
    """JSON answers that do not describe images."""

    def test_each_operation_raises_bad_answer(self):
        for method, args in (
                ('show', [ACTIVE]), ('detail', []), ('create', [META]),
                ('update', [ACTIVE, {}]), ('download', [ACTIVE])):
            for content in (b'{}', b'{"error": "log in"}'):
                self.glance.answers(recordings.Answer(content=content))
                error = self.assert_raises(exception.GlanceBadAnswer, method,
                                           *args)
                self.assertIn('JSON is no', six.text_type(error))
        self.assertEqual([], self.waits)

    def test_an_image_that_may_exist_after_create_is_deleted(self):
        self.glance.answers(recordings.Answer(content=b'{}'),
                            GLANCE33('delete_404'))
        self.assert_raises(exception.GlanceBadAnswer, 'create',
                           {'name': 'x'})
        self.assert_calls([('POST', IMAGES),
                           ('DELETE', path(self.sent_json(0)['id']))])

    def test_an_invalid_answer_to_a_patch_is_a_bad_answer(self):
        self.glance.answers(GLANCE33('show_shared'),
                            recordings.Answer(content=b'{}'))
        self.assert_raises(exception.GlanceBadAnswer, 'update', SHARED,
                           {'name': 'x'})


class TestImport(DriverTestCase):
    """image_import_copy() sends one request, retried only if that is safe."""

    CALL = ('POST', path(ACTIVE, 'import'))

    def _copy(self, *answers):
        self.glance.answers(*answers)
        self.service.image_import_copy(self.context, ACTIVE, ['slow'])

    def _fail(self, kind, *answers):
        self.glance.answers(*answers)
        return self.assert_raises(kind, 'image_import_copy', ACTIVE,
                                  ['slow'])

    def test_a_copy_is_one_request(self):
        self._copy(GLANCE33('import_202'))
        self.assert_calls([self.CALL])
        # With True, the data of a failed copy would stay staged forever.
        self.assertEqual({'method': {'name': 'copy-image'},
                          'stores': ['slow'],
                          'all_stores_must_succeed': False},
                         self.sent_json(0))

    def test_copying_an_inactive_image_is_impossible(self):
        error = self._fail(exception.ImageImportImpossible,
                           GLANCE33('import_409'))
        self.assertIn('status active', six.text_type(error))

    def test_a_copy_that_may_have_begun_is_not_retried(self):
        for answer in (recordings.Answer(500), recordings.Answer(504),
                       base.Lost()):
            self._fail(exception.GlanceConnectionFailed, answer)
        self.assert_calls([self.CALL] * 3)

    def test_a_copy_that_glance_did_not_accept_is_retried(self):
        for status in (429, 503):
            self._copy(recordings.Answer(status), GLANCE33('import_202'))
        self.assert_calls([self.CALL] * 4)
