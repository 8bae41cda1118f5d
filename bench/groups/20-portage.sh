# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of the Portage package on PyPI, with and without crossmerge.
# shellcheck disable=SC2154 # bench/run sets them

group 'Portage: the applet beside the bare tool, in the same environment'

bare '<tuple>-emerge --version' 3 1.05 emerge --version
bare '<tuple>-emerge --pretend app-misc/hello' 3 1.05 emerge --pretend --quiet app-misc/hello
bare '<tuple>-ebuild --help' 3 1.05 ebuild --help
bare '<tuple>-portageq envvar CHOST' 3 1.05 portageq envvar CHOST
bare '<tuple>-quickpkg --help' 3 1.05 quickpkg --help
bare '<tuple>-emaint --help' 3 1.05 emaint --help
