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
"""Tests of nova_image.image.glance_v2: the creation of images."""

import copy
import io

import requests
import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
GLANCE33 = case.GLANCE33
ACTIVE = case.ACTIVE
DATA = case.DATA
IMAGES = case.IMAGES
ADD_LOCATION = case.ADD_LOCATION
META = case.META


class TestOwner(case.DriverTestCase):
    """The owner of a new image."""

    def test_without_keystone_a_context_needs_a_project(self):
        for project in None, '':
            self.without_keystone(project_id=project)
            for method, args in (
                    ('create', ({},)), ('create', ({}, b'data')),
                    ('create_via_import', ({}, 'glance-direct'))):
                error = self.assert_raises(exception.Forbidden, method, *args)
                self.assertIn('no project', six.text_type(error))
        self.assert_calls([])


class TestCreate(case.DriverTestCase):
    """create() sends POST, and PUT and GET if there is data."""

    CALLS = [('POST', IMAGES), ('PUT', case.path(ACTIVE, 'file')),
             ('GET', case.path(ACTIVE))]

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
        self._create(case.created, meta={'name': 'x'})
        sent = self.sent_json(0)
        self.assertEqual({'id', 'name'}, set(sent))
        self.assertEqual(36, len(sent['id']))

    def test_metadata_is_translated(self):
        self._create(case.created, meta=dict(
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
        self._create(case.created, GLANCE33('member_200').but(
            image_id=ACTIVE, member_id='p'), GLANCE33('upload_204'),
            GLANCE33('show_empty').but(id=ACTIVE), meta=meta)
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
        def found(call):
            return GLANCE33('show_queued').but(
                id=call.path.rpartition('/')[2])

        image = self._create(base.Lost(), GLANCE33('create_409'), found,
                             meta={'name': 'x'})
        own = self.sent_json(0)['id']
        self.assertEqual(own, image['id'])
        self.assert_calls([('POST', IMAGES), ('POST', IMAGES),
                           ('GET', case.path(own))])
        self.assertEqual(self.sent_json(0), self.sent_json(1))

    def test_a_new_id_of_the_caller_is_the_calls_own(self):
        for failed in (base.Lost(), recordings.Answer(503)):
            image = self._create(failed, GLANCE33('create_409'), GLANCE33(
                'show_queued').but(id=ACTIVE), id_is_new=True)
            self.assertEqual(ACTIVE, image['id'])
        self.assert_calls((self.CALLS[:1] * 2 + self.CALLS[2:]) * 2)

    def test_a_taken_id_is_a_conflict_after_a_lost_answer(self):
        for failed in (base.Lost(), recordings.Answer(503)):
            error = self._fail(exception.ImageConflict, failed,
                               GLANCE33('create_409'), data=DATA)
            self.assertIn('if this call has created it', error.left)
        self.assert_calls([('POST', IMAGES)] * 4)

    def test_an_answer_about_another_image_is_refused(self):
        error = self._fail(exception.GlanceBadAnswer, GLANCE33(
            'create_201').but(id=recordings.QUEUED), data=DATA)
        self.assertIn('describes image ' + recordings.QUEUED, str(error))
        self.assert_calls(self.CALLS[:1])

    def test_a_location_and_data_exclude_each_other(self):
        self._fail(exception.ImageBadRequest, data=DATA,
                   meta=dict(META, location='rbd://a'))
        self.assert_calls([])

    def test_an_image_with_the_callers_location_stays(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.ImageLocationRefused,
            GLANCE33('create_201').but(locations=[]), base.Lost(),
            meta=dict(META, location='rbd://a'))
        self.assertIn('may have the location', error.left)
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])

    def test_md5_is_compared_if_glance_has_another_algorithm(self):
        for changed in ({'os_hash_algo': None, 'os_hash_value': None},
                        {'os_hash_algo': 'sha256', 'os_hash_value': 'x'}):
            base.endpoint._KNOWLEDGE.clear()
            self._fail(
                exception.ImageUploadFailed, GLANCE33('create_201'),
                GLANCE33('upload_204'), GLANCE33('show_active').but(
                    checksum='0' * 32, **changed),
                GLANCE33('delete_204'), data=DATA)

    def test_an_image_with_our_id_is_deleted_if_no_answer_arrives(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceConnectionFailed, base.Lost(),
            GLANCE33('delete_204'), meta={'name': 'x'})
        own = self.sent_json(0)['id']
        self.assert_calls([('POST', IMAGES), ('DELETE', case.path(own))])
        self.assertEqual((None, False), (error.left, error.in_doubt))

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
        self.assert_calls(self.CALLS[:2] + [('DELETE', case.path(ACTIVE))])

    def test_a_failed_deletion_does_not_hide_the_first_error(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceServerError, GLANCE33('create_201'),
            recordings.Answer(503), GLANCE33('delete_403'), data=DATA)
        self.assertEqual(503, error.status)
        self.assertIn('left behind', self.log.output)
        self.assertIn('could not be deleted', str(error))

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
        self.assert_calls(self.CALLS[:2] + [('DELETE', case.path(ACTIVE))])

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
        self.assert_calls(self.CALLS + [('DELETE', case.path(ACTIVE))])
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
        self.assert_calls([('POST', IMAGES), ('PATCH', case.path(ACTIVE))])
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
        member = GLANCE33('member_200').but(image_id=ACTIVE,
                                            member_id='another')
        self._create(case.created, member, meta=dict(
            META, properties={'instance_owner': 'another', 'a': '1'}))
        self.assert_calls([('POST', IMAGES),
                           ('POST', case.path(ACTIVE, 'members'))])
        self.assertEqual(dict(META, a='1', visibility='shared'),
                         self.sent_json(0))
        self.assertEqual({'member': 'another'}, self.sent_json(1))

    def test_the_image_is_deleted_if_the_member_is_refused(self):
        self._fail(exception.ImageNotAuthorized, GLANCE33('create_201'),
                   recordings.Answer(403), GLANCE33('delete_204'),
                   meta=dict(META, properties={'instance_owner': 'x'}))
