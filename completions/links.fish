# SPDX-License-Identifier: GPL-2.0-or-later
#
# Read by each fish at its start: the completion of crossmerge's links. Their names have the tuple in them, so there is no file of
# that name to load.

function __crossmerge_is_link
    set -l name (commandline -opc)[1]
    set -l path (command -s -- $name)
    and test -L $path
    and string match -q '*/crossmerge' (realpath $path)
end

complete -c '*-*' -n __crossmerge_is_link -f -a '(__crossmerge_applet (commandline -opc))'
