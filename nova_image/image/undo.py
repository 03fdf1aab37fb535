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

"""The rule of undo: what a call that fails may delete.

**A call deletes only an image that it has provably created itself**: Glance
has answered this very call with a success, or the call has drawn the image's
ID. It never deletes an image that was active before, nor data that a location
of somebody else names. If it cannot know, it leaves everything, and ``left``
of the error (nova_image.exception.NovaImageException) names it.

The drivers decide what is proven; this is the only place that deletes.
"""

from oslo_log import log as logging
import six

from nova_image import exception
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)


class Undo(object):
    """A context manager that deletes an image if its block fails.

    The error of the block is the one that is raised. If the image is not
    deleted, the error's ``left`` names it.

    :param delete: callable(context, image_id)
    :param context: the caller's context
    :param image_id: ID of an image that this very call has created
    :param keep: whether to leave the image anyway
    """

    def __init__(self, delete, context, image_id, keep=False):
        self._delete = delete
        self._context = context
        self._image_id = image_id
        self._keep = keep
        self._kept_for = None

    def leave(self, why):
        """Do not delete the image from now on, because of what it contains.

        :param why: text for the error; None to delete it after all
        """
        self._kept_for = why

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is None or getattr(error, 'left', None):
            return
        left = self._remains()
        if left and isinstance(error, exception.NovaImageException):
            six.raise_from(error.but(left=left), error)

    def _remains(self):
        """Delete the image; return what is left of it, or None."""
        if self._keep:
            hook.METRICS.undone('kept')
            return 'image %s' % self._image_id
        if self._kept_for:
            hook.METRICS.undone('left')
            LOG.warning('Image %(id)s was left: %(why)s', {
                'id': self._image_id, 'why': self._kept_for})
            return 'image %s (%s)' % (self._image_id, self._kept_for)
        if quietly(self._delete, self._context, self._image_id):
            return None
        return 'image %s, which could not be deleted' % self._image_id


def quietly(delete, context, image_id):
    """Delete an image; log a failure instead of raising it.

    :param delete: callable(context, image_id)
    :returns: whether the image is gone
    """
    try:
        delete(context, image_id)
    except exception.ImageNotFound:
        pass
    except Exception as error:  # the first error is the one to raise
        hook.METRICS.undone('left')
        LOG.warning('Image %(id)s was left behind by a failed create: '
                    '%(error)s', {'id': image_id,
                                  'error': exception.redact(error)})
        return False
    hook.METRICS.undone('deleted')
    return True


class Steps(object):
    """A context manager for the steps that follow a change.

    If one fails, its error says what has been changed.

    :param changed: text; None if nothing has been changed
    """

    def __init__(self, changed):
        self._changed = changed

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if self._changed and isinstance(
                error, exception.NovaImageException) and not error.left:
            six.raise_from(error.but(left=self._changed), error)
