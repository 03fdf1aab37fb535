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
"""Tests of nova_image.image.glance_v2: downloads."""

import errno
import hashlib
import io
import os

from castellan.common.objects import x_509
import fixtures
import six

from nova_image import exception
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit.image.transfer import signature_case

GLANCE15 = case.GLANCE15
GLANCE33 = case.GLANCE33
ACTIVE = case.ACTIVE
DATA = case.DATA


class TestDownload(case.DriverTestCase):
    """download() requests the image, then its data."""

    CALLS = [('GET', case.path(ACTIVE)), ('GET', case.path(ACTIVE, 'file'))]

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

    def test_fetch_also_returns_the_image(self):
        for glance in (GLANCE15, GLANCE33):
            self.glance.answers(glance('show_active'))
            shown = self.service.show(self.context, ACTIVE)
            del self.glance.calls[:]
            self.glance.answers(glance('show_active'), glance('download_200'))
            self.assertEqual(shown, self.service.fetch(
                self.context, ACTIVE, dst_path=self.path))
            with open(self.path, 'rb') as stream:
                self.assertEqual(DATA, stream.read())
            self.assert_calls(self.CALLS)

    def test_a_file_that_appears_in_the_meantime_is_not_replaced(self):
        def appear(call):
            os.mkdir(self.path)
            return GLANCE33('download_200')
        self.glance.answers(GLANCE33('show_active'), appear)
        error = self.assertRaises(
            OSError, self.service.download, self.context, ACTIVE,
            dst_path=self.path, replace=False)
        self.assertEqual(errno.EEXIST, error.errno)
        self.assertEqual(['image'], os.listdir(self.folder))

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
                exception.ImageUnacceptable,
                glance('show_queued').but(id=ACTIVE), glance('download_204'))
            self.assertIn('no data, its status is queued',
                          six.text_type(error))
            self.assertNotIsInstance(error, exception.ImageCorrupt)

    def test_an_image_without_data_is_refused_before_iterating(self):
        self.glance.answers(GLANCE33('show_queued').but(id=ACTIVE),
                            GLANCE33('download_204'))
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
        self.assert_calls(self.CALLS + [('GET', case.path(ACTIVE, 'file'))])
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


class TestSignatures(case.DriverTestCase):
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
