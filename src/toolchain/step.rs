//! The steps of a build: one call of emerge each. Pure.

use super::{
    class::{Part, TargetClass},
    host::ToolchainHost,
    part::ToolchainPart,
    request::{Extra, ToolchainRequest},
    threads::{EXTRA_ECONF, ThreadOptions},
};
use std::{collections::BTreeMap, path::PathBuf};

/// What the first compiler lacks: languages and libraries that need a libc, or that no step uses before the second one.
const FIRST_GCC: &str =
    "-objc -objc++ -objc-gc -vtv -fortran -d -go -jit -cxx -openmp -sanitize -zstd -zlib";

/// What every compiler lacks.
const LAST_GCC: &str = "-objc -objc++ -objc-gc -vtv -sanitize";

/// One call of emerge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmergeStep {
    /// Its name, which is the end of its log's: `gcc-stage1`.
    pub(crate) name: String,
    /// What it builds, for the user: `gcc 15.3.0 (C)` without the version.
    pub(crate) purpose: &'static str,
    /// The name of the package in the toolchain's category.
    pub(crate) package: String,
    /// The package in the toolchain's category: `cross-<tuple>/gcc`.
    pub(crate) atom: String,
    /// Options of emerge.
    pub(crate) options: Vec<String>,
    /// USE. `None`: the environment's own.
    pub(crate) flags: Option<Vec<String>>,
    /// The flags for `package.use`, which Portage uses in every later run.
    pub(crate) kept_flags: Vec<String>,
    /// Further variables.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) log: PathBuf,
}

/// How emerge treats a package that is installed.
#[derive(Debug, Clone, Copy)]
enum Installed {
    /// It is left alone, unless there is a newer version.
    Update,
    /// Also if its USE flags differ.
    UpdateFlags,
    /// It is built again: it is a part of what this step makes.
    Again,
}

/// What is installed of the toolchain.
pub(crate) trait InstalledParts {
    /// Returns whether the installed package of this name consists of headers only.
    fn has_headers_only(&self, package: &str) -> bool;
}

/// Makes the list of steps.
struct Steps<'a> {
    request: &'a ToolchainRequest,
    host: &'a ToolchainHost,
    parts: &'a [ToolchainPart],
    installed: &'a dyn InstalledParts,
    /// Whether the flag `multilib` is set.
    multilib: bool,
    steps: Vec<EmergeStep>,
}

/// Lists the steps of a request. `multilib` is whether the flag `multilib` is set.
pub(crate) fn steps(
    request: &ToolchainRequest,
    host: &ToolchainHost,
    parts: &[ToolchainPart],
    installed: &dyn InstalledParts,
    class: &TargetClass,
    multilib: bool,
) -> Vec<EmergeStep> {
    let mut steps = Steps {
        request,
        host,
        parts,
        installed,
        multilib,
        steps: Vec::new(),
    };
    let stage = request.stage.unwrap_or(class.stage);
    if request.stages {
        match request.llvm {
            false => steps.gnu(stage, class),
            true => steps.llvm(stage),
        }
    }
    steps.extra();
    steps.steps
}

impl<'a> Steps<'a> {
    /// The stages of a GNU toolchain.
    fn gnu(&mut self, stage: u8, class: &TargetClass) {
        let threads = ThreadOptions::of(self.request, class);
        self.own(Part::Binutils, "", "assembler and linker");
        if stage < 1 {
            return;
        }
        if self.request.headers.unwrap_or(class.headers_first) {
            self.quick_headers();
        }
        let first = format!("{FIRST_GCC} {}", class.first_gcc.join(" "));
        self.add(
            Part::Gcc,
            "-stage1",
            "C compiler without libc",
            &first,
            Installed::Update,
            false,
        );
        if let Some(threads) = &threads {
            self.set_econf(&threads.first_gcc);
        }
        if stage < 2 {
            return;
        }
        self.kernel_headers();
        if stage < 3 {
            return;
        }
        self.libc();
        if stage < 4 {
            return;
        }
        if let Some(threads) = &threads {
            self.add(
                Part::Libc,
                "-threads",
                "POSIX threads",
                &threads.libc,
                Installed::UpdateFlags,
                false,
            );
        }
        self.add(
            Part::Gcc,
            "-stage2",
            "C and C++ compiler",
            LAST_GCC,
            Installed::UpdateFlags,
            false,
        );
        if let Some(threads) = &threads {
            self.set_econf(&threads.last_gcc);
        }
    }

    /// Sets the options for configure of the last step.
    fn set_econf(&mut self, options: &str) {
        if let Some(step) = self.steps.last_mut() {
            step.environment.insert(EXTRA_ECONF.into(), options.into());
        }
    }

    /// The stages of an LLVM toolchain.
    fn llvm(&mut self, stage: u8) {
        self.own(Part::Ccw, "", "the commands of clang");
        if stage < 1 {
            return;
        }
        self.quick_headers();
        self.add(
            Part::Crt,
            "",
            "the compiler's own library",
            "",
            Installed::Update,
            false,
        );
        if stage < 2 {
            return;
        }
        self.kernel_headers();
        if stage < 3 {
            return;
        }
        let libc = self.libc();
        if stage < 4 {
            return;
        }
        self.add(
            Part::Libunwind,
            "",
            "stack unwinding",
            "static-libs",
            libc,
            false,
        );
        self.add(Part::Libcxxabi, "", "C++ runtime", "", libc, false);
        self.add(Part::Libcxx, "", "C++ library", "", libc, false);
    }

    /// The headers of the kernel and of the libc, for a compiler that needs them before there is a libc.
    fn quick_headers(&mut self) {
        self.add(
            Part::Kernel,
            "-quick",
            "kernel headers",
            "headers-only",
            Installed::Update,
            false,
        );
        let flags = "-libraries headers-only";
        self.add(
            Part::Libc,
            "-headers",
            "libc headers",
            flags,
            Installed::Update,
            true,
        );
    }

    fn kernel_headers(&mut self) {
        let again = self.again(Part::Kernel);
        self.add(
            Part::Kernel,
            "-stage1",
            "kernel headers",
            "headers-only",
            again,
            false,
        );
        if self.part(Part::Kernel2).is_none() {
            return;
        }
        let again = self.again(Part::Kernel2);
        self.add(
            Part::Kernel2,
            "-stage1",
            "interface generator",
            "headers-only",
            again,
            false,
        );
        self.add(
            Part::Kernel,
            "-stage2",
            "Mach",
            "",
            Installed::Update,
            false,
        );
        let again = self.again(Part::Kernel3);
        self.add(
            Part::Kernel3,
            "-stage1",
            "headers of the Hurd",
            "headers-only",
            again,
            false,
        );
    }

    /// The libc. Returns how its step treated an installed one.
    fn libc(&mut self) -> Installed {
        let libc = self.again(Part::Libc);
        self.add(Part::Libc, "", "libc", "-libraries", libc, false);
        for (part, purpose) in [
            (Part::Kernel2, "interface generator"),
            (Part::Kernel3, "the Hurd"),
        ] {
            let again = self.again(part);
            self.add(part, "-stage2", purpose, "-headers-only", again, false);
        }
        libc
    }

    /// The packages after the stages.
    fn extra(&mut self) {
        for extra in &self.request.extra {
            match extra {
                Extra::Gcc => {
                    self.add(
                        Part::Gcc,
                        "-extra",
                        "compiler with your flags",
                        "",
                        Installed::UpdateFlags,
                        false,
                    );
                }
                Extra::Gdb => {
                    self.add(Part::Gdb, "", "debugger", "", Installed::UpdateFlags, false)
                }
                Extra::Package(package, _) => {
                    let parts = self.parts;
                    let asked =
                        |part: &&ToolchainPart| part.part.is_none() && part.package == *package;
                    if let Some(part) = parts.iter().find(asked) {
                        let kept = self.callers_flags(part);
                        self.push(part, "", "", None, kept, Installed::UpdateFlags, false);
                    }
                }
            }
        }
    }

    fn part(&self, part: Part) -> Option<&'a ToolchainPart> {
        self.parts.iter().find(|one| one.part == Some(part))
    }

    /// Returns whether a part is built again because only its headers are installed, or will be by an earlier step.
    fn again(&self, part: Part) -> Installed {
        let Some(part) = self.part(part) else {
            return Installed::Update;
        };
        let name = &part.package.name;
        let earlier = self.steps.iter().rev().find(|step| step.package == *name);
        let headers_only = match earlier {
            Some(step) => step.kept_flags.iter().any(|flag| flag == "headers-only"),
            None => self.installed.has_headers_only(name),
        };
        match headers_only {
            true => Installed::Again,
            false => Installed::Update,
        }
    }

    /// Returns the flags of a part, those of the caller, and `-selinux`: the target's policy is not the build machine's.
    fn callers_flags(&self, part: &ToolchainPart) -> Vec<String> {
        let own = part.flags.iter().chain(&self.host.flags).cloned();
        own.chain(["-selinux".into()]).collect()
    }

    /// Adds a step with the part's own flags alone.
    fn own(&mut self, part: Part, suffix: &str, purpose: &'static str) {
        if let Some(part) = self.part(part) {
            let flags = part.flags.clone();
            self.push(
                part,
                suffix,
                purpose,
                Some(flags.clone()),
                flags,
                Installed::Update,
                false,
            );
        }
    }

    /// Adds a step, if the toolchain has the part.
    fn add(
        &mut self,
        part: Part,
        suffix: &str,
        purpose: &'static str,
        more: &str,
        installed: Installed,
        without_dependencies: bool,
    ) {
        if let Some(part) = self.part(part) {
            let mut flags = self.callers_flags(part);
            flags.extend(super::class::words(more));
            self.push(
                part,
                suffix,
                purpose,
                Some(flags.clone()),
                flags,
                installed,
                without_dependencies,
            );
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of the step, called from two places"
    )]
    fn push(
        &mut self,
        part: &ToolchainPart,
        suffix: &str,
        purpose: &'static str,
        flags: Option<Vec<String>>,
        mut kept_flags: Vec<String>,
        installed: Installed,
        without_dependencies: bool,
    ) {
        let package = part.package.name.clone();
        let category = self.request.category();
        let name = format!("{package}{suffix}");
        let mut options = self.request.emerge_options.clone();
        let usual: &[&str] = match installed {
            Installed::Update => &["-u"],
            Installed::UpdateFlags => &["-u", "--newuse"],
            Installed::Again => &[],
        };
        options.extend(usual.iter().copied().map(str::to_owned));
        if without_dependencies {
            options.push("--nodeps".into());
        }
        kept_flags.push(match self.multilib {
            true => "multilib".into(),
            false => "-multilib".into(),
        });
        let mut environment = self.host.variables.clone();
        environment.insert("EMERGE_DEFAULT_OPTS".into(), "--quiet-build=n".into());
        environment.insert(
            "FEATURES".into(),
            format!("{} -stricter", self.host.features),
        );
        if self.request.llvm {
            let file = self.host.clang_settings(&self.request.tuple);
            environment.insert("CLANG_CROSS_CFG".into(), file.display().to_string());
            // Another version of the distribution's clang needs other wrappers and libraries.
            if let Some(clang) = &self.host.clang {
                environment.insert("CROSSMERGE_CLANG".into(), clang.display().to_string());
            }
        }
        self.steps.push(EmergeStep {
            log: self.host.logs.join(format!("{category}-{name}.log")),
            atom: format!("{category}/{package}"),
            name,
            purpose,
            package,
            options,
            flags,
            kept_flags,
            environment,
        });
    }
}
