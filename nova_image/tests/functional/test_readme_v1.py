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

"""The README's move from the Images API v1 to v2. Removed with v1."""

import json
import pathlib
import random
import re
import shlex

from nova_image.cmd import codes
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_README = pathlib.Path(__file__).parents[3] / 'README.rst'
_TITLE = "Moving a cloud's images from v1 to v2\n====="
_MIB = 1024 ** 2
_OWNER = '5b5bd14bd5054a53ae8b26cd1b4a3d25'
_PARTNER = 'bb4e2f1c3f0a4b7f9d1c5a1f9e2d7c60'
_KERNEL = '0e1c2a5f-7b0c-4a0d-9d55-3f2f5d9a9c01'
_JAMMY = '6a3f0c9d-2b57-4e0f-a1c3-94d7e8b5f003'
_SHOP = '8d2e4b71-5c60-4f8a-b9e2-17a6c3d4e004'
#: (size, attributes). Each image names the previous one, so that they are
#: copied one at a time: Glance on sqlite answers some parallel uploads with
#: 500.
_IMAGES = (
    (5 * _MIB, {'id': _KERNEL, 'name': 'jammy-kernel', 'disk_format': 'aki',
                'container_format': 'aki', 'visibility': 'public'}),
    (20 * _MIB, {'id': _JAMMY, 'name': 'jammy', 'disk_format': 'ami',
                 'container_format': 'ami', 'visibility': 'public',
                 'protected': True, 'kernel_id': _KERNEL}),
    (12 * _MIB, {'id': _SHOP, 'name': 'shop', 'visibility': 'shared',
                 'base_image_ref': _JAMMY}),
)
#: (ID, MiB, name)
_NAMED = tuple((fields['id'], size // _MIB, fields['name'])
               for size, fields in _IMAGES)
_SKIPPED = '    1 skipped: it has no data, its status is queued\n'
#: what the commands print, in their order
_OUTPUTS = (
    """\
+--------------+---------------------+
| Field        | Value               |
+--------------+---------------------+
| images       | 3                   |
| size         | 38797312 (37.0 MiB) |
| without_data | 1                   |
+--------------+---------------------+
""",
    ''.join('different  %s    %2d.0 MiB  %s: the target lacks it\n' % image
            for image in _NAMED)
    + '4 images, 37.0 MiB: 3 different, 1 skipped\n' + _SKIPPED,
    ''.join('copied     %s    %2d.0 MiB  %s\n' % image for image in _NAMED)
    + '4 images, 37.0 MiB: 3 copied, 1 skipped\n'
    '37.0 MiB sent in SECONDS\n' + _SKIPPED,
    'updated    %s    %2d.0 MiB  %s: properties\n' % _NAMED[1]
    + 'updated    %s    %2d.0 MiB  %s: members, visibility\n' % _NAMED[2]
    + '4 images, 37.0 MiB: 2 updated, 1 same, 1 skipped\n' + _SKIPPED,
    '4 images, 37.0 MiB: 3 same, 1 skipped\n' + _SKIPPED)
#: fields of one Glance; only Glance 33 looks for the virtual size
_OWN = {'created_at', 'updated_at', 'virtual_size', 'direct_url',
        'locations'}


def commands() -> list[str]:
    """Return the commands of the section."""
    section = _README.read_text().partition(_TITLE)[2]
    block = section.partition('.. code-block:: console\n\n')[2]
    lines = re.match('(?:    .*\n)*', block)
    assert lines
    return re.findall(r'^    \$ (.*)$', lines[0], re.MULTILINE)


def normalized(output: str) -> str:
    """Return an output without times."""
    return re.sub(r'in [0-9.]+ s \(.*/s\)', 'in SECONDS', output)


class OnGlance15And33Test(cli_case.CommandLineTest):
    """The five commands, from a Glance with v1 to one with v2."""

    def setUp(self) -> None:
        """Give the two clouds the names that the README uses."""
        super().setUp()
        old, new = servers.glance15().url, servers.glance33().url
        self.old, self.new = self.raw_glance(old), self.raw_glance(new)
        path = pathlib.Path(self.home) / 'openstack' / 'clouds.yaml'
        path.parent.mkdir()
        claims = {'user_id': 'an-admin', 'project_id': 'the-admins'}
        path.write_text(json.dumps({'clouds': {
            'old': {'auth_type': 'none', 'auth': claims | {'endpoint': old},
                    'image_api_version': 1},
            'new': {'auth_type': 'none', 'auth': claims | {'endpoint': new}},
        }}))
        generator = random.Random(1)
        self.data = {str(fields['id']): generator.randbytes(size)
                     for size, fields in _IMAGES}
        for _, fields in _IMAGES:
            self.old.create(self.data[str(fields['id'])], owner=_OWNER,
                            **fields)
        self.old.create(name='never-uploaded', owner=_OWNER)

    def test_five_commands(self) -> None:
        for number, (command, output) in enumerate(
                zip(commands(), _OUTPUTS, strict=True)):
            if number == 3:  # users still work on the old cloud
                self.old.patch(_JAMMY, {'op': 'add', 'path': '/os_version',
                                        'value': '22.04'})
                self.old.ask('POST', '/v2/images/%s/members' % _SHOP,
                             json={'member': _PARTNER})
            program, *argv = shlex.split(command)
            self.assertEqual('nova-image', program)
            done = self.run_it(*argv, code=(
                codes.DIFFERENT if '--dry-run' in argv else codes.DONE))
            self.assertEqual(('', output),
                             (done.err, normalized(done.out)), command)
        self.assertEqual({*self.data},
                         {image['id'] for image in self.new.images()})
        for image_id, data in self.data.items():
            self.assert_replica(image_id, data)
        self.assertEqual([_PARTNER], self.new.members(_SHOP))

    def assert_replica(self, image_id: str, data: bytes) -> None:
        """Check that both clouds have the same image."""
        theirs, ours = self.old.image(image_id), self.new.image(image_id)
        self.assertEqual(image_id, ours.pop('nova_image_replica_of'))
        for name in set(theirs) - _OWN:
            self.assertEqual(theirs[name], ours[name], name)
        self.assertEqual('22.04' if image_id == _JAMMY else None,
                         ours.get('os_version'))
        same = data == self.new.data(image_id)
        self.assertTrue(same, 'the data differs')
