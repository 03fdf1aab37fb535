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


"""Listing images, with every driver."""

import copy
import datetime
import typing

from nova_image import exception
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case


class Detail(case.DriverCase):
    """ImageDriver.detail()."""

    def _create_three(self) -> None:
        """Create three images that differ in every attribute of a filter."""
        self.alpha = self.make(
            b'abc', name='alpha', min_ram=64, min_disk=1, properties={
                'os_type': 'linux', 'auto_disk_config': True,
                'word': 'two words & 50%+'})
        self.beta = self.make(name='beta', disk_format='qcow2',
                              container_format='ovf')
        self.gamma = self.make(b'0123456789', name='gamma', protected=True,
                               properties={'os_type': 'windows'})

    def assertFilters(self, expected: str, **filters: typing.Any) -> None:
        """Check which images match the filters.

        :param expected: their names, separated by blanks
        """
        before = copy.deepcopy(filters)
        self.assertEqual(expected.split(), self.names(filters=filters),
                         filters)
        self.assertEqual(before, filters)

    def test_detail_without_matches(self) -> None:
        for kwargs in ({}, {'filters': None}, {'filters': {}},
                       {'filters': {'name': 'nothing'}}):
            self.assertEqual([], self.driver.detail(self.ctx, **kwargs))

    def test_detail_returns_the_same_images_as_show(self) -> None:
        self._create_three()
        listed = self.driver.detail(self.ctx)
        self.assertEqual(3, len(listed))
        for image in listed:
            self.assertShape(image)
            self.assertEqual(
                self.driver.show(self.ctx, image['id']), image)

    def test_plain_filters(self) -> None:
        self._create_three()
        for expected, filters in (
                ('alpha beta gamma', {}),
                ('alpha', {'name': 'alpha'}),
                ('', {'name': 'alph'}),
                ('alpha gamma', {'status': 'active'}),
                ('beta', {'status': 'queued'}),
                ('', {'status': 'deleted'}),
                ('beta', {'disk_format': 'qcow2'}),
                ('alpha gamma', {'container_format': 'bare'}),
                ('', {'name': 'alpha', 'disk_format': 'qcow2'}),
                ('gamma', {'protected': True}),
                ('gamma', {'protected': 'True'}),
                ('alpha beta', {'protected': False}),
                ('alpha beta', {'protected': '0'}),
                ('alpha beta gamma', {'owner': self.project}),
                ('', {'owner': base.new_id()}),
                ('beta', {'id': self.beta['id']}),
                ('', {'id': base.new_id()}),
                ('gamma', {'checksum': self.gamma['checksum']})):
            self.assertFilters(expected, **filters)

    def test_filter_by_a_name_with_a_colon(self) -> None:
        for name in ('alpha', 'beta', 'ubuntu:22.04', 'in:alpha,beta'):
            self.make(name=name)
        for name in ('ubuntu:22.04', 'in:alpha,beta'):
            self.assertFilters(name, name=name)

    def test_number_filters(self) -> None:
        self._create_three()
        for expected, filters in (
                ('gamma', {'size_min': 4}),
                ('alpha gamma', {'size_min': '3'}),
                ('alpha', {'size_min': 1, 'size_max': 9}),
                ('', {'size_min': 11}),
                ('alpha', {'min_ram': 64}),
                ('alpha', {'min_ram': '64', 'min_disk': 1}),
                ('beta gamma', {'min_disk': 0})):
            self.assertFilters(expected, **filters)

    def test_property_filters(self) -> None:
        self._create_three()
        for expected, filters in (
                ('alpha', {'property-os_type': 'linux'}),
                ('alpha', {'os_type': 'linux'}),
                ('gamma', {'property-os_type': 'windows',
                           'status': 'active'}),
                ('', {'property-os_type': 'lin'}),
                ('', {'property-s_type': 'linux'}),
                ('', {'no_such_thing': '1'}),
                ('alpha', {'property-auto_disk_config': 'True'}),
                ('alpha', {'property-auto_disk_config': True}),
                ('alpha', {'word': 'two words & 50%+'}),
                # v2 reserves these names, so no property can have them.
                ('', {'property-owner': self.project}),
                ('', {'property-status': 'active'})):
            self.assertFilters(expected, **filters)

    def test_filter_by_unicode(self) -> None:
        self.make(name=case.UNICODE, properties={'word': case.UNICODE})
        self.make(name='other')
        self.driver = self.make_driver(num_retries=0)
        for name in ('name', 'property-word'):
            filters = {name: case.UNICODE}
            if self.filters_by_unicode:
                self.assertEqual([case.UNICODE], self.names(filters=filters))
            else:
                self.assertRaises(exception.GlanceServerError, self.names,
                                  filters=filters)

    def _create_public_and_others(self) -> None:
        self.make(name='mine')
        self.make(name='public', ctx=self.root, is_public=True)
        self.make(name='shared')
        shared, = self.raw.images(name='shared')
        self.raw.patch(shared['id'], {
            'op': 'replace', 'path': '/visibility', 'value': 'shared'})
        other = self.make_context(base.new_id())
        self.make(name='theirs', ctx=other)

    def test_filter_by_is_public(self) -> None:
        self._create_public_and_others()
        everything = ['mine', 'public', 'shared']
        for expected, values in (
                (everything, (None, 'none', 'None')),
                (['public'], (True, 'True', 'true', '1', 't')),
                (['mine', 'shared'], (False, 'False', 'false', '0'))):
            for value in values:
                self.assertFilters(' '.join(expected), is_public=value)
        self.assertEqual(everything, self.names())

    def test_administrators_see_all_projects(self) -> None:
        self._create_public_and_others()
        self.assertEqual(['mine', 'public', 'shared', 'theirs'],
                         self.names(self.root))
        self.assertEqual(['mine', 'shared', 'theirs'], self.names(
            self.root, filters={'is_public': False}))
        stranger = self.make_context(base.new_id())
        self.assertEqual(['public'], self.names(stranger))

    def test_filter_by_tags_and_visibility(self) -> None:
        self.raw.create(name='tagged', tags=['a', 'b'], owner=self.project)
        self.make(name='plain', is_public=False)
        if not self.filters_by_tag_and_visibility:
            for name in ('tag', 'visibility'):
                error = self.assertRaises(
                    exception.ImageActionNotSupported, self.names,
                    filters={name: 'a'})
                self.assertIn('v1', str(error))
            return
        self.assertFilters('tagged', tag='a')
        self.assertFilters('tagged', tag=['a', 'b'])
        self.assertFilters('', tag=['a', 'c'])
        self.assertFilters('plain', visibility='private')
        self.assertFilters('tagged', visibility='shared')

    def test_changes_since(self) -> None:
        image = self.make(name='old')
        gone = self.make(name='gone')
        self.driver.delete(self.ctx, gone['id'])
        hour = datetime.timedelta(hours=1)
        before, after = image['created_at'] - hour, image['created_at'] + hour
        expected = 'gone old' if self.lists_deleted_since else 'old'
        for value in (before, before.isoformat(),
                      before.strftime('%Y-%m-%dT%H:%M:%S'),
                      before.strftime('%Y-%m-%dT%H:%M:%SZ')):
            # Other tests may have left deleted public images.
            self.assertFilters(expected, **{'changes-since': value,
                                            'owner': self.project})
        self.assertFilters('', **{'changes-since': after})
        listed = self.driver.detail(
            self.ctx, filters={'changes-since': before, 'name': 'gone'})
        for image in listed:
            self.assertShape(image)
            self.assertEqual((True, 'deleted'),
                             (image['deleted'], image['status']))

    def _create_five(self) -> list[str]:
        for name in 'bdaec':
            self.make(name=name, data=b'x' * (ord(name) - ord('a') + 1))
        return sorted('abcde')

    def test_sorting(self) -> None:
        five = self._create_five()
        for key in ('name', 'size'):
            for value in (key, [key]):
                self.assertEqual(five, self.names(
                    sort_key=value, sort_dir='asc'))
            self.assertEqual(five[::-1], self.names(
                sort_key=key, sort_dir='desc'))
        several = {'sort_key': ['disk_format', 'name'],
                   'sort_dir': ['asc', 'asc']}
        if self.sorts_by_several_keys:
            self.assertEqual(five, self.names(**several))
        else:
            self.assertRaises(exception.ImageActionNotSupported,
                              self.names, **several)

    def test_pages_limit_and_marker(self) -> None:
        five = self._create_five()
        order = {'sort_key': 'name', 'sort_dir': 'asc'}
        marker = {image['name']: image['id'] for image in
                  self.driver.detail(self.ctx)}
        for kwargs, expected in (
                ({'page_size': 1}, five), ({'page_size': 2}, five),
                ({'page_size': '5'}, five), ({'page_size': 500}, five),
                ({'limit': 1}, five[:1]), ({'limit': '3'}, five[:3]),
                ({'limit': 0}, five), ({'limit': None}, five),
                ({'limit': 9}, five), ({'limit': 3, 'page_size': 2},
                                       five[:3]),
                ({'marker': marker['b']}, five[2:]),
                ({'marker': marker['b'], 'limit': 2}, five[2:4]),
                ({'marker': marker['b'], 'page_size': 1}, five[2:]),
                ({'marker': marker['e']}, [])):
            self.assertEqual(expected, self.names(**order, **kwargs), kwargs)

    def test_limit_applies_after_filters(self) -> None:
        self._create_public_and_others()
        # v2 has no filter for "not public": the driver requests pages until
        # it has enough matches.
        self.assertEqual(['mine', 'shared'], self.names(
            filters={'is_public': False}, limit=2, page_size=1))

    def test_unknown_marker(self) -> None:
        self.assertRaises(
            (exception.Invalid, exception.NotFound), self.driver.detail,
            self.ctx, marker=base.new_id())
