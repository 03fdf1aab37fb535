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

"""Tests of nova_image.exception: messages, facts and redaction."""

import inspect
import io
import os
import re

import six
import testtools

from nova_image import exception
from nova_image import redaction


def _kinds():
    return [kind for _, kind in inspect.getmembers(exception, inspect.isclass)
            if issubclass(kind, Exception)]


class TestMessages(testtools.TestCase):
    """The message of an exception, and its parts."""

    def test_headline_only(self):
        self.assertEqual(
            u'The image service failed',
            six.text_type(exception.NovaImageException()))

    def test_message_with_all_facts(self):
        error = exception.ImageNotFound(
            action='show', image_id='ID', endpoint='http://glance:9292',
            status=404, reason='no such image', advice='Look again')
        self.assertEqual(
            u'Image not found (image ID): show at '
            u'http://glance:9292 answered 404: no such image. Look again',
            six.text_type(error))
        self.assertEqual(six.text_type(error), error.format_message())

    def test_facts_are_attributes(self):
        error = exception.GlanceServerError(
            'gone', action='show', image_id='ID', endpoint='http://glance',
            status=503, reason='busy', retry_after=2.0)
        self.assertEqual(
            ('gone', 'show', 'ID', 'http://glance', 503, 'busy', 2.0),
            (error.message, error.action, error.image_id, error.endpoint,
             error.status, error.reason, error.retry_after))

    def test_class_has_default_advice(self):
        self.assertIn('Glance is running',
                      six.text_type(exception.GlanceConnectionFailed()))

    def test_unknown_facts_are_refused(self):
        self.assertRaises(TypeError, exception.NotFound, image='ID')

    def test_unicode_is_kept(self):
        error = exception.NotFound(reason=u'Z\xfcrich \u65e5\u672c')
        self.assertIn(u'Z\xfcrich \u65e5\u672c', six.text_type(error))
        self.assertIsInstance(str(error), str)

    def test_bytes_are_decoded(self):
        error = exception.NotFound(reason=u'Z\xfcrich'.encode('utf-8'))
        self.assertIn(u'Z\xfcrich', six.text_type(error))


class TestTree(testtools.TestCase):
    """The classes, and the tree in the module's docstring."""

    def test_docstring_shows_the_tree(self):
        drawn, above = {}, {}
        for line in exception.__doc__.splitlines():
            found = re.match(r' {4,}([| ]*)(\+-- )?([A-Z]\w+)( {2,}|$)', line)
            if found:
                depth = len(found.group(1)) if found.group(2) else -1
                above = {at: kind for at, kind in above.items()
                         if at < depth}
                drawn[found.group(3)] = (
                    above[max(above)] if above else 'Exception')
                above[depth] = found.group(3)
        self.assertEqual({kind.__name__: kind.__bases__[0].__name__
                          for kind in _kinds()}, drawn)

    def test_every_class_has_docstring_and_headline(self):
        for kind in _kinds():
            self.assertTrue(kind.__doc__, kind)
            self.assertIn('headline', vars(kind), kind)

    def test_http_codes(self):
        codes = {'ImageNotFound': 404, 'ImageNotAuthorized': 403,
                 'ImageBadRequest': 400, 'ImageUnacceptable': 400,
                 'ImageConflict': 409, 'ImageDeleteConflict': 409,
                 'ImageQuotaExceeded': 413, 'ImageActionNotSupported': 501,
                 'GlanceConnectionFailed': 503, 'GlanceBadAnswer': 503}
        self.assertEqual(codes, {
            name: getattr(exception, name).code for name in codes})

    def test_retriable_classes(self):
        self.assertEqual(
            {'GlanceConnectionFailed', 'GlanceServerError', 'ImageCorrupt'},
            {kind.__name__ for kind in _kinds() if kind.retriable})


class TestSecrets(testtools.TestCase):
    """Exceptions contain no secrets."""

    def test_every_part_of_an_exception_is_redacted(self):
        secret = 'http://user:pa55@glance:9292'
        error = exception.NotFound(secret, reason=secret, endpoint=secret)
        self.assertNotIn('pa55', six.text_type(error))
        self.assertNotIn('pa55', repr(error))
        self.assertNotIn('pa55', repr(vars(error)))

    def test_reason_may_be_an_exception(self):
        error = exception.NotFound(
            reason=ValueError('http://user:pa55@glance refused'))
        self.assertIn('http://***@glance refused', six.text_type(error))

    def test_changed_facts_are_redacted(self):
        secret = 'http://user:pa55@glance:9292/'
        error = exception.NotFound().but(left=secret, reason=secret)
        self.assertNotIn('pa55', repr(vars(error)) + six.text_type(error))
        self.assertIs(True, error.but(retriable=True).retriable)

    def test_the_subject_and_the_advice_are_redacted(self):
        secret = 'http://user:pa55@glance:9292/'
        error = exception.ImageNotFound(
            image_id=secret, left=secret, advice=secret)
        self.assertNotIn('pa55', repr(vars(error)) + six.text_type(error))

    def test_secrets_of_the_request_are_masked_and_not_kept(self):
        error = exception.NotFound(
            reason='no s3cret+word here',
            secrets=redaction.Secrets('http://a/?token=s3cret%2Bword'))
        self.assertEqual('no *** here', error.reason)
        self.assertNotIn('secrets', vars(error))


class TestPage(testtools.TestCase):
    """doc/source/user/index.rst"""

    def test_exceptions_are_those_that_callers_see(self):
        path = os.path.join(os.path.dirname(exception.__file__), os.pardir,
                            'doc', 'source', 'user', 'index.rst')
        with io.open(path, encoding='utf-8') as stream:
            table = stream.read().partition('\nExceptions\n===')[2]
        listed = re.findall(
            r'^   \* - ``(\w+)``\n     -(.*)\n     - (\d+)$', table,
            re.MULTILINE)
        defined = [kind for kind in vars(exception).values()
                   if isinstance(kind, type)
                   and issubclass(kind, exception.NovaImageException)
                   and kind not in (exception.NovaImageException,
                                    exception.ImageDownloadUnavailable)]
        self.assertEqual(
            sorted((kind.__name__, kind.code, [
                base.__name__ for base in kind.__bases__
                if base is not exception.NovaImageException])
                for kind in defined),
            sorted((name, int(code), re.findall(r'\w+', bases))
                   for name, bases, code in listed))
