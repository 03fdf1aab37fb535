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

"""nova-image-status upgrade check --fix and --undo."""

from __future__ import annotations

import argparse
import pathlib
import sys
import time
import typing

from nova_image.cmd import errors
from nova_image.cmd import safe_text
from nova_image.cmd import status_cloud

if typing.TYPE_CHECKING:
    from nova_image.status import fixes
    from nova_image.status import halves
    from nova_image.status import undo_file

DONE, NOT_ALL = 0, 1


def run(arguments: argparse.Namespace, cloud: status_cloud.Cloud,
        found: 'list[halves.Half]') -> int:
    """Make changes, or undo them, and return the exit code.

    :param found: the halves of the cloud
    """
    repairs: dict[str, fixes.Repair] = {}
    for half in found:
        repairs.update(half.repairs())
    urls = sorted(cloud.client().endpoints.known(cloud.caller))
    if arguments.undo:
        return _undo(arguments, repairs, urls)
    return _fix(arguments, found, repairs, urls)


def _fix(arguments: argparse.Namespace, found: 'list[halves.Half]',
         repairs: 'dict[str, fixes.Repair]', urls: list[str]) -> int:
    """Plan changes, ask, and make them."""
    from nova_image.status import fixes
    from nova_image.status import undo_file

    changes, complete = _plan(arguments, found, repairs)
    if not changes:
        status_cloud.say('There is nothing to mend')
        return DONE if complete else NOT_ALL
    path = pathlib.Path(arguments.undo_file or time.strftime(
        'nova-image-status-undo-%Y%m%dT%H%M%SZ.json', time.gmtime()))
    _show([change.line() for change in changes])
    if not _agreed(arguments, _count('Make', changes)):
        return NOT_ALL
    undo = undo_file.UndoFile(path, urls, changes)
    undo.create()
    status_cloud.say('%s undoes them: --undo %s' % (
        'upgrade check', path))
    _carry_out(undo, lambda: fixes.apply(changes, repairs, undo.record))
    made = sum(one.state in (fixes.DONE, fixes.ALREADY) for one in changes)
    return _report(changes, 'Made', made, complete)


def _undo(arguments: argparse.Namespace, repairs: 'dict[str, fixes.Repair]',
          urls: list[str]) -> int:
    """Undo the changes of a file."""
    from nova_image.status import fixes
    from nova_image.status import undo_file

    try:
        undo = undo_file.load(pathlib.Path(arguments.undo))
    except undo_file.Unusable as error:
        raise errors.Usage(str(error)) from error
    open_ones = [one for one in undo.changes
                 if one.state in fixes.MAY_BE_MADE]
    if not open_ones:
        status_cloud.say('There is nothing to undo')
        return DONE
    if set(undo.urls).isdisjoint(urls):
        _warn_of_other_cloud(arguments, ', '.join(undo.urls), ', '.join(urls))
    _show([change.line(back=True) for change in reversed(open_ones)])
    if not _agreed(arguments, _count('Undo', open_ones)):
        return NOT_ALL
    undo.write()  # If this fails, no change could be recorded.
    _carry_out(undo, lambda: fixes.undo(undo.changes, repairs, undo.record))
    return _report(open_ones, 'Undid', sum(
        one.state == fixes.UNDONE for one in open_ones), True)


def _warn_of_other_cloud(arguments: argparse.Namespace, old: str,
                         new: str) -> None:
    """Let a person decide: replicas have the same IDs in other clouds."""
    text = 'The file was written for %s, not for %s' % (old or 'no cloud', new)
    if arguments.yes:
        raise errors.Usage(text + '. If this is the same cloud, run the '
                           'command without --yes')
    status_cloud.say(text)


def _carry_out(undo: 'undo_file.UndoFile',
               work: typing.Callable[[], None]) -> None:
    """Make or undo changes, and record them, also on Ctrl-C."""
    try:
        work()
    finally:
        undo.write()


def _plan(arguments: argparse.Namespace, found: 'list[halves.Half]',
          repairs: 'dict[str, fixes.Repair]'
          ) -> 'tuple[list[fixes.Change], bool]':
    """Return the changes, and whether everything could be looked at."""
    from nova_image.cmd import status_check
    from nova_image.status import survey

    planners = [planner for planner in (
        repair.planner() for repair in repairs.values())
        if planner is not None and planner.name in (
            arguments.checks or [planner.name])]
    with status_check.Progress(arguments) as progress:
        survey.Survey(found, planners, lambda major: None,
                      progress.show).run()
    problems = {why for planner in planners for why in planner.unchecked}
    for why in sorted(problems):
        status_cloud.say('could not be checked: ' + why)
    return ([change for planner in planners for change in planner.changes],
            not problems)


def _count(verb: str, changes: 'list[fixes.Change]') -> str:
    """Return the question whether to make changes."""
    return '%s these %d changes of %d images' % (
        verb, len(changes), len({one.image_id for one in changes}))


def _show(lines: list[str]) -> None:
    for line in lines:
        sys.stdout.write(safe_text.shown(line) + '\n')
    sys.stdout.flush()


def _agreed(arguments: argparse.Namespace, question: str) -> bool:
    """Return whether the user agrees."""
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise errors.Usage('Standard input is not a terminal, so the changes '
                           'cannot be confirmed. Use --yes')
    sys.stderr.write('%s? [y/N] ' % question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ('y', 'yes')


def _report(changes: 'list[fixes.Change]', verb: str, made: int,
            complete: bool) -> int:
    """Report what was refused, and return the exit code."""
    from nova_image.status import fixes

    for one in changes:
        if one.state in (fixes.REFUSED, fixes.NOT_UNDONE):
            status_cloud.say('%s %s: %s' % (one.image_id, one.part,
                                            one.reason))
    status_cloud.say('%s %d of %d changes' % (verb, made, len(changes)))
    return DONE if made == len(changes) and complete else NOT_ALL
