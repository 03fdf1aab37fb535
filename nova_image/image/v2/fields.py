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


"""Checks the fields of an image as v2 answers it, before anything uses them.

The drivers' own users cannot store anything here that is not text, so a wrong
type does not come from Glance. Users do choose the metadata of locations.
"""

from nova_image.image import answers


def locations(value):
    """Return the locations of an image: a list of {'url', 'metadata'}."""
    return answers.items(_location, value)


def _location(raw):
    found = answers.mapping(raw)
    return {'url': answers.name(found.get('url')),
            'metadata': answers.mapping(found.get('metadata'))}


def _tag(value):
    """Return a tag, which may be empty."""
    if value is None:
        raise answers.Unreadable('is missing')
    return answers.text(value)


def _tags(value):
    return answers.items(_tag, value)


def _truth(value):
    if value is None or isinstance(value, bool):
        return value
    raise answers.Unreadable('is neither true nor false')


_LISTED = dict({'id': answers.name}, **dict(
    [(name, answers.text) for name in (
        'name', 'status', 'disk_format', 'container_format', 'checksum',
        'owner', 'visibility')] +
    [(name, answers.number) for name in ('size', 'min_disk', 'min_ram')] +
    [(name, answers.moment) for name in ('created_at', 'updated_at')]))
#: the fields that only some callers ask for
_FURTHER = dict(dict.fromkeys(('os_hash_algo', 'os_hash_value', 'stores'),
                              answers.text),
                tags=_tags, protected=_truth, os_hidden=_truth,
                virtual_size=answers.number)
_SHOWN = dict(_LISTED, locations=locations, **dict(_FURTHER, **{
    name: answers.text for name in (
        'direct_url', 'os_glance_import_task',
        'os_glance_importing_to_stores', 'os_glance_failed_import')}))


def image(raw, image_id):
    """Return an image whose fields can be used.

    Those that other modules require are always there, if need be as None.

    :param raw: dict, as v2 answers it
    :param image_id: the ID that it must have
    :raises Unreadable: if it is not this image
    """
    _, wrong = answers.fields(raw, _SHOWN)
    if 'id' in wrong:
        raise answers.Unreadable('its JSON is not an image')
    if wrong:
        raise answers.Unreadable(answers.one_line(wrong))
    # A database may ignore the case.
    if raw['id'].lower() != image_id.lower():
        raise answers.Unreadable('it describes image %s' % raw['id'])
    for name in ('size', 'status'):
        raw.setdefault(name, None)
    return raw


def has_further(raw):
    """Return whether the fields that only some callers ask for are valid.

    :param raw: an image in a listing, a dict
    """
    return not answers.fields(raw, _FURTHER)[1]


def readable(raw, all_fields=False):
    """Return what can be read of an image in a listing.

    :param raw: any JSON
    :param all_fields: whether to check those that only some callers ask for
    :returns: the image without its unreadable fields, and what they are
    :raises Unreadable: if it has no ID
    """
    _, wrong = answers.fields(raw, dict(_LISTED, **_FURTHER) if all_fields
                              else _LISTED)
    if 'id' in wrong:
        raise answers.Unreadable('its JSON is not a list of images')
    return {name: raw[name] for name in raw if name not in wrong}, wrong
