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

"""The caller's identity: tokens, catalogs, sessions and identity headers.

A context is any object with ``auth_token``, ``user_id``, ``project_id``,
``roles`` and ``is_admin``; ``global_id``, ``service_catalog`` and
``get_auth_plugin()`` are optional.

With Keystone a request carries only a token. Without it (no token, and no
``auth_type`` in the configuration) a request carries the identity headers
that Glance's context middleware reads (glance.api.middleware.context, seen on
15.0.2 and 33.0.0). It never carries both: a Glance behind Keystone must not
trust headers that anybody can send.

The credentials in ``[glance]`` are those of the service. They serve contexts
without a token for the service's own work, which are an administrator's: in
Nova, ``get_admin_context()``, which periodic tasks and the start of
nova-compute use (read in 15.1.5 and 34.0.0). A user without a token borrows
them: only to read, and only images that ``may_see`` allows.
"""

import hashlib
import os

from keystoneauth1.access import service_catalog
from keystoneauth1 import exceptions
from keystoneauth1 import loading
from keystoneauth1 import plugin
import six

from nova_image.conf import glance as glance_conf
from nova_image import exception
from nova_image.image import http_session
from nova_image.image import renewal

#: seconds without an answer after which a request fails, unless ``[glance]
#: timeout`` is set (python-glanceclient's own default)
DEFAULT_TIMEOUT = 600


class ContextToken(plugin.BaseAuthPlugin):
    """The token and the service catalog of a caller's request.

    :param token: str
    :param catalog: list of services in Keystone's v2 or v3 form, or None
    """

    def __init__(self, token, catalog=None):
        super(ContextToken, self).__init__()
        self._token = token
        self._catalog = _catalog(catalog or [])

    def get_token(self, session, **kwargs):
        """Return the token, which cannot be renewed."""
        return self._token

    def get_endpoint(self, session, service_type=None, service_name=None,
                     interface=None, region_name=None, **kwargs):
        """Return the URL of a service, or None if it is not in the catalog."""
        try:
            return self._catalog.url_for(
                service_type=service_type, service_name=service_name,
                interface=interface, region_name=region_name)
        except exceptions.CatalogException:
            return None

    def invalidate(self):
        """Return False: the token cannot be renewed."""
        return False


def _catalog(services):
    modern = any('interface' in endpoint for service in services
                 for endpoint in service.get('endpoints', []))
    kind = (service_catalog.ServiceCatalogV3 if modern
            else service_catalog.ServiceCatalogV2)
    return kind(services)


class Identity(object):
    """Sessions, auth plugins and headers from the configuration and contexts.

    A host process with its own sessions (Nova) provides a subclass.

    :param conf: an oslo.config ConfigOpts with ``[glance]``
    """

    def __init__(self, conf):
        self._conf = conf
        self._sessions = {}
        self._service_auth = None

    def session(self, endpoint):
        """Return the keystoneauth session of this process for an endpoint.

        :param endpoint: URL of a Glance, or None for the service catalog
        :returns: keystoneauth1.session.Session, the same one for every call;
            a forked process gets its own, because two processes must not
            share a connection
        """
        key = (os.getpid(), endpoint)
        if key not in self._sessions:
            self._sessions.setdefault(key, self._new_session())
        return self._sessions[key]

    def _new_session(self):
        session = loading.load_session_from_conf_options(
            self._conf, glance_conf.GROUP, session=http_session.HttpSession())
        if session.timeout is None:
            session.timeout = float(DEFAULT_TIMEOUT)
        return session

    def uses_keystone(self, context):
        """Return whether requests for a context carry a token.

        Glance then checks which images the caller may see.
        """
        return bool(getattr(context, 'auth_token', None)) or (
            self.configured_auth() is not None)

    def borrows(self, context):
        """Return whether a user's request would carry the service's token.

        Glance then checks what the service may do, not the user.
        """
        return not getattr(context, 'auth_token', None) and (
            not getattr(context, 'is_admin', False) and
            self.configured_auth() is not None)

    def auth(self, context):
        """Return the auth plugin for a context; None without Keystone."""
        token = getattr(context, 'auth_token', None)
        if not token:
            return self.configured_auth()
        get_plugin = getattr(context, 'get_auth_plugin', None)
        if get_plugin is not None:
            return get_plugin()
        return ContextToken(token, getattr(context, 'service_catalog', None))

    def configured_auth(self):
        """Return the auth plugin that ``[glance]`` names, or None."""
        options = self._conf.glance
        named = options.auth_type or options.auth_section
        if self._service_auth is None and named:
            self._service_auth = renewal.patient(
                loading.load_auth_from_conf_options(
                    self._conf, glance_conf.GROUP))
        return self._service_auth

    def service_auth(self):
        """Return the auth plugin of the host's own user, or None."""
        return self.configured_auth()

    def sender(self, context, as_service=False):
        """Return a key that is equal for requests of the same sender.

        Glance may allow or deny something to one sender and not to another.

        :param context: the caller's context
        :param as_service: whether the host's own user sends the request, if
            there is one
        :returns: text, from which no token can be read
        """
        if as_service and self.service_auth() is not None:
            return 'the service'
        token = getattr(context, 'auth_token', None)
        if not token and self.configured_auth() is not None:
            return 'the service'
        who = token or (context.user_id, context.project_id,
                        sorted(context.roles or []))
        return hashlib.sha256(repr(who).encode('utf-8')).hexdigest()

    def token_project(self, context):
        """Return the ID of the project of the token that requests carry.

        :param context: the caller's context
        :returns: '' if the token has no project; None without a token
        """
        if getattr(context, 'auth_token', None):
            return context.project_id or ''
        auth = self.auth(context)
        if auth is None:
            return None
        return auth.get_project_id(self.session(None)) or ''

    def headers(self, context):
        """Return the identity headers of a caller without Keystone."""
        headers = {
            'X-Identity-Status': 'Confirmed',
            'X-User-Id': context.user_id or '',
            'X-Roles': ','.join(context.roles or []),
        }
        if context.project_id:
            # Glance 15 refuses images of callers without this header, but
            # accepts an empty one.
            headers['X-Tenant-Id'] = context.project_id
        return headers

    def authorization(self, context, endpoint):
        """Return the headers by which a Glance knows a caller.

        For requests that are sent without the session.

        :param context: the caller's context
        :param endpoint: URL of the Glance
        :returns: dict of the token, and of that of the service if there is
            one; without Keystone, the identity headers
        """
        auth = self.auth(context)
        if auth is None:
            return self.headers(context)
        return dict(auth.get_headers(self.session(endpoint)) or {})

    def check_owner(self, context):
        """Refuse to create an image that no project would own.

        Without Keystone, Glance 33 and v1 of Glance 15 accept such an image,
        but then refuse its data and its deletion to the same caller.

        :raises Forbidden: if the caller has no project and is not an
            administrator
        """
        if not (context.project_id or context.is_admin or
                self.uses_keystone(context)):
            raise exception.Forbidden(
                action='create', reason='the context of the request has no '
                'project, which would own the image')


def tokens(context, auth):
    """Return the tokens that a request carries, without fetching any.

    They must not be shown if a server repeats them.

    :param context: the caller's context
    :param auth: its auth plugin, with or without a service token, or None
    :returns: list of text
    """
    found = [getattr(context, 'auth_token', None)]
    for one in (auth, getattr(auth, 'user_auth', None),
                getattr(auth, 'service_auth', None)):
        known = getattr(one, 'auth_ref', None)  # that of Keystone's plugins
        found += [getattr(known, 'auth_token', None)] + [
            getattr(one, name, None)
            for name in ('_token', 'token', 'auth_token')]
    return [one for one in found
            if isinstance(one, (six.string_types, bytes))]


def may_see(context, image):
    """Return whether a caller may see an image if Glance does not check it.

    It does not in a cloud without Keystone, or if the caller borrows the
    service's credentials. The image's owner decides, or the properties that
    Nova writes if the image has none.

    :param context: the caller's context
    :param image: an image in the callers' format
    :returns: bool
    """
    if context.is_admin or image['is_public']:
        return True
    project, properties = context.project_id, image['properties']
    if project and image['owner']:
        return image['owner'] == project
    for key in ('owner_id', 'project_id'):
        if project and key in properties:
            return properties[key] == project
    return bool(context.user_id) and (
        properties.get('user_id') == context.user_id)
