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

"""Filters of the Images API v1 in requests to Nova, by its access logs."""

from __future__ import annotations

import collections
import collections.abc
import gzip
import re
import typing
import urllib.parse

#: a request for images in an access log of any usual format
_REQUEST = re.compile(r'\b(?:GET|HEAD) (\S*/images(?:/detail)?\?\S+)')
#: filters that v2 has differently, or does not have
_DIFFERENT = frozenset(('changes-since', 'is_public', 'size_min', 'size_max'))


def filters(paths: collections.abc.Iterable[str]) -> dict[str, int]:
    """Return the filters that v2 reads differently, and their number.

    :param paths: of access logs of nova-api, compressed or not
    :raises OSError: if one cannot be read
    """
    found: collections.Counter[str] = collections.Counter()
    for path in paths:
        with _open(path) as lines:
            for line in lines:
                match = _REQUEST.search(line)
                if match:
                    found.update(_different(match[1]))
    return dict(found)


def _open(path: str) -> typing.TextIO:
    if path.endswith('.gz'):
        return gzip.open(path, 'rt', errors='replace')
    return open(path, errors='replace')


def _different(target: str) -> collections.abc.Iterator[str]:
    """Yield the filters of one request that v2 reads differently."""
    # urlsplit() would refuse some of what a client can send.
    query = target.partition('?')[2].partition('#')[0]
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if name in _DIFFERENT:
            yield name
        elif name.startswith('property-'):
            yield 'property-...'
        elif name == 'protected' and value.lower() not in ('true', 'false'):
            yield 'protected=%s' % value[:20]
