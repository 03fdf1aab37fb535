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

"""nova-image on real Glances: the names, filters and numbers of its users."""

import pathlib
import typing

from nova_image.cmd import codes
from nova_image.tests import fixtures
from nova_image.tests.fixtures import debian
from nova_image.tests.fixtures import mariadb
from nova_image.tests.fixtures import nova_virtualenv
from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_NOBODY = '71c675ab-d94f-49cd-a114-e12490b328d9'
_LOWEST = '00000000-0000-4000-8000-000000000001'
#: commands that accept an image, without the image
_COMMANDS = (
    ('show',), ('delete',), ('set', '--name', 'x'), ('unset', '--property',
                                                     'x'),
    ('save', '--file', 'copy'), ('stage', '--file', 'disk'),
    ('import', '--uri', 'http://127.0.0.1/'), ('copy', '--all-stores'),
    ('members',), ('member-add', '--', 'p'), ('member-remove', '--', 'p'),
    ('member-set', '--accept', '--', 'p'))
#: names of properties that Glance takes for something else: words of its
#: query, refused filters, suffixes, and attributes of its Python classes
_TAKEN = (
    'limit marker sort sort_key sort_dir member_status tag changes-since '
    'size_min size_max ram_max x_min _min _max id_min created_at_min '
    'name_max properties_min get items iteritems keys members metadata mro '
    'next properties registry save to_dict update values is_public '
    '__abstract__ __bases__ __call__ __contains__ __getitem__ __iter__ '
    '__mapper__ __mro__ __name__ __protected_attributes__ __setitem__ '
    '__table__ __table_args__ __table_initialized__ __tablename__ _as_dict '
    '_extra_keys _sa_class_manager _sa_registry').split()
#: other names, which Glance can filter by
_OTHERS = ('property-a', 'Upper', 'a:b', 'in:', 'a.b', 'os_type', 'min',
           'action', 'query', 'page')


class _OnV2:
    """A test as an administrator of a Glance without Keystone."""

    def use(self: typing.Any, url: str) -> None:
        """Run commands on a Glance, through v2."""
        self.raw = self.raw_glance(url)
        self.driver = base.make_driver('v2', [url])
        self.variables = {'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': url,
                          'OS_PROJECT_ID': self.project}


class FiltersTest(_OnV2, cli_case.CommandLineTest):
    """Images are found by properties of any name."""

    def assertMatched(self, image: str, name: str) -> None:
        """Check that a filter finds its image, and no other one."""
        for value, expected in (('xv', [image]), ('other', [])):
            found = self.driver.detail(self.admin(), filters={name: value})
            self.assertEqual(expected, [one['id'] for one in found],
                             (name, value))

    def _assert_all_found(self, url: str) -> None:
        self.use(url)
        image = self.raw.create(
            **dict.fromkeys((*_TAKEN, *_OTHERS), 'xv'))['id']
        self.raw.create(name='without')
        for name in (*_TAKEN, *_OTHERS):
            self.assertMatched(image, 'property-' + name)
        for name in ('save', 'ram_max', 'properties', '__table__', 'a:b'):
            self.assertMatched(image, name)
        words = [word for name in _TAKEN
                 for word in ('--property', name + '=xv')]
        self.assertEqual(image + '\n', self.run_it(
            'list', '-f', 'value', '-c', 'id', *words).out)

    def test_on_glance_33(self) -> None:
        self._assert_all_found(servers.glance33().url)

    def test_on_glance_15(self) -> None:
        self._assert_all_found(servers.glance15().url)

    def test_value_that_is_too_long_for_a_request(self) -> None:
        self.use(servers.glance33().url)
        image = self.raw.create(note='x' * 5000)
        self.assertEqual([image['id']], [one['id'] for one in self.json(
            'list', '--property', 'note=' + 'x' * 5000)])


class NamesTest(_OnV2, cli_case.CommandLineTest):
    """An image is found by its exact name, and by no other."""

    def setUp(self) -> None:
        """Use a Glance without Keystone."""
        super().setUp()
        self.use(servers.glance33().url)

    def _create(self, name: str, **flat: typing.Any) -> str:
        return self.raw.create(name=name, owner=self.project, **flat)['id']

    def assertFound(self, image: str, name: str) -> None:
        """Check that a name means one image."""
        found = self.run_it('show', '-f', 'value', '-c', 'id', '--', name)
        self.assertEqual(image, found.out.strip(), name)

    def test_empty_word(self) -> None:
        image = self._create('')
        self.write('disk', 10)
        for command, *words in _COMMANDS:
            line = self.error(codes.USAGE, command, *(
                ['', *words] if '--' not in words else words))
            self.assertIn('image', line)
        self.error(codes.USAGE, 'delete', image, '', _NOBODY)
        self.error(codes.USAGE, 'list', '--marker', '')
        self.assertEqual([image], [one['id'] for one in self.raw.images()])

    def test_hidden_images(self) -> None:
        hidden = self._create('old', os_hidden=True)
        self.assertFound(hidden, 'old')
        self.assertEqual(3, len(self.json('set', 'old', '--min-ram', '5',
                                          '-c', 'id', '-c', 'name',
                                          '-c', 'min_ram')))
        twin = self._create('old', os_hidden=True)
        line = self.error(codes.CONFLICT, 'delete', 'old')
        self.assertIn(hidden, line)
        self.assertIn(twin, line)
        # A visible image is the current one of its name.
        self.assertFound(self._create('old'), 'old')

    def test_names_that_look_like_something_else(self) -> None:
        names = (_NOBODY, _NOBODY.upper(), 'http://127.0.0.1/a', '-x', 'a/b',
                 self.raw.url + '/v2/images/' + _NOBODY, ' ', 'in:a,b', '..',
                 '71c675abd94f49cda114e12490b328d9', 'n' * 255, "a'b\"c",
                 '%41', 'é')
        for name in names:
            self._create(name)
        kept = self._create('kept')
        self.run_it('delete', '--', *names)
        self.assertEqual([kept], [one['id'] for one in self.raw.images()])

    def test_name_that_looks_like_an_id(self) -> None:
        image = self._create(_NOBODY)
        self.run_it('set', _NOBODY, '--file', '-', *cli_case.RAW,
                    data=b'data')
        self.assertEqual(b'data', self.raw.data(image))
        self.assertEqual('data', self.run_it('save', _NOBODY).out)
        self.run_it('save', _NOBODY, '--file', 'copy')
        twin = self._create(_NOBODY)
        line = self.error(codes.CONFLICT, 'show', _NOBODY)
        self.assertIn(image, line)
        self.assertIn(twin, line)
        # An ID is an ID first.
        self.raw.create(name='real', id=_NOBODY)
        self.assertFound(_NOBODY, _NOBODY)


class _Virtualenv(nova_virtualenv.NovaVirtualenv):
    """The virtualenv with PyMySQL, of which Glance needs only the packages."""

    def _complete(self, log: pathlib.Path) -> None:
        """Leave the nova_image in it to the tests that use it."""


class NamesOnMariaDBTest(_OnV2, cli_case.CommandLineTest):
    """MariaDB ignores case and trailing blanks when it compares names."""

    def setUp(self) -> None:
        """Start a Glance on MariaDB."""
        super().setUp()
        missing = debian.missing(mariadb.PACKAGES)
        if missing:
            self.skipTest('%s is not installed' % ', '.join(missing))
        virtualenv = self.useFixture(_Virtualenv(
            'nova34', nova_virtualenv.NOVA))
        glance = fixtures.Glance()
        glance.use(self.useFixture(fixtures.MariaDB()), virtualenv)
        self.use(self.useFixture(glance).url)

    def test_exact_name_among_similar_ones(self) -> None:
        # The lowest ID is the last one of those created in one second.
        exact = self.raw.create(name='disk', id=_LOWEST)['id']
        similar = [self.raw.create(name=name)['id'] for name in
                   ('Disk', 'disk  ', 'd\xedsk') * 3]
        twins = [self.raw.create(name='DISK ')['id'] for _ in range(2)]
        self.assertEqual(12, len(self.raw.images(name='disk')))
        self.assertEqual(exact, self.json('show', 'disk')['id'])
        line = self.error(codes.CONFLICT, 'delete', 'DISK ')
        for image in (*twins, *similar, exact):
            self.assertEqual(image in twins, image in line)
        self.run_it('delete', 'disk')
        self.assertEqual({*twins, *similar},
                         {one['id'] for one in self.raw.images()})
        self.error(codes.NOT_FOUND, 'delete', 'disk')


class NumbersTest(_OnV2, cli_case.CommandLineTest):
    """Numbers that cannot be are refused before anything is sent."""

    def test_numbers_that_cannot_be(self) -> None:
        self.use(servers.glance33().url)
        glance = servers.glance33()
        with base.recording(glance) as recorded:
            for argv in (
                    ('list', '--timeout', '0'),
                    ('--timeout', 'nan', 'list'),
                    ('list', '--timeout', '3000000'),
                    ('list', '--limit', '1e3'),
                    ('list', '--size-min', '9223372036854775808'),
                    ('list', '--size-max', ''),
                    ('create', 'x', '--min-ram', '-1'),
                    ('set', 'x', '--min-disk', '2147483648'),
                    ('create-via-import', 'x', '--uri', 'http://a/',
                     '--import-timeout', '\u0665')):
                self.assertIn('number', self.error(codes.USAGE, *argv))
        self.assertEqual([], recorded.lines)

    def test_numbers_of_the_environment(self) -> None:
        self.use(servers.glance33().url)
        for name, value in (('OS_API_TIMEOUT', '0'),
                            ('CLIFF_MAX_TERM_WIDTH', 'many')):
            variables = dict(self.variables)
            self.variables[name] = value
            self.assertIn(value, self.error(codes.USAGE, 'list'))
            self.variables = variables
        self.error(codes.USAGE, 'list', '--max-width', '-5')
