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

"""``openstack image save`` and ``create`` with the transfers of nova_image."""

import json
import os
import signal
import typing

from nova_image.tests.fixtures import faults
from nova_image.tests.functional import base
from nova_image.tests.functional import osc_case
from nova_image.tests.functional import servers

_MIB = 1024 ** 2
_OURS, _THEIRS = '(nova_image)', 'Save an image locally\n'


class ChoiceTest(osc_case.OpenStackTest):
    """Only a user who has chosen our commands gets them."""

    def test_choice(self) -> None:
        (self.folder / 'clouds.yaml').write_text(
            'clouds: {ours: {nova_image_transfers: 1}, theirs: {}, '
            'wrong: {nova_image_transfers: true}}')
        cases = [
            (_THEIRS, _chosen('')), (_THEIRS, _chosen('0')),
            (_THEIRS, _chosen('no')), (_OURS, _chosen('1')),
            (_OURS, _chosen('Yes')), (_THEIRS, _chosen('', 'theirs')),
            (_OURS, _chosen('', 'ours')), (_THEIRS, _chosen('0', 'ours')),
            (_OURS, _chosen('1', 'wrong')),
            (_THEIRS, {'OS_IMAGE_API_VERSION': '1'}),
            ('neither 1 nor 0: maybe\n', _chosen('maybe')),
            ('neither 1 nor 0: True\n', _chosen('', 'wrong'))]
        done = self.run_all(*(
            osc_case.openstack('help', 'image', 'save', **variables)
            for _, variables in cases))
        for (expected, variables), one in zip(cases, done, strict=True):
            self.assertIn(expected, one.out + one.err, variables)
            self.assertEqual(int('neither' in expected), one.code)

    def test_other_commands_are_those_of_openstackclient(self) -> None:
        ours, theirs = (set(one.out.split()) for one in self.run_all(
            osc_case.openstack('command', 'list', '-f', 'value'),
            osc_case.openstack('command', 'list', '-f', 'value',
                               **osc_case.OFF)))
        self.assertEqual({'openstack.nova_image.v1'}, {
            word for word in ours ^ theirs if word.startswith('openstack')})


def _chosen(value: str, cloud: str = '') -> dict[str, str]:
    """Return the variables that choose our commands and a cloud."""
    return {osc_case.VARIABLE: value, 'OS_CLOUD': cloud}


class SaveTest(osc_case.OpenStackTest):
    """``openstack image save``."""

    argv = ('image', 'save', 'disk', '--file', 'copy')

    def setUp(self) -> None:
        """Create an image."""
        super().setUp()
        self.data = os.urandom(4 * _MIB)
        owner = servers.keystone().project_id('demo')
        self.image = self.raw.create(self.data, name='disk',
                                     owner=owner)['id']

    def test_options(self) -> None:
        named, by_id, stored, missing = self.run_all(
            osc_case.openstack(*self.argv),
            osc_case.openstack('image', 'save', self.image, '--file', 'b',
                               '--chunk-size', '1'),
            osc_case.openstack('image', 'save', 'disk', '--file', 'c',
                               '--store-preference', 'fast'),
            osc_case.openstack('image', 'save', 'nothing', '--file', 'd'))
        for one in named, by_id:
            self.assertEqual((0, ''), (one.code, one.err))
        self.assertEqual(0, stored.code)
        self.assertIn('does not support store_preferences', stored.err)
        self.assertEqual(1, missing.code)
        self.assertFiles(copy=self.data, b=self.data, c=self.data)

    def test_standard_output(self) -> None:
        process = self.start('image', 'save', 'disk')
        out, err = process.communicate()
        self.assertEqual(b'', err)
        self.assertSame(self.data, out)

    def test_interrupted_save_resumes(self) -> None:
        proxy = self.through(faults.Stall(3 * _MIB), method='GET')
        process = self.start(*self.argv)
        self.wait_for(lambda: self._kept() >= 2 * _MIB, 'two pieces there')
        process.send_signal(signal.SIGTERM)
        done = self.finish(process)
        self.assertEqual(128 + signal.SIGTERM, done.code)
        self.assertIn('Run the same command to resume', done.err)
        kept = self._kept()
        self.assertFalse((self.folder / 'copy').exists())
        self.run_it(*self.argv)
        self.assertFiles(copy=self.data)
        self.assertEqual('bytes=%d-' % kept, proxy.requests[-1].range)

    def _kept(self) -> int:
        return sum(part.stat().st_size
                   for part in self.folder.glob('.copy.*.part'))

    def test_cut_connection(self) -> None:
        proxy = self.through(faults.Reset(_MIB), method='GET')
        self.run_all(osc_case.openstack(*self.argv))
        self.assertFiles(copy=self.data)
        self.assertEqual(2, sum(one.path.endswith('/file')
                                for one in proxy.requests))

    def test_corrupt_data_is_not_saved(self) -> None:
        (self.folder / 'copy').write_bytes(b'old')
        self.through(*[faults.Corrupt(_MIB)] * 9, method='GET')
        ours, theirs = self.run_all(
            osc_case.openstack(*self.argv),
            osc_case.openstack('image', 'save', 'disk', '--file', 'theirs',
                               **osc_case.OFF))
        self.assertEqual((1, 1), (ours.code, theirs.code))
        self.assertIn('sha512', ours.err)
        self.assertEqual(b'old', (self.folder / 'copy').read_bytes())
        self.assertEqual(len(self.data),
                         (self.folder / 'theirs').stat().st_size)
        self.assertEqual(['copy', 'theirs'], sorted(os.listdir(self.folder)))


class CreateTest(osc_case.OpenStackTest):
    """``openstack image create``."""

    def test_same_image_as_by_openstackclient(self) -> None:
        data = self.write('disk', 2 * _MIB)
        argv = ('image', 'create', 'disk', '--file', 'disk', '--property',
                'os_type=linux', '--min-ram', '64', '--min-disk', '1',
                '--tag', 'a', '--tag', 'b', '--protected', '--shared', '-f',
                'json')
        images = []
        for one in self.run_all(
                osc_case.openstack(*argv, **osc_case.OFF),
                osc_case.openstack(*argv),
                osc_case.openstack(*argv, '--progress')):
            self.assertEqual((0, ''), (one.code, one.err))
            made = json.loads(one.out)
            self.assertData(data, made['id'])
            images.append(_without_what_differs(made))
        self.assertEqual([images[0]] * 2, images[1:])

    def test_standard_input(self) -> None:
        data, image = os.urandom(_MIB), base.new_id()
        self.run_it('image', 'create', 'piped', '--id', image, data=data)
        self.assertData(data, image)

    def test_imported_empty_and_existing(self) -> None:
        data = self.write('disk', _MIB)
        existing = self.raw.create(data)['id']
        argv = ('image', 'create', 'a', '-f', 'json')
        imported, ours, theirs, again = self.run_all(
            osc_case.openstack(*argv, '--file', 'disk', '--import'),
            osc_case.openstack(*argv),
            osc_case.openstack(*argv, **osc_case.OFF),
            osc_case.openstack(*argv, '--id', existing, '--file', 'disk'))
        made = json.loads(imported.out)
        self.assertEqual('active', made['status'])
        self.assertData(data, made['id'])
        for name in ('status', 'size'):
            self.assertEqual(json.loads(theirs.out)[name],
                             json.loads(ours.out)[name])
        self.assertEqual((1, ''), (again.code, again.out))
        self.assertIn(existing, again.err)
        self.assertEqual(4, len(self.raw.images()))

    def test_cut_connection_leaves_no_half_image(self) -> None:
        self.write('disk', 4 * _MIB)
        self.through(*[faults.TruncatedUpload(_MIB)] * 9, method='PUT')
        done, missing = self.run_all(
            osc_case.openstack('image', 'create', 'half', '--file', 'disk'),
            osc_case.openstack('image', 'create', 'x', '--file', 'nothing'))
        self.assertEqual((1, '', 1), (done.code, done.out, missing.code))
        self.assertEqual([], self.raw.images())

    def test_interrupted_create_leaves_no_image(self) -> None:
        process = self.start('image', 'create', 'half', stdin=-1)
        assert process.stdin
        process.stdin.write(os.urandom(2 * _MIB))
        process.stdin.flush()
        self.wait_for(lambda: any(
            image['status'] == 'saving' for image in self.raw.images()),
            'being sent')
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(130, done.code, done.err)
        self.assertIn('the new image was deleted', done.err)
        self.assertEqual([], self.raw.images())


def _without_what_differs(image: dict[str, typing.Any]
                          ) -> dict[str, typing.Any]:
    """Return an image without values that differ between two images.

    openstacksdk notes what it has uploaded in three properties.
    """
    properties = {
        name: value for name, value in image['properties'].items()
        if name not in ('direct_url', 'locations') and
        not name.startswith('owner_specified.openstack.')}
    return {name: sorted(value) if name == 'tags' else value
            for name, value in image.items() if name not in (
                'id', 'file', 'created_at', 'updated_at')} | {
                    'properties': properties}
