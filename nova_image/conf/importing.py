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

"""Options of ``[glance]`` for imports. Nova does not have them."""

from oslo_config import cfg

OPTS = [
    cfg.BoolOpt(
        'import_uploads',
        default=False,
        help="""
Upload image data by importing it, with the method glance-direct.

The data is staged in Glance and then imported into its default
store. The call returns when the image is active.

Enable this for a Glance whose plugins must see all data, to convert
or inspect it, and whose policy forbids uploads that bypass them.
The data is written twice. A snapshot that Glance converts gets
another disk_format and size than the data that was sent.

Related options:

* import_timeout
* import_stall_timeout
"""),
    cfg.IntOpt(
        'import_timeout',
        default=86400,
        min=0,
        help="""
Maximum duration of an import, in seconds, unless the caller passes
a timeout.

0 means no limit.
"""),
    cfg.IntOpt(
        'import_stall_timeout',
        default=3600,
        min=0,
        help="""
Time, in seconds, without a sign of progress after which an import
is considered hung.

Glance shows progress about once a minute while it writes to a
store, and none while it downloads or converts. Set this option to
more than the longest of these steps takes. The default is the time
after which Glance itself lets another import take over.

0 disables the check.
"""),
]
