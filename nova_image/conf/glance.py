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

"""Section ``[glance]``: which Glance, which Images API, how to talk to it.

Names and meanings are Nova's (nova.conf.glance of 15.1.5 and 34.0.0). In a
process where Nova has registered an option already, Nova's stays as it is.
"""

from keystoneauth1 import loading
from oslo_config import cfg

from nova_image.conf import importing
from nova_image.conf import transfer

#: name of the section
GROUP = 'glance'

_SERVICE_OPTS = [
    cfg.BoolOpt(
        'use_glance_v1',
        default=False,
        deprecated_for_removal=True,
        deprecated_reason='Glance removed the Images API v1 in its release '
                          '17.0.0 (Rocky); this option and the v1 driver go '
                          'when the last cloud that needs them has moved.',
        help="""
Talk to Glance through the Images API v1 instead of v2.

Read once, when the driver is loaded. The default is False because every
Glance since 2014 serves v2, and because the gate of this project runs against
a Glance that serves nothing else: True is for a Glance whose v2 API is
switched off or cannot be used yet.
"""),
    cfg.ListOpt(
        'api_servers',
        help="""
URLs of Glance API servers, such as http://glance1:9292,https://glance2/image.

Every image service object asks them in an order of its own and turns to the
next one with each request. A version at the end of a URL is ignored, a path
before it is kept. Left empty, the endpoint comes from endpoint_override or
from the service catalog.
"""),
    cfg.IntOpt(
        'num_retries',
        default=3,
        min=0,
        help="""
How often a request is repeated after a connection error or one of the answers
429, 500, 502, 503 and 504.

Only what can be repeated safely is repeated. The waits grow from half a
second, are jittered, and honour Retry-After. 0 switches repeats off.
"""),
    cfg.FloatOpt(
        'max_retry_wait',
        default=30.0,
        min=0,
        help="""
The longest wait before a repeat, in seconds. A Retry-After of the server that
asks for more ends the call with its error at once.
"""),
    cfg.IntOpt(
        'request_deadline',
        default=600,
        min=0,
        help="""
No repeat of a request is begun later than this many seconds after its first
attempt. 0 means no such limit.
"""),
    cfg.IntOpt(
        'location_timeout',
        default=600,
        min=0,
        help="""
How many seconds an image that was given a location through the locations API
of Glance (2.17 and later) may take to become active, and then to be hashed.

An image that is active by then is used as it is, with a warning; one that is
not is an error, upon which Nova's libvirt driver uploads its snapshot. Glance
hashes first where the caller has handed in a hash, and reads all of the data
for it.
"""),
    cfg.BoolOpt(
        'debug',
        default=False,
        help="""
Log each request to Glance with its status and time at level DEBUG, and the
debug lines of python-glanceclient. Never contains tokens or credentials.
"""),
]

_SIGNATURE_OPTS = [
    cfg.BoolOpt(
        'verify_glance_signatures',
        default=False,
        help="""
Verify the signature of each image that is downloaded. An image without a
valid one is refused.
"""),
    cfg.BoolOpt(
        'enable_certificate_validation',
        default=False,
        help="""
Validate the certificate of an image signature against trusted ones: those of
the request, else default_trusted_certificate_ids.
"""),
    cfg.ListOpt(
        'default_trusted_certificate_ids',
        default=[],
        help='IDs of the certificates that are trusted when a request names '
             'none.'),
]

_DIRECT_OPTS = [
    cfg.ListOpt(
        'direct_file_roots',
        default=[],
        help="""
Folders of Glance's file stores that this host has mounted, at the same paths
as Glance, such as /var/lib/glance/images.

An image with a location (file:///...) below one of them is copied from there,
and checked as if it came from Glance. Symbolic links that lead out of them
are refused. Glance must tell the location: to services (Images API 2.17), or
by show_multiple_locations or show_image_direct_url. Left empty, all images
come through the Images API.
"""),
    cfg.BoolOpt(
        'enable_rbd_download',
        default=False,
        help="""
Read images that Glance keeps in Ceph from there, by RBD.

They are checked as if they came from Glance. Glance must tell the location:
to services (Images API 2.17), or by show_multiple_locations or
show_image_direct_url. For hosts that keep the disks of servers in files, not
in Ceph as well. What cannot be read comes through the Images API, with a
warning.
"""),
    cfg.StrOpt(
        'rbd_user', default='',
        help='RADOS client name for images stored as RBD volumes. Left '
             'empty, inside Nova that of [libvirt] rbd_user.'),
    cfg.IntOpt(
        'rbd_connect_timeout', default=5,
        help='Seconds to wait for the first connection to the Ceph cluster.'),
    cfg.StrOpt(
        'rbd_pool', default='',
        help='RADOS pool in which Glance keeps its RBD volumes. Without '
             "effect, as in Nova: an image's location names its pool."),
    cfg.StrOpt(
        'rbd_ceph_conf', default='',
        help='Path of the Ceph configuration file. Left empty, inside Nova '
             "that of [libvirt] images_rbd_ceph_conf, else Ceph's default."),
]


def _adapter_opts():
    """The catalog options, with the interfaces that Nova prefers."""
    opts = loading.get_adapter_conf_options(include_deprecated=False)
    cfg.set_defaults(opts, service_type='image',
                     valid_interfaces=['internal', 'public'])
    return opts


def _own_opts():
    return (_SERVICE_OPTS + transfer.OPTS + importing.OPTS +
            _SIGNATURE_OPTS + _DIRECT_OPTS +
            loading.get_session_conf_options() + _adapter_opts())


def all_opts():
    """Return every option of ``[glance]``, those of keystoneauth included."""
    return (_own_opts() + loading.get_auth_common_conf_options() +
            loading.get_auth_plugin_conf_options('v3password'))


def register_opts(conf):
    """Register the options of ``[glance]`` that ``conf`` does not have yet.

    :param conf: an oslo.config ConfigOpts
    """
    # A group of its own for each conf: copies of one would share options.
    conf.register_group(cfg.OptGroup(GROUP, title='Glance options'))
    for opt in _own_opts() + loading.get_auth_common_conf_options():
        try:
            conf.register_opt(opt, group=GROUP)
        except cfg.DuplicateOptError:
            continue  # the host process has it; its definition is the law
