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

# Measures nova_image against its peers on real services, which it starts on
# 127.0.0.1. See benchmarks/README.rst.

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tools/venv.sh
. tools/venv.sh

NAMES=(metadata metrics callers boot snapshot sparse transfer scale replicate
        startup fleet check table)

if [[ $# -eq 0 || ! " ${NAMES[*]} " == *" $1 "* ]]; then
    echo "Usage: ./run_benchmarks.sh NAME [OPTION ...]" >&2
    echo "NAME is one of: ${NAMES[*]}. NAME --help lists its options." >&2
    exit 2
fi
make_venv demo/requirements.txt benchmarks/requirements.txt
exec "$PYTHON" -m "benchmarks.$1" "${@:2}"
