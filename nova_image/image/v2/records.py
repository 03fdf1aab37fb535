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

"""The requests of the Images API v2 about images, without their data.

Images are dicts as v2 answers them. Each request knows how to find out
whether it has taken effect when its answer was lost.
"""

import six
from six.moves.urllib import parse

from nova_image import exception
from nova_image.image import answers
from nova_image.image import listing
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image import tenancy
from nova_image.image.v2 import fields
from nova_image.image.v2 import queries
from nova_image.image.v2 import translation
from nova_image.image import values

IMAGES = queries.IMAGES
PATCH_TYPE = 'application/openstack-images-v2.1-json-patch'


def path(image_id, *parts):
    """Return the path of an image, or of something below it.

    :param image_id: the ID, text
    :param parts: names below the image, such as ``'file'``
    :raises ImageNotFound: if no image can have this ID
    """
    return '/'.join([IMAGES] + [
        parse.quote(part.encode('utf-8'), safe='')
        for part in (values.image_id(image_id),) + parts])


class Records(object):
    """Reads and changes images, for one driver.

    :param client: nova_image.image.client.Client
    """

    def __init__(self, client):
        self._client = client

    def get(self, context, image_id, action='show', once=False):
        """Return an image that the caller may see.

        :param action: verb for error messages
        :param once: whether to leave all retries to the caller
        """
        raw = self._client.call(context, messages.Request(
            'GET', path(image_id), action, image_id, is_checked=True),
            _image(image_id), once=once)
        self._client.check_seen(context, image_id, action,
                                lambda: translation.from_glance(raw))
        return raw

    def pages(self, context, query, nulls=False, all_fields=False):
        """Yield each listing.Page of a listing.

        :param query: list of (name, value)
        :param nulls: whether to find out which sizes are null
        :param all_fields: as for ImageDriver.detail()
        """
        return self._walk(context, query, lambda answer: _page(
            answer, nulls, all_fields))

    def raw_pages(self, context, query):
        """Yield each listing.Page, with its images as v2 answers them.

        Only their IDs have been checked.

        :param query: list of (name, value)
        """
        return self._walk(context, query, _raw_page)

    def _walk(self, context, query, parse):
        """Yield each listing.Page of a listing.

        :param parse: returns the page in an Answer, a dict, and the IDs of
            its images without a size
        """
        progress = listing.Progress()

        def read(answer):
            page, without_size = parse(answer)
            try:
                marker, link = queries.next_page(page)
            except ValueError as error:
                raise answer.bad(error)
            return progress.page(answer, page['images'], marker, link=link,
                                 nulls=without_size)

        def ask(marker, link):
            path, parts = IMAGES, queries.after(marker, query)
            if link is not None and queries.is_complete(link, query):
                path, parts = link, None
            return self._client.call(context, messages.Request(
                'GET', path, 'list images', query=parts), read)

        return listing.walk(ask)

    def create(self, context, image, own_id, on_answer):
        """Create an image exactly once, and return it.

        :param image: dict to send, with ``id``
        :param own_id: whether this very call has drawn the ID, so that an
            image with it can only be the one that it has created
        :param on_answer: called with the Answer
        :raises ImageConflict: if the ID is taken
        """
        read = _image(image['id'])

        def created(answer):
            on_answer(answer)
            return read(answer)

        def find_created(error):
            if not isinstance(error, exception.ImageConflict):
                return outcome.Failed()
            if not own_id:
                return outcome.Failed()
            return outcome.Found(self.get(context, image['id'], 'create'))

        return self._client.call(context, messages.Request(
            'POST', IMAGES, 'create', image['id'], json=image,
            doubt='image %s, if this call has created it' % image['id']),
            created, find_created)

    def watch(self, context, image_id, action):
        """Return a tenancy.Watch for a request about an image.

        :param action: verb for error messages
        """
        return tenancy.Watch(self._client, context, lambda: facts(
            self.get(context, image_id, action, once=True)))

    def patch(self, context, image_id, operations, changes=None, doubt=None):
        """Apply JSON Patch operations, and return the image.

        :param operations: list of dict
        :param changes: callable that returns the operations that an image
            still needs, which shows whether a lost answer was a success
        :param doubt: what may be left if an answer was lost, text
        """
        def find_changed(error):
            raw = self.get(context, image_id, 'update')
            if changes is None or changes(raw):
                return outcome.Failed()
            return outcome.Found(raw)

        try:
            return self._client.call(context, messages.Request(
                'PATCH', path(image_id), 'update', image_id, json=operations,
                content_type=PATCH_TYPE, doubt=doubt or
                'image %s, which may have been changed' % image_id,
                judge=self.watch(context, image_id, 'update').judge),
                _image(image_id), find_changed)
        except exception.GlanceStoreRefused as error:
            raw = self.seen_after(error, context)
            if raw is None or changes is None:
                raise error
            six.raise_from(unchanged(error) if changes(raw) else half_done(
                error, changed(image_id, operations)), error)

    def delete(self, context, image_id):
        """Delete an image.

        :raises ImageDeleteConflict: if it is in use
        """
        def find_deleted(error):
            if isinstance(error, exception.ImageNotFound):
                return outcome.Found()
            return outcome.Failed()

        try:
            self._client.call(context, messages.Request(
                'DELETE', path(image_id), 'delete', image_id,
                errors={409: exception.ImageDeleteConflict},
                judge=self.watch(context, image_id, 'delete').judge),
                settle=find_deleted)
        except exception.GlanceStoreRefused as error:
            raw = self.seen_after(error, context)
            if raw is not None:
                six.raise_from(error.but(reason='%s. The image is still %s' % (
                    error.reason, raw['status'])), error)

    def seen_after(self, error, context):
        """Return an image after the store has refused a request about it.

        :param error: GlanceStoreRefused, which is raised if Glance does not
            answer
        :returns: None if there is no such image any more
        """
        try:
            return self.get(context, error.image_id, error.action, once=True)
        except exception.ImageNotFound:
            return None
        except exception.NovaImageException:
            raise error


def facts(raw):
    """Return an image's owner and the URLs of its data, for tenancy.Watch."""
    return raw.get('owner'), translation.location_urls(raw)


def unchanged(error):
    """Return the error for what neither Glance nor its store has changed.

    :param error: GlanceStoreRefused
    """
    return error.but(left=None, in_doubt=False,
                     reason='%s. Nothing was changed' % error.reason)


def half_done(error, left):
    """Return the error for what Glance has changed, but not its store.

    :param error: GlanceStoreRefused
    :param left: what Glance has changed, text
    """
    return error.but(
        left='%s, in Glance only: its store has refused the access '
        'rights' % left,
        in_doubt=False, advice=(
            "Let the owner's project update the image, for example a "
            'property: Glance then sets the access rights. ' + error.advice))


def changed(image_id, operations, tags=()):
    """Return what an update has changed, for an error.

    :param operations: list of JSON Patch operations
    :param tags: tags that were added or removed one by one
    :returns: text; None if nothing has changed
    """
    names = sorted(one['path'].lstrip('/') for one in operations) + [
        'tag %s' % tag for tag in tags]
    return 'image %s with changed %s' % (
        image_id, ', '.join(names)) if names else None


def _image(image_id):
    """Return a function that returns the image in an answer.

    It raises GlanceBadAnswer for anything else, also for another image.
    """
    def read(answer):
        return answer.read(lambda raw: fields.image(raw, image_id))
    return read


def _page(answer, nulls, all_fields):
    """Return a page with its images in the callers' format.

    :param nulls: whether to find out which sizes are null
    :param all_fields: as for ImageDriver.detail()
    :returns: dict, and the list of the IDs of images without a size
    :raises GlanceBadAnswer: for any other answer
    """
    kind = translation.FullListing if all_fields else translation.Listing
    listed, without_size = kind(), []

    def hook(raw):
        image = listed.hook(raw)
        if image is not raw and raw['size'] is None:
            without_size.append(image['id'])
        return image

    page = answer.json(hook if nulls else listed.hook)
    try:
        if not listed.is_complete(page.get('images')):
            page = answer.json()
            raws = page.get('images')
            page['images'] = answers.page(
                page, 'images',
                lambda raw: translation.readable(raw, all_fields))
            without_size = [raw['id'] for raw in raws
                            if raw.get('size') is None]
        answers.url(page.get('next'))
    except answers.Unreadable as error:
        raise answer.bad(error)
    return page, without_size


def _raw_page(answer):
    """Return a page with its images as v2 answers them, and an empty list.

    :raises GlanceBadAnswer: for any other answer
    """
    def read(raw):
        answers.name(raw.get('id'))
        return raw

    page = answer.json()
    try:
        page['images'] = answers.page(page, 'images', read)
        answers.url(page.get('next'))
    except answers.Unreadable as error:
        raise answer.bad(error)
    return page, []
