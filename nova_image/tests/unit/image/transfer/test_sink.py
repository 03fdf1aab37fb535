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
import resource
import stat
import threading

import fixtures
import mock
import six
import testtools

from nova_image import exception
from nova_image.image.transfer import sink

DATA = b'0123456789'


class SinkTestCase(testtools.TestCase):
    """Base: a folder."""

    def setUp(self):
        super(SinkTestCase, self).setUp()
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.path = os.path.join(self.folder, 'image')

    def read(self):
        """Return what is at the path."""
        with open(self.path, 'rb') as stream:
            return stream.read()

    def write(self, content):
        """Put something at the path."""
        with open(self.path, 'wb') as stream:
            stream.write(content)

    def publish(self, path=None):
        """Publish an image through a sink."""
        opened = sink.open_sink(path=path or self.path)
        opened.write(DATA[:4])
        opened.write(DATA[4:])
        opened.publish()


class TestFile(SinkTestCase):
    """A path of a regular file."""

    def test_nothing_stands_at_the_path_before(self):
        opened = sink.open_sink(path=self.path)
        self.addCleanup(opened.discard)
        opened.write(DATA)
        self.assertFalse(os.path.exists(self.path))

    def test_published(self):
        self.publish()
        self.assertEqual(DATA, self.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_another_image_is_replaced_at_once(self):
        self.write(b'old')
        opened = sink.open_sink(path=self.path)
        opened.write(DATA)
        self.assertEqual(b'old', self.read())
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_discarded(self):
        self.write(b'old')
        opened = sink.open_sink(path=self.path)
        opened.write(DATA)
        opened.discard()
        self.assertEqual(b'old', self.read())
        self.assertEqual(['image'], os.listdir(self.folder))

    def test_discarded_after_publishing(self):
        opened = sink.open_sink(path=self.path)
        opened.publish()
        opened.discard()
        self.assertEqual(b'', self.read())

    def test_restarted(self):
        opened = sink.open_sink(path=self.path)
        opened.write(b'half of something longer')
        self.assertTrue(opened.restart())
        opened.write(DATA)
        opened.publish()
        self.assertEqual(DATA, self.read())

    def test_mode_is_that_of_the_umask(self):
        before = os.umask(0o027)
        self.addCleanup(os.umask, before)
        self.publish()
        self.assertEqual(0o640, stat.S_IMODE(os.stat(self.path).st_mode))

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

    def test_relative_path(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        self.publish('image')
        self.assertEqual(DATA, self.read())

    def test_two_at_once_do_not_meet(self):
        one, two = (sink.open_sink(path=self.path) for _ in range(2))
        one.write(b'one')
        two.write(b'two')
        two.publish()
        one.publish()
        self.assertEqual(b'one', self.read())

    def test_no_such_folder(self):
        error = self.assertRaises(
            (IOError, OSError), sink.open_sink, None,
            os.path.join(self.folder, 'none', 'image'))
        self.assertEqual(errno.ENOENT, error.errno)

    def test_a_disk_without_room(self):
        opened = sink.open_sink(path=self.path)
        opened.write(DATA)  # small enough to wait in a buffer
        self._limit_files_to(4)
        error = self.assertRaises((IOError, OSError), opened.publish)
        self.assertEqual(errno.EFBIG, error.errno)
        opened.discard()
        self.assertEqual([], os.listdir(self.folder))

    def _limit_files_to(self, size):
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, limits)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))


class TestDurability(SinkTestCase):
    """File, rename, folder: flushed to disk in this order."""

    def setUp(self):
        super(TestDurability, self).setUp()
        self.events = []
        for name, noted in (('fsync', self._synced), ('rename', self._moved)):
            self.useFixture(fixtures.MonkeyPatch('os.' + name, noted))

    def _synced(self, number):
        status = os.fstat(number)
        kind = 'folder' if stat.S_ISDIR(status.st_mode) else 'file'
        self.events.append((kind, status.st_ino, status.st_size
                            if kind == 'file' else None))

    def _moved(self, old, new, rename=os.rename):
        rename(old, new)
        self.events.append(('rename', os.stat(new).st_ino, new))

    def test_the_order(self):
        self.publish()
        number = os.stat(self.path).st_ino
        self.assertEqual(
            [('file', number, len(DATA)), ('rename', number, self.path),
             ('folder', os.stat(self.folder).st_ino, None)], self.events)

    def test_a_character_device_is_not_flushed_to_disk(self):
        self.publish('/dev/null')
        self.assertEqual([], self.events)

    def test_a_file_object_is_its_owners(self):
        opened = sink.open_sink(data=io.BytesIO())
        opened.write(DATA)
        opened.publish()
        self.assertEqual([], self.events)


class TestDevice(SinkTestCase):
    """A path of something else."""

    def test_null(self):
        self.publish('/dev/null')
        self.assertTrue(stat.S_ISCHR(os.stat('/dev/null').st_mode))

    def test_fifo(self):
        os.mkfifo(self.path)
        got = []
        reader = threading.Thread(target=lambda: got.append(self.read()))
        reader.start()
        self.addCleanup(reader.join)
        self.publish()
        reader.join()
        self.assertEqual([DATA], got)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path).st_mode))

    def test_it_cannot_be_taken_back(self):
        opened = sink.open_sink(path='/dev/null')
        opened.write(DATA)
        self.assertFalse(opened.restart())
        opened.discard()

    def test_a_full_device_keeps_its_error(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('there is no /dev/full here')
        opened = sink.open_sink(path='/dev/full')
        opened.write(DATA)
        self.assertRaises((IOError, OSError), opened.publish)
        opened.discard()

    def test_a_link_to_one(self):
        os.symlink('/dev/null', self.path)
        self.publish()
        self.assertTrue(os.path.islink(self.path))


class TestObject(testtools.TestCase):
    """A file object of the caller."""

    def test_written_from_where_it_stands(self):
        stream = io.BytesIO(b'head')
        stream.seek(4)
        opened = sink.open_sink(data=stream)
        opened.write(b'half')
        self.assertTrue(opened.restart())
        opened.write(DATA)
        opened.publish()
        self.assertEqual(b'head' + DATA, stream.getvalue())

    def test_it_tells_where_it_is_and_cannot_go_back(self):
        for error in (IOError, OSError, ValueError, AttributeError):
            stream = mock.Mock(spec=['write', 'tell', 'seek', 'truncate'],
                               closed=False)
            stream.tell.return_value = 0
            stream.seek.side_effect = error
            self.assertFalse(sink.open_sink(data=stream).restart())

    def test_it_stays_open(self):
        stream = io.BytesIO()
        opened = sink.open_sink(data=stream)
        opened.publish()
        opened.discard()
        self.assertFalse(stream.closed)

    def test_it_is_flushed(self):
        stream = mock.Mock(spec=['write', 'flush', 'tell'], closed=False)
        sink.open_sink(data=stream).publish()
        stream.flush.assert_called_once_with()

    def test_it_goes_before_the_path(self):
        self.assertIsInstance(sink.open_sink(io.BytesIO(), '/no/where'),
                              sink.ObjectSink)

    def test_closed(self):
        stream = io.BytesIO()
        stream.close()
        error = self.assertRaises(exception.ImageUnacceptable,
                                  sink.open_sink, stream)
        self.assertIn('closed', six.text_type(error))

    def test_what_can_only_be_written(self):
        stream = mock.Mock(spec=['write'])
        opened = sink.open_sink(data=stream)
        opened.write(DATA)
        self.assertFalse(opened.restart())
        opened.publish()
        stream.write.assert_called_once_with(DATA)
