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


"""Copies outside of eventlet's hub, if the host uses eventlet.

Reading a disk or a Ceph cluster blocks its thread. With eventlet's monkey
patching that would stop the whole service, so a native thread does it.
"""

import os

from nova_image import exception
from nova_image.image import offload


def run(copy, output, check):
    """Call ``copy(number, check)`` where it may block, and wait for it.

    :param copy: receives its own file descriptor, because with eventlet the
        caller may be killed, and close its descriptor, during the copy
    :param output: the file to duplicate the descriptor of
    :param check: passed on; its ``update`` ends a copy whose caller is gone
    """
    number = os.dup(output.fileno())
    guard = _Guard(check)

    def copy_and_close():
        try:
            copy(number, guard)
        finally:
            os.close(number)

    try:
        offload.call_long(copy_and_close)
    except BaseException:
        guard.caller_is_gone = True
        raise


class _Guard(object):
    """A check that refuses more data when its caller is gone."""

    def __init__(self, check):
        self.caller_is_gone = False
        self._check = check

    def update(self, chunk):
        """Pass bytes to the check."""
        if self.caller_is_gone:
            raise exception.ImageDownloadUnavailable(
                reason='its caller no longer waits for it')
        self._check.update(chunk)
