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


"""What the tests of a Glance with a tenant-specific Swift store share."""

import typing

from keystoneauth1 import plugin
from keystoneauth1 import service_token
import requests

from nova_image.image import driver
from nova_image.tests.fixtures import swift as swift_fixture
from nova_image.tests.functional import base
from nova_image.tests.functional import servers

#: the smallest image that the store has in segments
SEGMENT = swift_fixture.SEGMENT_UNIT
#: an image of three segments, of which the last is the shortest
LARGE = bytes(range(250)) * (SEGMENT // 100)
SMALL = b'some data' * 1000
#: a cloud in clouds.yaml
CLOUD = """
  %(name)s:
    region_name: %(region)s
    image_endpoint_override: %(url)s
    auth: {auth_url: %(auth_url)s, username: %(username)s,
           password: %(password)s, project_name: %(project_name)s,
           user_domain_id: default, project_domain_id: default}
"""
_PROJECTS = {'nova': 'service', 'glance': 'service'}


class PluginContext(base.Context):
    """A context with an auth plugin of its own, as Nova's."""

    plugin: plugin.BaseAuthPlugin

    def get_auth_plugin(self) -> plugin.BaseAuthPlugin:
        """Return the plugin."""
        return self.plugin


class SwiftTest(base.FunctionalTest):
    """A test on tenant_glance(), whose images are deleted afterwards.

    :ivar driver: the v2 driver
    :ivar demo: the context of a member of the project that owns the images
    """

    def setUp(self) -> None:
        """Start the servers first, so that all passwords are secrets."""
        self.glance = servers.tenant_glance()
        super().setUp()
        self.swift = servers.swift()
        self.keystone = servers.keystone()
        self.driver = self.make_driver()
        self.demo = self.context_of('demo')

    def make_driver(self, **options: typing.Any) -> driver.ImageDriver:
        """Return the v2 driver, with short waits between attempts."""
        return base.make_driver('v2', [self.glance.url], {
            'max_retry_wait': 0.1, **options})

    def context_of(self, user: str, **changes: typing.Any) -> base.Context:
        """Return the context of a Keystone user, with a new token."""
        return base.Context(**{**self._facts(user), **changes})

    def with_service_token(self, user: str) -> PluginContext:
        """Return a user's context that also sends nova's service token."""
        context = PluginContext(**self._facts(user))
        context.plugin = service_token.ServiceTokenAuthWrapper(
            self.keystone.session(user).auth,
            self.keystone.session('nova').auth)
        return context

    def _facts(self, user: str) -> dict[str, typing.Any]:
        project = _PROJECTS.get(user, user)
        is_member = user in ('demo', 'other')
        return {'auth_token': servers.token_of(user),
                'project_id': self.keystone.project_id(project),
                'user_id': self.keystone.user_id(user),
                'roles': ('member',) if is_member else ('admin',),
                'is_admin': not is_member}

    def create(self, context: base.Context | None = None,
               data: bytes | None = SMALL, **changes: typing.Any) -> str:
        """Create an image that is deleted after the test; return its ID."""
        context = context or self.demo
        image_id = self.driver.create(context, {
            'name': 'an image', 'disk_format': 'raw',
            'container_format': 'bare', **changes}, data)['id']
        self.addCleanup(self._delete, context, image_id)
        return image_id

    def _delete(self, context: base.Context, image_id: str) -> None:
        url = '%s/v2/images/%s' % (self.glance.url, image_id)
        requests.delete(url, timeout=60,
                        headers={'X-Auth-Token': context.auth_token})

    def data(self, context: base.Context, image_id: str,
             **options: typing.Any) -> bytes:
        """Return the data of an image, downloaded by the driver."""
        image_driver = self.make_driver(**options) if options else self.driver
        return b''.join(image_driver.download(context, image_id))

    def stored(self, context: base.Context) -> list[str]:
        """Return the containers in a project's account in Swift."""
        answer = requests.get(
            self.swift.account_url(context.project_id), timeout=60,
            headers={'X-Auth-Token': context.auth_token})
        return answer.text.split()

    def container_acl(self, image_id: str, context: base.Context) -> str:
        """Return which projects may read an image's container."""
        answer = requests.head(
            '%s/glance_%s' % (self.swift.account_url(context.project_id),
                              image_id),
            headers={'X-Auth-Token': context.auth_token}, timeout=60)
        return answer.headers.get('X-Container-Read', '')
