# crossmerge: build, check, demo, install. `make help` lists the targets and variables.

CARGO ?= cargo

# Installing: DESTDIR is for packagers; EPREFIX is the prefix of the machine's Portage, baked into the program;
# TARGETS="tuple…" makes the links of these tuples as well.
DESTDIR ?=
EPREFIX ?=
PREFIX ?= $(EPREFIX)/usr/local
TARGETS ?=

bindir = $(DESTDIR)$(PREFIX)/bin
docdir = $(DESTDIR)$(PREFIX)/share/doc/crossmerge
# How the program is linked is most of what its start costs (docs/benchmarks.md): statically, at a fixed address, and with musl where
# Rust has that (`rustup target add $(musl)`), else with the machine's own C library where that can be. STATIC is Rust's target;
# `make STATIC=` links as cargo does. The target is named because cargo would link its own plugins statically too, which cannot be.
host = $(shell rustc -vV | sed -n 's/^host: //p')
musl = $(subst -gnu,-musl,$(host))
STATIC ?= $(or $(if $(wildcard $(shell rustc --print target-libdir --target $(musl))),$(musl)),$(if $(filter /%,$(shell $(CC) -print-file-name=libc.a)),$(host)))
static_flags = -C target-feature=+crt-static -C relocation-model=static
build_flags = $(if $(STATIC),--target $(STATIC))
binary = $(or $(CARGO_TARGET_DIR),target)/$(if $(STATIC),$(STATIC)/)release/crossmerge

export CROSSMERGE_EPREFIX = $(EPREFIX)

# The targets whose Debian cross compilers the tests use, and what they need besides: clang for --llvm, strace to kill
# the program at every file operation, Go, shells and Autoconfs, a compiler for each CPU that QEMU runs. What else they run
# against, tests/setup puts beside the demonstration.
check_targets = armv4tl-softfloat-linux-gnueabi aarch64-unknown-linux-gnu s390x-ibm-linux-gnu
check_packages = clang lld llvm strace uidmap golang-go hyperfine libtool autoconf autoconf2.13 autoconf2.69 busybox mksh ksh93u+m libgcrypt20-dev libncurses-dev libpng-dev libassuan-dev libnpth0-dev libapr1-dev libusb-dev libpcre2-dev musl-tools \
	gcc-alpha-linux-gnu gcc-arm-linux-gnueabihf gcc-hppa-linux-gnu gcc-i686-linux-gnu gcc-m68k-linux-gnu gcc-mips64el-linux-gnuabi64 gcc-powerpc-linux-gnu gcc-powerpc64le-linux-gnu gcc-riscv64-linux-gnu gcc-sh4-linux-gnu gcc-sparc64-linux-gnu libc6-dev-armhf-cross libc6-dev-hppa-cross libc6-dev-i386-cross libc6-dev-m68k-cross libc6-dev-mips64el-cross libc6-dev-powerpc-cross libc6-dev-ppc64el-cross libc6-dev-riscv64-cross libc6-dev-sh4-cross libc6-dev-sparc64-cross libc6.1-dev-alpha-cross

# Which of the panel: a package, `bash`; or one for one target, `bash::arm`. Nothing means all.
PANEL ?=
panel_rows = $(or $(CARGO_TARGET_DIR),target)/tmp/panel

.PHONY: help build print-binary check demo panel verify-site bench check-settings install uninstall clean

help:
	@echo 'make build      the program, in $(binary)'
	@echo 'make check      every check and test'
	@echo 'make verify-site'
	@echo '                the site answers, measured on every target that Debian has a compiler for; writes docs/site-cache-matrix.md'
	@echo 'make demo       cross-build real packages with the real Portage; DEMO_TARGET=<tuple> for another machine'
	@echo 'make check-settings REPO=… CONFIGROOT=…'
	@echo '                our reading of the settings beside portageq, for a repository and a config root of yours'
	@echo 'make panel      configure seven real packages with answers and with an emulator, beside what is true; PANEL=bash for one'
	@echo 'make bench      how long everything takes, beside its peers; writes docs/benchmarks.md. BENCH="start pkg-config" for some of it;'
	@echo '                CROSSDEV=… to compare with the wrappers of that checkout of crossdev'
	@echo 'make install    into PREFIX=$(PREFIX); DESTDIR, EPREFIX and TARGETS="tuple…" as you like'
	@echo 'make uninstall  the same variables; sysroots stay: crossmerge remove <tuple> undoes those'

build:
	$(if $(STATIC),RUSTFLAGS="$(RUSTFLAGS) $(static_flags)") $(CARGO) build --release --locked $(build_flags)

check:
	DEMO_TARGET="$(check_targets)" DEMO_EXTRA="$(check_packages)" demo/setup
	CARGO="$(CARGO)" tests/setup
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	if $(CARGO) nextest --version >/dev/null 2>&1; then $(CARGO) nextest run --locked; else $(CARGO) test --locked; fi

# Takes minutes: a compiler, a libc and a run of every probe for each target of tests/data/verify-site.tsv.
verify-site:
	$(CARGO) build --locked
	tests/verify-site

demo:
	demo/run

# docs/site-cache-panel.md has the table that this prints. It takes most of an hour on two cores.
panel:
	DEMO_TARGET="$(check_targets)" demo/setup
	CARGO="$(CARGO)" tests/setup --panel
	rm -rf $(panel_rows)
	$(CARGO) test --locked --test main site_cache::panel::whole::$(PANEL) -- --ignored
	cat $(panel_rows)/*

# Compares our reading of Portage's settings with the real portageq: every profile of the repository REPO, and CONFIGROOT.
check-settings:
	REPO="$(REPO)" CONFIGROOT="$(CONFIGROOT)" \
		$(CARGO) test --locked --test main portage_settings::every_profile -- --nocapture

# Writes docs/benchmarks.md. With musl where rustup can have it, since that is how the program is meant to be linked; by a make of its
# own, which sees that it is there.
bench:
	DEMO_TARGET="$(check_targets)" DEMO_EXTRA="$(check_packages)" demo/setup
	CARGO="$(CARGO)" tests/setup
	$(if $(shell command -v rustup),rustup target add $(musl))
	$(MAKE) build
	CROSSMERGE="$$($(MAKE) --no-print-directory print-binary)" CROSSDEV="$(CROSSDEV)" bench/run $(BENCH)

print-binary:
	@echo $(abspath $(binary))

# The applets' names are asked of the program itself, so that no list of them stands here. A file of somebody else's, such as
# crossdev's own emerge-wrapper, is not overwritten.
install: build
	install -d $(bindir) $(docdir)
	install -m 755 $(binary) $(bindir)/crossmerge
	@applets=$$($(binary) applets) && \
	for name in emerge-wrapper $$(printf 'cross-%s\n' $$applets) $(TARGETS:%=emerge-%) \
		$$(for tuple in $(TARGETS); do printf "$$tuple-%s\n" $$applets; done); do \
		link=$(bindir)/$$name; \
		if [ -e "$$link" -o -L "$$link" ] && [ "$$(readlink "$$link")" != crossmerge ]; then \
			echo "install: error: $$link is there and is not ours" >&2; \
			echo "hint: choose another PREFIX, or move it away: mv $$link $$link.old" >&2; \
			exit 1; \
		fi; \
		ln -sf crossmerge "$$link" || exit 1; \
	done
	install -m 644 README.md COPYING $(docdir)

uninstall:
	@for link in $(bindir)/*; do \
		if [ "$$(readlink "$$link")" = crossmerge ]; then rm -f "$$link" || exit 1; fi; \
	done
	rm -f $(bindir)/crossmerge
	rm -rf $(docdir)

clean:
	$(CARGO) clean
