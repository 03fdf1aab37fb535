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

"""Reports on a run while it is at work."""

from __future__ import annotations

from nova_image.replication import record as records
from nova_image.replication import results


class Watcher:
    """Is told what happens; the base class does nothing.

    Its methods are called from several threads.
    """

    def listed(self, images: int) -> None:
        """Take the number of images that were listed so far."""

    def planned(self, images: int, size: int) -> None:
        """Take the number of images to transfer, and their bytes.

        Called again if there are more than was known; includes earlier ones.
        """

    def began(self, image: records.Record, target: str) -> None:
        """Take an image whose transfer begins."""

    def sent(self, image: records.Record, target: str, size: int) -> None:
        """Take the number of bytes of an image that were sent so far."""

    def ended(self, outcome: results.Outcome) -> None:
        """Take what became of an image."""
