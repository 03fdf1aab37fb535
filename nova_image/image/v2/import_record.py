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

"""Imports, as log lines and metrics; the lines are like those of transfers."""

from oslo_log import log as logging
from oslo_utils import timeutils
from oslo_utils import units

from nova_image import exception
from nova_image.image import import_result
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

#: the names of results in log records and metrics, and of the lack of one
_NAMES = {import_result.Imported: 'imported',
          import_result.Converted: 'converted',
          import_result.Failed: 'failed',
          import_result.TimedOut: 'timed_out',
          type(None): 'begun'}


def followed(order, image_id, run):
    """Make an import, log it and count it.

    :param order: nova_image.image.v2.import_order.Order
    :param image_id: ID of the image
    :param run: callable that makes the import
    :returns: what it returns, an import_result.Result or None
    """
    began = timeutils.now()
    try:
        result = run()
    except BaseException:
        hook.METRICS.imported(order.method, 'error')
        raise
    seconds = timeutils.now() - began
    name = _NAMES[type(result)]
    done = {'image': image_id, 'method': order.method, 'result': name,
            'seconds': round(seconds, 3)}
    is_good = result is not None and result.succeeded
    if is_good:
        _log_success(done, result, seconds)
    else:
        _log_other(done, result)
    hook.METRICS.imported(order.method, name, seconds if is_good else None)
    return result


def _log_success(done, result, seconds):
    done.update(bytes=result.size, stores=result.stores,
                failed_stores=sorted(result.failed))
    LOG.info('Image %(image)s: %(bytes)d bytes %(result)s by %(method)s in '
             '%(seconds).1f s, %(rate).1f MiB/s%(to)s', dict(
                 done, to=' to ' + ', '.join(result.stores) if (
                     result.stores) else '',
                 rate=result.size / float(units.Mi) / (seconds or 1)),
             extra={'import': done})


def _log_other(done, result):
    if result is None:
        LOG.info('Image %(image)s: import by %(method)s begun after '
                 '%(seconds).1f s, without waiting for its end', done,
                 extra={'import': done})
        return
    done.update(reason=exception.redact(result.reason), stores=result.stores,
                failed_stores=sorted(result.failed))
    LOG.info('Image %(image)s: import by %(method)s %(result)s after '
             '%(seconds).1f s: %(reason)s', done, extra={'import': done})
