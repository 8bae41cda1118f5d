# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completes a symlink to crossmerge like its real tool. The arguments are the name of the symlink and the words before the one at the
# cursor.

function __crossmerge_applet
    set -l name (string replace -r '.*/' '' -- $argv[1])
    set -l before $argv[2..-1]
    set -l token (commandline -ct)
    if test $name = emerge-wrapper
        switch (count $before)
            case 0
                printf '%s\n' --target --help
                return
            case 1
                crossmerge targets 2>/dev/null | string replace -r ' +' \t
                return
            case 2
                echo --init
        end
        __crossmerge_as $before[3..-1] -- emerge
        return
    end

    # The longest matching applet is chosen, as in the program.
    set -l applet
    set -l tool
    set -l tools \
@TOOLS@
        ''
    for row in $tools
        set -l pair (string split ' ' -- $row)
        if string match -q -- "*-$pair[1]" $name; and test (string length -- $pair[1]) -gt (string length -- "$applet")
            set applet $pair[1]
            set tool $pair[2]
        end
    end
    if test -z "$applet"
        if string match -q 'emerge-*' $name
            set tool emerge
        else
            # An applet that the user added: the last line of the plan is its command.
            for known in (crossmerge applets 2>/dev/null)
                if string match -q -- "*-$known" $name; and test (string length $known) -gt (string length -- "$applet")
                    set applet $known
                end
            end
            set -l tuple (string replace -r -- "-$applet\$" '' $name)
            set tool (crossmerge plan $tuple $applet 2>/dev/null)[-1]
            set tool (string match -r '[^/ ]+(?= |$)' -- (string trim -- $tool))
        end
    end

    switch $tool
        case '' @run
            __fish_complete_path $token
        case @compiler
            if string match -q -- '-*' $token
                # GCC and clang have different options for this. clang prints a value without its option.
                set -l option (string match -r -- '^[^=]*=' $token)
                set -l found ($argv[1] --completion=$token 2>/dev/null; or $argv[1] --autocomplete=(string replace = =, -- $token) 2>/dev/null)
                string replace -r '\s.*' '' -- $found | string replace -r '^(?=[^-])' -- "$option"
            else
                __fish_complete_path $token
            end
        case @env
            __crossmerge_as $before --
        case @configure
            if string match -q '*configure' -- $before[1]
                __crossmerge_asked $before[1]
            else
                __crossmerge_asked ./configure
            end
            __fish_complete_path $token
        case '@*'
            __crossmerge_asked $name
            __fish_complete_path $token
        case '*'
            set -l found (__crossmerge_as $before -- $tool)
            if set -q found[1]
                printf '%s\n' $found
            else
                __crossmerge_asked $tool
            end
    end
end

# Offers the completions of a command line: the words after `--`, then those before it, then the word at the cursor.
function __crossmerge_as
    set -l at (contains -i -- -- $argv)
    set -l words $argv[(math $at + 1)..-1]
    test $at -gt 1
    and set -a words $argv[1..(math $at - 1)]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

# Offers the options in the output of a program's --help. Each shell runs it once.
function __crossmerge_asked --argument-names program
    string match -q -- '-*' (commandline -ct)
    or return
    set -l kept __crossmerge_help_(string escape --style=var -- $program)
    if not set -q $kept
        set -g $kept ($program --help 2>/dev/null </dev/null | string match -ra '(?<![\w-])--?\w[\w-]*' | sort -u)
    end
    printf '%s\n' $$kept
end
