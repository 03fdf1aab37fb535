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

"""Puts the driver behind Nova's image API, without changing Nova's files.

Every caller in Nova looks up get_default_image_service and
get_remote_image_service in nova.image.glance at the time of the call (read in
15.1.5 and 34.0.0). So these two functions can be replaced at any time.
"""

import functools
import sys

from oslo_config import cfg
from oslo_log import log as logging

from nova_image import exception
from nova_image.host import xenserver
from nova_image.image import driver
from nova_image.image import identity
from nova_image.image import renewal
from nova_image.metrics import hook
from nova_image import version

LOG = logging.getLogger(__name__)

#: attribute of the replacement that holds the service and marks it as ours
_MARK = '_nova_image_service'


class NovaIdentity(identity.Identity):
    """Sessions and tokens, obtained the way Nova does."""

    def auth(self, context):
        """Return the caller's auth plugin, with Nova's service token.

        :returns: an auth plugin; None if Nova runs without Keystone (``[api]
            auth_strategy = noauth2`` in old releases)
        :raises Forbidden: if Nova uses Keystone, but there is neither a
            token nor credentials
        """
        if not getattr(context, 'auth_token', None):
            return self._auth_without_token()
        from nova import service_auth
        get_plugin = getattr(  # Nova 15 has a shorter name
            service_auth, 'get_service_user_token_auth_plugin', None)
        found = (get_plugin or service_auth.get_auth_plugin)(context)
        # All requests of this process share the plugin of the service token.
        renewal.patient(getattr(found, 'service_auth', None))
        return found

    def service_auth(self):
        """Return the auth plugin of Nova's service user, or None."""
        options = getattr(self._conf, 'service_user', None)
        if getattr(options, 'send_service_user_token', False):
            from nova import service_auth
            get_plugin = getattr(  # private in Nova 15
                service_auth, 'get_service_auth_plugin', None)
            if get_plugin is not None:
                return renewal.patient(get_plugin('service_user'))
        return self.configured_auth()

    def _auth_without_token(self):
        plugin = self.configured_auth()
        # Nova 34 always uses Keystone and does not have this option.
        strategy = getattr(self._conf.api, 'auth_strategy', 'keystone')
        if plugin is None and strategy == 'keystone':
            raise exception.Forbidden(
                'No token for Glance is available',
                reason='the context of the request has no token',
                advice='Set credentials in the [glance] section of '
                       'nova.conf: auth_type and its options')
        return plugin


def load(conf):
    """Return the configured driver, with Nova's identity.

    :param conf: Nova's configuration, parsed
    :raises DriverLoadError: if the driver cannot be loaded
    """
    return driver.load(conf, log_is_ready=False, identity=NovaIdentity(conf))


def installed():
    """Return the Service that install() has installed, or None."""
    from nova.image import glance as nova_glance

    return getattr(nova_glance.get_default_image_service, _MARK, None)


def install(conf=None):
    """Make Nova use the configured driver. A second call has no effect.

    :param conf: Nova's configuration, parsed; the global one by default
    :returns: the Service that Nova's callers get
    :raises DriverLoadError: if the driver cannot be loaded
    """
    from nova.image import glance as nova_glance

    from nova_image.host import service as services

    if installed() is not None:
        return installed()
    conf = conf or cfg.CONF
    service = services.Service(load(conf))

    def get_default_image_service():
        return service

    def get_remote_image_service(context, image_href):
        return service.resolve(context, image_href)

    setattr(get_default_image_service, _MARK, service)
    nova_glance.get_default_image_service = get_default_image_service
    nova_glance.get_remote_image_service = get_remote_image_service
    xenserver.install(conf)
    if hook.METRICS.is_on:
        _measure_services()
    _announce(service.driver, conf)
    return service


def _measure_services():
    """Make services begin their metrics when they start.

    Those that have workers start in each of them, after it was forked. Others
    begin with the first request to Glance, such as nova-api under uWSGI.
    """
    module = sys.modules.get('nova.service')
    for name in ('Service', 'WSGIService'):  # Nova 34 has only the former
        kind = getattr(module, name, None)
        if kind is not None:
            kind.start = _measured(kind.start)


def _measured(start):
    @functools.wraps(start)
    def measured(self, *args, **kwargs):
        hook.METRICS.begin()
        return start(self, *args, **kwargs)
    return measured


def _nova_version():
    from nova import version as nova_version
    return nova_version.version_string()


def _announce(used, conf):
    """Log the driver in use as soon as the service has set up logging.

    Nova reads its configuration before that. Anything logged until then is
    lost, or appears only on stderr.

    :param used: the driver
    :param conf: Nova's configuration, with the name of the service
    """
    original = logging.setup

    def setup(*args, **kwargs):
        logging.setup = original
        original(*args, **kwargs)
        LOG.info('nova_image %(version)s: the driver %(driver)s serves the '
                 'images of %(service)s, Nova %(nova)s', {
                     'version': version.version_string(),
                     'driver': type(used).__name__,
                     'service': conf.prog,
                     'nova': _nova_version()})
        driver.begin_log(used, conf)
        warning = xenserver.warning(conf)
        if warning:
            LOG.warning(warning)

    logging.setup = setup
