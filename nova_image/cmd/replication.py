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

"""The commands that replicate images.

They are replicate, compare, dump, load and size.
"""

from __future__ import annotations

import argparse
import collections.abc
import contextlib
import json
import os
import sys
import time
import typing

from nova_image.cmd import base
from nova_image.cmd import codes
from nova_image.cmd import display
from nova_image.cmd import errors
from nova_image.cmd import replication_daemon
from nova_image.cmd import replication_display
from nova_image.cmd import replication_options as options
from nova_image.cmd import replication_targets

if typing.TYPE_CHECKING:
    from nova_image.cmd import session
    from nova_image.replication import ends
    from nova_image.replication import results
    from nova_image.replication import rules
    from nova_image.replication import run

_END = ('the name of a cloud in clouds.yaml, or the URL of a Glance that '
        'needs no Keystone, optionally with the version of the Images API, '
        'such as http://glance.example.org:9292/v1')


class ReplicationCommand(base.Command):
    """Base of the commands that replicate images."""

    def add_from(self, parser: argparse.ArgumentParser) -> None:
        """Add the option for the source."""
        parser.add_argument(
            '--from', metavar='<cloud>', dest='source',
            help='Source: %s. Default: the cloud that the global options and '
                 'the environment select.' % _END)
        parser.add_argument(
            '--from-token-file', metavar='<file>',
            help='File that contains a token, if the source is a URL and '
                 'requires one.')

    def add_to(self, parser: argparse.ArgumentParser,
               several: bool = True) -> None:
        """Add the option for the targets.

        :param several: whether there may be more than one
        """
        parser.add_argument(
            '--to', metavar='<cloud>', dest='targets', required=True,
            action='append', help='Target: %s.%s' % (
                _END, ' Repeat it for several targets; each image is then '
                'read only once.' if several else ''))
        parser.add_argument(
            '--to-token-file', metavar='<file>',
            help='File that contains a token, for the targets that are '
                 'URLs.')

    def add_output(self, parser: argparse.ArgumentParser) -> None:
        """Add the options for the output."""
        group = parser.add_argument_group('output')
        group.add_argument(
            '--json', action='store_true', dest='as_json',
            help='Write one line of JSON for each image, and a last one for '
                 'the report.')
        group.add_argument(
            '--all', action='store_true', dest='all_images',
            help='Also list images that are already the same, and images '
                 'that are skipped.')

    def open(self, reference: str | None,
             token_file: str | None) -> 'session.ReplicaCloud':
        """Return a cloud as an end of a replication.

        :param reference: value of --from or --to
        :param token_file: path of a file with a token, or None
        """
        from nova_image.cmd import session

        token = None
        if token_file is not None:
            token = options.read_token(token_file)
        return session.open_end(self.app.options, reference, token)

    def open_all(self, arguments: argparse.Namespace) -> tuple[
            'session.ReplicaCloud', list['session.ReplicaCloud']]:
        """Return the source and the targets, which are all different."""
        from nova_image.cmd import session

        source = self.open(arguments.source, arguments.from_token_file)
        targets = [self.open(name, arguments.to_token_file)
                   for name in arguments.targets]
        session.refuse_same(source, targets)
        return source, targets

    def replicate(self, arguments: argparse.Namespace,
                  source: 'ends.Source', targets: collections.abc.Sequence[
                      tuple['ends.End', 'rules.Projects']],
                  chosen: 'run.Options',
                  health: 'replication_daemon.Health | None' = None) -> int:
        """Run once, and return the exit code.

        :param targets: each target with its projects
        :param chosen: the options of the run
        :param health: counts the run
        """
        from nova_image.replication import journal
        from nova_image.replication import run
        from nova_image.replication import targets as goals

        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            workers = options.coordinator(arguments, stack)
            book = journal.Journal(os.path.expanduser(
                vars(arguments).get('journal', ':memory:')))
            stack.callback(book.close)
            bar = None
            if self.app.shows_progress:
                bar = replication_display.Bar()
                stack.callback(bar.close)
            one = run.Run(source, [goals.Target(
                end, options.make_rules(arguments, source, end, projects),
                book.pair(source.title, end.title))
                for end, projects in targets], chosen,
                replication_display.Lines(
                    arguments.as_json, arguments.all_images,
                    len(targets) > 1, bar), workers)
            try:
                one.run()
            except (KeyboardInterrupt, SystemExit):
                if bar:
                    bar.close()
                self._finish(one.report, began, arguments.as_json)
                raise
        if health:
            health.ran(one.report, time.monotonic() - began)
        return self._finish(one.report, began, arguments.as_json)

    def _finish(self, report: 'results.Report', began: float,
                as_json: bool) -> int:
        """Write the report, and return the exit code."""
        seconds = time.monotonic() - began
        if as_json:
            sys.stdout.write(json.dumps(replication_display.report_as_dict(
                report, seconds)) + '\n')
        else:
            replication_display.write_report(report, seconds,
                                             sys.stdout.write)
        if not report.complete:
            return codes.INCOMPLETE
        return codes.DONE if report.equal else codes.DIFFERENT

    def goals(self, arguments: argparse.Namespace,
              source: 'session.ReplicaCloud | None',
              clouds: collections.abc.Sequence['session.ReplicaCloud']
              ) -> list[tuple['ends.End', 'rules.Projects']]:
        """Return each target with its projects, for replicate().

        :param source: None for a folder
        """
        return [(cloud.end, self.projects(arguments, source, cloud))
                for cloud in clouds]

    def projects(self, arguments: argparse.Namespace,
                 source: 'session.ReplicaCloud | None',
                 target: 'session.ReplicaCloud | None') -> 'rules.Projects':
        """Return the projects that the options ask for."""
        from nova_image.replication import rules

        given = vars(arguments)
        known: dict[str, str] = {}
        has_map = bool(given.get('project_map') or
                       given.get('projects_by_name'))
        if given.get('project_map'):
            known = options.read_map(arguments.project_map)
        elif given.get('projects_by_name'):
            known = self._projects_by_name(source, target)
        return rules.Projects(
            known, given.get('all_to'),
            not has_map or arguments.keep_unknown_projects)

    @staticmethod
    def _projects_by_name(source: 'session.ReplicaCloud | None',
                          target: 'session.ReplicaCloud | None'
                          ) -> dict[str, str]:
        from nova_image.cmd import project_maps

        ours = source.keystone if source else None
        theirs = target.keystone if target else None
        if ours is None or theirs is None:
            raise errors.Usage('--projects-by-name requires Keystone at both '
                               'ends. Use --project-map')
        return project_maps.by_name(ours, theirs)


class Replicate(ReplicationCommand):
    """Copy images from one Glance to others.

    Images keep their IDs, metadata and members. A new image is private at the
    target until its data has been verified. An image that the target already
    has is updated if its metadata or members differ. The command can be
    interrupted and repeated at any time: it does only what is missing.
    """

    examples = """
        nova-image replicate --from old --to new --dry-run
        nova-image replicate --from old --to new
        nova-image replicate --from http://old.example.org:9292/v1 --to new \\
            --visibility public --transfers 8 --bandwidth 100M
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add all options."""
        self.add_from(parser)
        self.add_to(parser)
        parser.add_argument(
            '--dry-run', action='store_true',
            help='Report what would be done, and change nothing.')
        replication_targets.add_store(parser)
        replication_targets.add_method(parser)
        options.add_filters(parser)
        options.add_contents(parser)
        options.add_transfers(parser)
        options.add_orphans(parser)
        options.add_workers(parser)
        self.add_output(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Replicate, once or repeatedly."""
        chosen = options.run_options(parsed_args,
                                     change=not parsed_args.dry_run)

        def once(health: replication_daemon.Health) -> int:
            source, clouds = self.open_all(parsed_args)
            replication_targets.prepare(parsed_args, source, clouds)
            return self.replicate(
                parsed_args, source.end,
                self.goals(parsed_args, source, clouds), chosen, health)

        return replication_daemon.repeat(
            once, parsed_args.every,
            replication_daemon.Health(parsed_args.metrics), self.app.say)


class Compare(ReplicationCommand):
    """Compare the images of two Glances.

    Nothing is changed. The exit code is 14 if images are missing or differ at
    a target, and 15 if images could not be compared or are in conflict. With
    --deep, the data of images that otherwise match is read at both ends,
    which detects damaged data in a store.
    """

    examples = """
        nova-image compare --from old --to new
        nova-image compare --from old --to new --deep --json
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add all options."""
        self.add_from(parser)
        self.add_to(parser)
        parser.add_argument(
            '--deep', action='store_true',
            help='Also read the data at both ends and compare it.')
        parser.add_argument(
            '--transfers', metavar='<number>', default=4,
            type=options.MANY,
            help='Number of images to read in parallel with --deep '
                 '(default: 4).')
        options.add_filters(parser)
        options.add_contents(parser)
        group = parser.add_argument_group('checks')
        options.add_checks(group)
        options.add_journal(group)
        self.add_output(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Compare."""
        source, clouds = self.open_all(parsed_args)
        return self.replicate(
            parsed_args, source.end,
            self.goals(parsed_args, source, clouds),
            options.run_options(parsed_args, change=False))


class Dump(ReplicationCommand):
    """Copy images from a Glance into a folder.

    The folder contains a manifest for each image, and the verified data.
    Images with the same data share one file. Repeat the command after an
    interruption, or to update the folder: it does only what is missing.
    """

    examples = """
        nova-image dump /srv/images
        nova-image dump --from old /srv/images --name 'cirros*'
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add all options."""
        parser.add_argument('folder', metavar='<folder>',
                            help='Folder of an earlier dump, or a new or '
                                 'empty one. It is created if necessary.')
        self.add_from(parser)
        options.add_filters(parser)
        options.add_transfers(parser)
        self.add_output(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Dump."""
        from nova_image.replication import folder

        source = self.open(parsed_args.source, parsed_args.from_token_file)
        return self.replicate(
            parsed_args, source.end,
            [(folder.Folder(parsed_args.folder, create=True),
              self.projects(parsed_args, source, None))],
            options.run_options(parsed_args))


class Load(ReplicationCommand):
    """Copy images from a folder into a Glance.

    The folder was written by nova-image dump or by glance-replicator dump.
    The data is verified while it is read.
    """

    examples = """
        nova-image load /srv/images --to new --dry-run
        nova-image load /srv/images --to new
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add all options."""
        parser.add_argument('folder', metavar='<folder>',
                            help='Folder that contains the images.')
        self.add_to(parser)
        parser.add_argument(
            '--dry-run', action='store_true',
            help='Report what would be done, and change nothing.')
        replication_targets.add_store(parser)
        options.add_filters(parser)
        options.add_contents(parser)
        options.add_transfers(parser)
        self.add_output(parser)

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Load."""
        from nova_image.replication import old_dump

        source = old_dump.open_dump(parsed_args.folder,
                                    not parsed_args.metadata_only)
        clouds = [self.open(name, parsed_args.to_token_file)
                  for name in parsed_args.targets]
        replication_targets.prepare(parsed_args, None, clouds)
        return self.replicate(
            parsed_args, source,
            self.goals(parsed_args, None, clouds),
            options.run_options(parsed_args, change=not parsed_args.dry_run))


class Size(ReplicationCommand, base.ShowOne):
    """Show the number of images and their total size.

    Images of all projects count if the credentials are an administrator's.
    Images without data are counted separately.
    """

    examples = """
        nova-image size
        nova-image size --from old --visibility public -f value -c size
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the source and the filters."""
        self.add_from(parser)
        options.add_filters(parser)

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[tuple[str, ...], tuple[typing.Any, ...]]:
        """Add up the sizes."""
        source = self.open(parsed_args.source, parsed_args.from_token_file)
        find = options.chosen_filters(parsed_args)
        images = size = without = 0
        for image in source.end.images():
            if any(one(image) for one in find):
                continue
            if not image.has_data:
                without += 1
                continue
            images += 1
            size += image.size or 0
        return ('images', 'size', 'without_data'), (
            images, display.ExactSize(size), without)
