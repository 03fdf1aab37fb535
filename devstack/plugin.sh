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


# DevStack plugin that makes Nova use nova_image.
#
# DevStack sources it as "plugin.sh MODE [PHASE]":
#
#   stack install      installs the package into the Python that runs Nova
#   stack post-config  configures nova.conf and each cell's conductor
#   stack extra        checks nova-cpu.conf, which does not exist earlier
#   unstack            removes the settings
#   clean              removes the settings and uninstalls the package
#
# The plugin does not write nova-cpu.conf: start_nova_compute overwrites it
# with nova.conf just before nova-compute starts, long after post-config. The
# settings in nova.conf get there with the copy, and any earlier change would
# be lost. Because it is a copy, unstack has to clean it like the other files.

NOVA_IMAGE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The name of the package, of its oslo.config driver, and of the section in
# nova.conf that selects the driver.
NOVA_IMAGE_NAME=nova_image

# nova_image_venv() - Prints the virtualenv that Nova is installed into
# Nothing is printed if DevStack's own choice is right. With USE_VENV, DevStack
# selects Nova's virtualenv only while it installs Nova itself. Its pip_install
# supports the global virtualenv, but its pip_uninstall does not.
function nova_image_venv {
    if [[ "${USE_VENV:-False}" == "True" ]]; then
        echo "${PROJECT_VENV[nova]:-${PIP_VIRTUAL_ENV:-}}"
    elif [[ -z "${PIP_VIRTUAL_ENV:-}" && "${GLOBAL_VENV:-}" == "True" ]]; then
        echo "$DEVSTACK_VENV"
    else
        echo "${PIP_VIRTUAL_ENV:-}"
    fi
}

function install_nova_image {
    PIP_VIRTUAL_ENV=$(nova_image_venv) setup_develop "$NOVA_IMAGE_DIR"
}

function uninstall_nova_image {
    PIP_VIRTUAL_ENV=$(nova_image_venv) pip_uninstall "$NOVA_IMAGE_NAME"
}

# nova_image_confs() - Prints the files to configure, one per line
# nova-api, the scheduler and the super conductor read nova.conf. The conductor
# of a cell reads only its own file.
function nova_image_confs {
    echo "$NOVA_CONF"
    if is_service_enabled n-cond; then
        nova_image_cell_confs
    fi
}

function nova_image_cell_confs {
    local cell
    for cell in $(seq 1 "${NOVA_NUM_CELLS:-1}"); do
        conductor_conf "$cell"
    done
}

# nova_image_sources() - Prints the config_source of a file
# nova_image_sources file
function nova_image_sources {
    iniget "$1" DEFAULT config_source
}

# configure_nova_image() - Makes the services that read a file use the package
# configure_nova_image file
# config_source is a list: existing sources are kept. use_glance_v1 is only set
# to True: the option is deprecated, so each program that reads it warns.
function configure_nova_image {
    local conf=$1
    local sources
    sources=$(nova_image_sources "$conf")
    if nova_image_is_in "$sources"; then
        nova_image_forget_v1 "$conf"
    else
        iniset "$conf" DEFAULT config_source \
            "${sources:+$sources,}$NOVA_IMAGE_NAME"
    fi
    iniset "$conf" "$NOVA_IMAGE_NAME" driver "$NOVA_IMAGE_NAME"
    if [[ "$NOVA_IMAGE_USE_GLANCE_V1" == "True" ]]; then
        iniset "$conf" glance use_glance_v1 True
    fi
}

# nova_image_forget_v1() - Removes the option of an earlier run
# nova_image_forget_v1 file
function nova_image_forget_v1 {
    inidelete "$1" glance use_glance_v1
    nova_image_drop_empty_section "$1" glance
}

# nova_image_is_in() - Returns whether a config_source contains the package
# nova_image_is_in sources
function nova_image_is_in {
    local sources=${1//[[:space:]]/}
    [[ ",$sources," == *",$NOVA_IMAGE_NAME,"* ]]
}

# unconfigure_nova_image() - Removes the settings of configure_nova_image
# unconfigure_nova_image file
# A file that does not use the package is not changed, because the plugin did
# not set any use_glance_v1 in it.
function unconfigure_nova_image {
    local conf=$1
    local sources
    if [[ ! -f "$conf" ]]; then
        return 0
    fi
    sources=$(nova_image_sources "$conf")
    if ! nova_image_is_in "$sources"; then
        return 0
    fi
    nova_image_leave_sources "$conf" "$sources"
    inidelete "$conf" "$NOVA_IMAGE_NAME" driver
    nova_image_drop_empty_section "$conf" "$NOVA_IMAGE_NAME"
    nova_image_forget_v1 "$conf"
}

# nova_image_leave_sources() - Removes the package from config_source
# nova_image_leave_sources file sources
function nova_image_leave_sources {
    local conf=$1
    local others
    others=$(sed -E -e "s/(^|,) *${NOVA_IMAGE_NAME} *(,|$)/\1\2/" \
        -e 's/^, *//' -e 's/,$//' -e 's/,,/,/' <<< "$2")
    if [[ -n "$others" ]]; then
        iniset "$conf" DEFAULT config_source "$others"
    else
        inidelete "$conf" DEFAULT config_source
    fi
}

# nova_image_drop_empty_section() - Removes a section without options
# nova_image_drop_empty_section file section
# iniset starts a section with a blank line and a header; inidelete does not
# remove them.
function nova_image_drop_empty_section {
    sed -i -z -E "s/\n\n\[$2\]\n(\n*(\[|$))/\n\1/" "$1"
}

# check_nova_image() - Warns if nova-compute runs without the package
# This is not an error: a post-config section for $NOVA_CPU_CONF in local.conf,
# which DevStack merges last, may disable the package on purpose.
function check_nova_image {
    if ! nova_image_is_in "$(nova_image_sources "$NOVA_CPU_CONF")"; then
        local what="$NOVA_CPU_CONF does not name $NOVA_IMAGE_NAME"
        warn $LINENO "nova-compute uses Nova's own image code: $what"
    fi
}

function nova_image_stack {
    local conf
    if [[ "$NOVA_IMAGE_ENABLED" != "True" ]]; then
        return 0
    fi
    if ! is_service_enabled nova; then
        return 0
    fi
    case $1 in
        install)
            echo_summary "Installing nova_image"
            install_nova_image
            ;;
        post-config)
            echo_summary "Configuring nova_image"
            # During post-config, stack.sh runs this function in the
            # background. It edits the same files, and one of two concurrent
            # edits could be lost.
            async_wait configure_neutron_nova
            for conf in $(nova_image_confs); do
                configure_nova_image "$conf"
            done
            ;;
        extra)
            if is_service_enabled n-cpu; then
                check_nova_image
            fi
            ;;
    esac
}

# Does not depend on the enabled services: an earlier run may have had others.
function nova_image_unstack {
    local conf
    for conf in "$NOVA_CONF" "$NOVA_CPU_CONF" $(nova_image_cell_confs); do
        unconfigure_nova_image "$conf"
    done
}

case ${1:-} in
    stack)
        nova_image_stack "${2:-}"
        ;;
    unstack)
        # The services are still running and have read their configuration. The
        # package stays installed, because they may import more of it while
        # they stop.
        nova_image_unstack
        ;;
    clean)
        # clean.sh calls unstack.sh first, but nova.conf must never name a
        # package that is not installed.
        nova_image_unstack
        uninstall_nova_image
        ;;
esac
