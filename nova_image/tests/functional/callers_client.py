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

"""Makes calls while another call of the same driver has no answer.

A program: reads a list of orders from its input and prints a list of reports,
both as JSON; with ``--eventlet`` it is monkey-patched first, like Nova's
services. It needs nova_image, but nothing of the tests.

Keys of an order: ``url`` of Glance, ``config`` (path of a configuration
file), ``waits`` (the name of the call that gets no answer, one of CALLS),
``token`` (that of the context, or None).
"""

import functools
import json
import sys
import threading
import time
import types
import typing
import urllib.request

if '--eventlet' in sys.argv:
    import eventlet
    eventlet.monkey_patch()

from oslo_config import cfg

from nova_image import conf as nova_image_conf
from nova_image.image import api
from nova_image.image import offload
from nova_image.image.v2 import schema

#: the images that the server has: its requests have no answer, or an answer
SLOW = '71c675ab-d94f-49cd-a114-e12490b328d9'
QUICK = '71c675ab-d94f-49cd-a114-e12490b328da'
#: seconds within which a call ends that is not held up
SOON = 30
_TICK = 0.01

Call = typing.Callable[[typing.Any, typing.Any, str], typing.Any]

CALLS: dict[str, Call] = {
    'show': lambda images, context, image: images.get(context, image),
    'list': lambda images, context, image: images.get_all(
        context, filters={'name': image}),
    'data': lambda images, context, image: sum(
        len(piece) for piece in images.download(context, image)),
    'import_info': lambda images, context, image: images.import_info(
        context),
    'schema': lambda images, context, image: schema.find(
        images._driver.client, context),
    'token': lambda images, context, image: images.get(context, QUICK),
}
#: the calls that never have to wait
_QUICK = 'show', 'list', 'data'


def _images(order: dict[str, typing.Any]) -> api.API:
    conf = cfg.ConfigOpts()
    conf(['--config-file', order['config']], project='nova_image',
         default_config_dirs=[])
    nova_image_conf.register_opts(conf)
    conf.set_override('api_servers', [order['url']], 'glance')
    return api.API(conf)


def _context(token: str | None) -> typing.Any:
    return types.SimpleNamespace(
        project_id='a-project', user_id='a-user', roles=('reader',),
        is_admin=token is None, auth_token=token, service_catalog=None,
        global_id=None)


def _ask(url: str) -> int:
    with urllib.request.urlopen(url) as answer:
        return int(answer.read())


def _ends(work: typing.Callable[[], typing.Any]) -> str:
    """Run a call in a thread; return what happens to it."""
    found = []

    def run() -> None:
        try:
            work()
            found.append('done')
        except Exception as error:
            found.append('%s: %s' % (type(error).__name__, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SOON)
    return found[0] if found else 'held up'


def perform(order: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Make a call that gets no answer, and others at the same time.

    :returns: what happens to each call: ``done``, ``held up`` or its error
    """
    images, context = _images(order), _context(order['token'])
    report: dict[str, typing.Any] = {'eventlet': offload.on_eventlet()}
    report['before'] = _ends(lambda: images.get(context, QUICK))
    slow = threading.Thread(target=lambda: report.update(slow=_ends(
        lambda: CALLS[order['waits']](images, context, SLOW))))
    slow.start()
    until = time.monotonic() + SOON
    while not _ask(order['url'] + '/waiting') and time.monotonic() < until:
        time.sleep(_TICK)
    report['waiting'] = _ask(order['url'] + '/waiting')
    for name in _QUICK:
        report[name] = _ends(functools.partial(
            CALLS[name], images, context, QUICK))
    _ask(order['url'] + '/release')
    slow.join()
    return report


if __name__ == '__main__':
    print(json.dumps([perform(order) for order in json.load(sys.stdin)]))
