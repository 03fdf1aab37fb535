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

"""Images through the plugin for dom0 and v1, there and back.

This module is removed together with the v1 driver.
"""

from nova_image.tests import fixtures
from nova_image.tests.functional import dom0_case
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_dom0
from nova_image.tests.functional import test_dom0_faults


def download_v1(url: str, image: str) -> dom0_case.Request:
    """Return the request for an image's data through v1."""
    return {'url': '%s/v1/images/%s' % (url, image)}


def upload_v1(url: str, image: str) -> dom0_case.Request:
    """Return the request for an upload through v1."""
    return {
        'url': '%s/v1/images/%s' % (url, image), 'method': 'PUT',
        'headers': {'Content-Type': 'application/octet-stream',
                    'x-glance-registry-purge-props': 'false'},
        'expects': [200],
        'check': {'url': '%s/v1/images/%s' % (url, image), 'method': 'HEAD',
                  'header': 'x-image-meta-status', 'field': None,
                  'expects': 'queued'}}


class V1OnGlance15Test(test_dom0.V2OnGlance15Test):
    """With v1 of Glance 15, on Python 2.7."""

    download = staticmethod(download_v1)
    upload = staticmethod(upload_v1)


class Python3Test(V1OnGlance15Test):
    """With v1 of Glance 15, on this Python."""

    def python(self) -> None:
        """Return the running Python."""


class V1FaultsTest(test_dom0_faults.FaultsTest):
    """Calls with faults, with v1 of Glance 15."""

    first = 8000
    status_method = 'HEAD'
    download = staticmethod(download_v1)
    upload = staticmethod(upload_v1)

    def glance(self) -> fixtures.Service:
        """Return Glance 15."""
        return servers.glance15()

    def is_stuck(self, image: str) -> bool:
        """Return whether Glance could not write that an upload has failed.

        SQLite locks its database while it writes something else, and Glance
        does not try again.
        """
        return 'Unable to kill image %s' % image in self.server.log.read_text(
            errors='replace')
