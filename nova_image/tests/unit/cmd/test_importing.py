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

"""Commands that import and save, on a cloud in memory."""

import os
import uuid

import fixtures
import six

from nova_image.image import import_result
from nova_image.tests.unit.cmd import case
from nova_image.tests.unit.cmd import fake_app
from nova_image.tests.unit.cmd import test_display

ID = str(uuid.UUID(int=1))
REQUEST = 'req-1'

if six.PY3:
    from nova_image.cmd import codes
    from nova_image.cmd import data


def _result(kind, **fields):
    """Return the result of an import; only some fields matter to a test."""
    return kind(**dict({
        'image_id': ID, 'image': None, 'reason': None, 'stores': [],
        'failed': {}, 'changes': {}, 'seen': None, 'request_id': None,
        'cleaned': False}, **fields))


class Images(fake_app.Images):
    """Images whose imports have a given result.

    :ivar created: the attributes of the image that was created
    """

    def __init__(self, result=None):
        super(Images, self).__init__(
            dict(test_display.IMAGE, id=ID, name='disk'))
        self.result = result
        self.created = None

    def _act(self, *call):
        self.calls.append(call)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def import_image(self, context, image_id, method, data=None, **options):
        """Record the call and return or raise the result."""
        del options['progress']
        return self._act('import_image', image_id, method, options)

    def create_via_import(self, context, image, method, data=None, **options):
        """Record the call and return or raise the result."""
        del options['progress']
        self.created = image
        return image, self._act('create_via_import', method, options)

    def download(self, context, image_id, progress=None, **target):
        """Record the call and return or raise the result."""
        return self._act('download', image_id, target)

    def import_status(self, context, image_id, **options):
        """Record the call and return or raise the result."""
        options.pop('progress', None)
        return self._act('import_status', image_id, options)

    def delete(self, context, image_id):
        """Record the call."""
        self.calls.append(('delete', image_id))


class CommandTestCase(case.TestCase):
    """Runs commands."""

    def run_it(self, images, *argv):
        """Run a command.

        :returns: (exit code, standard output, standard error)
        """
        app = fake_app.shell(images)
        try:
            code = app.run(list(argv))
        except (KeyboardInterrupt, SystemExit) as error:
            code = getattr(error, 'code', codes.INTERRUPTED)
        return code, app.stdout.getvalue(), app.stderr.getvalue()

    def refused(self, *argv):
        """Run a command that is refused, and return its one line."""
        images = Images()
        code, out, err = self.run_it(images, *argv)
        self.assertEqual((codes.USAGE, ''), (code, out))
        self.assertEqual(1, err.count('\n'), err)
        self.assertEqual([], images.calls)
        return err


class TestOptions(CommandTestCase):
    """The options for the origin and the target of the data."""

    def _asked(self, *argv):
        images = Images()
        code, _, err = self.run_it(images, 'import', ID, '--no-wait', *argv)
        self.assertEqual(0, code, err)
        return images.calls[0][2:]

    def test_the_method_follows_from_the_origin(self):
        self.assertEqual(
            ('web-download', {'uri': 'http://x/y', 'wait': False}),
            self._asked('--uri', 'http://x/y'))

    def test_another_glance(self):
        self.assertEqual(('glance-download', {
            'glance_region': 'two', 'glance_image_id': 'a',
            'glance_service_interface': 'internal', 'wait': False}),
            self._asked('--remote-region', 'two', '--remote-image', 'a',
                        '--remote-interface', 'internal'))

    def test_a_given_method_wins(self):
        method, _ = self._asked('--method', 'own', '--uri', 'http://x/y')
        self.assertEqual('own', method)

    def test_hash_and_stores(self):
        _, options = self._asked(
            '--uri', 'http://x/y', '--hash', 'sha512=ab', '--store', 'a',
            '--store', 'b', '--allow-failure', '--import-timeout', '0')
        self.assertEqual({
            'uri': 'http://x/y', 'os_hash_algo': 'sha512',
            'os_hash_value': 'ab', 'stores': ['a', 'b'],
            'all_stores_must_succeed': False, 'wait': False, 'timeout': 0},
            options)

    def test_no_origin(self):
        self.assertIn('--uri', self.refused('import', ID))

    def test_two_origins(self):
        self.assertIn('--uri', self.refused(
            'import', ID, '--uri', 'http://x/y', '--remote-image', 'a'))

    def test_copy_without_a_target(self):
        self.assertIn('--all-stores', self.refused('copy', ID))


class TestResults(CommandTestCase):
    """The output and the exit code for each result of an import."""

    def _import(self, result):
        return self.run_it(Images(result), 'import', ID, '--uri',
                           'http://x/y', '-f', 'json')

    def _failed(self, code, result):
        got, out, err = self._import(result)
        self.assertEqual((code, ''), (got, out))
        self.assertEqual(1, err.count('\n'), err)
        return err

    def test_without_waiting_the_image_is_shown(self):
        code, out, _ = self._import(None)
        self.assertEqual(0, code)
        self.assertIn(ID, out)

    def test_success_shows_stores_failures_and_changes(self):
        image = dict(test_display.IMAGE, id=ID, os_hash_algo='sha512',
                     os_hash_value='ab')
        code, out, _ = self._import(_result(
            import_result.Converted, image=image, stores=['fast'],
            failed={'slow': 'is full'}, request_id=REQUEST,
            changes={'disk_format': ('qcow2', 'raw')}))
        self.assertEqual(0, code)
        for text in ('fast', 'slow', 'is full', 'qcow2', 'raw'):
            self.assertIn(text, out)

    def test_failure_names_the_stores_and_the_request(self):
        err = self._failed(codes.IMPORT_FAILED, _result(
            import_result.Failed, reason='broken', request_id=REQUEST,
            failed={'slow': 'is full', 'fast': 'broken'}))
        for text in (ID, 'broken', 'slow', 'is full', REQUEST,
                     'nova-image show'):
            self.assertIn(text, err)
        # Its reason is that of the whole import.
        self.assertNotIn('fast', err)

    def test_failure_without_a_trace(self):
        err = self._failed(codes.IMPORT_FAILED, _result(
            import_result.Failed, reason='broken', cleaned=True))
        self.assertNotIn('nova-image show', err)
        self.assertNotIn('None', err)

    def test_timeout_tells_the_last_state(self):
        seen = import_result.Seen('copying', 'importing', [], [], {}, 1, 2)
        err = self._failed(codes.TIMED_OUT, _result(
            import_result.TimedOut, reason='deadline', seen=seen,
            request_id=REQUEST))
        for text in (ID, 'deadline', 'copying', 'importing', REQUEST):
            self.assertIn(text, err)

    def test_timeout_before_any_state(self):
        err = self._failed(codes.TIMED_OUT, _result(
            import_result.TimedOut, reason='stalled'))
        self.assertIn('stalled', err)
        self.assertNotIn('None', err)


class TestStatus(CommandTestCase):
    """import-status."""

    def _shown(self, *argv, **fields):
        status = import_result.Status(**dict(dict.fromkeys(
            import_result.Status._fields), stores=[], waiting=[], failed=[],
            **fields))
        self.images = Images(status)
        code, out, err = self.run_it(self.images, 'import-status', ID, *argv)
        self.assertEqual('', err)
        return code, out

    def test_every_state_has_a_meaning_and_a_code(self):
        for state, status, code, words in (
                ('none', 'active', 0, 'no import is known'),
                ('none', 'queued', 6, 'does not have data'),
                ('staged', 'uploading', 6, 'no import has begun'),
                ('importing', 'importing', 13, 'is importing'),
                ('failed', 'queued', 12, 'does not have data'),
                ('incomplete', 'active', 12, 'a store lacks the data'),
                ('done', 'active', 0, 'has its data')):
            found, out = self._shown(state=state, status=status)
            self.assertEqual(code, found, state)
            self.assertIn(words, out)
            self.assertNotIn('None', out)
            found, out = self._shown('-f', 'value', '-c', 'state',
                                     state=state, status=status)
            self.assertEqual((code, state + '\n'), (found, out))

    def test_what_people_may_have_written_is_harmless(self):
        _, out = self._shown(state='done', status='active', message='a\x1b[m')
        self.assertIn('a\\x1b[m', out)

    def test_watch_passes_the_timeout(self):
        code, out = self._shown('--watch', '--import-timeout', '5',
                                state='importing', ended='deadline')
        self.assertEqual(codes.TIMED_OUT, code)
        self.assertIn('the time to wait is over', out)
        self.assertEqual([('import_status', ID, {
            'watch': True, 'timeout': 5})], self.images.calls)
        self._shown(state='done')
        self.assertEqual([('import_status', ID, {})], self.images.calls)

    def test_ctrl_c_stops_the_watching(self):
        code, out, err = self.run_it(Images(KeyboardInterrupt()),
                                     'import-status', ID, '--watch')
        self.assertEqual((codes.INTERRUPTED, ''), (code, out))
        self.assertIn('Glance may continue', err)


class TestInterruption(CommandTestCase):
    """Ctrl-C."""

    def test_an_import_may_continue_in_glance(self):
        images = Images(KeyboardInterrupt())
        code, out, err = self.run_it(images, 'import', ID, '--uri',
                                     'http://x/y')
        self.assertEqual((codes.INTERRUPTED, ''), (code, out))
        self.assertIn('nova-image import-status %s' % ID, err)
        self.assertEqual(['import_image'], [call[0] for call in images.calls])

    def test_a_new_image_is_deleted(self):
        images = Images(KeyboardInterrupt())
        code, out, _ = self.run_it(
            images, 'create-via-import', 'new', '--uri', 'http://x/y',
            '--disk-format', 'raw', '--container-format', 'bare')
        self.assertEqual((codes.INTERRUPTED, ''), (code, out))
        self.assertEqual([('create_via_import', 'web-download', {
            'uri': 'http://x/y', 'id_is_new': True}),
            ('delete', images.created['id'])], images.calls)


class TestSaving(CommandTestCase):
    """save --file"""

    def setUp(self):
        super(TestSaving, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path

    def _save(self, path, *argv):
        images = Images()
        code = self.run_it(images, 'save', ID, '--file', path, *argv)[0]
        return code, images.calls

    def test_a_new_file(self):
        path = os.path.join(self.folder, 'copy')
        for argv, more in (((), {}),
                           (('--no-clobber',), {'replace': False})):
            self.assertEqual(
                (0, [('download', ID, dict(more, dest_path=path))]),
                self._save(path, *argv))

    def test_a_file_that_appears_in_the_meantime(self):
        path = os.path.join(self.folder, 'copy')
        images = Images(FileExistsError(17, 'File exists', '/resolved'))
        code, _, err = self.run_it(images, 'save', ID, '--file', path,
                                   '--no-clobber')
        self.assertEqual(codes.LOCAL_FILE, code)
        self.assertIn('%s: File exists, and --no-clobber' % path, err)

    def test_partial_files_of_long_names_are_found(self):
        for name, stem, size in (('n' * 255, 'n' * 236, 4),
                                 ('n' * 255, 'm' * 236, 0),
                                 ('copy', 'copy', 4), ('copy2', 'copy', 0),
                                 ('copy', 'copy2', 0)):
            partial = os.path.join(
                self.folder, '.%s.0123456789ab.part' % stem)
            with open(partial, 'wb') as stream:
                stream.write(b'data')
            self.assertEqual(size, data._kept_beside(
                os.path.join(self.folder, name), 0.0))
            os.unlink(partial)

    def test_no_clobber(self):
        path = os.path.join(self.folder, 'copy')
        with open(path, 'w'):
            pass
        self.assertEqual((codes.LOCAL_FILE, []),
                         self._save(path, '--no-clobber'))

    def test_a_folder(self):
        self.assertEqual((codes.LOCAL_FILE, []), self._save(self.folder))

    def test_interruption_with_nothing_kept(self):
        path = os.path.join(self.folder, 'copy')
        code, _, err = self.run_it(Images(KeyboardInterrupt()), 'save', ID,
                                   '--file', path)
        self.assertEqual(codes.INTERRUPTED, code)
        self.assertIn(path, err)
