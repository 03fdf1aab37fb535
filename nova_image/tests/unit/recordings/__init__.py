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

"""Answers of real Glances, recorded by tools/record_answers.py.

There is a file for each API and version of Glance, with answers by name, such
as ``show_active`` and ``create_409``. A test gets one with::

    GLANCE33 = recordings.load('v2_glance33')
    answer = GLANCE33('show_active')
"""

import copy
import io
import json
import os

import requests_mock
import six

ACTIVE = u'aaaaaaaa-0000-4000-8000-000000000001'
QUEUED = u'aaaaaaaa-0000-4000-8000-000000000002'
SHARED = u'aaaaaaaa-0000-4000-8000-000000000003'
COMMUNITY = u'aaaaaaaa-0000-4000-8000-000000000004'
PROTECTED = u'aaaaaaaa-0000-4000-8000-000000000005'
EMPTY = u'aaaaaaaa-0000-4000-8000-000000000006'
ABSENT = u'aaaaaaaa-0000-4000-8000-00000000000f'
KERNEL = u'bbbbbbbb-0000-4000-8000-000000000001'
#: the data of the active image
DATA = b'0123456789' * 10
#: the name of the active image, and its property ``description``
NAME = u'Z\xfcrich \u65e5\u672c'


def files():
    """Return the names of all files, without their ending."""
    folder = os.listdir(os.path.dirname(__file__))
    return sorted(name[:-len('.json')] for name in folder
                  if name.endswith('.json'))


def names(name):
    """Return the names of the answers in a file.

    :param name: the name of the file without its ending
    """
    path = os.path.join(os.path.dirname(__file__), name + '.json')
    with io.open(path, encoding='utf-8') as stream:
        return sorted(json.load(stream))


class Answer(object):
    """An HTTP answer.

    :param status: the status, an int
    :param headers: a dict of the headers
    :param content: the body: bytes, or a binary file object that may fail
    :param pieces: the number of pieces of the request's body that are read
        before the answer; all of them if None
    """

    def __init__(self, status=200, headers=None, content=b'', pieces=None):
        self.status = status
        self.headers = dict(headers or {})
        self.content = content
        self.pieces = pieces

    @property
    def json(self):
        """The decoded JSON body; a new object each time."""
        return json.loads(self.content.decode('utf-8'))

    def but(self, **fields):
        """Return a copy with changed or added fields in its JSON object."""
        return self.saying(dict(self.json, **fields))

    def without(self, *names):
        """Return a copy without some fields in its JSON object."""
        return self.saying({name: value for name, value in self.json.items()
                            if name not in names})

    def saying(self, found):
        """Return a copy with another JSON body."""
        return self.changed(content=json.dumps(found).encode('utf-8'))

    def changed(self, **attributes):
        """Return a copy with other attributes; ``headers`` are added."""
        other = copy.copy(self)
        other.headers = dict(self.headers, **attributes.pop('headers', {}))
        for name, value in attributes.items():
            setattr(other, name, value)
        return other

    def respond(self, request):
        """Return this answer as the requests.Response to a request."""
        body = self.content
        if isinstance(body, bytes):
            body = io.BytesIO(body)
        return requests_mock.create_response(
            request, status_code=self.status, body=body,
            headers={name: _as_received(value)
                     for name, value in self.headers.items()})


def _as_received(text):
    """Return a header's UTF-8 text as this Python's HTTP library does."""
    if isinstance(text, six.text_type):
        text = text.encode('utf-8')
    return text if six.PY2 else text.decode('latin-1')


def load(name):
    """Return a function that returns the answers of a file by name.

    :param name: the name of the file, without ``.json``
    """
    path = os.path.join(os.path.dirname(__file__), name + '.json')
    with io.open(path, encoding='utf-8') as stream:
        recorded = json.load(stream)

    def answer(answer_name):
        return _answer(recorded[answer_name])
    return answer


def _answer(found):
    if 'json' in found:
        content = json.dumps(found['json']).encode('utf-8')
    else:
        content = found.get('text', u'').encode('utf-8')
    return Answer(found['status'], found['headers'], content)
