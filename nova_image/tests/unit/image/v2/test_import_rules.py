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

"""Tests of nova_image.image.v2.import_rules: the rules and their requests."""

from nova_image import exception
from nova_image.image import knowledge
from nova_image.image.v2 import import_rules
from nova_image.tests.unit import base
from nova_image.tests.unit.image.v2 import import_case as case
from nova_image.tests.unit import recordings

MIB = 1024 * 1024


class RulesTestCase(case.ImportTestCase):
    """Base class: rules."""

    def setUp(self):
        super(RulesTestCase, self).setUp()
        self.rules = import_rules.Rules(self.service.client)

    def _check(self, name, *args):
        getattr(self.rules, 'check_' + name)(self.context, *args)

    def _refused(self, kind, words, name, *args):
        error = self.assertRaises(kind, self._check, name, *args)
        self.assertIn(words, error.reason)


class TestInfo(RulesTestCase):
    """info()."""

    def test_info_is_requested_each_time(self):
        for _ in range(2):
            self.glance.answers(case.IMPORTS('info_import'),
                                case.IMPORTS('info_stores'))
            self.assertEqual({
                'methods': ['glance-direct', 'web-download', 'copy-image'],
                'stores': [{'id': 'fast', 'default': True},
                           {'id': 'web', 'read-only': True}]},
                self.rules.info(self.context))
        self.assert_calls([case.METHODS, case.STORES] * 2)
        self.assertEqual(['fast'], self.rules.stores(self.context))

    def test_a_glance_without_stores_or_imports_has_empty_info(self):
        self.glance.answers(case.GLANCE33('show_404'),
                            case.GLANCE33('show_404'))
        self.assertEqual({'methods': [], 'stores': []},
                         self.rules.info(self.context))


class TestDenied(RulesTestCase):
    """A policy of Glance denies a page to some callers."""

    def setUp(self):
        super(TestDenied, self).setUp()
        self.denied = self.context
        self.allowed = base.Context(auth_token='of-another')

    def _ask(self, context, check, *args):
        getattr(self.rules, check)(context, *args)

    def test_stores_are_not_hidden_from_other_callers(self):
        self.glance.answers(case.GLANCE33('create_403'),
                            case.IMPORTS('info_stores'))
        self.assertEqual([], self.rules.stores(self.denied))
        for _ in range(2):
            self.assertEqual(['fast'], self.rules.stores(self.allowed))
            self.assertEqual([], self.rules.stores(self.denied))
        self.assert_calls([case.STORES] * 2)

    def test_methods_are_not_hidden_from_other_callers(self):
        self.glance.answers(*[case.GLANCE33('create_403')] * 2)
        self.rules.info(self.denied)
        self.glance.answers(case.IMPORTS('info_import'))
        for _ in range(2):
            self._ask(self.allowed, 'check_method', 'web-download')
        self.assertEqual(3, len(self.glance.calls))

    def test_limits_are_not_ignored_for_other_callers(self):
        usage = dict.fromkeys(('image_size_total', 'image_stage_total'),
                              {'limit': 20, 'usage': 10})
        self.glance.answers(case.GLANCE33('create_403'), case.IMPORTS(
            'info_usage').saying({'usage': usage}))
        for _ in range(2):
            self._ask(self.denied, 'check_size', MIB)
        self.assertRaises(exception.ImageQuotaExceeded, self._ask,
                          self.allowed, 'check_size', 11 * MIB)
        self.assertEqual(2, len(self.glance.calls))


class TestMethod(RulesTestCase):
    """check_method()."""

    def test_methods_are_requested_once(self):
        self.glance.answers(case.IMPORTS('info_import'))
        for name in ('glance-direct', 'web-download'):
            self._check('method', name)
        self.assert_calls([case.METHODS])

    def test_the_answer_to_a_create_names_the_methods(self):
        self.glance.answers(case.CREATED)
        self.service.create(self.context, case.META)
        self._check('method', 'copy-image')
        self.assert_calls([case.CREATE])

    def test_methods_are_requested_again_before_a_refusal(self):
        self.know(['copy-image'])
        self.glance.answers(case.IMPORTS('info_import'))
        self._check('method', 'web-download')
        self.glance.answers(case.IMPORTS('info_import'))
        self._refused(exception.ImageImportImpossible, 'glance-direct, web',
                      'method', 'glance-download')
        self.assert_calls([case.METHODS] * 2)

    def test_methods_are_requested_again_after_a_while(self):
        self.know()
        self.elapsed += knowledge.MAX_AGE + 1
        self.glance.answers(case.IMPORTS('info_import'))
        self._check('method', 'web-download')
        self.assert_calls([case.METHODS])


class TestStores(RulesTestCase):
    """check_stores()."""

    def test_no_request_is_made_without_stores(self):
        self._check('stores', [])
        self.assert_calls([])

    def test_missing_and_read_only_stores_are_refused(self):
        self.know()
        self._check('stores', ['fast', 'slow'])
        for names in (['fast', 'none'], ['web']):
            self.glance.answers(case.IMPORTS('info_stores'))
            self._refused(exception.ImageImportImpossible, 'stores are fast',
                          'stores', names)
        self.glance.answers(case.GLANCE33('show_404'))
        self._refused(exception.ImageImportImpossible, 'stores are none',
                      'stores', ['none'])


class TestFormats(RulesTestCase):
    """check_formats()."""

    def test_missing_and_unknown_formats_are_refused(self):
        self.know()
        good = {'disk_format': 'raw', 'container_format': 'bare'}
        self._check('formats', good)
        self._refused(exception.ImageBadRequest, 'has no disk_format',
                      'formats', {'container_format': 'bare'})
        self.glance.answers(case.GLANCE33('schema'))
        self._refused(exception.ImageBadRequest, 'the container_format odd',
                      'formats', dict(good, container_format='odd'))

    def test_formats_of_an_existing_image_are_not_checked(self):
        self._check('formats', {'disk_format': 'x', 'container_format': 'y',
                                'status': 'queued'})
        self.assert_calls([])

    def test_an_empty_schema_allows_all_formats(self):
        self.glance.answers(recordings.Answer(content=b'{}'))
        self._check('formats', {'disk_format': 'x', 'container_format': 'y'})


class TestSize(RulesTestCase):
    """check_size()."""

    def _usage(self, **limits):
        return case.IMPORTS('info_usage').saying({'usage': {
            name: {'usage': 10, 'limit': limit}
            for name, limit in limits.items()}})

    def test_the_absence_of_limits_is_requested_once(self):
        self.glance.answers(case.IMPORTS('info_usage'))
        for size in (1, 10 ** 15, None):
            self._check('size', size)
        self.assert_calls([case.USAGE])

    def test_limits_are_requested_each_time(self):
        for _ in range(2):
            self.glance.answers(self._usage(image_size_total=20))
            self._check('size', 10 * MIB)
        self.assert_calls([case.USAGE] * 2)

    def test_a_size_beyond_a_limit_is_refused(self):
        for limits in ({'image_size_total': 20, 'image_stage_total': -1},
                       {'image_size_total': 99, 'image_stage_total': 20}):
            self.glance.answers(self._usage(**limits))
            self._refused(exception.ImageQuotaExceeded, '11 MiB more',
                          'size', 11 * MIB)
