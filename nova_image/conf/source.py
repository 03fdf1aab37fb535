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

"""Options that enable nova_image in Nova, for samples and validators.

oslo.config registers them itself, as soon as a configuration is parsed, so
nova_image only lists them, with the other options of their section.
"""

from oslo_config import cfg

from nova_image.conf import metrics

NAME = 'nova_image'

_CONFIG_SOURCE = cfg.ListOpt(
    'config_source',
    metavar='SOURCE',
    default=[],
    help="""
Names of sections that load a configuration driver.

Add nova_image to enable nova_image in the services of Nova. It adds
no options from elsewhere.

Related options:

* driver in the section nova_image
""")

_DRIVER = cfg.StrOpt(
    'driver',
    help="""
Name of the configuration driver.

The driver nova_image makes the service use the image drivers of
nova_image. Without this option, Nova uses its own image code.

Related options:

* config_source in the section DEFAULT must name this section.
""")


def list_opts():
    """Return the options as ``[(section, [options])]``."""
    return [('DEFAULT', [_CONFIG_SOURCE]), (NAME, [_DRIVER] + metrics.OPTS)]
