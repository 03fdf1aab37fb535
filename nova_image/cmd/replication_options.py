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

"""The options of the commands that replicate images."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import pathlib
import re
import typing

from nova_image.cmd import codes
from nova_image.cmd import errors
from nova_image.cmd import options
from nova_image import compat
from nova_image.replication import coordination
from nova_image.replication import copying
from nova_image.replication import ends
from nova_image.replication import filters
from nova_image.replication import orphans
from nova_image.replication import rules
from nova_image.replication import run

_UNITS = {'': 1, 'K': 1024, 'M': 1024 ** 2, 'G': 1024 ** 3, 'T': 1024 ** 4}
_DURATION = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}
#: seconds after which an upload is taken to be dead
_ABANDONED = 6 * 3600
#: statuses of the images that another Glance can read
_PULLED = frozenset(('active',))
_VISIBILITIES = ('public', 'community', 'shared', 'private')
#: type of the options that are numbers of threads
MANY = options.number(1, 64)


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that select images."""
    group = parser.add_argument_group('images')
    _add_identity(group)
    _add_marks(group)
    group.add_argument('--size-min', metavar='<size>', type=size,
                       help='Only images of at least this size, such as 10M.')
    group.add_argument('--size-max', metavar='<size>', type=size,
                       help='Only images of at most this size, such as 10G.')
    group.add_argument(
        '--changed-since', metavar='<time>', type=_moment,
        help='Only images whose updated_at is this time or later. The time '
             'is in ISO 8601, and in UTC by default, such as '
             '2026-01-31T12:00:00Z.')


def _add_identity(group: typing.Any) -> None:
    """Add the filters of which each value is an alternative."""
    group.add_argument(
        '--id', metavar='<id>', action='append', dest='ids',
        help='Only the image with this ID. Repeat it for several images.')
    group.add_argument(
        '--name', metavar='<pattern>', action='append', dest='names',
        help='Only images whose name matches this shell pattern, such as '
             'debian-1[12]. Repeat it to allow several patterns.')
    group.add_argument(
        '--owner', metavar='<project-id>', action='append', dest='owners',
        help='Only images that this project owns. Repeat it to allow '
             'several projects.')
    group.add_argument(
        '--visibility', choices=_VISIBILITIES, action='append',
        dest='visibilities', help='Only images with this visibility. Repeat '
                                  'it to allow several.')


def _add_marks(group: typing.Any) -> None:
    """Add the filters whose values must all apply."""
    group.add_argument(
        '--property', metavar='<name>[=<value>]', action='append',
        type=_pair, dest='with_properties', default=[],
        help='Only images with this property. If repeated, images must have '
             'all of the properties.')
    group.add_argument(
        '--no-property', metavar='<name>[=<value>]', action='append',
        type=_pair, dest='without_properties', default=[],
        help='Only images without this property. If repeated, images must '
             'have none of the properties.')
    group.add_argument(
        '--tag', metavar='<tag>', action='append', dest='tags', default=[],
        help='Only images with this tag. If repeated, images must have all '
             'of the tags.')


def chosen_filters(arguments: argparse.Namespace
                   ) -> tuple[filters.Filter, ...]:
    """Return the filters that the options of add_filters() select."""
    found: list[filters.Filter] = []
    for make, value in ((filters.by_id, arguments.ids),
                        (filters.by_name, arguments.names),
                        (filters.by_owner, arguments.owners),
                        (filters.by_visibility, arguments.visibilities),
                        (filters.since, arguments.changed_since)):
        if value:
            found.append(make(value))
    found += [filters.by_property(*one) for one in arguments.with_properties]
    found += [filters.without_property(*one)
              for one in arguments.without_properties]
    found += [filters.by_tag(tag) for tag in arguments.tags]
    if arguments.size_min is not None or arguments.size_max is not None:
        found.append(filters.by_size(arguments.size_min, arguments.size_max))
    return tuple(found)


def add_contents(parser: argparse.ArgumentParser) -> None:
    """Add the options that select what to copy or compare of an image."""
    group = parser.add_argument_group('contents')
    group.add_argument(
        '--dontreplicate', metavar='<pattern>', action='append',
        default=[], help='Do not copy or compare the fields and properties '
                         'whose name matches this shell pattern, such as '
                         'owner. May be repeated.')
    group.add_argument(
        '--metadata-only', action='store_true',
        help='Only update images that the target already has. Copy no '
             'data.')
    owners = group.add_mutually_exclusive_group()
    owners.add_argument(
        '--project-map', metavar='<file>',
        help='File that maps owners and members. Each line has a project ID '
             'at the source and the corresponding one at the target.')
    owners.add_argument(
        '--projects-by-name', action='store_true',
        help='Map owners and members to the projects with the same name and '
             'domain at the target. Requires Keystone and the credentials of '
             'an administrator at both ends.')
    owners.add_argument(
        '--all-to', metavar='<project-id>',
        help='Make this project of the target the owner of all images.')
    group.add_argument(
        '--keep-unknown-projects', action='store_true',
        help='Keep the ID of a project that the map does not contain. By '
             'default, an image of such a project is in conflict.')


def add_transfers(parser: argparse.ArgumentParser) -> None:
    """Add the options for transfers."""
    group = parser.add_argument_group('transfers')
    group.add_argument(
        '--transfers', metavar='<number>', type=MANY, default=4,
        help='Number of images to transfer in parallel (default: 4).')
    add_checks(group)
    group.add_argument(
        '--bandwidth', metavar='<size>', type=size,
        help='Limit for all transfers together in bytes per second, such as '
             '50M.')
    group.add_argument(
        '--max-duration', metavar='<time>', type=duration,
        help='Start no transfer after this time, such as 90s, 30m or 2h. '
             'Running transfers are completed.')
    group.add_argument('--fail-fast', action='store_true',
                       help='Stop when the first image fails.')
    group.add_argument(
        '--new-id', action='store_true',
        help='If the target has deleted an image with the same ID, create '
             'the image with a new ID, and change the kernel_id, ramdisk_id '
             'and base_image_ref of other images accordingly. An image of an '
             'earlier run that accepts no data any more is deleted, and '
             'created with a new ID, too. By default, such images fail.')
    group.add_argument(
        '--abandoned-after', metavar='<time>', type=duration,
        default=_ABANDONED,
        help='Consider an upload of an earlier run dead if it has not ended '
             'after this time (default: 6h). A Glance that is killed during '
             'an upload leaves the image in the status saving for ever, and '
             'accepts no data for it. Such an image is in conflict, or is '
             'replaced with --new-id. The same applies to imports and the '
             'status importing.')
    add_journal(group)


def add_checks(group: typing.Any) -> None:
    """Add the options for checks."""
    group.add_argument(
        '--checkers', metavar='<number>', type=MANY, default=8,
        help='Number of images to look up in parallel (default: 8).')
    group.add_argument(
        '--check-members', action='store_true',
        help='Compare the members of all shared images. By default, they '
             'are compared only if updated_at of the image or its replica '
             'has changed since the last run. Glance does not change it when '
             'the members change.')


def add_journal(group: typing.Any) -> None:
    """Add the option for the journal."""
    group.add_argument(
        '--journal', metavar='<file>', default=default_journal(),
        help='File in which runs keep what later ones can use (default: '
             'nova-image/replication.sqlite below XDG_STATE_HOME, which is '
             '~/.local/state by default).')


def default_journal() -> str:
    """Return the path of the journal, as the XDG specification says."""
    state = os.environ.get('XDG_STATE_HOME') or '~/.local/state'
    return os.path.join(state, 'nova-image', 'replication.sqlite')


def add_orphans(parser: argparse.ArgumentParser) -> None:
    """Add the options about replicas whose source is gone."""
    group = parser.add_argument_group('replicas whose source is gone')
    choice = group.add_mutually_exclusive_group()
    for policy, text in (
            ('hide', 'Hide them from listings.'),
            ('deactivate', 'Deactivate them.'),
            ('delete', 'Delete them. The target never accepts their IDs '
                       'again.')):
        choice.add_argument(
            '--' + policy, action='store_const', const=policy,
            dest='orphans', default='keep', help=text)
    group.add_argument(
        '--max-delete', metavar='<number>', default=10,
        type=options.number(0, options.MAX_NUMBER),
        help='Do nothing if there are more of them than this number '
             '(default: 10). Only replicas that this command has created '
             'count.')


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options for repeated runs and for several machines."""
    group = parser.add_argument_group('repeated and distributed runs')
    group.add_argument(
        '--every', metavar='<time>', type=duration, default=0,
        help='Repeat the run at this interval, such as 10m, measured from '
             'the start of one run to the start of the next.')
    group.add_argument(
        '--metrics', metavar='<file>',
        help='After each run, write metrics to this file in the text format '
             'of Prometheus.')
    group.add_argument(
        '--coordination-url', metavar='<url>',
        default=os.environ.get('NOVA_IMAGE_COORDINATION_URL'),
        help='URL of the service, for tooz, by which several workers share '
             'the images, such as redis://10.0.0.1:6379. Requires pip '
             "install 'nova_image[distributed]'. If the URL contains a "
             'password, set NOVA_IMAGE_COORDINATION_URL instead.')
    group.add_argument(
        '--group', metavar='<name>', default='default',
        help='Name of the group of workers that share a replication '
             '(default: default).')


def coordinator(arguments: argparse.Namespace, stack: contextlib.ExitStack
                ) -> coordination.Coordinator | None:
    """Return the coordinator, or None if there are no other workers.

    :param stack: closes it
    :raises errors.Failed: if the service cannot be reached
    """
    url = vars(arguments).get('coordination_url')
    if not url:
        return None
    from nova_image.replication import tooz_coordination
    try:
        found = tooz_coordination.Workers(url, arguments.group)
    except copying.Stopped as error:
        raise errors.Failed(str(error), codes.NO_CONNECTION)
    stack.callback(found.close)
    return found


def run_options(arguments: argparse.Namespace,
                **fixed: typing.Any) -> run.Options:
    """Return the options of a run.

    :param arguments: those of the command; it need not have all options
    :param fixed: options that the command decides
    """
    given = vars(arguments)
    found = {name: given[option] for name, option in (
        ('transfers', 'transfers'), ('checkers', 'checkers'),
        ('compare_members', 'check_members'), ('deep', 'deep'),
        ('fail_fast', 'fail_fast'),
        ('bandwidth', 'bandwidth'),
        ('max_duration', 'max_duration')) if option in given}
    if 'orphans' in given:
        found['orphans'] = orphans.Orphans(
            orphans.Policy(given['orphans']), given['max_delete'])
    return run.Options(**dict(found, **fixed))


def make_rules(arguments: argparse.Namespace, source: ends.Source,
               target: ends.End, projects: rules.Projects) -> rules.Rules:
    """Return the rules for one target."""
    given = vars(arguments)
    return rules.Rules(
        fit=target.fit, fields=source.fields & target.fields,
        readable=source.readable & _PULLED if target.pulls
        else source.readable, restores=source.is_dump,
        filters=chosen_filters(arguments),
        ignored=tuple(pattern for text in given.get('dontreplicate', ())
                      for pattern in text.split()),
        projects=projects, metadata_only=given.get('metadata_only', False),
        new_ids=given.get('new_id', False),
        abandoned_before=datetime.datetime.now(datetime.timezone.utc) -
        datetime.timedelta(seconds=given.get('abandoned_after', _ABANDONED)))


def read_map(path: str) -> dict[str, str]:
    """Return the map of projects in a file.

    :raises errors.Usage: if a line is not a pair of projects
    :raises OSError: if it cannot be read
    """
    found: dict[str, str] = {}
    for number, line in enumerate(pathlib.Path(path).read_text(
            encoding='utf-8').splitlines(), 1):
        words = line.partition('#')[0].replace(',', ' ').split()
        if not words:
            continue
        if len(words) != 2 or found.setdefault(*words) != words[1]:
            raise errors.Usage('%s, line %d: expected a project ID at the '
                               'source and one at the target' % (
                                   path, number))
    return found


def read_token(path: str) -> str:
    """Return the token in a file.

    :raises errors.Failed: if it has no token
    :raises OSError: if it cannot be read
    """
    token = pathlib.Path(path).read_bytes().strip()
    if not re.fullmatch(rb'[!-~]+', token):
        raise errors.Failed('%s is not a file with one token' % path,
                            codes.LOCAL_FILE)
    return token.decode('ascii')


def size(text: str) -> int:
    """Return a number of bytes such as 10M; the ``type`` of an argument."""
    match = re.fullmatch(r'([0-9]{1,15})\s*([KMGT]?)(i?B)?', text,
                         re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(
            '%r is not a size such as 4096, 10M or 2G' % text)
    return int(match[1]) * _UNITS[match[2].upper()]


def duration(text: str) -> int:
    """Return seconds of a time such as 30m; the ``type`` of an argument."""
    match = re.fullmatch('([0-9]{1,9})([smhd]?)', text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(
            '%r is not a time such as 90s, 30m or 2h' % text)
    return int(match[1]) * _DURATION[match[2] or 's']


def _moment(text: str) -> datetime.datetime:
    try:
        found = compat.parse_time(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            '%r is not a time such as 2026-01-31T12:00:00Z' % text)
    return found if found.tzinfo else found.replace(
        tzinfo=datetime.timezone.utc)


def _pair(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition('=')
    if not name:
        raise argparse.ArgumentTypeError('%r does not name a property' % text)
    return name, value if equals else None
