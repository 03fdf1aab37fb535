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

"""What the drivers report to the metrics."""

import os

import requests

from nova_image import exception
from nova_image.image import undo
from nova_image.metrics import hook
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit.image.transfer import fetch_case
from nova_image.tests.unit.image.transfer import transfer_case
from nova_image.tests.unit.image.v2 import import_case
from nova_image.tests.unit.metrics import case as metrics_case
from nova_image.tests.unit import recordings

GLANCE33 = case.GLANCE33


class TestRequests(case.DriverTestCase):
    """Requests, retries and API servers."""

    def setUp(self):
        super(TestRequests, self).setUp()
        self.metrics = self.useFixture(metrics_case.Remembered())

    def test_calls_are_those_of_glance(self):
        """A create with data makes three of them."""
        self.glance.answers(GLANCE33('create_201'), GLANCE33('upload_204'),
                            GLANCE33('show_active'))
        self.service.create(self.context, case.META, case.DATA)
        self.assertEqual(
            {('create', '201'): 1, ('upload', '204'): 1, ('show', '200'): 1},
            self.metrics.of('requests_total'))
        self.assertEqual({('create',), ('upload',), ('show',)},
                         set(self.metrics.of('request_seconds')))
        self.assertEqual({('glance:9292',): 0},
                         self.metrics.of('endpoint_failures_total'))

    def test_each_attempt_counts(self):
        self.glance.answers(base.Lost(), recordings.Answer(503),
                            GLANCE33('show_active'))
        self.service.show(self.context, case.ACTIVE)
        self.assertEqual(
            {('show', 'none'): 1, ('show', '503'): 1, ('show', '200'): 1},
            self.metrics.of('requests_total'))
        self.assertEqual({('show',): 2}, self.metrics.of('retries_total'))
        self.assertEqual({('glance:9292',): 2},
                         self.metrics.of('endpoint_failures_total'))
        ups = [value for name, _, value in self.metrics.sink.values
               if name == 'nova_image_endpoint_up']
        self.assertEqual([0, 0, 1], ups)

    def test_answers_with_errors_count(self):
        self.glance.answers(recordings.Answer(404))
        self.assert_raises(exception.ImageNotFound, 'show', case.ACTIVE)
        self.assertEqual({('show', '404'): 1},
                         self.metrics.of('requests_total'))

    def test_a_catalog_without_glance(self):
        self.set(api_servers=[])
        self.service = self.driver()
        self.context.service_catalog = []
        self.assert_raises(exception.GlanceConnectionFailed, 'show',
                           case.ACTIVE)
        self.assertEqual({}, self.metrics.of('requests_total'))
        self.assertEqual({}, self.metrics.of('endpoint_up'))
        self.assertNotIn('Metrics are incomplete', self.log.output)

    def test_credentials_of_a_url_are_left_out(self):
        self.set(api_servers=['http://user:hidden@glance:9292/image'])
        self.service = self.driver()
        self.glance.answers(GLANCE33('show_active'))
        self.service.show(self.context, case.ACTIVE)
        self.assertIn(('glance:9292',), self.metrics.of('endpoint_up'))
        self.assertNotIn('hidden', repr(self.metrics.sink.values))

    def test_a_process_reports_itself_first(self):
        self.glance.answers(GLANCE33('show_active'))
        self.service.show(self.context, case.ACTIVE)
        self.assertEqual(
            ('nova_image_info', ('1.0', 'v2', 'nova-compute'), 1),
            self.metrics.sink.values[0])


class TestUploads(case.DriverTestCase):
    """Uploads, and what failed calls leave."""

    def setUp(self):
        super(TestUploads, self).setUp()
        self.metrics = self.useFixture(metrics_case.Remembered())

    def _create(self, *answers):
        self.glance.answers(GLANCE33('create_201'), *answers)
        return self.service.create(self.context, case.META, case.DATA)

    def test_an_upload(self):
        self._create(GLANCE33('upload_204'), GLANCE33('show_active'))
        self.assertEqual({('upload', 'http', 'ok'): 1},
                         self.metrics.of('transfers_total'))
        self.assertEqual({('upload', 'http'): 100},
                         self.metrics.of('transfer_bytes_total'))
        self.assertEqual({('sha512', 'ok'): 1},
                         self.metrics.of('verifications_total'))
        self.assertIn('INFO nova_image.image.transfer.sent Image %s: 100 '
                      'bytes to http://glance:9292 in 0.' % case.ACTIVE,
                      self.log.output)
        self.assertIn('restarted 0 times, verified by sha512',
                      self.log.output)

    def test_an_upload_that_is_repeated(self):
        self._create(recordings.Answer(503), GLANCE33('upload_204'),
                     GLANCE33('show_active'))
        self.assertIn('restarted 1 times', self.log.output)

    def test_wrong_data(self):
        self.assertRaises(
            exception.ImageUploadFailed, self._create,
            GLANCE33('upload_204'),
            GLANCE33('show_active').but(os_hash_value='0' * 128),
            recordings.Answer(204))
        self.assertEqual({('upload', 'http', 'corrupt'): 1},
                         self.metrics.of('transfers_total'))
        self.assertEqual({('sha512', 'failed'): 1},
                         self.metrics.of('verifications_total'))
        self.assertEqual({('deleted',): 1}, self.metrics.of('undos_total'))

    def test_a_refused_upload(self):
        self.assertRaises(
            exception.NovaImageException, self._create,
            recordings.Answer(413), recordings.Answer(500))
        self.assertEqual({('upload', 'http', 'failed'): 1},
                         self.metrics.of('transfers_total'))
        self.assertEqual({('left',): 1}, self.metrics.of('undos_total'))

    def test_images_that_are_not_deleted(self):
        for keep, why in (True, None), (False, 'the data is yours'):
            try:
                with undo.Undo(None, None, 'ID', keep) as undone:
                    undone.leave(why)
                    raise exception.ImageConflict(image_id='ID')
            except exception.ImageConflict:
                pass
        self.assertEqual({('kept',): 1, ('left',): 1},
                         self.metrics.of('undos_total'))


class TestDownloads(fetch_case.FetchCase):
    """Downloads from each kind of source."""

    def setUp(self):
        super(TestDownloads, self).setUp()
        self.metrics = self.useFixture(metrics_case.Remembered())

    def _transfers(self):
        return self.metrics.of('transfers_total')

    def test_a_download_that_resumes_and_restarts(self):
        self.glance.answers(transfer_case.wrong(), transfer_case.broken(40),
                            transfer_case.rest)
        self.run_it(path=self.path)
        self.assertEqual({('download', 'http', 'corrupt'): 1,
                          ('download', 'http', 'ok'): 1}, self._transfers())
        self.assertEqual({(): 1}, self.metrics.of('resumes_total'))
        self.assertEqual({('md5', 'failed'): 1, ('md5', 'ok'): 1},
                         self.metrics.of('verifications_total'))
        self.assertEqual({('download', 'http'): 100},
                         self.metrics.of('transfer_bytes_total'))

    def test_a_lost_connection(self):
        self.set(download_retries=0)
        self.assert_failed(exception.GlanceConnectionFailed,
                           transfer_case.broken(40))
        self.assertEqual({('download', 'http', 'interrupted'): 1},
                         self._transfers())

    def test_streams(self):
        self.glance.answers(transfer_case.WHOLE, transfer_case.WHOLE)
        list(self.run_it())
        stream = self.run_it()
        next(stream)
        stream.close()
        self.assertEqual({('download', 'http', 'ok'): 1,
                          ('download', 'http', 'stopped'): 1},
                         self._transfers())

    def test_a_stream_that_does_not_begin(self):
        self.set(num_retries=0)
        self.glance.answers(base.Lost(requests.ConnectionError('no')))
        self.assertRaises(exception.GlanceConnectionFailed, self.run_it)
        self.assertEqual({('download', 'http', 'interrupted'): 1},
                         self._transfers())

    def test_direct_downloads(self):
        class Handler(object):
            def copy(self, url, output, check):
                if url.endswith('bad'):
                    raise exception.ImageDownloadUnavailable
                output.write(transfer_case.DATA)
                check.update(transfer_case.DATA)
        self.run_it(path=self.path, handlers={
            'swift+https': Handler(), 'rbd': Handler()},
            locations=['rbd://bad', 'swift+https://x:y@z/c/o'])
        self.assertEqual({('download', 'rbd', 'failed'): 1,
                          ('download', 'swift', 'ok'): 1}, self._transfers())

    def test_data_of_another_download(self):
        found = os.path.join(self.folder, 'other')
        with open(found, 'wb') as stream:
            stream.write(transfer_case.DATA)

        class Turn(object):
            def brought(self):
                return found
        sink = fetch_case.fetch.sinks.open_sink(path=self.path)
        download = self.download()
        sink.receive = lambda _: download.fill(sink, Turn())
        download.to_sink(sink)
        self.assertEqual({('download', 'shared', 'ok'): 1},
                         self._transfers())


class TestImports(import_case.DriverTestCase):
    """Imports: metrics and log lines."""

    def setUp(self):
        super(TestImports, self).setUp()
        self.metrics = self.useFixture(metrics_case.Remembered())

    def test_an_import(self):
        self.create('glance-direct', *import_case.STAGING + (
            import_case.WORKING, import_case.IMPORTED),
            data=import_case.DATA)
        self.assertEqual({('glance-direct', 'imported'): 1},
                         self.metrics.of('imports_total'))
        self.assertEqual([('glance-direct',)],
                         list(self.metrics.of('import_seconds')))
        self.assertEqual({('stage', 'http', 'ok'): 1},
                         self.metrics.of('transfers_total'))
        self.assertIn('100 bytes to be imported by http://glance:9292 in',
                      self.log.output)
        self.assertIn('Image %s: 100 bytes imported by glance-direct in '
                      % import_case.NEW, self.log.output)
        self.assertIn('MiB/s to fast', self.log.output)


class TestGuard(base.TestCase):
    """A back end that fails."""

    def test_calls_succeed_and_one_warning_is_logged(self):
        class Broken(metrics_case.RememberedSink):
            def _keep(self, *args):
                raise ValueError('out of order: https://u:p@h')
        live = hook.Live(Broken(), ('1', 'v2', 'x'))
        for _ in range(2):
            live.begin()
            live.server('http://glance', True)
            live.moved('download', 'http', 1, 1.0)
        self.assertEqual(1, self.log.output.count('Metrics are incomplete'))
        self.assertNotIn('u:p', self.log.output)

    def test_off_is_the_default(self):
        self.assertFalse(hook.Metrics.is_on)
        self.assertIs(hook.Metrics, type(hook.METRICS))

    def test_both_have_the_same_methods(self):
        def methods(kind):
            return {name for name in vars(kind) if name[0] != '_'}
        self.assertEqual(methods(hook.Metrics), methods(hook.Live))
