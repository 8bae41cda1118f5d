# SPDX-License-Identifier: GPL-2.0-or-later

EAPI=8

inherit acct-user

ACCT_USER_ID=250
ACCT_USER_HOME=/var/lib/boot-count

acct-user_add_deps
