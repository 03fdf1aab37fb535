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

"""nova-image-status upgrade clients on the log of Glance 15.

Removed with the Images API v1.
"""

import json
import sys

from nova_image.tests.functional import base
from nova_image.tests.functional import cli_case
from nova_image.tests.functional import servers

_RUN = ('import sys; from nova_image.cmd import main; '
        'sys.exit(main.status())')


class ClientsTest(cli_case.CommandLineTest):
    """Calls of both drivers, and the log that Glance has of them."""

    # The script may not be installed, if this clone was updated.
    program = (sys.executable, '-c', _RUN)

    def test_callers_of_v1(self) -> None:
        glance = servers.glance15()
        begin = len(glance.log.read_bytes())
        context = self.admin(user_id='a-caller')
        for api in ('v1', 'v2'):
            driver = base.make_driver(api, [glance.url])
            image = driver.create(context, {'name': 'an image'})
            self.addCleanup(servers.RawGlance(glance.url).delete, image['id'])
            driver.show(context, image['id'])
            driver.detail(context, limit=1)

        def own() -> str:
            return glance.log.read_bytes()[begin:].decode()

        self.wait_for(lambda: own().count('"GET /v2/images?') == 1, 'logged')
        log = self.folder / 'api.log'
        log.write_text(own())
        done = self.run_it('upgrade', 'clients', '--json', str(log), code=1)
        found = json.loads(done.out)
        self.assertEqual({'POST /v1/images': 1, 'HEAD /v1/images/ID': 1,
                          'GET /v1/images/detail': 1}, found['operations'])
        client, = found['clients']
        self.assertEqual(
            ('127.0.0.1', self.project, 'a-caller', 3),
            tuple(client[name] for name in ('address', 'project', 'user',
                                            'calls')))
        self.assertEqual((0, {}), (found['unknown'], found['unreadable']))
        done = self.run_it('upgrade', 'clients', '-', code=1,
                           data=own().encode())
        self.assertRegex(done.out, '^3 of [0-9]+ requests call v1\n')
