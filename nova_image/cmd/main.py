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

"""The entry points of the programs, which import as little as possible.

``nova-image --version`` imports only the module that reads the version. Help
imports no client library; only commands that reach Glance do.
"""

from __future__ import annotations

import collections.abc
import gc
import signal
import sys
import types

from nova_image.cmd import codes
from nova_image.cmd import streams

_INSTALL = "pip install 'nova_image[cli]'"


def main(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run nova-image.

    :param argv: the arguments; None for those of the process
    :returns: the exit code, one of nova_image.cmd.codes
    """
    return _guarded('nova-image', _run, argv)


def replicator(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run nova-image-replicator.

    :param argv: the arguments; None for those of the process
    :returns: the exit code: 0, 1, or more than 128 after a signal
    """
    code = _guarded('nova-image-replicator', _run_replicator, argv)
    return code if code == codes.DONE or code > 128 else codes.OTHER


def status(argv: collections.abc.Sequence[str] | None = None) -> int:
    """Run nova-image-status.

    :param argv: the arguments; None for those of the process
    :returns: the exit code: 0, 1, 2, 255 for any other error, or more than
        128 after a signal
    """
    code = _guarded('nova-image-status', _run_status, argv)
    return code if code <= codes.USAGE or code > 128 else 255


def _guarded(name: str, run: collections.abc.Callable[[list[str]], int],
             argv: collections.abc.Sequence[str] | None) -> int:
    """Run a program with signals and standard streams that are handled.

    :param name: of the program
    :param run: runs it and returns the exit code
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)
    streams.prepare()
    # What is imported stays: collections would look at it again and again.
    # session.open_cloud() enables them.
    gc.disable()
    try:
        return _flushed(_ended(run, argv))
    except KeyboardInterrupt:
        return codes.INTERRUPTED
    except BrokenPipeError:
        streams.abandon_output()
        return codes.BROKEN_PIPE
    except OSError as error:
        streams.abandon_output()
        return _report(name, error)
    finally:
        gc.freeze()  # Python collects before it ends
        gc.enable()


def _end(number: int, frame: types.FrameType | None) -> None:
    """Exit on a signal as on Ctrl-C, so that cleanup code runs."""
    sys.exit(128 + number)


def _ended(run: collections.abc.Callable[[list[str]], int],
           argv: list[str]) -> int:
    """Run a program and return its exit code, also if it exits itself."""
    try:
        return run(argv)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write('%s\n' % end.code)
            return codes.OTHER
        return end.code or codes.DONE


def _run(argv: list[str]) -> int:
    if argv == ['--version']:
        from nova_image.cmd import release
        sys.stdout.write('nova-image %s\n' % release.version())
        return codes.DONE
    from nova_image.cmd import deferred
    deferred.install()
    try:
        from nova_image.cmd import shell
    except ModuleNotFoundError as error:
        return missing(error)
    return shell.Shell().run(argv)


def _run_replicator(argv: list[str]) -> int:
    try:
        from nova_image.cmd import replicator
    except ModuleNotFoundError as error:
        return missing(error, 'nova-image-replicator')
    return replicator.Front().run(argv)


def _run_status(argv: list[str]) -> int:
    try:
        from nova_image.cmd import status
    except ModuleNotFoundError as error:
        return missing(error, 'nova-image-status')
    return status.Front().run(argv)


def missing(error: ModuleNotFoundError, name: str = 'nova-image') -> int:
    """Report the package to install, and return the exit code.

    :param name: of the program
    """
    sys.stderr.write('%s: %s is not installed. Install the command '
                     'line with: %s\n' % (name, error.name, _INSTALL))
    return codes.OTHER


def _flushed(code: int) -> int:
    """Write the remaining output, and return the exit code.

    An error that is reported already hides one of the output.
    """
    if code == codes.BROKEN_PIPE:
        raise BrokenPipeError
    try:
        sys.stdout.flush()
    except OSError:
        if code == codes.DONE:
            raise
        streams.abandon_output()
    return code


def _report(name: str, error: OSError) -> int:
    """Report an error of the output in one line."""
    from nova_image.cmd import errors
    sys.stderr.write('%s: %s\n' % (name, errors.line_of(error)))
    return errors.code_of(error)


if __name__ == '__main__':
    sys.exit(main())
