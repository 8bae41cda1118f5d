# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each fish reads this file at its start. It completes crossmerge's symlinks. Their names contain the tuple, so fish finds no file with such
# a name.

function __crossmerge_is_link
    set -l name (commandline -opc)[1]
    set -l path (command -s -- $name)
    and test -L $path
    and string match -q '*/crossmerge' (realpath $path)
end

complete -c '*-*' -n __crossmerge_is_link -f -a '(__crossmerge_applet (commandline -opc))'
