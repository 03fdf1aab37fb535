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

"""What comes of an import into Glance, told as it is.

Who waits for an import gets one of these::

    Imported            the image is active with its data
     +-- Converted      and Glance has changed something on the way
    Failed              Glance has given up, or has other data than it should
    TimedOut            neither of these was seen in time

and, while it goes on, a Seen for every change.
"""

import collections

#: How an import stands.
#:
#: * ``state``: ``staging`` (data goes to Glance), ``pending`` (Glance has yet
#:   to begin), ``importing`` (it gets, converts or stores the data),
#:   ``finishing`` (the data is in the stores), ``unknown`` (Glance does not
#:   answer)
#: * ``status``: the image's, None before the first look
#: * ``stores``: list of the stores that have the data
#: * ``waiting``: list of the stores that do not have it yet
#: * ``failed``: list of the stores that could not take it
#: * ``done``: bytes that have arrived in this state, None where not known
#: * ``total``: bytes that there are, None where not known
Seen = collections.namedtuple(
    'Seen', 'state status stores waiting failed done total')


class Imported(collections.namedtuple(
        'Imported', 'image_id image stores failed request_id')):
    """The image is active with its data.

    * ``image``: dict in the callers' format, with ``os_hash_algo`` and
      ``os_hash_value`` beside it
    * ``stores``: list of the stores that have the data; empty where Glance
      has but one
    * ``failed``: {store: why} of those that could not take it; not empty only
      where not all of them had to
    * ``request_id``: that of the import, None where its answer was lost
    """

    __slots__ = ()
    #: whether the image can be used
    succeeded = True
    #: {name: (before, now)} of what Glance has changed of the image
    changes = {}

    @property
    def size(self):
        """Bytes that the image has."""
        return self.image['size']

    @property
    def hash(self):
        """(algorithm, hexadecimal digest) of the data, None where unknown."""
        return self.image['os_hash_algo'], self.image['os_hash_value']


class Converted(Imported):
    """The image is active, and may have other data than were sent.

    ``changes`` has ``disk_format`` and ``container_format`` where a plugin of
    Glance has converted the data, and the properties that one has set.
    """

    def __new__(cls, changes, *args):
        """Take what was changed before what Imported has."""
        self = super(Converted, cls).__new__(cls, *args)
        self.changes = changes
        return self


class Failed(collections.namedtuple(
        'Failed', 'image_id reason stores request_id cleaned')):
    """The image does not have the data that it should have.

    * ``reason``: why, in the words of Glance's task where it says any
    * ``stores``: {store: why} of those that could not take it
    * ``request_id``: as of Imported
    * ``cleaned``: whether nothing is left of it: no staged data and, where
      the call has made the image, no image
    """

    __slots__ = ()
    succeeded = False


class TimedOut(collections.namedtuple(
        'TimedOut', 'image_id reason seen request_id cleaned')):
    """The import may still go on, or hang for ever.

    * ``reason``: ``deadline``, or ``stalled`` where nothing moved for too
      long
    * ``seen``: the last Seen
    * ``request_id``, ``cleaned``: as of Failed; an image that Glance may be
      writing to a store right now is not deleted, for its data would stay
    """

    __slots__ = ()
    succeeded = False
