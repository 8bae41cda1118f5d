//! What a toolchain for a target needs: its packages and their USE flags, from `toolchains/classes.toml`. Pure.

use crossmerge_plan::{glob, tuple::Tuple};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr, sync::LazyLock};

/// The classes. The tests check that the file parses.
static CLASSES: LazyLock<Classes> = LazyLock::new(|| {
    toml::from_str(include_str!("../../toolchains/classes.toml")).expect("valid classes")
});

/// The value that removes a package.
const NONE: &str = "none";

/// A part of a toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    /// The kernel's headers.
    Kernel,
    /// On GNU/Hurd, Mach's interface generator.
    Kernel2,
    /// On GNU/Hurd, the Hurd.
    Kernel3,
    /// The C library.
    Libc,
    /// Assembler and linker.
    Binutils,
    /// The compiler.
    Gcc,
    /// The debugger.
    Gdb,
    /// With LLVM: the compiler's own library.
    Crt,
    /// With LLVM: the commands `<tuple>-clang`.
    Ccw,
    /// With LLVM: the runtime of the C++ library.
    Libcxxabi,
    /// With LLVM: the C++ library.
    Libcxx,
    /// With LLVM: the library that unwinds the stack.
    Libunwind,
}

impl Part {
    /// The parts of a GNU toolchain, in the order in which they are configured.
    pub(crate) const GNU: [Self; 7] = [
        Self::Kernel,
        Self::Kernel2,
        Self::Kernel3,
        Self::Libc,
        Self::Binutils,
        Self::Gcc,
        Self::Gdb,
    ];

    /// The parts of an LLVM toolchain, in the order in which they are configured.
    pub(crate) const LLVM: [Self; 9] = [
        Self::Kernel,
        Self::Kernel2,
        Self::Kernel3,
        Self::Libc,
        Self::Crt,
        Self::Ccw,
        Self::Libcxxabi,
        Self::Libcxx,
        Self::Libunwind,
    ];

    /// The libraries that clang of the same version compiles.
    pub(crate) const LLVM_LIBRARIES: [Self; 4] =
        [Self::Crt, Self::Libunwind, Self::Libcxxabi, Self::Libcxx];

    /// The parts by the names that users type.
    pub(crate) const NAMES: [(&str, Self); 10] = [
        ("binutils", Self::Binutils),
        ("gcc", Self::Gcc),
        ("kernel", Self::Kernel),
        ("libc", Self::Libc),
        ("gdb", Self::Gdb),
        ("crt", Self::Crt),
        ("ccw", Self::Ccw),
        ("libunwind", Self::Libunwind),
        ("libcxxabi", Self::Libcxxabi),
        ("libcxx", Self::Libcxx),
    ];

    /// Returns whether the part consists of the target's own files. All others run on the build machine.
    ///
    /// As in crossdev, `mig` and the Hurd count among the others.
    pub(crate) fn is_for_target(self) -> bool {
        matches!(self, Self::Kernel | Self::Libc)
    }
}

/// An ebuild: its category and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) struct Package {
    pub(crate) category: String,
    pub(crate) name: String,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.category, self.name)
    }
}

impl Package {
    /// Returns whether the package has versions with stable keywords.
    pub(crate) fn has_stable_versions(&self) -> bool {
        !CLASSES.without_stable.contains(&self.to_string())
    }
}

impl FromStr for Package {
    type Err = ();

    /// Parses `category/name`, with the characters that the Package Manager Specification allows (3.1.1, 3.1.2).
    fn from_str(text: &str) -> Result<Self, ()> {
        let (category, name) = text.split_once('/').ok_or(())?;
        let plain = |word: &str, more: &str| {
            let first = word.chars().next();
            first.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        match plain(category, "+_.-") && plain(name, "+_-") {
            true => Ok(Self {
                category: category.into(),
                name: name.into(),
            }),
            false => Err(()),
        }
    }
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    stage: u8,
    without_stable: Vec<String>,
    arches: Vec<String>,
    cpus: BTreeMap<String, OtherCpu>,
    packages: BTreeMap<Part, String>,
    build: BTreeMap<String, BuildNeeds>,
    class: Vec<Class>,
    /// LLVM's name of the code generator, by globs over the tuple.
    llvm_targets: BTreeMap<String, String>,
}

/// What the build of a package takes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BuildNeeds {
    /// The MiB in PORTAGE_TMPDIR.
    pub(crate) space: u64,
    /// The programs that it starts, besides those of every build.
    pub(crate) programs: Vec<String>,
}

/// A CPU without a family.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherCpu {
    arch: Option<String>,
    /// The rest of its tuple, if it is named alone.
    alone: Option<String>,
}

/// A section of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Class {
    tuple: Vec<String>,
    except: Vec<String>,
    packages: BTreeMap<Part, String>,
    #[serde(rename = "use")]
    flags: BTreeMap<Part, String>,
    mask: BTreeMap<Part, String>,
    force: BTreeMap<Part, String>,
    stage: Option<u8>,
    headers_first: Option<bool>,
    multilib: Option<bool>,
    multilib_forced: Option<bool>,
    abi: Option<String>,
    first_gcc: String,
    arch_suffix: Option<String>,
    directories: Vec<String>,
    links: BTreeMap<String, String>,
    abi_links: BTreeMap<String, String>,
    posix_threads: Option<PosixThreads>,
    refuse: Option<String>,
}

/// What POSIX threads need on a system that has others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PosixThreads {
    /// The USE flag of the libc that builds their library.
    pub(crate) libc: String,
    /// The option of GCC's configure script.
    pub(crate) gcc: String,
}

impl Class {
    fn contains(&self, tuple: &str) -> bool {
        let matches = |globs: &[String]| globs.iter().any(|glob| glob::matches(glob, tuple));
        matches(&self.tuple) && !matches(&self.except)
    }
}

/// The ARCH of a CPU for which there are no keywords.
const ANY_ARCH: &str = "*";

/// Returns what the build of a package takes, if that is known.
pub(crate) fn build_needs(package: &Package) -> &'static BuildNeeds {
    static NONE: BuildNeeds = BuildNeeds {
        space: 0,
        programs: Vec::new(),
    };
    CLASSES.build.get(&package.to_string()).unwrap_or(&NONE)
}

/// Removes the start of a category from the name of a target. Returns whether it was that of an LLVM toolchain.
pub(crate) fn without_category(name: &str) -> (String, bool) {
    match name.strip_prefix("cross_llvm-") {
        Some(name) => (name.into(), true),
        None => (name.strip_prefix("cross-").unwrap_or(name).into(), false),
    }
}

/// Reads the name of a target whose CPU has no family in `profiles/`. Returns `None` for every other name.
pub(crate) fn other_cpu(name: &str) -> Option<Tuple> {
    let tuple: Tuple = name.parse().ok()?;
    let cpu = CLASSES.cpus.get(tuple.cpu())?;
    match &cpu.alone {
        Some(rest) if tuple.cpu() == name => format!("{name}-{rest}").parse().ok(),
        _ => Some(tuple),
    }
}

/// USE flags of parts, in order.
pub(crate) type Flags = BTreeMap<Part, Vec<String>>;

/// What a toolchain for one target needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TargetClass {
    pub(crate) packages: BTreeMap<Part, Package>,
    /// USE flags.
    pub(crate) flags: Flags,
    /// Flags that the ebuild's user cannot set: `package.use.mask`.
    pub(crate) mask: Flags,
    /// Flags that the ebuild's user cannot unset: `package.use.force`.
    pub(crate) force: Flags,
    /// The last stage, from 0 to 4.
    pub(crate) stage: u8,
    /// Whether the first compiler needs the headers of the kernel and the libc.
    pub(crate) headers_first: bool,
    /// Whether the ebuilds install variants of the target's libraries.
    pub(crate) multilib: bool,
    /// Whether the ebuilds' user cannot choose that.
    pub(crate) multilib_forced: bool,
    /// The default ABI, if it is not that of the CPU.
    pub(crate) abi: Option<String>,
    /// Further flags of the first compiler.
    pub(crate) first_gcc: Vec<String>,
    /// The end of Portage's ARCH.
    pub(crate) arch_suffix: String,
    /// The directories of the sysroot.
    pub(crate) directories: Vec<String>,
    /// Symlinks in the sysroot, with their targets.
    pub(crate) links: BTreeMap<String, String>,
    /// The same for the default ABI, which `{abi}` stands for.
    pub(crate) abi_links: BTreeMap<String, String>,
    /// LLVM's name of the code generator.
    pub(crate) llvm_target: Option<String>,
    /// Whether there are other threads than POSIX ones, and what those need.
    pub(crate) posix_threads: Option<PosixThreads>,
    /// Why there is no toolchain for the target.
    pub(crate) refuse: Option<String>,
}

impl TargetClass {
    /// Collects the facts of the classes that contain the tuple.
    pub(crate) fn of(tuple: &Tuple) -> Self {
        let tuple = tuple.as_str();
        let mut facts = Self {
            stage: CLASSES.stage,
            ..Self::default()
        };
        facts.set_packages(&CLASSES.packages);
        for class in CLASSES.class.iter().filter(|class| class.contains(tuple)) {
            facts.add(class);
        }
        let llvm = CLASSES.llvm_targets.iter();
        facts.llvm_target = llvm
            .filter(|(glob, _)| glob::matches(glob, tuple))
            .map(|(_, name)| name.clone())
            .next();
        facts
    }

    /// Returns the ARCH whose keywords the packages need, and `*` if no ebuild has any for the CPU. `family` is the ARCH
    /// of the CPU's family.
    pub(crate) fn arch(&self, tuple: &Tuple, family: Option<&str>) -> String {
        let other = CLASSES
            .cpus
            .get(tuple.cpu())
            .and_then(|cpu| cpu.arch.as_deref());
        match other.or(family) {
            Some(arch) if CLASSES.arches.iter().any(|known| known == arch) => {
                format!("{arch}{}", self.arch_suffix)
            }
            _ => ANY_ARCH.into(),
        }
    }

    fn set_packages(&mut self, packages: &BTreeMap<Part, String>) {
        for (part, name) in packages {
            match name.as_str() {
                NONE => self.packages.remove(part),
                name => self
                    .packages
                    .insert(*part, name.parse().expect("a package")),
            };
        }
    }

    fn add(&mut self, class: &Class) {
        self.set_packages(&class.packages);
        append(&mut self.flags, &class.flags);
        append(&mut self.mask, &class.mask);
        append(&mut self.force, &class.force);
        self.stage = class.stage.unwrap_or(self.stage);
        self.headers_first = class.headers_first.unwrap_or(self.headers_first);
        self.multilib = class.multilib.unwrap_or(self.multilib);
        self.multilib_forced = class.multilib_forced.unwrap_or(self.multilib_forced);
        self.directories.extend(class.directories.iter().cloned());
        self.links.extend(class.links.clone());
        self.abi_links.extend(class.abi_links.clone());
        self.first_gcc.extend(words(&class.first_gcc));
        if let Some(suffix) = &class.arch_suffix {
            self.arch_suffix.clone_from(suffix);
        }
        if class.posix_threads.is_some() {
            self.posix_threads.clone_from(&class.posix_threads);
        }
        let or = |new: &Option<String>, old: &mut Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        or(&class.abi, &mut self.abi);
        or(&class.refuse, &mut self.refuse);
    }
}

/// Splits flags at white space.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}

fn append(flags: &mut Flags, more: &BTreeMap<Part, String>) {
    for (part, text) in more {
        flags.entry(*part).or_default().extend(words(text));
    }
}
