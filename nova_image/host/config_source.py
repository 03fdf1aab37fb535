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

"""Enables the drivers from nova.conf, without a change of Nova's commands.

nova.conf needs these lines::

    [DEFAULT]
    config_source = nova_image
    [nova_image]
    driver = nova_image

oslo.config asks the configuration driver of that name for a source of options.
This driver has no options to offer, but it runs in every service, after the
configuration is parsed and before the service starts.

The module imports as little as possible. If it could not be imported,
oslo.config would ignore the driver, and Nova would use its own image code.
"""

import logging
import sys

from oslo_config import cfg
try:
    from oslo_config import sources
except ImportError:  # before Rocky's 6.4; nova-image-run needs the rest
    sources = None

LOG = logging.getLogger(__name__)

#: the name of this driver
NAME = 'nova_image'
#: what oslo.config logs, also in older releases (read in 7.0.0 and 10.7.0)
_LOAD_LINE = 'loading configuration from %r using %r'

#: Nova's programs that never use an image (read in 15.1.5 and 34.0.0). The
#: names of WSGI servers, such as uwsgi, do not tell what they serve.
WITHOUT_IMAGES = frozenset('nova-' + name for name in (
    'manage', 'status', 'policy', 'scheduler', 'novncproxy', 'serialproxy',
    'spicehtml5proxy', 'xvpvncproxy', 'api-metadata', 'network', 'cert',
    'console', 'consoleauth', 'dhcpbridge', 'idmapshift'))


class _OneLoadLine(logging.Filter):
    """Let oslo.config log only once that it loads this driver.

    It logs that for each ConfigOpts that parses nova.conf. nova-api has many:
    each filter ``cors`` of its api-paste.ini, five in Nova 34, has its own.
    """

    seen = False

    def __init__(self):
        super(_OneLoadLine, self).__init__()
        self.sections = set()

    def filter(self, record):
        """Return whether to log a record; all but repetitions are."""
        args = record.args
        if not (isinstance(args, tuple) and len(args) == 2 and
                args[1] == NAME and record.msg == _LOAD_LINE):
            return True
        is_new = args[0] not in self.sections
        self.sections.add(args[0])
        return is_new


# One for the process: it also has one logger of that name.
_ONE_LOAD_LINE = _OneLoadLine()


class Driver(getattr(sources, 'ConfigurationSourceDriver', object)):
    """The entry point ``nova_image`` of ``oslo.config.driver``."""

    def __init__(self):
        # oslo.config creates the driver just before it logs the line.
        logging.getLogger('oslo_config.cfg').addFilter(_ONE_LOAD_LINE)

    def list_options_for_discovery(self):
        """Return an empty list: the driver's section has no options."""
        return []

    def open_source_from_opt_group(self, conf, group_name):
        """Install the image driver if this process is a Nova service.

        :param conf: the ConfigOpts that is being set up; it is ignored
            unless it is Nova's own (a privsep helper has another)
        :param group_name: the section that names this driver
        :returns: a source without options
        :raises SystemExit: if the driver cannot be installed, with a one-line
            message, into a service that uses images; oslo.config swallows any
            other exception
        """
        nova_conf = sys.modules.get('nova.conf')
        if nova_conf is not None and conf is getattr(nova_conf, 'CONF', None):
            install_or_exit(conf)
        return _NoOptions()


def install_or_exit(conf=None):
    """Install the image driver into this process if it uses images.

    In the programs WITHOUT_IMAGES, it only warns if that would fail.

    :param conf: Nova's configuration; the global one by default
    :raises SystemExit: if it cannot be installed, with a one-line message
    """
    conf = conf or cfg.CONF
    if getattr(conf, 'prog', None) in WITHOUT_IMAGES:
        _warn_of_failure(conf)
        return
    try:
        from nova_image.host import bridge
        bridge.install(conf)
    except Exception as error:
        raise SystemExit(
            'nova_image cannot serve the images of this service, so the '
            'service does not start: %s: %s' % (
                type(error).__name__, error))


def _warn_of_failure(conf):
    try:
        from nova_image.host import bridge
        bridge.load(conf)
    except Exception as error:
        # Logging is not set up yet, so this appears on stderr.
        LOG.warning(
            'nova_image could not serve the images of services with this '
            'configuration; %s uses none and continues: %s: %s', conf.prog,
            type(error).__name__, ' '.join(('%s' % error).split()))


class _NoOptions(getattr(sources, 'ConfigurationSource', object)):
    """A source without options."""

    def get(self, group_name, option_name, opt):
        """Return oslo.config's value for a missing option."""
        return (sources._NoValue, None)
