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

"""``nova-image-run SERVICE [ARGUMENT ...]``: a Nova service with our drivers.

For releases of Nova whose oslo.config does not support configuration drivers,
such as 15, and for operators who prefer the drivers to be visible in the
command. In a newer Nova, nova.conf can enable them without a change of the
commands: see nova_image.host.config_source.
"""

import sys

from stevedore import named

USAGE = """Usage: nova-image-run SERVICE [ARGUMENT ...]

Run a Nova service, such as nova-compute, with the image drivers of nova_image.
All arguments are passed to the service.

Example: nova-image-run nova-compute --config-file /etc/nova/nova.conf"""


def install_once_configured():
    """Make Nova install the drivers as soon as it has read its files."""
    from nova import config

    original = config.parse_args

    def parse_args(*args, **kwargs):
        result = original(*args, **kwargs)
        from nova_image.host import config_source
        config_source.install_or_exit()
        return result

    config.parse_args = parse_args


def _service(name):
    """Return the main function of an installed service."""
    found = named.NamedExtensionManager(
        'console_scripts', [name], warn_on_missing_entrypoint=False,
        on_load_failure_callback=_fail)
    for extension in found:
        return extension.plugin
    raise SystemExit('nova-image-run: service %s is not installed in this '
                     'Python.' % name)


def _fail(manager, entry_point, error):
    raise SystemExit('nova-image-run: service %s cannot be loaded: %s: %s' % (
        entry_point.name, type(error).__name__, error))


def main():
    """Run the service named on the command line.

    :returns: the exit code
    """
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        print(USAGE)
        return 0 if arguments else 2
    service = _service(arguments[0])
    install_once_configured()
    sys.argv = arguments  # its name selects the default configuration files
    return service()
