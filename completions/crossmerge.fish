
# Offers the values of a position of the command line.
function __crossmerge_values --argument-names kind
    set -l args (__crossmerge_line)[2..-1]
    switch $kind
        case words
            printf '%s\n' $argv[2..-1]
        case tuples
            crossmerge targets 2>/dev/null | string replace -r ' +' \t
        case names
            crossmerge targets 2>/dev/null | string replace -r ' +' \t
            crossmerge show --examples 2>/dev/null
        case applets
            # The commands that every target has, and the tools of an adopted toolchain that have a symlink.
            crossmerge applets 2>/dev/null
            complete -C "$args[1]-" | string replace -rf -- "^$args[1]-(\\S+).*" '$1'
        case profiles
            printf '%s\n' auto embedded
            crossmerge profile list $args[1] 2>/dev/null | string replace -rf '^ *\[\d+\] +(\S+) (.*)' '$1\t$2'
        case answers
            crossmerge site-cache list --all $args[1] 2>/dev/null | string replace -r ' +' \t
        case learned
            crossmerge site-cache list --all $args[1] 2>/dev/null | string match -r '^\S+(?= .* learned *$)'
        case prefixes
            for directory in $PATH
                set -l compilers $directory/*-gcc
                string replace -rf '.*/([^/]+-)gcc$' '$1' $compilers
            end
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct)
        case files
            __fish_complete_path (commandline -ct)
        case applet
            # The words after the tuple and the applet are arguments of the symlink <tuple>-<applet>.
            __crossmerge_applet $args[1]-$args[2] $args[3..-1]
        case configure
            __crossmerge_applet $args[1]-configure $args[2..-1]
    end
end

# Prints the subcommands before the cursor in one line, and then each argument without the options. After the applet of `plan`, prints
# all arguments.
function __crossmerge_line
    set -l path
    set -l option
    set -l args
    set -l rest 99
    for word in (commandline -opc)[2..-1]
        if test -n "$option"
            set option
        else if test (count $args) -ge $rest
            set -a args $word
        else if string match -q -- '-*' $word
            contains -- $word $__crossmerge_valued
            and set option $word
        else if test -z "$args"; and contains -- (string trim -- "$path $word") $__crossmerge_commands
            set path (string trim -- "$path $word")
            for pair in $__crossmerge_before
                string match -q -- "$path=*" $pair
                and set rest (string replace -r '.*=' '' -- $pair)
            end
        else
            set -a args $word
        end
    end
    printf '%s\n' "$path" $args
end

# Succeeds if the cursor is after that command and at that argument of it; with `+`, at that argument or a later one.
function __crossmerge_at --argument-names path number more
    set -l line (__crossmerge_line)
    test "$line[1]" = "$path"
    and if test -n "$number"
        test (count $line) -eq $number -o "$more" = + -a (count $line) -gt $number
    end
end

complete -c crossmerge -f
