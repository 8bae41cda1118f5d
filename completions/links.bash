# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bash-completion reads this file at the start of each bash. It loads the completion of crossmerge's symlinks. Their names contain the
# tuple, so bash-completion finds no file with such a name. It loads completions with one function, both for the shell and for commands
# such as sudo that complete the command after them. This file wraps that function.

# Sets the completion of a symlink to crossmerge. Fails for any other command.
_crossmerge_find() {
	local path file
	[[ ${1##*/} == *-* ]] && path=$(type -P -- "$1") && [[ -L $path ]] && path=$(readlink -f -- "$path") &&
		[[ $path == */crossmerge ]] || return
	file=${path%/*/crossmerge}/share/bash-completion/completions/crossmerge
	# shellcheck disable=SC1090 # the file is installed beside the program
	declare -F _crossmerge > /dev/null || { [[ -r $file ]] && . "$file"; } || return
	complete -F _crossmerge -- "$1"
}

# _crossmerge_wrap FUNCTION NAME FOUND: wraps FUNCTION of bash-completion, which keeps its old text under another name. NAME is its
# argument with the command, FOUND the exit code with which it reports that a completion was loaded.
_crossmerge_wrap() {
	local text
	declare -F _crossmerge_load > /dev/null && return
	text=$(declare -f "$1") && eval "_crossmerge_load${text#"$1"}"
	eval "$1() { _crossmerge_find \"$2\" && return $3; _crossmerge_load \"\$@\"; }"
}

# bash-completion before 2.12 has the second function.
if declare -F _comp_load > /dev/null; then
	# shellcheck disable=SC2016 # the new function expands it
	_crossmerge_wrap _comp_load '${@: -1}' 0
elif declare -F _completion_loader > /dev/null; then
	# shellcheck disable=SC2016 # likewise
	_crossmerge_wrap _completion_loader '$1' 124
fi
unset -f _crossmerge_wrap
