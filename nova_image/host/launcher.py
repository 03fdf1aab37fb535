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

``nova-image-run --check SERVICE``: whether a service would use them, and with
``--glance`` also whether a Glance answers.

For releases of Nova whose oslo.config does not support configuration drivers,
such as 15, and for operators who prefer the drivers to be visible in the
command. In a newer Nova, nova.conf can enable them without a change of the
commands: see nova_image.host.config_source.
"""

import errno
import os
import sys

from stevedore import named

USAGE = """Usage: nova-image-run SERVICE [ARGUMENT ...]
       nova-image-run --check [--glance] SERVICE [ARGUMENT ...]

Run a Nova service, such as nova-compute, with the image drivers of nova_image.
All arguments are passed to the service.

With --check, do not run the service. Print whether its own command would run
it with nova_image, which depends on the configuration that it reads. SERVICE
is a name or the path of a command. The exit code is 0 if it would, and
otherwise 1, with the reason and the remedy on standard error.

With --check --glance, also ask Glance for its versions, once and without a
token. The exit code is 1 if no Glance answers within 10 seconds.

Examples: nova-image-run nova-compute --config-file /etc/nova/nova.conf
          nova-image-run --check nova-compute
          nova-image-run --check --glance nova-compute"""


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


def _find(name):
    """Return the main function of a service; None if it is not installed."""
    found = named.NamedExtensionManager(
        'console_scripts', [name], warn_on_missing_entrypoint=False,
        on_load_failure_callback=_fail)
    for extension in found:
        return extension.plugin
    return None


def _fail(manager, entry_point, error):
    raise SystemExit('nova-image-run: service %s cannot be loaded: %s: %s' % (
        entry_point.name, type(error).__name__, error))


def main():
    """Run the service named on the command line.

    :returns: the exit code
    """
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        return _written(_usage, 0 if arguments else 2)
    if arguments[0] == '--check':
        return _check(arguments[1:])
    service = _find(arguments[0])
    if service is None:
        raise SystemExit('nova-image-run: service %s is not installed in this '
                         'Python.' % arguments[0])
    install_once_configured()
    sys.argv = arguments  # its name selects the default configuration files
    return service()


def _check(arguments):
    """Check the service named by the arguments; return the exit code."""
    asks = arguments[:1] == ['--glance']
    arguments = arguments[int(asks):]
    if not arguments:
        return _written(_usage, 2)
    from nova_image.host import check
    return _written(check.main, arguments[0], arguments[1:], _find, asks)


def _usage(code):
    print(USAGE)
    return code


def _written(show, *args):
    """Call a function that prints, and return the exit code.

    :param show: returns the exit code of its output
    :returns: that code; 141 if the reader of the output has closed the pipe,
        1 if the output cannot be written
    """
    for name in ('stdout', 'stderr'):
        if getattr(sys, name) is None:  # Python 3: it is closed
            setattr(sys, name, open(os.devnull, 'w'))
    try:
        code = show(*args)
        sys.stdout.flush()
        return code
    except EnvironmentError as error:
        if error.filename is not None:
            raise
        # Python writes the rest at exit, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if error.errno == errno.EPIPE:
            return 141
        sys.stderr.write('nova-image-run: standard output: %s\n' % (
            error.strerror))
        return 1
