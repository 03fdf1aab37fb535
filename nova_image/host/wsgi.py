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

"""nova-api as a WSGI application with our drivers.

A WSGI server loads it instead of nova.wsgi.osapi_compute, or of nova-api-wsgi
of a Nova that does not have that module (until 2024.2)::

    gunicorn nova_image.host.wsgi:application
"""

# Nova must come first: it may patch the standard library.
from nova import monkey_patch  # noqa: I100

try:
    monkey_patch.patch(backend='threading')
except (AttributeError, TypeError):  # older releases patch on import
    pass

from nova_image.host import launcher  # noqa: E402

launcher.install_once_configured()

from nova import wsgi as nova_wsgi  # noqa: E402

if hasattr(nova_wsgi, '__path__'):
    from nova.wsgi import osapi_compute
    application = osapi_compute.application
else:  # it is a module about something else (read in 25.3.0 and 29.4.0)
    from nova.api.openstack.compute import wsgi as compute_wsgi
    application = compute_wsgi.init_application()
