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

"""Starts real services, tells the story on them, and stops them again."""

import argparse
import contextlib
import logging
import pathlib
import signal
import sys
import tempfile
import time

from demo import cast
from demo import cloud
from demo import story


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='./run_demo.sh', description=(
            'Shows what nova_image does on real services, which it starts on '
            '127.0.0.1 and stops again. The first run installs them below '
            '.cache (about a minute).'))
    parser.add_argument(
        'stage', nargs='?', choices=('images', 'cloud'), default='images',
        help='images (the default): the life of an image; cloud: servers of '
             'a whole Nova 34 with libvirt, which needs Debian and root')
    parser.add_argument(
        '--v1', action='store_true',
        help='tell the story through the Images API v1 of Glance 15.0.2, '
             'without Keystone (needs a python2.7)')
    parser.add_argument(
        '--keep', action='store_true',
        help='keep the services running at the end, until Ctrl-C, and print '
             'how to talk to them')
    return parser.parse_args()


def main() -> int:
    """Run the demonstration; the exit code is 0 when all went well."""
    arguments = parse_arguments()
    logging.basicConfig(level=logging.WARNING, format='    %(message)s',
                        stream=sys.stdout)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        if arguments.stage == 'cloud':
            return tell_cloud(stack, began)
        stage = (cast.legacy if arguments.v1 else cast.modern)(stack)
        print('\n%s (started in %.1f s)\n' % (
            stage.title, time.monotonic() - began), flush=True)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        mark, told = stage.glance.mark(), time.monotonic()
        ended_well = story.tell(stage, pathlib.Path(folder))
        print('\nAll steps done in %.1f s with %d requests to Glance.' % (
            time.monotonic() - told, len(stage.glance.requests(mark))))
        if arguments.keep:
            wait_for_ctrl_c(stage)
    return 0 if ended_well else 1


def tell_cloud(stack: contextlib.ExitStack, began: float) -> int:
    """Run the demonstration on a whole cloud."""
    stage = cloud.start(stack)
    print('the cloud is up after %.1f s\n' % (time.monotonic() - began))
    ended_well = cloud.tell(stage)
    print('\nAll done in %.1f s.' % (time.monotonic() - began))
    return 0 if ended_well else 1


def wait_for_ctrl_c(stage: cast.Stage) -> None:
    """Say how to talk to the services, and keep them until Ctrl-C."""
    print('\n%s\n\nPress Ctrl-C to stop the services.' % stage.directions,
          flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
