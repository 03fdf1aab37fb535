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

"""Parses and formats the sizes of images."""

import argparse

_UNITS = {'K': 1024, 'M': 1024 ** 2, 'G': 1024 ** 3, 'T': 1024 ** 4}


def parse(text: str) -> list[int]:
    """Parse sizes such as ``16M,256M,1G``; a type for argparse.

    :param text: numbers with a unit, separated by commas
    :returns: the sizes in bytes, ascending, without duplicates
    :raises argparse.ArgumentTypeError: if the text is not a list of sizes
    """
    try:
        return sorted({_parse_one(part) for part in text.split(',')})
    except ValueError:
        raise argparse.ArgumentTypeError(
            '%r is not a list of sizes such as 16M,256M,1G' % text) from None


def _parse_one(text: str) -> int:
    size = int(text[:-1]) * _UNITS[text[-1].upper()] if (
        text[-1:].upper() in _UNITS) else int(text)
    if size < 1:
        raise ValueError(text)
    return size


def short(size: int) -> str:
    """Return a size in the format of parse(): ``16M``."""
    for unit, factor in reversed(_UNITS.items()):
        if size % factor == 0:
            return '%d%s' % (size // factor, unit)
    return str(size)


def long(size: int) -> str:
    """Return a size for people: ``16 MiB``."""
    text = short(size)
    return ('%s %siB' % (text[:-1], text[-1]) if text[-1] in _UNITS
            else '%s bytes' % text)
