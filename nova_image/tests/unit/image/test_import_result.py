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

"""Tests of nova_image.image.import_result: one interface for all results."""

import copy
import pickle

import testtools

from nova_image.image import import_result

FIELDS = {'image_id': 'ID', 'image': None, 'reason': None, 'stores': ['fast'],
          'failed': {}, 'changes': {}, 'seen': None, 'request_id': 'req-1',
          'cleaned': False}
KINDS = (import_result.Imported, import_result.Converted,
         import_result.Failed, import_result.TimedOut)


class TestResult(testtools.TestCase):
    """All kinds of results."""

    def test_the_kinds_have_the_same_attributes(self):
        for kind in KINDS:
            result = kind(**FIELDS)
            self.assertEqual(FIELDS, {name: getattr(result, name)
                                      for name in FIELDS})

    def test_each_kind_reports_success_and_timeout(self):
        self.assertEqual(
            [(True, False), (True, False), (False, False), (False, True)],
            [(kind(**FIELDS).succeeded, kind(**FIELDS).timed_out)
             for kind in KINDS])

    def test_copies_are_equal(self):
        for kind in KINDS:
            result = kind(**FIELDS)
            for other in (copy.copy(result), copy.deepcopy(result),
                          pickle.loads(pickle.dumps(result))):
                self.assertEqual(result, other)
                self.assertIs(kind, type(other))

    def test_different_results_are_not_equal(self):
        one = import_result.Imported(**FIELDS)
        self.assertNotEqual(one, import_result.Converted(**FIELDS))
        self.assertNotEqual(one, import_result.Imported(
            **dict(FIELDS, image_id='another')))

    def test_size_and_hash_are_those_of_the_image(self):
        image = {'size': 7, 'os_hash_algo': 'md5', 'os_hash_value': 'abc'}
        result = import_result.Imported(**dict(FIELDS, image=image))
        self.assertEqual((7, ('md5', 'abc')), (result.size, result.hash))

    def test_size_and_hash_are_none_without_an_image(self):
        result = import_result.Failed(**FIELDS)
        self.assertEqual((None, None), (result.size, result.hash))
