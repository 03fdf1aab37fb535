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

"""What the tests of the end for v2 have in common."""

import six

from nova_image.tests.unit import base
from nova_image.tests.unit import recordings
from nova_image.tests.unit.replication import case

if six.PY3:
    from nova_image.replication import ends

GLANCE15 = recordings.load('v2_glance15')
GLANCE33 = recordings.load('v2_glance33')
OLD = GLANCE15('schema_200')
NEW = recordings.load('v2_locations33')('schema_200')
ACTIVE, QUEUED, SHARED = (recordings.ACTIVE, recordings.QUEUED,
                          recordings.SHARED)
ABSENT = recordings.Answer(404)
BAD = recordings.Answer(400)
CONFLICT = recordings.Answer(409)
LOCKED = recordings.Answer(500)
NO_CONTENT = recordings.Answer(204)
OK = recordings.Answer(200)
DATA = b'abcdef'
SCHEMA = ('GET', '/v2/schemas/image')
IMAGES = '/v2/images'
MEMBERS = '%s/%s/members' % (IMAGES, SHARED)


def path(image_id, *rest):
    """Return the path of an image."""
    return '/'.join((IMAGES, image_id) + rest)


def page(*names, **changes):
    """Return a page of a listing, of images with these IDs."""
    raw = GLANCE33('show_queued').json
    return GLANCE33('list_none').saying({
        'images': [dict(raw, id=name, **changes) for name in names]})


def created(call):
    """Answer a POST as Glance does: with what was sent, and more."""
    sent = recordings.Answer(content=call.body).json
    return GLANCE33('show_queued').saying(dict(
        {name: value for name, value in GLANCE33('show_queued').json.items()
         if name not in ('description',)}, **sent)).changed(status=201)


def member(name, status='pending'):
    """Return the JSON of a member."""
    return {'member_id': name, 'status': status, 'image_id': SHARED}


class EndTestCase(case.TestCase, base.TestCase):
    """Base class: ``end`` is the end."""

    def setUp(self):
        super(EndTestCase, self).setUp()
        self.context.is_admin = True
        self.end = ends.load(self.conf, self.context,
                             sleep=self.waits.append)

    def assert_asks(self, expected, method, *args):
        """Assert the requests of a call since the last; return its result."""
        del self.glance.calls[:]
        found = getattr(self.end, method)(*args)
        if method == 'images':
            found = list(found)
        self.assert_calls(expected)
        return found

    def assert_raises(self, kind, expected, method, *args):
        """Assert the requests of a call that raises; return the error."""
        del self.glance.calls[:]
        error = self.assertRaises(kind, getattr(self.end, method), *args)
        self.assert_calls(expected)
        return error
