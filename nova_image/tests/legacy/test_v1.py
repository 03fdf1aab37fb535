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

"""Nova 15 with nova_image on a Glance that has only v1."""

from nova_image.tests.legacy import cases
from nova_image.tests.legacy import v1_clouds

_WARNING = 'The Glance Images API v1 is in use'


class V1CloudTest(cases.CloudCase):
    """``[glance] use_glance_v1 = True``."""

    def setUp(self) -> None:
        """Use the shared cloud."""
        super().setUp()
        self.use(v1_clouds.by_v1())

    def test_services_warn_once_about_v1(self) -> None:
        """Each service that handles images logs one warning."""
        for program in cases.PROGRAMS:
            lines = [line for line in
                     self.cloud.nova.log(program).splitlines()
                     if ' WARNING nova_image.' in line]
            self.assertEqual(1, len(lines), program)
            self.assertIn(_WARNING, lines[0])
            # Not on stderr either, which precedes the log.
            self.assertEqual(
                1, self.cloud.nova.log(program).count(_WARNING), program)
