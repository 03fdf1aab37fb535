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

"""Carries requests to a modelled Glance, and lets an adversary interfere."""

import collections.abc
import dataclasses
import io
import json as jsons
import typing

import requests

from nova_image.tests.functional.model import service
from nova_image.tests.functional.model import world as worlds

#: what may happen to a request that does not take effect
BEFORE = ('lost', 'half', '503', '429', '500', '409', '403',
          'garbage', 'interrupt')
#: what may happen to the answer after it has taken effect
AFTER = ('lost after', '503 after', '504 after', 'garbage after',
         'wrong after', 'odd after', 'interrupt after')
#: what may happen to the data of a request
CORRUPT = 'corrupt'
FAULTS = BEFORE + AFTER + (CORRUPT,)

_GARBAGE = b'<html>Please log in</html>'
_HTML = {'Content-Type': 'text/html'}


@dataclasses.dataclass
class Answer:
    """An answer of Glance."""

    status: int
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    json: typing.Any = None
    body: bytes = b''

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if self.json is None:
            return self.body
        return jsons.dumps(self.json).encode()


class Asked:
    """A request as it reaches Glance.

    :ivar is_cut: whether the connection is lost before its end
    """

    def __init__(self, request: requests.PreparedRequest, number: int,
                 is_cut: bool = False, is_corrupt: bool = False) -> None:
        url = request.url or ''
        self.method = request.method or ''
        self.path = '/' + url.split('://', 1)[1].split('/', 1)[1]
        self.headers = {_text(name).lower(): _text(value)
                        for name, value in request.headers.items()}
        self.id = 'req-%d' % number
        self.is_cut = is_cut
        self._is_corrupt = is_corrupt
        self._body: typing.Any = request.body
        self.has_body = self._body is not None
        self._whole: bytes | None = None

    def data(self) -> bytes:
        """Return the body."""
        if self._whole is None:
            body = self._body
            if isinstance(body, str):
                body = body.encode()
            self._whole = body if isinstance(body, bytes) else (
                b''.join(body or ()))
            if self._is_corrupt and not isinstance(self._body, (str, bytes)):
                self._whole = corrupted(self._whole)
        return self._whole

    def begin(self) -> None:
        """Read the first piece of the body."""
        if self.has_body and not isinstance(self._body, (str, bytes)):
            next(iter(self._body), b'')

    def json(self) -> typing.Any:
        """Return the JSON of the body."""
        return jsons.loads(self.data())


def corrupted(data: bytes) -> bytes:
    """Return other data of the same size, if it has any."""
    return data[:-1] + b'~' * bool(data)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class Server(typing.Protocol):
    """What answers requests."""

    world: worlds.World

    def serve(self, actor: str, request: Asked) -> Answer:
        """Return the answer; raises service.Refused."""


class Adapter(requests.adapters.BaseAdapter):
    """A transport of requests that ends in a modelled Glance.

    :param server: the server
    :param step: called with whether a request only reads, and how many such
        requests there were before; returns its fault, or None
    :param then: called after a request, with the same and the ID of its image

    ``log`` has a line for each request, ``deleted`` the IDs of the images that
    it should delete.
    """

    def __init__(self, server: Server,
                 step: collections.abc.Callable[[bool, int], str | None],
                 then: collections.abc.Callable[[bool, int, str | None], str]
                 ) -> None:
        super().__init__()
        self._server = server
        self._step = step
        self._then = then
        self._counts = {False: 0, True: 0}
        self.is_corrupt = False
        self.log: list[str] = []
        self.interrupted = False
        self.deleted: list[str] = []

    def send(self, request: requests.PreparedRequest,
             *args: typing.Any, **options: typing.Any) -> requests.Response:
        """Answer a request."""
        reads = request.method in ('GET', 'HEAD')
        number, self._counts[reads] = self._counts[reads], (
            self._counts[reads] + 1)
        fault = self._step(reads, number)
        asked = Asked(request, number, fault == 'half', fault == CORRUPT)
        line = '  %s %s' % (asked.method, asked.path)
        about = _about(asked)
        if asked.method == 'DELETE' and about:
            self.deleted.append(about)
        try:
            answer = self._answered(asked, fault)
            line += ' %d' % answer.status
            return _response(answer, request)
        except BaseException as error:
            line += ' %s' % type(error).__name__
            raise
        finally:
            self.log.append('%s%s%s' % (
                line, ' (%s)' % fault if fault else '',
                self._then(reads, number, about)))

    def _answered(self, asked: Asked, fault: str | None) -> Answer:
        self._server.world.recent = []
        self.is_corrupt |= fault == CORRUPT
        if fault in BEFORE and fault != 'half':
            asked.begin()
            return self._refused(fault)
        if fault == 'half' and isinstance(asked._body, (
                str, bytes, type(None))):
            raise requests.ConnectionError('reset')
        try:
            answer = self._server.serve(worlds.CALL, asked)
        except service.Refused as error:
            answer = Answer(error.status, body=str(error).encode())
        if fault == 'half':
            asked.begin()
            raise requests.ConnectionError('reset')
        asked.data()
        answer.headers['x-openstack-request-id'] = asked.id
        if fault in AFTER:
            return self._spoilt(answer, fault, asked)
        if answer.status < 300:
            for image, name in self._server.world.recent:
                image.known.add(name)
        return answer

    def _refused(self, fault: str) -> Answer:
        """Return an answer to a request that has had no effect."""
        if fault == 'lost':
            raise requests.ConnectionError('reset')
        if fault == 'interrupt':
            self.interrupted = True
            raise KeyboardInterrupt
        if fault == 'garbage':
            return Answer(200, _HTML, body=_GARBAGE)
        return Answer(int(fault), body=b'said by a proxy')

    def _spoilt(self, answer: Answer, fault: str, asked: Asked) -> Answer:
        """Return what arrives instead of an answer."""
        kind = fault.partition(' ')[0]
        if kind in ('503', '504') or kind in BEFORE and kind != 'garbage':
            return self._refused(kind)
        if answer.status >= 300:
            return answer
        if kind == 'garbage':
            return Answer(answer.status, _HTML, body=_GARBAGE)
        if kind == 'wrong':
            return _changed(answer, member_id='another',
                            id=self._another(_about(asked)))
        return _changed(answer, created_at='no time', min_ram='many')

    def _another(self, about: str | None) -> str:
        """Return the ID of another image that exists."""
        images = self._server.world.images.values()
        return next(one.id for one in images if not one.gone and
                    one.id != about)


def _changed(answer: Answer, **values: str) -> Answer:
    """Return an answer with other values of those that it has."""
    found = answer.json
    if not isinstance(found, dict):
        return answer
    inner = found.get('image', found)
    new = inner | {name: value for name, value in values.items()
                   if name in inner}
    return Answer(answer.status, answer.headers,
                  {'image': new} if 'image' in found else new)


def _about(asked: Asked) -> str | None:
    """Return the ID of the image that a request is about, if any."""
    parts = asked.path.partition('?')[0].split('/')[2:]
    if parts[:1] != ['images']:
        return None
    if len(parts) > 1:
        return parts[1]
    if 'x-image-meta-id' in asked.headers:
        return asked.headers['x-image-meta-id']
    return asked.json()['id'] if asked.method == 'POST' else None


def _response(answer: Answer, request: requests.PreparedRequest
              ) -> requests.Response:
    found = requests.Response()
    found.status_code = answer.status
    found.headers.update(answer.headers)
    if answer.json is not None:
        found.headers['Content-Type'] = 'application/json'
    found.raw = io.BytesIO(answer.content())
    found.request = request
    found.url = request.url or ''
    found.reason = 'answered by the model'
    return found
