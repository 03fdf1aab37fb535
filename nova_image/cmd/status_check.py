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

"""nova-image-status upgrade check: is the cloud ready for v2?

The table and the exit codes are those of oslo.upgradecheck. A check that
cannot run is a line of the table: oslo.upgradecheck itself would end with a
traceback and no table.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
import typing

from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image.cmd import safe_text
from nova_image.cmd import status_cloud
from nova_image.cmd import streams

if typing.TYPE_CHECKING:
    from nova_image.status import checks
    from nova_image.status import halves as contracts
    from nova_image.status import verdicts

    Results = list[tuple[checks.Check, verdicts.Verdict]]

NAME = 'check'
SUMMARY = 'Check whether the cloud is ready for v2, and mend what is not.'
_TITLE = 'Upgrade Check Results'
#: columns of the details, as in oslo.upgradecheck
_WIDTH = 60
#: seconds between two lines of progress
_PAUSE = 0.1
_DESCRIPTION = """\
Check whether everything that uses images will still work without v1. Nothing
is changed without --fix, --undo or --write-tests.

The credentials should be those of an administrator. A check that cannot run
is a warning that begins with "could not be checked"."""
_EXIT_CODES = """\
Exit codes::

    0    all checks succeeded; with --fix or --undo, everything was done
    1    a warning; with --fix or --undo, something was refused
    2    a failure; or the command line is invalid
    130  Ctrl-C: with --fix, the undo file says what was done
    255  any other error"""


def add_parser(subparsers: typing.Any) -> None:
    """Add the parser of the subcommand."""
    parser = subparsers.add_parser(
        NAME, help=SUMMARY, description=_DESCRIPTION, epilog=_EXIT_CODES,
        formatter_class=options.Formatter, allow_abbrev=False)
    parser.set_defaults(run=run)
    _add_checks(parser)
    _add_fixes(parser.add_argument_group('mending'))


def _add_checks(parser: argparse.ArgumentParser) -> None:
    """Add the options of the checks."""
    parser.add_argument(
        '--check', metavar='<name>', action='append', default=[],
        dest='checks', help='Run only this check; several can be given.')
    parser.add_argument(
        '--list-checks', action='store_true',
        help='Show the names of all checks, what they look for and what they '
             'cost, and exit.')
    parser.add_argument(
        '--json', action='store_true', dest='as_json',
        help='Show the results as JSON, with all IDs. The table has the '
             'first 10.')
    parser.add_argument(
        '--content', action='store_true',
        help='Read the first 36 KiB of every image, and compare them with '
             'disk_format.')
    parser.add_argument(
        '--write-tests', action='store_true',
        help='Create an image, try on it what Nova may do, and delete it.')
    for option, metavar, text in (
            ('--access-log', '<file>',
             'Access log of Glance, to find out who calls v1.'),
            ('--nova-log', '<file>',
             'Access log of nova-api, to find filters that v2 reads '
             'differently.'),
            ('--service-config', '<path>',
             'Configuration of another service, such as Cinder: a file, or a '
             'directory with .conf files.')):
        parser.add_argument(option, metavar=metavar, action='append',
                            default=[], help=text + ' Several can be given.')


def _add_fixes(group: typing.Any) -> None:
    """Add the options that change images."""
    what = group.add_mutually_exclusive_group()
    what.add_argument(
        '--fix', action='store_true',
        help='Show what can be mended safely, and mend it. With --check, '
             'only what that check finds.')
    what.add_argument(
        '--undo', metavar='<file>',
        help='Undo what --fix has done and written to this file.')
    group.add_argument(
        '--undo-file', metavar='<file>',
        help='File to write for --undo (default: a new one in this '
             'directory).')
    group.add_argument(
        '-y', '--yes', action='store_true', help='Do not ask.')


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    from nova_image.status import audit
    from nova_image.status import halves

    kinds = halves.kinds()
    every = audit.all_checks(kinds)
    unknown = set(arguments.checks) - {check.name for check in every}
    if unknown:
        raise errors.Usage('No check has the name %s. See --list-checks' % (
            ', '.join(sorted(unknown))))
    if arguments.list_checks:
        return _list(every)
    cloud = status_cloud.open_cloud(arguments)
    found = halves.load(cloud.client(), cloud.caller)
    if arguments.fix or arguments.undo:
        from nova_image.cmd import status_fix
        return status_fix.run(arguments, cloud, found)
    return _check(arguments, cloud, found)


def _list(every: 'list[checks.Check]') -> int:
    """Show the names of the checks."""
    for check in every:
        sys.stdout.write('%s\n' % check.name)
        for text in (check.title + '. ' + check.why,
                     'Result: %s.' % check.result,
                     'Requests: %s.' % check.cost,
                     check.option and 'Only with %s.' % check.option):
            for line in textwrap.wrap(text, 74):
                sys.stdout.write('    %s\n' % line)
    return 0


def _check(arguments: argparse.Namespace, cloud: status_cloud.Cloud,
           found: 'list[contracts.Half]') -> int:
    """Run the checks and show the results."""
    from nova_image.status import audit
    from nova_image.status import gathering

    began = time.monotonic()
    with Progress(arguments) as progress:
        auditing = audit.Audit(
            found, gathering.Gatherer(cloud.client(), cloud.caller,
                                      cloud.keystone, cloud.files),
            audit.Options(
                frozenset(arguments.checks), arguments.content,
                arguments.write_tests, tuple(arguments.access_log),
                tuple(arguments.nova_log), tuple(arguments.service_config)),
            progress.show)
        results = auditing.run()
    code = _as_json(results) if arguments.as_json else _as_table(results)
    if arguments.verbose_level:
        status_cloud.say('Checked %d images in %.1f s, by %s' % (
            auditing.listed, time.monotonic() - began, cloud.origin))
    return code


def _as_table(results: 'Results') -> int:
    """Show a table, and return the exit code."""
    from oslo_upgradecheck import upgradecheck

    class Commands(upgradecheck.UpgradeCommands):
        """The checks, which have run already."""

        _upgrade_checks = tuple(
            ('%s (%s)' % (check.title, check.name),
             lambda self, verdict=verdict: upgradecheck.Result(
                 verdict.code, '\n'.join(verdict.lines()) or None))
            for check, verdict in results)

        def _get_details(self, upgrade_check_result: typing.Any
                         ) -> str | None:
            """Wrap each line by itself: oslo.upgradecheck joins them."""
            details = upgrade_check_result.details
            return details and '\n'.join(
                wrapped for line in details.split('\n')
                for wrapped in textwrap.wrap(
                    safe_text.shown(line), _WIDTH, subsequent_indent='  '))

    return int(Commands().check())


def _as_json(results: 'Results') -> int:
    """Show JSON with the keys of oslo.upgradecheck, and further ones."""
    sys.stdout.write(json.dumps({'name': _TITLE, 'checks': [{
        'check': check.title, 'result': int(verdict.code),
        'details': '\n'.join(verdict.lines()) or None,
        'name': check.name, 'cost': check.cost, 'advice': check.advice,
        'items': [{'id': item.id, 'text': item.text,
                   'result': int(item.code)} for item in verdict.items],
        'unchecked': verdict.unchecked, 'skipped': verdict.skipped or None,
    } for check, verdict in results]}, indent=1) + '\n')
    return max((int(verdict.code) for _, verdict in results), default=0)


class Progress:
    """A line on a terminal that tells how far long work is."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Find out whether there is a terminal."""
        self._shows = status_cloud.shows_progress(arguments)
        self._stream = streams.for_progress()
        self._began = self._last = time.monotonic()

    def __enter__(self) -> 'Progress':
        """Return the line."""
        return self

    def __exit__(self, *error: typing.Any) -> None:
        """Remove the line."""
        if self._shows:
            self._write('\r\x1b[K')

    def show(self, text: str) -> None:
        """Show how far the work is, but not too often."""
        now = time.monotonic()
        if self._shows and now - self._last > _PAUSE:
            self._last = now
            self._write('\r\x1b[K' + status_cloud.one_row(
                'checking: %s, %d s' % (
                    safe_text.shown(text), now - self._began), self._stream))

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
