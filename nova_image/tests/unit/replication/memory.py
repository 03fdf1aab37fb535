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

"""A Glance in memory, as an end of a replication.

It refuses what the real ones refuse, as far as replication depends on it: an
ID that was once used, data for an image that has some, members of an image
that is not shared, new formats for data.
"""

import datetime
import hashlib
import threading

import six

if six.PY3:
    from nova_image import exception
    from nova_image.replication import ends
    from nova_image.replication import record as records

    BASE = ends.End
else:
    BASE = object

PIECE = 4


class Killed(BaseException):
    """The process was killed."""


class Data(object):
    """Data that can be read again."""

    def __init__(self, end, image_id):
        self._end = end
        self._id = image_id

    def __iter__(self):
        data = self._end.data[self._id]
        for start in range(0, len(data), PIECE):
            self._end.ask('GET data', self._id)
            yield data[start:start + PIECE]


class Glance(BASE):
    """A Glance in memory.

    :ivar calls: (what, ID) of each request
    :ivar trouble: called with (what, ID) before each request
    """

    def __init__(self, title='memory', algorithms=('md5', 'sha512'),
                 fields=None, refuses=()):
        self.title = title
        self.fields = fields or ends.FIELDS
        self.refuses = refuses
        self.algorithms = algorithms
        self.found = {}
        self.data = {}
        self.burnt = set()
        self.calls = []
        self.trouble = lambda what, image_id: None
        self._clock = 0
        self._lock = threading.RLock()

    def ask(self, what, image_id=None):
        """Receive a request."""
        with self._lock:
            self.calls.append((what, image_id))
        self.trouble(what, image_id)

    @property
    def writes(self):
        """The requests that change something."""
        return [call for call in self.calls if not call[0].startswith('GET')]

    def put(self, image, data=b''):
        """Set up an image of the source."""
        if image.has_data:
            image = image.but(size=len(data), hashes={
                name: hashlib.new(name, data).hexdigest()
                for name in self.algorithms})
            self.data[image.id] = data
        self._store(image.but(members=image.members or frozenset()))

    def _store(self, image):
        with self._lock:
            self._clock += 1
            self.found[image.id] = image.but(updated_at=(
                datetime.datetime(2026, 1, 1) +
                datetime.timedelta(seconds=self._clock)))
            return self.found[image.id]

    def _get(self, image_id):
        if image_id not in self.found:
            raise exception.ImageNotFound(image_id=image_id)
        return self.found[image_id]

    def images(self):
        self.ask('GET images')
        return iter([image.but(members=None) for _, image in
                     sorted(self.found.items())])

    def image(self, image_id):
        self.ask('GET image', image_id)
        image = self.found.get(image_id)
        return image and image.but(members=self._shown_members(image))

    def members(self, image):
        if image.visibility not in ('shared', records.NOT_PUBLIC):
            return frozenset()
        self.ask('GET members', image.id)
        return self._shown_members(self._get(image.id))

    @staticmethod
    def _shown_members(image):
        """Those of another image come back if it is shared again."""
        return image.members if image.visibility == 'shared' else frozenset()

    def read(self, image):
        return Data(self, image.id)

    def fit(self, image):
        if image.visibility not in ('shared', records.NOT_PUBLIC):
            image = image.but(members=frozenset())
        if image.visibility == records.NOT_PUBLIC:
            image = image.but(
                visibility='shared' if image.members else 'private')
        lost = sorted(ends.FIELDS - self.fields)
        refusal = 'it is called %s' % image.name if (
            image.name in self.refuses) else None
        return ends.Fit(image, tuple(
            ends.Loss(name, 'not in this API') for name in lost), refusal)

    def reserve(self, image):
        self.ask('POST image', image.id)
        if image.id in self.found:
            raise exception.ImageConflict(image_id=image.id)
        if image.id in self.burnt:
            raise ends.IdIsBurnt(image_id=image.id)
        stored = self._store(image.but(
            status='queued', protected=False, hidden=False, size=None,
            hashes={}, members=frozenset(),
            visibility='shared' if image.visibility == 'shared'
            else 'private'))
        self.ask('GET lost', image.id)
        return stored

    def write(self, image, data, hashes, progress=None):
        self.ask('PUT data', image.id)
        if self._get(image.id).status != 'queued':
            raise exception.ImageConflict(image_id=image.id)
        received = b''
        for piece in data:
            received += piece
            if progress:
                progress(len(received))
        if len(received) != image.size:
            raise exception.ImageUploadFailed(image_id=image.id)
        self.data[image.id] = received
        found = {name: hashlib.new(name, received).hexdigest()
                 for name in set(self.algorithms).union(hashes)}
        if any(found[name] != hashes[name] for name in hashes):
            raise exception.ImageUploadFailed(image_id=image.id)
        stored = self._store(self._get(image.id).but(
            status='active', size=len(received), hashes={
                name: found[name] for name in self.algorithms}))
        self.ask('GET lost', image.id)
        return stored.but(hashes=found)

    def change(self, image, fields):
        self.ask('PATCH image', image.id)
        stored = self._get(image.id)
        if stored.has_data and {'disk_format',
                                'container_format'} & set(fields):
            raise exception.Forbidden(image_id=image.id)
        stored = self._store(stored.but(**fields))
        return stored.but(members=None)

    def set_members(self, image, members):
        self.ask('PUT members', image.id)
        stored = self._get(image.id)
        if stored.visibility != 'shared':
            raise exception.Forbidden(image_id=image.id)
        with self._lock:  # Glance leaves the time of the image as it is
            self.found[image.id] = stored.but(members=frozenset(
                records.Member(one.project, one.status or 'pending')
                for one in members))

    def deactivate(self, image_id):
        self.ask('POST deactivate', image_id)
        self._store(self._get(image_id).but(status='deactivated'))

    def delete(self, image_id):
        self.ask('DELETE image', image_id)
        if self.found.pop(image_id, None):
            self.data.pop(image_id, None)
            self.burnt.add(image_id)


class Pulling(Glance):
    """A Glance that reads data itself, and takes over another property.

    :param origin: the Glance that it reads from
    """

    pulls = True

    def __init__(self, origin, title='target', **options):
        super(Pulling, self).__init__(title, **options)
        self.origin = origin

    def write(self, image, data, hashes, progress=None):
        stored = self._get(image.id)
        if stored.status == 'queued':
            self.ask('POST import', image.id)
            stored = self._store(stored.but(
                status='importing', properties=dict(
                    stored.properties, taken='over')))
            self.ask('GET lost', image.id)
        if stored.status != 'importing':
            raise exception.ImageConflict(image_id=image.id)
        if progress:
            progress(0)
        self.ask('GET image', image.id)
        received = self.data[image.id] = self.origin.data[image.replica_of]
        return self._store(stored.but(
            status='active', size=len(received), hashes={
                name: hashlib.new(name, received).hexdigest()
                for name in self.algorithms}))
