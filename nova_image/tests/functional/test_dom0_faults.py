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

"""Calls of the plugin for dom0 with faults, drawn from seeds.

Whatever goes wrong, nothing but a whole and right image enters the storage
repository, Glance shows no truncated image as active, the staging folder is
gone, and the class of the error is right. ``NOVA_IMAGE_DOM0_SEEDS=100`` draws
that many cases of each direction instead of a few; ``NOVA_IMAGE_SEED=42``
repeats one.
"""

import os
import signal
import typing

from nova_image.tests import fixtures
from nova_image.tests.fixtures import dom0
from nova_image.tests.functional import dom0_case
from nova_image.tests.functional import dom0_faults as cases
from nova_image.tests.functional import transfer_faults

_FEW = 5
#: a VHD of the storage repository that no call names
_MINE = b'a VHD of another image'


class FaultsTest(dom0_case.Dom0Test):
    """Seeds of both directions, with v2.

    :cvar first: the lowest seed
    :cvar status_method: its method
    """

    first = 0
    status_method = 'GET'

    def setUp(self) -> None:
        """Start the proxy, and make a dom0 of each Python."""
        super().setUp()
        self.proxy = self.useFixture(fixtures.FaultyProxy(self.server.url))
        self.new = self.make_dom0()
        self.sent: list[tuple[cases.Case, str]] = []

    def seeds(self) -> list[int]:
        """Return the seeds to check."""
        count = int(os.environ.get(cases.VARIABLE) or _FEW)
        return transfer_faults.seeds(self.first, count)

    def check(self, action: str, one: typing.Any) -> None:
        """Check all seeds of an action, and report those that fail."""
        failed = []
        for seed in self.seeds():
            case = cases.draw(seed, action)
            where = self.dom0 if case.old else self.new
            for path in where.sr.iterdir():
                self.assertTrue(path.is_file(), path)
                path.unlink()
            (where.sr / 'mine.vhd').write_bytes(_MINE)
            self.proxy.clear()
            try:
                one(case, where)
            except Exception as error:
                failed.append('seed %d, %s: %s: %s' % (
                    seed, case.what, type(error).__name__, error))
        if failed:
            self.fail('\n'.join(failed))

    def outcome(self, case: cases.Case, where: dom0.Dom0, function: str,
                action: str, image: str, **more: typing.Any) -> typing.Any:
        """Call the plugin, and check the class of the error.

        :returns: the result; None if it failed
        """
        request = self.request(action, image, self.proxy.url)
        for one in (request, request.get('check', request)):
            one['timeout'] = case.timeout
            one['headers']['X-Auth-Token'] = 'a-secret-token'
        process = where.start(
            function, case.trouble, request=request, sr_path=str(where.sr),
            **more)
        if case.stalled is not None:
            self.wait_for(self.has_stalled, 'stalled', 20)
            process.send_signal(signal.SIGTERM)
        try:
            found, kind = dom0.result(process), cases.SUCCESS
        except dom0.PluginFailure as error:
            found, kind = error, error.details[2]
            self.assertNotIn('a-secret-token', error.details[3])
        self.assertIn(kind, case.expected, '%s %s' % (case, found))
        return found if kind == cases.SUCCESS else None

    def has_stalled(self) -> bool:
        """Return whether Glance is silent."""
        return any(one.struck for one in self.proxy.requests)

    def test_downloads(self) -> None:
        self.check('download', self.check_download)

    def check_download(self, case: cases.Case, where: dom0.Dom0) -> None:
        """Check one download."""
        data = cases.data_of(case)
        image = self.new_image(data)
        checksum = self.checksum(image)
        if case.md5:
            checksum['md5'] = case.md5
        if case.fault:
            self.proxy.plan(case.fault, path='/images/' + image)
        uuids = ['new-%d' % number for number in range(3)]
        result = self.outcome(
            case, where, 'download_vhd', 'download', image,
            uuid_stack=uuids[::-1], checksum=checksum)
        expected = {'mine.vhd': _MINE}
        if result:
            self.assertEqual({'uuid': 'new-0'}, result['root'])
            self.assert_recorded(image, result)
            expected |= {
                'new-%d.vhd' % number: vhd
                for number, vhd in enumerate(cases.vhds(case))}
        found = where.contents
        self.assertEqual(set(expected), set(found), case)
        for name, vhd in expected.items():
            # vhd-util has written the parents.
            self.assertTrue(vhd[:512] + vhd[1024:] ==
                            found[name][:512] + found[name][1024:], case)

    def test_uploads(self) -> None:
        self.check('upload', self.check_upload)
        # Glance may begin to give up an upload after the first look.
        for case, image in self.sent:
            self.check_image(case, image)

    def check_upload(self, case: cases.Case, where: dom0.Dom0) -> None:
        """Check one upload."""
        before = {'mine.vhd': _MINE}
        names = ['leaf', 'middle', 'base'][:len(case.sizes)]
        for name, vhd in zip(names, cases.vhds(case), strict=True):
            before[name + '.vhd'] = vhd
            (where.sr / (name + '.vhd')).write_bytes(vhd)
        image = self.new_image()
        for fault, method in ((case.fault, 'PUT'),
                              (case.check, self.status_method)):
            if fault:
                self.proxy.plan(fault, path='/images/' + image, method=method)
        result = self.outcome(case, where, 'upload_vhd', 'upload', image,
                              vdi_uuids=names, compression_level=1)
        self.assertTrue(before == where.contents, case)
        self.proxy.wait_idle()
        self.sent.append((case, image))
        status = self.check_image(case, image)
        if result:
            self.assertEqual('active', status, case)
            self.assert_recorded(image, result)

    def check_image(self, case: cases.Case, image: str) -> str:
        """Check that an image is whole or not active; return its status."""
        status = ''

        def settled() -> bool:
            nonlocal status
            status = self.raw.image(image)['status']
            return status != 'saving' or self.is_stuck(image)

        self.wait_for(settled, 'settled: %s' % (case,), 30)
        if status == 'active':
            self.assertTrue(dom0_case.unpacked(self.raw.data(image)) == {
                './%d.vhd' % number: vhd for number, vhd in enumerate(
                    cases.vhds(case))}, case)
        else:
            self.assertIn(status, ('queued', 'killed', 'saving'), case)
        return status

    def is_stuck(self, image: str) -> bool:
        """Return whether an image that is "saving" stays so."""
        return False
