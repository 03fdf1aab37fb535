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

"""Numbers on the command line."""

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    import argparse

    from nova_image.cmd import options

#: text that every type refuses
NONSENSE = ('', ' ', 'x', 'nan', 'inf', '-inf', '-1', '-0', '+5', ' 5', '5 ',
            '5\n', '1e3', '1_0', '0x5', '5,0', '.5', '5.', '\u0665', '\xb2',
            '9' * 20, '9' * 5000)


class TestNumbers(case.TestCase):
    """Numbers that cannot be are refused."""

    def test_whole_numbers(self):
        convert = options.number(1, 2 ** 63 - 1)
        for text in ('1', '05', str(2 ** 63 - 1)):
            self.assertEqual(int(text), convert(text))
        for text in NONSENSE + ('0', '1.5', str(2 ** 63)):
            self.assertRaises(argparse.ArgumentTypeError, convert, text)

    def test_seconds(self):
        for text in ('1', '0.5', '2147483'):
            self.assertEqual(float(text), options.seconds(text))
        for text in NONSENSE + ('0', '0.0', '2147484', '0.' + '1' * 400):
            self.assertRaises(argparse.ArgumentTypeError, options.seconds,
                              text)
