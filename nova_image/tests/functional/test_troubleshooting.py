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

"""The messages that the page about troubleshooting quotes are in the source.

A quotation is a literal with a space in it. Words in capitals stand for what
the source inserts, and an ellipsis for the rest of a message.
"""

import ast
import collections.abc
import pathlib
import re

import testtools

from nova_image import exception

_TOP = pathlib.Path(__file__).resolve().parents[3]
_PAGE = _TOP / 'doc' / 'source' / 'operator' / 'troubleshooting.rst'
_MODULES = _TOP / 'nova_image'
_LITERAL = re.compile(r'``([^`]+)``')
#: quotations of commands, options and their values
_NO_MESSAGE = re.compile(
    r'(nova-image|nova-image-run|qemu-img) [a-z -]*[A-Za-z -]*$'
    r'|(\[\w+\] )?\w+( = \w+)?$|--')
_CLASS = re.compile(r'[A-Z][a-z]+([A-Z][a-z]+)+$')
_INSERTED = re.compile(r'\b(?:ID|IMAGE|N|NAME|OPTION|PATH|REASON|URL)\b')
_FORMAT = r'%(?:\(\w+\))?[.0-9]*[a-z]'
_SHORTEST = 12  # characters
#: base classes, whose first words say nothing about a cause
_GENERAL = {'Invalid', 'NotFound', 'NovaImageException'}


def quotations() -> list[str]:
    """Return the literals of the page, each on one line."""
    return [' '.join(text.split())
            for text in _LITERAL.findall(_PAGE.read_text())]


def messages() -> list[str]:
    """Return the quotations that are messages."""
    return [text for text in quotations()
            if ' ' in text and not _NO_MESSAGE.match(text)]


def constants() -> collections.abc.Iterator[str]:
    """Yield the texts in the source other than docstrings."""
    for path in _MODULES.rglob('*.py'):
        if 'tests' in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            children = ast.iter_child_nodes(node)
            for child in children:
                if isinstance(child, ast.Constant) and isinstance(
                        child.value, str) and not isinstance(node, ast.Expr):
                    yield child.value


def pattern(message: str) -> 're.Pattern[str]':
    """Return an expression that matches the source of a message."""
    def either(word: 're.Match[str]') -> str:
        return '(?:%s|%s)' % (_FORMAT, word[0])

    return re.compile('.*'.join(
        _INSERTED.sub(either, re.escape(part.strip()))
        for part in message.split('...')), re.DOTALL)


class TroubleshootingTest(testtools.TestCase):
    """doc/source/operator/troubleshooting.rst"""

    def test_messages_are_in_the_source(self) -> None:
        found = messages()
        self.assertGreater(len(found), 80)
        texts = list(constants())
        self.assertEqual([], [
            message for message in found
            if not any(pattern(message).search(text) for text in texts)])

    def test_messages_are_long_enough_to_be_found(self) -> None:
        self.assertEqual([], [
            message for message in messages() if len(message) < _SHORTEST])

    def test_classes_exist(self) -> None:
        self.assertEqual([], [
            name for name in quotations()
            if _CLASS.match(name) and not hasattr(exception, name)])

    def test_all_headlines_are_there(self) -> None:
        page = ' '.join(messages())
        missing = {
            kind.__name__ for kind in vars(exception).values()
            if isinstance(kind, type) and issubclass(
                kind, exception.NovaImageException)
            and kind.headline not in page}
        self.assertEqual(_GENERAL, missing)
