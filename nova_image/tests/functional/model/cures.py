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

"""Cures taken out of the drivers, each of which the model must miss.

A cure is what makes one kind of loss impossible. Each function is a context
manager in whose block a driver lacks a cure; those here serve both drivers.
"""

import collections.abc
import contextlib
import functools
import re
import typing
import unittest.mock

from nova_image import exception
from nova_image.image import client
from nova_image.image import driver as image_driver
from nova_image.image import undo
from nova_image.image.v2 import imports
from nova_image.image.v2 import records
from nova_image.image.v2 import uploads

#: takes a cure out of a driver, whose class is the argument
Mutation = collections.abc.Callable[[type], typing.Any]
_Method = collections.abc.Callable[..., typing.Any]
_replace = unittest.mock.patch.object


def _wrapped(kind: type, name: str, wrapper: _Method) -> typing.Any:
    """Replace a method by one that calls ``wrapper(original, self, ...)``."""
    original = getattr(kind, name)

    @functools.wraps(original)
    def method(*args: typing.Any, **options: typing.Any) -> typing.Any:
        return wrapper(original, *args, **options)
    return _replace(kind, name, method)


@contextlib.contextmanager
def a_conflict_means_created(driver: type
                             ) -> collections.abc.Iterator[None]:
    """Take an ID that is taken for the call's own after a lost answer."""
    def create(original: _Method, *args: typing.Any,
               **options: typing.Any) -> typing.Any:
        return original(*args, **dict(options, id_is_new=True))

    with _wrapped(driver, 'create', create), (
            _wrapped(driver, 'create_via_import', create)):
        yield


@contextlib.contextmanager
def other_data_is_deleted(driver: type) -> collections.abc.Iterator[None]:
    """Delete an image that an update has found with other data."""
    def update(original: _Method, self: typing.Any, context: typing.Any,
               image_id: str, *args: typing.Any,
               **options: typing.Any) -> typing.Any:
        try:
            return original(self, context, image_id, *args, **options)
        except exception.ImageUploadFailed:
            self.delete(context, image_id)
            raise

    with _wrapped(driver, 'update', update):
        yield


@contextlib.contextmanager
def a_location_is_undone(driver: type) -> collections.abc.Iterator[None]:
    """Delete images with a location, and accept data beside one."""
    with _replace(undo.Undo, 'leave', lambda self, why: None), (
            unittest.mock.patch('nova_image.image.values.one_source')):
        yield


@contextlib.contextmanager
def the_status_is_not_read(driver: type) -> collections.abc.Iterator[None]:
    """Change an image before its data is refused, without a word."""
    with _replace(image_driver.ImageDriver, '_require_queued',
                  staticmethod(lambda *args: None)), (
            _replace(undo.Steps, '__exit__', lambda *args: None)):
        yield


@contextlib.contextmanager
def nothing_is_undone(driver: type) -> collections.abc.Iterator[None]:
    """Leave whatever a call has made, without a word."""
    with _replace(undo.Undo, '__exit__', lambda *args: None):
        yield


#: the cures of both drivers: name -> what takes it out
BOTH: dict[str, Mutation] = {
    'A1 whose a taken ID is': a_conflict_means_created,
    'A2 whose the data is': other_data_is_deleted,
    "A3 the caller's data at a location": a_location_is_undone,
    'A9 a refused update changes nothing': the_status_is_not_read,
    'undo': nothing_is_undone,
}


@contextlib.contextmanager
def every_import_is_our_image(driver: type
                              ) -> collections.abc.Iterator[None]:
    """Delete an image whose import fails, whoever has made it."""
    def new(original: _Method, self: typing.Any, made: typing.Any,
            *args: typing.Any) -> None:
        original(self, made, *args[:-1], True)

    with _wrapped(imports._Import, '__init__', new):
        yield


@contextlib.contextmanager
def an_unknown_hash_is_wrong(driver: type
                             ) -> collections.abc.Iterator[None]:
    """Take a hash that Glance does not record for a wrong one."""
    with unittest.mock.patch('nova_image.image.v2.hashes.is_recorded',
                             return_value=True), (
            _replace(uploads.Uploads, 'unrecorded', return_value=None)):
        yield


@contextlib.contextmanager
def nothing_decompresses(driver: type) -> collections.abc.Iterator[None]:
    """Take decompressed data for corrupt data."""
    with _replace(imports, '_COMPRESSED', re.compile(rb'(?!)')):
        yield


@contextlib.contextmanager
def one_hash_is_likely(driver: type) -> collections.abc.Iterator[None]:
    """Hash uploads only by what Glance's default records."""
    with _replace(uploads, '_LIKELY_ALGORITHMS', ('sha512',)):
        yield


@contextlib.contextmanager
def no_data_is_read_again(driver: type) -> collections.abc.Iterator[None]:
    """Believe data that was hashed otherwise than Glance has hashed it."""
    with _replace(uploads.Uploads, '_hash_alike', return_value=None):
        yield


@contextlib.contextmanager
def any_image_will_do(driver: type) -> collections.abc.Iterator[None]:
    """Accept an answer about another image."""
    with _replace(records, '_image',
                  lambda image_id: lambda answer: answer.json()):
        yield


@contextlib.contextmanager
def a_503_is_a_refusal(driver: type) -> collections.abc.Iterator[None]:
    """Believe that a request that was answered 503 has had no effect."""
    is_lost = client._is_lost
    with _replace(client, '_is_lost', lambda request, error: (
            error.status != 503 and is_lost(request, error))):
        yield


#: the cures that only v2 has
V2: dict[str, Mutation] = {
    'A4 whose image an import deletes': every_import_is_our_image,
    'A4 a hash that Glance does not record': an_unknown_hash_is_wrong,
    'A5 decompression': nothing_decompresses,
    'A6 what to hash by': one_hash_is_likely,
    'A6 hashing again': no_data_is_read_again,
    'A7 which image an answer describes': any_image_will_do,
    'A8 an import that was answered 503': a_503_is_a_refusal,
}
