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
"""Tests of nova_image.image.glance: downloads."""

import errno
import hashlib
import io
import os

from castellan.common.objects import x_509
import fixtures
import mock
import six

from nova_image import exception
from nova_image.tests.unit.image import glance_case as case
from nova_image.tests.unit.image.transfer import signature_case

GLANCE15 = case.GLANCE15
ACTIVE = case.ACTIVE
QUEUED = case.QUEUED
ABSENT = case.ABSENT
DATA = case.DATA


class TestDownload(case.DriverTestCase):
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
        self.assert_calls([('GET', case.path(ACTIVE))])

    def test_a_file_that_appears_in_the_meantime_is_not_replaced(self):
        def appear(call):
            os.mkdir(self.path)
            return GLANCE15('download_200')
        self.glance.answers(appear)
        error = self.assertRaises(
            OSError, self.service.download, self.context, ACTIVE,
            dst_path=self.path, replace=False)
        self.assertEqual(errno.EEXIST, error.errno)
        self.assertEqual(['image'], os.listdir(self.folder))

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
        self.assert_calls([('GET', case.path(QUEUED)),
                           ('HEAD', case.path(QUEUED))] * 2)

    def test_a_deleted_image_is_not_found(self):
        for status in 'deleted', 'pending_delete':
            self.glance.answers(
                GLANCE15('download_404'), GLANCE15('show_deleted').changed(
                    headers={'X-Image-Meta-Status': status}))
            error = self.assert_raises(exception.ImageNotFound, 'download',
                                       QUEUED)
            self.assertEqual(404, error.status)

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
        self.assert_calls([('GET', case.path(ACTIVE))] * 2)
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
