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


"""Mistakes of callers and endpoints, and how every driver handles them."""

import collections.abc
import io
import json
import typing

from nova_image import exception
from nova_image.image import driver
from nova_image.tests import fixtures
from nova_image.tests.functional import base
from nova_image.tests.functional import conformance_case as case
from nova_image.tests.functional import loopback

_HTML = b'<html><body><h1>Please log in</h1></body></html>'
_BREAKING = 'this is an error of the source'
_VERSIONS = json.dumps({'versions': [{'id': 'v2.3'}]}).encode()

#: name -> (the endpoint's script, the error, words of its message)
ENDPOINTS: dict[str, tuple[loopback.Script, type[Exception], list[str]]] = {
    'a login page': (
        loopback.answering('200 OK', _HTML, 'Content-Type: text/html'),
        exception.GlanceBadAnswer, ['login page']),
    'another version': (
        loopback.answering('300 Multiple Choices', _VERSIONS),
        exception.GlanceVersionNotServed, ['300', 'use_glance_v1']),
    'JSON that ends early': (
        loopback.answering('200 OK', b'{"images": [{"id"',
                           'Content-Type: application/json'),
        exception.GlanceBadAnswer, ['endpoint is that of Glance']),
    'JSON of another kind': (
        loopback.answering('200 OK', b'[1, 2]'),
        exception.GlanceBadAnswer, ['endpoint is that of Glance']),
    'a body that ends early': (
        loopback.saying(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}'),
        exception.GlanceConnectionFailed, ['Check that']),
    'nothing': (loopback.saying(), exception.GlanceConnectionFailed,
                ['Glance is running']),
    'garbage': (loopback.saying(b'SSH-2.0-OpenSSH_9.2\r\n\r\n'),
                exception.GlanceConnectionFailed, ['Glance is running']),
    'a server error': (loopback.answering('503 Busy', b'<b>overload</b>'),
                       exception.GlanceServerError, ['503', 'later']),
    'a quota': (loopback.answering('413 Too Large'),
                exception.ImageQuotaExceeded, ['413', 'limits']),
    'a strange status': (loopback.answering('699 Whatever'),
                         exception.GlanceBadAnswer, ['699']),
}


class _BadFile(io.BytesIO):
    """A file on a disk that fails."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, 'Input/output error')
        return super().read(3)


def _breaking() -> collections.abc.Iterator[bytes]:
    yield b'the beginning'
    raise ZeroDivisionError(_BREAKING)


def _text() -> collections.abc.Iterator[typing.Any]:
    yield b'the beginning'
    yield 'text'


class BadInput(case.DriverCase):
    """Bad input is refused with one clear error and leaves nothing behind."""

    #: property names that are reserved for Glance's own fields
    reserved_names: tuple[str, ...] = (
        'owner', 'size', 'status', 'tags', 'self', 'os_glance_x',
        'os_hash_value', 'visibility', 'location')
    #: property names that the API cannot carry
    impossible_names: tuple[str, ...] = ('', 'ключ', 'a\nb', 'é')
    #: the length of the longest property value, in bytes; None if unlimited
    longest_value: int | None = None

    @property
    def server(self) -> fixtures.Service:
        """The server under test, which records its requests."""
        raise NotImplementedError

    def assertRefused(self, kind: type[Exception], *words: str,
                      data: typing.Any = None,
                      **meta: typing.Any) -> Exception:
        """Check that an image cannot be created from some input.

        :param kind: the class of the error
        :param words: parts of the error's message
        :returns: the error
        """
        error = self.assertRaises(kind, self.make, data, **meta)
        for word in words:
            self.assertIn(word, str(error))
        self.assertNothingLeft()
        return error

    def test_bad_filters(self) -> None:
        for filters in (
                {'name': None}, {'name': ['a']}, {'status': {}},
                {'property-a': ('b',)}, {'a': object()}, {'owner': None},
                {'size_min': 'many'}, {'size_max': -1}, {'min_ram': None},
                {'protected': 'maybe'}, {'is_public': 'maybe'},
                {'is_public': 7}, {'changes-since': 'yesterday'},
                {'changes-since': 5}):
            error = self.assertRaises(exception.Invalid, self.names,
                                      filters=filters)
            name, = filters
            self.assertIn(name.replace('property-a', 'a'), str(error))

    def test_bad_limit_and_page_size(self) -> None:
        for name in ('limit', 'page_size'):
            for value in ('many', -1, [5]):
                error = self.assertRaises(
                    exception.ImageBadRequest, self.names, **{name: value})
                self.assertIn(name, str(error))

    def test_bad_sort_keys_and_directions(self) -> None:
        self.make()
        for kwargs in ({'sort_key': 'no_such_key'}, {'sort_dir': 'up'}):
            self.assertRaises(exception.Invalid, self.names, **kwargs)

    def test_bad_property_names(self) -> None:
        for name in self.reserved_names + self.impossible_names:
            error = self.assertRefused(exception.ImageBadRequest,
                                       properties={name: 'x'})
            self.assertIn(name if name.isascii() and name.isprintable()
                          else 'property', str(error))

    def test_property_name_with_a_colon(self) -> None:
        if 'a:b' in self.impossible_names:
            return
        self.assertEqual({'a:b': 'x'}, self.make(
            properties={'a:b': 'x'})['properties'])

    def test_bad_numbers(self) -> None:
        for name in ('min_ram', 'min_disk'):
            for value in (-1, 'many', '-5', []):
                self.assertRefused(exception.ImageBadRequest, name,
                                   **{name: value})

    def test_bad_booleans(self) -> None:
        for name in ('is_public', 'protected'):
            for value in ('maybe', 7, ''):
                self.assertRefused(exception.ImageBadRequest, name,
                                   **{name: value})

    def test_name_longer_than_255_characters(self) -> None:
        self.assertEqual('n' * 255, self.make(name='n' * 255)['name'])
        self.raw.wipe()
        for data in (None, b'data'):
            self.assertRefused(exception.ImageBadRequest, self.url, data=data,
                               name='n' * 256)

    def test_unknown_formats(self) -> None:
        for name in ('disk_format', 'container_format'):
            self.assertRefused(exception.ImageBadRequest, 'nonsense',
                               **{name: 'nonsense'})

    def test_context_without_a_project(self) -> None:
        """Without Keystone, only an administrator needs no project."""
        for project in (None, ''):
            nobody = self.context(project_id=project)
            for data in (None, b'abc'):
                self.assertRaises(exception.Forbidden, self.make, data, nobody)
            self.assertNothingLeft()
            self.assertIsNone(self.make(
                b'abc', self.admin(project_id=project))['owner'])
            self.raw.wipe()

    def test_bad_id(self) -> None:
        for image_id in ('no uuid', '../x'):
            self.assertRefused(exception.ImageBadRequest, id=image_id)

    def test_huge_property_value(self) -> None:
        length = self.longest_value or 50000
        value = 'ü' * (length // 2)
        image = self.make(properties={'a': value})
        self.assertEqual({'a': value}, image['properties'])
        self.assertEqual(image, self.driver.show(self.ctx, image['id']))
        self.raw.wipe()
        if self.longest_value:
            self.assertRefused(exception.ImageBadRequest, 'too long',
                               properties={'a': value + 'üü'})

    def test_unsupported_kinds_of_data(self) -> None:
        closed = open(__file__, 'rb')
        closed.close()
        text = self.enter(open(__file__))
        for data, word in (
                (closed, 'closed'), (text, 'binary mode'), ('text', 'str'),
                ({'a': b'b'}, 'dict'), (5, 'int'), (object(), 'object')):
            self.assertRefused(exception.ImageUploadFailed, word, data=data)

    def test_data_source_that_fails(self) -> None:
        for data, kind, words in (
                (_breaking(), ZeroDivisionError, _BREAKING),
                (_BadFile(b'abcdef'), OSError, 'Input/output error'),
                (_text(), exception.ImageUploadFailed,
                 'str instead of bytes'),
                (['text'], exception.ImageUploadFailed, 'str')):
            image_id = base.new_id()
            error = self.assertRaises(kind, self.make, data, id=image_id)
            self.assertIn(words, str(error))
            self._wait_until_upload_ends(image_id)
            self.assertNothingLeft()

    def test_data_source_that_fails_during_an_update(self) -> None:
        for data, kind in ((_breaking(), ZeroDivisionError),
                           (_BadFile(b'abcdef'), OSError),
                           (_text(), exception.ImageUploadFailed)):
            image_id = self.make()['id']
            self.assertRaises(kind, self.driver.update, self.ctx, image_id,
                              {}, data)
            self._wait_until_upload_ends(image_id)
            self.assertIn(self.raw.image(image_id)['status'],
                          ('queued', 'killed'))

    def _wait_until_upload_ends(self, image_id: str) -> None:
        """Wait until the server has answered an interrupted upload.

        The client no longer reads the answer. Until the server has sent it,
        it still changes the image, and another change may find sqlite locked.
        """
        self.wait_for(lambda: any(
            request.method == 'PUT' and image_id in request.path
            and request.status >= 400 for request in self.server.requests()),
            'answered with an error')

    def _operations(self, broken: driver.ImageDriver, image_id: str
                    ) -> dict[str, collections.abc.Callable[[], typing.Any]]:
        """Return operations, by the names that error messages use."""
        return {
            'list images': lambda: broken.detail(self.ctx),
            'show': lambda: broken.show(self.ctx, image_id),
            'update': lambda: broken.update(self.ctx, image_id, {'name': 'x'}),
            'create': lambda: broken.create(self.ctx, {'name': 'x'}, b'data')}

    def test_endpoints_that_are_not_glance(self) -> None:
        image_id = base.new_id()
        for name, (script, kind, words) in ENDPOINTS.items():
            with loopback.BrokenGlance(script) as glance:
                broken = self.make_driver(api_servers=[glance.url],
                                          num_retries=0)
                for action, operation in self._operations(
                        broken, image_id).items():
                    error = self.assertRaises(kind, operation)
                    for word in (action, glance.url, *words):
                        self.assertIn(word, str(error), name)

    def test_endpoint_that_refuses_connections(self) -> None:
        with loopback.BrokenGlance() as glance:
            url = glance.url
        broken = self.make_driver(api_servers=[url], num_retries=0)
        for action, operation in self._operations(
                broken, base.new_id()).items():
            error = self.assertRaises(exception.GlanceConnectionFailed,
                                      operation)
            for word in (action, url, 'Check that'):
                self.assertIn(word, str(error))

    def test_endpoint_that_never_answers(self) -> None:
        glance = self.useFixture(loopback.BrokenGlance())
        broken = self.make_driver(api_servers=[glance.url], num_retries=0,
                                  timeout=1)
        error = self.assertRaises(exception.GlanceConnectionFailed,
                                  broken.show, self.ctx, base.new_id())
        for word in ('show', glance.url, 'Check that'):
            self.assertIn(word, str(error))

    def test_upload_is_not_redirected(self) -> None:
        image_id = base.new_id()
        made = json.dumps({'id': image_id, 'image': {'id': image_id}})
        elsewhere = self.useFixture(loopback.BrokenGlance(
            loopback.answering('200 OK')))
        glance = self.useFixture(loopback.BrokenGlance(loopback.by_method(
            POST=loopback.answering('201 Created', made.encode()),
            PUT=loopback.answering('302 Found', b'', 'Location: %s/there'
                                   % elsewhere.url),
            DELETE=loopback.answering('204 No Content'))))
        broken = self.make_driver(api_servers=[glance.url])
        error = self.assertRaises(
            exception.GlanceBadAnswer, broken.create, self.ctx,
            {'id': image_id}, b'data')
        for word in ('upload', glance.url, '302'):
            self.assertIn(word, str(error))
        self.assertEqual([], elsewhere.asked)
        # The created image is deleted again.
        self.assertEqual('DELETE', glance.asked[-1].partition(' ')[0])
