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

"""The driver for the Glance Images API v2.

What v2 needs several requests for is put together here; the shapes of images
are nova_image.image.v2.translation's. Facts about v2 were seen on Glance
15.0.2 and 33.0.0.
"""

import copy
import uuid

from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import client as http
from nova_image.image import download as handlers
from nova_image.image import driver
from nova_image.image.transfer import fetch
from nova_image.image.transfer import source
from nova_image.image.v2 import empty_images
from nova_image.image.v2 import imports
from nova_image.image.v2 import locations
from nova_image.image.v2 import members
from nova_image.image.v2 import translation
from nova_image.image import values

IMAGES = '/v2/images'
PATCH_TYPE = 'application/openstack-images-v2.1-json-patch'


class GlanceImageServiceV2(driver.ImageDriver):
    """Images over the Images API v2."""

    def __init__(self, client):
        super(GlanceImageServiceV2, self).__init__(client)
        self._handlers = None
        self._locations = locations.Locations(
            client, self._get, self._patch)
        self._empty = empty_images.EmptyImages(client)
        self._members = members.Members(client, _path)
        self._imports = imports.Imports(
            client, _path, self._get, self._delete_quietly)

    def detail(self, context, **kwargs):
        """List images. See ImageDriver."""
        query, wanted = translation.to_query(kwargs.get('filters') or {})
        if query is None:
            return []
        limit = translation.limit_of(kwargs)
        query += translation.page_query(kwargs, limit)
        found, may_see = [], self.client.seen_by(context)
        for images in self._pages(context, query):
            found += [image for image in images
                      if wanted(image) and may_see(image)]
            if limit and len(found) >= limit:
                return found[:limit]
        return found

    def _pages(self, context, query):
        """Yield the images of each page, in order."""
        path = IMAGES
        while path:
            page = self.client.call(context, http.Request(
                'GET', path, 'list images', query=query), _page)
            yield page['images']
            path, query = translation.next_path(page), None

    def show(self, context, image_id, include_locations=False,
             show_deleted=True):
        """Return one image. See ImageDriver; v2 knows no deleted ones."""
        raw = self._get(context, image_id)
        if include_locations:
            raw = self._locations.revealed(context, raw)
        image = translation.from_glance(raw, include_locations)
        if not self.client.seen_by(context)(image):
            raise exception.ImageNotFound(image_id=image_id, action='show')
        return image

    def _get(self, context, image_id, action='show'):
        """Return an image as v2 answers it."""
        return self.client.call(context, http.Request(
            'GET', _path(image_id), action, image_id), _image)

    def create(self, context, image_meta, data=None):
        """Create an image. See ImageDriver."""
        sent, member = _to_create(image_meta)
        body = None if data is None else source.open_source(data)
        place = locations.wanted(image_meta)
        if data is not None or place or image_meta.get('size') != 0:
            return self._create(context, sent, place, member, body)
        with self._empty.formats(context, sent):
            return self._create(context, sent, None, member,
                                source.open_source(b''))

    def _create(self, context, sent, place, member, body):
        """Create an image of what was sorted out."""
        raw = self._create_record(context, sent)
        with self._undone_on_failure(context, raw['id']):
            raw = self._complete(context, raw, place, member, body)
            return translation.from_glance(raw)

    def _create_record(self, context, sent):
        """Create the image without data, once, whatever gets lost."""
        own_id = 'id' not in sent
        sent.setdefault('id', str(uuid.uuid4()))
        request = http.Request('POST', IMAGES, 'create', sent['id'],
                               json=sent)

        def created(answer):
            self._imports.rules.learn(context, answer)
            return _image(answer)

        def find_created(error):
            if not isinstance(error, exception.ImageConflict):
                raise error
            raw = self._get(context, sent['id'], 'create')
            if translation.changes(raw, sent, purge=False):
                raise error
            return raw

        try:
            return self.client.call(context, request, created, find_created)
        except exception.GlanceConnectionFailed:
            if own_id:  # it may have been created all the same
                self._delete_quietly(context, sent['id'])
            raise

    def _complete(self, context, raw, place, member, body):
        """Add to a new image what takes a request of its own."""
        image_id = raw['id']
        if member:
            self.add_member(context, image_id, member)
        if place:  # last: undone, it takes the caller's data along
            raw = self._locations.add(context, raw, place)
        if body is not None:
            raw = self._upload(context, raw, body)
            self._check_upload(raw, body)
        return raw

    def _upload(self, context, raw, body):
        """Send an image's data and return the image, which is active then."""
        if self.client.conf.glance.import_uploads:
            return self._imports.upload(context, raw, body)
        image_id = raw['id']

        def find_uploaded(error):
            raw = self._get(context, image_id, 'upload')
            if raw['status'] == 'active' and raw['size'] == body.size:
                return
            # Until Glance has given up what broke off, it takes no other.
            error.retriable = (raw['status'] in ('queued', 'saving') and
                               error.status in (409, 410))
            raise error

        headers = {}
        if body.total is not None:
            headers['x-openstack-image-size'] = '%d' % body.total
        facts = self.client.endpoints.facts(context)
        try:
            if self.client.conf.glance.verify_uploads:
                body.hash_by(facts.get('os_hash_algo', 'sha512'))
            self.client.call(context, http.Request(
                'PUT', _path(image_id, 'file'), 'upload', image_id,
                headers=headers, body=body), settle=find_uploaded)
        finally:
            body.close()
        raw = self._get(context, image_id, 'upload')
        facts['os_hash_algo'] = raw.get('os_hash_algo') or 'sha512'
        return raw

    def _check_upload(self, raw, body):
        """Raise when an image is not what was sent."""
        if self.client.conf.glance.import_uploads:
            return  # that was checked, and it may be something else
        if raw.get('size') not in (None, body.size):
            reason = 'Glance has %s bytes of %d' % (raw['size'], body.size)
        elif body.differs_from(raw.get('os_hash_algo'),
                               raw.get('os_hash_value')):
            reason = 'the %s of what Glance has is not that of the data' % (
                raw['os_hash_algo'])
        else:
            return
        raise exception.ImageUploadFailed(
            action='upload', image_id=raw['id'], reason=reason,
            advice='The image was deleted: create another')

    def update(self, context, image_id, image_meta, data=None,
               purge_props=True):
        """Change an image. See ImageDriver."""
        body = None if data is None else source.open_source(data)
        target = translation.to_glance(image_meta)
        target.pop('id', None)
        if image_meta.get('visibility') is None and (
                target.get('visibility') == 'private'):
            target['visibility'] = translation.NOT_PUBLIC
        place = locations.wanted(image_meta)

        def changes(raw):
            return translation.changes(raw, target, purge_props)

        raw = self._get(context, image_id, 'update')
        operations = changes(raw)
        if place:
            raw = self._locations.add(context, raw, place, operations,
                                      changes)
        elif operations:
            raw = self._patch(context, image_id, operations, changes)
        if body is not None:
            raw = self._upload(context, raw, body)
            with self._undone_on_failure(context, image_id):
                self._check_upload(raw, body)
        return translation.from_glance(raw)

    def _patch(self, context, image_id, operations, changes=None):
        """Apply JSON Patch operations and return the image.

        :param changes: gives the operations that an image still needs, to
            tell whether a lost answer was a success
        """
        def find_changed(error):
            raw = self._get(context, image_id, 'update')
            if changes is None or changes(raw):
                raise error
            return raw

        return self.client.call(context, http.Request(
            'PATCH', _path(image_id), 'update', image_id, json=operations,
            content_type=PATCH_TYPE), _image, find_changed)

    def delete(self, context, image_id):
        """Delete an image. See ImageDriver."""
        def find_deleted(error):
            if isinstance(error, exception.ImageNotFound):
                return  # the attempt whose answer was lost did it
            raise error

        self.client.call(context, http.Request(
            'DELETE', _path(image_id), 'delete', image_id,
            errors={409: exception.ImageDeleteConflict}),
            settle=find_deleted)
        return True

    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None, **options):
        """Fetch an image's data. See ImageDriver."""
        raw = self._get(context, image_id, 'download')
        expected = translation.expected(raw)
        request = http.Request('GET', _path(image_id, 'file'), 'download',
                               image_id, stream=True)

        def expect(answer):
            if answer.status == 204:
                answer.close()
                raise exception.ImageUnacceptable(
                    reason='it has no data, its status is %s' % raw['status'],
                    **request.facts(answer.endpoint))
            return expected

        found = self._direct_handlers()
        if found:
            raw = self._locations.revealed(context, raw)
        return fetch.Download(
            self.client, context, request, expect, expected=expected,
            locations=translation.location_urls(raw), handlers=found,
            trusted_certs=trusted_certs, **options).run(data, dst_path)

    def _direct_handlers(self):
        """Return what gets data from the stores directly, by URL scheme."""
        if self._handlers is None:
            self._handlers = handlers.load(self.client.conf)
        return self._handlers

    def import_info(self, context):
        """Return how and to where Glance imports. See ImageDriver."""
        return self._imports.rules.info(context)

    def stage(self, context, image_id, data, progress=None):
        """Send data that are to be imported. See ImageDriver."""
        body = source.open_source(data)
        self._imports.rules.check_method(context, 'glance-direct')
        return self._imports.stage(context, image_id, body, progress)['size']

    def import_image(self, context, image_id, method, **options):
        """Have Glance get an image's data. See ImageDriver."""
        order = imports.Order(method, **options)
        raw = self._get(context, image_id, 'import')
        self._imports.check(context, order, raw)
        return self._imports.run(context, raw, order)

    def create_via_import(self, context, image_meta, method, **options):
        """Create an image and have Glance get its data. See ImageDriver."""
        order = imports.Order(method, **options)
        sent, member = _to_create(image_meta)
        self._imports.check(context, order, sent)
        raw = self._create_record(context, sent)
        with self._undone_on_failure(context, raw['id'], order.keep):
            self._complete(context, raw, None, member, None)
            result = self._imports.run(context, raw, order, made=True)
        if result is not None and result.succeeded:
            return result.image, result
        gone = result is not None and result.cleaned
        return None if gone else translation.from_glance(raw), result

    def image_import_copy(self, context, image_id, stores, **options):
        """Copy to other stores. See ImageDriver."""
        options.setdefault('wait', False)
        if options['wait']:
            return self.import_image(context, image_id, 'copy-image',
                                     stores=stores, **options)
        return self._imports.run(context, {'id': image_id}, imports.Order(
            'copy-image', stores=stores, **options))

    def members(self, context, image_id):
        """List an image's members. See ImageDriver."""
        return self._members.list(context, image_id)

    def add_member(self, context, image_id, member):
        """Give a project access. See ImageDriver."""
        return self._members.add(context, image_id, member)

    def set_member_status(self, context, image_id, member, status):
        """Accept or reject an image. See ImageDriver."""
        return self._members.set_status(context, image_id, member, status)

    def remove_member(self, context, image_id, member):
        """Take a project's access away. See ImageDriver."""
        self._members.remove(context, image_id, member)
        return True


def _to_create(image_meta):
    """Return what to send for a new image, and the member to add."""
    image_meta = copy.deepcopy(image_meta)
    member = (image_meta.get('properties') or {}).pop('instance_owner', None)
    member = member and values.project(member)
    sent = translation.to_glance(image_meta)
    if member and sent.get('visibility') != 'public':
        sent['visibility'] = 'shared'  # only then v2 takes members
    return sent, member


def _path(image_id, *rest):
    if image_id in ('', '.', '..'):
        raise exception.ImageNotFound(image_id=image_id)
    return '/'.join((IMAGES, parse.quote(
        image_id.encode('utf-8'), safe='')) + rest)


def _image(answer):
    """Return the image that an answer is; raises GlanceBadAnswer."""
    raw = answer.json()
    if not raw.get('id'):
        raise answer.bad('its JSON is no image')
    return raw


def _page(answer):
    """Return a page, its images in the callers' format.

    :raises GlanceBadAnswer: for any other answer
    """
    page = answer.json(translation.listing_reader())
    images = page.get('images')
    if not isinstance(images, list) or set(map(type, images)) - {dict} or (
            not all('is_public' in image for image in images)):
        raise answer.bad('its JSON is no list of images')
    return page
