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

"""Puts the driver behind Nova's image API, without touching Nova.

Every caller in Nova looks up get_default_image_service and
get_remote_image_service of nova.image.glance when it calls them (read in
15.1.5 and 34.0.0), so replacing these two works whenever it is done.
"""

from oslo_config import cfg
from oslo_log import log as logging

from nova_image import exception
from nova_image.image import driver
from nova_image.image import identity
from nova_image import version

LOG = logging.getLogger(__name__)

#: where the replaced functions keep the service, and what tells them apart
_MARK = '_nova_image_service'


class NovaIdentity(identity.Identity):
    """Sessions and tokens as Nova has them."""

    def auth(self, context):
        """Return the caller's auth plugin, with Nova's service token.

        :returns: None in a Nova without Keystone (``[api] auth_strategy =
            noauth2``, of old releases)
        :raises Forbidden: when there is a Keystone and nothing to show it
        """
        if not getattr(context, 'auth_token', None):
            return self._auth_without_token()
        from nova import service_auth
        get_plugin = getattr(  # Nova 15 has a shorter name for it
            service_auth, 'get_service_user_token_auth_plugin', None)
        return (get_plugin or service_auth.get_auth_plugin)(context)

    def service_auth(self):
        """Return the auth plugin of Nova's service user, or None."""
        options = getattr(self._conf, 'service_user', None)
        if getattr(options, 'send_service_user_token', False):
            from nova import service_auth
            get_plugin = getattr(  # Nova 15 keeps it to itself
                service_auth, 'get_service_auth_plugin', None)
            if get_plugin is not None:
                return get_plugin('service_user')
        return self.configured_auth()

    def _auth_without_token(self):
        plugin = self.configured_auth()
        # Nova 34 is never without Keystone, and has no such option.
        strategy = getattr(self._conf.api, 'auth_strategy', 'keystone')
        if plugin is None and strategy == 'keystone':
            raise exception.Forbidden(
                'There is no token for Glance',
                reason='the context of the request has none',
                advice='Give [glance] of nova.conf credentials (auth_type '
                       'and what belongs to it)')
        return plugin


def install(conf=None):
    """Make Nova use the configured driver; again does nothing.

    :param conf: Nova's configuration, parsed
    :returns: the service that Nova's callers get
    :raises DriverLoadError: when there is no such driver
    """
    from nova.image import glance as nova_glance

    from nova_image.host import service as services

    installed = getattr(nova_glance.get_default_image_service, _MARK, None)
    if installed is not None:
        return installed
    conf = conf or cfg.CONF
    service = services.Service(driver.load(
        conf, log_is_ready=False, identity=NovaIdentity(conf)))

    def get_default_image_service():
        return service

    def get_remote_image_service(context, image_href):
        return service.resolve(context, image_href)

    setattr(get_default_image_service, _MARK, service)
    nova_glance.get_default_image_service = get_default_image_service
    nova_glance.get_remote_image_service = get_remote_image_service
    _announce(service.driver, conf)
    return service


def _nova_version():
    from nova import version as nova_version
    return nova_version.version_string()


def _announce(installed, conf):
    """Log what is in use as soon as the service has set up its log.

    Nova reads its configuration first, and what is logged until then is
    lost, or on stderr alone.

    :param installed: the driver
    :param conf: Nova's configuration, which knows the service's name
    """
    original = logging.setup

    def setup(*args, **kwargs):
        logging.setup = original
        original(*args, **kwargs)
        LOG.info('nova_image %(version)s: the driver %(driver)s serves the '
                 'images of %(service)s, Nova %(nova)s', {
                     'version': version.version_string(),
                     'driver': type(installed).__name__,
                     'service': conf.prog,
                     'nova': _nova_version()})
        driver.begin_log(installed, conf)

    logging.setup = setup
