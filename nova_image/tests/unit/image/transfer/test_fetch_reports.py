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
"""Tests of nova_image.image.transfer.fetch: progress and log."""

import logging


from nova_image import exception
from nova_image.image.transfer import fetch
from nova_image.image.transfer import recorded
from nova_image.tests.unit.image.transfer import fetch_case
from nova_image.tests.unit.image.transfer import transfer_case as case


class TestReporting(fetch_case.FetchCase):
    """The progress of a download, and its log."""

    def setUp(self):
        super(TestReporting, self).setUp()
        self.logged = case.Records()
        logger = logging.getLogger(fetch.__name__)
        logger.addHandler(self.logged)
        self.addCleanup(logger.removeHandler, self.logged)

    def _record(self):
        (record,) = [one for one in self.logged.records
                     if hasattr(one, 'transfer')]
        return record

    def test_progress_is_reported_with_its_rate(self):
        self.stop_clock()
        calls = []

        def progress(*args):
            calls.append(args)
            self.now += 2
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path, progress=progress)
        self.assertEqual((10, 100, 0.0), calls[0])
        self.assertEqual((20, 100, 10.0), calls[1])
        self.assertEqual((100, 100, 100 / 18.0), calls[-1])
        self.assertEqual(10, len(calls))

    def test_progress_of_a_stream_is_reported(self):
        calls = []
        self.glance.answers(case.WHOLE)
        list(self.run_it(progress=lambda *args: calls.append(args[:2])))
        self.assertEqual([(done, 100) for done in range(10, 101, 10)], calls)

    def test_progress_of_an_unknown_size_has_no_total(self):
        calls = []
        self.glance.answers(case.WHOLE)
        self.run_it(path=self.path, progress=lambda *args: calls.append(args),
                    record=recorded.Recorded())
        self.assertIsNone(calls[0][1])

    def test_a_line_is_logged(self):
        self.stop_clock()

        def progress(done, total, rate):
            self.now += 0.25
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path, progress=progress)
        record = self._record()
        self.assertEqual('INFO', record.levelname)
        self.assertEqual(
            'Image ID: 100 bytes from http://glance:9292 in 2.5 s, 0.0 '
            'MiB/s, resumed 1 times, verified by md5', record.getMessage())

    def test_a_record_for_programs_is_logged(self):
        self.stop_clock()

        def progress(done, total, rate):
            self.now += 0.0625
        for kind in ('signature', 'format'):
            self.use_checks(kind, fetch_case.Check(kind),
                            fetch_case.Check(kind))
        self.glance.answers(case.wrong(), case.broken(40), case.rest)
        self.run_it(path=self.path, progress=progress, inspect=True)
        self.assertEqual({
            'image': 'ID', 'direction': 'download', 'source': 'http',
            'bytes': 100, 'endpoint': 'http://glance:9292',
            'seconds': 1.25, 'resumes': 1, 'restarts': 1,
            'verified_by': ['md5', 'signature', 'format']},
            self._record().transfer)

    def test_a_record_is_logged_at_the_end_of_a_stream(self):
        self.glance.answers(case.WHOLE)
        stream = self.run_it()
        next(stream)
        self.assertEqual([], self.logged.records)
        list(stream)
        self.assertEqual(100, self._record().transfer['bytes'])

    def test_no_secrets_are_logged(self):
        self.set(api_servers=['http://user:hidden@glance:9292'])
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path)
        record = self._record()
        self.assertEqual('http://***@glance:9292',
                         record.transfer['endpoint'])
        self.assertIn('http://***@glance:9292', record.getMessage())
        for secret in ('hidden', 'a-secret-token'):
            self.assertNotIn(secret, repr(record.__dict__))
            self.assertNotIn(secret, '\n'.join(self.warnings()))

    def test_a_missing_hash_is_logged(self):
        self.glance.answers(case.broken(40), case.rest)
        self.run_it(path=self.path, record=recorded.Recorded(case.SIZE))
        _, line = self.warnings()
        self.assertIn('Image ID has no recorded hash', line)
        self.assertEqual(['size'], self._record().transfer['verified_by'])

    def test_a_missing_hash_of_a_signed_image_is_not_logged(self):
        self.use_checks('signature', fetch_case.Check('signature'))
        self.glance.answers(case.WHOLE)
        self.run_it(path=self.path, record=recorded.Recorded(case.SIZE))
        self.assertEqual([], self.warnings())

    def test_no_record_is_logged_after_a_failure(self):
        self.set(num_retries=0)
        self.assert_failed(exception.ImageCorrupt, case.wrong())
        self.assertEqual([], [record for record in self.logged.records
                              if hasattr(record, 'transfer')])
