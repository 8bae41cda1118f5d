//! What runs a target's programs on the host: nothing beside the kernel, or QEMU. Found by trying it.
//!
//! A program that does nothing is compiled for the target, linked with the target's libc, and run. So what is found is
//! known to work with the compiler and the sysroot as they are; nothing that could hang is waited for.

use crate::{context::Context, qemu, qemu::rule};
use crossmerge_plan::plan::{Change, Changes, Plan};
use crossmerge_system::{elf, exec, file};
use std::{ffi::OsString, path::Path, time::Duration};

/// The words that go before a program of the target; none where the kernel runs it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emulator(Vec<OsString>);

/// Why the target's programs do not run here.
#[derive(Debug, thiserror::Error)]
pub enum NoEmulator {
    /// There is nothing to try.
    #[error("there is no compiler to make a program with")]
    NoCompiler,
    /// No program is made to try one with.
    #[error("`{0}` does not make a program")]
    DoesNotCompile(String),
    /// No emulator has that CPU or system.
    #[error("QEMU has no user emulation for it")]
    NotEmulated,
    /// The emulator is not installed.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NotInstalled(String),
    /// It is installed, and what the compiler makes does not run under it.
    #[error("what `{compiler}` makes does not run under `{emulator}`")]
    DoesNotRun {
        /// The compiler.
        compiler: String,
        /// The last emulator that was tried.
        emulator: String,
    },
}

/// The exit code of the program, chosen so that no emulator's own is mistaken for it.
const EXIT_CODE: i32 = 42;

/// How long a compiler and an emulator may take; a slow machine under load takes a second.
const LIMITS: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(10)];

impl NoEmulator {
    /// Returns whether a user could do something about it, and so wants to hear of it.
    pub fn is_surprising(&self) -> bool {
        !matches!(self, Self::NoCompiler | Self::NotEmulated)
    }

    /// The sentence for a user.
    pub fn to_note(&self, tuple: &str) -> String {
        format!("nothing here runs programs of `{tuple}`: {self}")
    }
}

impl Emulator {
    /// The emulator and its options, as absolute paths.
    pub fn words(&self) -> &[OsString] {
        &self.0
    }

    /// Returns whether a word has a space in it, and so does not survive where words are split at spaces.
    pub fn has_spaces(&self) -> bool {
        let has_space = |word: &OsString| word.to_string_lossy().contains(char::is_whitespace);
        self.0.iter().any(has_space)
    }
}

/// Finds what runs the target's programs. `name` is QEMU's for it, `compiler` its C compiler, `flags` what that
/// needs to compile and link for it.
pub fn find(
    context: &Context,
    name: Option<&str>,
    compiler: Option<&Path>,
    flags: &str,
    sysroot: &Path,
) -> Result<Emulator, NoEmulator> {
    let compiler = compiler.ok_or(NoEmulator::NoCompiler)?;
    let named = || compiler.display().to_string();
    let failed = || NoEmulator::DoesNotCompile(named());
    let directory = file::temporary().map_err(|_| failed())?;
    let (source, program) = (directory.path().join("try.c"), directory.path().join("try"));
    let text = format!("int main(void) {{ return {EXIT_CODE}; }}\n");
    fs_err::write(&source, text).map_err(|_| failed())?;
    let run = |words: &[OsString], program: &Path, args: Vec<OsString>, limit| {
        let words = words.iter().cloned();
        let mut words = words.chain([program.into()]).chain(args);
        let plan = Plan {
            program: words.next().unwrap_or_default().into(),
            args: words.collect(),
            // What a compiler that had to be stopped left goes with the directory.
            env: Changes::from([("TMPDIR".into(), Change::Set(directory.path().into()))]),
            ..Plan::default()
        };
        exec::try_within(&plan, limit)
    };
    let mut args = vec![source.into(), "-o".into(), program.clone().into()];
    args.extend(flags.split_whitespace().map(OsString::from));
    let compiled = run(&[], compiler, args, LIMITS[0]);
    if !compiled.is_some_and(|status| status.success()) || !program.is_file() {
        return Err(failed());
    }
    let works = |words: &[OsString]| {
        let status = run(words, &program, Vec::new(), LIMITS[1]);
        status.and_then(|status| status.code()) == Some(EXIT_CODE)
    };
    if works(&[]) {
        return Ok(Emulator::default());
    }
    let name = name.ok_or(NoEmulator::NotEmulated)?;
    // Where the tuple leaves the ABI open, what the compiler made says which it is.
    let rules = rule::all(&context.config).unwrap_or_default();
    let header = elf::head(&program).unwrap_or_default();
    let name = rule::of_header(&rules, &header).map_or(name, |rule| &rule.qemu);
    let mut why = NoEmulator::NotInstalled(name.into());
    for path in qemu::programs(&context.env, name) {
        let emulator = path.file_name().unwrap_or_default().display().to_string();
        let mut words = vec![path.into(), "-L".into(), sysroot.into()];
        if let Some(cpu) = &context.settings.cpu {
            words.extend(["-cpu".into(), cpu.into()]);
        }
        if works(&words) {
            return Ok(Emulator(words));
        }
        let compiler = named();
        why = NoEmulator::DoesNotRun { compiler, emulator };
    }
    Err(why)
}
