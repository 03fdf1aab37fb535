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

"""What the tests of replication have in common."""

import six
import testtools

if six.PY3:
    from nova_image.replication import ends
    from nova_image.replication import record
    from nova_image.replication import rules


class TestCase(testtools.TestCase):
    """A test of a module that Python 2.7 cannot parse."""

    def setUp(self):
        super(TestCase, self).setUp()
        if six.PY2:
            self.skipTest('replication requires Python 3.9')


def image(**fields):
    """Return the Record of an active image, with some fields."""
    return record.Record(**dict({
        'id': 'A', 'status': 'active', 'name': 'disk', 'owner': 'me',
        'disk_format': 'raw', 'container_format': 'bare', 'size': 5,
        'hashes': {'md5': 'aa', 'sha512': 'bb'}}, **fields))


def replica(source, **fields):
    """Return the record of a replica of an image."""
    properties = dict(source.properties, **{record.MARKER: source.id})
    return source.but(**dict({'properties': properties}, **fields))


def anything_fits(wanted):
    """Return what an end can hold that can hold everything."""
    return ends.Fit(wanted)


def make_rules(**options):
    """Return Rules for a target that can hold everything."""
    return rules.Rules(**dict({'fit': anything_fits}, **options))
