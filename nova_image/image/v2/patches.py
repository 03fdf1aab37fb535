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
"""What an update changes: from an image to a JSON Patch.

Only what differs is patched, so that nobody's changes are undone. Facts were
seen on Glance 15.0.2 and 33.0.0.
"""

from nova_image import exception
from nova_image.image import answers
from nova_image.image.v2 import translation
from nova_image.image import values

#: what is_public False means for an existing image: a shared image must not
#: lose its members because a caller writes back what it has read
NOT_PUBLIC = 'not public'


def target_of(image_meta):
    """Return what an image should be after an update, for changes().

    :param image_meta: dict in the format of ImageDriver
    """
    target = translation.to_glance(image_meta)
    target.pop('id', None)
    if image_meta.get('visibility') is None and (
            target.get('visibility') == 'private'):
        target['visibility'] = NOT_PUBLIC
    return target


def unset_names(image_meta):
    """Return the names of properties that an update should remove."""
    return [name for name, value in (
        image_meta.get('properties') or {}).items()
        if values.is_unset(name, value)]


def changes(raw, target, purge, unset=()):
    """Return the JSON Patch operations that an image needs.

    :param raw: the image as v2 answers it
    :param target: the desired image, from target_of()
    :param purge: whether to remove custom properties that target lacks
    :param unset: names of properties to remove in any case
    :returns: list of operations, empty if nothing has to change
    :raises ImageActionNotSupported: if this Glance cannot hide images
    """
    operations = []
    target = dict(target)
    _check_hidden(raw, target)
    if target.get('visibility') == NOT_PUBLIC:
        if raw.get('visibility') == 'public':
            target['visibility'] = 'private'
        else:
            del target['visibility']
    for name, value in sorted(target.items()):
        if name not in raw:
            operations.append(_operation('add', name, value))
        elif not _same(name, raw[name], value):
            operations.append(_operation('replace', name, value))
    operations += [_operation('remove', name) for name in sorted(raw)
                   if translation.is_custom(name) and name not in target and (
                       purge or name in unset and raw[name] is not None)]
    return operations


def _check_hidden(raw, target):
    """Remove what a Glance before version 17 does not have."""
    if 'os_hidden' not in raw and target.pop('os_hidden', False):
        raise nothing_hidden('update', raw.get('id'))


def nothing_hidden(action, image_id):
    """Return the exception of a Glance that cannot hide images."""
    return exception.ImageActionNotSupported(
        action=action, image_id=image_id,
        reason='this Glance has no hidden images',
        advice='They require Glance 17 (Rocky) or later')


def tags_after(raw, more=(), less=()):
    """Return the tags of an image with some added and some removed.

    :param raw: the image as v2 answers it
    """
    found = [tag for tag in raw.get('tags') or () if tag not in less]
    for tag in more:
        if tag not in found:
            found.append(tag)
    return found


def removals(raw, properties, tags=()):
    """Return the JSON Patch operations that remove parts of an image.

    :param raw: the image as v2 answers it
    :param properties: names of custom properties
    :param tags: tags
    """
    found = [_operation('remove', name) for name in properties if name in raw]
    kept = tags_after(raw, less=tags)
    if len(kept) < len(raw.get('tags') or ()):
        found.append(_operation('replace', 'tags', kept))
    return found


def _same(name, stored, desired):
    if name == 'tags':  # Glance orders them itself
        return sorted(stored) == sorted(desired)
    if name in translation.JSON_PROPERTIES and stored:
        # Two texts may be equivalent.
        return answers.decoded(stored) == answers.decoded(desired)
    return stored == desired


def _operation(kind, name, *value):
    path = '/' + name.replace('~', '~0').replace('/', '~1')
    operation = {'op': kind, 'path': path}
    if value:
        operation['value'] = value[0]
    return operation
