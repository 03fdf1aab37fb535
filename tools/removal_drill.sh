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

# The removal drill: what removing the Images API v1 will be one day, done to a
# copy of the tree. Deletes the v1 driver, its tests and its entry point, looks
# for names left dangling, and runs the unit tests that are left.
#
# Usage: tools/removal_drill.sh PYTHON

set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${1:?the interpreter to test with}

DRIVER=nova_image/image/glance.py
TESTS=(
    nova_image/tests/unit/image/test_glance.py
    nova_image/tests/unit/recordings/v1.json
    nova_image/tests/functional/test_v1.py
    nova_image/tests/functional/test_differential.py
    nova_image/tests/functional/test_glanceclient_versions.py
    nova_image/tests/legacy/test_v1.py
    nova_image/tests/legacy/test_same_answers.py
)

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done | tar --null --files-from=- --create | tar --extract --directory "$copy"

cd "$copy"
rm "$DRIVER" "${TESTS[@]}"
sed -i '/^    v1 = nova_image\.image\.glance:/d' setup.cfg
git init -q .
git add .
if git grep -nE 'nova_image[./]image[./]glance([^_]|$)' -- \
    nova_image setup.cfg benchmarks demo; then
    echo 'The lines above name the v1 driver, which is gone.' >&2
    exit 1
fi
PBR_VERSION=0 "$PYTHON" setup.py -q egg_info
PYTHONPATH=$copy "$PYTHON" -m testtools.run discover -s nova_image/tests/unit \
    -t .
