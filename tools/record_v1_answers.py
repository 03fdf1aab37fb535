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

"""Records the answers of a real Glance to v1; part of the v1 driver.

It works like tools.record_answers for v2::

    python -m tools.record_v1_answers
"""

from nova_image.tests import fixtures
from tools import record_answers as answers


def v1(recorder: answers.Recorder) -> None:
    """Record v1."""
    make_v1(recorder)
    read_v1(recorder)
    refused_v1(recorder)
    change_v1(recorder)


def meta(**fields: str) -> dict[str, bytes]:
    """Return metadata in the form of v1's headers."""
    return {'x-image-meta-' + name.replace('_', '-', 1)
            if name.startswith('property_') else 'x-image-meta-' + name:
            value.encode() for name, value in fields.items()}


def make_v1(recorder: answers.Recorder) -> None:
    """Create the images, and record the answers to that."""
    recorder.record('create_201', 201, 'POST', '/v1/images', headers=meta(
        id=answers.ACTIVE, name=answers.NAME, min_ram='512', min_disk='1',
        is_public='False', property_os_type='linux',
        property_kernel_id=answers.KERNEL,
        property_description=answers.NAME, property_empty='',
        property_block_device_mapping=answers.MAPPING, **answers.FORMATS))
    recorder.record('upload_200', 200, 'PUT', '/v1/images/' + answers.ACTIVE,
                    data=answers.DATA, headers={
                        'Content-Type': 'application/octet-stream',
                        'x-glance-registry-purge-props': 'False'})
    recorder.do('POST', '/v1/images', headers=meta(
        id=answers.QUEUED, **answers.FORMATS))
    recorder.do('POST', '/v1/images', headers=meta(
        id=answers.PROTECTED, protected='True', name='one', **answers.FORMATS))
    recorder.record('create_empty_201', 201, 'POST', '/v1/images',
                    headers=meta(id=answers.EMPTY, name='empty', size='0'))
    recorder.record('member_204', 204, 'PUT',
                    '/v1/images/%s/members/another-project' % answers.ACTIVE)
    members_v1(recorder, '/v1/images/%s/members' % answers.ACTIVE)


def members_v1(recorder: answers.Recorder, path: str) -> None:
    """Record the answers about members of an image that has one."""
    recorder.record('members_200', 200, 'GET', path)
    recorder.record('member_404', 404, 'DELETE', path + '/nobody')
    recorder.record('members_404', 404, 'GET',
                    '/v1/images/%s/members' % answers.ABSENT)
    # If the registry denies access, Glance answers 404.
    recorder.record('member_denied_404', 404, 'PUT', path + '/a-third',
                    answers.identity('member', 'reader',
                                     project='another-project'))


def read_v1(recorder: answers.Recorder) -> None:
    """Record the answers to reads."""
    for name, image_id in (('active', answers.ACTIVE),
                           ('queued', answers.QUEUED),
                           ('empty', answers.EMPTY)):
        recorder.record('show_' + name, 200, 'HEAD', '/v1/images/' + image_id)
    recorder.record('list', 200, 'GET',
                    '/v1/images/detail?sort_key=id&sort_dir=asc')
    recorder.record('list_none', 200, 'GET', '/v1/images/detail?name=none')
    recorder.record('download_200', 200, 'GET', '/v1/images/' + answers.ACTIVE)
    recorder.record('download_404', 404, 'GET', '/v1/images/' + answers.QUEUED)


def refused_v1(recorder: answers.Recorder) -> None:
    """Record the answers to refused requests."""
    images = '/v1/images'
    recorder.record('show_404', 404, 'HEAD', images + '/' + answers.ABSENT)
    recorder.record('create_400', 400, 'POST', images, headers=meta(
        disk_format='none-such', container_format='bare'))
    recorder.record('create_409', 409, 'POST', images,
                    headers=meta(id=answers.ACTIVE, **answers.FORMATS))
    recorder.record('upload_409', 409, 'PUT', images + '/' + answers.ACTIVE,
                    data=answers.DATA, headers={
                        'Content-Type': 'application/octet-stream'})
    recorder.record('list_400', 400, 'GET', images + '/detail?size_min=-1')
    recorder.record('delete_403', 403, 'DELETE',
                    images + '/' + answers.PROTECTED)
    recorder.record('unauthorized_401', 401, 'GET', images, who={})


def change_v1(recorder: answers.Recorder) -> None:
    """Record the answers to changes and deletions."""
    path = '/v1/images/' + answers.QUEUED
    recorder.record('update_200', 200, 'PUT', path, headers=dict(
        meta(name='two', property_os_type='bsd'),
        **{'x-glance-registry-purge-props': 'False'}))
    recorder.record('delete_200', 200, 'DELETE', path)
    recorder.record('delete_404', 404, 'DELETE', path)
    recorder.record('show_deleted', 200, 'HEAD', path, answers.ADMIN)
    recorder.record('update_403', 403, 'PUT', path, answers.ADMIN,
                    meta(name='x'))


def main() -> None:
    """Record all answers."""
    with fixtures.LegacyGlance() as glance:
        recorded = answers.record(glance, v1)
    answers.save('v1', recorded | answers.disabled(('v2',), '/v1/images/'))


if __name__ == '__main__':
    main()
