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

"""Chooses the back end of the metrics from the configuration."""

from oslo_log import log as logging
import six
from stevedore import driver
from stevedore import exception as stevedore_exc
from stevedore import extension

from nova_image import exception
from nova_image.metrics import hook
from nova_image import version

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_image.metrics'


def start(conf, driver_name):
    """Begin to measure, if the configuration enables it.

    A process has one set of metrics. The first configuration that enables
    them decides on the back end.

    :param conf: an oslo.config ConfigOpts with the options of nova_image
    :param driver_name: v1 or v2
    :raises DriverLoadError: if there is no such back end, or its package is
        not installed
    """
    name = conf.nova_image.metrics
    if not name or hook.METRICS.is_on:
        return
    sink = _find(name)(conf.nova_image)
    hook.use(hook.Live(sink, (version.version_string(), driver_name,
                              getattr(conf, 'prog', None) or 'python')))


def _find(name):
    """Return the class of a back end."""
    try:
        return driver.DriverManager(
            NAMESPACE, name, on_load_failure_callback=_raise_failure).driver
    except (stevedore_exc.NoMatches, stevedore_exc.MultipleMatches):
        names = extension.ExtensionManager(
            NAMESPACE, on_load_failure_callback=lambda *_: None)
        raise exception.DriverLoadError(
            reason='[nova_image] metrics: there is no back end %s, or more '
                   'than one' % name,
            advice='Use one of: %s' % ', '.join(sorted(
                point.name for point in names.list_entry_points())))


def _raise_failure(manager, entry_point, error):
    six.raise_from(exception.DriverLoadError(
        reason='[nova_image] metrics: the back end %s does not work: %s: %s'
               % (entry_point.name, type(error).__name__, error),
        advice="Install its package into this Python: pip install "
               "'nova_image[%s]'" % entry_point.name), error)
