# SPDX-License-Identifier: GPL-2.0-or-later

EAPI=8

# The crates of Cargo.lock; packaging/gentoo/update writes the list.
CRATES="
	anstream@1.0.0
	anstyle@1.0.14
	anstyle-parse@1.0.0
	anstyle-query@1.1.5
	anstyle-wincon@3.0.11
	autocfg@1.5.1
	bit-set@0.11.1
	bit-vec@0.10.2
	bitflags@2.13.2
	block-buffer@0.12.1
	borsh@1.8.1
	borsh-derive@1.8.1
	bstr@1.14.0
	bytes@1.12.2
	cfg-if@1.0.5
	cfg_aliases@0.2.2
	chacha20@0.10.2
	clap@4.6.9
	clap_builder@4.6.7
	clap_complete@4.6.11
	clap_derive@4.6.9
	clap_lex@1.1.2
	clap_mangen@0.3.3
	colorchoice@1.0.5
	console@0.16.6
	const-oid@0.10.3
	core_detect@1.0.0
	cpufeatures@0.3.1
	crypto-common@0.2.2
	digest@0.11.3
	dirs@7.0.0
	dirs-sys@0.5.0
	dlmalloc@0.2.14
	encode_unicode@1.0.0
	equivalent@1.0.3
	errno@0.3.15
	fastrand@2.5.0
	fnv@1.0.7
	fs-err@3.3.2
	getrandom@0.4.3
	hashbrown@0.17.1
	heck@0.5.0
	hybrid-array@0.4.15
	indexmap@2.14.2
	indicatif@0.18.6
	is_terminal_polyfill@1.70.2
	itoa@1.0.19
	libc@0.2.191
	libredox@0.1.25
	linux-raw-sys@0.12.1
	memchr@2.8.3
	nix@0.31.3
	normalize-line-endings@0.3.0
	num-traits@0.2.19
	once_cell@1.21.4
	once_cell_polyfill@1.70.2
	option-ext@0.2.0
	portable-atomic@1.15.0
	proc-macro-crate@3.5.0
	proc-macro2@1.0.107
	proptest@1.12.0
	pulldown-cmark@0.13.6
	quick-error@1.2.3
	quote@1.0.47
	r-efi@6.0.0
	rand@0.10.4
	rand_core@0.10.1
	rand_xorshift@0.5.0
	redox_users@0.5.3
	regex-syntax@0.8.12
	roff@1.1.1
	rustix@1.1.6
	rusty-fork@0.3.1
	serde@1.0.229
	serde_core@1.0.229
	serde_derive@1.0.229
	serde_json@1.0.154
	serde_spanned@1.1.3
	sha2@0.11.1
	shell-words@1.1.1
	sigpipe@0.1.3
	similar@3.2.1
	snapbox@1.2.2
	snapbox-macros@1.1.0
	strsim@0.11.1
	syn@3.0.10
	tempfile@3.27.0
	terminal_size@0.4.4
	thiserror@2.0.21
	thiserror-impl@2.0.21
	toml@1.2.1+spec-1.1.0
	toml_datetime@1.1.3+spec-1.1.0
	toml_edit@0.25.18+spec-1.1.0
	toml_parser@1.1.5+spec-1.1.0
	toml_writer@1.2.0+spec-1.1.0
	typenum@1.20.1
	unarray@0.1.4
	unicase@2.10.0
	unicode-ident@1.0.27
	unit-prefix@0.5.2
	utf8parse@0.2.2
	wait-timeout@0.2.1
	windows-link@0.2.1
	windows-sys@0.61.2
	winnow@1.0.5
	zmij@1.0.23
"
RUST_MIN_VER="1.88.0"

inherit cargo

DESCRIPTION="Cross-compilation front end: emerge and build systems for other machines"
HOMEPAGE="https://wiki.gentoo.org/wiki/No_homepage"

if [[ ${PV} == 9999 ]]; then
	inherit git-r3
	# There is no public repository yet: the user names the source tree that contains this ebuild.
	EGIT_REPO_URI="${CROSSMERGE_REPO}"
else
	# `make dist` makes the tar file; Portage downloads the crates from their registry.
	SRC_URI="
		${P}.tar.xz
		${CARGO_CRATE_URIS//https:/fetch+https:}
	"
	KEYWORDS="~amd64 ~arm64"
	RESTRICT="fetch"
fi

LICENSE="GPL-2+"
# The crates' licenses.
LICENSE+=" Apache-2.0 MIT MPL-2.0 Unicode-3.0"
SLOT="0"
IUSE="+crossdev"

RDEPEND="
	sys-apps/portage
	crossdev? ( sys-devel/crossdev )
	!crossdev? ( !sys-devel/crossdev )
"

# The eclass passes LDFLAGS to rustc, which does not use CFLAGS.
QA_FLAGS_IGNORED="usr/bin/crossmerge"

pkg_nofetch() {
	einfo "Put ${P}.tar.xz into your DISTDIR; \`make dist\` in the source tree makes it."
}

src_unpack() {
	if [[ ${PV} == 9999 ]]; then
		[[ -n ${EGIT_REPO_URI} ]] ||
			die "CROSSMERGE_REPO is not set: name the source tree, as in CROSSMERGE_REPO=file:///usr/src/crossmerge"
		git-r3_src_unpack
		cargo_live_src_unpack
	else
		cargo_src_unpack
	fi
}

src_compile() {
	# The prefix of the build machine's own Portage, compiled into the program.
	local -x CROSSMERGE_EPREFIX=${EPREFIX}
	cargo_src_compile
	# The release contains the manual pages and completions.
	[[ ${PV} != 9999 ]] || cargo_src_compile --example docs
}

src_test() {
	# The other tests need Debian's cross compilers, which `make check` installs.
	cargo_src_test --lib
}

src_install() {
	local docs=premade
	if [[ ${PV} == 9999 ]]; then
		docs=${T}/docs
		"$(cargo_target_dir)/examples/docs" "$(date -u +%F)" "${docs}" || die
	fi
	# The program is already built, so CARGO does nothing, and STATIC, which selects the kind of build, is empty.
	local installation=(
		CARGO=true
		STATIC=
		CROSSDEV="$(usev crossdev)"
		DESTDIR="${D}"
		EPREFIX="${EPREFIX}"
		PREFIX="${EPREFIX}/usr"
		binary="$(cargo_target_dir)/crossmerge"
		docdir="${ED}/usr/share/doc/${PF}"
		docs="${docs}"
	)
	emake "${installation[@]}" install
	# Portage has its own copy of the license.
	rm "${ED}/usr/share/doc/${PF}/COPYING" || die
}

pkg_postinst() {
	if use crossdev; then
		elog "The wrappers of crossdev's targets have not changed. To adopt them, and to undo that:"
		elog "  crossmerge adopt"
		elog "  crossmerge adopt --undo"
	fi
}

pkg_prerm() {
	# Without the program the adopted symlinks would be dangling. An update installs it again.
	if [[ -z ${REPLACED_BY_VERSION} && -z ${ROOT} ]]; then
		"${EROOT}/usr/bin/crossmerge" adopt --undo || ewarn "Some symlinks of crossdev's targets are now dangling."
	fi
}
