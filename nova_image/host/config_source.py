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

"""Takes the drivers in through Nova's configuration.

Three lines in nova.conf do it, with stock commands::

    [DEFAULT]
    config_source = nova_image
    [nova_image]
    driver = nova_image

oslo.config asks the driver of that name for a source of options. This one has
none to give: it is there because it runs in every service, with the
configuration parsed and before the service begins.

Imports as little as it can: oslo.config would take a module that cannot be
imported for no driver at all, and Nova would run on with its own code.
"""

import sys

from oslo_config import sources


class Driver(sources.ConfigurationSourceDriver):
    """The entry point ``nova_image`` of ``oslo.config.driver``."""

    def list_options_for_discovery(self):
        """Return the options that the driver's section takes: none."""
        return []

    def open_source_from_opt_group(self, conf, group_name):
        """Install the image driver if this is a service of Nova's.

        :param conf: the ConfigOpts that is being set up; any other than
            Nova's own (a privsep helper has one) is left alone
        :param group_name: the section that names this driver
        :returns: a source without options
        :raises SystemExit: with one line, when the driver cannot be
            installed; oslo.config swallows anything else
        """
        nova_conf = sys.modules.get('nova.conf')
        if nova_conf is not None and conf is getattr(nova_conf, 'CONF', None):
            install_or_exit(conf)
        return _NoOptions()


def install_or_exit(conf=None):
    """Install the image driver into this process.

    :param conf: Nova's configuration
    :raises SystemExit: with one line, when it cannot be
    """
    try:
        from nova_image.host import bridge
        bridge.install(conf)
    except Exception as error:
        raise SystemExit(
            'nova_image cannot serve the images of this service, which '
            'therefore does not start: %s: %s' % (
                type(error).__name__, error))


class _NoOptions(sources.ConfigurationSource):
    """Knows no option."""

    def get(self, group_name, option_name, opt):
        """Return the answer for an option that is not there."""
        return (sources._NoValue, None)
