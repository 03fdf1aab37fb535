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

"""The version of nova_image, without the imports of pbr.

nova_image.version uses pbr, which imports several times as much.
"""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """Return the installed version, such as ``'1.0.0'``."""
    return metadata.version('nova_image')
