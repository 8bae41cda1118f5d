//! The kernel's `.config`: which ARCH it was made for, and whether the goals of make read it.

use super::{
    text,
    tree::{Tree, TreeKind},
};
use crossmerge_plan::{
    env::{self, Variable},
    glob,
};
use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

/// Goals that replace the `.config`. Source: `make help` of Linux 6.1.
const REPLACING: [&str; 5] = [
    "defconfig",
    "*_defconfig",
    "all*config",
    "tinyconfig",
    "randconfig",
];

/// Goals that read no `.config`. Source: `no-dot-config-targets` in Linux's Makefile.
const WITHOUT_CONFIG: [&str; 17] = [
    "*clean",
    "mrproper",
    "cscope",
    "gtags",
    "TAGS",
    "tags",
    "help*",
    "*docs",
    "check*",
    "coccicheck",
    "headers",
    "headers_*",
    "arch*headers",
    "kernelversion",
    "*src-pkg",
    "outputmakefile",
    "rust*",
];

/// Goals that read the `.config` and need no compiler. Source: `no-compiler-targets` in Linux's Makefile;
/// `ubootversion` is U-Boot's.
const WITHOUT_COMPILER: [&str; 7] = [
    "install",
    "zinstall",
    "dtbs_install",
    "modules_install",
    "kernelrelease",
    "image_name",
    "ubootversion",
];

/// Goals that write to a directory of the target, with the variable that names it. Source: `make help` of Linux 6.1
/// and of its `arch/`. `headers_install` uses another variable.
const INSTALLING: [(&str, Variable); 4] = [
    ("modules_install", env::INSTALL_MOD_PATH),
    ("dtbs_install", env::INSTALL_PATH),
    ("?install", env::INSTALL_PATH),
    ("install", env::INSTALL_PATH),
];

/// The machine that a `.config` of the kernel was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredArch {
    /// The ARCH of the make that wrote the file.
    pub arch: String,
    is_64bit: bool,
}

impl ConfiguredArch {
    /// Reads the file. Returns `None` if it does not exist or does not name an ARCH.
    pub fn read(config: &Path) -> io::Result<Option<Self>> {
        Ok(text::read(config)?.as_deref().and_then(Self::of))
    }

    /// Finds the ARCH in the text. Returns `None` if the text has none, as in a file that a user wrote.
    fn of(config: &str) -> Option<Self> {
        let mut comments = config.lines().take_while(|line| line.starts_with('#'));
        let heading = comments.find_map(|line| line.strip_prefix("# Linux/"))?;
        Some(Self {
            arch: heading.split_whitespace().next()?.into(),
            is_64bit: config.lines().any(|line| line == "CONFIG_64BIT=y"),
        })
    }

    /// Returns whether make with that ARCH builds for the machine of the file.
    ///
    /// Some CPUs have one ARCH for each word size, such as `i386` and `x86_64`, and another that takes the word size
    /// from the file, such as `x86`. A native make uses the latter by default.
    pub fn fits(&self, arch: &str, tree: &Tree) -> bool {
        if self.arch == arch {
            return true;
        }
        let directory = tree.source_arch(arch);
        directory == tree.source_arch(&self.arch)
            && (directory == arch || self.is_64bit == arch.ends_with("64"))
    }
}

/// Returns whether make reads an existing `.config`.
pub fn is_read_by(goals: &[OsString]) -> bool {
    let first = goals.iter().find(|goal| !fits(goal, &WITHOUT_CONFIG));
    match first {
        Some(first) => !fits(first, &REPLACING),
        None => goals.is_empty(),
    }
}

/// Returns whether a goal needs the target's compiler. menuconfig of the kernel and of U-Boot does: it tests what the
/// compiler supports.
pub fn needs_compiler(goals: &[OsString]) -> bool {
    let needs = |goal: &OsString| !fits(goal, &WITHOUT_CONFIG) && !fits(goal, &WITHOUT_COMPILER);
    goals.is_empty() || goals.iter().any(needs)
}

/// Returns whether a goal of a kernel tree builds programs for the target: the kernel's tools and tests.
pub fn is_of_tools(goal: &OsStr) -> bool {
    fits(goal, &["tools/*", "kselftest", "kselftest-*"])
}

/// Returns the variable that names the directory a goal installs to. Returns `None` if the goal installs nothing. A
/// module's own `install` is `modules_install`.
pub fn place_of(goal: &OsStr, kind: TreeKind) -> Option<Variable> {
    let installing = INSTALLING.iter().find(|(glob, _)| fits(goal, &[glob]));
    installing.map(|(_, place)| match kind {
        TreeKind::Module => env::INSTALL_MOD_PATH,
        _ => *place,
    })
}

fn fits(goal: &OsStr, globs: &[&str]) -> bool {
    let goal = goal.to_string_lossy();
    globs.iter().any(|glob| glob::matches(glob, &goal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arch: &str, symbols: &str) -> String {
        format!(
            "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/{arch} 6.1.0 Kernel Configuration\n#\n{symbols}\n"
        )
    }

    #[test]
    fn a_config_names_its_arch_in_its_heading() {
        for (text, arch) in [
            (config("arm", "CONFIG_ARM=y"), Some("arm")),
            (config("x86_64", ""), Some("x86_64")),
            // The heading in older kernels.
            ("#\n# Automatically generated make config: don't edit\n# Linux/mips 2.6.39 Kernel Configuration\n".into(), Some("mips")),
            ("#\n# Automatically generated file; DO NOT EDIT.\n# U-Boot 2023.01 Configuration\n".into(), None),
            ("CONFIG_ARM=y\n# Linux/arm of a user\n".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(ConfiguredArch::of(&text).map(|made| made.arch).as_deref(), arch, "{text}");
        }
    }

    #[test]
    fn a_config_fits_the_arch_it_was_made_for_and_its_other_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let rule = |arch: &str, directory: &str| {
            format!("ifeq ($(ARCH),{arch})\n SRCARCH := {directory}\nendif\n")
        };
        let makefile = [
            ("i386", "x86"),
            ("x86_64", "x86"),
            ("sparc64", "sparc"),
            ("parisc64", "parisc"),
        ];
        let makefile: String = makefile
            .iter()
            .map(|(arch, directory)| rule(arch, directory))
            .collect();
        std::fs::write(directory.path().join("Makefile"), makefile).expect("a file");
        let tree = Tree::at(directory.path(), None, None)
            .expect("a tree")
            .expect("a tree");
        let (wide, narrow) = ("CONFIG_64BIT=y", "# CONFIG_64BIT is not set");
        for (made_for, symbols, arch, fits) in [
            ("arm", "", "arm", true),
            ("x86", wide, "arm", false),
            ("arm", "", "arm64", false),
            ("arm64", wide, "arm", false),
            ("x86_64", wide, "x86_64", true),
            ("x86", wide, "x86_64", true),
            ("x86", narrow, "x86_64", false),
            ("x86", narrow, "i386", true),
            ("x86", wide, "i386", false),
            ("i386", "", "x86_64", false),
            ("x86_64", wide, "i386", false),
            ("i386", "", "x86", true),
            ("sparc", wide, "sparc64", true),
            ("sparc64", wide, "sparc", true),
            ("parisc", "", "parisc64", false),
            ("um", wide, "x86_64", false),
        ] {
            let made = ConfiguredArch::of(&config(made_for, symbols)).expect(made_for);
            assert_eq!(made.fits(arch, &tree), fits, "{made_for} {symbols} {arch}");
        }
    }

    #[test]
    fn goals_that_install_have_a_variable_for_the_directory() {
        for (goal, kind, place) in [
            ("modules_install", TreeKind::Linux, Some("INSTALL_MOD_PATH")),
            ("install", TreeKind::Linux, Some("INSTALL_PATH")),
            ("zinstall", TreeKind::Linux, Some("INSTALL_PATH")),
            ("dtbs_install", TreeKind::Linux, Some("INSTALL_PATH")),
            ("install", TreeKind::Module, Some("INSTALL_MOD_PATH")),
            ("headers_install", TreeKind::Linux, None),
            ("zImage", TreeKind::Linux, None),
        ] {
            let found = place_of(goal.as_ref(), kind).map(|place| place.name);
            assert_eq!(found, place, "{goal} {kind:?}");
        }
    }

    #[test]
    fn goals_that_replace_a_config_or_need_none_are_permitted() {
        for (goals, reads, compiles) in [
            ("", true, true),
            ("zImage", true, true),
            ("menuconfig", true, true),
            ("olddefconfig", true, true),
            ("oldconfig all", true, true),
            ("savedefconfig", true, true),
            ("kvm_guest.config", true, true),
            ("defconfig", false, true),
            ("multi_v7_defconfig", false, true),
            ("vendor/board_defconfig zImage", false, true),
            ("tinyconfig", false, true),
            ("allnoconfig", false, true),
            ("allmodconfig", false, true),
            ("randconfig", false, true),
            ("mrproper", false, false),
            ("distclean", false, false),
            ("mrproper defconfig all", false, true),
            ("mrproper all", true, true),
            ("clean", false, false),
            ("clean zImage", true, true),
            ("zImage defconfig", true, true),
            ("help", false, false),
            ("htmldocs", false, false),
            ("headers_install", false, false),
            ("kernelversion", false, false),
            ("modules_install", true, false),
            ("modules_install install", true, false),
            ("modules modules_install", true, true),
            ("dtbs", true, true),
        ] {
            let words: Vec<OsString> = goals
                .split(' ')
                .filter(|g| !g.is_empty())
                .map(Into::into)
                .collect();
            assert_eq!(
                (is_read_by(&words), needs_compiler(&words)),
                (reads, compiles),
                "{goals}"
            );
        }
    }
}
