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

"""Builds a release without a network, and checks its contents.

Usage: python -m tools.check_package [FOLDER]

Builds the source distribution from a copy of the tree, and wheels from both.
twine checks them, and their contents are compared with the tree. Prints each
problem and exits with 1 if there is any. A FOLDER receives the source
distribution and its wheel.
"""

import collections.abc
import configparser
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import setup_commands

ROOT = pathlib.Path(__file__).resolve().parent.parent
#: a tree has no tag before its first release
VERSION = '1.0.0'

#: what pbr and setuptools add to a source distribution
_ADDED = {'AUTHORS', 'ChangeLog', 'PKG-INFO'}
#: what reno adds if it is installed
_ADDED_BY_RENO = {'RELEASENOTES.rst', 'releasenotes/notes/reno.cache'}
#: what only git needs; pbr leaves it out
_LEFT_OUT = {'.gitignore'}
#: the files of a wheel about itself
_DIST_INFO = {'METADATA', 'RECORD', 'WHEEL', 'entry_points.txt', 'pbr.json',
              'top_level.txt', 'AUTHORS', 'LICENSE'}
#: folders of the tree -> where their files are installed
_SHARED = {'doc/man': 'share/man/man1',
           'examples/monitoring': 'share/nova_image/monitoring'}
_COMMIT = ('-c', 'user.name=nova_image', '-c', 'user.email=n@example.org',
           '-c', 'commit.gpgsign=false', 'commit', '-q', '--no-verify',
           '-m', 'The tree')


class BuildFailed(Exception):
    """A command failed."""


def tracked(root: pathlib.Path) -> set[str]:
    """Return the files of a tree that git tracks, or would track."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others',
         '--exclude-standard'], cwd=root, check=True, text=True,
        stdout=subprocess.PIPE).stdout
    return {name for name in listed.split('\0')
            if name and (root / name).is_file()}


def in_wheel(name: str, files: collections.abc.Container[str]) -> bool:
    """Return whether a file of the tree is part of the wheel.

    :param name: its name
    :param files: all files of the tree
    """
    folder, _, file = name.rpartition('/')
    if not name.startswith('nova_image/'):
        return False
    module = file.removesuffix('.py') if file.endswith('.py') else '__init__'
    while folder + '/__init__.py' not in files:
        # A folder without it holds data of the package above.
        folder, module = folder.rpartition('/')[0], '__init__'
    return setup_commands.has_module(folder.replace('/', '.'), module)


def expected_in_wheel(files: set[str], version: str) -> set[str]:
    """Return the names of the files that the wheel of a tree has.

    :param files: the files of the tree
    :param version: the version of the wheel
    """
    stem = 'nova_image-%s.' % version
    names = {stem + 'dist-info/' + name for name in _DIST_INFO}
    for name in files:
        if in_wheel(name, files):
            names.add(name)
        folder, _, file = name.rpartition('/')
        if folder in _SHARED:
            names.add('%sdata/data/%s/%s' % (stem, _SHARED[folder], file))
    return names


def differences(where: str, found: set[str], wanted: set[str]
                ) -> collections.abc.Iterator[str]:
    """Yield the files that are missing, and those that do not belong."""
    for name in sorted(wanted - found):
        yield '%s lacks %s' % (where, name)
    for name in sorted(found - wanted):
        yield '%s has %s, which does not belong there' % (where, name)


def source_problems(path: pathlib.Path, files: set[str]
                    ) -> collections.abc.Iterator[str]:
    """Yield the problems of a source distribution.

    :param path: the source distribution
    :param files: the files of the tree
    """
    with tarfile.open(path) as archive:
        names = {member.name.partition('/')[2]
                 for member in archive.getmembers() if member.isfile()}
    names = {name for name in names - _ADDED_BY_RENO
             if '.egg-info/' not in name}
    yield from differences('the source distribution', names,
                           (files | _ADDED) - _LEFT_OUT)


def wheel_problems(path: pathlib.Path, files: set[str], root: pathlib.Path,
                   folders: collections.abc.Iterable[pathlib.Path] = ()
                   ) -> collections.abc.Iterator[str]:
    """Yield the problems of a wheel.

    :param path: the wheel
    :param files: the files of the tree
    :param root: the tree
    :param folders: folders of this machine, whose names a wheel must not have
    """
    version = path.name.split('-')[1]
    texts = _texts(path)
    yield from differences('the wheel', {*texts},
                           expected_in_wheel(files, version))
    for name, text in texts.items():
        for folder in folders:
            if os.fsencode(folder) in text:
                yield 'the wheel names the folder %s in %s' % (folder, name)
    yield from entry_point_problems(
        texts.get('nova_image-%s.dist-info/entry_points.txt' % version,
                  b'').decode(),
        (root / 'setup.cfg').read_text(), {*texts})


def entry_point_problems(found: str, config: str, names: set[str]
                         ) -> collections.abc.Iterator[str]:
    """Yield the entry points that are missing or that lead nowhere.

    :param found: entry_points.txt of a wheel
    :param config: the text of setup.cfg
    :param names: the files of the wheel
    """
    packed = _parsed(found)
    for group, lines in _parsed(config)['entry_points'].items():
        points = {name.strip(): target.strip() for name, _, target in (
            line.partition('=') for line in lines.splitlines() if line)}
        if group not in packed or dict(packed[group]) != points:
            yield 'the wheel has other entry points of %s' % group
        for target in points.values():
            module = target.partition(':')[0].replace('.', '/')
            if not {module + '.py', module + '/__init__.py'} & names:
                yield 'the wheel lacks %s of %s' % (target, group)


def _parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters='=', interpolation=None)
    setattr(parser, 'optionxform', str)
    parser.read_string(text)
    return parser


def _texts(wheel: pathlib.Path) -> dict[str, bytes]:
    """Return the files of a wheel, with their contents."""
    with zipfile.ZipFile(wheel) as archive:
        return {_plain(name): archive.read(name)
                for name in archive.namelist() if not name.endswith('/')}


def _plain(name: str) -> str:
    """Return a name in a wheel without the folder of newer setuptools."""
    return name.replace('.dist-info/licenses/', '.dist-info/')


def _run(*argv: str | pathlib.Path, cwd: pathlib.Path, **env: str) -> None:
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, 'PIP_NO_INDEX': '1', **env},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise BuildFailed('%s failed in %s:\n%s' % (
            ' '.join(map(str, argv)), cwd, done.stdout))


def copy(target: pathlib.Path) -> set[str]:
    """Make a copy of the tree, with a commit of its own.

    :returns: the names of its files
    """
    files = tracked(ROOT)
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)
    for argv in (('init', '-q'), ('add', '--all'), _COMMIT):
        _run('git', *argv, cwd=target)
    return files


def build(kind: str, source: pathlib.Path, target: pathlib.Path,
          **env: str) -> pathlib.Path:
    """Build a distribution without a network.

    :param kind: sdist or wheel
    :param source: the folder to build
    :param target: the folder for the result
    :param env: variables of the environment
    :returns: the file
    """
    _run(sys.executable, '-m', 'build', '--no-isolation', '--' + kind,
         '--outdir', target, '.', cwd=source, **env)
    built, = target.iterdir()
    return built


def problems(folder: pathlib.Path, keep: pathlib.Path | None = None
             ) -> collections.abc.Iterator[str]:
    """Build everything in a folder, and yield what is wrong.

    :param folder: an empty folder
    :param keep: a folder for the distributions, if they are wanted
    """
    tree = folder / 'tree'
    files = copy(tree)
    source = build('sdist', tree, folder / 'sdist', PBR_VERSION=VERSION)
    direct = build('wheel', tree, folder / 'direct', PBR_VERSION=VERSION)
    with tarfile.open(source) as archive:
        archive.extractall(folder / 'unpacked', filter='data')
    unpacked, = (folder / 'unpacked').iterdir()
    # The version is in PKG-INFO. There is no git.
    wheel = build('wheel', unpacked, folder / 'wheel')
    _run(sys.executable, '-m', 'twine', '--no-color', 'check', '--strict',
         source, wheel, cwd=folder)
    yield from source_problems(source, files)
    yield from wheel_problems(wheel, files, ROOT, (ROOT, folder))
    if (wheel.name, {*_texts(wheel)}) != (direct.name, {*_texts(direct)}):
        yield 'the wheels of the tree and of the source distribution differ'
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, keep)
        shutil.copy(wheel, keep)


def main(argv: list[str]) -> int:
    """Print the problems of a release.

    :param argv: the folder for the distributions, or nothing
    :returns: the exit code
    """
    keep = pathlib.Path(argv[0]).resolve() if argv else None
    with tempfile.TemporaryDirectory() as name:
        try:
            found = list(problems(pathlib.Path(name).resolve(), keep))
        except BuildFailed as error:
            found = [str(error)]
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
