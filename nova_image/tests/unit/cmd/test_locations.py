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

"""The commands for locations, on a cloud in memory."""

import json
import uuid

import fixtures
import six

from nova_image.tests.unit.cmd import case
from nova_image.tests.unit.cmd import fake_app
from nova_image.tests.unit.cmd import test_display

ID = str(uuid.UUID(int=1))
SWIFT = 'swift+http://acc:us3r:pa55word@host/v1/c/o%d'
SIGNED = 'http://host/o?temp_url_sig=d2ab04f1c6&temp_url_expires=1700000000'
SECRETS = ('us3r', 'pa55word', 'd2ab04f1c6', 'm3tadata')

if six.PY3:
    from nova_image.cmd import codes
    from nova_image.cmd import locations


def _place(url, **metadata):
    return {'url': url, 'metadata': metadata}


class Images(fake_app.Images):
    """An image with locations."""

    def __init__(self, *places):
        super(Images, self).__init__(
            dict(test_display.IMAGE, id=ID, name='disk'))
        self.places = list(places)

    def locations(self, context, image_id):
        """Return the locations."""
        return list(self.places)

    def add_location(self, context, image_id, url, **options):
        """Record the call."""
        self.calls.append(('add', url, options))
        return self.images[0]

    def remove_location(self, context, image_id, location):
        """Remove a location."""
        self.calls.append(('remove', location))
        self.places.remove(location)

    def remove_from_store(self, context, image_id, store):
        """Record the call."""
        self.calls.append(('remove_from_store', store))


class CommandTestCase(case.TestCase):
    """Runs commands, none of which may show a secret."""

    def setUp(self):
        super(CommandTestCase, self).setUp()
        self.images = Images(
            _place(SWIFT % 1, store='swift'), _place(SIGNED, store='web'),
            _place('rbd://fsid/images/x/snap', store='ceph',
                   note='a', api_key='m3tadata'))

    def run_it(self, *argv):
        """Run a command.

        :returns: (exit code, standard output, standard error)
        """
        app = fake_app.shell(self.images)
        # argparse writes its errors to sys.stderr.
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', app.stderr))
        try:
            code = app.run(list(argv))
        except SystemExit as error:
            code = error.code
        out, err = app.stdout.getvalue(), app.stderr.getvalue()
        for secret in SECRETS:
            self.assertNotIn(secret, out + err)
        return code, out, err

    def ids(self):
        """Return the IDs of the locations."""
        return self.run_it('locations', ID, '-f', 'value', '-c',
                           'id')[1].split()


class TestMasked(case.TestCase):
    """masked()."""

    def test_credentials_in_any_form(self):
        for url, expected in (
                ('rbd://a/b/c/snap', 'rbd://a/b/c/snap'),
                ('cinder://store/' + ID, 'cinder://store/' + ID),
                ('file:///var/x', 'file:///var/x'),
                (SWIFT % 1, 'swift+http://***@host/v1/c/o1'),
                ('swift+config://ref1/c/o', 'swift+config://ref1/c/o'),
                ('s3+https://key:s3cr3t@host/b/o', 's3+https://***@host/b/o'),
                (SIGNED, 'http://host/o?***'),
                ('http://h/o#t0ken', 'http://h/o#***'),
                ('vsphere://h/folder/x?dcPath=a&dsName=b',
                 'vsphere://h/folder/x?***')):
            self.assertEqual(expected, locations.masked(url))

    def test_unusual_urls(self):
        for url in ('swift://me:pa55 word4@h/o', 'swift://me:pa/5:word@h/o',
                    'swift://me%3Apa55word@h/o', 'swift://me:pa55?word@h/o'):
            for secret in ('pa55', 'word'):
                self.assertNotIn(secret, locations.masked(url), url)


class TestList(CommandTestCase):
    """locations."""

    def test_for_people(self):
        code, out, err = self.run_it('locations', ID, '--long')
        self.assertEqual((0, ''), (code, err))
        for text in ('swift+http://***@host/v1/c/o1', 'note=a', 'ceph',
                     'api_key=***'):
            self.assertIn(text, out)

    def test_for_programs(self):
        for name in ('json', 'csv', 'value', 'yaml'):
            out = self.run_it('locations', ID, '--long', '-f', name)[1]
            self.assertIn('***@host/v1/c/o1', out)
        found = json.loads(self.run_it('locations', ID, '-f', 'json')[1])
        self.assertEqual(['id', 'store', 'url'], list(found[0]))
        self.assertEqual(['swift', 'web', 'ceph'],
                         [one['store'] for one in found])

    def test_ids_change_with_the_list_but_not_with_secrets(self):
        before = self.ids()
        self.assertEqual(3, len(set(before)))
        self.images.places[0] = _place(
            (SWIFT % 1).replace('pa55word', 'other'), store='swift')
        self.assertEqual(before, self.ids())
        self.images.places.insert(0, _place('http://new/'))
        self.assertFalse(set(before) & set(self.ids()))


class TestAdd(CommandTestCase):
    """location-add."""

    def test_options(self):
        code, out, _ = self.run_it(
            'location-add', ID, '--url', SIGNED, '--store', 'web', '--hash',
            'sha512=ab', '-f', 'value', '-c', 'id')
        self.assertEqual((0, ID), (code, out.strip()))
        self.assertEqual([('add', SIGNED, {
            'store': 'web', 'os_hash_algo': 'sha512', 'os_hash_value': 'ab'
        })], self.images.calls)

    def test_what_is_not_a_url_is_refused(self):
        for url in ('', 'disk.img', 'swift:acc:us3r:pa55word@h/c'):
            code, _, err = self.run_it('location-add', ID, '--url', url)
            self.assertEqual((codes.USAGE, []), (code, self.images.calls))
            self.assertIn('not a URL', err)


class TestRemove(CommandTestCase):
    """location-remove."""

    def _removed(self, *argv):
        code, out, err = self.run_it('location-remove', ID, *argv)
        self.assertEqual((0, '', ''), (code, out, err))
        (call,) = self.images.calls
        return call[1]

    def _refused(self, expected, *argv):
        code, out, err = self.run_it('location-remove', ID, *argv)
        self.assertEqual((expected, '', []), (code, out, self.images.calls))
        self.assertEqual(1, err.count('\n'), err)
        return err

    def test_by_url(self):
        self.assertEqual(SIGNED, self._removed('--url', SIGNED)['url'])

    def test_by_masked_url(self):
        self.assertEqual(SIGNED, self._removed(
            '--url', 'http://host/o?***')['url'])

    def test_by_id(self):
        self.assertEqual(SIGNED, self._removed('--id', self.ids()[1])['url'])

    def test_by_store(self):
        self.assertEqual('ceph', self._removed('--store', 'ceph'))

    def test_masked_url_of_several(self):
        self.images.places += [_place(SIGNED.replace('d2ab', 'd2ac'))]
        err = self._refused(codes.CONFLICT, '--url', 'http://host/o?***')
        known = self.ids()
        self.assertIn('%s, %s' % (known[1], known[3]), err)
        self.assertEqual(SIGNED, self._removed('--url', SIGNED)['url'])

    def test_id_of_an_earlier_list(self):
        known = self.ids()
        del self.images.places[0]
        for name in (known[0], known[1], '1', '9-abcdef'):
            self.assertIn('nova-image locations', self._refused(
                codes.NOT_FOUND, '--id', name))

    def test_unknown_url(self):
        err = self._refused(codes.NOT_FOUND, '--url',
                            'http://me:pa55word@host/')
        self.assertIn('http://***@host/', err)

    def test_one_selection_is_required(self):
        for argv in ((), ('--id', ''), ('--store', ''), ('--url', ''),
                     ('--id', '1', '--store', 'a')):
            self._refused(codes.USAGE, *argv)
