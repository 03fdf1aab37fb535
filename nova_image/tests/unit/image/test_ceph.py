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

"""Tests of nova_image.image.ceph."""

import testtools

from nova_image.image import ceph


class UrlTest(testtools.TestCase):
    """The locations of Glance's rbd store."""

    def test_urls_are_built_and_parsed(self):
        for snapshot, url in (
                (ceph.Snapshot('id', 'pool', 'image', 'snap'),
                 'rbd://id/pool/image/snap'),
                (ceph.Snapshot('id', 'a/b', 'c%d', 'e f'),
                 'rbd://id/a%2Fb/c%25d/e%20f')):
            self.assertEqual(url, ceph.url_of(snapshot))
            self.assertEqual(snapshot, ceph.parse_url(url))

    def test_other_urls_are_not_parsed(self):
        for url in ('rbd://image', 'rbd://id/pool/image', 'rbd://a/b/c/d/e',
                    'rbd://id//image/snap', 'http://id/pool/image/snap',
                    'rbd:///pool/image/snap', ''):
            self.assertIsNone(ceph.parse_url(url), url)
