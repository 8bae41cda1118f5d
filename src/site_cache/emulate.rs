//! The mode `emulate`: configure runs its tests, if programs of the target run wherever the applet runs.
//!
//! A program of the target is compiled and kept, and the config.site runs it as a trial. This module decides what the
//! program needs to run: nothing, or a per-namespace binfmt_misc. It runs the program to confirm the decision.

use super::render::Trial;
use crate::{
    call::Call,
    context::Context,
    export::ExportError,
    probe::{self, ProbeDirectory, RUN_LIMIT},
    qemu::{
        self, native,
        private::{self, NamespaceError},
    },
};
use crossmerge_plan::{
    passes_on,
    plan::{Changes, Plan, step::Step},
    report::Explain,
};
use crossmerge_system::{elf, exec::ExecError, file};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The directory of the program, in the target's state directory.
const DIRECTORY: &str = "trial";

/// Where a sysroot may have its libc. If the libc changes, the program is compiled again.
const LIBC_DIRECTORIES: [&str; 5] = ["lib", "lib64", "lib32", "usr/lib", "usr/lib64"];
const LIBC_FILES: [&str; 3] = ["libc.so.6", "libc.so", "libc.a"];

/// The environment and the steps with which the target's programs run.
#[derive(Debug, Default)]
pub struct Emulation {
    /// The environment variables that QEMU reads.
    pub env: Changes,
    /// The steps to a per-namespace binfmt_misc; none if programs of the target run without it.
    pub enter: Vec<Step>,
}

/// Why the target's programs do not run.
#[derive(Debug, thiserror::Error)]
pub enum NoEmulation {
    /// There is no compiler or sysroot to make a program with.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The program cannot be stored.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
    /// The compiler fails.
    #[error("`{compiler}` cannot compile a program", compiler = .0.display())]
    DoesNotCompile(PathBuf),
    /// There is no per-namespace binfmt_misc.
    #[error(transparent)]
    Private(#[from] NamespaceError),
    /// The program does not run in spite of a per-namespace binfmt_misc.
    #[error("`{program}` does not run, even with a per-namespace binfmt_misc{message}", program = .program.display())]
    DoesNotRun {
        /// The program.
        program: PathBuf,
        /// The first line that the program or QEMU printed.
        message: String,
    },
}

impl Explain for NoEmulation {
    passes_on!(Export, Private);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unwritable(e) => {
                file::hint(e).unwrap_or_else(|| "make its directory writable for your user".into())
            }
            Self::DoesNotCompile(_) => "install a libc in the sysroot first".into(),
            Self::DoesNotRun { .. } => {
                "check the version of QEMU, and `cpu` in the target's file".into()
            }
            _ => return None,
        })
    }
}

/// Returns the program that the config.site tries. Compiles it if it is missing, or if the compiler or the libc has
/// changed.
pub fn trial(call: &Call) -> Result<Trial, NoEmulation> {
    let facts = call.facts()?;
    let compiler = facts.compiler()?;
    let flags = facts.flags.words(&["CFLAGS", "LDFLAGS"]);
    let exit_code = probe::EXIT_CODE;
    let key = format!(
        "{exit_code} {} {flags} {}",
        stamp(compiler),
        libc(&facts.sysroot)
    );
    let hash = Sha256::digest(key.as_bytes());
    let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let directory = call.context.state_directory().join(DIRECTORY);
    let program = directory.join(hash);
    if !program.exists() {
        compile(compiler, &flags, &directory, &program)?;
    }
    Ok(Trial { program, exit_code })
}

/// Decides what the program needs to run, and confirms it by running the program.
pub fn emulation(context: &Context, trial: &Trial) -> Result<Emulation, NoEmulation> {
    let sysroot = context.usable_sysroot().map_err(ExportError::from)?;
    let cpu = context.settings.cpu.as_ref();
    let is_native = elf::head(&trial.program).is_ok_and(|head| native::runs(&head));
    let environment = match is_native {
        true => qemu::variables,
        false => qemu::environment,
    };
    let mut emulation = Emulation {
        env: environment(context, &sysroot, cpu),
        ..Emulation::default()
    };
    let probes = ProbeDirectory::new()?;
    let run = |enter: &[Step]| {
        probes.run(Plan {
            program: trial.program.clone(),
            env: emulation.env.clone(),
            enter: enter.to_vec(),
            ..Plan::default()
        })
    };
    let works = |code: Option<i32>| code == Some(trial.exit_code);
    if run(&[]).is_ok_and(|output| works(output.status.code())) {
        return Ok(emulation);
    }
    let steps = private::steps(context)?;
    let message = match run(&steps) {
        Ok(output) if works(output.status.code()) => {
            emulation.enter = steps;
            return Ok(emulation);
        }
        Ok(output) => first_line(&output.stderr),
        Err(ExecError::TimedOut { .. }) => {
            format!(": it was stopped after {} seconds", RUN_LIMIT.as_secs())
        }
        Err(e) => format!(": {e}"),
    };
    Err(NoEmulation::DoesNotRun {
        program: trial.program.clone(),
        message,
    })
}

/// Returns the first line of output, after a colon.
fn first_line(output: &[u8]) -> String {
    let output = String::from_utf8_lossy(output);
    output
        .lines()
        .next()
        .map_or(String::new(), |line| format!(": {line}"))
}

/// Compiles the program and stores it. Any user may run it, since Portage may build as another user.
fn compile(
    compiler: &Path,
    flags: &str,
    directory: &Path,
    program: &Path,
) -> Result<(), NoEmulation> {
    let probes = ProbeDirectory::new()?;
    let source = probes.source("trial.c", &probe::exiting())?;
    let made = probes.join("trial");
    let compiled = probes.compile(probe::compiling(compiler, &source, &made, flags));
    if !compiled.is_ok_and(|output| output.status.success()) || !made.is_file() {
        return Err(NoEmulation::DoesNotCompile(compiler.into()));
    }
    file::put_program(program, &fs_err::read(&made)?)?;
    // Remove programs of another compiler or libc. One that another run is just writing has a name that begins with a
    // dot.
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let is_kept = path == program
            || path
                .file_name()
                .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_kept {
            file::remove(&path)?;
        }
    }
    Ok(())
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
