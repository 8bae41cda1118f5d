# crossmerge: build, check, demo, install. `make help` lists the targets and variables.

CARGO ?= cargo

# Variables for `make install`:
#   DESTDIR     a prefix for packagers
#   EPREFIX     the prefix of the build machine's Portage, compiled into the program
#   TARGETS     "tuple…": also makes the symlinks of these tuples
#   CROSSDEV    yes: omits the names of crossdev's package, for a package that installs into the same directory
#   SYSCONFDIR  contains the one file that must be outside PREFIX, because bash-completion searches no other place. With a local
#               PREFIX such as ~/.local, nothing is written outside it.
DESTDIR ?=
EPREFIX ?=
PREFIX ?= $(EPREFIX)/usr/local
SYSCONFDIR ?= $(if $(filter $(EPREFIX)/usr $(EPREFIX)/usr/%,$(PREFIX)),$(EPREFIX),$(PREFIX))/etc
TARGETS ?=
CROSSDEV ?=

crossdev_names = crossdev emerge-wrapper cross-ebuild cross-emerge cross-fix-root cross-pkg-config
bindir = $(DESTDIR)$(PREFIX)/bin
datadir = $(DESTDIR)$(PREFIX)/share
docdir = $(datadir)/doc/crossmerge
mandir = $(datadir)/man
bashdir = $(datadir)/bash-completion/completions
bashlinksdir = $(DESTDIR)$(SYSCONFDIR)/bash_completion.d
zshdir = $(datadir)/zsh/site-functions
# The directory of fish's completions, functions or conf. Without XDG_DATA_DIRS, fish does not search /usr/local/share, so the
# administrator's directories are used with that PREFIX. Below /usr and ~/.local fish searches the vendor directories.
fish = $(if $(filter $(EPREFIX)/usr/local,$(PREFIX)),$(DESTDIR)$(SYSCONFDIR)/fish/$(or $(2),$(1)),$(datadir)/fish/vendor_$(1).d)
fish_completions = $(call fish,completions)
fish_functions = $(call fish,functions)
fish_conf = $(call fish,conf,conf.d)
# How the program is linked decides most of its start time (docs/benchmarks.md). It is statically linked, at a fixed address, with
# musl if Rust has that target (`rustup target add $(musl)`), else with the build machine's own C library if that has a static one.
# STATIC is Rust's target; `make STATIC=` links as cargo does by default. The target is named because cargo would otherwise
# link procedural macros statically too, which is impossible.
host := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
musl = $(subst -gnu,-musl,$(host))
STATIC ?= $(or $(if $(host),$(if $(wildcard $(shell rustc --print target-libdir --target $(musl) 2>/dev/null)),$(musl))),$(if $(filter /%,$(shell $(CC) -print-file-name=libc.a 2>/dev/null)),$(host)))
static_flags = -C target-feature=+crt-static -C relocation-model=static $(order_flags)
# If the linker supports it, the functions that run at every start are placed together (bench/order, which uses v0 symbol names), in
# as few segments as possible, because mapping each segment takes time. Nothing is relocated, so RELRO has nothing to protect.
order_flags = -C symbol-mangling-version=v0 $(if $(shell $(CC) -Wl,--version 2>/dev/null | grep -E '^GNU ld|LLD'),-C link-arg=-Wl$(comma)-T$(comma)src/start.ld$(comma)-z$(comma)noseparate-code$(comma)-z$(comma)norelro)
comma = ,
build_flags = $(if $(STATIC),--target $(STATIC))
# Without rustc, as under sudo if another user installed Rust, `binary` is the existing program.
target = $(or $(CARGO_TARGET_DIR),target)
binary = $(if $(host),$(target)/$(if $(STATIC),$(STATIC)/)release/crossmerge,$(firstword $(wildcard $(target)/*/release/crossmerge $(target)/release/crossmerge) $(target)/release/crossmerge))

version = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
dist = $(target)/crossmerge-$(version)
# The output of `make docs`. The pages have the date of the last commit, or that of SOURCE_DATE_EPOCH, so that they are reproducible.
docs = $(target)/docs
epoch = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))
# The directories of documents that link to each other.
documents = docs wrappers profiles distributions site-cache toolchains packaging

export CROSSMERGE_EPREFIX = $(EPREFIX)

# The targets whose Debian cross compilers the tests use, and the other packages that the tests need: clang for --llvm, strace to
# kill the program at every file operation, GnuPG to sign packages, Go, shells with their completions, readers of manual pages, several Autoconfs, tmux as a
# terminal, a compiler for each CPU that QEMU runs and one for bare metal. tests/setup installs the rest beside the demonstration.
check_targets = armv4tl-softfloat-linux-gnueabi aarch64-unknown-linux-gnu s390x-ibm-linux-gnu
check_packages = ccache distcc bc bison cpio erofs-utils fdisk flex genimage squashfs-tools gnupg kmod bash-completion fish man-db mandoc zsh clang lld llvm strace tmux uidmap golang-go hyperfine libtool automake autoconf autoconf2.13 autoconf2.69 busybox mksh ksh93u+m libgcrypt20-dev libncurses-dev libpng-dev libassuan-dev libnpth0-dev libapr1-dev libusb-dev libpcre2-dev libmpfr-dev libmpc-dev musl-tools \
	gcc-alpha-linux-gnu gcc-arm-linux-gnueabihf gcc-arm-none-eabi gcc-hppa-linux-gnu gcc-i686-linux-gnu gcc-m68k-linux-gnu gcc-mips64el-linux-gnuabi64 gcc-powerpc-linux-gnu gcc-powerpc64le-linux-gnu gcc-riscv64-linux-gnu gcc-sh4-linux-gnu gcc-sparc64-linux-gnu libc6-dev-armhf-cross libc6-dev-hppa-cross libc6-dev-i386-cross libc6-dev-m68k-cross libc6-dev-mips64el-cross libc6-dev-powerpc-cross libc6-dev-ppc64el-cross libc6-dev-riscv64-cross libc6-dev-sh4-cross libc6-dev-sparc64-cross libc6.1-dev-alpha-cross

test = $(if $(shell $(CARGO) nextest --version 2>/dev/null),nextest run,test)
# Two more than there are cores, because many tests wait for programs that start or sleep.
threads = $(if $(filter nextest,$(test)),--test-threads $(shell echo $$(($$(nproc) + 2))))

# The part of the panel to run: a package, `bash`; a package for one target, `bash::arm`; its build, `bash::build`. Empty: all.
PANEL ?=
panel_rows = $(target)/tmp/panel

.PHONY: help build program install-program install-docs prepare check-components check coverage demo toolchain toolchains toolchain-gentoo zig panel kernels verify-site verify-questions races fuzz fuzz-keep bench bench-run schedule order order-run check-settings check-portages docs install uninstall dist clean

help:
	@echo 'make build      build the program, $(binary), and the output of make docs'
	@echo 'make check      run every check and test: about 20 minutes on two cores the first time, 9 GB of disk'
	@echo 'make coverage   measure the lines that the tests run, with cargo-llvm-cov; pages for every file in target/llvm-cov/html'
	@echo 'make verify-site'
	@echo '                measure the site answers on every target that Debian has a compiler for; writes docs/site-cache-matrix.md'
	@echo 'make verify-questions REPO=…'
	@echo '                run every version of the tests behind the answers, from a clone of gnulib or Autoconf, on the build machine'
	@echo 'make demo       cross-build real packages with the real Portage; DEMO_TARGET=<tuple> for another target'
	@echo 'make toolchain  build a cross toolchain for an Arm CPU and musl with the real Portage, and run programs built with it;'
	@echo '                takes half an hour on two idle cores, and 6 GB'
	@echo 'make toolchains the same for glibc, a board without an operating system, Windows and AVR, for the table of docs/toolchains.md;'
	@echo '                takes two hours on two idle cores, and 20 GB'
	@echo 'make toolchain-gentoo GENTOO=… CROSSDEV=…'
	@echo '                build a cross toolchain with the ebuilds of ::gentoo in GENTOO, and again with crossdev, and compare the files;'
	@echo '                takes an hour on two idle cores, and 8 GB'
	@echo 'make zig        build and run programs with Zig from PyPI, 440 MB, which compiles its libc for minutes; ZIG=… for another Zig'
	@echo 'make check-settings REPO=… CONFIGROOT=…'
	@echo '                compare the reading of settings with portageq, for your repository and config root'
	@echo 'make check-portages'
	@echo '                the same for every version of Portage in PORTAGES, downloaded from PyPI; takes an hour'
	@echo 'make panel      configure eight real packages with answers and with an emulator, compare with the true results, and build them;'
	@echo '                PANEL=bash for one'
	@echo 'make fuzz       fuzz every reader of untrusted files, FUZZ_SECONDS=600 each; FUZZ=elf for one; needs cargo-fuzz'
	@echo 'make races      run every race of the owner of a sysroot against root and a user, and every kill; make check runs some; takes an hour'
	@echo 'make kernels    build U-Boot and kernels for ARM, with GCC and clang, and RISC-V with <tuple>-xkmake, and boot them in QEMU'
	@echo 'make bench      measure crossmerge beside its peers; writes docs/benchmarks.md. BENCH="start pkg-config" for some of the groups;'
	@echo '                CROSSDEV=… to compare with the wrappers of that checkout of crossdev'
	@echo 'make schedule   simulate how long the packages of ten targets take on several machines; writes the tables of docs/farm.md.'
	@echo '                FARM="bench/farm.tsv" for your own file, TARGETS_OF_FARM=10 MACHINES=1,2,4'
	@echo 'make order      find the functions that run at every start, so that the linker places them together; writes src/start.ld'
	@echo 'make docs       make manual pages and completions, in $(docs); checks the links of the documents'
	@echo 'make install    install into PREFIX=$(PREFIX); optional: DESTDIR, EPREFIX, CROSSDEV, TARGETS="tuple…"'
	@echo 'make dist       make the tar file of a release, $(dist).tar.xz'
	@echo 'make uninstall  undo make install, with the same variables. Sysroots stay: crossmerge remove <tuple> removes them'

# Ends a recipe if cargo is missing: with success if $(1) exists, else with an error.
without_cargo = @command -v $(firstword $(CARGO)) > /dev/null || { \
	[ -e "$(1)" ] && echo 'make: $(CARGO) is not in PATH: taking $(1) as it is' >&2 && exit 0; \
	echo 'make: error: $(CARGO) is not in PATH, and $(1) is not built' >&2; \
	echo 'hint: run `make build` as the user who has Rust, or install it: https://rustup.rs' >&2; exit 1; \
};

build: program docs

program:
	$(call without_cargo,$(binary)) $(if $(STATIC),RUSTFLAGS="$(RUSTFLAGS) $(static_flags)") $(CARGO) build --release --locked $(build_flags)

# Installs the programs that the tests run against.
prepare:
	DEMO_TARGET="$(check_targets)" DEMO_EXTRA="$(check_packages)" demo/setup
	CARGO="$(CARGO)" tests/setup

# Without this check, missing components would fail `make check` after minutes of preparation.
check-components:
	@$(CARGO) fmt --version > /dev/null 2>&1 && $(CARGO) clippy --version > /dev/null 2>&1 || { \
		echo 'make: error: `make check` needs rustfmt and clippy' >&2; \
		echo 'hint: rustup component add rustfmt clippy' >&2; exit 1; \
	}

# Measured on two cores with Debian 12: 5 minutes to download and install the first time, 12 to run the tests; 6 GB below target, 3 GB
# of packages.
check: check-components prepare
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked --doc --quiet
	tests/in-memory $(CARGO) $(test) --locked $(threads)

# The counters are written to their file continuously, because an applet execs another program and never exits itself. A test that
# compares a whole environment finds the counters' variables in it, and fails.
coverage: prepare
	@$(CARGO) llvm-cov --version >/dev/null 2>&1 || { echo 'hint: cargo install --locked cargo-llvm-cov && rustup component add llvm-tools' >&2; exit 1; }
	LLVM_PROFILE_FILE_NAME='crossmerge-%4m%c.profraw' RUSTFLAGS="$(RUSTFLAGS) -C llvm-args=-runtime-counter-relocation" \
		$(CARGO) llvm-cov $(firstword $(test)) --locked --ignore-run-fail --no-report
	$(CARGO) llvm-cov report --html
	$(CARGO) llvm-cov report

# Takes minutes: it installs a compiler and a libc and runs every probe for each target of tests/data/verify-site.tsv.
verify-site:
	$(CARGO) build --locked
	tests/verify-site

# Needs a clone of gnulib or Autoconf with its history. Do not run it as root: the tests would measure root's privileges.
verify-questions:
	@[ -n "$(REPO)" ] || { echo 'name a clone of gnulib or Autoconf: make verify-questions REPO=…' >&2; exit 1; }
	tests/verify-questions "$(REPO)"

demo:
	demo/run

# The times of the steps are in docs/toolchain-prefix.md.
toolchain:
	demo/toolchain

# ZIG is the path of Zig's program.
zig_venv = $(target)/zig
ZIG ?= $(zig_venv)/bin/python-zig
zig:
	[ -x "$(ZIG)" ] || { python3 -m venv $(zig_venv) && $(zig_venv)/bin/pip install --quiet ziglang; }
	ZIG="$(abspath $(ZIG))" ZIG_GLOBAL_CACHE_DIR="$(abspath $(zig_venv)/cache)" $(CARGO) test --locked --test main zig:: -- --include-ignored

# The table of docs/toolchains.md.
toolchains:
	TOOLCHAIN_CFLAGS="-O1 -pipe" demo/toolchain --table docs/toolchains.md musl glibc bare mingw avr llvm

# The result is in docs/toolchains.md.
toolchain-gentoo:
	GENTOO="$(GENTOO)" CROSSDEV="$(CROSSDEV)" demo/toolchain-gentoo

# Prints the table of docs/site-cache-panel.md. It takes more than an hour on two cores.
panel:
	DEMO_TARGET="$(check_targets)" demo/setup
	CARGO="$(CARGO)" tests/setup --panel
	rm -rf $(panel_rows)
	$(CARGO) test --locked --test main site_cache::panel::whole::$(PANEL) -- --ignored
	[ ! -d $(panel_rows) ] || cat $(panel_rows)/*

# Builds whole trees, which take minutes each: U-Boot, a kernel built with GCC and with clang, a RISC-V kernel booted by OpenSBI.
kernels: prepare
	CARGO="$(CARGO)" tests/setup --kernels
	$(CARGO) test --locked --test main xkmake::whole:: -- --ignored

# Compares crossmerge's reading of Portage's settings with the real portageq: for every profile of the repository REPO, for CONFIGROOT,
# and for every directory of CONFIGROOTS that has an etc/portage. Prints how many crossmerge reads itself, and why it asks portageq
# for the others.
check-settings:
	REPO="$(REPO)" CONFIGROOT="$(CONFIGROOT)" CONFIGROOTS="$(CONFIGROOTS)" \
		$(CARGO) test --locked --test main -- --nocapture portage_settings::every_profile portage_settings::configurations

# Compares it with each version of Portage in PORTAGES: the versions of crates/portage/src/version.rs that are on PyPI. Each of the five
# generators makes CASES cases; with 300, a version takes half a minute on two idle cores.
PORTAGES ?= 3.0.45 3.0.45.1 3.0.45.2 3.0.45.3 3.0.46 3.0.47 3.0.48 3.0.48.1 3.0.49 3.0.50 3.0.51 3.0.52 3.0.54 3.0.55 3.0.56 3.0.57 \
	3.0.58 3.0.59 3.0.60 3.0.61 3.0.62 3.0.63 3.0.64 3.0.65 3.0.66 3.0.66.1 3.0.67 3.0.68 3.0.69 3.0.69.1 3.0.70 3.0.71 3.0.72 3.0.73 \
	3.0.74 3.0.75 3.0.76 3.0.77 3.0.78 3.0.80 3.0.81 3.0.81.1 3.0.81.2 3.0.81.3 3.0.82 3.0.82.1 3.0.82.2 3.0.83
check-portages:
	demo/portages $(PORTAGES)
	$(CARGO) test --locked --test main --no-run
	for version in $(PORTAGES); do \
		echo "Portage $$version"; \
		PORTAGE=$$version CASES=$${CASES:-300} $(CARGO) test --locked --test main -- --nocapture portage_settings::generated portage_settings::every_kept_case \
			portage_settings::the_oracle || exit 1; \
	done

# Every race of the owner of a sysroot, and a kill at every point. Each test prints the number of its races.
races: prepare
	CROSSMERGE_RACES=all tests/in-memory $(CARGO) test --locked --test main -- --nocapture foreign_trees::race kill:: toolchain_build::the_files_survive

# cargo-fuzz lists the targets, so that this file needs no list of them. fuzz/README.md explains why there is no sanitizer. A run keeps
# the inputs it finds in fuzz/target/found, and the next run starts from them.
FUZZ ?=
FUZZ_SECONDS ?= 600
FUZZ_SANITIZER ?= none
FUZZ_BUILD ?= --codegen-units 16
fuzz_each = cd fuzz && { $(CARGO) fuzz --version >/dev/null 2>&1 || { echo 'hint: cargo install --locked cargo-fuzz' >&2; exit 1; }; } && \
	$(CARGO) fuzz build --sanitizer $(FUZZ_SANITIZER) $(FUZZ_BUILD) $(FUZZ) && \
	for target in $(or $(FUZZ),$$($(CARGO) fuzz list)); do \
		mkdir -p target/found/$$target && \
		$(CARGO) fuzz run --sanitizer $(FUZZ_SANITIZER) $(FUZZ_BUILD) $$target $(1) || exit 1; \
	done

fuzz:
	$(call fuzz_each,target/found/$$target corpus/$$target -- \
		-max_total_time=$(FUZZ_SECONDS) -timeout=25 -rss_limit_mb=1500 -max_len=8192 -verbosity=0 -print_final_stats=1)

# Adds to fuzz/corpus the inputs that were found and reach more of the code.
fuzz-keep:
	$(call fuzz_each,corpus/$$target target/found/$$target -- -set_cover_merge=1 -use_counters=0)

# Writes docs/benchmarks.md. If rustup exists, it installs the musl target first, with which the program is meant to be linked. A second
# make then finds that target.
bench: prepare
	$(if $(shell command -v rustup),rustup target add $(musl))
	$(MAKE) --no-print-directory bench-run

bench-run: program
	$(MAKE) --no-print-directory program build_flags="$(build_flags) --features system-malloc"
	cp $(binary) $(binary)-system-malloc
	$(MAKE) --no-print-directory program
	CROSSMERGE=$(abspath $(binary)) SYSTEM_MALLOC=$(abspath $(binary))-system-malloc CROSSDEV="$(CROSSDEV)" bench/run $(BENCH)

# The packages of one target, with seconds and dependencies; how many targets; on how many machines.
FARM ?= bench/farm.tsv bench/farm-toolchain.tsv
TARGETS_OF_FARM ?= 10
MACHINES ?= 1,2,4,8,10,16,32

schedule:
	bench/schedule --targets $(TARGETS_OF_FARM) --machines $(MACHINES) $(if $(filter file,$(origin FARM)),--write docs/farm.md) $(FARM)

order_dir = $(abspath $(target)/order)

# Writes src/start.ld. Run it if the code of the applets has changed. Needs valgrind.
order: prepare
	$(if $(shell command -v rustup),rustup target add $(musl))
	$(MAKE) --no-print-directory order-run

order-run:
	CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR=$(order_dir) $(MAKE) --no-print-directory program order_flags='-C symbol-mangling-version=v0'
	CROSSMERGE=$(order_dir)/$(STATIC)/release/crossmerge bench/order

# Built in the same profile as the tests, which takes less time than a separate small program. mandoc checks the pages if installed.
docs:
	$(call without_cargo,$(docs)) $(CARGO) run --quiet --locked --example docs -- "$$(date -u -d @$(epoch) +%F)" $(docs)
	@if ! command -v $(firstword $(CARGO)) > /dev/null; then \
		:; \
	elif command -v mandoc >/dev/null; then \
		grep -rL '^\.so ' $(docs)/man | xargs mandoc -Tlint -Wwarning; \
	else \
		echo 'docs: mandoc is not installed, so the pages are not checked' >&2; \
	fi

# Fails the installation if a name exists that crossmerge did not make.
refuse = refuse() { \
	echo "install: error: $$1 is there and is not ours" >&2; \
	echo "hint: choose another PREFIX, or move it away: mv $$1 $$1.old" >&2; \
	exit 1; \
}

# The program itself prints the applets' names, so that this file needs no list of them. A file that crossmerge did not make, such as
# crossdev's own emerge-wrapper, is not overwritten. Each name has its manual page.
install: install-program install-docs
	@echo 'installed $(bindir)/crossmerge, its names, manual pages and completions$(if $(DESTDIR),,; next: crossmerge init arm64, or --help)'

install-program: program
	@umask 022 && install -d "$(bindir)" "$(mandir)/man1" && \
	install -m 755 $(binary) "$(bindir)/crossmerge" && \
	applets=$$($(binary) applets) && \
	page='.so man1/crossmerge-applets.1' && \
	$(refuse) && \
	for name in crossdev emerge-wrapper $$(printf 'cross-%s\n' $$applets) $(TARGETS:%=emerge-%) \
		$$(for tuple in $(TARGETS); do printf "$$tuple-%s\n" $$applets; done); do \
		case " $(if $(CROSSDEV),$(crossdev_names)) " in *" $$name "*) continue ;; esac; \
		link="$(bindir)/$$name"; man="$(mandir)/man1/$$name.1"; \
		if [ -e "$$link" -o -L "$$link" ] && [ "$$(readlink "$$link")" != crossmerge ]; then refuse "$$link"; fi; \
		if [ -e "$$man" ] && [ "$$(cat "$$man")" != "$$page" ]; then refuse "$$man"; fi; \
		ln -sf crossmerge "$$link" && echo "$$page" > "$$man" || exit 1; \
	done

install-docs: docs
	@umask 022 && install -d "$(mandir)/man5" && \
	$(refuse) && \
	for alias in $$(cd $(docs)/man/man5 && grep -lx '\.so .*' *); do \
		if [ -e "$(mandir)/man5/$$alias" ] && ! cmp -s $(docs)/man/man5/$$alias "$(mandir)/man5/$$alias"; then \
			refuse "$(mandir)/man5/$$alias"; \
		fi; \
	done && \
	install -m 644 $(docs)/man/man5/* "$(mandir)/man5"
	@umask 022 && install -d "$(bashdir)" "$(bashlinksdir)" "$(zshdir)" "$(mandir)/man1" \
		"$(fish_completions)" "$(fish_functions)" "$(fish_conf)" && \
	install -m 644 $(docs)/man/man1/* "$(mandir)/man1" && \
	install -m 644 $(docs)/completions/bash/crossmerge "$(bashdir)/crossmerge" && \
	ln -sf crossmerge "$(bashdir)/emerge-wrapper" && \
	install -m 644 $(docs)/completions/bash/links "$(bashlinksdir)/crossmerge" && \
	install -m 644 $(docs)/completions/zsh/* "$(zshdir)" && \
	install -m 644 $(docs)/completions/fish/crossmerge.fish "$(fish_completions)/crossmerge.fish" && \
	install -m 644 $(docs)/completions/fish/__crossmerge_applet.fish "$(fish_functions)/__crossmerge_applet.fish" && \
	install -m 644 $(docs)/completions/fish/links.fish "$(fish_conf)/crossmerge.fish"
	@umask 022 && find $(documents) -name '*.md' | while read -r file; do \
		install -D -m 644 "$$file" "$(docdir)/$$file" || exit 1; \
	done && \
	install -m 644 README.md CHANGELOG.md COPYING "$(docdir)"

# The tar file of a release, which contains the output of `make docs`. A packager installs with docs=premade, and builds only the program.
dist: docs
	rm -rf $(dist).new && mkdir -p $(dist).new/crossmerge-$(version)
	git archive HEAD | tar -x -C $(dist).new/crossmerge-$(version)
	cp -r $(docs) $(dist).new/crossmerge-$(version)/premade
	tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(epoch) -C $(dist).new crossmerge-$(version) | xz -9 > $(dist).new.xz
	mv $(dist).new.xz $(dist).tar.xz && rm -rf $(dist).new
	@echo $(dist).tar.xz

uninstall:
	@for link in "$(bindir)"/*; do \
		if [ "$$(readlink "$$link")" = crossmerge ]; then rm -f "$$link" || exit 1; fi; \
	done
	@for page in "$(mandir)"/man[15]/*; do \
		if grep -qx '\.so man[15]/crossmerge[^ ]*' "$$page" 2>/dev/null; then rm -f "$$page" || exit 1; fi; \
	done
	rm -f "$(bindir)/crossmerge" "$(mandir)"/man[15]/crossmerge[.-]* "$(bashdir)/crossmerge" "$(bashdir)/emerge-wrapper" \
		"$(bashlinksdir)/crossmerge" "$(zshdir)/_crossmerge" "$(zshdir)/_crossmerge_applet" "$(zshdir)/_crossmerge_values" \
		"$(fish_completions)/crossmerge.fish" "$(fish_functions)/__crossmerge_applet.fish" "$(fish_conf)/crossmerge.fish"
	rm -rf "$(docdir)"

clean:
	$(CARGO) clean
