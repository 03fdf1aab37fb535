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

"""Deletes what a call has created, when the call fails."""

import contextlib

from oslo_log import log as logging
from oslo_utils import excutils

from nova_image import exception

LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def on_failure(delete, context, image_id, keep=False):
    """Delete an image if the block fails, and raise the block's error.

    :param delete: callable(context, image_id)
    :param context: the caller's context
    :param image_id: ID of an image that this very call has created
    :param keep: whether to leave the image anyway
    """
    try:
        yield
    except BaseException:
        with excutils.save_and_reraise_exception():
            if not keep:
                quietly(delete, context, image_id)


def quietly(delete, context, image_id):
    """Delete an image; log a failure instead of raising it.

    :param delete: callable(context, image_id)
    :returns: whether the image is gone
    """
    try:
        delete(context, image_id)
    except exception.ImageNotFound:
        return True
    except exception.NovaImageException as error:
        LOG.warning('Image %(id)s was left behind by a failed create: '
                    '%(error)s', {'id': image_id, 'error': error})
        return False
    return True
