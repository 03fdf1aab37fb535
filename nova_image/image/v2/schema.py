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

"""What the image schema of a Glance says, read once for all who ask.

Seen on Glance 15.0.2 and 33.0.0.
"""

import collections

from nova_image import exception
from nova_image.image import answers
from nova_image.image import knowledge
from nova_image.image import messages

#: The lists of formats that Glance accepts, without None, empty if the schema
#: does not name any; whether a location may come with a hash, which Glance 15
#: refuses; {name: its JSON schema} for all fields and for the properties that
#: the operator has described; and whether images may have other properties.
Schema = collections.namedtuple(
    'Schema', 'disk_format container_format validates_locations properties '
    'allows_others')
Schema.__new__.__defaults__ = ({}, True)

IMAGE_SCHEMA = knowledge.Fact('image schema',
                              lambda value: isinstance(value, Schema))


def find(client, context, suits=None):
    """Return the Schema of a Glance.

    :param client: nova_image.image.client.Client
    :param context: the caller's context
    :param suits: callable that returns whether a remembered one is enough
    """
    return client.knowledge(context).find(
        IMAGE_SCHEMA, lambda: _read(client, context), suits)


def _read(client, context):
    try:
        return client.call(context, messages.Request(
            'GET', '/v2/schemas/image', 'read the image schema'),
            lambda answer: answer.read(_schema))
    except (exception.NotFound, exception.Forbidden):
        return _schema({})


def _schema(found):
    return Schema(_formats(found, 'disk_format'),
                  _formats(found, 'container_format'),
                  'validation_data' in _inside(
                      found, 'properties', 'locations', 'items',
                      'properties'),
                  {name: one for name, one in _inside(
                      found, 'properties').items() if isinstance(one, dict)},
                  found.get('additionalProperties') is not False)


def _formats(schema, name):
    offered = _inside(schema, 'properties', name).get('enum')
    # None is among them, for queued images.
    return [one for one in answers.items(answers.text, offered) if one]


def _inside(found, *names):
    """Return the dict at a path of names; empty if there is none."""
    for name in names:
        found = found.get(name)
        if not isinstance(found, dict):
            return {}
    return found
