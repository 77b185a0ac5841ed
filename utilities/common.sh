# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What quickstart and selftest share: root check, readable steps, installation and build.
# The sourcing script sets `top` (the source tree) first.

log=$(mktemp "/tmp/xvs-$(basename "$0").XXXXXX") && mv "$log" "$log.log" && log=$log.log
build=${XVS_BUILD_DIR:-$top/build}

say () { printf '%s\n' "$*"; }

fail () {
    printf '\nFAILED: %s\n' "$*" >&2
    if test -s "$log"; then
        printf 'The end of %s:\n' "$log" >&2
        tail -n 15 "$log" >&2
    fi
    exit 1
}

need_root () {
    if test "$(id -u)" != 0; then
        echo "$(basename "$0"): must run as root (it makes network namespaces): sudo $0" >&2
        exit 1
    fi
}

# step TEXT CMD...: runs CMD with its output in the log, a dot every five seconds meanwhile.
step () {
    text=$1
    shift
    printf '%s ' "$text"
    printf '\n== %s: %s\n' "$text" "$*" >> "$log"
    "$@" >> "$log" 2>&1 < /dev/null &
    step_pid=$!
    ticks=0
    while kill -0 $step_pid 2>/dev/null; do
        sleep 0.2
        ticks=$((ticks + 1))
        if test $((ticks % 25)) = 0; then
            printf .
        fi
    done
    if wait $step_pid; then
        echo " ok"
    else
        echo " failed"
        fail "$text"
    fi
}

configure_build () {
    (cd "$top" && { test -x configure && test configure -nt configure.ac || ./boot.sh; }) || return 1
    mkdir -p "$build" && cd "$build" || return 1
    test -e Makefile || "$top/configure" --enable-Werror
}

build_all () { make -s -C "$build" -j"$(nproc)" all; }

# alone FOLDER: from here to `not_alone`, whoever else does this with that folder waits.
alone () {
    exec 9< "$1" || fail "cannot open $1"
    flock -n 9 || { say "Waiting for another quickstart or selftest that uses $1"; flock 9; }
}
not_alone () { exec 9<&-; }

# prepare SET: packages of that set (see install-deps), configuration, build.
prepare () {
    alone "$top"
    step "Installing what is missing" "$top/utilities/install-deps" "$1"
    step "Configuring" configure_build
    step "Building" build_all
    not_alone
}
