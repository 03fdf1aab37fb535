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

"""The ends of a replication, as the commands choose them."""

import six

from nova_image.tests.unit.cmd import case

if six.PY3:
    from nova_image.cmd import errors
    from nova_image.cmd import session


class Cloud(object):
    """Stands in for nova_image.cmd.session.ReplicaCloud."""

    def __init__(self, url):
        self.url = url


class TestSameGlance(case.TestCase):
    """A Glance is not replicated to itself."""

    def refused(self, source, *targets):
        """Return whether these URLs are refused."""
        try:
            session.refuse_same(Cloud(source), [Cloud(url)
                                                for url in targets])
        except errors.Usage as error:
            self.assertIn('the same Glance', str(error))
            return True
        return False

    def test_urls_of_one_glance(self):
        for one, other in (
                ('http://a:9292', 'http://a:9292/'),
                ('http://a:9292/v1', 'http://a:9292/v2.1/'),
                ('http://A/image', 'http://a.:80/image/v2'),
                ('https://a/', 'https://a:443'),
                ('http://127.0.0.1:1', 'http://localhost:1'),
                ('http://[::1]:1', 'http://localhost:1')):
            self.assertTrue(self.refused(one, other), (one, other))
            self.assertTrue(self.refused(other, 'http://b', one))
            self.assertTrue(self.refused('http://b', other, one))

    def test_urls_of_several_glances(self):
        for one, other in (
                ('http://a:9292', 'http://a:9293'), ('http://a', 'https://a'),
                ('http://a/one', 'http://a/two'), ('http://a', 'http://b'),
                ('', ''), ('', 'http://a')):
            self.assertFalse(self.refused(one, other), (one, other))
