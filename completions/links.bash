# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Read by each bash at its start, through bash-completion: finds the completion of crossmerge's links. Their names have the tuple
# in them, so there is no file of that name to load. bash-completion loads through one function, for the shell and for commands such
# as sudo that complete what stands behind them; this stands before it.

# Gives a link of ours its completion.
_crossmerge_find() {
	local path file
	[[ ${1##*/} == *-* ]] && path=$(type -P -- "$1") && [[ -L $path ]] && path=$(readlink -f -- "$path") &&
		[[ $path == */crossmerge ]] || return
	file=${path%/*/crossmerge}/share/bash-completion/completions/crossmerge
	# shellcheck disable=SC1090 # it is installed beside the program
	declare -F _crossmerge > /dev/null || { [[ -r $file ]] && . "$file"; } || return
	complete -F _crossmerge -- "$1"
}

# Keeps bash-completion's FUNCTION under another name and takes its place. NAME is its argument that says what to load, FOUND what it
# returns when that is loaded.
_crossmerge_stand_before() {
	local text
	declare -F _crossmerge_load > /dev/null && return
	text=$(declare -f "$1") && eval "_crossmerge_load${text#"$1"}"
	eval "$1() { _crossmerge_find \"$2\" && return $3; _crossmerge_load \"\$@\"; }"
}

# The second is that of bash-completion before 2.12.
if declare -F _comp_load > /dev/null; then
	# shellcheck disable=SC2016 # it is for the function that is made
	_crossmerge_stand_before _comp_load '${@: -1}' 0
elif declare -F _completion_loader > /dev/null; then
	# shellcheck disable=SC2016 # likewise
	_crossmerge_stand_before _completion_loader '$1' 124
fi
unset -f _crossmerge_stand_before
