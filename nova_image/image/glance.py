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

"""The driver for the Glance Images API v1, for clouds that still use it.

Only its entry point in setup.cfg, nova_image/replication/v1 and
nova_image/status/v1 name this module: to remove v1, delete all of them and the
tests. Facts about v1 were seen on Glance 15.0.2.

v1 receives metadata in HTTP headers and answers with JSON, or with headers if
one image is read. It stores property names in lower case, with ``_`` for
``-``, and every value as text.
"""

import copy
import re
import uuid

from oslo_log import log as logging
from oslo_serialization import jsonutils
from oslo_utils import strutils
import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import answers
from nova_image.image import data_requests
from nova_image.image import driver
from nova_image.image import knowledge
from nova_image.image import listing
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image.transfer import fetch
from nova_image.image.transfer import recorded
from nova_image.image.transfer import sent
from nova_image.image.transfer import source
from nova_image.image import undo
from nova_image.image import values

LOG = logging.getLogger(__name__)

IMAGES = '/v1/images'
PAGE_SIZE = 1000
#: the most bytes of a header line in Glance 15 (its default max_header_line)
MAX_HEADER = 16384

#: the longest page that Glance has returned, in images
LONGEST_PAGE = knowledge.Fact('longest page',
                              lambda value: isinstance(value, int))

_META = 'x-image-meta-'
_PROPERTY = 'x-image-meta-property-'
_PURGE = 'x-glance-registry-purge-props'
#: what may have changed if an answer was lost
_MEMBER_DOUBT = 'member %s of image %s, which may have been changed'

_FIELDS = ('id', 'name', 'status', 'size', 'min_disk', 'min_ram',
           'disk_format', 'container_format', 'checksum', 'owner',
           'is_public', 'created_at', 'updated_at', 'deleted', 'deleted_at')
_TIMES = ('created_at', 'updated_at', 'deleted_at')
_NUMBERS = ('size', 'min_disk', 'min_ram')
_BOOLS = ('is_public', 'deleted')
#: the fields that only callers see who ask for all of them; v1 has the first
#: three, the last of which is derived from is_public
_FURTHER = ('protected', 'virtual_size', 'visibility', 'tags', 'os_hidden',
            'os_hash_algo', 'os_hash_value', 'stores')
_JSON_PROPERTIES = ('block_device_mapping', 'mappings')
#: fields that are sent unchanged, and others that callers may pass
_SENT = ('id', 'name', 'disk_format', 'container_format', 'owner')
_KNOWN = frozenset(_FIELDS + (
    'location', 'locations', 'direct_url', 'properties', 'protected',
    'visibility', 'tags', 'os_hidden', 'os_hash_algo', 'os_hash_value',
    'stores'))

_PLAIN_FILTERS = ('name', 'status', 'container_format', 'disk_format')
_NUMBER_FILTERS = ('size_min', 'size_max', 'min_ram', 'min_disk')
#: filters that v1 ignores, applied here to its answers
_OWN_FILTERS = ('owner', 'id', 'checksum')

#: characters of an HTTP header's name (RFC 7230, token)
_TOKEN = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_ASCII = re.compile(u'^[\x20-\x7e]*$')
_CONTROL = re.compile(u'[\x00-\x1f\x7f]')


class GlanceImageService(driver.ImageDriver):
    """Images over the Images API v1."""

    deprecation = (
        'The Glance Images API v1 is in use ([glance] use_glance_v1 = True). '
        'It is deprecated and will be removed: let Glance serve v2 and set '
        'use_glance_v1 to False.')
    no_import = ('the Images API v1 has no import',
                 'Set [glance] use_glance_v1 to False')
    no_locations = ('the Images API v1 does not show the locations of images',
                    'Set [glance] use_glance_v1 to False')

    def detail(self, context, **kwargs):
        """List images. See ImageDriver; v1 has no tags."""
        query, matches = _to_query(kwargs.get('filters') or {})
        limit = _count('limit', kwargs) or None
        size = _count('page_size', kwargs) or PAGE_SIZE
        may_see = self.client.seen_by(context)
        read_page = _full_page if kwargs.get('all_fields') else _images_of

        def pages(order, marker, size):
            return self.pages(context, query + _sorting(order), marker, size,
                              read_page)

        def show(image_id):
            image, headers = self._headers(context, image_id, 'list images')
            return image, _META + 'size' not in headers

        return listing.Listing(_order(kwargs), size, pages, show).images(
            (matches, may_see), kwargs.get('marker'), limit)

    def pages(self, context, query, first, size, read_page):
        """Yield each listing.Page.

        v1 does not link to the next page and may return fewer images than
        requested: a page is the last one if it is empty or shorter than
        another one.

        :param first: marker of the first page, or None
        :param size: how many images to request at once
        :param read_page: returns the images in the JSON of an answer, dicts
            with an ``id``, and a list of the IDs of those without a size
        """
        progress = listing.Progress()
        known = self.client.knowledge(context)

        def read(answer):
            images, nulls = answer.read(read_page)
            longest = known.get(LONGEST_PAGE, 0)
            last = not images or len(images) < min(size, longest)
            page = progress.page(
                answer, images, None if last else images[-1]['id'],
                is_certain=len(images) >= size or progress.begun,
                nulls=nulls)
            if not last and len(images) >= longest:
                known.remember(LONGEST_PAGE, len(images))
            return page

        def ask(marker, _link):
            marker = marker or first
            return self.client.call(context, messages.Request(
                'GET', IMAGES + '/detail', 'list images',
                query=query + [('limit', size)] + (
                    [('marker', marker)] if marker else [])), read)

        return listing.walk(ask)

    def show(self, context, image_id, include_locations=False,
             show_deleted=True, all_fields=False):
        """Return one image. See ImageDriver; v1 never shows a location."""
        image = self._head(context, image_id)
        hidden = image['deleted'] and not show_deleted
        if hidden or not self.client.seen_by(context)(image):
            raise exception.ImageNotFound(image_id=image_id, action='show')
        if include_locations:
            image['locations'] = []
        return _shown(image, all_fields)

    def _head(self, context, image_id, action='show'):
        return self._headers(context, image_id, action)[0]

    def _headers(self, context, image_id, action):
        """Return an image, and the headers that it was read from."""
        image, headers = self.client.call(context, messages.Request(
            'HEAD', path(image_id), action, image_id, is_checked=True),
            lambda answer: (_in_headers(answer, image_id), answer.headers))
        self.client.check_seen(context, image_id, action, lambda: image)
        return image, headers

    def create(self, context, image_meta, data=None, id_is_new=False,
               all_fields=False):
        """Create an image. See ImageDriver.

        Data is sent in a second request: if a single one failed, nobody could
        know whether an image with this ID was there before.
        """
        if all_fields:
            _refuse_fields(image_meta)
        return _shown(self._created(context, image_meta, data, id_is_new),
                      all_fields)

    def _created(self, context, image_meta, data, id_is_new):
        values.one_source(image_meta, data)
        self.client.check_owner(context)
        image_meta = copy.deepcopy(image_meta)
        member = (image_meta.get('properties') or {}).pop(
            'instance_owner', None)
        member = member and values.project(member)
        body = None if data is None else source.open_source(data)
        headers = _to_headers(image_meta)
        if body is None and image_meta.get('size') == 0:
            headers[_META + 'size'] = '0'
        location = _location(image_meta)
        if not member:  # otherwise it comes last: it cannot be undone
            headers.update(location)
        own = id_is_new or _META + 'id' not in headers
        image = self._create_record(
            context, headers, bool(location) and not member, own)
        with self._undone_on_failure(context, image['id']) as undone:
            if member:
                self._add_member(context, image['id'], member)
            if member and location:
                image = self._locate(context, image['id'], location, undone)
            if body is not None:
                image, answered = self._put(context, image['id'], {}, body,
                                            made=True)
                self._check_upload(image, body, answered, own)
            return image

    def _locate(self, context, image_id, location, undone):
        """Give a new image its location, after which it is not deleted.

        A delete would also delete the caller's data in the store.
        """
        undone.leave('the data at its location belongs to the caller')
        try:
            return self._put(context, image_id, location, None)[0]
        except exception.NovaImageException as error:
            if not error.left:  # Glance has refused the location
                undone.leave(None)
            raise

    def _create_record(self, context, headers, has_location, own_id):
        """Create an image without data exactly once, and return it."""
        image_id = headers.setdefault(_META + 'id', str(uuid.uuid4()))

        def find_created(error):
            if not isinstance(error, exception.ImageConflict):
                return outcome.Failed()
            if own_id:
                return outcome.Found(self._head(context, image_id, 'create'))
            return outcome.Failed()

        with self._undone_if_lost(context, image_id,
                                  own_id and not has_location):
            return self._image(context, messages.Request(
                'POST', IMAGES, 'create', image_id, raw_headers=headers,
                doubt='image %s, if this call has created it' % image_id),
                find_created)

    def _image(self, context, request, settle):
        """Make a call whose answer is ``{"image": {}}``."""
        def read(found):
            return _image_of(found.get('image'), request.image_id)

        return self.client.call(
            context, request, lambda answer: answer.read(read), settle)

    def _put(self, context, image_id, headers, body, purge=False,
             made=False):
        """Send metadata, and data if there is a body.

        :param made: whether this very call has created the image
        :returns: the image, and whether Glance has answered the request:
            otherwise the data may be another client's
        """
        unanswered = []

        def find_uploaded(error):
            image = self._head(context, image_id, 'upload')
            if body is None or image['status'] == 'active':
                unanswered.append(True)
                same = body is not None and image['size'] == body.size
                return outcome.Found(image) if same else outcome.Failed()
            if image['status'] == 'saving':
                # Until it drops or finishes the interrupted upload.
                return (outcome.TryAgain() if error.status == 409
                        else outcome.Failed())
            return outcome.Failed(_given_up(image))

        doubt = None if made else (
            'image %s, which may have been changed' % image_id)
        headers = dict(headers, **{_PURGE: str(purge)})
        request = messages.Request(
            'PUT', path(image_id), 'upload' if body else 'update', image_id,
            raw_headers=headers, body=body, doubt=doubt)
        if body is None:
            image = self._image(context, request, find_uploaded)
        else:
            with sent.Sending(body):
                if self.client.conf.glance.verify_uploads:
                    body.hash_by('md5')
                image = self._image(context, request, find_uploaded)
        return image, not unanswered

    @staticmethod
    def _check_upload(image, body, answered, own=False):
        """Raise if an image does not have the data that was sent.

        :param answered: whether Glance has answered the upload
        :param own: whether nobody else can know the image's ID
        """
        same = body.has_hash('md5', image['checksum'])
        if image['size'] != body.size:
            reason = 'Glance has %s bytes of %s' % (
                image['size'], body.size or 'an unknown number')
        elif same is False:
            reason = "the md5 of Glance's data is not that of the data sent"
        elif not (same or answered or own):
            reason = 'the answer was lost, and Glance has no hash of its data'
        else:
            sent.record(image['id'], body, [('md5', image['checksum'])])
            return
        sent.differs(body, [('md5', image['checksum'])])
        raise exception.ImageUploadFailed(
            action='upload', image_id=image['id'], reason=reason,
            left=None if answered else 'image %s with data that another '
            'client may have uploaded' % image['id'])

    def update(self, context, image_id, image_meta, data=None,
               purge_props=True, all_fields=False, add_tags=()):
        """Change an image. See ImageDriver."""
        if all_fields or add_tags:
            _refuse_fields(dict(image_meta, tags=list(add_tags) + list(
                image_meta.get('tags') or ())), image_id)
        return _shown(self._updated(context, image_id, image_meta, data,
                                    purge_props), all_fields)

    def _updated(self, context, image_id, image_meta, data, purge_props):
        values.one_source(image_meta, data)
        body = None if data is None else source.open_source(data)
        if not purge_props:
            image_meta, purge_props = self._without_unset(
                context, image_id, image_meta)
        headers = _to_headers(image_meta)
        headers.pop(_META + 'id', None)
        headers.update(_location(image_meta))
        if body is None:
            return self._put(context, image_id, headers, None, purge_props)[0]
        image = self._head(context, image_id, 'update')
        if image['deleted']:
            raise exception.ImageNotFound(action='update', image_id=image_id)
        self._require_queued(image_id, image['status'])
        changed = 'image %s, which may have been changed'
        if purge_props:
            # v1 does not purge in a request with data
            self._put(context, image_id, headers, None, purge=True)
            changed, headers = 'image %s with changed metadata', {}
        with undo.Steps(changed % image_id):
            image, answered = self._put(context, image_id, headers, body)
        with undo.Steps('image %s, with this data' % image_id):
            self._check_upload(image, body, answered)
            if headers and not answered:  # only the data is known to be there
                image = self._put(context, image_id, headers, None)[0]
        return image

    def data_requests(self, context, image_id, action):
        """Yield requests for the data. See ImageDriver."""
        if action == 'download':
            return data_requests.downloads(
                self.client, context, messages.Request(
                    'GET', path(image_id), action, image_id))
        # The PUT has no metadata, so it changes none.
        return data_requests.uploads(
            self.client, context, messages.Request(
                'PUT', path(image_id), action, image_id, headers={
                    'Content-Type': 'application/octet-stream',
                    _PURGE: 'False'}),
            [200], messages.Request('HEAD', path(image_id), action, image_id),
            header=_META + 'status')

    def _without_unset(self, context, image_id, image_meta):
        """Return the metadata of an update that removes what is unset.

        v1 removes a property only by a request that names all others.

        :returns: (metadata, whether to remove the properties it lacks)
        """
        properties = image_meta.get('properties') or {}
        unset = [name for name, value in properties.items()
                 if values.is_unset(name, value)]
        if not unset:
            return image_meta, False
        stored = self._head(context, image_id, 'update')['properties']
        if not any(stored.get(name) for name in unset):
            return image_meta, False
        return dict(image_meta, properties=dict(stored, **properties)), True

    def unset(self, context, image_id, properties=(), tags=(),
              all_fields=False):
        """Remove properties. See ImageDriver.

        v1 removes a property only by a request that names all others.
        """
        _refuse_fields({'tags': tags}, image_id)
        stored = self._head(context, image_id, 'update')['properties']
        missing = [name for name in properties if name not in stored]
        if missing:
            raise exception.NotFound(
                'The image has no property %s' % ' and no property '.join(
                    missing), action='update', image_id=image_id,
                reason='its properties are %s' % (
                    ', '.join(sorted(stored)) or 'none'),
                advice='Nothing was changed')
        return self.update(context, image_id, {'properties': {
            name: value for name, value in stored.items()
            if name not in properties}}, all_fields=all_fields)

    def deactivate(self, context, image_id):
        """Refuse: v1 answers 403 to a new status, and has no actions."""
        raise _no_attribute('deactivate', image_id, 'deactivated images')

    def reactivate(self, context, image_id):
        """Refuse, as deactivate does."""
        raise _no_attribute('reactivate', image_id, 'deactivated images')

    def delete(self, context, image_id):
        """Delete an image. See ImageDriver."""
        def find_deleted(error):
            if isinstance(error, exception.ImageNotFound):
                return outcome.Found()
            return outcome.Failed()

        self.client.call(context, messages.Request(
            'DELETE', path(image_id), 'delete', image_id,
            errors={409: exception.ImageDeleteConflict}),
            settle=find_deleted)
        return True

    def download(self, context, image_id, data=None, dst_path=None,
                 trusted_certs=None, **options):
        """Fetch an image's data. See ImageDriver."""
        request = messages.Request(
            'GET', path(image_id), 'download', image_id, stream=True,
            is_checked=True)

        def record_of(answer):
            try:
                self.client.check_seen(context, image_id, 'download',
                                       lambda: _in_headers(answer, image_id))
            except exception.ImageNotFound:
                answer.close()
                raise
            return _record_of(answer)

        try:
            return fetch.Download(
                self.client, context, request, record_of,
                trusted_certs=trusted_certs, **options).run(data, dst_path)
        except exception.ImageNotFound:
            # v1 also answers 404 if the image has no data
            image = self._head(context, image_id, 'download')
            if image['deleted']:
                raise
            raise exception.ImageUnacceptable(
                action='download', image_id=image_id,
                reason='it has no data, its status is %s' % image['status'])

    def members(self, context, image_id):
        """List an image's members. See ImageDriver."""
        return self.client.call(context, messages.Request(
            'GET', path(image_id, 'members'), 'list the members of',
            image_id), lambda answer: answer.read(_members_of))

    def add_member(self, context, image_id, member):
        """Give a project access. See ImageDriver.

        v1 also accepts a member for a private image of v2, without effect.
        """
        member = values.project(member)
        self._add_member(context, image_id, member,
                         doubt=_MEMBER_DOUBT % (member, image_id))
        return _member({'member_id': member})

    def _add_member(self, context, image_id, member, doubt=None):
        self._change_member(context, messages.Request(
            'PUT', path(image_id, 'members', member), 'add a member to',
            image_id, doubt=doubt))

    def set_member_status(self, context, image_id, member, status):
        """Refuse: v1 lists a shared image for its members at once."""
        raise exception.ImageActionNotSupported(
            action='set the status of a member of', image_id=image_id,
            reason='members have no status in the Images API v1',
            advice='Set [glance] use_glance_v1 to False')

    def remove_member(self, context, image_id, member):
        """Revoke a project's access. See ImageDriver."""
        def find_removed(error):
            if isinstance(error, exception.NotFound) and not _denies(error):
                return outcome.Found()
            return outcome.Failed()

        member = values.project(member)
        self._change_member(context, messages.Request(
            'DELETE', path(image_id, 'members', member),
            'remove a member of', image_id,
            errors={404: exception.NotFound},
            doubt=_MEMBER_DOUBT % (member, image_id)), find_removed)
        return True

    def add_location(self, context, image_id, url, store=None, **validation):
        """Give a queued image its location. See ImageDriver."""
        if store or any(validation.values()):
            raise exception.ImageActionNotSupported(
                action='add a location to', image_id=image_id,
                reason='a location has no store and no hash in the Images '
                       'API v1', advice='Set [glance] use_glance_v1 to False')
        self._require_url(image_id, url)
        return self.update(context, image_id, {'location': url},
                           purge_props=False)

    def _change_member(self, context, request, settle=None):
        try:
            self.client.call(context, request, settle=settle)
        except exception.NotFound as error:
            if not _denies(error):
                raise
            six.raise_from(exception.ImageNotAuthorized(
                status=error.status, reason=error.reason, left=error.left,
                in_doubt=error.in_doubt, **request.facts(error.endpoint)),
                error)


def _given_up(image):
    """Return the exception for an image whose upload Glance has given up."""
    return exception.ImageUploadFailed(
        action='upload', image_id=image['id'],
        reason='the connection failed, and Glance has marked the image %s' % (
            image['status']),
        advice='v1 does not accept data for it again: create another one')


def _denies(error):
    """Return whether a 404 about a member is the registry's 403."""
    return 'Access was denied' in error.reason


def path(image_id, *rest):
    """Return the path of an image, or of something below it.

    :param rest: further parts of the path
    :raises ImageNotFound: if no image can have this ID
    """
    known = values.image_id(image_id)
    # v1 answers 500 if an ID is not ASCII, and lists images at detail
    if known == 'detail' or not _ASCII.match(known):
        raise exception.ImageNotFound(image_id=image_id)
    return '/'.join([IMAGES] + [parse.quote(part.encode('utf-8'), safe='')
                                for part in (known,) + rest])


# From Glance to callers

def _image_of(raw, image_id):
    """Return an image of v1 in the callers' format.

    :param raw: any JSON
    :param image_id: the ID that it must have
    :raises Unreadable: if it is not this image
    """
    image, wrong = answers.fields(raw, _ALL_READERS)
    if 'id' in wrong:
        raise answers.Unreadable('its JSON is not an image')
    if wrong:
        raise answers.Unreadable(answers.one_line(wrong))
    # A database may ignore the case.
    if image['id'].lower() != image_id.lower():
        raise answers.Unreadable('it describes image %s' % image['id'])
    return _complete(image)


def _complete(image):
    """Add the fields that v1 derives from others or lacks."""
    for name in _FURTHER:
        image.setdefault(name, None)
    image['visibility'] = 'public' if image['is_public'] else 'private'
    return image


def _shown(image, all_fields):
    """Return an image with the fields that the caller asks for."""
    return image if all_fields else {
        name: image[name] for name in image if name not in _FURTHER}


def _images_of(found, readers=None):
    """Return the images of a page, with what can be read of each.

    :param readers: _ALL_READERS; _READERS by default
    :returns: the images, and the list of the IDs of those without a size
    :raises Unreadable: if it is not a list of images
    """
    images = answers.page(found, 'images', lambda raw: _readable(
        raw, readers or _READERS))
    return images, [raw['id'] for raw in found['images']
                    if raw.get('size') is None]


def _full_page(found):
    """Return what _images_of does, with all fields of the images."""
    images, nulls = _images_of(found, _ALL_READERS)
    return [_complete(image) for image in images], nulls


def _readable(raw, readers):
    image, wrong = answers.fields(raw, readers)
    if 'id' in wrong:
        raise answers.Unreadable('its JSON is not a list of images')
    if wrong:
        LOG.warning('Image %(id)s is listed with defaults: %(wrong)s', {
            'id': image['id'], 'wrong': answers.one_line(wrong)})
        image.update({name: _DEFAULTS.get(name) for name in wrong})
    return image


def _members_of(found):
    """Return the members in an answer; raises Unreadable."""
    return answers.page(found, 'members', _member)


def _member(raw):
    """Return a member in the callers' format; v1 has few fields."""
    found, wrong = answers.fields(raw, {'member_id': answers.name})
    if wrong:
        raise answers.Unreadable('its JSON is not a member')
    return dict(found, status=None, created_at=None, updated_at=None,
                can_share=_share(raw.get('can_share')))


def _share(value):
    return None if value is None else _truth(value)


def _in_headers(answer, image_id):
    """Return the image in the headers of a HEAD, in the callers' format."""
    raw = from_headers(answer.headers)
    if not raw.get('id'):
        raise answer.bad('it has no image metadata')
    try:
        return _image_of(raw, image_id)
    except answers.Unreadable as error:
        raise answer.bad(error)


def from_headers(headers):
    """Return the image in the headers of an answer, like that in JSON."""
    raw = {'properties': {}}
    for name, value in headers.items():
        name = name.lower()
        if name.startswith(_PROPERTY):
            raw['properties'][name[len(_PROPERTY):]] = _raw_text(value)
        elif name.startswith(_META):
            raw[name[len(_META):]] = _raw_text(value)
    return raw


def _raw_text(value):
    """Return a header decoded from UTF-8.

    HTTP libraries of Python 3 have decoded it from ISO-8859-1.
    """
    if isinstance(value, six.text_type):
        value = value.encode('latin-1')
    return value.decode('utf-8', 'replace')


def _maybe_number(value):
    """Return the number in JSON or in a header, or None."""
    is_text = isinstance(value, six.string_types)
    read = answers.header_number if is_text else answers.number
    return read(value)


def _number(value):
    """Return the number in JSON or in a header; 0 for none."""
    return _maybe_number(value) or 0


def _truth(value):
    """Return the bool in JSON or in a header; False for none."""
    if value is None or isinstance(value, (bool,) + six.string_types):
        return strutils.bool_from_string(value)
    raise answers.Unreadable('is neither true nor false')


def _time(value):
    """Return a time without microseconds, which only v1 has."""
    found = answers.moment(value)
    return found and found.replace(microsecond=0)


def _properties(value):
    """Return the custom properties that have a value."""
    raw = answers.mapping(value)
    return {name: answers.decoded(raw[name]) if name in _JSON_PROPERTIES
            else raw[name] for name in raw if raw[name] is not None}


_READERS = dict(
    [(name, answers.text) for name in _FIELDS] +
    [(name, _number) for name in _NUMBERS] +
    [(name, _truth) for name in _BOOLS] +
    [(name, _time) for name in _TIMES],
    id=answers.name, properties=_properties)
_ALL_READERS = dict(_READERS, protected=_truth, virtual_size=_maybe_number)
#: what callers see of an unreadable field, if it is not None
_DEFAULTS = dict([(name, 0) for name in _NUMBERS] +
                 [(name, False) for name in _BOOLS], properties={})


def _record_of(answer):
    """Return what Glance recorded of an image's data."""
    image, wrong = answers.fields(from_headers(answer.headers), _READERS)
    wrong.pop('id', None)
    if wrong:
        raise answer.bad(answers.one_line(wrong))
    return recorded.Recorded(
        image['size'], 'md5', image['checksum'],
        disk_format=image['disk_format'], properties=image['properties'])


# From callers to Glance

def _to_headers(image_meta):
    """Return the callers' metadata as v1's headers, without nulls."""
    headers = {}
    for name, value in image_meta.items():
        if name in _SENT and value is not None:
            headers[_META + name] = _value(name, value)
        elif name in ('min_ram', 'min_disk') and value is not None:
            headers[_META + name] = str(values.whole_number(
                name, value, values.MAX_MINIMUM))
        elif name in ('is_public', 'protected') and value is not None:
            headers[_META + name] = str(values.boolean(name, value))
        elif name not in _KNOWN:
            raise exception.ImageBadRequest(
                reason='there is no image attribute %s' % name,
                advice='Put custom ones into properties')
    if image_meta.get('visibility') is not None:
        headers[_META + 'is_public'] = str(
            image_meta['visibility'] == 'public')
    headers.update(_property_headers(image_meta.get('properties') or {}))
    return headers


def _refuse_fields(image_meta, image_id=None):
    """Refuse what v1 would not store: it answers 400 to such headers.

    :raises ImageActionNotSupported: if there are tags, or the image is hidden
    """
    action = 'update' if image_id else 'create'
    if image_meta.get('tags'):
        raise _no_attribute(action, image_id, 'tags')
    if image_meta.get('os_hidden'):
        raise _no_attribute(action, image_id, 'hidden images')


def _no_attribute(action, image_id, what):
    return exception.ImageActionNotSupported(
        action=action, image_id=image_id,
        reason='the Images API v1 has no %s' % what,
        advice='Set [glance] use_glance_v1 to False')


def _location(image_meta):
    url = image_meta.get('location')
    return {_META + 'location': _value('location', url)} if url else {}


def _property_headers(properties):
    headers = {}
    for name, value in properties.items():
        if values.is_unset(name, value):
            continue
        if not _TOKEN.match(name):
            raise exception.ImageBadRequest(
                reason='the Images API v1 does not support a property named '
                       '%r' % name, advice='Use ASCII letters, digits and _')
        header = _PROPERTY + name.lower().replace('-', '_')
        if header in headers:
            raise exception.ImageBadRequest(
                reason='the Images API v1 cannot distinguish %s from another '
                       'property that differs only in case or -' % name)
        headers[header] = _value(name, _text(name, value))
    return headers


def _text(name, value):
    if isinstance(value, bytes):
        return value.decode('utf-8')
    if name in _JSON_PROPERTIES and not isinstance(value, six.text_type):
        return jsonutils.dumps(value)
    return six.text_type(value)


def _value(name, value):
    """Return text that arrives unchanged when it is sent as a header."""
    value = _text(name, value)
    if _CONTROL.search(value) or value != value.strip():
        raise exception.ImageBadRequest(
            reason='the Images API v1 does not support control characters, or '
                   'white space around a value: %s' % name)
    if len(value.encode('utf-8')) > MAX_HEADER - 256:
        raise exception.ImageBadRequest(
            reason='the value of %s is too long for the Images API v1: more '
                   'than %d bytes' % (name, MAX_HEADER - 256))
    return value


# Listing

def _count(name, kwargs):
    value = kwargs.get(name)
    return 0 if value is None else values.whole_number(name, value)


def _order(kwargs):
    """Return the listing.Order that a caller asks for."""
    given = []
    for name in ('sort_key', 'sort_dir'):
        value = kwargs.get(name) or []
        if not isinstance(value, (list, tuple)):
            value = [value]
        if len(value) > 1:
            raise exception.ImageActionNotSupported(
                action='list images',
                reason='the Images API v1 sorts by one key')
        given.append(list(value))
    return listing.Order(*given)


def _sorting(order):
    """Return the query for a listing.Order."""
    return [('sort_key', key) for key in order.keys] + [
        ('sort_dir', direction) for direction in order.directions]


def _to_query(filters):
    """Return the query for filters, and a test of the images it returns."""
    query, own, tests = [], {}, []
    public = values.visibility_filter(filters.get('is_public'))
    # v1 shows all images to an admin only for 'none', and ignores the filter
    # for everybody else
    query.append(('is_public', 'none' if public is None else public))
    if public is not None:
        own['is_public'] = public
    for name, value in sorted(filters.items()):
        if name in _OWN_FILTERS:
            own[name] = values.text(name, value)
        elif name != 'is_public' and not (
                # no image of v1 is hidden
                name == 'os_hidden'
                and not values.boolean('filter os_hidden', value)):
            sent = _one_filter(name, value)
            if values.fits_in_a_query(six.text_type(sent[1])):
                query.append(sent)
            else:
                tests.append(_long_filter(name, values.text(name, value)))

    def matches(image):
        return all(image[name] == value for name, value in own.items()) and (
            all(test(image) for test in tests))
    return query, matches


def _long_filter(name, value):
    """Return a test of images for a value that is too long to be sent."""
    if name in _PLAIN_FILTERS:
        return lambda image: image[name] == value
    if name.startswith('property-'):
        name = name[len('property-'):]
    return lambda image: image['properties'].get(name) == value


def _one_filter(name, value):
    if name in ('tag', 'tags', 'visibility', 'member_status', 'os_hidden'):
        raise exception.ImageActionNotSupported(
            action='list images',
            reason='the Images API v1 cannot filter by %s' % name)
    if name == 'changes-since':
        return name, values.moment(name, value)
    if name == 'protected':
        return name, values.boolean('filter protected', value)
    if name in _NUMBER_FILTERS:
        return name, values.whole_number('filter ' + name, value)
    value = values.text(name, value)
    if name in _PLAIN_FILTERS and ':' in value:
        # v1 parses the text before a colon as an operator, and answers 500 if
        # it is not one (seen on Glance 15.0.2).
        value = 'eq:' + value
    elif name not in _PLAIN_FILTERS and not name.startswith('property-'):
        name = 'property-' + name
    return name, value
