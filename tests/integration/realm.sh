#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Run a command inside a Kerberos realm that exists only for it.
#
#   realm.sh [-s DIR-OF-KDB_S4U] COMMAND [ARG...]
#
# The realm is EXAMPLE.TEST, its KDC a child of this script on a port the
# kernel chose.  COMMAND finds the standard variables (KRB5_CONFIG, KRB5CCNAME,
# KRB5_KTNAME ...) set, and GC_REALM = the directory with:
#
#   cc bob.cc            alice's and bob's tickets (alice's is the default)
#   alice.keytab svc.keytab stray.keytab
#                        keys of alice, svc/portal (may delegate), svc/stray
#   host.keytab guest2.keytab
#                        the acceptors' keys: host/guest1, host/guest2
#   dead.conf foreign.conf
#                        krb5.conf with no KDC behind it, and with another
#                        default realm
#
# GC_REALM_KDC is the KDC's process id.  Everything is gone when COMMAND ends.
# Runs as root or as anybody else.  Exit status: COMMAND's; 77 without a KDC.
set -eu
PATH=$PATH:/usr/sbin:/sbin
s4u=
if [ "${1-}" = -s ]; then
    s4u=$2
    shift 2
fi
for tool in krb5kdc kdb5_util kadmin.local kinit; do
    command -v "$tool" >/dev/null || { echo "realm.sh: no $tool" >&2; exit 77; }
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/realm.XXXXXXXX")
kdc=
cleanup()
{
    if [ -n "$kdc" ]; then
        kill -CONT "$kdc" 2>/dev/null || :
        kill "$kdc" 2>/dev/null || :
        wait "$kdc" 2>/dev/null || :
    fi
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# client_conf FILE PORT DEFAULT-REALM
client_conf()
{
    cat >"$dir/$1" <<CONF
[libdefaults]
 default_realm = $3
 dns_lookup_kdc = false
 dns_lookup_realm = false
 rdns = false
 forwardable = true
 udp_preference_limit = 1
 kdc_timesync = 0
[realms]
 EXAMPLE.TEST = {
  kdc = 127.0.0.1:$2
 }
 OTHER.TEST = {
  kdc = 127.0.0.1:9
 }
[domain_realm]
 .example.test = EXAMPLE.TEST
[logging]
 kdc = FILE:$dir/kdc.log
CONF
}

db_library=db2
db_module_dir=
if [ -n "$s4u" ]; then
    for base in /usr/lib/*/krb5/plugins/kdb/db2.so \
        /usr/lib64/krb5/plugins/kdb/db2.so /usr/lib/krb5/plugins/kdb/db2.so; do
        [ ! -e "$base" ] || break
    done
    [ -e "$base" ] || { echo "realm.sh: no db2.so" >&2; exit 77; }
    export KDB_S4U_BASE=$base KDB_S4U_TARGETS=host/guest1.example.test@EXAMPLE.TEST
    db_library=kdb_s4u
    db_module_dir="db_module_dir = $s4u"
fi
# Port 0: two KDCs may share a named port without a word (SO_REUSEPORT), and
# would answer for each other's realm.
cat >"$dir/kdc.conf" <<CONF
[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = 127.0.0.1:0
[realms]
 EXAMPLE.TEST = {
  database_module = db
  key_stash_file = $dir/stash
  max_life = 10h
  max_renewable_life = 7d
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
 }
[dbmodules]
 $db_module_dir
 db = {
  db_library = $db_library
  database_name = $dir/principal
 }
CONF
client_conf krb5.conf 9 EXAMPLE.TEST
export GC_REALM=$dir KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf
export KRB5CCNAME=FILE:$dir/cc KRB5_KTNAME=FILE:$dir/host.keytab
export KRB5_CLIENT_KTNAME=FILE:$dir/no.keytab KRB5RCACHEDIR=$dir
export GSS_MECH_CONFIG=/dev/null
unset KRB5RCACHENAME KRB5RCACHETYPE NTLM_USER_FILE KRB5_TRACE

kdb5_util -r EXAMPLE.TEST create -s -P master >/dev/null 2>"$dir/create.err" \
    || { cat "$dir/create.err" >&2; exit 1; }
# Told who it is: our uid need not be in the passwd database.
kadmin.local -r EXAMPLE.TEST -p realm/admin@EXAMPLE.TEST \
    >"$dir/kadmin.out" 2>&1 <<IN
addprinc -pw alicepw alice
addprinc -pw bobpw bob
addprinc -pw lockedpw -allow_tix locked
addprinc -pw stalepw +needchange stale
addprinc -randkey host/guest1.example.test
addprinc -randkey host/guest2.example.test
addprinc -randkey +ok_to_auth_as_delegate svc/portal.example.test
addprinc -randkey svc/stray.example.test
ktadd -k $dir/host.keytab host/guest1.example.test
ktadd -k $dir/guest2.keytab host/guest2.example.test
ktadd -k $dir/svc.keytab svc/portal.example.test
ktadd -k $dir/stray.keytab svc/stray.example.test
ktadd -norandkey -k $dir/alice.keytab alice
IN

krb5kdc -r EXAMPLE.TEST -n -P "$dir/kdc.pid" >"$dir/kdc.out" 2>&1 &
kdc=$!

# Print the TCP port that process $1 listens on, if it does by now.
listening()
{
    local fd inode
    for fd in "/proc/$1/fd"/*; do
        inode=$(readlink "$fd" 2>/dev/null) || continue
        case $inode in "socket:["*) ;; *) continue ;; esac
        inode=${inode#socket:[}
        awk -v inode="${inode%]}" '$4 == "0A" && $10 == inode {
            split($2, at, ":"); print at[2] }' "/proc/$1/net/tcp"
    done
}
port=
for _ in $(seq 200); do
    port=$(listening "$kdc")
    [ -z "$port" ] || break
    kill -0 "$kdc" 2>/dev/null || break
    sleep 0.02
done
if [ -z "$port" ]; then
    echo "realm.sh: the KDC does not listen" >&2
    cat "$dir/kadmin.out" "$dir/kdc.out" "$dir/kdc.log" >&2 || :
    exit 1
fi
port=$((16#$port))
export GC_REALM_KDC=$kdc
client_conf krb5.conf "$port" EXAMPLE.TEST
client_conf foreign.conf "$port" OTHER.TEST
client_conf dead.conf 9 EXAMPLE.TEST

echo alicepw | kinit alice >"$dir/kinit.out" 2>&1 \
    || { cat "$dir/kinit.out" "$dir/kdc.log" >&2; exit 1; }
echo bobpw | kinit -c "FILE:$dir/bob.cc" bob >"$dir/kinit.out" 2>&1

status=0
"$@" || status=$?
exit "$status"
