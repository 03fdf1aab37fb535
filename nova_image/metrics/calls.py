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

"""The calls of the Images API, as labels of metrics.

A request's own words for error messages name what the caller wanted: a
download, for example, reads the image before its data.
"""

OTHER = 'other'

_OF_IMAGES = {'GET': 'list', 'POST': 'create'}
_OF_IMAGE = {'GET': 'show', 'HEAD': 'show', 'PATCH': 'update',
             'PUT': 'update', 'DELETE': 'delete'}
#: what is below an image, and what is at the top besides images
_BELOW = {
    'file': {'GET': 'download', 'PUT': 'upload'},
    'stage': {'PUT': 'stage'},
    'import': {'POST': 'import'},
    'tasks': {'GET': 'list_tasks'},
    'locations': {'GET': 'list_locations', 'POST': 'add_location'},
    'members': {'GET': 'list_members', 'POST': 'add_member'},
    'member': {'GET': 'show_member', 'PUT': 'update_member',
               'DELETE': 'remove_member'},
    'tag': {'PUT': 'add_tag', 'DELETE': 'remove_tag'},
    'deactivate': {'POST': 'deactivate'},
    'reactivate': {'POST': 'reactivate'},
}
_TOP = {'versions': 'versions', 'schemas': 'show_schema',
        'tasks': 'show_task', 'stores': 'delete_from_store'}
_INFO = {'import': 'import_info', 'stores': 'stores_info',
         'usage': 'usage_info'}

#: all values of the label ``call``
ALL = frozenset(
    [OTHER] + list(_INFO.values()) + list(_OF_IMAGES.values()) +
    list(_OF_IMAGE.values()) + list(_TOP.values()) +
    [call for calls in _BELOW.values() for call in calls.values()])


def call_of(request):
    """Return the call of the Images API that a request is.

    :param request: nova_image.image.messages.Request
    :returns: one of ALL
    """
    parts = request.path.partition('?')[0].strip('/').split('/')
    if len(parts) > 1:
        del parts[0]  # the version
    if parts[0] != 'images':
        return _top(parts)
    if len(parts) == 1 or parts[1:] == ['detail']:
        return _OF_IMAGES.get(request.method, OTHER)
    if len(parts) == 2:
        if request.stream:
            return 'download'
        if request.body is not None:
            return 'upload'
        return _OF_IMAGE.get(request.method, OTHER)
    return _BELOW.get(_kind(parts[2:]), {}).get(request.method, OTHER)


def _top(parts):
    if parts[0] == 'info':
        return _INFO.get('/'.join(parts[1:]), OTHER)
    return _TOP.get(parts[0], OTHER)


def _kind(below):
    """Return what a path below an image names."""
    if len(below) == 1:
        return below[0]
    return {'members': 'member', 'tags': 'tag'}.get(
        below[0], below[1] if below[0] == 'actions' else None)
