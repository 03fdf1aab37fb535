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

"""What a host knows of the data that its dom0 moves.

dom0 moves bytes and hashes them: by MD5, and by Glance's own algorithm if its
Python has it. Python 2.4 has only MD5.
All else is done here, through the image driver: it reads and writes the
image's record and describes the requests that dom0 sends.
"""

from oslo_log import log as logging

from nova_image import exception
from nova_image.metrics import hook

LOG = logging.getLogger(__name__)

#: statuses of an image during an upload that Glance has not given up yet
_BUSY = ('saving', 'uploading')
#: the algorithm that Glance uses by default
_LIKELY = 'sha512'
_FORMATS = {'disk_format': 'vhd', 'container_format': 'ovf'}


class StillBusy(Exception):
    """The image may accept data later."""


class Finished(Exception):
    """The image has the data already."""


class Download(object):
    """One download, with all its attempts.

    :param driver: nova_image.image.driver.ImageDriver
    :param context: the caller's context
    :param image_id: ID of the image
    :raises ImageUnacceptable: if the image has no data
    """

    def __init__(self, driver, context, image_id):
        self._image = image = driver.show(context, image_id,
                                          show_deleted=False)
        if image['status'] != 'active':
            raise exception.ImageUnacceptable(
                action='download', image_id=image_id,
                reason='its status is %s' % image['status'])
        self._requests = driver.data_requests(context, image_id, 'download')

    def checksum(self):
        """Return what the data must be, each None if it is not known.

        :returns: dict with ``md5`` and ``size``, ``algorithm`` and ``value``
        """
        return {'md5': _md5(self._image), 'size': self._image['size'] or None,
                'algorithm': self._image.get('os_hash_algo'),
                'value': self._image.get('os_hash_value')}

    def request(self):
        """Return the request for the next attempt."""
        return next(self._requests)

    def verify(self, found):
        """Compare what dom0 has received with what Glance recorded.

        :param found: dict with ``size`` and ``md5``
        :raises ImageCorrupt: if they differ
        """
        difference = _difference(self._image, found)
        if difference:
            raise exception.ImageCorrupt(
                action='download', image_id=self._image['id'],
                reason='dom0 received %s' % difference)
        _report('from', self._image, found)


class Upload(object):
    """One upload, with all its attempts.

    :param driver: nova_image.image.driver.ImageDriver
    :param context: the caller's context
    :param image_id: ID of the image, which is queued
    :param properties: dict of the image's custom properties to set
    """

    def __init__(self, driver, context, image_id, properties):
        self._driver = driver
        self._context = context
        self._image_id = image_id
        self._properties = properties
        self._requests = driver.data_requests(context, image_id, 'upload')
        self._sent = []
        self._is_described = False

    def request(self):
        """Return the request for the next attempt, to an image that is ready.

        :raises Finished: if an earlier attempt has succeeded, although it
            failed in dom0
        :raises StillBusy: if Glance has not given up an earlier attempt yet
        :raises ImageConflict: if the image does not accept data
        """
        image = self._show()
        if self._has_data(image):
            raise Finished
        if image['status'] in _BUSY:
            raise StillBusy('image %s is %s' % (
                self._image_id, image['status']))
        if image['status'] != 'queued':
            raise exception.ImageConflict(
                action='upload', image_id=self._image_id,
                reason='the image is %s, but only a queued image accepts data'
                       % image['status'],
                left=self._left())
        if not self._is_described:
            # Nothing else is sent, so the visibility does not change.
            self._driver.update(
                self._context, self._image_id,
                dict(_FORMATS, properties=self._properties),
                purge_props=False)
            self._is_described = True
        # Glance says which algorithm it uses only when it has the data.
        return dict(next(self._requests), hash=(
            _LIKELY if 'os_hash_algo' in image else None))

    def has_succeeded(self):
        """Return whether an attempt has succeeded, although it failed."""
        try:
            return bool(self._sent) and self._has_data(self._show())
        except exception.NovaImageException as error:
            LOG.warning('Image %(id)s may have the data that dom0 sent: '
                        '%(error)s', {'id': self._image_id, 'error': error})
            return False

    def _has_data(self, image):
        """Return whether an image has what an attempt has sent."""
        found = image['status'] == 'active' and any(
            _is_same(image, sent) for sent in self._sent)
        if found:
            LOG.info('Image %s has the data that dom0 sent in an attempt '
                     'without an answer', self._image_id)
        return found

    def _left(self):
        """Return what attempts without an answer may have left, or None."""
        return 'image %s, which may have the data' % self._image_id if (
            self._sent) else None

    def remember(self, sent):
        """Remember the data of an attempt that got no answer.

        :param sent: dict with ``size`` and ``md5``, or None
        """
        if sent:
            self._sent.append(sent)

    def verify(self, sent):
        """Compare what dom0 has sent with what Glance recorded.

        :param sent: dict with ``size`` and ``md5``
        :raises ImageUploadFailed: if they differ
        """
        image = self._show()
        difference = _difference(image, sent)
        if image['status'] != 'active':
            difference = 'all data, but the image is %s' % image['status']
        if difference:
            raise exception.ImageUploadFailed(
                action='upload', image_id=self._image_id,
                reason='dom0 sent %s' % difference,
                left='image %s with other data' % self._image_id)
        _report('to', image, sent)

    def _show(self):
        return self._driver.show(self._context, self._image_id,
                                 show_deleted=False)


def _md5(image):
    """Return the MD5 that Glance recorded of the data, or None."""
    if image.get('os_hash_algo') == 'md5' and image.get('os_hash_value'):
        return image['os_hash_value']
    return image['checksum'] or None


def _difference(image, found):
    """Return how the data of dom0 differs from the record, or None."""
    if image['size'] and found['size'] != image['size']:
        return '%s bytes, but Glance has %s' % (found['size'], image['size'])
    if _md5(image) not in (None, found['md5']):
        return 'data with the MD5 %s, but Glance has %s' % (
            found['md5'], _md5(image))
    digest = _multihash(image, found)
    if digest not in (None, image.get('os_hash_value')):
        return 'data with the %s %s, but Glance has %s' % (
            image['os_hash_algo'], digest, image['os_hash_value'])
    return None


def _multihash(image, found):
    """Return the hash of dom0 that Glance also has; None without one."""
    return (found.get('hashes') or {}).get(image.get('os_hash_algo')) if (
        image.get('os_hash_value')) else None


def _is_same(image, sent):
    """Return whether a hash proves that an image has what was sent."""
    return _has_proof(image, sent) and not _difference(image, sent)


def _has_proof(image, found):
    return _md5(image) is not None or _multihash(image, found) is not None


def _report(direction, image, found):
    """Log what was moved, and what was compared."""
    hook.METRICS.moved(hook.UPLOAD if direction == 'to' else hook.DOWNLOAD,
                       'dom0', found['size'], None)
    if not _has_proof(image, found):
        LOG.warning('Image %(id)s has no recorded hash that dom0 computes: '
                    'only the size of the data that dom0 moved is verified', {
                        'id': image['id']})
        return
    by = [] if _md5(image) is None else ['md5']
    algorithm = image.get('os_hash_algo')
    further = ''
    if _multihash(image, found) is not None:
        by += [algorithm] if algorithm not in by else []
    elif algorithm not in (None, 'md5'):
        further = '; its %s is not, because dom0 did not compute it' % (
            algorithm)
    LOG.info('Image %(id)s: dom0 moved %(size)d bytes %(direction)s Glance, '
             'verified by %(by)s%(further)s', {
                 'id': image['id'], 'size': found['size'],
                 'direction': direction, 'by': ' and '.join(by),
                 'further': further})
