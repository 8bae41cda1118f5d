//! The project in a directory with a Makefile: the kernel, a kernel module, U-Boot, OpenSBI or another project that
//! uses CROSS_COMPILE.
//!
//! The project is recognised by words that its Makefile must contain. Versions and directories are not reliable: they
//! differ between releases, and distributions' packages for building modules contain only a part of the tree.

use super::{
    makefile::{MAKEFILES, Makefile},
    text::{has_word, read},
};
use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// The project in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeKind {
    /// The Linux kernel, or the part of it that is needed for building modules.
    Linux,
    /// A kernel module outside the kernel's tree.
    Module,
    /// Das U-Boot.
    UBoot,
    /// OpenSBI, firmware for RISC-V.
    OpenSbi,
    /// Another project.
    Other,
}

/// A directory with a Makefile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The project.
    pub kind: TreeKind,
    /// The top of the sources.
    pub source: PathBuf,
    /// The directory of make's output, in which make also looks for `.config`.
    pub output: PathBuf,
    /// The kernel tree around the directory, if it is below the top of one.
    pub top: Option<PathBuf>,
    /// Whether the Makefile starts kbuild itself, so that the directory need not be the top of a tree.
    pub calls_kbuild: bool,
    /// Whether the tree has a module and a program for user space.
    pub is_mixed: bool,
    /// The text of the Makefile and of the files it includes, and of the Makefiles in subdirectories if these are
    /// needed to recognise the project.
    makefile: String,
    parsed: Makefile,
}

/// The number of levels of subdirectories that are searched.
const DEEPEST: usize = 3;

impl Tree {
    /// Reads the tree that make would work in. Returns `None` if the directory has no Makefile. `output` is the output
    /// directory in make's arguments or environment.
    pub fn at(
        directory: &Path,
        file: Option<&OsStr>,
        output: Option<PathBuf>,
    ) -> io::Result<Option<Self>> {
        Self::within(directory, file, output, DEEPEST)
    }

    fn within(
        directory: &Path,
        file: Option<&OsStr>,
        output: Option<PathBuf>,
        depth: usize,
    ) -> io::Result<Option<Self>> {
        let names = match file {
            Some(file) => vec![file],
            None => MAKEFILES.iter().map(OsStr::new).collect(),
        };
        let mut found = None;
        for name in names {
            let path = directory.join(name);
            if let Some(text) = read(&path)? {
                found = Some((path, text));
                break;
            }
        }
        let Some((mut path, mut makefile)) = found else {
            return Ok(None);
        };
        let mut source = directory.to_owned();
        // An output directory has a generated Makefile, which names the sources; make builds in the output directory.
        if let Some(named) = leads_to(&makefile).map(|top| directory.join(top))
            && let Some(text) = self::read(&named.join("Makefile"))?
        {
            path = named.join("Makefile");
            (source, makefile) = (named, text);
        }
        let mut tree = Self {
            kind: TreeKind::Other,
            output: output.unwrap_or_else(|| directory.to_owned()),
            source,
            top: None,
            calls_kbuild: false,
            is_mixed: false,
            parsed: Makefile::default(),
            makefile,
        };
        if let Some(kind) = TreeKind::of_top(&tree.makefile) {
            tree.kind = kind;
            return Ok(Some(tree));
        }
        tree.parsed = Makefile::parse(&tree.makefile);
        tree.parsed.include(&path, &mut tree.makefile)?;
        tree.top = top_above(&tree.source)?;
        tree.calls_kbuild = tree.parsed.calls_kbuild();
        if tree.parsed.is_own_kbuild() {
            return Ok(Some(tree));
        }
        let has = |name: &str| tree.source.join(name).is_file();
        let has_kbuild = has("Kbuild") && !tree.knows("SRCARCH");
        let is_of_dkms = has("dkms.conf") || has("dkms.conf.in");
        // In the kernel's tools, directories of modules and of programs are mixed. Only a list of objects shows a
        // module.
        let is_module = match tree.is_in_tools() {
            true => tree.parsed.has_objects(),
            false => {
                tree.calls_kbuild
                    || tree.parsed.asks_for_kbuild()
                    || tree.parsed.has_objects()
                    || has_kbuild
                    || is_of_dkms
            }
        };
        if is_module {
            tree.kind = TreeKind::Module;
        } else if depth > 0 && tree.top.is_none() {
            tree.search_below(depth)?;
        }
        Ok(Some(tree))
    }

    /// Reads the subdirectories in which the Makefile calls make. If one contains a module, the project is a module.
    fn search_below(&mut self, depth: usize) -> io::Result<()> {
        let (mut modules, mut others) = (false, false);
        for directory in self.parsed.directories(&self.source) {
            let Some(below) = Self::within(&directory, None, None, depth - 1)? else {
                continue;
            };
            match below.kind {
                TreeKind::Module => {
                    modules = true;
                    others |= below.is_mixed;
                }
                // A project with a kernel in a subdirectory is not part of that kernel.
                TreeKind::Linux | TreeKind::UBoot | TreeKind::OpenSbi => continue,
                TreeKind::Other => others |= below.knows(crossmerge_plan::env::CROSS_COMPILE.name),
            }
            self.makefile.push('\n');
            self.makefile.push_str(&below.makefile);
        }
        if modules {
            self.kind = TreeKind::Module;
            self.calls_kbuild = true;
            self.is_mixed = others || self.knows(crossmerge_plan::env::CROSS_COMPILE.name);
        }
        Ok(())
    }

    /// Returns whether the directory is one of the kernel's tools, which run in user space.
    pub fn is_in_tools(&self) -> bool {
        let within = || {
            let source = std::path::absolute(&self.source).ok()?;
            let within = source.strip_prefix(self.top.as_ref()?).ok()?.to_owned();
            Some(within.starts_with("tools"))
        };
        within().unwrap_or(false)
    }

    /// Returns whether the Makefile overrides an environment variable, other than by a value that the caller gave.
    pub fn replaces(&self, name: &str, is_given: &dyn Fn(&str) -> bool) -> bool {
        self.parsed.replaces(name, is_given)
    }

    /// Returns whether the Makefile contains a word, such as the name of a variable.
    pub fn knows(&self, word: &str) -> bool {
        has_word(&self.makefile, word)
    }

    /// Returns whether the tree has a directory for that ARCH, or for the one that the Makefile maps it to.
    pub fn has_arch(&self, arch: &str) -> bool {
        let directory = self.source.join("arch").join(self.source_arch(arch));
        !arch.is_empty() && directory.is_dir()
    }

    /// Returns the directory of `arch/` for an ARCH: two that differ in the word size may share one.
    pub fn source_arch<'a>(&'a self, arch: &'a str) -> &'a str {
        source_arch(&self.makefile, arch)
    }
}

impl TreeKind {
    /// Recognises the top of a known project by the text of its Makefile. Returns `None` for any other Makefile.
    fn of_top(makefile: &str) -> Option<Self> {
        let has = |word| has_word(makefile, word);
        // U-Boot's Makefile began as a copy of the kernel's. That of 2015 still had rules for modules.
        if ["UBOOTVERSION", "UBOOTRELEASE", "U_BOOT_VERSION"]
            .into_iter()
            .any(has)
        {
            Some(Self::UBoot)
        } else if has("vmlinux") && has("INSTALL_MOD_PATH") {
            Some(Self::Linux)
        } else if has("OPENSBI_SRC_DIR") || has("OPENSBI_PLATFORM") {
            Some(Self::OpenSbi)
        } else {
            None
        }
    }

    /// Returns whether kbuild builds it: the kernel, or a module.
    pub fn is_kernels(self) -> bool {
        matches!(self, Self::Linux | Self::Module)
    }
}

/// Returns the kernel tree around a directory that is below its top.
pub fn top_above(directory: &Path) -> io::Result<Option<PathBuf>> {
    for above in std::path::absolute(directory)?.ancestors().skip(1) {
        if above.join("Kbuild").is_file()
            && let Some(text) = read(&above.join("Makefile"))?
            && TreeKind::of_top(&text) == Some(TreeKind::Linux)
        {
            return Ok(Some(above.to_owned()));
        }
    }
    Ok(None)
}

/// Returns the top of the sources that a generated Makefile names: by `include TOP/Makefile`; before Linux 5.4 and in
/// U-Boot by `-C TOP`.
fn leads_to(makefile: &str) -> Option<&str> {
    /// The most lines that a generated Makefile has.
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

/// Finds `ifeq ($(ARCH),NAME)` with `SRCARCH := DIRECTORY` in the next line.
fn source_arch<'a>(makefile: &'a str, arch: &'a str) -> &'a str {
    let condition = format!("ifeq ($(ARCH),{arch})");
    let mut lines = makefile.lines();
    let found = lines
        .find(|line| line.trim() == condition)
        .and_then(|_| lines.next());
    let directory = found.and_then(|line| {
        let (name, directory) = line.split_once(":=")?;
        (name.trim() == "SRCARCH").then_some(directory.trim())
    });
    directory.unwrap_or(arch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const LINUX: &str = "VERSION = 6\nKERNELVERSION = $(VERSION)\n\
        export INSTALL_MOD_PATH\nSRCARCH \t:= $(ARCH)\n\
        # Additional ARCH settings for x86\nifeq ($(ARCH),i386)\n        SRCARCH := x86\nendif\n\
        ifeq ($(ARCH),x86_64)\n        SRCARCH := x86\nendif\nall: vmlinux\n";

    /// Returns the tree in a new directory with these files.
    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        let tree = Tree::at(directory.path(), None, None).expect("readable");
        (directory, tree.expect("a Makefile"))
    }

    #[test]
    fn a_makefile_shows_its_project() {
        for (makefile, has_kbuild, kind) in [
            (LINUX, true, TreeKind::Linux),
            ("all: vmlinux", false, TreeKind::Other),
            // The Makefile of 2014, which still has the kernel's rules for modules.
            (
                "UBOOTVERSION = x\nvmlinux INSTALL_MOD_PATH",
                true,
                TreeKind::UBoot,
            ),
            ("U_BOOT_VERSION = 2011", false, TreeKind::UBoot),
            ("UBOOTRELEASE = $(shell cat x)", true, TreeKind::UBoot),
            (
                "export OPENSBI_SRC_DIR=$(src_dir)",
                false,
                TreeKind::OpenSbi,
            ),
            ("obj-m := hello.o", false, TreeKind::Module),
            (
                "obj-m+=hello.o\nall:\n\tmake -C $(KDIR)",
                false,
                TreeKind::Module,
            ),
            (
                "all:\n\t$(MAKE) -C $(KDIR) M=$(PWD)",
                true,
                TreeKind::Module,
            ),
            (
                "all:\n\t$(MAKE) -C $(KDIR) M=$(PWD)/src",
                false,
                TreeKind::Module,
            ),
            ("obj-$(CONFIG_HELLO) += hello.o", false, TreeKind::Module),
            (
                "ifdef KERNELRELEASE\ninclude objects\nendif",
                false,
                TreeKind::Module,
            ),
            // Projects that took over the kernel's build system have Kbuild files too.
            (
                "SRCARCH := $(ARCH)\nall: barebox.bin",
                true,
                TreeKind::Other,
            ),
            // busybox, shortened.
            (
                "VERSION = 1\nPATCHLEVEL = 35\nSUBLEVEL = 0\nifdef SUBDIRS\nKBUILD_EXTMOD ?= $(SUBDIRS)\nendif\nifeq ($(KBUILD_EXTMOD),)\nendif\nCC = $(CROSS_COMPILE)gcc",
                true,
                TreeKind::Other,
            ),
            ("CC = $(CROSS_COMPILE)gcc", false, TreeKind::Other),
            (
                "CC = $(CROSS_COMPILE)gcc\nobj-y += x.o\nx: $(obj-y)\n\t$(CC) -o $@ $^",
                false,
                TreeKind::Other,
            ),
            ("", false, TreeKind::Other),
        ] {
            let kbuild = has_kbuild.then_some(("Kbuild", ""));
            let files: Vec<_> = [("Makefile", makefile)].into_iter().chain(kbuild).collect();
            assert_eq!(tree(&files).1.kind, kind, "{makefile:?} {has_kbuild}");
        }
    }

    #[test]
    fn a_module_is_recognised_by_the_files_beside_and_below_its_makefile() {
        const OBJECTS: &str = "obj-m := x.o";
        const PROGRAM: &str = "CC = $(CROSS_COMPILE)gcc\n";
        const HANDS_ON: &str =
            "all:\n\tfor d in $(DIRS); do $(MAKE) -C $$d; done\nDIRS = driver tool/\n";
        for (files, kind, is_mixed) in [
            (
                vec![("GNUmakefile", OBJECTS), ("Makefile", "all:")],
                TreeKind::Module,
                false,
            ),
            (
                vec![("makefile", OBJECTS), ("Makefile", "all:")],
                TreeKind::Module,
                false,
            ),
            (
                vec![
                    ("Makefile", "include $(src)/common.mk"),
                    ("common.mk", "obj-$(X) += x.o"),
                ],
                TreeKind::Module,
                false,
            ),
            (
                vec![
                    ("Makefile", "all:\n\techo"),
                    ("dkms.conf", "PACKAGE_NAME=x"),
                ],
                TreeKind::Module,
                false,
            ),
            (
                vec![
                    ("Makefile", "all:\n\t$(MAKE) -C driver"),
                    ("driver/Makefile", OBJECTS),
                ],
                TreeKind::Module,
                false,
            ),
            (
                vec![
                    ("Makefile", HANDS_ON),
                    ("driver/Makefile", OBJECTS),
                    ("tool/Makefile", PROGRAM),
                ],
                TreeKind::Module,
                true,
            ),
            (
                vec![("Makefile", HANDS_ON), ("tool/Makefile", PROGRAM)],
                TreeKind::Other,
                false,
            ),
            (
                vec![
                    ("Makefile", "all:\n\techo driver"),
                    ("driver/Makefile", OBJECTS),
                ],
                TreeKind::Other,
                false,
            ),
        ] {
            let tree = tree(&files).1;
            assert_eq!((tree.kind, tree.is_mixed), (kind, is_mixed), "{files:?}");
        }
    }

    #[test]
    fn only_whole_words_are_found() {
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
    fn the_makefile_states_the_directory_of_an_arch() {
        for (makefile, arch, directory) in [
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
            assert_eq!(source_arch(makefile, arch), directory, "{arch}");
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
