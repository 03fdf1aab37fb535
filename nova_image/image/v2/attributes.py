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

"""Members in the Images API v2: the projects that an image is shared with.

A JSON Patch can only replace the whole list of tags, and so would write back
the other tags as they were read. A tag that somebody else adds in between
would be lost. Each tag therefore has a request of its own, unless its text
does not fit into a path: no Glance finds a slash there, and Glance 33 reads
UTF-8 as ISO 8859-1. Such tags are patched. Within one request, Glance itself
reads and rewrites all tags: of several requests at the same moment, it loses
some or answers 404 or 500. Seen on Glance 15.0.2 and 33.0.0.
"""

import re

import six

from nova_image import exception
from nova_image.image import messages
from nova_image.image import undo
from nova_image.image.v2 import patches
from nova_image.image.v2 import records
from nova_image.image.v2 import translation

#: a tag that is the same in a path, for servers and proxies
_FITS_IN_A_PATH = re.compile(r'^(?!\.{1,2}\Z)[A-Za-z0-9_.:=+-]{1,255}\Z')
#: the states that a change of the state accepts
_SWITCHED = ('active', 'deactivated')


def fit_in_paths(tags):
    """Return whether each of the tags can have a request of its own."""
    return all(_FITS_IN_A_PATH.match(tag) for tag in tags)


class Attributes(object):
    """Changes parts of an image, for one driver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    """

    def __init__(self, client, images):
        self._client = client
        self._images = images

    def add_tags(self, context, image_id, tags, operations):
        """Add tags that fit in paths, and return the image.

        :param operations: the JSON Patch operations before, for an error
        """
        return self._each_tag(context, image_id, 'PUT', tags, operations)

    def unset(self, context, image_id, properties, tags):
        """Remove properties and tags, and return the image.

        Without tags, this is one request: Glance removes all properties or
        none.

        :raises NotFound: if one of them does not exist
        """
        properties, tags = _once(properties), _once(tags)
        raw = None
        if tags or not all(map(translation.is_storable, properties)):
            raw = self._images.get(context, image_id, 'update')
            _check_all_there(raw, properties, tags)

        def changes(raw):
            return patches.removals(
                raw, properties, () if fit_in_paths(tags) else tags)

        operations = changes(raw or dict.fromkeys(properties))
        if operations:
            raw = self._remove(context, image_id, operations, changes,
                               properties)
        if tags and fit_in_paths(tags):
            raw = self._each_tag(context, image_id, 'DELETE', tags,
                                 operations)
        return raw

    def _remove(self, context, image_id, operations, changes, properties):
        try:
            return self._images.patch(context, image_id, operations, changes)
        except exception.ImageConflict as error:
            # Glance names only the first one that is missing.
            _check_all_there(self._images.get(context, image_id, 'update'),
                             properties, ())
            raise error

    def _each_tag(self, context, image_id, method, tags, operations):
        """Add or remove tags one by one, and return the image."""
        for number, tag in enumerate(tags):
            with undo.Steps(records.changed(image_id, operations,
                                            tags[:number])):
                self._send_tag(context, image_id, method, tag)
        with undo.Steps(records.changed(image_id, operations, tags)):
            return self._images.get(context, image_id, 'update')

    def _send_tag(self, context, image_id, method, tag):
        try:
            self._client.call(context, messages.Request(
                method, records.path(image_id, 'tags', tag), 'update',
                image_id,
                judge=self._images.watch(context, image_id, 'update').judge,
                doubt='image %s, which may have been changed' % image_id))
        except exception.GlanceStoreRefused as error:
            raw = self._images.seen_after(error, context) or {}
            done = (tag in raw.get('tags', ())) == (method == 'PUT')
            six.raise_from(records.half_done(error, records.changed(
                image_id, (), [tag])) if done else
                records.unchanged(error), error)
        except exception.NotFound:
            if method != 'DELETE':  # otherwise the tag has gone already
                raise

    def switch(self, context, image_id, action):
        """Deactivate or reactivate an image; twice is the same as once.

        :param action: ``'deactivate'`` or ``'reactivate'``
        :raises ImageConflict: if the image has no data yet
        """
        try:
            self._client.call(context, messages.Request(
                'POST', records.path(image_id, 'actions', action), action,
                image_id,
                judge=self._images.watch(context, image_id, action).judge,
                doubt='image %s, which may have been %sd' % (
                    image_id, action)))
        except exception.ImageNotAuthorized as error:
            # Glance also answers 403 if the state does not allow it.
            status = self._images.get(context, image_id, action)['status']
            if error.status != 403 or status in _SWITCHED:
                raise error
            six.raise_from(exception.ImageConflict(
                action=action, image_id=image_id, endpoint=error.endpoint,
                status=error.status, reason='the image is %s, but only an '
                'image with data can be %sd' % (status, action)), error)


def _once(names):
    """Return names in their order, without repetitions."""
    found = []
    for name in names:
        if name not in found:
            found.append(name)
    return found


def _check_all_there(raw, properties, tags):
    """Refuse to remove what an image does not have.

    :raises NotFound: if it lacks a property or a tag
    """
    image = translation.from_glance(raw, all_fields=True)
    known = image['properties']
    missing = ['property %s' % name for name in properties
               if name not in known] + [
        'tag %s' % tag for tag in tags if tag not in image['tags'] or ()]
    if missing:
        raise exception.NotFound(
            'The image has no %s' % ' and no '.join(missing),
            action='update', image_id=raw['id'],
            reason='its properties are %s, and its tags %s' % (
                ', '.join(sorted(known)) or 'none',
                ', '.join(sorted(image['tags'] or ())) or 'none'),
            advice='Nothing was changed')
