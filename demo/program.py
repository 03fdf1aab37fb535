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

"""Starts real services, runs the demonstration and stops the services."""

import argparse
import contextlib
import logging
import pathlib
import signal
import sys
import tempfile
import time

from demo import cloud
from demo import deployment
from demo import story


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog='./run_demo.sh', description=(
            'Shows what nova_image does on real services, which it starts on '
            '127.0.0.1 and stops at the end. The first run installs them '
            'below .cache and takes about a minute; later runs take some '
            '20 seconds.'))
    parser.add_argument(
        'scene', nargs='?', choices=('images', 'cloud'), default='images',
        help='images (the default): the life of an image; cloud: servers of '
             'a complete Nova 34 with libvirt, which needs Debian and root')
    parser.add_argument(
        '--v1', action='store_true',
        help='use the Images API v1 of Glance 15.0.2, without Keystone '
             '(needs a python2.7)')
    parser.add_argument(
        '--keep', action='store_true',
        help='keep the services running at the end, until Ctrl-C, and print '
             'how to talk to them')
    return parser.parse_args()


def main() -> int:
    """Run the demonstration.

    :returns: the exit code, 0 if every step succeeded
    """
    arguments = parse_arguments()
    logging.basicConfig(level=logging.WARNING, format='    %(message)s',
                        stream=sys.stdout)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        if arguments.scene == 'cloud':
            return 0 if show_servers(stack) else 1
        began = time.monotonic()
        deployed = (deployment.legacy if arguments.v1
                    else deployment.modern)(stack)
        print('\n%s\n(started in %.1f s)\n' % (
            deployed.title, time.monotonic() - began), flush=True)
        succeeded = show_images(deployed)
        if arguments.keep:
            wait_for_ctrl_c(deployed)
    return 0 if succeeded else 1


def show_images(deployed: deployment.Deployment) -> bool:
    """Run the life of an image, and return whether it went well."""
    mark = deployed.glance.mark()
    with tempfile.TemporaryDirectory() as folder:
        succeeded = story.run(deployed, pathlib.Path(folder))
    print('\nAll steps are done, with %d requests to Glance.'
          % len(deployed.glance.requests(mark)))
    return succeeded


def show_servers(stack: contextlib.ExitStack) -> bool:
    """Run the servers of a whole cloud, and return whether they went well."""
    began = time.monotonic()
    started = cloud.start(stack)
    print('the cloud is up after %.1f s\n' % (time.monotonic() - began))
    succeeded = cloud.run(started)
    print('\nAll steps are done after %.1f s.' % (time.monotonic() - began))
    return succeeded


def wait_for_ctrl_c(deployed: deployment.Deployment) -> None:
    """Print how to talk to the services, and keep them until Ctrl-C."""
    print('\n%s\n\nPress Ctrl-C to stop the services.' % deployed.directions,
          flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
