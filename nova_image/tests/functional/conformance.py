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


"""One suite that every image driver passes, whatever Images API it speaks.

A driver of another package runs it too: a test module of its own names the
driver and the servers, and the test runner finds the rest::

    from nova_image.tests.functional import conformance

    class MyDriver(conformance.DriverConformance):
        keeps_property_case = False        # what it cannot do

        @property
        def url(self):                     # a Glance v2 over the same images
            return 'http://127.0.0.1:9292'

        def make_driver(self, **options):  # options of [glance]
            return my_package.MyDriver(...)

        def make_context(self, project, admin=False):
            return my_package.Context(...)

``make_context`` gives contexts that the server behind the driver takes for a
member, or an administrator, of any project. By default they are those of
nova_image.tests.functional.base, which a Glance without Keystone understands.
What happened is checked by plain HTTP at ``url``, a Glance that takes its
callers' identity from headers; no other images may be there, and all are
deleted at the end of each test.

What a driver cannot do, because the API behind it cannot, is said by
attributes of the class (nova_image.tests.functional.conformance_case has the
list with the meanings). Each chooses between two expectations: none switches
a check off, but for ``data_folder``.
"""

from nova_image.tests.functional import conformance_create
from nova_image.tests.functional import conformance_data
from nova_image.tests.functional import conformance_detail
from nova_image.tests.functional import conformance_members
from nova_image.tests.functional import conformance_show
from nova_image.tests.functional import conformance_update


class DriverConformance(conformance_detail.Detail,
                        conformance_show.Show,
                        conformance_create.Create,
                        conformance_update.Update,
                        conformance_data.Data,
                        conformance_members.Members):
    """The whole contract of nova_image.image.driver.ImageDriver."""
