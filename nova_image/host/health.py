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

"""Whether a service reaches a Glance: ``nova-image-run --check --glance``.

A Glance lists its versions to everybody, so the request carries no token. It
is asked for nothing else: a health check must be cheap, and must not fail
because of a user's rights.
"""

import time

from nova_image import exception
from nova_image.host import bridge
from nova_image.image import client
from nova_image.image import deadline
from nova_image.image import endpoint
from nova_image.image import identity
from nova_image.image import messages
from nova_image.image import reasons
from nova_image.metrics import hook

#: seconds for which a Glance is waited for
SECONDS = 10


class Unhealthy(Exception):
    """No Glance answers; the message says why."""


class _Nobody(object):
    """The context of a request without a user."""

    auth_token = user_id = project_id = roles = None
    is_admin = False


class _NoIdentity(identity.Identity):
    """Sends neither a token nor identity headers."""

    def auth(self, context):
        """Return None: no token is sent."""

    def headers(self, context):
        """Return no headers."""
        return {}


class _ServiceIdentity(bridge.NovaIdentity):
    """Reads the service catalog with the credentials of the service."""

    def auth(self, context):
        """Return the auth plugin of the service.

        :raises Unhealthy: if there are no credentials
        """
        found = self.service_auth()
        if found is None:
            raise Unhealthy(
                'it cannot be asked, because its URL is in the service '
                'catalog and no credentials are configured. Set [glance] '
                'api_servers or the credentials in [service_user]')
        return found


def ask(conf):
    """Ask one Glance after the other until one answers.

    :param conf: Nova's configuration, with which the driver is loaded
    :returns: text for the line that the check prints
    :raises Unhealthy: if none answers
    """
    hook.use(hook.Metrics())  # the check is not the service
    problems = []
    for url in _urls(conf):
        began = time.time()
        try:
            client.Client(conf, _NoIdentity(conf), url).call(
                _Nobody(), messages.Request(
                    'GET', '/versions', 'list the versions', is_checked=True,
                    deadline=deadline.Deadline(SECONDS, 'request_deadline')),
                _require_json, once=True)
            return '%s answers in %.3f s' % (
                exception.redact(url), time.time() - began)
        except exception.NovaImageException as error:
            problems.append('%s: %s' % (
                exception.redact(url), reasons.brief(
                    error.reason or error, url)))
    raise Unhealthy('; '.join(problems))


def _require_json(answer):
    return answer.json()


def _urls(conf):
    """Return the URLs of the Glances that the service would ask.

    :raises Unhealthy: if they cannot be found
    """
    try:
        return endpoint.Endpoints(conf, _ServiceIdentity(conf)).known(
            _Nobody())
    except Unhealthy:
        raise
    except Exception as error:  # whatever keystoneauth raises
        raise Unhealthy('the service catalog cannot be read: %s' %
                        exception.redact(reasons.brief(error)))
