# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A switch and its hosts in network namespaces of their own: sourced by utilities/quickstart and
# by the tests in tests/netns.  Everything made here carries the process id in its name, lives in
# one folder under /tmp, and is removed by tb_cleanup; only processes started here are ended, by
# pid.  Nothing touches the host's own interfaces, routes, or an Open vSwitch that runs there.
#
#   tb_init                       folder, environment, the switch's namespace
#   tb_init_plain                 the same without any namespace: tests on dummy ports, no root
#   tb_db_start / tb_db_stop      ovsdb-server
#   tb_unprivileged               from here on database and switch run as an ordinary user with
#                                 CAP_NET_RAW alone, no new privileges, 8 MiB of locked memory
#   tb_switch_start [OPTION...]   the daemon, detached; fails if it does not come up
#   tb_switch_stop / tb_switch_kill
#   tb_host NAME [MTU] [QUEUES]   namespace NAME, joined to the switch's by a veth: port "v-NAME"
#                                 in the switch's namespace, "e0" in the host's
#   tb NAME CMD...                runs CMD in namespace NAME ("sw" is the switch's)
#   tb_bg LOG CMD...              runs CMD in the background, ended by tb_cleanup; its pid: $tb_pid
#   tb_join PID                   waits (up to 30 s) until that background process has ended
#   tb_wait SECONDS CMD...        repeats CMD until it succeeds
#   tb_cleanup                    removes it all
#
# tb_init wants: XVS_VSWITCHD (the daemon's path); it takes TB_POD_UID (the ordinary user's number)
# from the environment, or chooses one that no process runs under.

tb_init () {
    tb_init_plain || return 1
    TB_NO_NETNS=
    tb_ns_add sw
}

tb_init_plain () {
    TB_ID=$$
    tb_pod_uid_choose
    TB_NO_NETNS=yes
    TB_DIR=$(mktemp -d /tmp/xvs-tb.XXXXXX) || return 1
    chmod 755 "$TB_DIR"
    OVS_RUNDIR=$TB_DIR OVS_LOGDIR=$TB_DIR OVS_DBDIR=$TB_DIR OVS_SYSCONFDIR=$TB_DIR
    export OVS_RUNDIR OVS_LOGDIR OVS_DBDIR OVS_SYSCONFDIR TB_ID TB_DIR
    : > "$TB_DIR/namespaces"
    : > "$TB_DIR/pids"
}

tb_ns_add () {
    ip netns add "xvs$TB_ID-$1" || return 1
    echo "xvs$TB_ID-$1" >> "$TB_DIR/namespaces"
    # No IPv6 router or duplicate-address traffic that a test did not ask for.
    tb "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
        net.ipv6.conf.default.router_solicitations=0 2>/dev/null
    tb "$1" ip link set lo up
}

tb () {
    tb_name_=$1
    shift
    if test -n "$TB_NO_NETNS"; then
        "$@"
    else
        ip netns exec "xvs$TB_ID-$tb_name_" "$@"
    fi
}

tb_host () {
    tb_ns_add "$1" || return 1
    tb_queues_="numrxqueues ${3:-1} numtxqueues ${3:-1}"
    # shellcheck disable=SC2086
    ip -n "xvs$TB_ID-sw" link add "v-$1" $tb_queues_ type veth \
        peer name e0 netns "xvs$TB_ID-$1" $tb_queues_ || return 1
    ip -n "xvs$TB_ID-sw" link set "v-$1" mtu "${2:-1500}" up
    ip -n "xvs$TB_ID-$1" link set e0 mtu "${2:-1500}" up
}

tb_bg () {
    tb_log_=$1
    shift
    if test "$1" = tb; then
        # Without a shell in between, so that tb_pid is the command's own.
        tb_name_=$2
        shift 2
        test -n "$TB_NO_NETNS" || set -- ip netns exec "xvs$TB_ID-$tb_name_" "$@"
    fi
    "$@" > "$TB_DIR/$tb_log_" 2>&1 < /dev/null &
    tb_pid=$!
    echo "$tb_pid" >> "$TB_DIR/pids"
}

tb_wait () {
    tb_left_=$(($1 * 10))
    shift
    while ! "$@" > /dev/null 2>&1; do
        tb_left_=$((tb_left_ - 1))
        if test "$tb_left_" -le 0; then
            return 1
        fi
        sleep 0.1
    done
}

# The user of the unprivileged half is no one else's, and one of its own for each testbed, since the
# kernel counts locked memory by user.  60706 to 61183: what distributions leave free.
tb_pod_uid_choose () {
    test -z "${TB_POD_UID:-}" || return 0
    tb_try_=0
    while test "$tb_try_" -lt 478; do
        TB_POD_UID=$((60706 + (TB_ID + tb_try_ * 31) % 478))
        test -n "$(find /proc -maxdepth 1 -uid "$TB_POD_UID" 2>/dev/null)" || return 0
        tb_try_=$((tb_try_ + 1))
    done
}

tb_unprivileged () {
    TB_UNPRIVILEGED=yes
    chown -R "$TB_POD_UID:$TB_POD_UID" "$TB_DIR"
}

# tb_pod CMD...: in the switch's namespace, or POD_NS, as that user.  POD_MEMLOCK: another limit,
# in bytes.
tb_pod () {
    tb "${POD_NS:-sw}" prlimit --memlock="${POD_MEMLOCK:-8388608}" setpriv --reuid "$TB_POD_UID" \
        --regid "$TB_POD_UID" --clear-groups --inh-caps=-all,+net_raw \
        --ambient-caps=-all,+net_raw --bounding-set=-all,+net_raw --no-new-privs "$@"
}

# tb_run CMD...: in the switch's namespace, as the user that the switch runs as.
tb_run () {
    if test "${TB_UNPRIVILEGED:-}" = yes; then
        tb_pod "$@"
    else
        tb sw "$@"
    fi
}

tb_db_schema () {
    for tb_schema_ in /usr/share/openvswitch/vswitch.ovsschema \
        /usr/local/share/openvswitch/vswitch.ovsschema; do
        if test -e "$tb_schema_"; then
            echo "$tb_schema_"
            return
        fi
    done
    echo "vswitch.ovsschema not found: install openvswitch-switch" >&2
    return 1
}

tb_db_start () {
    if test ! -e "$TB_DIR/conf.db"; then
        tb_schema_=$(tb_db_schema) || return 1
        tb_run ovsdb-tool create "$TB_DIR/conf.db" "$tb_schema_" || return 1
        tb_db_new_=yes
    fi
    tb_run ovsdb-server --detach --no-chdir --pidfile --log-file -vconsole:off \
        --remote="punix:$TB_DIR/db.sock" "$TB_DIR/conf.db" || return 1
    if test "${tb_db_new_:-}" = yes; then
        ovs-vsctl --no-wait init
        tb_db_new_=
    fi
}

# Ends the process whose pid file is $1, and waits until it is gone.
tb_end_pidfile () {
    test -e "$1" || return 0
    tb_victim_=$(cat "$1")
    kill "${2:--TERM}" "$tb_victim_" 2>/dev/null || return 0
    tb_wait 10 tb_gone "$tb_victim_" || kill -KILL "$tb_victim_" 2>/dev/null
}
tb_join () { tb_wait 30 tb_gone "$1"; }
# A process that only waits to be reaped, all its threads ended, is as good as gone.
tb_gone () {
    tb_state_=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)
    test -z "$tb_state_" && return
    test "$tb_state_" = Z || return
    set -- "/proc/$1/task/"*
    test $# -le 1
}

tb_db_stop () { tb_end_pidfile "$TB_DIR/ovsdb-server.pid"; }
tb_switch_stop () { tb_end_pidfile "$TB_DIR/ovs-vswitchd.pid"; }
tb_switch_kill () { tb_end_pidfile "$TB_DIR/ovs-vswitchd.pid" -KILL; }

tb_switch_start () {
    tb_run "$XVS_VSWITCHD" --detach --no-chdir --pidfile --log-file "$@"
}

tb_cleanup () {
    test -n "${TB_DIR:-}" && test -d "$TB_DIR" || return 0
    # The monitor, if any, is the parent of the daemon and must go first.
    tb_switch_stop
    tb_db_stop
    tb_end_pidfile "$TB_DIR/xvs-agent.pid"
    while read -r tb_victim_; do
        kill "$tb_victim_" 2>/dev/null
    done < "$TB_DIR/pids"
    while read -r tb_ns_; do
        for tb_victim_ in $(ip netns pids "$tb_ns_" 2>/dev/null); do
            kill -KILL "$tb_victim_" 2>/dev/null
        done
        ip netns del "$tb_ns_" 2>/dev/null
    done < "$TB_DIR/namespaces"
    rm -rf "$TB_DIR" "$TB_DIR.agent"
    TB_DIR=
}
