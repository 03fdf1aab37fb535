#!/usr/bin/env bash
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

# The removal drill: rehearses the removal of the Images API v1 in a copy of the
# tree. Deletes the v1 driver, its entry point and the files that only serve it.
# Then nothing may name the driver, every remaining test module must load, and
# the unit tests and the tests on Glance 33, which does not have v1, must pass.
#
# Usage: tools/removal_drill.sh PYTHON

set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${1:?the interpreter to test with}
# The copy uses the virtualenvs that the tests have installed.
export NOVA_IMAGE_CACHE=${NOVA_IMAGE_CACHE:-$PWD/.cache}

GOES=(
    nova_image/image/glance.py
    nova_image/replication/v1
    nova_image/status/v1
    nova_image/cmd/status_rehearse.py
    nova_image/tests/unit/image/glance_case.py
    nova_image/tests/unit/image/test_glance.py
    nova_image/tests/unit/image/test_glance_answers.py
    nova_image/tests/unit/image/test_glance_attributes.py
    nova_image/tests/unit/image/test_glance_create.py
    nova_image/tests/unit/image/test_glance_data_requests.py
    nova_image/tests/unit/image/test_glance_download.py
    nova_image/tests/unit/image/test_glance_headers.py
    nova_image/tests/unit/image/test_glance_list.py
    nova_image/tests/unit/image/test_glance_members.py
    nova_image/tests/unit/recordings/v1.json
    nova_image/tests/unit/replication/v1
    nova_image/tests/unit/status/v1
    nova_image/tests/functional/rehearsal_images.py
    nova_image/tests/functional/test_migrating_v1.py
    nova_image/tests/functional/test_status_clients_v1.py
    nova_image/tests/functional/test_status_rehearse_v1.py
    nova_image/tests/functional/test_answers_v1.py
    nova_image/tests/functional/test_v1.py
    nova_image/tests/functional/test_dom0_v1.py
    nova_image/tests/functional/test_cli_v1.py
    nova_image/tests/functional/test_cli_attributes_v1.py
    nova_image/tests/functional/test_cli_words_v1.py
    nova_image/tests/functional/test_v1_faults.py
    nova_image/tests/functional/test_readme_v1.py
    nova_image/tests/functional/test_replication_v1.py
    nova_image/tests/functional/test_replication_v1_faults.py
    nova_image/tests/functional/test_replicator_v1.py
    nova_image/tests/functional/test_replication_matrix_v1.py
    nova_image/tests/functional/test_cli_replication_v1.py
    nova_image/tests/functional/test_status_v1.py
    nova_image/tests/functional/test_undo_model_v1.py
    nova_image/tests/functional/model/server_v1.py
    nova_image/tests/functional/test_differential.py
    nova_image/tests/functional/test_glanceclient_versions.py
    nova_image/tests/chaos/test_v1.py
    nova_image/tests/legacy/v1_clouds.py
    nova_image/tests/legacy/test_virt_drivers_v1.py
    nova_image/tests/legacy/test_xen_v1.py
    nova_image/tests/legacy/test_v1.py
    nova_image/tests/legacy/test_same_answers.py
    nova_image/tests/novas/test_v1.py
    tools/record_v1_answers.py
    tools/removal_drill.sh
)
# The module as a path, as a dotted name and in "from ... import", and the
# class; not the module and the class of v2. The same for the end of a
# replication, for the half of an audit and for the rehearsal.
NAMES='nova_image[./]image[./]glance([^_]|$)'
NAMES+='|nova_image\.image import glance([^_]|$)|GlanceImageService([^V]|$)'
NAMES+='|nova_image[./]replication[./]v1([^0-9]|$)|EndV1([^0-9]|$)'
NAMES+='|nova_image\.replication import v1([^0-9]|$)'
NAMES+='|nova_image[./]status[./]v1([^0-9]|$)|HalfV1([^0-9]|$)'
NAMES+='|nova_image[./]cmd[./]status_rehearse|import status_rehearse'
NAMES+='|nova_image\.status import v1([^0-9]|$)'

step() {  # WHAT
    printf '\n-- %s (%d s)\n' "$1" "$SECONDS"
}

list_tests() {  # KIND: lists a folder's tests; fails if a module cannot load
    "$PYTHON" -m testtools.run discover --list -s "nova_image/tests/$1" -t . \
        >"$copy/$1.tests" || {
        tail -50 "$copy/$1.tests"
        return 1
    }
    echo "$(wc -l <"$copy/$1.tests") tests of nova_image/tests/$1 load"
}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done | tar --null --files-from=- --create | tar --extract --directory "$copy"

cd "$copy"
rm -r "${GOES[@]}"
sed -i -E -e '/^    v1 = nova_image\.(image\.glance:|[a-z]+\.v1\.)/d' \
    -e '/^    rehearse = nova_image\.cmd\.status_rehearse$/d' setup.cfg
sed -i '/^ *glance\.py  *GlanceImageService: the Images API v1$/d' \
    doc/source/contributor/architecture.rst
sed -i '/^ *status_rehearse\.py /d' doc/source/contributor/architecture.rst
# The folder v1 and the modules in it, which are indented more.
sed -i '/^        v1\/ .* the Images API v1$/,/^ \{0,8\}[^ ]/{
    /^        v1\//d
    /^          /d
}' doc/source/contributor/architecture.rst
# The section that test_readme_v1.py runs.
sed -i "/^Moving a cloud's images from v1 to v2\$/,/^Benchmarks\$/{
    /^Benchmarks\$/!d
}" README.rst
git init -q .
git add .
step 'no name of the v1 driver is left, except in documents'
if git grep -nE "$NAMES" -- . ':!doc' ':!releasenotes'; then
    echo 'The lines above name the v1 driver, which is gone.' >&2
    exit 1
fi
PBR_VERSION=0.0.0 "$PYTHON" setup.py -q egg_info
export PYTHONPATH=$copy

step 'all remaining modules load'
"$PYTHON" -c 'import tools.record_answers'
for kind in unit functional gate legacy novas chaos; do
    list_tests "$kind"
done
step 'unit tests'
"$PYTHON" -m testtools.run discover -s nova_image/tests/unit \
    -t .
step 'functional tests on Glance 33'
grep 'OnGlance33Test\.' functional.tests >glance33.tests
"$PYTHON" -m testtools.run discover --load-list glance33.tests \
    -s nova_image/tests/functional -t .
step 'done'
