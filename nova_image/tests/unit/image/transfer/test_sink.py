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

"""Tests of nova_image.image.transfer.sink."""

import errno
import io
import os
import socket
import stat
import subprocess
import threading

import fixtures
import mock
import six
import testtools

from nova_image import exception
from nova_image.image.transfer import recorded
from nova_image.image.transfer import sink

DATA = b'0123456789'


class SinkTestCase(testtools.TestCase):
    """Base class: a folder."""

    def setUp(self):
        super(SinkTestCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')

    def read(self):
        """Return the data at the path."""
        with open(self.path, 'rb') as stream:
            return stream.read()

    def publish(self, path=None):
        """Publish an image through a sink."""
        opened = sink.open_sink(path=path or self.path)
        opened.write(DATA[:4])
        opened.write(DATA[4:])
        opened.publish()


class TestFile(SinkTestCase):
    """The path of a regular file."""

    def test_options_are_passed_to_the_file_sink(self):
        with mock.patch.object(sink.file_sink, 'FileSink') as constructor:
            self.assertIs(constructor.return_value,
                          sink.open_sink(path=self.path, keep=True))
        constructor.assert_called_once_with(self.path, keep=True)

    def test_a_link_stays_and_its_target_is_written(self):
        target = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'target')
        os.symlink(target, self.path)
        for _ in range(2):  # the link dangles at first
            self.publish()
            self.assertTrue(os.path.islink(self.path))
            self.assertEqual(DATA, self.read())
        self.assertFalse(os.path.islink(target))
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_a_relative_path_is_written(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        self.publish('image')
        self.assertEqual(DATA, self.read())

    def test_a_link_of_another_user_in_a_public_folder_is_refused(self):
        if os.geteuid():
            self.skipTest('only root can give files away')
        victim = os.path.join(
            self.useFixture(fixtures.TempDir()).path, 'victim')
        with open(victim, 'wb') as stream:
            stream.write(b'precious')
        os.symlink(victim, self.path)
        os.lchown(self.path, 61001, 61001)
        os.chmod(self.folder, 0o1777)
        error = self.assertRaises(OSError, sink.open_sink, path=self.path)
        self.assertEqual(errno.EACCES, error.errno)
        with open(victim, 'rb') as stream:
            self.assertEqual(b'precious', stream.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_a_fifo_of_another_user_in_a_public_folder_is_refused(self):
        if os.geteuid():
            self.skipTest('only root can give files away')
        os.mkfifo(self.path)
        os.chown(self.path, 61001, 61001)
        os.chmod(self.folder, 0o1777)
        self.assertRaises(OSError, sink.open_sink, path=self.path)

    def test_an_existing_file_keeps_its_rights(self):
        with open(self.path, 'wb'):
            os.chmod(self.path, 0o600)
        owner = os.geteuid() or 61001
        os.chown(self.path, owner, -1)
        self.publish()
        found = os.stat(self.path)
        self.assertEqual((0o600, owner), (stat.S_IMODE(found.st_mode),
                                          found.st_uid))
        self.assertEqual(DATA, self.read())

    def test_a_new_file_is_published_without_replacing(self):
        opened = sink.open_sink(path=self.path, replace=False)
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_an_existing_file_is_not_replaced(self):
        os.symlink('none', self.path)
        error = self.assertRaises(OSError, sink.open_sink, path=self.path,
                                  replace=False)
        self.assertEqual((errno.EEXIST, self.path),
                         (error.errno, error.filename))
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_a_file_that_appears_in_the_meantime_is_not_replaced(self):
        for keep in (False, True):
            opened = sink.open_sink(path=self.path, replace=False, keep=keep)
            opened.begin('ID', recorded.Recorded(10, 'md5', 'abc'))
            opened.write(DATA)
            with open(self.path, 'wb') as stream:
                stream.write(b'theirs')
            error = self.assertRaises(OSError, opened.publish)
            self.assertEqual((errno.EEXIST, self.path),
                             (error.errno, error.filename))
            opened.give_up()
            self.assertEqual(b'theirs', self.read())
            self.assertEqual(['image'], os.listdir(self.folder))
            os.unlink(self.path)

    def test_a_path_may_be_bytes_or_an_object(self):
        class Path(object):
            def __init__(self, path):
                self.path = path

            def __fspath__(self):
                return self.path

        self.publish(self.path.encode())
        self.assertEqual(DATA, self.read())
        if hasattr(os, 'fspath'):
            self.publish(Path(self.path))

    def test_a_path_with_a_null_character_is_refused(self):
        self.assertRaises(exception.ImageUnacceptable, sink.open_sink,
                          path='/tmp/a\0b')


class TestDescriptor(SinkTestCase):
    """The path of an open file of a process, such as /dev/stdout."""

    def _publish(self, path):
        opened = sink.open_sink(path=path)
        opened.begin('ID', recorded.Recorded())
        opened.write(DATA)
        opened.publish()

    def test_a_pipe_is_written(self):
        reader, writer = os.pipe()
        os.symlink('/proc/self/fd/%d' % writer, self.path)
        for path in ('/dev/fd/%d' % writer, self.path):
            self._publish(path)
            self.assertEqual(DATA, os.read(reader, 100))
        os.close(writer)  # which the sinks have left open
        self.assertEqual(b'', os.read(reader, 100))
        os.close(reader)

    def test_a_socket_is_written(self):
        ours, theirs = socket.socketpair()
        self._publish('/dev/fd/%d' % ours.fileno())
        self.assertEqual(DATA, theirs.recv(100))
        ours.close()
        theirs.close()

    def test_an_open_file_is_written_at_its_position(self):
        with open(self.path, 'wb', 0) as stream:
            stream.write(b'head')
            self._publish('/dev/fd/%d' % stream.fileno())
            stream.write(b'tail')
        self.assertEqual(b'head' + DATA + b'tail', self.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_a_file_of_another_process_is_replaced(self):
        with open(self.path, 'wb') as stream:
            stream.write(DATA * 2)
            process = subprocess.Popen(['cat'], stdin=subprocess.PIPE,
                                       stdout=stream)
        self._publish('/proc/%d/fd/1' % process.pid)
        process.communicate()
        self.assertEqual(DATA, self.read())

    def test_a_pipe_of_another_process_is_written(self):
        process = subprocess.Popen(['cat'], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self._publish('/proc/%d/fd/0' % process.pid)
        self.assertEqual(DATA, process.communicate()[0])


class TestDevice(SinkTestCase):
    """The path of anything else."""

    def test_a_character_device_is_written(self):
        opened = sink.open_sink(path='/dev/null')
        opened.write(DATA)
        opened.publish()
        self.assertTrue(opened._stream.closed)
        self.assertTrue(stat.S_ISCHR(os.stat('/dev/null').st_mode))

    def test_a_fifo_is_written(self):
        os.mkfifo(self.path)
        received = []
        reader = threading.Thread(target=lambda: received.append(self.read()))
        reader.start()
        self.addCleanup(reader.join)
        self.publish()
        reader.join()
        self.assertEqual([DATA], received)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path).st_mode))

    def test_written_data_cannot_be_removed(self):
        opened = sink.open_sink(path='/dev/null')
        self.assertEqual(0, opened.begin('ID', None))
        opened.write(DATA)
        self.assertFalse(opened.restart())
        opened.give_up()
        self.assertTrue(opened._stream.closed)

    def test_a_character_device_is_not_flushed_to_disk(self):
        with mock.patch('os.fsync') as synced:
            self.publish('/dev/null')
        synced.assert_not_called()

    def test_the_error_of_a_full_device_is_raised(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('this system has no /dev/full')
        opened = sink.open_sink(path='/dev/full')
        opened.write(DATA)
        self.assertRaises((IOError, OSError), opened.publish)
        opened.discard()

    def test_a_link_to_a_device_stays(self):
        os.symlink('/dev/null', self.path)
        self.publish()
        self.assertTrue(os.path.islink(self.path))


class TestObject(testtools.TestCase):
    """The caller's file object."""

    def test_data_is_written_at_the_current_position(self):
        stream = io.BytesIO(b'head')
        stream.seek(4)
        opened = sink.open_sink(data=stream)
        opened.write(b'half')
        self.assertTrue(opened.restart())
        opened.write(DATA)
        opened.publish()
        self.assertEqual(b'head' + DATA, stream.getvalue())

    def test_an_object_that_cannot_seek_is_not_restarted(self):
        for error in (IOError, OSError, ValueError, AttributeError):
            stream = mock.Mock(spec=['write', 'tell', 'seek', 'truncate'],
                               closed=False)
            stream.tell.return_value = 0
            stream.seek.side_effect = error
            self.assertFalse(sink.open_sink(data=stream).restart())

    def test_the_object_stays_open(self):
        stream = io.BytesIO()
        opened = sink.open_sink(data=stream, keep=True, max_age=1)
        self.assertEqual(0, opened.begin('ID', None))
        with mock.patch('os.fsync') as synced:
            opened.publish()
        opened.discard()
        opened.give_up()
        self.assertFalse(stream.closed)
        synced.assert_not_called()

    def test_publish_flushes_the_object(self):
        stream = mock.Mock(spec=['write', 'flush', 'tell'], closed=False)
        sink.open_sink(data=stream).publish()
        stream.flush.assert_called_once_with()

    def test_the_object_takes_precedence_over_the_path(self):
        self.assertIsInstance(sink.open_sink(io.BytesIO(), '/no/where'),
                              sink.ObjectSink)

    def test_a_closed_object_is_refused(self):
        stream = io.BytesIO()
        stream.close()
        error = self.assertRaises(exception.ImageUnacceptable,
                                  sink.open_sink, stream)
        self.assertIn('closed', six.text_type(error))

    def test_an_object_needs_only_write(self):
        stream = mock.Mock(spec=['write'])
        opened = sink.open_sink(data=stream)
        opened.write(DATA)
        self.assertFalse(opened.restart())
        opened.publish()
        stream.write.assert_called_once_with(DATA)
