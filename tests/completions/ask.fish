# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints what fish completes lines with: each line behind `== `, then the words.
#
# usage: fish ask.fish LINE…

for line in $argv
    printf '== %s\n' $line
    complete -C $line | string replace -r '\t.*' ''
end
# What the last one found is no failure.
true
