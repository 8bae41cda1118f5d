# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints fish's completions of lines: each line after `== `, then the words.
#
# usage: fish ask.fish LINE…

for line in $argv
    printf '== %s\n' $line
    complete -C $line | string replace -r '\t.*' ''
end
# The exit status of the last completion does not matter.
true
