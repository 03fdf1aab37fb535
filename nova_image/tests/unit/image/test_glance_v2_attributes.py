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
"""Tests of nova_image.image.glance_v2: changes of images."""

import six

from nova_image import exception
from nova_image.tests.unit import base
from nova_image.tests.unit.image import glance_v2_case as case
from nova_image.tests.unit import recordings

GLANCE15 = case.GLANCE15
GLANCE33 = case.GLANCE33
ACTIVE = case.ACTIVE
SHARED = case.SHARED
PATH = case.path(SHARED)
FURTHER = {'visibility', 'protected', 'tags', 'virtual_size', 'os_hidden',
           'os_hash_algo', 'os_hash_value', 'stores'}


def _shown(**fields):
    return GLANCE33('show_shared').but(**fields)


class TestAllFields(case.DriverTestCase):
    """Images with all fields, if a caller asks for them."""

    def test_show(self):
        for answer, tags in ((GLANCE33('show_active'), [u'', u'b']),
                             (GLANCE15('show_active'), [])):
            self.glance.answers(answer.but(tags=tags), answer)
            image = self.service.show(self.context, ACTIVE, all_fields=True)
            self.assertEqual(('private', False, tags), (
                image['visibility'], image['protected'], image['tags']))
            plain = self.service.show(self.context, ACTIVE)
            self.assertEqual(FURTHER | set(plain), set(image))
            self.assertFalse({'visibility', 'protected', 'tags',
                              'virtual_size'} & set(plain))
            if answer.json.get('os_hidden') is None:
                self.assertIsNone(image['os_hidden'])

    def test_create_and_update(self):
        self.glance.answers(case.created)
        self.assertEqual(['a'], self.service.create(
            self.context, {'tags': ['a']}, all_fields=True)['tags'])
        self.glance.answers(_shown(), GLANCE33('patch_200'))
        self.assertEqual('shared', self.service.update(
            self.context, SHARED, {'name': 'two'},
            all_fields=True)['visibility'])

    def test_detail(self):
        page = GLANCE33('list_last')
        for fields, expected in (
                ({}, (False, [], None)),
                ({'protected': True, 'tags': ['a'], 'virtual_size': 5},
                 (True, ['a'], 5)),
                ({'protected': 'x', 'tags': ['a', 5], 'virtual_size': -1},
                 (None, None, None))):
            raws = [dict(one, **fields) for one in page.json['images']]
            self.glance.answers(page.but(images=raws), page.but(images=raws))
            images = self.service.detail(self.context, all_fields=True)
            self.assertTrue(images)
            for image in images:
                self.assertEqual(expected, (
                    image['protected'], image['tags'],
                    image['virtual_size']))
            plain = self.service.detail(self.context)
            for number, image in enumerate(images):
                other = plain[number]
                self.assertEqual(FURTHER | set(other), set(image))
                self.assertEqual(other, {name: image[name]
                                         for name in other})

    def test_a_wrong_field_of_one_image_is_a_bad_answer(self):
        for fields in ({'protected': 'x'}, {'os_hidden': 1},
                       {'virtual_size': -1}, {'tags': [None]}):
            self.glance.answers(_shown(**fields))
            self.assert_raises(exception.GlanceBadAnswer, 'show', SHARED)


class TestHidden(case.DriverTestCase):
    """Hidden images, which Glance 15 lacks."""

    def test_update(self):
        self.glance.answers(_shown(), GLANCE33('patch_200'))
        self.service.update(self.context, SHARED, {'os_hidden': True})
        self.assertEqual([{'op': 'replace', 'path': '/os_hidden',
                           'value': True}], self.sent_json(1))

    def test_update_without_hidden_images(self):
        answer = _shown().without('os_hidden')
        self.glance.answers(answer, answer)
        self.service.update(self.context, SHARED, {'os_hidden': False})
        error = self.assert_raises(
            exception.ImageActionNotSupported, 'update', SHARED,
            {'os_hidden': True, 'name': 'two'})
        self.assertIn('Rocky', six.text_type(error))
        self.assert_calls([('GET', PATH)] * 2)

    def test_create(self):
        self.glance.answers(case.created, case.created)
        self.service.create(self.context, {'os_hidden': False})
        self.assertNotIn('os_hidden', self.sent_json(0))
        self.service.create(self.context, {'os_hidden': True})
        self.assertIs(True, self.sent_json(1)['os_hidden'])

    def test_create_without_hidden_images(self):
        for text, kind in (
                (b"x Failed validating On instance[u'os_hidden']: True",
                 exception.ImageActionNotSupported),
                (b'other', exception.ImageBadRequest)):
            self.glance.answers(recordings.Answer(400, content=text))
            self.assert_raises(kind, 'create', {'os_hidden': True})


class TestTags(case.DriverTestCase):
    """Each tag is added and removed by itself, if a path can name it."""

    def _tag(self, method, tag):
        return method, PATH + '/tags/' + tag

    def test_tags_are_added_after_the_patch(self):
        self.glance.answers(
            _shown(tags=['old', 'b']), GLANCE33('patch_200'),
            recordings.Answer(204), recordings.Answer(204),
            _shown(tags=['old', 'b', 'c', 'd', 'between']))
        image = self.service.update(
            self.context, SHARED, {'name': 'two', 'properties': {'a': 'b'}},
            purge_props=False, add_tags=['b', 'c', 'd', 'c'],
            all_fields=True)
        self.assertIn('between', image['tags'])
        self.assert_calls([
            ('GET', PATH), ('PATCH', PATH), self._tag('PUT', 'c'),
            self._tag('PUT', 'd'), ('GET', PATH)])
        self.assertEqual(['/name', '/a'][::-1], [
            one['path'] for one in self.sent_json(1)])

    def test_tags_that_exist_are_not_sent(self):
        self.glance.answers(_shown(tags=['a']))
        self.service.update(self.context, SHARED, {}, add_tags=['a'],
                            purge_props=False)
        self.assert_calls([('GET', PATH)])

    def test_tags_that_no_path_can_name_are_patched(self):
        for tag in (u'a/b', u'\xe9', u'..', u'a b', u'%41', u'x' * 256, u''):
            del self.glance.calls[:]
            self.glance.answers(_shown(tags=['old']), GLANCE33('patch_200'))
            self.service.update(self.context, SHARED, {},
                                add_tags=[tag, 'c'], purge_props=False)
            self.assertEqual([{
                'op': 'replace', 'path': '/tags',
                'value': ['old', tag, 'c']}], self.sent_json(1))

    def test_tags_that_replace_all_others_are_patched(self):
        self.glance.answers(_shown(tags=['old']), GLANCE33('patch_200'))
        self.service.update(self.context, SHARED, {'tags': ['a']},
                            add_tags=['b'])
        self.assertEqual(['a', 'b'], self.sent_json(1)[0]['value'])

    def test_an_error_names_what_has_changed(self):
        self.glance.answers(
            _shown(), GLANCE33('patch_200'), recordings.Answer(204),
            recordings.Answer(413))
        error = self.assert_raises(
            exception.ImageQuotaExceeded, 'update', SHARED, {'name': 'two'},
            add_tags=['a', 'b'])
        self.assertEqual('image %s with changed name, tag a' % SHARED,
                         error.left)

    def test_a_lost_answer_is_repeated(self):
        self.glance.answers(_shown(), base.Lost(), recordings.Answer(204),
                            _shown(tags=['a']))
        self.service.update(self.context, SHARED, {}, add_tags=['a'])
        self.assert_calls([('GET', PATH), self._tag('PUT', 'a'),
                           self._tag('PUT', 'a'), ('GET', PATH)])

    def test_tags_are_removed_one_by_one(self):
        self.glance.answers(
            _shown(tags=['a', 'b', 'c'], p='1'), GLANCE33('patch_200'),
            recordings.Answer(204), recordings.Answer(404),
            _shown(tags=['c']))
        image = self.service.unset(
            self.context, SHARED, ['p'], ['a', 'b', 'a'], all_fields=True)
        self.assertEqual(['c'], image['tags'])
        self.assertEqual([{'op': 'remove', 'path': '/p'}],
                         self.sent_json(1))
        self.assert_calls([
            ('GET', PATH), ('PATCH', PATH), self._tag('DELETE', 'a'),
            self._tag('DELETE', 'b'), ('GET', PATH)])

    def test_removed_tags_that_no_path_can_name_are_patched(self):
        self.glance.answers(_shown(tags=['a', 'b/c']), GLANCE33('patch_200'))
        self.service.unset(self.context, SHARED, [], ['b/c'])
        self.assertEqual([{'op': 'replace', 'path': '/tags',
                           'value': ['a']}], self.sent_json(1))

    def test_a_missing_tag_changes_nothing(self):
        self.glance.answers(_shown(tags=['a'], p='1'))
        error = self.assert_raises(exception.NotFound, 'unset', SHARED,
                                   ['p', 'q'], ['a', 'b'])
        self.assertIn('no property q and no tag b', six.text_type(error))
        self.assert_calls([('GET', PATH)])


class TestUnset(case.DriverTestCase):
    """unset() without tags sends one PATCH."""

    def test_only_what_is_removed_is_named(self):
        self.glance.answers(GLANCE33('patch_200'))
        self.service.unset(self.context, SHARED, ['a', 'b/c', 'a'])
        self.assert_calls([('PATCH', PATH)])
        self.assertEqual([{'op': 'remove', 'path': '/a'},
                          {'op': 'remove', 'path': '/b~1c'}],
                         self.sent_json(0))

    def test_a_missing_property_is_named(self):
        self.glance.answers(recordings.Answer(409), _shown(a='1'))
        error = self.assert_raises(exception.NotFound, 'unset', SHARED,
                                   ['a', 'c', 'd'])
        self.assertIn('no property c and no property d',
                      six.text_type(error))
        self.assertIsNone(error.left)

    def test_another_conflict_is_raised(self):
        self.glance.answers(recordings.Answer(409), _shown(a='1'))
        self.assert_raises(exception.ImageConflict, 'unset', SHARED, ['a'])

    def test_a_lost_answer(self):
        self.glance.answers(base.Lost(), recordings.Answer(409), _shown())
        self.service.unset(self.context, SHARED, ['a'])
        self.assert_calls([('PATCH', PATH), ('PATCH', PATH), ('GET', PATH)])

    def test_what_is_no_property_is_not_sent(self):
        for name in (u'name', u'os_hidden', u'os_glance_x', u'\xe9', u''):
            del self.glance.calls[:]
            self.glance.answers(_shown(a='1'))
            self.assert_raises(exception.NotFound, 'unset', SHARED,
                               ['a', name])
            self.assert_calls([('GET', PATH)])


class TestSwitch(case.DriverTestCase):
    """deactivate() and reactivate() send one POST."""

    def test_both(self):
        for name in ('deactivate', 'reactivate'):
            del self.glance.calls[:]
            self.glance.answers(base.Lost(), recordings.Answer(204))
            self.assertIs(True, getattr(self.service, name)(
                self.context, SHARED))
            self.assert_calls([('POST', PATH + '/actions/' + name)] * 2)

    def test_a_queued_image_is_a_conflict(self):
        self.glance.answers(recordings.Answer(403), _shown())
        error = self.assert_raises(exception.ImageConflict, 'deactivate',
                                   SHARED)
        self.assertIn('queued', six.text_type(error))

    def test_a_refusal_is_raised(self):
        self.glance.answers(recordings.Answer(403), _shown(status='active'))
        self.assert_raises(exception.ImageNotAuthorized, 'reactivate', SHARED)
