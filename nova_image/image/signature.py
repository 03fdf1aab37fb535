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

"""Signatures of images: refused where they are wanted, for now.

Nothing here verifies yet, and an unverified image must not pass for a
verified one.
"""

from nova_image import exception


def refuse_if_wanted(conf, trusted_certs):
    """Raise when the caller or the operator wants signatures verified.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    :param trusted_certs: what download() was given
    :raises ImageUnacceptable: when they do
    """
    options = conf.glance
    if (trusted_certs or options.verify_glance_signatures or
            options.enable_certificate_validation):
        raise exception.ImageUnacceptable(
            'The signature of the image cannot be verified',
            reason='this release of nova_image has no signature verifier',
            advice='Ask for no trusted certificates, and leave [glance] '
                   'verify_glance_signatures and '
                   'enable_certificate_validation unset')
