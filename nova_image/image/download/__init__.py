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


"""Direct downloads: image data from where it is stored, not through Glance.

A handler reads the data of one URL scheme. Handlers are entry points of
``nova_image.image.download``, named after their scheme; ``file`` and ``rbd``
come with this package.
"""

import abc

from oslo_log import log as logging
import six
from stevedore import extension

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_image.image.download'

#: names of the handlers that were warned about in this process
_WARNED = set()


@six.add_metaclass(abc.ABCMeta)
class Handler(object):
    """Gets image data of one URL scheme.

    One object serves all downloads of a process, several at a time.

    :param conf: an oslo.config ConfigOpts with section ``[glance]``
    """

    def __init__(self, conf):
        self.conf = conf

    @classmethod
    def enabled(cls, conf):
        """Return whether the configuration wants this handler.

        Who installs a handler wants it, unless the handler asks here for an
        option of its own.

        :param conf: an oslo.config ConfigOpts with section ``[glance]``
        """
        return True

    @abc.abstractmethod
    def copy(self, url, output, check):
        """Put the data that a URL names into a file.

        All of the data goes to ``check`` too, in its order, a hole as zeros.
        What ``check`` raises is to come out of here. The handler may call
        it from another thread than its caller's, one call at a time.

        Either ``output.write`` or ``output.fileno()`` is to be written to,
        not both. The caller flushes, syncs and closes. In the end the file
        is exactly as long as the data; where it then stands is undefined.

        :param url: text; anybody who may add a location to an image has
            chosen it
        :param output: an empty regular file, opened in binary mode for
            reading and writing
        :param check: has ``update(chunk)``; a chunk is bytes or a memoryview
            that nobody changes afterwards
        :raises ImageDownloadUnavailable: when the data cannot be had. Any
            exception makes the caller turn to the Images API, with a warning
        """


def load(conf):
    """Return the handlers that are installed, work and are enabled.

    One that does not work is warned about once in a process and left out.

    :param conf: an oslo.config ConfigOpts with section ``[glance]``
    :returns: dict of URL scheme -> Handler
    """
    kinds, clashes = {}, set()
    for found in _installed():
        if kinds.setdefault(found.name, found.plugin) is not found.plugin:
            clashes.add(found.name)
    for scheme in clashes:
        _warn(scheme, 'more than one package brings it')
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
    """Return a handler, or None: not enabled, or broken."""
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
    LOG.warning('Direct downloads from %(scheme)s: URLs are off, their '
                'handler in %(namespace)s does not work: %(reason)s',
                {'scheme': scheme, 'namespace': NAMESPACE, 'reason': reason})
