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

"""Commands, on a cloud in the memory; real ones are in tests/functional."""

import json
import uuid

import six

from nova_image import exception
from nova_image.tests.unit.cmd import case
from nova_image.tests.unit.cmd import fake_app
from nova_image.tests.unit.cmd import test_display

ID = str(uuid.UUID(int=1))
OTHER = str(uuid.UUID(int=2))

if six.PY3:
    from nova_image.cmd import codes
    from nova_image.cmd import errors
    from nova_image.cmd import listing


def _image(**changes):
    return dict(test_display.IMAGE, **changes)


class CommandTestCase(case.TestCase):
    """A test that runs commands."""

    def setUp(self):
        super(CommandTestCase, self).setUp()
        self.images = fake_app.Images(_image(id=ID, name='disk'))

    def run_it(self, *argv):
        """Run a command; return its exit code, output and errors."""
        app = fake_app.shell(self.images)
        code = app.run(list(argv))
        return code, app.stdout.getvalue(), app.stderr.getvalue()


class TestFinding(CommandTestCase):
    """Finding images by ID and by name."""

    def test_uuid_is_not_looked_up(self):
        self.run_it('show', ID)
        self.assertEqual([('get', ID)], self.images.calls)

    def test_name(self):
        self.assertEqual(0, self.run_it('show', 'disk')[0])
        self.assertEqual(('get', ID), self.images.calls[-1])

    def test_several_images_with_a_name(self):
        self.images.images.append(_image(id=OTHER, name='disk'))
        code, out, err = self.run_it('show', 'disk')
        self.assertEqual((codes.CONFLICT, ''), (code, out))
        self.assertIn('%s, %s' % (ID, OTHER), err)

    def test_filter_that_returns_other_images(self):
        self.images.get_all = lambda *_, **__: self.images.images
        self.images.error = exception.ImageNotFound()
        self.assertEqual(codes.NOT_FOUND, self.run_it('delete', ' ')[0])
        self.assertEqual([('get', ' ')], self.images.calls)

    def test_name_behind_many_similar_ones(self):
        others = [_image(id=str(uuid.UUID(int=number)), name=name)
                  for number, name in enumerate(
                      ['DISK', 'Disk ', 'disk '] * 10, 100)]

        def get_all(_, filters, limit=None):
            return (others + self.images.images)[:limit]

        self.images.get_all = get_all
        self.assertEqual(0, self.run_it('show', 'disk')[0])
        self.assertEqual([('get', ID)], self.images.calls)

    def test_hidden_image(self):
        self.images.images = [_image(id=OTHER, name='disk', os_hidden=True)]
        self.assertEqual(0, self.run_it('show', 'disk')[0])
        self.assertEqual(('get', OTHER), self.images.calls[-1])
        self.images.images.append(_image(id=ID, name='disk'))
        self.assertEqual(0, self.run_it('show', 'disk')[0])
        self.assertEqual(('get', ID), self.images.calls[-1])

    def test_empty_word(self):
        for argv in (('show', ''), ('delete', ID, '')):
            self.assertRaises(SystemExit, self.run_it, *argv)
        error = self.assertRaises(
            errors.Usage, listing.Show(None, None).find, '')
        self.assertEqual(codes.USAGE, error.code)
        self.assertEqual([], self.images.calls)

    def test_api_without_hidden_images(self):
        self.images.images, known = [], self.images.get_all

        def get_all(context, filters, **kwargs):
            if 'os_hidden' in filters:
                raise exception.ImageActionNotSupported
            return known(context, filters=filters, **kwargs)

        self.images.get_all = get_all
        self.assertEqual(codes.NOT_FOUND, self.run_it('show', 'disk')[0])

    def test_name_that_looks_like_an_id(self):
        self.images.images[0].update(id=OTHER, name=ID)
        self.images.error = {ID: exception.ImageNotFound(image_id=ID)}
        self.assertEqual(0, self.run_it('show', ID)[0])
        self.assertEqual(('get', OTHER), self.images.calls[-1])
        self.assertEqual(0, self.run_it('delete', ID)[0])
        self.assertEqual(('delete', OTHER), self.images.calls[-1])

    def test_name_that_looks_like_a_url(self):
        url = 'http://127.0.0.1/a'
        self.images.images[0]['name'] = url
        self.images.error = {url: exception.InvalidImageRef()}
        self.assertEqual(0, self.run_it('show', url)[0])
        self.assertEqual(('get', ID), self.images.calls[-1])

    def test_name_outside_ascii(self):
        self.images.images[0]['name'] = 'na\xefve'
        self.assertEqual(0, self.run_it('show', 'na\xefve')[0])
        self.assertEqual({}, self.images.calls[0][1]['filters'])

    def test_invalid_utf8(self):
        code, _, err = self.run_it('show', 'a\udcff')
        self.assertEqual((codes.USAGE, []), (code, self.images.calls))
        self.assertIn('image is not valid UTF-8', err)
        for argv in (('set', ID, '--tag', '\udcff'),
                     ('unset', ID, '--property', '\udcff'),
                     ('set', ID, '--property', 'a=\udcff'),
                     ('list', '--property', '\udcff=a')):
            code, _, err = self.run_it(*argv)
            self.assertEqual((codes.USAGE, []), (code, self.images.calls))
            self.assertIn('is not valid UTF-8', err)

    def test_no_image_with_a_name(self):
        self.images.error = exception.ImageNotFound()
        code, _, err = self.run_it('show', 'disc')
        self.assertEqual(codes.NOT_FOUND, code)
        self.assertIn('No image has the name or ID disc', err)
        self.assertEqual(1, err.count('\n'))


class TestList(CommandTestCase):
    """The list command."""

    def _asked(self, *argv):
        self.assertEqual(0, self.run_it('list', *argv)[0])
        return self.images.calls[0][1]

    def test_filters(self):
        asked = self._asked(
            '--status', 'active', '--size-min', '5', '--property', 'a=b=c',
            '--public', '--changes-since', '2026-01-31T12:00:00Z')
        self.assertEqual({
            'status': 'active', 'size_min': 5, 'property-a': 'b=c',
            'is_public': True, 'changes-since': '2026-01-31T12:00:00Z'},
            asked['filters'])

    def test_hidden_and_shared_images(self):
        for argv, expected in (
                (('--hidden',), {'os_hidden': True}),
                (('--member-status', 'pending'), {
                    'member_status': 'pending', 'visibility': 'shared'}),
                (('--member-status', 'all', '--visibility', 'private'), {
                    'member_status': 'all', 'visibility': 'private'})):
            del self.images.calls[:]
            self.assertEqual(expected, self._asked(*argv)['filters'])

    def test_all_fields_only_if_they_are_shown(self):
        for argv, expected in (((), False), (('--long',), True),
                               (('-c', 'tags'), True)):
            del self.images.calls[:]
            self.assertIs(expected, self._asked(*argv)['all_fields'])

    def test_sorting(self):
        asked = self._asked('--sort', 'name,size:desc', '--limit', '3')
        self.assertEqual((['name', 'size'], ['asc', 'desc'], 3), (
            asked['sort_key'], asked['sort_dir'], asked['limit']))

    def test_any_field_can_be_a_column(self):
        _, out, _ = self.run_it('list', '-c', 'min_disk', '-f', 'json')
        self.assertEqual([{'min_disk': 0}], json.loads(out))

    def test_invalid_arguments(self):
        for argv in (['--sort', 'name:up'], ['--limit', '0'],
                     ['--property', 'a'], ['-c', 'nope']):
            try:
                code = self.run_it('list', *argv)[0]
            except SystemExit as error:
                code = error.code
            self.assertEqual(codes.USAGE, code, argv)


class TestSet(CommandTestCase):
    """The set and unset commands."""

    def test_set_changes_only_named_attributes(self):
        self.run_it('set', ID, '--name', 'b', '--property', 'x=1',
                    '--protected')
        self.assertEqual(('update', ID, {
            'name': 'b', 'protected': True, 'properties': {'x': '1'}},
            {'all_fields': True, 'add_tags': ()}), self.images.calls[-1])

    def test_set_adds_tags(self):
        self.run_it('set', ID, '--tag', 'a', '--tag', 'b', '--unhidden')
        self.assertEqual([('update', ID, {
            'os_hidden': False, 'properties': {}}, {
                'all_fields': True, 'add_tags': ['a', 'b']})],
            self.images.calls)

    def test_only_the_state(self):
        for option, name in (('--deactivate', 'deactivate'),
                             ('--activate', 'reactivate')):
            del self.images.calls[:]
            self.assertEqual(0, self.run_it('set', ID, option)[0])
            self.assertEqual([(name, ID), ('get', ID)], self.images.calls)

    def test_state_that_is_refused(self):
        self.images.error = {ID: exception.ImageNotAuthorized()}
        code, _, err = self.run_it('set', ID, '--name', 'b', '--deactivate')
        self.assertEqual(codes.NOT_AUTHORIZED, code)
        self.assertEqual([('deactivate', ID)], self.images.calls)
        self.assertNotIn('Left behind', err)

    def _fail(self, *args, **kwargs):
        self.images.calls.append(('update',))
        raise exception.ImageBadRequest

    def test_changes_that_are_refused_after_the_state(self):
        self.patch(self.images, 'update', self._fail)
        code, _, err = self.run_it('set', ID, '--name', 'b', '--deactivate')
        self.assertEqual(codes.REFUSED, code)
        self.assertEqual([('deactivate', ID), ('update',)],
                         self.images.calls)
        self.assertIn('Left behind: image %s, deactivated' % ID, err)

    def test_state_after_the_data(self):
        self.patch(self.images, 'deactivate', self._fail)
        _, _, err = self.run_it('set', ID, '--file', __file__,
                                '--deactivate', '--disk-format', 'raw',
                                '--container-format', 'bare')
        self.assertEqual(['get', 'update', 'update'], [
            call[0] for call in self.images.calls])
        self.assertIn('image %s, with its data' % ID, err)

    def test_words_that_cannot_be_tags(self):
        for argv in (('set', ID), ('unset', ID), ('create', 'x')):
            for tag in ('', 'x' * 256):
                self.assertRaises(SystemExit, self.run_it,
                                  *(argv + ('--tag', tag)))
        self.assertEqual([], self.images.calls)

    def test_set_without_changes(self):
        self.assertEqual(codes.USAGE, self.run_it('set', ID)[0])
        self.assertEqual([], self.images.calls)

    def test_unset_names_only_what_is_removed(self):
        self.run_it('unset', ID, '--property', 'a', '--tag', 't')
        self.assertEqual([('unset', ID, {
            'properties': ['a'], 'tags': ['t'], 'all_fields': True})],
            self.images.calls)

    def test_unset_of_a_missing_property(self):
        self.images.error = exception.NotFound('no property c')
        code, _, err = self.run_it('unset', ID, '--property', 'c')
        self.assertEqual(codes.USAGE, code)
        self.assertIn('no property c', err)

    def test_unset_without_anything_to_remove(self):
        self.assertEqual(codes.USAGE, self.run_it('unset', ID)[0])
        self.assertEqual([], self.images.calls)


class TestDelete(CommandTestCase):
    """The delete command."""

    def _delete(self, **errors):
        self.images.error = {str(uuid.UUID(int=int(name[1:]))): error
                             for name, error in errors.items()}
        return self.run_it('delete', *(str(uuid.UUID(int=number))
                                       for number in (1, 2, 3)))

    def test_every_image_is_tried(self):
        code, _, err = self._delete(n1=exception.ImageNotFound())
        self.assertEqual((codes.NOT_FOUND, 1), (code, err.count('\n')))
        self.assertEqual(3, len([
            call for call in self.images.calls if call[0] == 'delete']))

    def test_errors_of_different_kinds(self):
        code, _, err = self._delete(n1=exception.ImageNotFound(),
                                    n2=exception.ImageNotAuthorized())
        self.assertEqual((codes.OTHER, 2), (code, err.count('\n')))


class TestInterruption(CommandTestCase):
    """Ctrl-C during a request."""

    def setUp(self):
        super(TestInterruption, self).setUp()
        self.images.error = {}

    def _interrupt(self, *argv):
        """Run a command that is interrupted; return its errors."""
        code, _, err = self.run_it(*argv)
        self.assertEqual(codes.INTERRUPTED, code)
        return err

    def test_create_deletes_the_image(self):
        err = self._interrupt('create', 'new')
        (_, created), deletion = self.images.calls
        self.assertEqual(('delete', created), deletion)
        self.assertEqual(
            'nova-image: Interrupted; the new image was deleted\n', err)

    def test_create_that_cannot_delete_the_image(self):
        self.patch(self.images, 'delete', self._fail)
        self.assertIn('may still exist: ', self._interrupt('create', 'new'))

    def _fail(self, context, image_id):
        raise exception.GlanceConnectionFailed

    def test_import_keeps_the_image(self):
        err = self._interrupt('import', ID, '--uri', 'http://host/')
        self.assertEqual([('import_image', ID, 'web-download')],
                         self.images.calls)
        self.assertIn('See nova-image import-status %s' % ID, err)


class TestShell(CommandTestCase):
    """The application."""

    def test_unknown_command(self):
        code, out, err = self.run_it('lst')
        self.assertEqual((codes.USAGE, ''), (code, out))
        self.assertIn('unknown command lst. Did you mean list', err)

    def test_debug_shows_the_traceback_without_secrets(self):
        self.images.error = ValueError('at http://me:pa55@host/')
        code, _, err = self.run_it('show', ID, '--debug')
        self.assertEqual(codes.OTHER, code)
        self.assertIn('Traceback', err)
        self.assertNotIn('pa55', err)

    def test_help_of_every_command_has_an_example(self):
        _, out, _ = self.run_it('help')
        app = fake_app.shell(self.images)
        for name, _ in app.command_manager:
            self.assertIn('\n  %s ' % name, out)
            if name != 'help':
                self.assertIn('    nova-image ', self.run_it(
                    'help', name)[1].partition('Examples::')[2], name)
