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


"""Tests of nova_image.image.transfer.paths: links and who may set them."""

import errno
import os

import fixtures
import mock
import testtools

from nova_image.image.transfer import paths

_OTHER = 61001


class PathsCase(testtools.TestCase):
    """Base class: a folder in which everybody may create files."""

    def setUp(self):
        super(PathsCase, self).setUp()
        # The folder of temporary files may be behind a link itself.
        self.top = os.path.realpath(self.useFixture(fixtures.TempDir()).path)
        self.public = os.path.join(self.top, 'public')
        os.mkdir(self.public)
        os.chmod(self.public, 0o1777)
        self.target = os.path.join(self.top, 'target')
        self.path = os.path.join(self.public, 'image')

    def give_away(self, path):
        """Let another user own a path."""
        if os.geteuid():
            self.skipTest('only root can give files away')
        os.lchown(path, _OTHER, _OTHER)

    def assert_refused(self, function, path):
        """Assert that a function refuses a path."""
        error = self.assertRaises(OSError, function, path)
        self.assertEqual(errno.EACCES, error.errno)
        self.assertIn('another user', error.strerror)
        self.assertEqual(self.path, error.filename)


class TestResolve(PathsCase):
    """Links are followed, except those of others in a public folder."""

    def test_a_path_is_resolved_like_by_the_system(self):
        folder = os.path.join(self.top, 'folder')
        os.mkdir(folder)
        for name, target in (('direct', folder), ('relative', 'folder'),
                             ('up', 'folder/../folder/.'),
                             ('chain', 'relative'), ('gone', 'folder/none'),
                             ('self', '/proc/self/cwd')):
            os.symlink(target, os.path.join(self.top, name))
            for end in ('', '/', '/none', '/none/none', '/../x', '//./y'):
                path = os.path.join(self.top, name + end)
                self.assertEqual(os.path.realpath(path), paths.resolve(path))
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.top)
        self.assertEqual(os.path.join(folder, 'x'), paths.resolve('up/x'))

    def test_a_circle_of_links_is_an_error(self):
        os.symlink('b', os.path.join(self.top, 'a'))
        os.symlink('a', os.path.join(self.top, 'b'))
        error = self.assertRaises(OSError, paths.resolve,
                                  os.path.join(self.top, 'a'))
        self.assertEqual(errno.ELOOP, error.errno)

    def test_a_link_of_this_user_is_followed_in_a_public_folder(self):
        os.symlink(self.target, self.path)
        self.assertEqual(self.target, paths.resolve(self.path))

    def test_a_link_of_another_user_is_refused_in_a_public_folder(self):
        os.symlink(self.target, self.path)
        self.give_away(self.path)
        self.assert_refused(paths.resolve, self.path)

    def test_a_link_to_a_folder_is_refused_too(self):
        os.symlink(self.top, self.path)
        self.give_away(self.path)
        self.assert_refused(paths.resolve, self.path + '/target')

    def test_a_link_is_refused_behind_another_one(self):
        os.symlink(self.target, self.path)
        self.give_away(self.path)
        mine = os.path.join(self.top, 'mine')
        os.symlink(self.path, mine)
        self.assert_refused(paths.resolve, mine)

    def test_a_link_of_the_owner_of_the_folder_is_followed(self):
        os.symlink(self.target, self.path)
        self.give_away(self.path)
        self.give_away(self.public)
        self.assertEqual(self.target, paths.resolve(self.path))

    def test_a_link_of_another_user_is_followed_elsewhere(self):
        os.symlink(self.target, self.path)
        self.give_away(self.path)
        for mode in (0o755, 0o1775, 0o1755):
            os.chmod(self.public, mode)
            self.assertEqual(self.target, paths.resolve(self.path))


class TestTrust(PathsCase):
    """Files that somebody else has put there in advance."""

    def test_a_file_of_another_user_is_refused_in_a_public_folder(self):
        for make in (os.mkfifo, lambda path: open(path, 'w').close()):
            make(self.path)
            paths.require_trusted(self.path)
            self.give_away(self.path)
            self.assert_refused(paths.require_trusted, self.path)
            self.assertIsNone(paths.trusted_file(self.path))
            os.unlink(self.path)

    def test_a_new_file_is_trusted(self):
        paths.require_trusted(self.path)
        self.assertIsNone(paths.trusted_file(self.path))

    def test_a_file_in_another_folder_is_trusted(self):
        with open(self.path, 'w'):
            os.chmod(self.public, 0o755)
        self.give_away(self.path)
        paths.require_trusted(self.path)
        self.assertEqual(_OTHER, paths.trusted_file(self.path).st_uid)


class TestDescriptors(PathsCase):
    """Paths of open files."""

    def test_the_links_of_open_files_stay(self):
        ends = os.pipe()
        for number in ends:
            self.addCleanup(os.close, number)
        os.symlink('/proc/self/fd/%d' % ends[1], self.path)
        for path in ('/dev/fd/%d' % ends[1], self.path,
                     '/proc/self/fd/%d' % ends[1],
                     '/proc/%d/task/%d/fd/%d' % (os.getpid(), os.getpid(),
                                                 ends[1])):
            found = paths.resolve(path)
            self.assertEqual(ends[1], paths.descriptor_of(found))

    def test_a_folder_that_is_open_is_followed(self):
        number = os.open(self.top, os.O_RDONLY)
        self.addCleanup(os.close, number)
        self.assertEqual(self.target, paths.resolve(
            '/proc/self/fd/%d/target' % number))

    def test_the_open_files_of_other_processes_are_told_apart(self):
        self.assertEqual(-1, paths.descriptor_of(
            '/proc/%d/fd/1' % (os.getpid() + 1)))
        self.assertIsNone(paths.descriptor_of('/proc/1/fdinfo/1'))


class TestNames(PathsCase):
    """The names in a folder, and how long they may be."""

    def test_a_name_is_cut_between_characters(self):
        name = u'\u00e4' * 100
        with mock.patch('os.pathconf', return_value=120):
            self.assertEqual(u'\u00e4' * 50,
                             paths.cut_name(name, self.top, 19))

    def test_the_usual_limit_applies_if_there_is_no_answer(self):
        with mock.patch('os.pathconf', side_effect=OSError):
            self.assertEqual('n' * 236,
                             paths.cut_name('n' * 255, self.top, 19))

    def test_other_errors_of_a_folder_are_raised(self):
        self.assertRaises(OSError, paths.names_in, self.target)
