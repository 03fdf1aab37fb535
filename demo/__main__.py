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

"""Starts the demonstration so that Ctrl-C ends it without a traceback.

Python and the imports take half a second, in which KeyboardInterrupt could be
raised in any module.
"""

import collections.abc
import os
import signal
import sys

#: the exit code of a program that Ctrl-C ended
INTERRUPTED = 130


def main() -> int:
    """Import and run the demonstration, and return the exit code."""
    # There is nothing to stop yet.
    handle_ctrl_c(lambda *_: os._exit(INTERRUPTED))
    from demo import program
    try:
        handle_ctrl_c(signal.default_int_handler)
        return program.main()
    except KeyboardInterrupt:
        print('\nInterrupted; the services are stopped.', file=sys.stderr)
        return INTERRUPTED


def handle_ctrl_c(handler: collections.abc.Callable[..., None]) -> None:
    """Set what Ctrl-C does, unless the calling process ignores it.

    ./run_demo.sh blocks the signal until this is called.
    """
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


if __name__ == '__main__':
    sys.exit(main())
