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

# One pass: the data goes to the file, with holes as far as dd finds them, and
# to the program that hashes it. The arguments are Ceph's configuration, the
# image, the file, the expected hash, or nothing, and the program.
_EXPORT = '''
set -o pipefail
conf=$1 image=$2 file=$3 expected=$4
shift 4
found=$(
    { rbd --conf "$conf" --id nova export --no-progress "$image" - |
      tee /dev/fd/3 |
      dd "of=$file" bs=1M iflag=fullblock conv=sparse,fsync status=none
    } 3>&1 >&2 | "$@") &&
[ -z "$expected" ] || [ "${found%% *}" = "$expected" ]
'''


class HashedExport(contenders.RbdExport):
    """rbd export of Glance's snapshot, with the hash of Glance's record."""

    hasher: tuple[str, ...] = ('sha512sum',)

    def __init__(self, auth: v3.Password, session: ks_session.Session,
                 place: contenders.Place) -> None:
        """Keep the path of Ceph's configuration, and find Glance."""
        super().__init__(auth, session, place)
        self._session = session
        self._url = clients.image_url(session) + '/v2/images/'

    def download(self, image_id: str, path: str) -> None:
        """Export an image's data, hash it, and call fsync."""
        image = self._session.get(self._url + image_id).json()
        self.run(['bash', '-c', _EXPORT, 'export', self._conf,
                  'images/%s@snap' % image_id, path,
                  image['os_hash_value'] or '', *self.hasher])


class OpenSSLExport(HashedExport):
    """The same with OpenSSL's SHA-512, which Python uses, too."""

    hasher = ('openssl', 'dgst', '-sha512', '-r')


contenders.KINDS |= {'rbd sha512sum': HashedExport,
                     'rbd openssl': OpenSSLExport}

if __name__ == '__main__':
    worker.serve(transfer_worker.Worker(sys.argv[1]))
