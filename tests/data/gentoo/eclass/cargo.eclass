# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for Gentoo's cargo.eclass: only the parts that crossmerge's ebuilds use.
#
# CRATES, NAME@VERSION each, become CARGO_CRATE_URIS; the files NAME-VERSION.crate are unpacked where cargo takes them from. A live
# ebuild takes them from what cargo has fetched into ECARGO_REGISTRY_DIR. cargo is the first in PATH, and never asks the network.

ECARGO_HOME="${WORKDIR}/cargo_home"
ECARGO_VENDOR="${ECARGO_HOME}/gentoo"
IUSE="debug"

CARGO_CRATE_URIS=
for _crate in ${CRATES}; do
	CARGO_CRATE_URIS+="https://crates.invalid/${_crate} -> ${_crate/@/-}.crate "
done
unset _crate

cargo_gen_config() {
	cat > "${ECARGO_HOME}/config.toml" <<- EOT || die
		[source.crates-io]
		replace-with = "gentoo"

		[source.gentoo]
		directory = "${ECARGO_VENDOR}"

		[net]
		offline = true
	EOT
	export CARGO_HOME="${ECARGO_HOME}"
}

cargo_src_unpack() {
	mkdir -p "${ECARGO_VENDOR}" || die
	local archive sum
	for archive in ${A}; do
		case ${archive} in
			*.crate)
				tar -xf "${DISTDIR}/${archive}" -C "${ECARGO_VENDOR}" || die
				sum=$(sha256sum < "${DISTDIR}/${archive}") || die
				echo "{\"package\": \"${sum%% *}\", \"files\": {}}" \
					> "${ECARGO_VENDOR}/${archive%.crate}/.cargo-checksum.json" || die
				;;
			*) unpack "${archive}" ;;
		esac
	done
	cargo_gen_config
}

cargo_live_src_unpack() {
	mkdir -p "${ECARGO_VENDOR}" || die
	CARGO_HOME=${ECARGO_REGISTRY_DIR} cargo vendor --quiet --offline --locked --manifest-path "${S}/Cargo.toml" "${ECARGO_VENDOR}" \
		> /dev/null || die
	cargo_gen_config
}

cargo_src_configure() { :; }

cargo_target_dir() { echo "${CARGO_TARGET_DIR:-target}/$(usex debug debug release)"; }

cargo_src_compile() {
	local -x RUSTFLAGS="${RUSTFLAGS} -C strip=none"
	cargo build $(usex debug "" --release) "$@" || die "cargo build failed"
}

cargo_src_test() { cargo test $(usex debug "" --release) "$@" || die "cargo test failed"; }

cargo_src_install() { die "the ebuild installs by itself"; }

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install src_test
