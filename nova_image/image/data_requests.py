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

"""Requests for the data of images, for machines without this code to send.

What they are is the business of the drivers, which know the API; this adds
the server, the credentials and the connection. See ImageDriver.data_requests.
"""

import six

from nova_image.image import identity


def downloads(client, context, request):
    """Yield the request of a download for each attempt, without end.

    :param client: nova_image.image.client.Client
    :param context: the caller's context
    :param request: nova_image.image.messages.Request
    """
    stall = client.conf.glance.transfer_stall_timeout
    for server in client.endpoints.attempts(context):
        yield _described(client, context, request, server, stall)


def uploads(client, context, request, expects, check, **where):
    """Yield the request of an upload for each attempt, without end.

    :param client: nova_image.image.client.Client
    :param context: the caller's context
    :param request: nova_image.image.messages.Request without a body
    :param expects: list of the statuses of success
    :param check: the Request that reads the image's status
    :keyword header: the header of its answer with the status, or
    :keyword field: the field of its JSON with the status
    """
    where = dict({'header': None, 'field': None, 'expects': 'queued'}, **where)
    for server in client.endpoints.attempts(context):
        found = _described(client, context, request, server)
        found['expects'] = list(expects)
        found['check'] = dict(
            _described(client, context, check, server), **where)
        yield found


def _described(client, context, request, server, timeout=None):
    options = client.conf.glance
    headers = client.headers_of(context, request, server)
    return {
        'method': request.method,
        'url': _native(server + request.path),
        'headers': {_native(name): _native(value)
                    for name, value in headers.items() if value is not None},
        'insecure': bool(options.insecure),
        'timeout': timeout or options.timeout or identity.DEFAULT_TIMEOUT,
    }


def _native(text):
    """Return a str: unicode in a head spoils the bytes after it in Python 2.

    It breaks the connection if they are not ASCII.
    """
    if six.PY2 and isinstance(text, six.text_type):
        return text.encode('utf-8')
    return text if isinstance(text, str) else text.decode('utf-8')
