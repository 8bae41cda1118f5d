//! What a folder is a tree of, by its Makefile: the kernel, a module of it, U-Boot, OpenSBI or another that takes CROSS_COMPILE.
//!
//! It is told by the words that such a Makefile must have, not by its version or folders: those differ between releases, and
//! the packages that distributions make for building modules hold a part of the tree.

use super::KernelError;
use crate::file::read;
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// What is built from a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The Linux kernel, or what is needed of it for building modules.
    Linux,
    /// A module that lives outside the kernel's tree.
    Module,
    /// Das U-Boot.
    UBoot,
    /// RISC-V's firmware for supervisors.
    OpenSbi,
    /// Something else.
    Other,
}

/// A folder with a Makefile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// What it is of.
    pub kind: Kind,
    /// The top of the sources.
    pub source: PathBuf,
    /// Where make puts what it builds, and looks for `.config`.
    pub output: PathBuf,
    makefile: String,
}

/// The names that make looks for, in its order.
const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// No Makefile by hand is longer; what is behind it is not read. In bytes; Linux 6.1 has 71,000.
const MOST: u64 = 1 << 20;

impl Tree {
    /// Looks at the folder that make would work in; none when it has no Makefile. `output` is where make was told to build.
    pub fn at(
        directory: &Path,
        file: Option<&OsStr>,
        output: Option<PathBuf>,
    ) -> io::Result<Option<Self>> {
        let read = |name: &OsStr| read(&directory.join(name));
        let makefile = match file {
            Some(file) => read(file)?,
            None => {
                let mut found = None;
                for name in MAKEFILES {
                    found = found.or(read(name.as_ref())?);
                }
                found
            }
        };
        let Some(mut makefile) = makefile else {
            return Ok(None);
        };
        let mut source = directory.to_owned();
        // What a build elsewhere leaves behind leads back to the sources, and builds where it is.
        if let Some(named) = leads_to(&makefile).map(|top| directory.join(top))
            && let Some(text) = self::read(&named.join("Makefile"))?
        {
            (source, makefile) = (named, text);
        }
        let has_kbuild = directory.join("Kbuild").is_file();
        Ok(Some(Self {
            kind: Kind::of(&makefile, has_kbuild),
            output: output.unwrap_or_else(|| directory.to_owned()),
            source,
            makefile,
        }))
    }

    /// Tells whether the Makefile has a word in it, such as a variable that it may be given.
    pub fn knows(&self, word: &str) -> bool {
        has_word(&self.makefile, word)
    }

    /// Tells whether the tree has a folder for that ARCH, or for the one that its Makefile says it is a part of.
    pub fn has_arch(&self, arch: &str) -> bool {
        let folder = self.source.join("arch").join(self.source_arch(arch));
        !arch.is_empty() && folder.is_dir()
    }

    /// The folder of `arch/` for an ARCH: two that differ in the word size may share one.
    pub fn source_arch<'a>(&'a self, arch: &'a str) -> &'a str {
        source_arch(&self.makefile, arch)
    }
}

impl Kind {
    /// Tells it by the text of the Makefile, and by a file beside it that only kernel trees and modules have.
    fn of(makefile: &str, has_kbuild: bool) -> Self {
        let has = |word| has_word(makefile, word);
        // U-Boot's of 2015 had rules for modules from the kernel, whose Makefile it began as.
        if ["UBOOTVERSION", "UBOOTRELEASE", "U_BOOT_VERSION"]
            .into_iter()
            .any(has)
        {
            Self::UBoot
        } else if has("vmlinux") && has("INSTALL_MOD_PATH") {
            Self::Linux
        } else if has("OPENSBI_SRC_DIR") || has("OPENSBI_PLATFORM") {
            Self::OpenSbi
        } else if has("obj-m") || has_kbuild && !has("SRCARCH") {
            Self::Module
        } else {
            Self::Other
        }
    }

    /// Tells whether it is the kernel's own build that runs: for the kernel, or for a module.
    pub fn is_kernels(self) -> bool {
        matches!(self, Self::Linux | Self::Module)
    }
}

/// The kernel tree that a folder lies in, below its top.
pub fn top_above(directory: &Path) -> Result<Option<PathBuf>, KernelError> {
    for folder in std::path::absolute(directory)?.ancestors().skip(1) {
        if folder.join("Kbuild").is_file()
            && let Some(tree) = Tree::at(folder, None, None)?
            && tree.kind == Kind::Linux
        {
            return Ok(Some(folder.to_owned()));
        }
    }
    Ok(None)
}

/// Reads the beginning of a file; none when there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // What is no file (a pipe, a folder) has nothing to tell.
        _ => return Ok(None),
    }
    let bytes = read::head(path, MOST)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The top of the sources that a generated Makefile leads to: by `include TOP/Makefile`, before Linux 5.4 and in U-Boot by
/// `-C TOP`.
fn leads_to(makefile: &str) -> Option<&str> {
    /// Such a file has but a few lines.
    const LINES: usize = 40;
    if makefile.lines().count() > LINES {
        return None;
    }
    let included = makefile.lines().find_map(|line| {
        let path = line.strip_prefix("include ")?.trim();
        path.strip_suffix("/Makefile")
    });
    let is_generated = makefile
        .lines()
        .any(|line| line.starts_with("# Automatically generated by "));
    let mut words = makefile.split_whitespace();
    let called = || words.find(|word| *word == "-C").and_then(|_| words.next());
    included.or_else(|| is_generated.then(called).flatten())
}

/// Finds `ifeq ($(ARCH),NAME)` with `SRCARCH := FOLDER` behind it.
fn source_arch<'a>(makefile: &'a str, arch: &'a str) -> &'a str {
    let condition = format!("ifeq ($(ARCH),{arch})");
    let mut lines = makefile.lines();
    let found = lines
        .find(|line| line.trim() == condition)
        .and_then(|_| lines.next());
    let folder = found.and_then(|line| {
        let (name, folder) = line.split_once(":=")?;
        (name.trim() == "SRCARCH").then_some(folder.trim())
    });
    folder.unwrap_or(arch)
}

/// Tells whether a text has a word: what is before and behind it is no part of a name.
fn has_word(text: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        !before.is_some_and(is_name) && !behind.is_some_and(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: &str = "VERSION = 6\nKERNELVERSION = $(VERSION)\n\
        export INSTALL_MOD_PATH\nSRCARCH \t:= $(ARCH)\n\
        # Additional ARCH settings for x86\nifeq ($(ARCH),i386)\n        SRCARCH := x86\nendif\n\
        ifeq ($(ARCH),x86_64)\n        SRCARCH := x86\nendif\nall: vmlinux\n";

    #[test]
    fn a_makefile_tells_what_it_builds() {
        for (makefile, has_kbuild, kind) in [
            (LINUX, true, Kind::Linux),
            ("all: vmlinux", false, Kind::Other),
            // Of 2014: it has the kernel's rules for modules.
            (
                "UBOOTVERSION = x\nvmlinux INSTALL_MOD_PATH",
                true,
                Kind::UBoot,
            ),
            ("U_BOOT_VERSION = 2011", false, Kind::UBoot),
            ("UBOOTRELEASE = $(shell cat x)", true, Kind::UBoot),
            ("export OPENSBI_SRC_DIR=$(src_dir)", false, Kind::OpenSbi),
            ("obj-m := hello.o", false, Kind::Module),
            (
                "obj-m+=hello.o\nall:\n\tmake -C $(KDIR)",
                false,
                Kind::Module,
            ),
            ("all:\n\t$(MAKE) -C $(KDIR) M=$(PWD)", true, Kind::Module),
            ("obj-$(CONFIG_HELLO) += hello.o", false, Kind::Other),
            // Those that the kernel's build was taken over by have Kbuild files too.
            ("SRCARCH := $(ARCH)\nall: barebox.bin", true, Kind::Other),
            ("CC = $(CROSS_COMPILE)gcc", false, Kind::Other),
            ("", false, Kind::Other),
        ] {
            assert_eq!(
                Kind::of(makefile, has_kbuild),
                kind,
                "{makefile:?} {has_kbuild}"
            );
        }
    }

    #[test]
    fn words_are_whole() {
        for (text, word, has) in [
            ("CC = $(CROSS_COMPILE)gcc", "CROSS_COMPILE", true),
            ("CROSS_COMPILE_COMPAT", "CROSS_COMPILE", false),
            ("MY_CROSS_COMPILE = x CROSS_COMPILE", "CROSS_COMPILE", true),
            ("MY_CROSS_COMPILE", "CROSS_COMPILE", false),
            ("LLVM_IAS", "LLVM", false),
            ("ifneq ($(LLVM),)", "LLVM", true),
            ("", "LLVM", false),
        ] {
            assert_eq!(has_word(text, word), has, "{text:?} {word}");
        }
    }

    #[test]
    fn the_makefile_says_which_folder_an_arch_has() {
        for (makefile, arch, folder) in [
            (LINUX, "x86_64", "x86"),
            (LINUX, "i386", "x86"),
            (LINUX, "x86", "x86"),
            (LINUX, "arm", "arm"),
            (LINUX, "parisc64", "parisc64"),
            (
                "ifeq ($(ARCH),sparc64)\n       SRCARCH := sparc\nendif",
                "sparc64",
                "sparc",
            ),
            ("ifeq ($(ARCH),tile)\nFOO := x\n", "tile", "tile"),
            ("ifeq ($(ARCH),tile)", "tile", "tile"),
        ] {
            assert_eq!(source_arch(makefile, arch), folder, "{arch}");
        }
    }

    #[test]
    fn a_makefile_that_a_build_left_behind_leads_to_the_sources() {
        for (makefile, top) in [
            (
                "# Automatically generated by /usr/src/linux/Makefile: don't edit\ninclude /usr/src/linux/Makefile\n",
                Some("/usr/src/linux"),
            ),
            (
                "export KBUILD_OUTPUT = .\ninclude ../Makefile\n",
                Some(".."),
            ),
            (
                "# Automatically generated by /usr/src/linux-4.19/scripts/mkmakefile: don't edit\n\
                 MAKEARGS := -C /usr/src/linux-4.19\nMAKEARGS += O=$(CURDIR)\n",
                Some("/usr/src/linux-4.19"),
            ),
            (
                "# Automatically generated by /srv/u-boot/scripts/mkmakefile: don't edit\n\
                 __sub-make:\n\t$(Q)$(MAKE) -C /srv/u-boot O=$(CURDIR) $(MAKECMDGOALS)\n",
                Some("/srv/u-boot"),
            ),
            ("all:\n\t$(MAKE) -C $(KDIR) M=$(PWD)\n", None),
            ("include config.mk\nall:\n", None),
            ("all:\n", None),
        ] {
            assert_eq!(leads_to(makefile), top, "{makefile}");
        }
        let long = format!("{}include /usr/src/linux/Makefile\n", "x = y\n".repeat(100));
        assert_eq!(leads_to(&long), None);
    }
}
