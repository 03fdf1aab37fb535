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

"""The results of an import, as callers see them.

Callers that wait for an import receive one of these::

    Result
     +-- Imported       the image is active with its data
     |    +-- Converted     and Glance has changed the image on the way
     +-- Failed         Glance has failed, or has other data than expected
     +-- TimedOut       neither was seen in time

They have the same attributes, compare by value, and can be copied and
pickled. While an import is in progress, there is a Seen for every change.
"""

import collections

#: The state of an import.
#:
#: * ``state``: ``staging`` (the data is sent to Glance), ``pending`` (Glance
#:   has not begun), ``importing`` (Glance reads, converts or stores the data),
#:   ``finishing`` (the data is in the stores), ``unknown`` (Glance does not
#:   answer)
#: * ``status``: that of the image, None before the first look
#: * ``stores``: list of the stores that have the data
#: * ``waiting``: list of the stores that do not have it yet
#: * ``failed``: list of the stores that could not store it
#: * ``done``: bytes processed in this state, None if unknown
#: * ``total``: bytes to process in this state, None if unknown
Seen = collections.namedtuple(
    'Seen', 'state status stores waiting failed done total')

#: The state of the last import of an image, whoever began it.
#:
#: * ``state``: ``none`` (no import is known, or the data came in another way
#:   after it had failed), ``staged`` (data is being staged, or is staged),
#:   ``importing``, ``failed`` (the image does not have the data),
#:   ``incomplete`` (the image is active, but a store that should have the
#:   data does not), ``done``
#: * ``status``: that of the image
#: * ``stores``: list of the stores that have the data
#: * ``waiting``: list of the stores that Glance has yet to fill
#: * ``failed``: list of the stores that could not store the data in this or
#:   an earlier import
#: * ``method``: Glance's name of the import method; ``location`` if a location
#:   is being added
#: * ``task_id``, ``task_status``, ``message``, ``request_id``: of Glance's
#:   task, in its own words
#: * ``began_at``, ``changed_at``: when the task began and last changed, aware
#:   datetimes
#: * ``ended``: why the waiting ended although the import is in progress:
#:   ``deadline`` or ``stalled``
#:
#: Anything that is not known is None.
Status = collections.namedtuple(
    'Status', 'state status stores waiting failed method task_id task_status '
    'message request_id began_at changed_at ended')

_FIELDS = ('image_id', 'image', 'reason', 'stores', 'failed', 'changes',
           'seen', 'request_id', 'cleaned')


class Result(collections.namedtuple('Result', _FIELDS)):
    """What an import has come to.

    * ``image_id``: ID of the image
    * ``image``: the image of a success, a dict in the callers' format with
      all fields; otherwise None
    * ``reason``: why there is no success, in the words of Glance's task if it
      has any; ``'deadline'`` or ``'stalled'`` (no change for too long) of a
      TimedOut; None of a success
    * ``stores``: list of the stores that have the data; empty if Glance has
      only one
    * ``failed``: {store: reason} of the stores that could not store it; of a
      success only if not all of them had to
    * ``changes``: {name: (before, now)} of what Glance has changed in the
      image: ``disk_format`` and ``container_format`` if a plugin of Glance
      has converted the data, and the properties that a plugin has set
    * ``seen``: the last Seen; None if there was none
    * ``request_id``: that of the import, None if its answer was lost
    * ``cleaned``: whether nothing is left of a failure: no staged data and,
      if the call has created the image, no image. False of a success.
    """

    __slots__ = ()
    #: whether the image can be used
    succeeded = False
    #: whether the import may still be in progress
    timed_out = False

    def __eq__(self, other):
        return type(self) is type(other) and tuple(self) == tuple(other)

    def __ne__(self, other):
        return not self == other

    # Dicts are among the values.
    __hash__ = None

    @property
    def size(self):
        """The size of the data in bytes; None without an image."""
        return self.image and self.image['size']

    @property
    def hash(self):
        """The algorithm and the hexadecimal digest of the data, or None."""
        return self.image and (self.image['os_hash_algo'],
                               self.image['os_hash_value'])


class Imported(Result):
    """The image is active with its data."""

    __slots__ = ()
    succeeded = True


class Converted(Imported):
    """The image is active, and its data may differ from what was sent."""

    __slots__ = ()


class Failed(Result):
    """The image does not have the data that it should have."""

    __slots__ = ()


class TimedOut(Result):
    """The import may still be in progress, or hang forever.

    An image that Glance may be storing is not deleted, because its data would
    stay in the store.
    """

    __slots__ = ()
    timed_out = True
