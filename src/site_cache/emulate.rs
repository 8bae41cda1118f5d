//! The mode `emulate`: configure runs its tests, since programs of the target run wherever the applet does.
//!
//! A program of the target is kept, which the config.site tries; and it is decided here what has to be so that it runs: nothing, or
//! a per-namespace binfmt_misc. That is tried before it is believed.

use super::render::Trial;
use crate::{
    call::Call,
    context::Context,
    export::ExportError,
    qemu,
    qemu::{native, private, private::NamespaceError},
};
use crossmerge_plan::{
    passes_on,
    plan::{Change, Changes, Plan, step::Step},
    report::Explain,
};
use crossmerge_system::{elf, exec, file};
use sha2::{Digest, Sha256};
use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// The directory of the program, in the target's state directory.
const DIRECTORY: &str = "trial";

/// The exit code of the program, chosen so that no emulator's and no shell's own is mistaken for it.
const EXIT_CODE: i32 = 43;

/// How long the compiler and the program may take; a slow machine under load takes a second.
const LIMITS: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(10)];

/// Where a sysroot may have its libc. When that changes, the program is made again.
const LIBC_DIRECTORIES: [&str; 5] = ["lib", "lib64", "lib32", "usr/lib", "usr/lib64"];
const LIBC_FILES: [&str; 3] = ["libc.so.6", "libc.so", "libc.a"];

/// What has to be for the target's programs to run.
#[derive(Debug, Default)]
pub struct Emulation {
    /// What QEMU reads from the environment.
    pub env: Changes,
    /// The steps to a binfmt_misc of our own; none where programs of the target run as it is.
    pub enter: Vec<Step>,
}

/// Why the target's programs do not run.
#[derive(Debug, thiserror::Error)]
pub enum NoEmulation {
    /// There is nothing to make a program with.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The program cannot be kept.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
    /// No program comes out of the compiler.
    #[error("`{compiler}` does not make a program", compiler = .0.display())]
    DoesNotCompile(PathBuf),
    /// There is no per-namespace binfmt_misc.
    #[error(transparent)]
    Private(#[from] NamespaceError),
    /// There is one, and the program does not run all the same.
    #[error("`{program}` does not run, with a binfmt_misc of its own{said}", program = .program.display())]
    DoesNotRun {
        /// The program.
        program: PathBuf,
        /// What it, or QEMU, said.
        said: String,
    },
}

impl Explain for NoEmulation {
    passes_on!(Export, Private);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unwritable(e) => {
                file::hint(e).unwrap_or_else(|| "make its directory writable for you".into())
            }
            Self::DoesNotCompile(_) => "it needs a libc in the sysroot first".into(),
            Self::DoesNotRun { .. } => {
                "look at the QEMU, and at the `cpu` of the target's file".into()
            }
            _ => return None,
        })
    }
}

/// The program that the config.site tries, made if it is not there, or the compiler or the libc is another than it was.
pub fn trial(call: &Call) -> Result<Trial, NoEmulation> {
    let facts = call.facts()?;
    let compiler = facts.compiler()?;
    let flags = facts.flags.words(&["CFLAGS", "LDFLAGS"]);
    let key = format!("{} {flags} {}", stamp(compiler), libc(&facts.sysroot));
    let hash = Sha256::digest(key.as_bytes());
    let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let directory = call.context.state_directory().join(DIRECTORY);
    let program = directory.join(hash);
    if !program.exists() {
        compile(compiler, &flags, &directory, &program)?;
    }
    Ok(Trial {
        program,
        exit_code: EXIT_CODE,
    })
}

/// Decides what has to be for the program to run, having tried it.
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
    let plan = |enter: &[Step]| Plan {
        program: trial.program.clone(),
        env: emulation.env.clone(),
        enter: enter.to_vec(),
        ..Plan::default()
    };
    let code = exec::try_within(&plan(&[]), LIMITS[1]).and_then(|status| status.code());
    if code == Some(trial.exit_code) {
        return Ok(emulation);
    }
    let steps = private::steps(context)?;
    let said = match exec::try_within(&plan(&steps), LIMITS[1]).map(|status| status.code()) {
        Some(Some(code)) if code == trial.exit_code => {
            emulation.enter = steps;
            return Ok(emulation);
        }
        None => format!(": it was stopped after {} seconds", LIMITS[1].as_secs()),
        // It has ended, so it will when it is asked why.
        Some(_) => match exec::query(&[plan(&steps)]) {
            Ok(outputs) => first_line(&outputs[0].stderr),
            Err(e) => format!(": {e}"),
        },
    };
    Err(NoEmulation::DoesNotRun {
        program: trial.program.clone(),
        said,
    })
}

/// The first line of what was said, behind a colon.
fn first_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    said.lines()
        .next()
        .map_or(String::new(), |line| format!(": {line}"))
}

/// Makes the program and puts it in its place, alone there. Whoever builds may run it.
fn compile(
    compiler: &Path,
    flags: &str,
    directory: &Path,
    program: &Path,
) -> Result<(), NoEmulation> {
    let new = file::temporary()?;
    let (source, made) = (new.path().join("trial.c"), new.path().join("trial"));
    fs_err::write(
        &source,
        format!("int main(void) {{ return {EXIT_CODE}; }}\n"),
    )?;
    let mut args: Vec<OsString> = vec![source.into(), "-o".into(), made.clone().into()];
    args.extend(flags.split_whitespace().map(OsString::from));
    let plan = Plan {
        program: compiler.into(),
        args,
        env: Changes::from([("TMPDIR".into(), Change::Set(new.path().into()))]),
        ..Plan::default()
    };
    let status = exec::try_within(&plan, LIMITS[0]);
    if !status.is_some_and(|status| status.success()) || !made.is_file() {
        return Err(NoEmulation::DoesNotCompile(compiler.into()));
    }
    file::put_program(program, &fs_err::read(&made)?)?;
    // Those of another compiler or libc. One that another run makes just now has a name with a dot.
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

/// Which file it is, and of when.
fn stamp(path: &Path) -> String {
    // The compiler's name may be a link of ours, or of a chooser of versions.
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

/// Which libc there is in a sysroot, and of when.
fn libc(sysroot: &Path) -> String {
    let directories = LIBC_DIRECTORIES
        .iter()
        .map(|directory| sysroot.join(directory));
    let files =
        directories.flat_map(|directory| LIBC_FILES.map(|file| directory.join(OsStr::new(file))));
    let there = files.filter(|file| file.exists());
    there.map(|file| stamp(&file)).collect::<Vec<_>>().join(" ")
}
