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

"""The other client of a modelled Glance."""

from nova_image.tests.functional.model import plans
from nova_image.tests.functional.model import service
from nova_image.tests.functional.model import world as worlds


class OtherClient:
    """Uses the IDs of the call's requests for its own images.

    :param server: the Glance
    :param call: the call that it interferes with
    """

    def __init__(self, server: service.Service, call: plans.Call) -> None:
        self._server = server
        # Nobody else knows an ID that was drawn for the call.
        self._known = set(plans.NAMES)
        if call.id_is_new:
            self._known.discard(call.image or '')
        self._data = plans.THEIR_DATA[call.data] or b''

    def act(self, what: str, image_id: str | None) -> str:
        """Do one of plans.OTHERS; return a description of it.

        :param image_id: the ID of the image, None for none
        """
        data = what in ('create', 'create active', 'upload', 'stage', 'import')
        if image_id is None or data and image_id not in self._known:
            return ''
        try:
            getattr(self, '_' + what.replace(' ', '_'))(image_id)
        except service.Refused as error:
            return '; another client: %s -> %d' % (what, error.status)
        return '; another client: %s' % what

    def _create(self, image_id: str) -> None:
        self._server.create(worlds.OTHER, image_id, name='theirs')

    def _create_active(self, image_id: str) -> None:
        self._create(image_id)
        self._upload(image_id)

    def _upload(self, image_id: str) -> None:
        self._server.upload(worlds.OTHER, image_id, self._data)

    def _stage(self, image_id: str) -> None:
        self._server.stage(worlds.OTHER, image_id, self._data)

    def _import(self, image_id: str) -> None:
        self._server.begin_import(worlds.OTHER, image_id, {'method': {
            'name': 'web-download', 'uri': plans.THEIR_URI}}, 'req-other')

    def _delete(self, image_id: str) -> None:
        self._server.delete(worlds.OTHER, image_id)

    def _rename(self, image_id: str) -> None:
        self._server.change(worlds.OTHER, image_id, {
            'name': 'theirs', 'prop:p': 'theirs'})

    def _add_member(self, image_id: str) -> None:
        self._server.add_member(worlds.OTHER, image_id, plans.MEMBER)

    def _remove_member(self, image_id: str) -> None:
        self._server.remove_member(worlds.OTHER, image_id, plans.MEMBER)
