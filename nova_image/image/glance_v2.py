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

Combines the requests of nova_image.image.v2 into what callers ask for. Facts
about v2 were seen on Glance 15.0.2 and 33.0.0.
"""

import copy
import uuid

from nova_image import exception
from nova_image.image import data_requests
from nova_image.image import download as handlers
from nova_image.image import driver
from nova_image.image import listing
from nova_image.image import messages
from nova_image.image import tenancy
from nova_image.image.transfer import fetch
from nova_image.image.transfer import source
from nova_image.image import undo
from nova_image.image.v2 import attributes
from nova_image.image.v2 import empty_images
from nova_image.image.v2 import import_order
from nova_image.image.v2 import import_status
from nova_image.image.v2 import imports
from nova_image.image.v2 import locations
from nova_image.image.v2 import members
from nova_image.image.v2 import patches
from nova_image.image.v2 import queries
from nova_image.image.v2 import records
from nova_image.image.v2 import removals
from nova_image.image.v2 import translation
from nova_image.image.v2 import uploads
from nova_image.image import values


class GlanceImageServiceV2(driver.ImageDriver):
    """Images over the Images API v2."""

    def __init__(self, client):
        super(GlanceImageServiceV2, self).__init__(client)
        self._handlers = None
        self._images = records.Records(client)
        self._uploads = uploads.Uploads(client, self._images)
        self._locations = locations.Locations(client, self._images)
        self._empty = empty_images.EmptyImages(client)
        self._members = members.Members(client, self._images)
        self._imports = imports.Imports(client, self._images, self._uploads)
        self._removals = removals.Removals(client, self._images,
                                           self._locations)
        self._statuses = import_status.Statuses(client, self._images)
        self._attributes = attributes.Attributes(client, self._images)

    def detail(self, context, **kwargs):
        """List images. See ImageDriver."""
        query, matches = queries.to_query(kwargs.get('filters') or {})
        if query is None:
            return []
        limit, size = queries.limit_of(kwargs), queries.size_of(kwargs)
        asked, may_see = queries.order_of(kwargs), self.client.seen_by(context)

        def pages(order, marker, size):
            return self._images.pages(context, query + queries.page_query({
                'marker': marker, 'sort_key': order.keys,
                'sort_dir': order.directions, 'page_size': size}, limit=None),
                'size' in asked.keys, bool(kwargs.get('all_fields')))

        def show(image_id):
            raw = self._images.get(context, image_id, 'list images')
            return translation.from_glance(raw), raw.get('size') is None

        return listing.Listing(asked, size, pages, show).images(
            (matches, may_see), kwargs.get('marker'), limit)

    def show(self, context, image_id, include_locations=False,
             show_deleted=True, all_fields=False):
        """Return one image. See ImageDriver; v2 shows no deleted images."""
        raw = self._images.get(context, image_id)
        if include_locations:
            raw = self._locations.revealed(context, raw)
        image = translation.from_glance(raw, include_locations, all_fields)
        if not self.client.seen_by(context)(image):
            raise exception.ImageNotFound(image_id=image_id, action='show')
        return image

    def create(self, context, image_meta, data=None, id_is_new=False,
               all_fields=False):
        """Create an image. See ImageDriver."""
        return translation.from_glance(
            self._created(context, image_meta, data, id_is_new),
            all_fields=all_fields)

    def _created(self, context, image_meta, data, id_is_new):
        values.one_source(image_meta, data)
        self.client.check_owner(context)
        image, member = _to_create(image_meta)
        body = None if data is None else source.open_source(data)
        location = locations.from_meta(image_meta)
        if data is not None or location or image_meta.get('size') != 0:
            return self._create(context, image, id_is_new, location, member,
                                body)
        with self._empty.formats(context, image):
            return self._create(context, image, id_is_new, None, member,
                                source.open_source(b''))

    def _create(self, context, image, id_is_new, location, member, body):
        own = id_is_new or 'id' not in image
        raw = self._create_record(context, image, own)
        with self._undone_on_failure(context, raw['id']) as undone:
            if member:
                self._members.add(context, raw['id'], member, made=True)
            if location:
                raw = self._locate(context, raw, location, undone)
            if body is not None:
                raw, answered = self._upload(context, raw, body, True, own)
                self._check_upload(raw, body, answered, own)
            return raw

    def _locate(self, context, raw, location, undone):
        """Give a new image its location, after which it is not deleted.

        A delete would also delete the caller's data in the store.
        """
        undone.leave('the data at its location belongs to the caller')
        try:
            return self._locations.add(context, raw, location)
        except exception.NovaImageException as error:
            if not error.left:  # the image does not have the location
                undone.leave(None)
            raise

    def _create_record(self, context, image, own_id):
        """Create an image without data exactly once, and return it."""
        image.setdefault('id', str(uuid.uuid4()))
        with self._undone_if_lost(context, image['id'], own_id):
            try:
                return self._images.create(
                    context, image, own_id,
                    lambda answer: self._imports.rules.learn(context, answer))
            except exception.ImageBadRequest as error:
                # Glance 15 takes it for a property that is not text.
                if image.get('os_hidden') and 'os_hidden' in error.reason:
                    raise patches.nothing_hidden('create', image['id'])
                raise

    def _upload(self, context, raw, body, made=False, own=False):
        """Send an image's data.

        :param made: whether this very call has created the image
        :param own: whether nobody else can know the image's ID
        :returns: the image, which is active, and whether it is certain that
            it has the data of this call
        """
        if self.client.conf.glance.import_uploads:
            return self._imports.upload(context, raw, body, made, own), True
        return self._uploads.upload(context, raw['id'], body, made)

    def _check_upload(self, raw, body, answered, own=False):
        """Raise if an image does not have the data that was sent.

        An import has checked its data already, and may have changed it.
        """
        if not self.client.conf.glance.import_uploads:
            self._uploads.check(raw, body, answered, own)

    def update(self, context, image_id, image_meta, data=None,
               purge_props=True, all_fields=False, add_tags=()):
        """Change an image. See ImageDriver."""
        return translation.from_glance(
            self._updated(context, image_id, image_meta, data, purge_props,
                          add_tags), all_fields=all_fields)

    def _updated(self, context, image_id, image_meta, data, purge_props,
                 add_tags):
        values.one_source(image_meta, data)
        body = None if data is None else source.open_source(data)
        target = patches.target_of(image_meta)
        unset = patches.unset_names(image_meta)
        location = locations.from_meta(image_meta)
        whole = 'tags' in target or not attributes.fit_in_paths(add_tags)

        def changes(raw):
            wanted = target
            if whole and add_tags:
                wanted = dict(target, tags=patches.tags_after(
                    {'tags': target.get('tags', raw.get('tags'))}, add_tags))
            return patches.changes(raw, wanted, purge_props, unset)

        raw = self._images.get(context, image_id, 'update')
        if body is not None:
            self._require_queued(image_id, raw['status'])
        operations = changes(raw)
        tags = [] if whole else [
            tag for tag in patches.tags_after(raw, add_tags)
            if tag not in (raw.get('tags') or ())]
        if location:
            raw = self._locations.add(context, raw, location, operations,
                                      changes)
        elif operations:
            raw = self._images.patch(context, image_id, operations, changes)
        if tags:
            raw = self._attributes.add_tags(context, image_id, tags,
                                            operations)
        with undo.Steps('image %s with its location' % image_id if location
                        else records.changed(image_id, operations, tags)):
            if body is not None:
                raw, answered = self._upload(context, raw, body)
                with undo.Steps('image %s, with this data' % image_id):
                    self._check_upload(raw, body, answered)
            return raw

    def unset(self, context, image_id, properties=(), tags=(),
              all_fields=False):
        """Remove properties and tags. See ImageDriver."""
        return translation.from_glance(self._attributes.unset(
            context, image_id, properties, tags), all_fields=all_fields)

    def deactivate(self, context, image_id):
        """Make an image's data unavailable. See ImageDriver."""
        self._attributes.switch(context, image_id, 'deactivate')
        return True

    def reactivate(self, context, image_id):
        """Make an image's data available again. See ImageDriver."""
        self._attributes.switch(context, image_id, 'reactivate')
        return True

    def delete(self, context, image_id):
        """Delete an image. See ImageDriver."""
        self._images.delete(context, image_id)
        return True

    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None, **options):
        """Fetch an image's data. See ImageDriver."""
        raw = self._images.get(context, image_id, 'download')
        return self._download(context, raw, trusted_certs, options).run(
            data, dst_path)

    def fetch(self, context, image_id, data=None, dst_path=None,
              trusted_certs=None, **options):
        """Download, and return the image. See ImageDriver."""
        raw = self._images.get(context, image_id, 'download')
        self._download(context, raw, trusted_certs, options).run(
            data, dst_path)
        return translation.from_glance(raw)

    def _download(self, context, raw, trusted_certs, options):
        image_id, recorded = raw['id'], translation.record_of(raw)
        watch = tenancy.Watch(self.client, context,
                              lambda: records.facts(raw))
        request = messages.Request(
            'GET', records.path(image_id, 'file'), 'download', image_id,
            stream=True, is_checked=True, judge=watch.judge)

        def record_of(answer):
            watch.accepted()
            if answer.status == 204:
                answer.close()
                raise exception.ImageUnacceptable(
                    reason='it has no data, its status is %s' % raw['status'],
                    **request.facts(answer.endpoint))
            return recorded

        found = self._direct_handlers()
        if found:
            raw = self._locations.revealed(context, raw)
        return fetch.Download(
            self.client, context, request, record_of, recorded=recorded,
            locations=translation.location_urls(raw), handlers=found,
            trusted_certs=trusted_certs, **options)

    def data_requests(self, context, image_id, action):
        """Yield requests for the data. See ImageDriver."""
        request = uploads.data_request(image_id, action)
        if action == 'download':
            return data_requests.downloads(self.client, context, request)
        return data_requests.uploads(
            self.client, context, request, [204], messages.Request(
                'GET', records.path(image_id), action, image_id),
            field='status')

    def _direct_handlers(self):
        """Return the handlers of direct downloads by URL scheme."""
        if self._handlers is None:
            self._handlers = handlers.load(self.client.conf)
        return self._handlers

    def import_info(self, context):
        """Return the import methods and stores. See ImageDriver."""
        return self._imports.rules.info(context)

    def stage(self, context, image_id, data, progress=None):
        """Send data to be imported later. See ImageDriver."""
        return self._imports.stage(
            context, values.image_id(image_id), data, progress)['size']

    def import_image(self, context, image_id, method, **options):
        """Import an image's data. See ImageDriver."""
        order = import_order.Order(method, **options)
        raw = self._images.get(context, image_id, 'import')
        self._imports.check(context, order, raw)
        return self._imports.run(context, raw, order)

    def create_via_import(self, context, image_meta, method, id_is_new=False,
                          **options):
        """Create an image and import its data. See ImageDriver."""
        order = import_order.Order(method, **options)
        self.client.check_owner(context)
        image, member = _to_create(image_meta)
        self._imports.check(context, order, image)
        own = id_is_new or 'id' not in image
        raw = self._create_record(context, image, own)
        with self._undone_on_failure(context, raw['id'], order.keep):
            if member:
                self._members.add(context, raw['id'], member, made=True)
            result = self._imports.run(context, raw, order, True, own)
        if result is not None and result.succeeded:
            return result.image, result
        gone = result is not None and result.cleaned
        return None if gone else translation.from_glance(raw), result

    def image_import_copy(self, context, image_id, stores, **options):
        """Copy an image's data to other stores. See ImageDriver."""
        options.setdefault('wait', False)
        if options['wait'] or options.get('os_hash_value'):
            return self.import_image(context, image_id, 'copy-image',
                                     stores=stores, **options)
        return self._imports.run(
            context, {'id': values.image_id(image_id)},
            import_order.Order('copy-image', stores=stores, **options))

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
        """Revoke a project's access. See ImageDriver."""
        self._members.remove(context, image_id, member)
        return True

    def locations(self, context, image_id):
        """List the locations of an image. See ImageDriver."""
        raw = self._images.get(context, image_id, 'list the locations of')
        return self._locations.list(context, raw)

    def add_location(self, context, image_id, url, store=None, **validation):
        """Give an image a location. See ImageDriver."""
        self._require_url(image_id, url)
        location = locations.from_meta(
            dict(validation, location=url, store=store))
        raw = self._images.get(context, image_id, 'add a location to')
        return translation.from_glance(
            self._locations.add(context, raw, location))

    def remove_location(self, context, image_id, location):
        """Remove a location of an image. See ImageDriver."""
        self._removals.remove(context, image_id, location)
        return True

    def remove_from_store(self, context, image_id, store):
        """Remove an image's data from a store. See ImageDriver."""
        self._removals.remove_from_store(context, image_id, store)
        return True

    def import_status(self, context, image_id, **options):
        """Return the state of an import. See ImageDriver."""
        return self._statuses.find(context, image_id, **options)


def _to_create(image_meta):
    """Return what to send for a new image, and the member to add."""
    image_meta = copy.deepcopy(image_meta)
    member = (image_meta.get('properties') or {}).pop('instance_owner', None)
    member = member and values.project(member)
    image = translation.to_create(image_meta)
    if member and image.get('visibility') != 'public':
        image['visibility'] = 'shared'  # v2 accepts members only then
    return image, member
