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

"""Data that the Glance at the target reads from the source by itself.

Glance's import method glance-download reads an image of another region with
the token of the caller. Seen on Glance 33.0.0:

* It compares only the size. Other bytes of the same size become active, so
  the hash that the target records must be compared with that of the source.
* It sets the formats to those of the source, and takes over properties with
  the prefixes of ``[glance_download_properties] extra_properties``.
* The image at the source must be active: one that is deactivated, missing or
  in an unknown region fails the task, and the image is queued again.
* If the data cannot be read completely, or the store fails, the image is
  queued again with the lock of the task. Glance refuses another import with
  409 for an hour, but not an upload.
* The reason is always "Task failed due to Internal Error"; the log of the
  target has more.
* If the Glance is killed, the image remains ``importing``.
"""

from __future__ import annotations

import collections.abc
import typing

from nova_image import exception
from nova_image.image import import_result
from nova_image.image.v2 import import_order
from nova_image.image.v2 import import_status
from nova_image.image.v2 import import_watch
from nova_image.image.v2 import imports
from nova_image.image.v2 import records as v2_records
from nova_image.image.v2 import uploads
from nova_image.replication import ends
from nova_image.replication import record as records
from nova_image.replication.v2 import translation

_Progress = collections.abc.Callable[[int], None]

#: longest time without a call of progress, in seconds
_NAP = 1.0
_LOG = "See Glance's log at the target"
_LOCKED = ('an earlier import has failed, and Glance accepts no other for an '
           'hour after it')

#: how a wait for an import has ended -> what this means
_UNENDED = {'deadline': 'the import has not ended in time',
            'stalled': 'the import shows no progress'}


class Puller:
    """Makes a Glance read the data of images from another one.

    :param client: nova_image.image.client.Client of the target
    :param context: an administrator's context
    :param origin: the source
    :param store: ID of the store for the data; None for Glance's default
    :raises Unsuitable: if the method is not enabled
    """

    def __init__(self, client: typing.Any, context: typing.Any,
                 origin: ends.Origin, store: str | None = None) -> None:
        self._client = client
        self._context = context
        self._origin = origin
        self._stores = [store] if store else []
        self._images = v2_records.Records(client)
        self._imports = imports.Imports(
            client, self._images, uploads.Uploads(client, self._images))
        self._statuses = import_status.Statuses(client, self._images)
        enabled = self._imports.rules.info(context)['methods']
        if import_order.REMOTE not in enabled:
            raise ends.Unsuitable(
                reason='the import method %s is not enabled in its Glance, '
                'only %s' % (import_order.REMOTE,
                             ', '.join(enabled) or 'none'),
                advice='Add it to enabled_import_methods, or upload the data')

    def write(self, image: records.Record,
              hashes: collections.abc.Mapping[str, str],
              progress: _Progress | None = None) -> records.Record:
        """Make Glance read the data, and verify it. See End.write().

        An import that is in progress is waited for.

        :raises ImageConflict: if the image is receiving an upload
        :raises ImageImportImpossible: if Glance does not begin
        """
        report = _Report(progress)
        raw = self._get(image)
        if raw['status'] not in records.WITH_DATA:
            reason = self._wait_for(raw, report) if self._is_importing(
                raw) else self._import(image, raw, report)
            raw = self._get(image)
            if raw['status'] not in records.WITH_DATA:
                raise self._failed(image, _UNENDED.get(
                    reason or '', reason), _remains(raw))
        return self._verified(image, hashes, translation.to_record(raw))

    def _get(self, image: records.Record) -> translation.Raw:
        """Return our image as it is.

        :raises ImageConflict: if it is not ours, or is receiving an upload
        """
        raw: translation.Raw = self._images.get(self._context, image.id)
        found = translation.to_record(raw)
        if found.replica_of != image.replica_of or found.status == 'saving':
            raise exception.ImageConflict(
                action='import', image_id=image.id,
                reason='the image is %s, and a replica of %s' % (
                    found.status, found.replica_of))
        return raw

    def _is_importing(self, raw: translation.Raw) -> bool:
        """Return whether Glance is at work on an import of an image.

        :raises ImageImportImpossible: if it keeps the lock of a failed one
        """
        if 'os_glance_import_task' not in raw:
            return raw['status'] == 'importing'
        if raw['status'] == 'queued' and self._statuses.find(
                self._context, raw['id']).state == 'failed':
            raise exception.ImageImportImpossible(
                action='import', image_id=raw['id'], reason=_LOCKED,
                advice='Repeat the run then, or upload the data')
        return True

    def _wait_for(self, raw: translation.Raw, report: '_Report'
                  ) -> str | None:
        """Wait for an import that an earlier run has begun.

        :returns: why it has failed, if it has
        """
        end = import_watch.Watch(
            self._client, self._images, raw, None, targets=[],
            timeout=self._client.conf.glance.import_timeout,
            progress=report.saw, sleep=report.sleeper(self._client.sleep)
        ).wait(self._context)
        return end.reason if end.how == 'over' else end.how

    def _import(self, image: records.Record, raw: translation.Raw,
                report: '_Report') -> str | None:
        """Import the data; return why that has failed, if it has."""
        order = import_order.Order(
            import_order.REMOTE, glance_region=self._origin.region,
            glance_image_id=image.replica_of, stores=self._stores,
            glance_service_interface=self._origin.interface,
            progress=report.saw)
        order.sleep = report.sleeper(self._client.sleep)
        self._imports.check(self._context, order, raw)
        result: import_result.Result = self._imports.run(
            self._context, raw, order, own=True)
        reason: str | None = result.reason
        return reason

    def _verified(self, image: records.Record,
                  hashes: collections.abc.Mapping[str, str],
                  found: records.Record) -> records.Record:
        """Return an image with the right data.

        :raises ImageUploadFailed: if the data is not that of the source
        """
        if records.same_data(image.but(hashes=hashes), found) is False:
            raise self._failed(
                image, 'the target has %s bytes with the hashes %s, and the '
                'source %s bytes with %s' % (
                    found.size, _shown(found.hashes), image.size,
                    _shown(hashes)),
                'the private image with the wrong data')
        return found.but(members=None if found.visibility == 'shared'
                         else frozenset())

    @staticmethod
    def _failed(image: records.Record, reason: str | None,
                left: str | None) -> exception.ImageUploadFailed:
        return exception.ImageUploadFailed(
            'The target did not import the data of the source',
            action=import_order.REMOTE, image_id=image.id, reason=reason,
            left=left, advice=_LOG)


class _Report:
    """Tells the caller about an import, all the time.

    :param progress: called with a number of bytes; it may raise an exception
        to end the wait
    """

    def __init__(self, progress: _Progress | None) -> None:
        self._progress = progress or (lambda size: None)
        self._size = 0

    def saw(self, seen: import_result.Seen) -> None:
        """Report a change."""
        if seen.status == 'importing':
            self._size = max(self._size, seen.done or 0)
        elif seen.status == 'active':
            self._size = seen.total or self._size
        self._progress(self._size)

    def sleeper(self, sleep: collections.abc.Callable[[float], None]
                ) -> collections.abc.Callable[[float], None]:
        """Return what sleeps, and reports in the meantime."""
        def nap(seconds: float) -> None:
            while seconds > 0:
                self._progress(self._size)
                sleep(min(seconds, _NAP))
                seconds -= _NAP

        return nap


def _remains(raw: translation.Raw) -> str | None:
    """Return what is left of an import that is not complete, or None."""
    if raw['status'] == 'queued':
        return None
    return 'image %s, which is %s' % (raw['id'], raw['status'])


def _shown(hashes: collections.abc.Mapping[str, str]) -> str:
    return ', '.join('%s=%s' % one for one in sorted(hashes.items())) or 'none'
