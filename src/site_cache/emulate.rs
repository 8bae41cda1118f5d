//! The mode `emulate`: configure runs its tests, if programs of the target run wherever the applet runs.
//!
//! A program of the target is compiled and kept, and the config.site runs it as a trial. A plan has the same program in
//! its own trials, which decide what it needs to run: nothing, or a per-namespace binfmt_misc.

use super::render;
use crate::{
    call::Call,
    context::{Context, ContextError},
    export::ExportError,
    qemu::{
        self,
        native::Native,
        private::{self, NamespaceError},
        rule,
    },
};
use crossmerge_plan::{
    passes_on,
    plan::{EXIT_CODE, Note, Trial, TrialProgram, step::Step},
    report::Explain,
    words::hex,
};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The directory of the program, in the target's state directory.
const DIRECTORY: &str = "trial";

/// Where a sysroot may have its libc. If the libc changes, the program is compiled again.
const LIBC_DIRECTORIES: [&str; 5] = ["lib", "lib64", "lib32", "usr/lib", "usr/lib64"];
const LIBC_FILES: [&str; 3] = ["libc.so.6", "libc.so", "libc.a"];

/// The trials that show what the target's programs need to run.
#[derive(Debug)]
pub struct Emulation {
    /// The program.
    pub program: TrialProgram,
    /// The trials, in order.
    pub trials: Vec<Trial>,
    /// The note that is printed if none succeeds.
    pub note: Note,
}

/// Why the target's programs do not run.
#[derive(Debug, thiserror::Error)]
pub enum NoEmulation {
    /// There is no compiler or sysroot to make a program with.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The compiler fails.
    #[error("`{compiler}` cannot compile a program", compiler = .0.display())]
    DoesNotCompile(PathBuf),
    /// There is no per-namespace binfmt_misc.
    #[error(transparent)]
    Private(#[from] NamespaceError),
    /// The program does not run in spite of a per-namespace binfmt_misc.
    #[error("`{program}` does not run, even with a per-namespace binfmt_misc", program = .0.display())]
    DoesNotRun(PathBuf),
}

impl Explain for NoEmulation {
    passes_on!(Export, Private);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::DoesNotCompile(_) => "install a libc in the sysroot first".into(),
            Self::DoesNotRun(_) => {
                "check the version of QEMU, and `cpu` in the target's file".into()
            }
            _ => return None,
        })
    }
}

/// What needs the target's programs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// The tests of configure.
    Configure,
    /// pkg_postinst.
    Postinst,
}

impl NoEmulation {
    /// Returns the note for the user.
    pub(super) fn to_note(&self, context: &Context, purpose: Purpose) -> Note {
        let tuple = &context.tuple;
        let instead = match purpose {
            Purpose::Configure => "configure gets answers",
            Purpose::Postinst => "a pkg_postinst may fail",
        };
        Note {
            text: format!("{instead}, since programs of `{tuple}` do not run on this host: {self}"),
            hint: Some(self.hint().unwrap_or_default()),
        }
    }
}

/// Returns the program that the config.site tries. Its path changes with the compiler and the libc.
pub(super) fn program(call: &Call) -> Result<TrialProgram, NoEmulation> {
    let facts = call.facts()?;
    let compiler = facts.compiler()?;
    let flags = facts.flags.words(&["CFLAGS", "LDFLAGS"]);
    let key = format!(
        "{EXIT_CODE} {} {flags} {}",
        stamp(compiler),
        libc(&facts.sysroot)
    );
    let hash = Sha256::digest(key.as_bytes());
    let hash = hex(&hash[..8]);
    let directory = call.context.state_directory().join(DIRECTORY);
    Ok(TrialProgram {
        compiler: compiler.into(),
        flags,
        kept: Some(directory.join(hash)),
        note: None,
    })
}

/// Returns the trial that the config.site makes.
pub(super) fn trial(program: TrialProgram) -> Option<render::Programs> {
    Some(render::Programs::ForConfigure(render::Trial {
        program: program.kept?,
        exit_code: EXIT_CODE.into(),
    }))
}

/// Decides on the trials: the program alone, then with a per-namespace binfmt_misc.
pub(super) fn emulation(call: &Call, purpose: Purpose) -> Result<Emulation, NoEmulation> {
    let context = call.context;
    let mut program = program(call)?;
    let why = NoEmulation::DoesNotCompile(program.compiler.clone());
    program.note = Some(why.to_note(context, purpose));
    let sysroot = context.usable_sysroot().map_err(ExportError::from)?;
    let cpu = context.settings.cpu.as_ref();
    let environment = match is_native(context)? {
        true => qemu::variables,
        false => qemu::environment,
    };
    let trial = |enter: Vec<Step>| Trial::Program {
        words: Vec::new(),
        env: environment(context, &sysroot, cpu),
        enter,
    };
    let mut trials = vec![trial(Vec::new())];
    let path = program.kept.clone().unwrap_or_default();
    let why = match private::steps(context) {
        Ok(steps) => {
            trials.extend((!steps.is_empty()).then(|| trial(steps)));
            NoEmulation::DoesNotRun(path)
        }
        Err(why) => why.into(),
    };
    Ok(Emulation {
        program,
        trials,
        note: why.to_note(context, purpose),
    })
}

/// Returns whether the kernel is known to run the target's programs itself.
fn is_native(context: &Context) -> Result<bool, ExportError> {
    let target = context.target()?;
    let rules = rule::all(&context.config).map_err(ContextError::from)?;
    let mut own = rules.iter().filter(|rule| rule.is_of(&target));
    Ok(own.any(|rule| Native::of(&rules, &rule.magic) == Native::Yes))
}

/// Identifies a file and its last change.
fn stamp(path: &Path) -> String {
    // The compiler may be a symlink from crossmerge or from a tool that selects versions.
    let file = path.canonicalize().unwrap_or_else(|_| path.into());
    match file.metadata() {
        Ok(data) => format!(
            "{} {} {}.{}",
            file.display(),
            data.ino(),
            data.mtime(),
            data.mtime_nsec()
        ),
        Err(_) => file.display().to_string(),
    }
}

/// Identifies the libc in a sysroot and its last change.
fn libc(sysroot: &Path) -> String {
    let directories = LIBC_DIRECTORIES
        .iter()
        .map(|directory| sysroot.join(directory));
    let files =
        directories.flat_map(|directory| LIBC_FILES.map(|file| directory.join(OsStr::new(file))));
    let existing = files.filter(|file| file.exists());
    existing
        .map(|file| stamp(&file))
        .collect::<Vec<_>>()
        .join(" ")
}
