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


# Stand-ins for the DevStack functions that plugin.sh calls; a test sources
# this file. Functions for ini files edit the files below NOVA_CONF_DIR; all
# other functions only record their calls in the file CALLS.

# shellcheck disable=SC2034
NOVA_CONF=$NOVA_CONF_DIR/nova.conf
# shellcheck disable=SC2034
NOVA_CPU_CONF=$NOVA_CONF_DIR/nova-cpu.conf

# DevStack declares the array, and lib/nova fills it if USE_VENV is True.
declare -A PROJECT_VENV
if [[ "${USE_VENV:-False}" == "True" ]]; then
    # shellcheck disable=SC2034
    PROJECT_VENV["nova"]=/opt/stack/nova.venv
fi

function note {
    echo "$*" >> "$CALLS"
}

function async_wait {
    note async_wait "$@"
}

function define_plugin {
    note define_plugin "$@"
}

function echo_summary {
    :
}

function setup_develop {
    note "setup_develop $* into [$PIP_VIRTUAL_ENV]"
}

function pip_uninstall {
    note "pip_uninstall $* from [$PIP_VIRTUAL_ENV]"
}

# Like DevStack's function, this accepts a line number and one message.
function warn {
    note warn "$2"
}

function conductor_conf {
    echo "$NOVA_CONF_DIR/nova_cell$1.conf"
}

# True if any of the services is enabled; "nova" means any service of Nova.
function is_service_enabled {
    local service
    for service in "$@"; do
        if [[ $service == nova ]]; then
            service='n-*'
        fi
        # shellcheck disable=SC2053
        if [[ ",$ENABLED_SERVICES," == *,$service,* ]]; then
            return 0
        fi
    done
    return 1
}

function trueorfalse {
    case ${!2:-} in
        1 | [Yy]es | [Tt]rue) echo True ;;
        0 | [Nn]o | [Ff]alse) echo False ;;
        *) echo "$1" ;;
    esac
}

# ini FILE SECTION OPTION [VALUE]: prints the file with the option set to
# VALUE, or without the option if VALUE is missing.
function ini {
    local set
    set=$(($# > 3))
    awk -v section="[$2]" -v option="$3" -v value="${4-}" -v set="$set" '
        BEGIN { line = option " = " value }
        /^\[/ { inside = ($0 == section) }
        inside && $0 ~ "^" option "[ \t]*=" { next }
        { print }
        inside && set && /^\[/ { print line; done = 1 }
        END { if (set && !done) print "\n" section "\n" line }' "$1"
}

function iniset {
    note iniset "$(basename "$1")" "${@:2}"
    touch "$1"
    ini "$@" > "$1.new"
    cat "$1.new" > "$1"
    rm "$1.new"
}

function inidelete {
    note inidelete "$(basename "$1")" "${@:2}"
    ini "$1" "$2" "$3" > "$1.new"
    cat "$1.new" > "$1"
    rm "$1.new"
}

function iniget {
    sed -n "/^\[$2\]/,/^\[/ s/^$3[ \t]*=[ \t]*//p" "$1"
}
