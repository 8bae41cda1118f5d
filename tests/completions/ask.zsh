#!/usr/bin/env zsh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints zsh's completions of lines: each line after `== `, then the words. Completion works only in an interactive
# shell, so each line is typed into one. A wrapper of compadd, which every completion calls, writes down the words.
#
# usage: ask.zsh DIRECTORY LINE…    DIRECTORY must be writable and contain the completion functions in `functions`

zmodload zsh/zpty
export ASK_OUT=$1/out ASK_DIRECTORY=$1
shift
cat > $ASK_DIRECTORY/rc << 'RC'
PROMPT='ready>' RPROMPT=
fpath=($ASK_DIRECTORY/functions $ZSH_FUNCTIONS $fpath)
autoload -Uz compinit
compinit -u -d $ASK_DIRECTORY/dump
ask() {
	zle list-choices
	kill -KILL $$
}
zle -N ask
bindkey '^I' ask
LISTMAX=10000
compadd() {
	local -a words
	if [[ " $* " != *' -'[OAD]' '* ]]; then
		builtin compadd -A words "$@"
		print -rl -- $words >> $ASK_OUT
	fi
	builtin compadd "$@"
}
RC
for line; do
	: > $ASK_OUT
	zpty shell zsh -f -i
	zpty -w shell "source $ASK_DIRECTORY/rc"
	zpty -r shell typed '*ready>*'
	zpty -n -w shell "$line"$'\t'
	while zpty -r shell typed; do :; done
	zpty -d shell
	print -r -- "== $line"
	sort -u $ASK_OUT
done
