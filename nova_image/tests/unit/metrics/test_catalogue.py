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

"""Tests of nova_image.metrics.catalogue and nova_image.metrics.calls."""

import re

import testtools

from nova_image.image import messages
from nova_image.metrics import calls
from nova_image.metrics import catalogue

_UNITS = {'requests': '_total', 'failures': '_total', 'transfers': '_total',
          'resumes': '_total', 'verifications': '_total',
          'imports': '_total', 'images': '_total', 'bytes': '_bytes_total',
          'seconds': '_seconds'}


class TestCatalogue(testtools.TestCase):
    """The names and labels follow the conventions of Prometheus."""

    def test_names(self):
        names = [metric.name for metric in catalogue.ALL]
        self.assertEqual(len(names), len(set(names)))
        for metric in catalogue.ALL:
            self.assertTrue(re.match('nova_image_[a-z_]+$', metric.name))
            self.assertEqual(metric.kind == 'counter',
                             metric.name.endswith('_total'), metric.name)
            self.assertTrue(metric.name.endswith(
                _UNITS.get(metric.unit, '')), metric.name)
            self.assertTrue(metric.help.endswith('.'), metric.name)

    def test_all_histograms_have_buckets(self):
        self.assertEqual(
            {metric.name for metric in catalogue.ALL
             if metric.kind == 'histogram'}, set(catalogue.BUCKETS))

    def test_no_label_is_an_image_or_a_user(self):
        labels = {label for metric in catalogue.ALL
                  for label in metric.labels}
        self.assertEqual(
            {'call', 'status', 'endpoint', 'direction', 'source', 'result',
             'check', 'method', 'version', 'driver', 'service'}, labels)

    def test_what_exists_from_the_start(self):
        for metric, labels in catalogue.ZEROS:
            self.assertEqual(len(metric.labels), len(labels), metric.name)
            if 'call' in metric.labels:
                self.assertEqual('call', metric.labels[0])
                self.assertIn(labels[0], calls.ALL)
        self.assertEqual(len(catalogue.ZEROS), len(set(catalogue.ZEROS)))


class TestCalls(testtools.TestCase):
    """The calls of both Images APIs."""

    def test_calls(self):
        body = object()
        for method, path, options, call in (
                ('GET', '/v2/images', {}, 'list'),
                ('GET', '/v2/images', {'query': [('limit', 2)]}, 'list'),
                ('GET', '/v2/images?marker=x', {}, 'list'),
                ('GET', '/v1/images/detail', {}, 'list'),
                ('POST', '/v2/images', {}, 'create'),
                ('GET', '/v2/images/ID', {}, 'show'),
                ('HEAD', '/v1/images/ID', {}, 'show'),
                ('GET', '/v1/images/ID', {'stream': True}, 'download'),
                ('GET', '/v2/images/ID/file', {'stream': True}, 'download'),
                ('PUT', '/v1/images/ID', {'body': body}, 'upload'),
                ('PUT', '/v1/images/ID', {}, 'update'),
                ('PATCH', '/v2/images/ID', {}, 'update'),
                ('DELETE', '/v2/images/ID', {}, 'delete'),
                ('PUT', '/v2/images/ID/file', {'body': body}, 'upload'),
                ('PUT', '/v2/images/ID/stage', {'body': body}, 'stage'),
                ('POST', '/v2/images/ID/import', {}, 'import'),
                ('GET', '/v2/images/ID/tasks', {}, 'list_tasks'),
                ('GET', '/v2/images/ID/locations', {}, 'list_locations'),
                ('POST', '/v2/images/ID/locations', {}, 'add_location'),
                ('GET', '/v2/images/ID/members', {}, 'list_members'),
                ('POST', '/v2/images/ID/members', {}, 'add_member'),
                ('PUT', '/v1/images/ID/members/P', {}, 'update_member'),
                ('DELETE', '/v2/images/ID/members/P', {}, 'remove_member'),
                ('PUT', '/v2/images/ID/tags/t', {}, 'add_tag'),
                ('DELETE', '/v2/images/ID/tags/t', {}, 'remove_tag'),
                ('POST', '/v2/images/ID/actions/deactivate', {},
                 'deactivate'),
                ('GET', '/v2/info/import', {}, 'import_info'),
                ('GET', '/v2/info/stores', {}, 'stores_info'),
                ('GET', '/v2/schemas/image', {}, 'show_schema'),
                ('DELETE', '/v2/stores/fast/ID', {}, 'delete_from_store'),
                ('GET', '/versions', {}, 'versions'),
                ('GET', '/', {}, 'other'),
                ('GET', '/v2/info', {}, 'other'),
                ('GET', '/v2/images/ID/a/b/c', {}, 'other'),
                ('BREW', '/v2/images/ID', {}, 'other')):
            request = messages.Request(method, path, 'do', **options)
            self.assertEqual(call, calls.call_of(request),
                             '%s %s' % (method, path))
            self.assertIn(call, calls.ALL)
