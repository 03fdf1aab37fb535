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


"""The exact requests of the v2 driver, on real servers."""

import pathlib

from nova_image.tests.functional import budgets
from nova_image.tests.functional import servers
from nova_image.tests.functional import test_v2

_IMAGE = '/v2/images/ID'


class V2Requests:
    """The requests of the v2 driver."""

    show = ['GET ' + _IMAGE]
    detail = 'GET /v2/images'
    create = ['POST /v2/images']
    member = ['POST %s/members' % _IMAGE]
    members = ['GET %s/members' % _IMAGE]
    member_status = ['PUT %s/members/ID' % _IMAGE]
    member_removal = ['DELETE %s/members/ID' % _IMAGE]
    upload = ['PUT %s/file' % _IMAGE, 'GET ' + _IMAGE]
    empty = create + upload
    empty_first = ['GET /v2/schemas/image'] + create + upload
    update = ['GET ' + _IMAGE, 'PATCH ' + _IMAGE]
    update_nothing = ['GET ' + _IMAGE]
    update_with_data = update + upload
    delete = ['DELETE ' + _IMAGE]
    download = ['GET ' + _IMAGE, 'GET %s/file' % _IMAGE]


class BudgetsOnGlance33Test(V2Requests, test_v2.OnGlance33, budgets.Budgets):
    """The v2 driver on Glance 33."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return self.server.folder / 'database.sqlite'


class BudgetsOnGlance15Test(V2Requests, test_v2.OnGlance15, budgets.Budgets):
    """The v2 driver on Glance 15."""

    @property
    def database(self) -> pathlib.Path:
        """Its sqlite database."""
        return servers.glance15().database
