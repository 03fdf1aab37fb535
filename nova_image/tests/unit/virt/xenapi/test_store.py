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

"""Tests of nova_image.virt.xenapi.store, on both Pythons."""

import mock
import six

from nova_image import exception
from nova_image.tests.unit.virt.xenapi import case


class DownloadTest(case.XenCase):
    """``download_image()``."""

    def setUp(self):
        super(DownloadTest, self).setUp()
        self.images.show.return_value = case.ACTIVE
        self.session.answers = [dict(case.SENT, root={'uuid': 'a'})]

    def download(self):
        """Download the image."""
        return self.store().download_image(
            self.context, self.session, case.INSTANCE, case.ID)

    def failed(self, name):
        """Assert that a download fails; return the exception of Nova."""
        return self.assertRaises(self.exception(name), self.download)

    def test_arguments_and_answer(self):
        self.assertEqual({'root': {'uuid': 'a'}}, self.download())
        self.assertEqual([('download_vhd', {
            'request': {'url': 'http://0/download/' + case.ID},
            'uuid_stack': ['b', 'a'], 'sr_path': '/sr',
            'checksum': {'md5': case.MD5, 'size': 5, 'algorithm': None,
                         'value': None}})], self.session.calls)
        self.images.show.assert_called_once_with(
            self.context, case.ID, show_deleted=False)

    def test_the_reference_is_resolved(self):
        """Nova also passes URLs of images."""
        pinned = mock.Mock()
        pinned.show.return_value = case.ACTIVE
        pinned.client.conf.glance.num_retries = 0
        pinned.data_requests.return_value = iter([{'url': 'http://x'}])
        self.images.resolve = mock.Mock(return_value=(pinned, case.ID))
        self.download()
        self.images.resolve.assert_called_once_with(self.context, case.ID)
        self.assertEqual([], self.images.show.mock_calls)

    def test_each_attempt_has_its_own_request(self):
        self.session.answers = [case.failure(), case.failure()] + (
            self.session.answers)
        self.download()
        self.assertEqual(
            ['http://%d/download/%s' % (number, case.ID)
             for number in range(3)],
            [arguments['request']['url']
             for _, arguments in self.session.calls])
        self.assertEqual(2, self.faults.call_count)
        self.assertEqual((self.context, case.INSTANCE),
                         self.faults.call_args[0][:2])

    def test_all_attempts_fail(self):
        self.session.answers = [case.failure() for _ in range(3)]
        self.assertIn(case.ID, six.text_type(
            self.failed('CouldNotFetchImage')))

    def test_an_image_that_glance_lacks_is_not_tried_again(self):
        for details in (['XENAPI_PLUGIN_FAILURE', 'download_vhd',
                         'ImageNotFound', '404'],
                        ['ImageNotFound', 'http://glance', '404']):
            self.session.answers = [case.Failure(details), None]
            self.failed('ImageNotFound')
            self.assertEqual(1, len(self.session.answers))
        self.images.show.side_effect = exception.ImageNotFound()
        self.failed('ImageNotFound')
        self.assertEqual(1, len(self.session.answers))

    def test_other_errors_of_xenapi_pass(self):
        """As with Nova's own store."""
        self.session.answers = [case.failure('PluginError')]
        self.assertRaises(case.Failure, self.download)

    def test_an_image_without_data(self):
        self.images.show.return_value = case.IMAGE
        self.assertIn('queued', six.text_type(
            self.failed('ImageUnacceptable')))
        self.assertEqual([], self.session.calls)

    def test_the_answer_is_compared_with_the_record(self):
        for wrong in ({'md5': case.OTHER_MD5}, {'size': 6}):
            self.session.answers = [
                dict(case.SENT, root={'uuid': 'a'}, **wrong)]
            self.failed('ImageUnacceptable')

    def test_what_was_verified_is_logged(self):
        self.download()
        self.assertIn('verified by md5', self.log.output)
        self.images.show.return_value = dict(
            case.ACTIVE, os_hash_algo='sha512', os_hash_value='ab')
        self.session.answers = [dict(case.SENT, root={'uuid': 'a'})]
        self.download()
        self.assertIn('its sha512 is not, because dom0', self.log.output)

    def test_without_a_recorded_md5(self):
        self.images.show.return_value = dict(case.ACTIVE, checksum=None)
        self.download()
        self.assertIsNone(self.session.calls[0][1]['checksum']['md5'])
        self.assertIn('no recorded hash', self.warnings()[0])

    def test_the_multihash_is_compared_if_dom0_has_it(self):
        for checksum in (case.MD5, None):
            self.images.show.return_value = dict(
                case.ACTIVE, checksum=checksum, os_hash_algo='sha512',
                os_hash_value='ab')
            self.session.answers = [dict(
                case.SENT, root={'uuid': 'a'},
                hashes={'md5': case.MD5, 'sha512': found})
                for found in ('ab', 'cd')]
            self.download()
            self.assertEqual(('sha512', 'ab'), tuple(
                self.session.calls[-1][1]['checksum'][name]
                for name in ('algorithm', 'value')))
            self.failed('ImageUnacceptable')
        self.assertEqual([], self.warnings())
        self.assertIn('verified by md5 and sha512\n', self.log.output)
        self.assertIn('verified by sha512\n', self.log.output)

    def test_a_multihash_that_is_an_md5(self):
        self.images.show.return_value = dict(
            case.ACTIVE, checksum=None, os_hash_algo='md5',
            os_hash_value=case.OTHER_MD5)
        self.failed('ImageUnacceptable')
        self.assertEqual(case.OTHER_MD5,
                         self.session.calls[0][1]['checksum']['md5'])


class UploadTest(case.XenCase):
    """``upload_image()``."""

    def setUp(self):
        super(UploadTest, self).setUp()
        self.images.show.side_effect = [case.IMAGE, case.ACTIVE]
        self.session.answers = [dict(case.SENT)]

    def upload(self, **instance):
        """Upload the image."""
        return self.store().upload_image(
            self.context, self.session, dict(case.INSTANCE, **instance),
            case.ID, ['leaf', 'parent'])

    def failed(self, name):
        """Assert that an upload fails; return the exception of Nova."""
        return self.assertRaises(self.exception(name), self.upload)

    def script(self, images, answers):
        """Say what the image is each time, and what the plugin answers."""
        self.images.show.side_effect = images
        self.session.answers = answers

    def test_arguments(self):
        self.vm_utils.get_compression_level = lambda: 7
        self.assertIsNone(self.upload())
        self.assertEqual([('upload_vhd', {
            'request': {'url': 'http://0/upload/' + case.ID, 'hash': None},
            'vdi_uuids': ['leaf', 'parent'], 'sr_path': '/sr',
            'compression_level': 7})], self.session.calls)

    def test_the_multihash_is_compared(self):
        """Glance names its algorithm only once it has data."""
        for found, same in (('ab', True), ('cd', False)):
            self.script(
                [dict(case.IMAGE, os_hash_algo=None, os_hash_value=None),
                 dict(case.ACTIVE, os_hash_algo='sha512',
                      os_hash_value='ab')],
                [dict(case.SENT, hashes={'md5': case.MD5, 'sha512': found})])
            if same:
                self.upload()
            else:
                self.failed('ImageUnacceptable')
            self.assertEqual('sha512',
                             self.session.calls[-1][1]['request']['hash'])

    def _described(self, **instance):
        self.script([case.IMAGE, case.ACTIVE], [dict(case.SENT)])
        self.images.update.reset_mock()
        self.upload(**instance)
        self.images.update.assert_called_once_with(
            self.context, case.ID, mock.ANY, purge_props=False)
        return self.images.update.call_args[0][2]

    def test_formats_and_properties_are_written_before(self):
        """Nothing else, so that the visibility stays as it is."""
        self.assertEqual(
            {'disk_format': 'vhd', 'container_format': 'ovf', 'properties': {
                'auto_disk_config': True, 'os_type': 'linux'}},
            self._described())
        self.assertEqual(
            {'auto_disk_config': False, 'os_type': 'windows'},
            self._described(auto_disk_config=False, os_type='windows')[
                'properties'])
        self.assertEqual('disabled', self._described(disabled=True)[
            'properties']['auto_disk_config'])
        self.vm_utils.get_compression_level = lambda: 9
        self.assertEqual(9, self._described()['properties'][
            'xenapi_image_compression_level'])

    def test_a_failed_description_ends_it(self):
        self.images.update.side_effect = exception.ImageNotAuthorized()
        self.failed('ImageNotAuthorized')
        self.assertEqual([], self.session.calls)

    def test_each_attempt_has_its_own_request(self):
        self.script([case.IMAGE] * 3 + [case.ACTIVE],
                    [case.failure(), case.failure(), dict(case.SENT)])
        self.upload()
        self.assertEqual(
            ['http://%d/upload/%s' % (number, case.ID)
             for number in range(3)],
            [arguments['request']['url']
             for _, arguments in self.session.calls])
        self.images.update.assert_called_once()

    def test_all_attempts_fail(self):
        self.script([case.IMAGE] * 3, [case.failure() for _ in range(3)])
        self.assertIn(case.ID, six.text_type(
            self.failed('CouldNotUploadImage')))

    def test_a_lost_answer_to_a_success(self):
        """The image is what was sent."""
        self.script([case.IMAGE, case.ACTIVE], [case.failure(
            text='No answer. All was sent: 5 bytes, MD5 %s.' % case.MD5)])
        self.upload()
        self.assertEqual(1, len(self.session.calls))

    def test_a_lost_answer_to_the_last_attempt(self):
        self.images.client.conf.glance.num_retries = 0
        lost = case.failure(text='5 bytes, MD5 %s.' % case.MD5)
        self.script([case.IMAGE, case.ACTIVE], [lost])
        self.upload()
        for seen in (case.IMAGE, exception.GlanceConnectionFailed()):
            self.script([case.IMAGE, seen], [lost])
            self.failed('CouldNotUploadImage')

    def test_data_of_others_is_no_success(self):
        for text in ('No answer.', 'All was sent: 5 bytes, MD5 %s.' % (
                case.OTHER_MD5), 'All was sent: 6 bytes, MD5 ' + case.MD5):
            self.script([case.IMAGE, case.ACTIVE], [case.failure(text=text)])
            self.failed('ImageBadRequest')

    def test_no_success_without_a_hash(self):
        self.script([case.IMAGE, dict(case.ACTIVE, checksum=None)], [
            case.failure(text='5 bytes, MD5 %s.' % case.MD5)])
        self.failed('ImageBadRequest')

    def test_an_image_with_data_is_refused(self):
        self.script([case.ACTIVE], [])
        self.failed('ImageBadRequest')
        self.assertEqual([], self.images.update.mock_calls)

    def test_glance_still_has_the_interrupted_upload(self):
        busy = dict(case.IMAGE, status='saving')
        self.script([case.IMAGE, busy, case.IMAGE, case.ACTIVE],
                    [case.failure(), dict(case.SENT)])
        self.upload()
        self.assertEqual(2, len(self.session.calls))

    def test_an_image_that_was_given_up(self):
        """Glance's v1 marks it so after an interrupted upload."""
        self.script([case.IMAGE, dict(case.IMAGE, status='killed')],
                    [case.failure()])
        self.failed('ImageBadRequest')

    def test_the_record_is_compared_with_the_answer(self):
        for wrong in ({'checksum': case.OTHER_MD5}, {'size': 6},
                      {'status': 'saving'}):
            self.script([case.IMAGE, dict(case.ACTIVE, **wrong)],
                        [dict(case.SENT)])
            self.failed('ImageUnacceptable')


class PluginTest(case.XenCase):
    """The plugin's version is known before any data moves."""

    def setUp(self):
        super(PluginTest, self).setUp()
        self.images.show.return_value = case.ACTIVE

    def _download(self):
        self.session.answers = [dict(case.SENT, root={'uuid': 'a'})]
        self.store().download_image(self.context, self.session,
                                    case.INSTANCE, case.ID)

    def test_it_is_asked_once_for_each_session(self):
        self._download()
        self._download()
        self.store().check(self.session)
        self.assertEqual(1, self.session.versions)
        self.session = case.Session()
        self._download()
        self.assertEqual(1, self.session.versions)

    def test_versions(self):
        for version in '1.0', '1.12':
            self.session = case.Session()
            self.session.version = version
            self._download()
        for version in '0.9', '2.0', '', None, 'x':
            self.session = case.Session()
            self.session.version = version
            error = self.assertRaises(exception.DriverLoadError,
                                      self.store().check, self.session)
            self.assertIn('requires 1.0', six.text_type(error))

    def test_a_missing_plugin(self):
        self.session.version = case.Failure([
            'XENAPI_MISSING_PLUGIN', 'nova_image_glance.py'])
        error = self.assertRaises(self.exception('NovaException'),
                                  self._download)
        for words in ('host a-host', 'XENAPI_MISSING_PLUGIN',
                      'Install the plugin'):
            self.assertIn(words, six.text_type(error))
        self.assertEqual([], self.session.calls)

    def test_a_service_without_our_driver(self):
        from nova_image.host import bridge
        store = self.store()
        bridge.installed = lambda: None
        error = self.assertRaises(
            self.exception('NovaException'), store.download_image,
            self.context, self.session, case.INSTANCE, case.ID)
        self.assertIn('image_upload_handler', six.text_type(error))


class InstallTest(case.XenCase):
    """The store replaces Nova's own if nova.conf names it."""

    def setUp(self):
        super(InstallTest, self).setUp()
        from nova_image.host import xenserver
        self.xenserver = xenserver
        self.conf = self.nova.conf
        self.started = []
        test = self

        class XenAPIDriver(object):
            """Nova's driver."""

            _session = self.session

            def init_host(self, host):
                """Start."""
                test.started.append(host)

        self.nova.modules['nova.virt.xenapi.driver'].XenAPIDriver = (
            XenAPIDriver)
        self.xen = XenAPIDriver()
        self.vm_utils._default_download_handler = lambda: 'of Nova'

    def choose(self, compute_driver='xenapi.XenAPIDriver', handler=None):
        """Configure and install."""
        self.conf.set_override('compute_driver', compute_driver)
        self.conf.set_override('image_upload_handler',
                               handler or self.xenserver.HANDLER, 'xenserver')
        self.xenserver.install(self.conf)

    def test_downloads_use_the_class_of_uploads(self):
        self.choose()
        self.assertIs(type(self.store()),
                      type(self.vm_utils._default_download_handler()))
        self.assertEqual('', self.xenserver.warning(self.conf))

    def test_dom0_is_checked_at_the_start(self):
        self.choose()
        self.xen.init_host('me')
        self.assertEqual((['me'], 1), (self.started, self.session.versions))
        self.session = type(self.xen)._session = case.Session()
        self.session.version = '9.0'
        self.assertRaises(exception.DriverLoadError, self.xen.init_host, 'me')
        self.assertEqual(['me'], self.started)

    def test_not_chosen(self):
        for arguments in (('libvirt.LibvirtDriver',),
                          ('xenapi.XenAPIDriver', 'of Nova'), (None,)):
            self.choose(*arguments)
            self.assertEqual('of Nova',
                             self.vm_utils._default_download_handler())
        self.xen.init_host('me')
        self.assertEqual(0, self.session.versions)

    def test_the_plugin_of_nova_is_warned_about(self):
        self.choose('xenapi.XenAPIDriver', 'of Nova')
        self.assertIn(self.xenserver.HANDLER,
                      self.xenserver.warning(self.conf))
        self.conf.prog = 'nova-api'
        self.assertEqual('', self.xenserver.warning(self.conf))
        self.choose('libvirt.LibvirtDriver', 'of Nova')
        self.assertEqual('', self.xenserver.warning(self.conf))
