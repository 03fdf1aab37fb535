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

"""Reads images as Nova's callers do; runs in Nova's virtualenv.

First through Nova's own image code, then through nova_image, in one process::

    same_images.main(settings_file, results_file)
"""

import json
import typing

import nova.conf
from nova import context
from nova.image import glance as nova_glance

from nova_image.host import bridge

CONF = nova.conf.CONF

Image = dict[str, typing.Any]
#: call -> the images that it returns
Answers = dict[str, list[Image]]


def _read(settings: dict[str, typing.Any]) -> Answers:
    """Return what each caller sees of each image, by call."""
    api, answers = nova_glance.API(), {}
    for name, identity in settings['callers'].items():
        caller = context.RequestContext(**identity)
        answers[name + ' lists'] = sorted(
            api.get_all(caller), key=lambda image: image['id'])
        for locations in (False, True):
            answers['%s shows, locations %s' % (name, locations)] = [
                api.get(caller, image_id, include_locations=locations)
                for image_id in settings['images'][name]]
    return answers


def main(settings_file: str, results_file: str) -> None:
    """Read the images twice.

    :param settings_file: the file with a JSON object: ``url`` of Glance,
        ``callers`` (name -> arguments of Nova's RequestContext) and
        ``images`` (name of a caller -> list of IDs)
    :param results_file: the file to write: a JSON object with the answers of
        Nova's own code (``stock``) and of nova_image (``ours``)
    """
    with open(settings_file) as file:
        settings = json.load(file)
    CONF([], project='nova', default_config_files=[])
    CONF.set_override('api_servers', [settings['url']], 'glance')
    results = {'stock': _read(settings)}
    bridge.install(CONF)
    results['ours'] = _read(settings)
    with open(results_file, 'w') as file:
        json.dump(results, file, default=str)
