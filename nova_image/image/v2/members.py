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

Only an image with the visibility ``shared`` has members. Its owner adds and
removes them; each member accepts or rejects the image. Seen on Glance 15.0.2
and 33.0.0, whose answers are alike.
"""

import six

from nova_image import exception
from nova_image.image import answers
from nova_image.image import messages
from nova_image.image import outcome
from nova_image.image.v2 import records
from nova_image.image import values

_SHARE = ('Only the owner can change the members of an image, and only while '
          'its visibility is shared: update the image with visibility shared')
_ACCEPT = ('Only the member or an administrator can set the status, and only '
           'while the visibility of the image is shared')

_FIELDS = {'member_id': answers.name, 'status': answers.text,
           'created_at': answers.moment, 'updated_at': answers.moment}

#: what may have changed if an answer was lost
_DOUBT = 'member %s of image %s, which may have been changed'
#: what Glance has changed if its store has refused to
_ADDED, _REMOVED = 'member %s, added', 'member %s, removed'


class Members(object):
    """Lists and changes the members of images, for one driver.

    The methods are those of nova_image.image.driver.ImageDriver.

    :param client: nova_image.image.client.Client
    :param images: nova_image.image.v2.records.Records
    """

    def __init__(self, client, images):
        self._client = client
        self._images = images

    def list(self, context, image_id):
        """Return the members of an image."""
        return self._call(context, messages.Request(
            'GET', records.path(image_id, 'members'), 'list the members of',
            image_id), _members, _SHARE)

    def add(self, context, image_id, member, made=False):
        """Give a project access, and return the member.

        :param made: whether the calling call has created the image, which
            goes if this fails
        """
        action, member = 'add a member to', values.project(member)
        read = _member(image_id, member)
        watch = self._images.watch(context, image_id, action)

        def find_added(error):
            if not isinstance(error, exception.ImageConflict):
                return outcome.Failed()
            found = self._client.call(context, messages.Request(
                'GET', records.path(image_id, 'members', member), action,
                image_id), read)
            return _after(watch, found, _ADDED % member)

        return self._call(context, messages.Request(
            'POST', records.path(image_id, 'members'), action, image_id,
            json={'member': member}, judge=watch.judge,
            doubt=None if made else _DOUBT % (member, image_id)),
            read, _SHARE, find_added)

    def set_status(self, context, image_id, member, status):
        """Accept or reject an image, and return the member."""
        member = values.project(member)
        return self._call(context, messages.Request(
            'PUT', records.path(image_id, 'members', member),
            'set the status of a member of', image_id,
            json={'status': status}, errors={404: exception.NotFound},
            doubt=_DOUBT % (member, image_id)),
            _member(image_id, member), _ACCEPT)

    def remove(self, context, image_id, member):
        """Revoke a project's access."""
        action, member = 'remove a member of', values.project(member)
        watch = self._images.watch(context, image_id, action)

        def find_removed(error):
            if isinstance(error, exception.NotFound):
                return _after(watch, None, _REMOVED % member)
            return outcome.Failed()

        self._call(context, messages.Request(
            'DELETE', records.path(image_id, 'members', member), action,
            image_id, errors={404: exception.NotFound}, judge=watch.judge,
            doubt=_DOUBT % (member, image_id)), None, _SHARE, find_removed)

    def _call(self, context, request, consume, advice, settle=None):
        """Make a call; say what to do if the caller may not make it."""
        try:
            return self._client.call(context, request, consume, settle)
        except exception.ImageNotAuthorized as error:
            if error.status != 403:
                raise
            six.raise_from(error.but(advice=advice), error)


def _after(watch, value, left):
    """Return the outcome of a change that Glance has made.

    :param watch: tenancy.Watch of the request
    :param value: what the lost answer would have been
    :param left: what has changed, text, for the case that the store has not
        changed the access rights
    """
    if watch.refusal is None:
        return outcome.Found(value)
    return outcome.Failed(records.half_done(watch.refusal, left))


def _members(answer):
    """Return the members in an answer; raises GlanceBadAnswer."""
    return answer.read(
        lambda found: answers.page(found, 'members', _from_glance))


def _member(image_id, member):
    """Return a function that returns the member in an answer.

    It raises GlanceBadAnswer for anything else, also for another member.
    """
    def read(raw):
        found = _from_glance(raw)
        said = answers.text(raw.get('image_id', image_id))
        if (found['member_id'], said) != (member, image_id):
            raise answers.Unreadable('it describes member %s of image %s' % (
                found['member_id'], said))
        return found
    return lambda answer: answer.read(read)


def _from_glance(raw):
    """Return a member in the callers' format.

    :raises Unreadable: if it is not a member
    """
    found, wrong = answers.fields(raw, _FIELDS)
    if 'member_id' in wrong:
        raise answers.Unreadable('its JSON is not a member')
    if wrong:
        raise answers.Unreadable(answers.one_line(wrong))
    return dict(found, can_share=None)
