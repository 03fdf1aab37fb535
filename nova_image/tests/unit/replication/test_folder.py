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

"""Folders as ends of a replication."""

import json
import os

import fixtures
import six

from nova_image.tests.unit.replication import test_run

if six.PY3:
    import pathlib

    from nova_image.replication import folder
    from nova_image.replication import manifest
    from nova_image.replication import old_dump
    from nova_image.replication import record
    from nova_image.replication import results

    Result = results.Result

ID = '6a4ff8f4-5e4b-4f0e-a2b5-8b2d2e6a2d11'


class FolderTest(test_run.RunTest):
    """A test of dumps and loads."""

    def setUp(self):
        super(FolderTest, self).setUp()
        self.path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path) / 'dump'

    def dump(self, **options):
        """Dump the source; return the results."""
        return self.replicate(folder.Folder(self.path, create=True),
                              **options)

    def load(self):
        """Load the dump into the target; return the results."""
        self.source, source = folder.Folder(self.path), self.source
        try:
            return self.replicate()
        finally:
            self.source = source

    def names(self, *parts):
        """Return the names in a folder of the dump."""
        return sorted(os.listdir(self.path.joinpath(*parts)))


class TestDumps(FolderTest):
    """Dump and load."""

    def test_every_field(self):
        self.add('A', visibility='shared', protected=True, hidden=True,
                 status='deactivated', tags=frozenset(u'\u00f6'),
                 properties={'p': u'\u00df'}, members=frozenset((
                     record.Member('you', 'accepted'),)))
        self.assertEqual({'A': Result.COPIED}, self.dump())
        self.assertEqual({'A': Result.COPIED}, self.load())
        self.check_same('A')
        self.assertEqual({'A': Result.SAME}, self.dump())
        self.assertEqual({'A': Result.SAME}, self.load())
        self.assertEqual([], self.names('partial'))

    def test_the_same_data_is_stored_and_read_once(self):
        for image_id in 'AB':
            self.add(image_id)
        self.assertEqual(2, len(self.dump(transfers=1)))
        self.assertEqual(1, len(self.names('data')))
        read = {image_id for what, image_id in self.source.calls
                if what == 'GET data'}
        self.assertEqual(1, len(read))
        self.assertEqual(2, len(self.load()))
        self.check_same('B')

    def test_only_metadata(self):
        self.add('A')
        path = folder.Folder(self.path, create=True, data=False)
        self.assertEqual({'A': Result.COPIED}, self.replicate(path))
        self.assertNotIn('GET data', dict(self.source.calls))
        self.assertEqual([], self.names('data'))
        self.assertEqual({'A': Result.SAME}, self.replicate(path))
        self.assertEqual({'A': Result.CONFLICT}, self.load())
        self.assertEqual(folder.NO_DATA, self.reason('A'))
        self.assertEqual({'A': Result.COPIED}, self.dump())
        self.assertEqual({'A': Result.SAME}, self.replicate(path))
        self.assertEqual({'A': Result.COPIED}, self.load())

    def test_data_that_is_gone_is_dumped_again(self):
        self.add('A')
        self.dump()
        for name in self.names('data'):
            (self.path / 'data' / name).unlink()
        self.assertEqual({'A': Result.CONFLICT}, self.load())
        self.assertEqual({'A': Result.COPIED}, self.dump())
        self.assertEqual({'A': Result.COPIED}, self.load())

    def test_ids_of_v1_may_be_anything(self):
        self.add('../../x y')
        self.dump()
        self.assertEqual(['..%2F..%2Fx%20y.json'], self.names('images'))
        self.assertEqual({'../../x y': Result.COPIED}, self.load())

    def test_damaged_data_is_not_loaded(self):
        self.add('A', visibility='public')
        self.dump()
        [name] = self.names('data')
        (self.path / 'data' / name).write_bytes(b'9876543210')
        self.assertEqual({'A': Result.FAILED}, self.load())
        self.assertNotEqual('active', self.target.found['A'].status)

    def test_damaged_and_newer_manifests_are_named(self):
        for image_id in 'ABC':
            self.add(image_id)
        self.dump()
        (self.path / 'images' / 'A.json').write_text('{')
        newer = json.loads((self.path / 'images' / 'B.json').read_text())
        newer['schema'] = manifest.SCHEMA + 1
        (self.path / 'images' / 'B.json').write_text(json.dumps(newer))
        self.assertEqual({'A': Result.CONFLICT, 'B': Result.CONFLICT,
                          'C': Result.COPIED}, self.load())
        self.assertIn('A.json', self.reason('A'))
        self.assertIn('schema version 2', self.reason('B'))

    def test_wrong_data_is_not_dumped(self):
        self.add('A')
        self.source.data['A'] = b'9876543210'
        self.assertEqual({'A': Result.FAILED}, self.dump())
        self.assertEqual([], self.names('data') + self.names('partial'))
        self.source.data['A'] = b'0123456789'
        self.assertEqual({'A': Result.COPIED}, self.dump())

    def test_what_was_left_long_ago_is_deleted(self):
        self.add('A')
        self.dump()
        for name, age in (('old', 100000), ('new', 10)):
            path = self.path / 'partial' / name
            path.write_bytes(b'x')
            then = path.stat().st_mtime - age
            os.utime(path, (then, then))
        folder.Folder(self.path)
        self.assertEqual(['new'], self.names('partial'))

    def test_other_folders_are_refused(self):
        error = self.assertRaises(OSError, folder.Folder, self.path)
        self.assertIn('no such folder', str(error))
        self.path.mkdir()
        error = self.assertRaises(OSError, folder.Folder, self.path)
        self.assertIn('no dump', str(error))
        (self.path / 'file').write_text('x')
        self.assertRaises(OSError, folder.Folder, self.path, create=True)
        (self.path / folder.MARK).write_text('{"schema": 99}')
        self.assertRaises(OSError, folder.Folder, self.path)


class TestOldDumps(FolderTest):
    """The dumps of glance-replicator."""

    ENTRY = {
        'status': 'active', 'name': 'old', 'is_public': True, 'size': 5,
        'disk_format': 'raw', 'container_format': 'bare', 'deleted': False,
        'protected': False, 'min_disk': 1, 'min_ram': 2, 'owner': 'me',
        'checksum': '5d41402abc4b2a76b9719d911017c592', 'id': ID,
        'created_at': '2016-01-01T00:00:00.000000', 'deleted_at': None,
        'updated_at': '2016-01-01T00:00:00', 'virtual_size': None,
        'properties': {'kernel_id': None, 'os_type': 'linux'}}

    def write(self, data=b'hello', **changes):
        """Write such a dump, and load it."""
        self.path.mkdir(exist_ok=True)
        (self.path / ID).write_text(json.dumps(dict(self.ENTRY, **changes)))
        if data is not None:
            (self.path / (ID + '.img')).write_bytes(data)
        self.assertTrue(old_dump.is_one(self.path))
        self.source = old_dump.OldDump(self.path)
        return self.replicate()[ID]

    def test_an_image(self):
        self.assertEqual(Result.COPIED, self.write())
        found = self.target.found[ID]
        self.assertEqual(
            ('old', 'public', 1, 2, 'me', 5),
            (found.name, found.visibility, found.min_disk, found.min_ram,
             found.owner, found.size))
        self.assertEqual({'os_type': 'linux', record.MARKER: ID},
                         found.properties)
        self.assertEqual(Result.SAME, self.write())

    def test_truncated_and_missing_data(self):
        for data in (b'hell', None):
            self.assertEqual(Result.CONFLICT, self.write(data))
            self.assertIn('truncated', self.reason(ID))
            (self.path / (ID + '.img')).unlink(missing_ok=True)
        self.assertEqual({}, self.target.found)

    def test_metadata_of_a_dump_without_data(self):
        self.write()
        (self.path / (ID + '.img')).unlink()
        for data, result in (True, Result.CONFLICT), (False, Result.SAME):
            self.source = old_dump.open_dump(self.path, data)
            self.assertEqual(result, self.replicate()[ID])

    def test_damaged_data(self):
        self.assertEqual(Result.FAILED, self.write(b'hullo'))

    def test_images_without_data_are_left_out(self):
        self.assertEqual(Result.SKIPPED, self.write(None, status='queued'))

    def test_a_damaged_entry(self):
        self.assertEqual(Result.CONFLICT, self.write(size='many'))

    def test_other_files(self):
        self.path.mkdir()
        (self.path / 'README').write_text('x')
        self.assertFalse(old_dump.is_one(self.path))
