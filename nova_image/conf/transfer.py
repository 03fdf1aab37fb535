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

"""Options of ``[glance]`` about the transfer of image data.

The defaults suit an image of 100 GiB. Nova has no such options.
"""

from oslo_config import cfg

OPTS = [
    cfg.IntOpt(
        'download_retries',
        default=5,
        min=0,
        help="""
How often a download that broke off goes on, without any data having arrived
in between.

It goes on at the byte where it stopped, at the next server if there are
several. Data that arrive fill this budget up again, so that a large image
survives any number of breaks. The waits are those of num_retries.
"""),
    cfg.IntOpt(
        'download_connections',
        default=1,
        min=1,
        max=8,
        help="""
How many connections the download of a large image (more than 8 MiB) takes at
a time, over all servers in turn.

More than 1 helps where one connection is slow, over a long distance above
all, and where the store gives parts of images. It takes 4 MiB of memory for
each. Glance's image cache has no part in it: it neither fills nor serves
requests for parts.
"""),
    cfg.IntOpt(
        'download_deadline',
        default=86400,
        min=0,
        help="""
How many seconds the download of one image may take in all. 0 means no limit.
"""),
    cfg.IntOpt(
        'transfer_stall_timeout',
        default=120,
        min=0,
        help="""
How many seconds a download waits for the next bytes before it takes the
connection for broken, and goes on with another. Stores that fetch an image
from elsewhere first, such as cinder, need some time for the first one. 0
leaves it to the option timeout.
"""),
    cfg.BoolOpt(
        'verify_uploads',
        default=True,
        help="""
Hash what is uploaded on its way, and compare with the hash that Glance
recorded. An image that is not what was sent is deleted. The size is compared
in any case.
"""),
    cfg.BoolOpt(
        'keep_partial_downloads',
        default=False,
        help="""
Keep what has arrived when a download to a file fails, or when its process is
killed, and go on there when the same image is downloaded to the same path
again.

It lies beside the path, in a hidden file that only its owner may read, and is
checked with the rest. Only images whose hash is known are kept.
"""),
    cfg.IntOpt(
        'partial_download_age',
        default=86400,
        min=60,
        help="""
After how many seconds a partial download that nobody works on is removed, by
the next download into the same folder. This also concerns what killed
processes have left while keep_partial_downloads is off.
"""),
    cfg.IntOpt(
        'page_cache_limit',
        default=256,
        min=0,
        help="""
Images of more than so many MiB do not stay in the host's page cache when they
are downloaded to a file.

They are written to disk while they arrive, and forgotten there. The cache then
keeps what guests and services have in it, and the flush at the end takes no
time. A smaller image stays, for whoever reads it next. 0 means that none does,
a number larger than all images that all do. Without effect on Python 2.7.
"""),
    cfg.BoolOpt(
        'share_downloads',
        default=True,
        help="""
Let callers on this host who download the same image at the same time, each to
a path of its own, share one transfer: the others wait, and copy the file.
Across threads and processes; needs transfer_lock_path, and an image whose
hash is known.
"""),
    cfg.IntOpt(
        'max_concurrent_transfers',
        default=0,
        min=0,
        help="""
How many images may be downloaded to this host at the same time; the others
wait. 0 means no limit. Needs transfer_lock_path.
"""),
    cfg.FloatOpt(
        'transfer_bandwidth',
        default=0.0,
        min=0,
        help="""
MiB a second that all downloads of this host together may take. 0 means no
limit. Needs transfer_lock_path.
"""),
    cfg.StrOpt(
        'transfer_lock_path',
        help="""
Folder for the locks of this host's transfers, shared by all services of the
host. By default [oslo_concurrency] lock_path, where it is set.
"""),
    cfg.BoolOpt(
        'inspect_images',
        default=False,
        help="""
Look at the format of each image that is downloaded, and refuse what may harm
the host (a backing file, a data file, extents in other files) and what is in
another format than its disk_format. Needs oslo.utils 7.4 or later. Downloads
to disk for virt drivers are always inspected.
"""),
]
