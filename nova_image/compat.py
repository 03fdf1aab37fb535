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

"""What newer Pythons have in their library."""

import datetime
import sys

#: options of dataclasses.dataclass() that Python 3.9 lacks: objects without
#: a dictionary, which take less memory, and fields that are only keywords
SLOTS = {'slots': True} if sys.version_info >= (3, 10) else {}
KEYWORDS = {'kw_only': True} if sys.version_info >= (3, 10) else {}


def parse_time(text):
    """Return a datetime of ISO 8601 text, on Python 3.

    It reads the forms that datetime.fromisoformat() of this Python reads,
    and the Z of Glance's times, which Python 3.11 was the first to read.

    :param text: text, such as 2026-11-21T04:16:28Z
    :returns: with a zone if the text has one
    :raises ValueError: if it is not a time in such a form
    :raises TypeError: if it is not text
    """
    if sys.version_info < (3, 11) and text[-1:] == 'Z':
        text = text[:-1] + '+00:00'
    return datetime.datetime.fromisoformat(text)
