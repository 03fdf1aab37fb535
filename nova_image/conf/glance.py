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

"""The section ``[glance]``: which Glance to use, and how to reach it.

An option that Nova also has keeps Nova's name and meaning (nova.conf.glance
of 15.1.5 and 34.0.0). If Nova has registered it in this process already,
Nova's definition is used.

Lines of help texts have at most 68 columns: see nova_image.conf.opts.
"""

from keystoneauth1 import exceptions
from keystoneauth1 import loading
from oslo_config import cfg
from oslo_config import types

from nova_image.conf import importing
from nova_image.conf import transfer

#: name of the section
GROUP = 'glance'
_AUTH_PLUGINS = ('v3password', 'password', 'v3applicationcredential')

_SERVICE_OPTS = [
    # The default is False because the Glance that this project's gate runs
    # against serves only v2.
    cfg.BoolOpt(
        'use_glance_v1',
        default=False,
        deprecated_for_removal=True,
        deprecated_reason='Glance removed the Images API v1 in 17.0.0 '
                          '(Rocky). This option and the v1 driver will be '
                          'removed once the last cloud that needs them has '
                          'moved to v2.',
        help="""
Use the Images API v1 of Glance instead of v2.

Every Glance since 2014 serves v2. Set this option to True only if
the v2 API of your Glance is disabled or cannot be used yet.

The option is read once, when the driver is loaded.
"""),
    cfg.ListOpt(
        'api_servers',
        help="""
URLs of the Glance API servers.

Each image service object shuffles the list and moves to the next
server with each request. A version at the end of a URL is ignored;
a path before it is kept.

If the list is empty, the endpoint comes from endpoint_override or
from the service catalog.

Possible values:

* A list of URLs, such as http://glance1:9292,https://glance2/image
"""),
    cfg.IntOpt(
        'num_retries',
        default=3,
        min=0,
        help="""
Maximum number of times that a failed request to Glance is retried.

A request is retried after a connection error or a status of 429,
500, 502, 503 or 504, but only if it is safe to repeat. The waits
between attempts start at half a second, grow with each retry, are
jittered, and honour the server's Retry-After header.

0 disables retries.

Related options:

* max_retry_wait
* request_deadline
"""),
    transfer.finite(cfg.FloatOpt(
        'max_retry_wait',
        default=30.0,
        help="""
Maximum wait before a retry, in seconds.

If the server's Retry-After header asks for a longer wait, the
request is not retried and fails at once.
""")),
    cfg.IntOpt(
        'request_deadline',
        default=600,
        min=0,
        help="""
Maximum duration of a request to Glance, in seconds, including all
attempts, from connecting to the last byte of the answer.

A request that takes longer is interrupted. The time during which
image data is sent does not count, but no retry begins this long
after the first attempt. Downloads have a limit of their own.

0 means no limit.

Related options:

* timeout: how long to wait for the next byte.
* download_deadline
"""),
    cfg.IntOpt(
        'max_answer_size',
        default=64,
        min=1,
        help="""
Maximum size, in MiB, of an answer of Glance other than image data.
A larger one is refused before it fills the memory.

The largest answers are pages of 1000 images. An image has about
1 KiB there, and more if it has many or long properties.
"""),
    cfg.IntOpt(
        'location_timeout',
        default=600,
        min=0,
        help="""
Time, in seconds, to wait for an image to become active and hashed
after a location was added through Glance's locations API (Images
API 2.17 and later).

If the image is not active by then, the call fails, and Nova's
libvirt driver uploads the snapshot instead. If it is active but not
hashed yet, it is used, and a warning is logged.

If the caller passes a hash and Glance has do_secure_hash enabled,
Glance reads and hashes all of the data before the image becomes
active.
"""),
    cfg.BoolOpt(
        'debug',
        default=False,
        help="""
Log each request to Glance with its status and duration, and enable
the debug messages of python-glanceclient. Both are logged at level
DEBUG.

Tokens and credentials are never logged.
"""),
]

_SIGNATURE_OPTS = [
    cfg.BoolOpt(
        'verify_glance_signatures',
        default=False,
        help="""
Verify the signature of every image that is downloaded.

An image without a valid signature is refused. The certificates of
the signers are read from the key manager.

Related options:

* enable_certificate_validation
* default_trusted_certificate_ids
* The options in the key_manager section.
"""),
    cfg.BoolOpt(
        'enable_certificate_validation',
        default=False,
        help="""
Validate the certificate of an image signature against the trusted
certificates.

These are the ones that the request names or, if it names none,
default_trusted_certificate_ids. If there are none at all, signature
verification fails.

Related options:

* verify_glance_signatures
* default_trusted_certificate_ids
"""),
    cfg.ListOpt(
        'default_trusted_certificate_ids',
        default=[],
        help="""
IDs of the certificates to trust if a request does not name any.

Related options:

* enable_certificate_validation: without it, this option has no
  effect.
"""),
]

_DIRECT_OPTS = [
    cfg.ListOpt(
        'direct_file_roots',
        default=[],
        help="""
Directories of Glance's file stores that are mounted on this host,
at the same paths as on the Glance host.

An image with a location (file:///...) below one of them is copied
from there and verified like a download from Glance. Symbolic links
that lead out of these directories are refused. If an image cannot
be copied, it is downloaded through the Images API, and a warning is
logged.

Glance must reveal the locations of images: to services (Images API
2.17 and later), or with show_multiple_locations or
show_image_direct_url.

If the list is empty, no image is copied from a file store.

Possible values:

* A list of absolute paths, such as /var/lib/glance/images
"""),
    cfg.ListOpt(
        'direct_swift_endpoints',
        default=[],
        help="""
URLs of the Swift in which Glance stores images by tenant (its
option swift_store_multi_tenant).

An image with a location (swift+https://...) below one of them is
read from there with the caller's token, and verified like a
download from Glance. If it is interrupted, it resumes at the byte
where it stopped, which Glance does not support for Swift. If an
image cannot be read from Swift, it is downloaded through the Images
API, and a warning is logged.

Tokens are sent to these endpoints only. URLs with credentials, of
stores that are not tenant-specific, are refused.

Glance must reveal the locations of images: to services (Images API
2.17 and later), or with show_multiple_locations or
show_image_direct_url.

If the list is empty, no image is read from Swift.

Possible values:

* A list of URLs, such as https://swift.example.org:8080/v1
"""),
    cfg.BoolOpt(
        'enable_rbd_download',
        default=False,
        help="""
Read images that Glance stores in Ceph directly from there, over
RBD.

Enable this on hosts that keep the disks of servers in files; hosts
that keep them in Ceph do not need it. Images are verified like
downloads from Glance. If an image cannot be read from Ceph, it is
downloaded through the Images API, and a warning is logged.

Glance must reveal the locations of images: to services (Images API
2.17 and later), or with show_multiple_locations or
show_image_direct_url.

Related options:

* rbd_user
* rbd_connect_timeout
* rbd_ceph_conf
"""),
    cfg.StrOpt(
        'rbd_user', default='',
        help="""
RADOS client name for accessing images stored as RBD volumes.

If empty, [libvirt] rbd_user is used inside Nova.
"""),
    cfg.IntOpt(
        'rbd_connect_timeout', default=5, min=0,
        help="""
Timeout, in seconds, of the initial connection to the Ceph cluster.
"""),
    cfg.StrOpt(
        'rbd_pool', default='',
        help="""
RADOS pool in which Glance stores images as RBD volumes.

This option has no effect, as in Nova: the location of an image
names its pool.
"""),
    cfg.StrOpt(
        'rbd_ceph_conf', default='',
        help="""
Path to the Ceph configuration file.

If empty, [libvirt] images_rbd_ceph_conf is used inside Nova. If
that is empty too, Ceph's default is used.
"""),
]


def _adapter_opts():
    """Return the catalog options, with Nova's preferred interfaces."""
    opts = loading.get_adapter_conf_options(include_deprecated=False)
    cfg.set_defaults(opts, service_type='image',
                     valid_interfaces=['internal', 'public'])
    for opt in opts:
        if isinstance(opt, cfg.FloatOpt):
            transfer.finite(opt)
        elif isinstance(opt, cfg.IntOpt):
            opt.type = types.Integer(min=0)
    return opts


def _session_opts():
    """Return keystoneauth's options of connections.

    requests refuses the timeout 0, and a socket one that is too long.
    """
    opts = loading.get_session_conf_options()
    for opt in opts:
        if opt.dest == 'timeout':
            opt.type = types.Integer(min=1, max=transfer.LONGEST_WAIT)
    return opts


def registered_opts():
    """Return the options that register_opts() registers."""
    return _own_opts() + loading.get_auth_common_conf_options()


def _own_opts():
    return (_SERVICE_OPTS + transfer.OPTS + importing.OPTS +
            _SIGNATURE_OPTS + _DIRECT_OPTS +
            _session_opts() + _adapter_opts())


def all_opts():
    """Return every option of ``[glance]``, including keystoneauth's.

    Those of other auth plugins than _AUTH_PLUGINS are not listed: there are
    as many as there are plugins.
    """
    opts = registered_opts()
    for plugin in _AUTH_PLUGINS:
        known = {opt.dest for opt in opts}
        opts += [opt for opt in _auth_opts(plugin) if opt.dest not in known]
    return opts


def _auth_opts(plugin):
    try:
        return loading.get_auth_plugin_conf_options(plugin)
    except exceptions.NoMatchingPlugin:
        return []  # keystoneauth is older than the plugin


def register_opts(conf):
    """Register the options of ``[glance]`` that ``conf`` does not have yet.

    :param conf: an oslo.config ConfigOpts
    """
    # Each conf gets a group of its own: copies of one would share options.
    conf.register_group(cfg.OptGroup(GROUP, title='Glance options'))
    for opt in registered_opts():
        try:
            conf.register_opt(opt, group=GROUP)
        except cfg.DuplicateOptError:
            continue  # the host process's own definition wins
