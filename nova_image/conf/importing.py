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

"""Options of ``[glance]`` about imports. Nova has no such options."""

from oslo_config import cfg

OPTS = [
    cfg.BoolOpt(
        'import_uploads',
        default=False,
        help="""
Give Glance the data of images by its import, method glance-direct: they are
staged, imported into Glance's default store, and the call waits until the
image is active.

For a Glance that lets its plugins see all data, to convert or to inspect it,
and whose policy lets nobody upload past them. It takes twice the writes. A
snapshot that Glance has converted has another disk_format and size than what
was sent.
"""),
    cfg.IntOpt(
        'import_timeout',
        default=86400,
        min=0,
        help="""
How many seconds Glance may take for an import, unless the caller says
otherwise. 0 means no limit.
"""),
    cfg.IntOpt(
        'import_stall_timeout',
        default=3600,
        min=0,
        help="""
After how many seconds without a sign of life an import counts as hung. 0
means never.

Glance gives a sign about once a minute while it writes to a store, and none
while it downloads or converts. The default is the time after which Glance
itself lets another import take over.
"""),
]
