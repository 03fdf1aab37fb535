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
"""Tests of nova_image.image.glance: creation and changes of images."""

import copy
import io

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit.metrics import case as metrics_case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE
QUEUED = case.QUEUED
DATA = case.DATA
IMAGES = case.IMAGES
META = case.META


class TestOwner(case.DriverTestCase):
    """The owner of a new image."""

    def test_without_keystone_a_context_needs_a_project(self):
        for project in None, '':
            self.without_keystone(project_id=project)
            error = self.assert_raises(exception.Forbidden, 'create', {})
            self.assertIn('no project', six.text_type(error))
        self.assert_calls([])


class TestCreate(case.DriverTestCase):
    """create() sends POST, and PUT if there is data."""

    CALLS = [('POST', IMAGES), ('PUT', case.path(ACTIVE))]

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
        image = self._create(GLANCE15('create_empty_201'), meta={
            'id': recordings.EMPTY, 'name': 'empty', 'size': 0})
        self.assertEqual('active', image['status'])
        self.assert_calls(self.CALLS[:1])
        self.assertEqual('0', self.sent_meta()['size'])

    def test_the_driver_chooses_the_id(self):
        self._create(case.created, meta={'name': 'x'})
        self.assertEqual(36, len(self.sent_meta()['id']))

    def test_instance_owner_becomes_a_member(self):
        self._create(GLANCE15('create_201'), GLANCE15('member_204'),
                     meta=dict(META, properties={
                         'instance_owner': 'another-project'}))
        self.assert_calls([
            ('POST', IMAGES),
            ('PUT', case.path(ACTIVE, 'members', 'another-project'))])
        self.assertEqual({'id', 'name', 'disk_format', 'container_format'},
                         set(self.sent_meta()))

    def test_an_upload_is_logged_and_counted(self):
        metrics = self.useFixture(metrics_case.Remembered())
        self._create(GLANCE15('create_201'), GLANCE15('upload_200'),
                     data=DATA)
        self.assertIn('100 bytes to http://glance:9292 in 0.',
                      self.log.output)
        self.assertIn('verified by md5', self.log.output)
        self.assertEqual({('upload', 'http', 'ok'): 1},
                         metrics.of('transfers_total'))
        self.assertEqual(
            {('create', '201'): 1, ('upload', '200'): 1},
            metrics.of('requests_total'))

    def test_wrong_data_is_counted(self):
        metrics = self.useFixture(metrics_case.Remembered())
        image = dict(GLANCE15('upload_200').json['image'], checksum='0')
        self._fail(exception.ImageUploadFailed, GLANCE15('create_201'),
                   GLANCE15('upload_200').but(image=image),
                   GLANCE15('delete_200'), data=DATA)
        self.assertEqual({('upload', 'http', 'corrupt'): 1},
                         metrics.of('transfers_total'))
        self.assertEqual({('md5', 'failed'): 1},
                         metrics.of('verifications_total'))
        self.assertEqual({('deleted',): 1}, metrics.of('undos_total'))

    def test_refusals_of_glance_become_exceptions(self):
        for name, kind in (('create_400', exception.ImageBadRequest),
                           ('create_409', exception.ImageConflict)):
            self._fail(kind, GLANCE15(name))
        self.assert_calls(self.CALLS[:1] * 2)

    def test_the_created_image_is_found_after_a_lost_answer(self):
        def found(call):
            return GLANCE15('show_queued').changed(headers={
                'X-Image-Meta-Id': call.path.rpartition('/')[2]})

        image = self._create(base.Lost(), GLANCE15('create_409'), found,
                             meta={'name': 'x'})
        own = self.sent_meta(0)['id']
        self.assertEqual(own, image['id'])
        self.assert_calls(self.CALLS[:1] * 2 + [('HEAD', case.path(own))])
        self.assertEqual(self.sent_meta(0), self.sent_meta(1))

    def test_a_new_id_of_the_caller_is_the_calls_own(self):
        for failed in (base.Lost(), recordings.Answer(503)):
            image = self._create(
                failed, GLANCE15('create_409'),
                GLANCE15('show_queued').changed(headers={
                    'X-Image-Meta-Id': ACTIVE}), id_is_new=True)
            self.assertEqual(ACTIVE, image['id'])
        self.assert_calls((self.CALLS[:1] * 2 + [
            ('HEAD', case.path(ACTIVE))]) * 2)

    def test_a_taken_id_is_a_conflict_after_a_lost_answer(self):
        for failed in (base.Lost(), recordings.Answer(503)):
            error = self._fail(exception.ImageConflict, failed,
                               GLANCE15('create_409'), data=DATA)
            self.assertIn('if this call has created it', error.left)
        self.assert_calls(self.CALLS[:1] * 4)

    def test_an_answer_about_another_image_is_refused(self):
        error = self._fail(exception.GlanceBadAnswer, case.about(
            QUEUED, GLANCE15('create_201')))
        self.assertIn('describes image ' + QUEUED, six.text_type(error))
        self.assert_calls(self.CALLS[:1])

    def test_a_location_and_data_exclude_each_other(self):
        self._fail(exception.ImageBadRequest, data=DATA,
                   meta=dict(META, location='file:///a'))
        self.assert_calls([])

    def test_a_location_is_not_deleted_after_a_lost_answer(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceConnectionFailed, base.Lost(),
            meta={'name': 'x', 'location': 'file:///a'})
        self.assertIn('if this call has created it', error.left)
        self.assert_calls(self.CALLS[:1])

    def test_a_location_is_added_after_the_member(self):
        self._create(GLANCE15('create_201'), GLANCE15('member_204'),
                     GLANCE15('upload_200'),
                     meta=dict(META, location='file:///a', properties={
                         'instance_owner': 'another-project'}))
        self.assert_calls([
            ('POST', IMAGES),
            ('PUT', case.path(ACTIVE, 'members', 'another-project')),
            ('PUT', case.path(ACTIVE))])
        self.assertNotIn('location', self.sent_meta(0))
        self.assertEqual({'location': 'file:///a'}, self.sent_meta(2))

    def test_an_image_with_our_id_is_deleted_if_no_answer_arrives(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceConnectionFailed, base.Lost(),
            GLANCE15('delete_404'), meta={'name': 'x'})
        self.assert_calls([('POST', IMAGES),
                           ('DELETE', case.path(self.sent_meta()['id']))])
        self.assertEqual((None, False), (error.left, error.in_doubt))

    def test_the_image_is_deleted_after_a_failed_upload(self):
        self.set(num_retries=0)
        error = self._fail(
            exception.GlanceServerError, GLANCE15('create_201'),
            recordings.Answer(503), GLANCE15('delete_200'), data=DATA)
        self.assertEqual(503, error.status)
        self.assert_calls(self.CALLS + [('DELETE', case.path(ACTIVE))])

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
                          [('HEAD', case.path(ACTIVE))])

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
            ('HEAD', case.path(ACTIVE)), ('DELETE', case.path(ACTIVE))])

    def test_the_upload_is_retried_while_glance_is_saving(self):
        self._create(
            GLANCE15('create_201'), base.Lost(), GLANCE15('upload_409'),
            self._with_status('saving'), GLANCE15('upload_409'),
            self._with_status('active'), data=DATA)
        self.assert_calls(self.CALLS + [('PUT', case.path(ACTIVE)),
                                        ('HEAD', case.path(ACTIVE))] * 2)

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
        self.assert_calls(self.CALLS + [('DELETE', case.path(ACTIVE))])
        self.set(verify_uploads=False)
        self._create(GLANCE15('create_201'), other, data=DATA)


class TestUpdate(case.DriverTestCase):
    """update() sends one PUT; with data HEAD, and another PUT."""

    HEAD = ('HEAD', case.path(QUEUED))
    UPLOADED = case.about(QUEUED, GLANCE15('upload_200'))

    def _update(self, meta, *answers, **kwargs):
        self.glance.answers(*answers)
        return self.service.update(self.context, QUEUED, meta, **kwargs)

    def test_properties_are_purged_by_default(self):
        image = self._update({'id': 'x', 'name': 'two',
                              'properties': {'os_type': 'bsd'}},
                             GLANCE15('update_200'))
        self.assertEqual(('two', {'os_type': 'bsd'}),
                         (image['name'], image['properties']))
        self.assert_calls([('PUT', case.path(QUEUED))])
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
        image = self._update({'name': 'two'}, GLANCE15('show_queued'),
                             self.UPLOADED, data=DATA, purge_props=False)
        self.assertEqual('active', image['status'])
        self.assert_calls([self.HEAD, ('PUT', case.path(QUEUED))])
        self.assertEqual(DATA, self.glance.calls[1].body)

    def test_data_with_purging_is_sent_in_two_requests(self):
        # v1 purges nothing in a request that has data
        self._update({'name': 'two'}, GLANCE15('show_queued'),
                     GLANCE15('update_200'), self.UPLOADED, data=DATA)
        self.assertEqual([('', 'True'), (DATA.decode('ascii'), 'False')], [
            (self.glance.calls[number].body.decode('ascii'),
             self.purge(number)) for number in (1, 2)])

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

    def test_data_for_a_deleted_image_is_not_found(self):
        for purge in (True, False):
            self.glance.answers(GLANCE15('show_deleted'))
            self.assert_raises(exception.ImageNotFound, 'update', QUEUED,
                               {'name': 'two'}, data=DATA, purge_props=purge)
        self.assert_calls([self.HEAD] * 2)

    def test_data_for_an_active_image_changes_nothing(self):
        for purge in (True, False):
            self.glance.answers(GLANCE15('show_active'))
            self.assert_raises(exception.ImageConflict, 'update', ACTIVE,
                               {'name': 'two'}, data=DATA, purge_props=purge)
        self.assert_calls([('HEAD', case.path(ACTIVE))] * 2)

    def test_a_failed_upload_names_what_has_changed(self):
        self.glance.answers(GLANCE15('show_queued'), GLANCE15('update_200'),
                            GLANCE15('upload_409'))
        error = self.assert_raises(exception.ImageConflict, 'update', QUEUED,
                                   {'name': 'two'}, data=DATA)
        self.assertIn('with changed metadata', six.text_type(error))

    def test_the_data_of_another_client_stays(self):
        for checksum in ('other', ''):  # Glance may have none
            other = GLANCE15('show_active').changed(headers={
                'X-Image-Meta-Id': QUEUED, 'X-Image-Meta-Checksum': checksum})
            self.glance.answers(GLANCE15('show_queued'), base.Lost(),
                                GLANCE15('upload_409'), other)
            error = self.assert_raises(
                exception.ImageUploadFailed, 'update', QUEUED, {}, data=DATA,
                purge_props=False)
            self.assertIn('another client', error.left)
        self.assertNotIn('DELETE', [one.method for one in self.glance.calls])
