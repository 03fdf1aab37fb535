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

# Checks the style and the pitfalls of shell scripts: those that are named, or
# all that git tracks. bashate and shellcheck are on the PATH.
#
# Usage: tools/check_shell.sh [FILE ...]

set -euo pipefail
cd "$(dirname "$0")/.."
scripts=("$@")
if [ $# = 0 ]; then
    mapfile -t scripts < <(git ls-files '*.sh' .ci/run devstack/settings)
fi
bashate -i E005,E006 "${scripts[@]}"
shellcheck -x -s bash "${scripts[@]}"
