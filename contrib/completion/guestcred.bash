# SPDX-License-Identifier: Apache-2.0
# bash completion for guestcred(1).  Commands and options are those that
# `guestcred --help` prints; only what a value may be is known here.

_guestcred_options() # COMMAND...: its options, a line each
{
    "$@" --help 2>/dev/null </dev/null |
        sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

_guestcred_commands()
{
    "$1" --help 2>/dev/null </dev/null |
        sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
}

# Does OPTION of COMMAND take a value?
_guestcred_takes_value() # GUESTCRED COMMAND OPTION
{
    "$1" "$2" --help 2>/dev/null </dev/null |
        grep -q -e "^  \(-., \|    \)$3 [^ ]"
}

_guestcred_stored_vms()
{
    "$1" list --json 2>/dev/null </dev/null |
        grep -o '"vm":"[A-Za-z0-9.-]*"' | cut -d'"' -f4 | sort -u
}

_guestcred()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local self=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_guestcred_commands "$self") --help --version" -- "$cur")
        return
    fi
    case $prev in
    --mech)
        mapfile -t COMPREPLY < <(compgen -W 'kerberos negotiate ntlm' -- "$cur")
        return
        ;;
    --vm)
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_guestcred_stored_vms "$self")" -- "$cur")
        return
        ;;
    --ca-file | --config | --keytab | --client-keytab | --vms-from | \
        --ticket-file | --password-file | --guest-password-file)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    --store)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --*)
        _guestcred_takes_value "$self" "$command" "$prev" && return
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W \
        "$(_guestcred_options "$self" "$command")" -- "$cur")
}

complete -F _guestcred guestcred
