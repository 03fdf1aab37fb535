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

"""nova_image.status.image_checks."""

import datetime

import six

from nova_image.tests.unit.status import audit_case as case

if six.PY3:
    from nova_image.status import facts
    from nova_image.status import image_checks

_UUID = 'aaaaaaaa-0000-4000-8000-000000000000'


class TestImageChecks(case.TestCase):
    """Each check, by images that it finds and images that it does not."""

    def look(self, check, *images, **about):
        """Show images to a check, and return the texts of its items."""
        check.begin(case.about(**about))
        for one in images:
            check.look(one)
        return [text for _, text, _ in self.items(check)]

    def test_nothing_is_wrong_with_a_usual_image(self):
        for check in image_checks.all_checks():
            self.assertEqual([], self.look(check, case.image(
                properties={'os_type': 'linux', 'kernel_id': '',
                            'ramdisk_id': None})), check.name)
            self.assertEqual(case.Code.SUCCESS, check.verdict().code)
            self.assertEqual([], check.verdict().lines())

    def test_similar_properties(self):
        self.assertEqual(["'OS-type', 'os_type'"], self.look(
            image_checks.SimilarProperties(), case.image(
                properties={'os_type': '', 'OS-type': '', 'ostype': ''})))

    def test_formats(self):
        check = image_checks.Formats()
        self.assertEqual([
            'queued, no disk_format, no container_format',
            "active, disk_format 'ploop'"], self.look(
                check,
                case.image(status='queued', disk_format=None,
                           container_format=None),
                case.image(disk_format='ploop'),
                case.image(status='killed', disk_format=None),
                formats=facts.Formats(('raw',), ('bare',))))
        self.assertEqual([], self.look(
            image_checks.Formats(), case.image(disk_format='ploop')))

    def test_references(self):
        check = image_checks.References()
        bad = case.image(properties={'kernel_id': 'junk'})
        gone = case.image(properties={
            'kernel_id': _UUID.upper(), 'ramdisk_id': _UUID})
        self.assertEqual(["kernel_id is 'junk'"], self.look(check, bad, gone))
        self.assertEqual([], list(check.ask(bad)))
        question = facts.Question('exists', _UUID)
        self.assertEqual({question}, set(check.ask(gone)))
        check.hear(gone, question, True)
        self.assertEqual(case.Code.FAILURE, check.verdict().code)
        check.hear(gone, question, False)
        self.assertEqual('kernel_id and ramdisk_id %s is gone' % _UUID,
                         check.verdict().items[1].text)

    def test_values(self):
        check = image_checks.Values()
        many = case.image(properties={str(n): '' for n in range(129)})
        self.assertEqual(
            ["'os_type' is \"None\"",
             "a name of 256 characters: '%s...'" % ('k' * 60),
             "characters of four bytes in the name '\U0001f600'",
             '129 properties'], self.look(
                 check, case.image(properties={
                     'os_type': 'None', 'k' * 256: '', '\U0001f600': '',
                     'true': 'True', 'k' * 255: ''}), many))
        question = facts.Question('members', 'A')
        check.hear(many, question, [None] * 128)
        self.assertEqual(4, len(check.items))
        check.hear(many, question, [None] * 129)
        self.assertEqual('129 members', check.items[-1].text)

    def test_unfinished(self):
        now = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)
        old = now - datetime.timedelta(days=2)
        check = image_checks.Unfinished(now)
        self.assertEqual(['killed', 'pending_delete', 'queued for 2 days',
                          'saving for 2 days'], self.look(
            check, case.image(status='killed'),
            case.image(status='pending_delete'),
            case.image(status='queued', updated_at=old),
            case.image(status='saving', created_at=old),
            case.image(status='queued', created_at=old, updated_at=now),
            case.image(status='queued'), case.image(updated_at=old)))

    def test_hashes(self):
        self.assertEqual(
            ['neither checksum nor os_hash_value', 'no os_hash_value',
             'neither checksum nor os_hash_value'],
            self.look(image_checks.Hashes(),
                      case.image(checksum=None, hash_value=None),
                      case.image(hash_value=None),
                      case.image(checksum=None, hash_value=''),
                      case.image(hash_value=''),
                      case.image(checksum=None),
                      case.image(checksum=None, hash_value=None, size=0)))

    def test_non_ascii_names(self):
        check = image_checks.NonAsciiProperties()
        one = case.image(properties={'caf\u00e9': '1'})
        question, = check.ask(one)
        self.assertEqual(facts.Question('readable', 'A'), question)
        check.hear(one, question, None)
        self.assertEqual([], check.items)
        check.unheard(one, question, case.down())
        self.assertEqual([('A', "'caf\u00e9'", case.Code.FAILURE)],
                         self.items(check))
        self.assertEqual([], list(check.ask(case.image())))

    def test_content(self):
        contradiction = image_checks.contradiction
        qcow2 = b'QFI\xfb' + b'\0' * 600
        table = b'\0' * 446 + b'\0\0\0\0\x83' + b'\0' * 59 + b'\x55\xaa'
        for disk_format, start in (
                ('qcow2', qcow2), ('raw', b'anything'), ('raw', table),
                ('raw', b'\x1f\x8b\x08' + b'\0' * 30), ('vhd', b'anything'),
                ('raw', b'LUKS\xba\xbe'), ('raw', b''), (None, b'')):
            self.assertIsNone(contradiction(disk_format, start), disk_format)
        self.assertEqual('looks like qcow2', contradiction('raw', qcow2))
        self.assertEqual('does not look like it',
                         contradiction('qcow2', b'anything'))
        self.assertIn('looks like raw', contradiction('qcow2', table))
        check = image_checks.Content()
        self.assertEqual(1, len(list(check.ask(case.image()))))
        self.assertEqual([], list(check.ask(case.image(size=0))))

    def test_names_are_shown_on_one_line(self):
        self.assertEqual(["'A\\n', 'a\\n'"], self.look(
            image_checks.SimilarProperties(),
            case.image(properties={'a\n': '', 'A\n': ''})))
