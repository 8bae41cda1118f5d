#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints bash's completions of lines, with bash-completion: each line after `== `, then the words. It does what
# readline does: it splits the line, finds or loads the completion of the command, and calls it. If the completion
# returns 124, it calls it again. If the completion allows files and has no words, it completes files.
#
# usage: ask.bash BASH_COMPLETION LINE…

# shellcheck disable=SC1090 # the caller says which
. "$1"
shift

# `compopt` works only inside readline.
compopt() { options+=" $* "; }

ask() {
	local command compspec function options='' tries
	COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
	read -ra COMP_WORDS <<< "${1//=/ = }"
	[[ $1 != *[[:space:]] ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	command=${COMP_WORDS[0]}
	for tries in 1 2 3; do
		compspec=$(complete -p -- "$command" 2> /dev/null) || compspec=$(complete -p -D)
		function=${compspec#*-F }
		"${function%% *}" "$command" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		(($? == 124)) || break
	done
	: "$tries"
	if ((! ${#COMPREPLY[@]})) && [[ $compspec$options == *'-o default '* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	fi
}

for line; do
	printf '== %s\n' "$line"
	ask "$line"
	printf '%s\n' "${COMPREPLY[@]}"
done
