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

# Shows what nova_image does on a real Keystone, Glance and Nova, which it
# starts on 127.0.0.1. See ./run_demo.sh --help.

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tools/venv.sh
. tools/venv.sh
make_venv demo/requirements.txt
# Ctrl-C is blocked until Python can handle it: see demo/__main__.py.
exec env --block-signal=INT "$PYTHON" -m demo "$@"
