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

"""Text of other people, made harmless for the people who read it.

Names and properties may contain any character. Some of them control the
terminal, begin a line, or change the order of the text around them. They are
shown as escape sequences, such as ``\\x1b`` and ``\\u202e``.
"""

from __future__ import annotations

import re
import unicodedata

#: characters with a shorter escape sequence
_SHORT = {'\n': '\\n', '\r': '\\r', '\t': '\\t'}
#: A backslash before one of these could be the beginning of an escape
#: sequence. A non-ASCII character may become one in an encoding without it.
_AMBIGUOUS = re.compile(r'\\(?=[\\nrtuUx]|[^ -~])')


def shown(text: object) -> str:
    """Return a value as one line, which shows exactly what it is.

    A backslash is doubled if it could be mistaken for the beginning of an
    escape sequence, so different values look different.
    """
    plain = str(text)
    if plain.isprintable() and '\\' not in plain:
        return plain
    return _escaped(_AMBIGUOUS.sub(r'\\\\', plain), '')


def harmless(text: str) -> str:
    """Return lines without characters that control a terminal.

    Lines and tabs remain. Backslashes are not doubled.
    """
    return text if text.isprintable() else _escaped(text, '\n\t')


def fitting(text: str, encoding: str | None) -> str:
    """Return text in which characters that an encoding lacks are escaped.

    :param encoding: name of the encoding; None for one that lacks nothing
    """
    if encoding is None or text.isascii():
        return text
    return text.encode(encoding, 'backslashreplace').decode(encoding)


def _escaped(text: str, kept: str) -> str:
    return ''.join(
        char if char.isprintable() or char in kept or
        unicodedata.category(char) == 'Zs' else
        _SHORT.get(char) or _sequence(ord(char)) for char in text)


def _sequence(number: int) -> str:
    """Return the escape sequence of a character, as in Python."""
    if number < 0x100:
        return '\\x%02x' % number
    return '\\u%04x' % number if number < 0x10000 else '\\U%08x' % number
