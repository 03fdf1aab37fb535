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

"""Uploads, as log lines and metrics; the lines are like those of downloads."""

from oslo_log import log as logging
from oslo_utils import timeutils
from oslo_utils import units

from nova_image import exception
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

_TO = {hook.UPLOAD: 'to %s', hook.STAGE: 'to be imported by %s'}


class Sending(object):
    """A context manager for the request with the data, which it closes.

    :param body: nova_image.image.transfer.source.Source
    :param direction: nova_image.metrics.hook.UPLOAD or STAGE
    """

    def __init__(self, body, direction=hook.UPLOAD):
        self._body = body
        self._failures = hook.Failures(direction)

    def __enter__(self):
        self._body.began = timeutils.now()

    def __exit__(self, *error):
        self._body.close()
        self._failures.__exit__(*error)


def record(image_id, body, hashes, direction=hook.UPLOAD):
    """Log an upload that was compared with what Glance recorded.

    :param image_id: ID of the image
    :param body: nova_image.image.transfer.source.Source, sent and closed
    :param hashes: list of (algorithm, value) that Glance recorded
    :param direction: nova_image.metrics.hook.UPLOAD or STAGE
    """
    by = next((name for name, value in hashes
               if body.has_hash(name, value)), 'size')
    size, now = body.size or 0, timeutils.now()
    seconds = now - (now if body.began is None else body.began)
    endpoint = exception.redact(body.endpoint)
    done = {'image': image_id, 'direction': direction, 'source': hook.HTTP,
            'bytes': size, 'endpoint': endpoint,
            'seconds': round(seconds, 3), 'resumes': 0,
            'restarts': max(body.attempts - 1, 0), 'verified_by': [by]}
    LOG.info('Image %(image)s: %(bytes)d bytes %(to)s in %(seconds).1f s, '
             '%(rate).1f MiB/s, restarted %(restarts)d times, verified by '
             '%(by)s', dict(done, by=by, to=_TO[direction] % endpoint,
                            rate=size / float(units.Mi) / (seconds or 1)),
             extra={'transfer': done})
    hook.METRICS.verified(by, True)
    hook.METRICS.moved(direction, hook.HTTP, size, seconds)


def differs(body, hashes, direction=hook.UPLOAD):
    """Count an upload of which Glance has recorded something else.

    The parameters are those of record().
    """
    wrong = next((name for name, value in hashes
                  if body.has_hash(name, value) is False), 'size')
    hook.METRICS.verified(wrong, False)
    hook.METRICS.not_moved(direction, hook.HTTP, exception.ImageCorrupt)
