#!/bin/bash
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

# Draws the pictures of the documentation from their sources. Each SVG ends
# with the digest of its source, by which a test finds those out of date.

set -euo pipefail
cd "$(dirname "$0")/../doc/source"

for program in dot plantuml; do
    if ! command -v "$program" >/dev/null; then
        echo "$program is not installed. Install Graphviz and PlantUML" \
            "(on Debian: apt-get install graphviz plantuml)." >&2
        exit 1
    fi
done

for source in */pictures/*.dot; do
    dot -Tsvg -o "${source%.*}.svg" "$source"
done
plantuml -tsvg -nometadata -failfast2 ./*/pictures/*.puml
for source in */pictures/*.dot */pictures/*.puml; do
    digest=$(sha256sum "$source")
    printf '\n<!-- %s: sha256 %s -->\n' "${source##*/}" "${digest%% *}" \
        >>"${source%.*}.svg"
done
