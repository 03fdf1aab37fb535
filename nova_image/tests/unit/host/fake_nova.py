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

"""A fake of the parts of Nova that nova_image.host uses.

The exceptions have the names, bases and message fields of those in Nova
34.0.0. The gate tests run the real Nova.
"""

import sys
import types

import fixtures
from oslo_config import cfg

from nova_image import host

#: name -> (base, message)
_EXCEPTIONS = (
    ('NotFound', 'NovaException', 'Resource could not be found.'),
    ('Forbidden', 'NovaException', 'Forbidden'),
    ('Invalid', 'NovaException', 'Bad Request - Invalid Parameters'),
    ('ImageNotFound', 'NotFound', 'Image %(image_id)s could not be found.'),
    ('ImageNotAuthorized', 'NovaException',
     'Not authorized for image %(image_id)s.'),
    ('ImageBadRequest', 'Invalid', 'Request of image %(image_id)s got '
     'BadRequest response: %(response)s'),
    ('ImageUnacceptable', 'Invalid',
     'Image %(image_id)s is unacceptable: %(reason)s'),
    ('ImageQuotaExceeded', 'NovaException',
     'Quota exceeded or out of space for image %(image_id)s'),
    ('ImageDeleteConflict', 'NovaException',
     'Conflict deleting image. Reason: %(reason)s.'),
    ('ImageImportImpossible', 'Invalid',
     'Import of image %(image_id)s refused: %(reason)s'),
    ('InvalidImageRef', 'Invalid', 'Invalid image href %(image_href)s.'),
    ('GlanceConnectionFailed', 'NovaException',
     'Connection to glance host %(server)s failed: %(reason)s'),
)


class NovaException(Exception):
    """Like Nova's: a message, or that of the class with facts filled in."""

    msg_fmt = 'An unknown exception occurred.'

    def __init__(self, message=None, **kwargs):
        self.kwargs = kwargs
        super(NovaException, self).__init__(message or self.msg_fmt % kwargs)


class FakeNova(fixtures.Fixture):
    """Makes ``import nova`` find the fake.

    :ivar modules: {name: module}
    :ivar conf: the ConfigOpts that replaces Nova's
    """

    def _setUp(self):
        self.conf = cfg.ConfigOpts()
        self.conf.register_opt(
            cfg.IntOpt('max_limit', default=1000), group='api')
        self.conf([], prog='nova-compute')
        self.modules = {}
        for name in ('nova', 'nova.conf', 'nova.exception', 'nova.image',
                     'nova.image.glance', 'nova.service_auth',
                     'nova.version', 'nova.config'):
            self.add(name)
        self._fill()
        self.addCleanup(self._forget_host)
        self._forget_host()

    @staticmethod
    def _forget_host():
        """Make each test import nova_image.host again, with its own fake."""
        for name in list(sys.modules):
            if name.startswith('nova_image.host.'):
                del sys.modules[name]
                vars(host).pop(name.rpartition('.')[2], None)

    def register_auth_strategy(self, value):
        """Register the option that Nova 15 has, but Nova 34 does not.

        :param value: ``keystone`` or ``noauth2``
        """
        self.conf.register_opt(
            cfg.StrOpt('auth_strategy', default='keystone'), group='api')
        self.conf.set_override('auth_strategy', value, 'api')

    def add(self, name):
        """Add a module of Nova.

        :param name: its dotted name; its parent exists
        """
        module = self.modules[name] = types.ModuleType(name)
        module.__path__ = []
        parent, _, child = name.rpartition('.')
        if parent:
            setattr(self.modules[parent], child, module)
        sys.modules[name] = module
        self.addCleanup(sys.modules.pop, name, None)

    def _fill(self):
        exceptions = self.modules['nova.exception']
        exceptions.NovaException = NovaException
        for name, base, message in _EXCEPTIONS:
            setattr(exceptions, name, type(
                name, (getattr(exceptions, base),), {'msg_fmt': message}))
        self.modules['nova.conf'].CONF = self.conf
        self.modules['nova.version'].version_string = lambda: '34.0.0'
        glance = self.modules['nova.image.glance']
        glance.get_default_image_service = lambda: 'stock'
        glance.get_remote_image_service = lambda context, href: 'stock'
