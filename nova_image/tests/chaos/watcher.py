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


"""Other projects of the target, which must never see half an image."""

import contextlib
import hashlib
import threading
import typing

import requests

from nova_image.tests.chaos import images
from nova_image.tests.chaos import world
from nova_image.tests.functional import servers


class Watcher(threading.Thread):
    """Looks at all replicas as other projects do, as often as possible.

    :param scene: the world
    :ivar problems: what nobody should have seen
    :ivar looks: number of answers
    :ivar downloads: number of complete downloads
    """

    def __init__(self, scene: 'world.World') -> None:
        super().__init__(name='chaos-watcher', daemon=True)
        self.problems: list[str] = []
        self.looks = self.downloads = 0
        self._scene = scene
        self._url = scene.target.service.url
        self._end = threading.Event()
        self._seen: set[tuple[str, str]] = set()

    def finish(self) -> None:
        """Look once more, and end."""
        self._end.set()
        self.join()

    def run(self) -> None:
        """Look until the end."""
        while not self._end.wait(0.02):
            # A Glance that was killed answers nothing, or half of it.
            with contextlib.suppress(requests.RequestException):
                self._look()

    def _ask(self, project: str, path: str,
             *roles: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(
                self._url + path, timeout=10,
                headers=servers.headers_of(
                    project, *roles or ('member', 'reader')))

    def _look(self) -> None:
        replicas = {}
        for query in '', '?os_hidden=true', '?visibility=community':
            answer = self._ask('the-admins', '/v2/images' + query, 'admin')
            if answer.status_code == 200:
                replicas.update({
                    one['id']: one.get(images.MARKER)
                    for one in answer.json()['images']})
        for image_id, source_id in replicas.items():
            picture = self._scene.pictures.get(source_id or '')
            if picture is not None:
                for project in images.STRANGER, images.PARTNER:
                    self._look_at(project, image_id, picture)

    def _look_at(self, project: str, image_id: str,
                 picture: images.Image) -> None:
        answer = self._ask(project, '/v2/images/' + image_id)
        self.looks += 1
        if answer.status_code != 200:
            return
        raw: dict[str, typing.Any] = answer.json()
        found = picture.differences(raw)
        if not picture.may_see(project):
            found.append('it is visible')
        key = project, image_id
        if raw['status'] == 'active' and key not in self._seen:
            found += self._download(project, image_id, picture)
            self._seen.add(key)
        if found:
            self.problems.append('%s, as %s sees it: %s' % (
                image_id, project, '; '.join(found)))

    def _download(self, project: str, image_id: str,
                  picture: images.Image) -> list[str]:
        answer = self._ask(project, '/v2/images/%s/file' % image_id)
        if answer.status_code not in (200, 204):
            return []
        self.downloads += 1
        if hashlib.sha256(answer.content).digest() == hashlib.sha256(
                picture.data).digest():
            return []
        return ['%d bytes of its data are wrong' % len(answer.content)]
