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


"""Direct downloads: image data from its store, not through Glance.

A handler reads the data of one URL scheme. Handlers are entry points of
``nova_image.image.download``, named after their scheme; this package has
``file``, ``rbd``, ``swift+http`` and ``swift+https``.
"""

import abc

from oslo_log import log as logging
import six
from stevedore import extension

from nova_image import exception

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_image.image.download'

#: names of the handlers for which this process has logged a warning
_WARNED = set()


@six.add_metaclass(abc.ABCMeta)
class Handler(object):
    """Reads image data of one URL scheme.

    One object serves all downloads of a process, several at a time.

    :param conf: an oslo.config ConfigOpts with section ``[glance]``
    """

    def __init__(self, conf):
        self.conf = conf

    @classmethod
    def enabled(cls, conf):
        """Return whether the configuration enables this handler.

        An installed handler is enabled by default. It can depend on an option
        of its own.

        :param conf: an oslo.config ConfigOpts with section ``[glance]``
        """
        return True

    def for_caller(self, client, context, recorded):
        """Return the handler of one download.

        A handler that needs the caller's token returns a new one. Others
        return themselves, as this does.

        :param client: nova_image.image.client.Client
        :param context: the caller's context
        :param recorded: nova_image.image.transfer.recorded.Recorded, what
            Glance recorded of the data
        """
        return self

    @abc.abstractmethod
    def copy(self, url, output, check):
        """Write the data at a URL to a file.

        The handler also passes all of the data to ``check``, in order, with
        holes as zeros, and lets the exceptions of ``check`` propagate. It may
        call ``check`` from another thread, one call at a time.

        The handler writes either to ``output.write`` or to
        ``output.fileno()``, not to both. The caller flushes, syncs and
        closes. When this returns, the file is exactly as long as the data;
        its position is undefined.

        :param url: text, chosen by anybody who may add a location to an image
        :param output: an empty regular file, opened in binary mode for
            reading and writing
        :param check: has ``update(chunk)``; a chunk is bytes or a memoryview
            that does not change afterwards
        :raises ImageDownloadUnavailable: if the data is not available. After
            any exception the caller logs a warning and uses the Images API.
        """


def load(conf):
    """Return the handlers that are installed, enabled and working.

    A broken one is omitted, with one warning in each process.

    :param conf: an oslo.config ConfigOpts with section ``[glance]``
    :returns: dict of URL scheme -> Handler
    """
    kinds, clashes = {}, set()
    for found in _installed():
        if kinds.setdefault(found.name, found.plugin) is not found.plugin:
            clashes.add(found.name)
    for scheme in clashes:
        _warn(scheme, 'more than one package provides it')
        del kinds[scheme]
    made = {scheme: _make(scheme, kinds[scheme], conf) for scheme in kinds}
    return {scheme: made[scheme] for scheme in made if made[scheme]}


def _installed():
    """Return the extensions whose entry points can be loaded."""
    def warn(manager, entry_point, error):
        _warn(entry_point.name, error)

    return list(extension.ExtensionManager(
        NAMESPACE, on_load_failure_callback=warn))


def _make(scheme, kind, conf):
    """Return a handler, or None if it is not enabled, or broken."""
    try:
        return kind(conf) if kind.enabled(conf) else None
    except Exception as error:
        _warn(scheme, error)
        return None


def _warn(scheme, reason):
    if scheme in _WARNED:
        return
    _WARNED.add(scheme)
    if isinstance(reason, Exception):
        reason = '%s: %s' % (type(reason).__name__, reason)
    LOG.warning('Direct downloads from %(scheme)s: URLs are disabled, because '
                'their handler in %(namespace)s does not work: %(reason)s',
                {'scheme': scheme, 'namespace': NAMESPACE,
                 'reason': exception.redact(reason)})
