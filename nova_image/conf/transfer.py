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

"""Options of ``[glance]`` for transfers of image data.

The defaults suit an image of 100 GiB. Nova does not have these options.
"""

from oslo_config import cfg
from oslo_config import types

#: longest timeout of a socket in seconds: its milliseconds are a C int
LONGEST_WAIT = 2147483


class Finite(types.Float):
    """A number other than nan and inf, which pass min and max."""

    def __call__(self, value):
        """Return a float, or None for an empty text.

        :raises ValueError: if it is not a number, or out of range
        """
        number = super(Finite, self).__call__(value)
        if number is not None and not abs(number) < float('inf'):
            raise ValueError('Should be a finite number')
        return number


def finite(opt):
    """Return a FloatOpt that refuses nan, inf and numbers below 0."""
    opt.type = Finite(min=0)
    return opt


OPTS = [
    cfg.IntOpt(
        'download_retries',
        default=5,
        min=0,
        help="""
Maximum number of successive attempts to resume an interrupted
download that receive no data.

A download resumes at the byte where it stopped, from the next
server if there are several. Data that arrives resets the count, so
a large image survives any number of interruptions. The waits
between attempts are the same as for num_retries.

Related options:

* max_retry_wait
* download_deadline
"""),
    cfg.IntOpt(
        'download_connections',
        default=8,
        min=1,
        max=8,
        help="""
Maximum number of parallel connections for the download of an image.

A download begins with one connection. If the server is far away (a
round trip of 20 ms or more), at least 32 MiB are left, and the
window of the connection limits its rate, other connections read
parts of the image, spread over all servers in turn. If they are not
at least 20 % faster than one, the rest is read by one again.

More than one connection requires a store that can return parts of
images. They take 3 MiB of memory each, and 3 MiB in addition.

Glance's image cache is bypassed: requests for parts of an image
neither fill it nor are served from it.

1 means that downloads never use more than one.
"""),
    cfg.IntOpt(
        'download_deadline',
        default=86400,
        min=0,
        help="""
Maximum duration of the download of one image, in seconds, including
all attempts. A download that takes longer is interrupted, even
while data arrives.

0 means no limit.

Related options:

* transfer_stall_timeout: how long to wait for the next byte.
"""),
    cfg.IntOpt(
        'max_unsized_download',
        default=1024,
        min=0,
        help="""
Maximum size, in GiB, of the data of an image whose size Glance has
not recorded. A download ends before it exceeds this limit.

An image with a recorded size is limited to that size.

0 means no limit.
"""),
    cfg.IntOpt(
        'transfer_stall_timeout',
        default=120,
        min=0,
        max=LONGEST_WAIT,
        help="""
Time, in seconds, that a download waits for more data before it
drops the connection and resumes on another.

Stores that fetch an image from elsewhere first, such as cinder,
need some time before the first byte.

0 means that the option timeout applies instead.
"""),
    cfg.BoolOpt(
        'verify_uploads',
        default=True,
        help="""
Hash image data while it is uploaded, and compare the result with
the hash that Glance recorded.

An image that does not match is deleted. The size is always
compared, even if this option is False.
"""),
    cfg.IntOpt(
        'sized_upload_limit',
        default=0,
        min=0,
        help="""
Largest size, in MiB, of an upload whose size Glance is told before
the data. Larger uploads are sent in chunks, without their size.

Set this below Glance's swift_store_large_object_size (5120 by
default, in units of 1000 KiB) if Glance stores images in Swift with
glance_store 5.0 to 5.7. If these know the size of an image that
they store in segments, they fail after a minute unless its last
segment is full. Without this option, the first such upload is sent
again without its size after the failure, and others follow its
example for ten minutes.

Other stores, such as Ceph, are faster if they know the size.

0 means no limit.
"""),
    cfg.BoolOpt(
        'keep_partial_downloads',
        default=False,
        help="""
Keep the data that has arrived if a download to a file fails or its
process is killed, and resume there when the same image is
downloaded to the same path again.

The data is kept next to the path, in a hidden file that only its
owner can read, and is verified with the rest. Only images with a
known hash are kept.

Related options:

* partial_download_age
"""),
    cfg.IntOpt(
        'partial_download_age',
        default=86400,
        min=60,
        help="""
Age, in seconds, at which an abandoned partial download is removed
by the next download into the same directory.

This includes files of killed processes, even if
keep_partial_downloads is False.
"""),
    cfg.IntOpt(
        'page_cache_limit',
        default=256,
        min=0,
        help="""
Size, in MiB, above which an image that is downloaded to a file is
kept out of the host's page cache.

A larger image is written to disk and dropped from the cache while
it arrives. The cache keeps the data of guests and services, and the
final flush takes almost no time. A smaller image stays in the cache
for its next reader.

0 keeps every image out of the cache; a value above the size of all
images keeps them all in it.

This option has no effect on Python 2.7.
"""),
    cfg.BoolOpt(
        'share_downloads',
        default=True,
        help="""
Let concurrent downloads of the same image to different paths on
this host share one transfer.

One of them transfers the data; the others wait and copy its file.
This works across threads and processes, for images with a known
hash.

Related options:

* transfer_lock_path: without it, downloads are not shared.
"""),
    cfg.IntOpt(
        'max_concurrent_transfers',
        default=0,
        min=0,
        help="""
Maximum number of images that are downloaded to this host at the
same time. Further downloads wait.

0 means no limit.

Related options:

* transfer_lock_path: required if this option is set.
"""),
    finite(cfg.FloatOpt(
        'transfer_bandwidth',
        default=0.0,
        help="""
Maximum bandwidth of all downloads to this host together, in MiB per
second.

0 means no limit.

Related options:

* transfer_lock_path: required if this option is set.
""")),
    cfg.StrOpt(
        'transfer_lock_path',
        help="""
Directory for the locks of this host's transfers. All services on
the host must use the same one.

Defaults to [oslo_concurrency] lock_path, if that is set.

Related options:

* share_downloads
* max_concurrent_transfers
* transfer_bandwidth
"""),
    cfg.BoolOpt(
        'inspect_images',
        default=False,
        help="""
Inspect the format of every image that is downloaded.

Images that could harm the host are refused: those with a backing
file, a data file or extents in other files. So are images whose
data is in another format than their disk_format. Downloads to disk
for virt drivers are always inspected.

Requires oslo.utils 7.4 or later.
"""),
]
