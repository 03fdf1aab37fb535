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

"""``nova-image-run --check``: whether a service would run with our drivers.

A service with the right configuration never starts with a broken nova_image.
But it does start, with Nova's own image code, if the package is missing in its
Python: oslo.config logs an error and continues. This check finds that out
beforehand. With ``--glance``, it also asks Glance.
"""

import logging
import os
import sys
import warnings

from oslo_config import cfg
import six
from stevedore import extension

from nova_image.host import config_source
from nova_image import version

_NAME = 'nova_image'
_COMMAND = 'nova-image-run: '
_TODO = ('Set config_source = nova_image in [DEFAULT] and driver = nova_image '
         'in [nova_image], or start the service with nova-image-run')


class Unready(Exception):
    """The service would not run with our drivers; the message says why."""


def main(service, arguments, find, asks=False):
    """Check a service, and print one line.

    :param service: its name, or the path of its command
    :param arguments: list of the arguments that it is started with
    :param find: callable that returns the main function of an installed
        service, or None
    :param asks: whether to ask Glance, too
    :returns: the exit code: 0 if it would run with our drivers, and if Glance
        answers, otherwise 1
    """
    _silence()
    try:
        line = check(service, arguments, find)
        if asks:
            line = '%s; %s' % (line, _asked(line))
        sys.stdout.write(line + '\n')
        return 0
    except Unready as error:
        problem = six.text_type(error)
    except SystemExit as error:
        if not isinstance(error.code, six.string_types):
            raise  # the arguments are wrong, which argparse has printed
        problem = error.code
    line = ' '.join(problem.split())
    if not line.startswith(_COMMAND):
        line = _COMMAND + line
    sys.stderr.write(line + '\n')
    return 1


def _asked(line):
    """Return what Glance answers.

    :param line: what the check has found so far
    :raises Unready: if no Glance answers
    """
    from nova_image.host import health
    try:
        return health.ask(cfg.CONF)
    except health.Unhealthy as error:
        raise Unready('%s, but no Glance answers: %s' % (line, error))


def _silence():
    """Keep messages of Nova and oslo.config from hiding the result."""
    warnings.simplefilter('ignore')
    logging.getLogger().addHandler(logging.NullHandler())


def check(service, arguments, find):
    """Return a line that says which driver a service would run with.

    See main() for the parameters.

    :raises Unready: if it would not
    :raises SystemExit: if its driver cannot be loaded
    """
    name = os.path.basename(service)
    if name in config_source.WITHOUT_IMAGES:
        raise Unready('%s does not use images, and runs without nova_image'
                      % name)
    command = service if name != service else _on_path(name)
    if command is not None:
        _require_this_python(command)
    files = _files_of_wsgi(name) if find(name) is None else None
    conf = _parse(name, arguments, files)
    from nova_image.host import bridge
    installed, how = bridge.installed(), ''
    if installed is None and not hasattr(conf, 'config_source'):
        config_source.install_or_exit(conf)
        installed, how = bridge.installed(), ' if nova-image-run starts it'
    if installed is None:
        files = ', '.join(conf.config_file or ()) or 'no file'
        raise Unready("%s would run with Nova's own image code: %s. %s. It "
                      'reads %s' % (name, _why_not(conf), _TODO, files))
    return '%s runs with the driver %s of nova_image %s%s' % (
        name, type(installed.driver).__name__, version.version_string(), how)


def _on_path(name):
    """Return the path of a command, or None if it is not on the PATH."""
    for folder in os.environ.get('PATH', '').split(os.pathsep):
        command = os.path.join(folder, name)
        if os.path.isfile(command) and os.access(command, os.X_OK):
            return command
    return None


def _require_this_python(command):
    """Raise Unready unless a command runs in the Python that runs this."""
    try:
        with open(command, 'rb') as script:
            first = script.readline(1024).decode('utf-8', 'replace')
    except (IOError, OSError) as error:
        raise Unready('%s cannot be read: %s' % (command, error))
    python = first[2:].strip().partition(' ')[0]
    if not first.startswith('#!') or not _same_folder(python, sys.executable):
        raise Unready(
            '%s runs in another Python than nova-image-run (%s instead of '
            '%s): install nova_image there, and use its nova-image-run' % (
                command, python if first.startswith('#!') else 'unknown',
                sys.executable))


def _same_folder(one, other):
    return os.path.realpath(os.path.dirname(one)) == (
        os.path.realpath(os.path.dirname(other)))


def _files_of_wsgi(name):
    """Return the files that nova-api reads under a WSGI server.

    :raises Unready: if there is no such service in this Python
    """
    try:
        if not name.startswith('nova-api'):
            raise ImportError(name)
        from nova.api.openstack import wsgi_app
        return wsgi_app._get_config_files()
    except (ImportError, AttributeError):
        raise Unready('service %s is not installed in this Python (%s): '
                      'install nova_image into the Python that runs it, and '
                      'use its nova-image-run' % (name, sys.executable))


def _parse(name, arguments, files):
    """Parse the configuration as the service does, and return it.

    If the configuration enables it, oslo.config installs the driver.
    """
    sys.argv = [name] + arguments
    from nova import config
    try:
        config.parse_args(sys.argv, default_config_files=files,
                          configure_db=False, init_rpc=False)
    except cfg.Error as error:
        raise Unready('%s would not start: %s' % (name, error))
    return cfg.CONF


def _why_not(conf):
    """Return why oslo.config has not installed the driver."""
    if not conf.config_source:
        return '[DEFAULT] config_source is not set'
    known = extension.ExtensionManager('oslo.config.driver').names()
    if _NAME not in known:
        return ('the entry point nova_image of oslo.config.driver is missing, '
                'so install the package again')
    return 'no section that [DEFAULT] config_source names (%s) has driver = ' \
        'nova_image' % ', '.join(conf.config_source)
