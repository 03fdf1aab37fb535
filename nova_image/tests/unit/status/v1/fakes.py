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

"""A driver with images in memory, for the tests of rehearsals."""

from oslo_utils import timeutils
import six

from nova_image import exception

if six.PY3:
    from nova_image.status.v1 import differences
    from nova_image.status.v1 import listings

OLD = timeutils.parse_isotime('2020-01-01T00:00:00Z')


def image(image_id, **fields):
    """Return an image as a driver returns it."""
    return dict(dict.fromkeys(differences.FIELDS), **dict(
        {'id': image_id, 'created_at': OLD, 'updated_at': OLD,
         'properties': {}}, **fields))


def server_error(status=500):
    """Return the error for an answer of a server."""
    return exception.GlanceServerError(status=status, reason='it is broken')


class FakeDriver(object):
    """A driver.

    :ivar images: the images, in the order of a listing
    :ivar broken: IDs of images that break a page, and cannot be shown
    :ivar unlisted: IDs of images that are shown, but not listed
    :ivar members_of: ID -> the members of the image
    :ivar calls: the calls so far
    :ivar before: called before each page, with its number
    """

    def __init__(self, *images):
        """Make a driver with some images."""
        self.images = list(images)
        self.broken = set()
        self.unlisted = set()
        self.members_of = {}
        self.calls = []
        self.error = server_error()
        self.before = lambda page: None

    def detail(self, context, marker=None, limit=0, **options):
        """Return a page."""
        self.calls.append('detail')
        self.before(self.calls.count('detail'))
        ids = [one['id'] for one in self.images]
        if marker is not None and marker not in ids:
            raise exception.Invalid(status=400, reason='no such marker')
        begin = ids.index(marker) + 1 if marker else 0
        page = [one for one in self.images[begin:]
                if one['id'] not in self.unlisted][:limit]
        if self.broken.intersection(one['id'] for one in page):
            raise self.error
        return page

    def show(self, context, image_id):
        """Return an image."""
        self.calls.append('show')
        if image_id in self.broken:
            raise self.error
        for one in self.images:
            if one['id'] == image_id:
                return one
        raise exception.ImageNotFound(image_id=image_id)

    def members(self, context, image_id
                ):
        """Return members."""
        self.calls.append('members')
        return self.members_of.get(image_id, [])


def apis(first, second
         ):
    """Return the two APIs of two drivers."""
    def api(name, driver):
        return listings.Api(name, driver, None, retries=1, max_wait=0.001)

    return api('v1', first), api('v2', second)
