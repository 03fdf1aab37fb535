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


"""The suite that every image driver passes, whichever API it uses.

A driver of another package runs it too. Its test module names the driver and
the servers, and the test runner finds the rest::

    from nova_image.tests.functional import conformance

    class MyDriver(conformance.DriverConformance):
        keeps_property_case = False        # not supported by this driver

        @property
        def url(self):                     # v2 of a Glance, same images
            return 'http://127.0.0.1:9292'

        def make_driver(self, **options):  # options of [glance]
            return my_package.MyDriver(...)

        def make_context(self, project, admin=False):
            return my_package.Context(...)

``make_context`` returns contexts that the driver's server accepts as those of
a member, or an administrator, of any project. By default they are contexts of
nova_image.tests.functional.base, which a Glance without Keystone accepts. The
suite checks the results by plain HTTP at ``url``, a Glance that reads its
callers' identity from headers. That Glance must have no other images: each
test deletes all of them when it ends.

Attributes of the class describe what the API behind a driver does not support;
nova_image.tests.functional.conformance_case lists them. Each selects one of
two expectations. None disables a check, except ``data_folder``.
"""

from nova_image.tests.functional import conformance_create
from nova_image.tests.functional import conformance_data
from nova_image.tests.functional import conformance_detail
from nova_image.tests.functional import conformance_members
from nova_image.tests.functional import conformance_requests
from nova_image.tests.functional import conformance_show
from nova_image.tests.functional import conformance_update


class DriverConformance(conformance_detail.Detail,
                        conformance_show.Show,
                        conformance_create.Create,
                        conformance_update.Update,
                        conformance_data.Data,
                        conformance_requests.Requests,
                        conformance_members.Members):
    """The whole contract of nova_image.image.driver.ImageDriver."""
