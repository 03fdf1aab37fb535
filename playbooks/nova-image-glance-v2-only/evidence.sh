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


# Checks in the journal of DevStack's services that Nova got its images through
# nova_image and only used the Images API v2.
#
# Usage: evidence.sh collect FOLDER
#            saves the relevant log lines, one file for each service
#        evidence.sh check FOLDER
#            checks these files, prints a line for each fault, and exits with 1
#            if there is any
#        evidence.sh check-compute FOLDER
#            does the same on a node that only runs nova-compute

set -euo pipefail

ANNOUNCEMENT='nova_image .*: the driver [^ ]+ serves the images of '
V2_DRIVER=': the driver GlanceImageServiceV2 serves '
REQUEST='(GET|HEAD|POST|PUT|PATCH|DELETE) (/[a-z-]+)?'

usage() {
    echo "Usage: $0 collect|check|check-compute FOLDER" >&2
    exit 2
}

units() {  # PATTERN...: prints the matching services of DevStack
    systemctl list-units --all --plain --no-legend "${@/#/devstack@}" |
        awk '{print $1}'
}

# Saves one file for each service, which is empty if no line matches.
save() {  # REGEX PATTERN...
    local regex=$1 unit name
    for unit in $(units "${@:2}"); do
        name=${unit#devstack@}
        journalctl --no-pager --output short-precise --unit "$unit" |
            { grep -E "$regex" || true; } > "${name%.service}.txt"
    done
}

collect() {
    save "$ANNOUNCEMENT" 'n-*'
    save "$REQUEST/v[0-9]" 'g-api*'
    chmod -R a+rX .
}

faults=0

fault() {
    echo "FAULT: $*"
    faults=$((faults + 1))
}

# Checks a service that may have several processes; files may be missing.
judge_service() {  # NAME FILE...
    local what=$1 file seen=0
    shift
    for file in "$@"; do
        [ -e "$file" ] || continue
        seen=$((seen + 1))
        if ! [ -s "$file" ]; then
            fault "$what (${file%.txt}) did not announce nova_image"
        elif grep -qv "$V2_DRIVER" "$file"; then
            fault "$what (${file%.txt}) announced a driver other than v2"
        else
            echo "$what (${file%.txt}): $(wc -l < "$file") announcement(s)"
        fi
    done
    [ "$seen" != 0 ] || fault "$what is missing"
}

requests() {  # VERSION: prints the number of requests to this Images API
    # A missing file of Glance counts as no requests.
    { cat g-api*.txt 2>/dev/null || true; } |
        { grep -cE "$REQUEST/$1(\.[0-9]+)?([/? ]|$)" || true; }
}

judge_glance() {
    local v1 v2
    v1=$(requests v1)
    v2=$(requests v2)
    echo "glance-api: $v2 request(s) for /v2, $v1 for /v1"
    [ "$v1" = 0 ] || fault "Glance got $v1 request(s) for /v1"
    [ "$v2" != 0 ] || fault "Glance got no request for /v2: check its log"
}

check() {
    judge_service nova-api n-api.txt
    judge_service nova-conductor n-cond*.txt n-super-cond.txt
    judge_glance
    check_compute
}

check_compute() {
    judge_service nova-compute n-cpu*.txt
    [ "$faults" = 0 ]
}

[ $# = 2 ] || usage
case $1 in
    collect)
        mkdir -p "$2"
        cd "$2"
        collect
        ;;
    check)
        cd "$2"
        check
        ;;
    check-compute)
        cd "$2"
        check_compute
        ;;
    *) usage ;;
esac
