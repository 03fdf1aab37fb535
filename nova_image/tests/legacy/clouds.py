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

"""The services that these tests share."""

import typing

from nova_image.tests import fixtures
from nova_image.tests.functional import servers as shared
from nova_image.tests.legacy import raw

#: The project of the servers and of most images.
PROJECT = 'demo'
#: What Nova's XenAPI driver needs for snapshots that pass Nova, which is not
#: in Glance's default.
FORMATS = {'image_format': {
    'container_formats': 'ami,ari,aki,bare,ovf,ova,docker,tgz'}}


class Cloud(typing.NamedTuple):
    """A Nova with nova_image, and a plain HTTP client of its Glance."""

    #: the only version that Glance serves, ``v1`` or ``v2``
    api: str
    #: the name of the driver's class, as in Nova's logs
    driver: str
    nova: fixtures.LegacyNova
    images: raw.Images


@shared.once
def glance_v2() -> fixtures.LegacyGlance:
    """A Glance that serves only v2."""
    return fixtures.LegacyGlance(apis=('v2',), options=FORMATS)


@shared.once
def stock_nova() -> fixtures.LegacyNova:
    """A Nova with its own image code, which uses v2."""
    return fixtures.LegacyNova(glance_v2())


@shared.once
def nova_v2() -> fixtures.LegacyNova:
    """A Nova with nova_image's driver for v2."""
    return with_nova_image(glance_v2(), 'false')


def by_v2() -> Cloud:
    """Return the cloud that has only v2."""
    return Cloud('v2', 'GlanceImageServiceV2', nova_v2(),
                 raw.V2(glance_v2().url, PROJECT))


def with_nova_image(glance: fixtures.LegacyGlance,
                    use_v1: str) -> fixtures.LegacyNova:
    """Return a Nova with nova_image; it is not set up yet.

    :param glance: the Glance with its images
    :param use_v1: the option ``[glance] use_glance_v1``
    """
    return fixtures.LegacyNova(glance, fixtures.NovaSettings(
        options={'glance': {'use_glance_v1': use_v1}},
        launcher=['nova-image-run']))
