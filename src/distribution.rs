//! The commands that install a program on the host's distribution: the only source of hints that name a package.
//!
//! The facts are in `distributions/*.toml`; os-release(5) selects the file. A distribution whose package manager is
//! not in PATH counts as unknown, so that no hint names a missing command.

use crate::{
    config,
    target::{Source, Target},
};
use crossmerge_plan::{env::Env, glob, words::quote};
use crossmerge_system::{
    file::{below, read},
    search,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The built-in families of distributions.
const BUILT_IN: [&str; 7] = [
    include_str!("../distributions/alpine.toml"),
    include_str!("../distributions/arch.toml"),
    include_str!("../distributions/debian.toml"),
    include_str!("../distributions/fedora.toml"),
    include_str!("../distributions/gentoo.toml"),
    include_str!("../distributions/opensuse.toml"),
    include_str!("../distributions/void.toml"),
];

/// The paths of os-release(5), in order of precedence.
const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Programs of Portage, which only Gentoo packages.
const PORTAGE: [&str; 8] = [
    "ebuild", "emaint", "emerge", "equery", "eselect", "portageq", "qlist", "quickpkg",
];

/// Programs that run a command as root, the most usual first.
const BECOME_ROOT: [&str; 2] = ["sudo", "doas"];

/// One file of `distributions/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DistributionFamily {
    #[expect(dead_code, reason = "it is for a reader of the file")]
    summary: String,
    ids: Vec<String>,
    install: String,
    refresh: Option<String>,
    lists: Option<String>,
    lists_end: Option<String>,
    #[serde(default)]
    same: Vec<String>,
    toolchain: Option<String>,
    toolchain_package: Option<String>,
    qemu_use: Option<String>,
    packages: BTreeMap<String, String>,
    #[serde(default)]
    compiler: Vec<Compiler>,
}

/// A cross compiler that a distribution packages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compiler {
    tuple: String,
    /// Globs on tuples whose CPUs are too old for its programs.
    #[serde(default)]
    except: Vec<String>,
    /// The first release of the family's first distribution that packages it.
    since: Option<f32>,
    packages: String,
    libc: Option<String>,
}

/// The host's distribution, and the user who would install something.
#[derive(Debug)]
pub(crate) struct Distribution {
    family: Option<DistributionFamily>,
    /// The release, if this is the family's first distribution.
    release: Option<f32>,
    /// The root directory of os-release: the host's, or that of a Gentoo Prefix.
    root: PathBuf,
    env: Env,
    is_root: bool,
}

impl Distribution {
    /// Finds the host's distribution for the hint of an error, which has no `Context`.
    pub(crate) fn here() -> Self {
        let env = Env::capture();
        let broot = config::broot_of(&env);
        Self::of(&env, &broot)
    }

    /// Finds the distribution by the os-release file below BROOT, else by the host's.
    pub(crate) fn of(env: &Env, broot: &Path) -> Self {
        let roots = [broot, Path::new("")];
        let found = roots.iter().find_map(|root| {
            OS_RELEASE.iter().find_map(|file| {
                let text = read::read_to_string(&below(root, file), read::CONFIGURATION).ok()?;
                Some((below(root, ""), text))
            })
        });
        let (root, text) = found.unwrap_or_else(|| ("/".into(), String::new()));
        let has = |program: &str| search::find_program(env, OsStr::new(program)).is_ok();
        let family = family_of(&text).filter(|family| {
            let manager = family.install.split(' ').next().unwrap_or_default();
            has(manager)
        });
        Self {
            release: family.as_ref().and_then(|family| release_of(family, &text)),
            family,
            root,
            env: env.clone(),
            is_root: nix::unistd::geteuid().is_root(),
        }
    }

    /// Returns the command that installs the package of a program. Returns `None` if the distribution is unknown or
    /// has no such package.
    pub(crate) fn install(&self, program: &str) -> Option<String> {
        let family = self.family.as_ref()?;
        let packages = Self::packages_of(family, program)?;
        Some(self.as_root(&self.installing(family, packages)))
    }

    /// Returns the command that installs the packages of all these programs. Returns `None` if the distribution is
    /// unknown or lacks the package of one.
    pub(crate) fn install_all(&self, programs: &[String]) -> Option<String> {
        let family = self.family.as_ref()?;
        let packages = programs
            .iter()
            .map(|program| Self::packages_of(family, program));
        let packages: BTreeSet<&str> = packages
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flat_map(str::split_whitespace)
            .collect();
        let packages: Vec<&str> = packages.into_iter().collect();
        Some(self.as_root(&self.installing(family, &packages.join(" "))))
    }

    fn packages_of<'f>(family: &'f DistributionFamily, program: &str) -> Option<&'f str> {
        match family.packages.get(program) {
            Some(packages) => Some(packages.as_str()),
            None => family
                .same
                .iter()
                .find(|same| *same == program)
                .map(String::as_str),
        }
    }

    /// Returns the hint for a missing program: the command that installs it, else a sentence.
    pub(crate) fn hint(&self, program: &str) -> String {
        if let Some(command) = self.install(program) {
            return format!("`{command}`");
        }
        let is_gentoo = self
            .family
            .as_ref()
            .is_some_and(|family| family.toolchain.is_some());
        if PORTAGE.contains(&program) && !is_gentoo {
            return "Portage is Gentoo's, and other distributions have no package of it: chapter 3 of the guide describes how to install it; \
                    `<tuple>-configure`, `<tuple>-cmake`, `<tuple>-meson` and `<tuple>-cargo` build without it"
                .into();
        }
        format!(
            "install it, or add its directory to PATH: `type -a {program}` shows where the shell finds it"
        )
    }

    /// Returns the command that installs the emulator of a CPU, by QEMU's name of the CPU.
    pub(crate) fn qemu(&self, qemu: &str) -> Option<String> {
        let family = self.family.as_ref()?;
        let packages = family.packages.get("qemu")?.replace("{qemu}", qemu);
        let install = self.installing(family, &packages);
        let Some(usage) = &family.qemu_use else {
            return Some(self.as_root(&install));
        };
        let mut file = self.root.join("etc/portage/package.use");
        if !file.is_file() {
            file.push("qemu");
        }
        let directory = quote(file.parent().unwrap_or(Path::new("/")).as_os_str());
        let (usage, file) = (usage.replace("{qemu}", qemu), quote(file.as_os_str()));
        // Without `--changed-use`, Portage does not rebuild an installed package for other USE flags.
        Some(self.as_root(&format!(
            "mkdir -p {directory} && echo '{usage}' >> {file} && {install} --changed-use"
        )))
    }

    /// Returns the hint for a missing QEMU: the command, else a sentence.
    pub(crate) fn qemu_hint(&self, qemu: &str) -> String {
        match self.qemu(qemu) {
            Some(command) => format!("`{command}`"),
            None => format!(
                "install QEMU's user-mode emulation: `qemu-{qemu}`, or the statically linked `qemu-{qemu}-static`"
            ),
        }
    }

    /// Returns the command that installs a cross compiler of the target, with its libc. Returns `None` if the
    /// distribution has none.
    pub(crate) fn compiler(&self, target: &Target, families: &[Source]) -> Option<String> {
        let family = self.family.as_ref()?;
        if let Some(command) = self.toolchain(family, target) {
            return Some(command);
        }
        let compiler = self.compiler_for(target, families)?;
        let mut packages = compiler.packages.clone();
        if let Some(libc) = &compiler.libc {
            packages.push(' ');
            packages.push_str(libc);
        }
        Some(self.as_root(&self.installing(family, &packages)))
    }

    /// Returns the prefix of the target's cross compiler, for a distribution that packages some.
    pub(crate) fn compiler_prefix(&self, target: &Target, families: &[Source]) -> Option<String> {
        let compiler = self.compiler_for(target, families)?;
        Some(format!("{}-", compiler.tuple))
    }

    /// Returns the command that installs the libc of the target's cross compiler. Returns `None` if the distribution
    /// has none.
    pub(crate) fn libc(&self, target: &Target, families: &[Source]) -> Option<String> {
        let family = self.family.as_ref()?;
        let packages = self.compiler_for(target, families)?.libc.as_ref()?;
        Some(self.as_root(&self.installing(family, packages)))
    }

    /// Returns the command that builds the toolchain of any tuple, if the distribution has one.
    fn toolchain(&self, family: &DistributionFamily, target: &Target) -> Option<String> {
        let make = family.toolchain.as_ref()?.replace("{tuple}", &target.tuple);
        let program = make.split(' ').next().unwrap_or_default();
        let is_installed = search::find_program(&self.env, OsStr::new(program)).is_ok();
        Some(self.as_root(&match &family.toolchain_package {
            Some(package) if !is_installed => {
                format!("{} && {make}", self.installing(family, package))
            }
            _ => make,
        }))
    }

    fn compiler_for(&self, target: &Target, families: &[Source]) -> Option<&Compiler> {
        let compilers = self.family.as_ref()?.compiler.iter();
        let mut served = compilers.filter(|compiler| {
            let is_excepted = |glob: &String| glob::matches(glob, &target.tuple);
            let is_too_old = compiler.since.zip(self.release);
            if compiler.except.iter().any(is_excepted)
                || is_too_old.is_some_and(|(since, has)| has < since)
            {
                return false;
            }
            let own = compiler.tuple.parse();
            let own = own.ok().and_then(|own| Target::of(&own, families, "").ok());
            own.is_some_and(|own| own.serves(target))
        });
        served.next()
    }

    /// Returns root's command that installs packages, after fetching the package lists if there are none.
    fn installing(&self, family: &DistributionFamily, packages: &str) -> String {
        let install = format!("{} {packages}", family.install);
        match (&family.refresh, &family.lists, &family.lists_end) {
            (Some(refresh), Some(lists), Some(end)) if !self.has_lists(lists, end) => {
                format!("{refresh} && {install}")
            }
            _ => install,
        }
    }

    fn has_lists(&self, lists: &str, end: &str) -> bool {
        let entries = fs_err::read_dir(self.root.join(lists))
            .into_iter()
            .flatten();
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().contains(end))
    }

    /// Returns the command as the caller can run it: with `sudo` or `doas` if the caller is not root, else with `su`.
    pub(crate) fn as_root(&self, command: &str) -> String {
        if self.is_root {
            return command.into();
        }
        let is_one = !command.contains(['&', '>', '|']);
        let quoted = || quote(OsStr::new(command));
        let has = |program: &str| search::find_program(&self.env, OsStr::new(program)).is_ok();
        match BECOME_ROOT.iter().find(|program| has(program)) {
            Some(program) if is_one => format!("{program} {command}"),
            Some(program) => format!("{program} sh -c {}", quoted()),
            None if has("su") => format!("su -c {}", quoted()),
            None => command.into(),
        }
    }
}

/// Returns the value of a key in os-release.
fn value(text: &str, key: &str) -> Option<String> {
    let mut lines = text.lines().rev();
    let value = lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    Some(shell_words::split(value).ok()?.join(" "))
}

/// Returns VERSION_ID, if os-release is that of the distribution whose releases the family's file names.
fn release_of(family: &DistributionFamily, text: &str) -> Option<f32> {
    let is_first = value(text, "ID").as_ref() == family.ids.first();
    let release = is_first.then(|| value(text, "VERSION_ID")).flatten()?;
    release.parse().ok()
}

/// Returns the family of os-release's ID, else of the first known ID_LIKE.
fn family_of(text: &str) -> Option<DistributionFamily> {
    let ids = [value(text, "ID"), value(text, "ID_LIKE")];
    let ids = ids.iter().flatten().flat_map(|ids| ids.split(' '));
    let mut families = ids.filter_map(|id| {
        let parse = |text: &&str| toml::from_str::<DistributionFamily>(text).ok();
        BUILT_IN
            .iter()
            .filter_map(parse)
            .find(|family| family.ids.iter().any(|known| known == id))
    });
    families.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn families() -> Vec<Source> {
        Source::built_in().map(|(_, source)| source).collect()
    }

    fn target(tuple: &str) -> Target {
        Target::of(&tuple.parse().expect(tuple), &families(), "").expect(tuple)
    }

    /// Returns a distribution with its package manager, and root as the caller.
    fn distribution(text: &str) -> Distribution {
        Distribution {
            release: family_of(text).and_then(|family| release_of(&family, text)),
            family: family_of(text),
            root: "/nonexistent".into(),
            env: Env::default(),
            is_root: true,
        }
    }

    #[test]
    fn every_file_is_well_formed_and_its_compilers_have_facts() {
        for text in BUILT_IN {
            let family: DistributionFamily =
                toml::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
            for compiler in &family.compiler {
                target(&compiler.tuple);
            }
        }
    }

    #[test]
    fn os_release_chooses_the_family_by_id_and_then_by_id_like() {
        for (text, install) in [
            ("ID=debian\n", Some("apt-get install -y")),
            (
                "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n",
                Some("apt-get install -y"),
            ),
            (
                "ID=neon\nID_LIKE=\"ubuntu debian\"\n",
                Some("apt-get install -y"),
            ),
            ("ID=fedora\n", Some("dnf install -y")),
            (
                "ID=\"nobara\"\nID_LIKE=\"fedora\"\n",
                Some("dnf install -y"),
            ),
            (
                "ID='opensuse-leap'\nID_LIKE='suse opensuse'\n",
                Some("zypper --non-interactive install"),
            ),
            (
                "ID=cachyos\nID_LIKE=arch\n",
                Some("pacman -S --needed --noconfirm"),
            ),
            ("ID=alpine\n", Some("apk add")),
            ("ID=void\n", Some("xbps-install -Sy")),
            ("ID=gentoo\n", Some("emerge --noreplace")),
            ("ID=plan9\n", None),
            ("ID_LIKE=\n", None),
            ("ID=\"unbalanced\n", None),
            ("", None),
        ] {
            let family = family_of(text).map(|family| family.install);
            assert_eq!(family.as_deref(), install, "{text:?}");
        }
    }

    /// This is a table: one row for each case.
    #[test]
    fn a_compiler_is_installed_by_the_name_that_the_distribution_has_for_it() {
        for (id, tuple, command) in [
            (
                "debian",
                "aarch64-unknown-linux-gnu",
                Some(
                    "apt-get update && apt-get install -y gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross",
                ),
            ),
            (
                "debian",
                "armv7a-unknown-linux-gnueabihf",
                Some(
                    "apt-get update && apt-get install -y gcc-arm-linux-gnueabihf g++-arm-linux-gnueabihf libc6-dev-armhf-cross",
                ),
            ),
            (
                "debian",
                "x86_64-cross-linux-gnu",
                Some(
                    "apt-get update && apt-get install -y gcc-x86-64-linux-gnu g++-x86-64-linux-gnu libc6-dev-amd64-cross",
                ),
            ),
            ("debian", "armv6j-unknown-linux-gnueabihf", None),
            ("debian", "armv4tl-softfloat-linux-gnueabi", None),
            ("debian", "aarch64-unknown-linux-musl", None),
            ("debian", "armeb-unknown-linux-gnueabi", None),
            (
                "debian",
                "armv7m-unknown-eabi",
                Some(
                    "apt-get update && apt-get install -y gcc-arm-none-eabi libnewlib-arm-none-eabi",
                ),
            ),
            (
                "fedora",
                "armv7a-unknown-linux-gnueabihf",
                Some("dnf install -y gcc-arm-linux-gnu gcc-c++-arm-linux-gnu"),
            ),
            ("fedora", "armv7a-unknown-linux-gnueabi", None),
            (
                "arch",
                "riscv64-unknown-linux-gnu",
                Some(
                    "pacman -Sy && pacman -S --needed --noconfirm riscv64-linux-gnu-gcc riscv64-linux-gnu-glibc",
                ),
            ),
            ("alpine", "aarch64-unknown-linux-musl", None),
            (
                "alpine",
                "aarch64-unknown-elf",
                Some("apk update && apk add gcc-aarch64-none-elf newlib-aarch64-none-elf"),
            ),
            (
                "opensuse-tumbleweed",
                "riscv64-unknown-linux-gnu",
                Some(
                    "zypper --non-interactive install cross-riscv64-gcc14 cross-riscv64-binutils cross-riscv64-glibc-devel",
                ),
            ),
            (
                "void",
                "aarch64-unknown-linux-musl",
                Some("xbps-install -Sy cross-aarch64-linux-musl"),
            ),
            (
                "gentoo",
                "aarch64-unknown-linux-musl",
                Some(
                    "emerge --noreplace sys-devel/crossdev && crossdev --target aarch64-unknown-linux-musl",
                ),
            ),
        ] {
            let got = distribution(&format!("ID={id}\n")).compiler(&target(tuple), &families());
            assert_eq!(got.as_deref(), command, "{id} {tuple}");
        }
        let libc =
            distribution("ID=debian\n").libc(&target("alpha-unknown-linux-gnu"), &families());
        assert!(
            libc.expect("a package")
                .ends_with(" libc6.1-dev-alpha-cross")
        );
    }

    #[test]
    fn a_program_is_installed_by_its_package_and_an_unknown_one_by_no_command() {
        for (id, program, ends) in [
            ("debian", "pkg-config", Some(" install -y pkgconf")),
            ("debian", "newuidmap", Some(" uidmap")),
            ("debian", "clang", Some(" clang lld llvm")),
            ("debian", "depmod", Some(" kmod")),
            ("debian", "meson", Some(" meson")),
            ("debian", "emerge", None),
            ("debian", "no-such-program", None),
            (
                "gentoo",
                "meson",
                Some("emerge --noreplace dev-build/meson"),
            ),
            (
                "fedora",
                "pkg-config",
                Some("dnf install -y pkgconf-pkg-config"),
            ),
            ("plan9", "meson", None),
        ] {
            let got = distribution(&format!("ID={id}\n")).install(program);
            assert_eq!(got.is_some(), ends.is_some(), "{id} {program}: {got:?}");
            let ends = ends.unwrap_or_default();
            assert!(got.unwrap_or_default().ends_with(ends), "{id} {program}");
        }
        let several = |id: &str, programs: &[&str]| {
            let programs: Vec<String> = programs.iter().map(|it| (*it).to_owned()).collect();
            distribution(&format!("ID={id}\n")).install_all(&programs)
        };
        for (id, ends) in [
            ("debian", " install -y binutils libgmp-dev xz-utils"),
            ("fedora", "dnf install -y binutils gmp-devel xz"),
            (
                "gentoo",
                " app-arch/xz-utils dev-libs/gmp sys-devel/binutils",
            ),
        ] {
            let got = several(id, &["ld", "ar", "gmp.h", "xz"]).unwrap_or_default();
            assert!(got.ends_with(ends), "{id}: {got}");
        }
        assert_eq!(several("debian", &["xz", "no-such-program"]), None);
        let without = distribution("ID=debian\n");
        assert!(without.hint("emerge").contains("Portage is Gentoo's"));
        assert!(
            without
                .hint("no-such-program")
                .contains("type -a no-such-program")
        );
        assert_eq!(
            distribution("ID=gentoo\n").qemu("arm").as_deref(),
            Some(
                "mkdir -p /nonexistent/etc/portage/package.use && echo 'app-emulation/qemu static-user QEMU_USER_TARGETS: arm' >> \
                 /nonexistent/etc/portage/package.use/qemu && emerge --noreplace app-emulation/qemu --changed-use"
            )
        );
    }
}
