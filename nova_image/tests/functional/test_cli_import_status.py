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

"""import-status on a real Glance 33: what it says at each moment."""

import signal

from nova_image.cmd import codes
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import import_case
from nova_image.tests.functional import servers
from nova_image.tests.functional import web_source

DATA = import_case.DATA
SECRET = 'no-word-for-a-message'
servers.SECRETS.add(SECRET)


class ImportStatusTest(cli_case.CommandLineTest):
    """Imports that others have begun."""

    def setUp(self) -> None:
        """Use a Glance with a store that fails."""
        super().setUp()
        self.glance = import_case.glance()
        if (self.glance.folder / 'broken').is_dir():
            self.glance.break_store('broken')
        self.raw = self.raw_glance(self.glance.url)
        self.variables = {
            'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': self.glance.url,
            'OS_PROJECT_ID': self.project}
        self.web = self.useFixture(web_source.WebSource(DATA))

    def status(self, image: str, code: int, *argv: str) -> tuple[str, str]:
        """Return the state, and the status of the image."""
        done = self.run_it('import-status', image, *argv, '-f', 'value', '-c',
                           'state', '-c', 'image_status', code=code)
        self.assertEqual('', done.err)
        state, status = done.out.split()
        return state, status

    def start_import(self) -> str:
        """Begin an import that waits for its source; return the image's ID."""
        image = self.create('disk', *cli_case.RAW)
        self.run_it('import', image, '--uri', self.web.url + '/held',
                    '--no-wait')
        self.assertTrue(self.web.begun.wait(60))
        return image

    def test_before_an_import(self) -> None:
        image = self.create('disk', *cli_case.RAW)
        self.assertEqual(('none', 'queued'),
                         self.status(image, codes.CONFLICT))
        self.write('disk', 1000)
        self.run_it('stage', image, '--file', 'disk')
        for argv in ((), ('--watch',)):
            self.assertEqual(('staged', 'uploading'),
                             self.status(image, codes.CONFLICT, *argv))
        uploaded = self.raw.create(DATA, owner=self.project)['id']
        self.assertEqual(('none', 'active'), self.status(uploaded, 0))

    def test_from_beginning_to_end(self) -> None:
        image = self.start_import()
        self.assertEqual('importing', self.status(
            image, codes.TIMED_OUT)[0])
        self.assertEqual('importing', self.status(
            image, codes.TIMED_OUT, '--watch', '--import-timeout', '1')[0])
        watch = self.start('import-status', image, '--watch', '-f', 'value',
                           '-c', 'state', '-c', 'method')
        self.web.release()
        done = self.finish(watch)
        self.assertEqual((0, 'done\nweb-download\n', ''),
                         (done.code, done.out, done.err))
        self.assertEqual(('done', 'active'), self.status(image, 0))

    def test_progress_on_a_terminal(self) -> None:
        image = self.start_import()
        child = self.terminal('import-status', image, '--watch')
        child.expect('import: ')
        self.web.release()
        code, text = self.end_of(child)
        self.assertEqual(0, code)
        self.assertIn('the image has its data', text)

    def test_ctrl_c_only_stops_the_watching(self) -> None:
        image = self.start_import()
        watch = self.start('--debug', 'import-status', image, '--watch')
        assert watch.stderr is not None
        for line in watch.stderr:
            if b'/tasks' in line:
                break
        watch.send_signal(signal.SIGINT)
        done = self.finish(watch)
        self.assertEqual(codes.INTERRUPTED, done.code)
        self.assertIn('Glance may continue', done.err)
        self.web.release()
        self.assertEqual(('done', 'active'),
                         self.status(image, 0, '--watch'))

    def test_failure_and_what_follows(self) -> None:
        image = self.create('disk', *cli_case.RAW)
        url = self.web.url.replace('//', '//me:%s@' % SECRET) + '/missing'
        self.run_it('import', image, '--uri', url,
                    code=codes.IMPORT_FAILED)
        done = self.run_it('import-status', image, code=codes.IMPORT_FAILED)
        self.assertNoSecrets(done.out, 'the output')
        for text in ('failed', 'Task failed due to Internal Error',
                     "Glance's log", 'web-download'):
            self.assertIn(text, done.out)
        self.write('disk', 1000)
        self.run_it('set', image, '--file', 'disk')
        self.assertEqual(('none', 'active'), self.status(image, 0))

    def test_store_that_lacks_the_data(self) -> None:
        image = self.raw.create(DATA, owner=self.project)['id']
        self.run_it('copy', image, '--store', 'broken',
                    code=codes.IMPORT_FAILED)
        self.assertEqual(('incomplete', 'active'),
                         self.status(image, codes.IMPORT_FAILED))
        self.run_it('copy', image, '--store', 'slow')
        self.assertEqual(('done', 'active'), self.status(image, 0))
