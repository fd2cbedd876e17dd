# SPDX-License-Identifier: Apache-2.0
# fish completion for guestcred(1).  Commands and options are those that
# `guestcred --help` prints; only what a value may be is known here.

function __guestcred_commands
    guestcred --help 2>/dev/null </dev/null |
        string replace -rf '^  ([a-z]+)  +(.*)$' '$1\t$2'
end

function __guestcred_options
    set -l words (commandline -opc)
    guestcred $words[2] --help 2>/dev/null </dev/null |
        string replace -rf '^  (?:-., |    )(--[a-z-]+)(?: \S+)? +(.*)$' '$1\t$2'
end

# The option before the cursor, if it takes a value.
function __guestcred_open_option
    set -l words (commandline -opc)
    test (count $words) -gt 2; or return 1
    set -l last $words[-1]
    string match -q -- '--*' $last; or return 1
    guestcred $words[2] --help 2>/dev/null </dev/null |
        string match -qr -- "^  (?:-., |    )$last \S"; or return 1
    echo $last
end

function __guestcred_values
    switch (__guestcred_open_option)
        case --mech
            printf '%s\n' kerberos negotiate ntlm
        case --vm
            guestcred list --json 2>/dev/null </dev/null |
                string match -rga '"vm":"([A-Za-z0-9.-]+)"'
        case --store
            __fish_complete_directories (commandline -ct)
        case --ca-file --config --keytab --client-keytab --vms-from \
            --ticket-file --password-file --guest-password-file
            __fish_complete_path (commandline -ct)
    end
end

function __guestcred_wants
    set -l count (count (commandline -opc))
    switch $argv[1]
        case command
            test $count -eq 1
        case value
            __guestcred_open_option >/dev/null
        case option
            test $count -gt 1; and not __guestcred_open_option >/dev/null
    end
end

complete -c guestcred -f
complete -c guestcred -n '__guestcred_wants command' -a '(__guestcred_commands)'
complete -c guestcred -n '__guestcred_wants command' -a '--help --version'
complete -c guestcred -n '__guestcred_wants option' -a '(__guestcred_options)'
complete -c guestcred -n '__guestcred_wants value' -a '(__guestcred_values)'
