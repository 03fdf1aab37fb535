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

"""Measures the contender that its argument names.

The contenders are those of the transfers, and rbd export with a hash.
"""

import sys

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from benchmarks.common import clients
from benchmarks.common import worker
from benchmarks.transfer import contenders
from benchmarks.transfer import worker as transfer_worker

# The arguments are Ceph's configuration, the image, the file, and the expected
# hash, or nothing.
_BEGIN = '''
set -o pipefail
conf=$1 image=$2 file=$3 expected=$4
written_to() {
    rbd --conf "$conf" --id nova export --no-progress "$image" "$1"
}
'''
_END = '''
[ -z "$expected" ] || [ "${found%% *}" = "$expected" ]
'''
# The data goes to the program that hashes it, and to the file, with holes as
# far as dd finds them.
_ONE_PASS = '''
found=$({ written_to - | tee /dev/fd/3 | dd "of=$file" bs=1M \
    iflag=fullblock conv=sparse,fsync status=none; } 3>&1 >&2 | sha512sum) ||
    exit
'''
_TWO_PASSES = '''
written_to "$file" && sync "$file" || exit
found=$(openssl dgst -sha512 -r "$file") || exit
'''


class OnePass(contenders.RbdExport):
    """rbd export of Glance's snapshot, with the hash of Glance's record."""

    script = _ONE_PASS

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: contenders.Place) -> None:
        """Keep the path of Ceph's configuration, and find Glance."""
        super().__init__(auth, session, place)
        self._session = session
        self._url = clients.image_url(session) + '/v2/images/'

    def download(self, image_id: str, path: str) -> None:
        """Export an image's data, hash it, and call fsync."""
        image = self._session.get(self._url + image_id).json()
        self.run(['bash', '-c', _BEGIN + self.script + _END, 'bash',
                  self._conf, 'images/%s@snap' % image_id, path,
                  image['os_hash_value'] or ''])


class TwoPasses(OnePass):
    """The same, but the file is hashed, after it is written."""

    script = _TWO_PASSES


contenders.KINDS |= {'rbd sha512sum': OnePass, 'rbd openssl': TwoPasses}

if __name__ == '__main__':
    worker.serve(transfer_worker.Worker(sys.argv[1]))
