//! How the host runs a target's programs: natively, or under QEMU. Found by trying it.
//!
//! An empty program is compiled for the target, linked with the target's libc, and run. So the result is known to
//! work with the compiler and the sysroot as they are. Each step has a time limit.

use crate::{
    context::Context,
    probe::{self, ProbeDirectory},
    qemu::{self, rule},
};
use crossmerge_system::elf;
use std::{ffi::OsString, path::Path};

/// The words that precede a program of the target on a command line. Empty if the kernel runs it natively.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emulator(Vec<OsString>);

/// Why the host cannot run the target's programs.
#[derive(Debug, thiserror::Error)]
pub enum NoEmulator {
    /// There is no compiler.
    #[error("there is no compiler to make a program with")]
    NoCompiler,
    /// The compiler does not make a program.
    #[error("`{0}` does not make a program")]
    DoesNotCompile(String),
    /// QEMU does not emulate the CPU or the system.
    #[error("QEMU has no user emulation for it")]
    NotEmulated,
    /// QEMU is not installed.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NotInstalled(String),
    /// QEMU is installed, and the program does not run under it.
    #[error("programs of `{compiler}` do not run under `{emulator}`")]
    DoesNotRun {
        /// The compiler.
        compiler: String,
        /// The last emulator that was tried.
        emulator: String,
    },
}

impl NoEmulator {
    /// Returns whether the user can fix it, so that a note is useful.
    pub fn is_surprising(&self) -> bool {
        !matches!(self, Self::NoCompiler | Self::NotEmulated)
    }

    /// Returns the note for the user.
    pub fn to_note(&self, tuple: &str) -> String {
        format!("the host cannot run programs of `{tuple}`: {self}")
    }
}

impl Emulator {
    /// Returns the emulator and its options, as absolute paths.
    pub fn words(&self) -> &[OsString] {
        &self.0
    }

    /// Returns whether a word has a space in it, so that it does not survive splitting at spaces.
    pub fn has_spaces(&self) -> bool {
        let has_space = |word: &OsString| word.to_string_lossy().contains(char::is_whitespace);
        self.0.iter().any(has_space)
    }
}

/// Finds the emulator of a target. `name` is QEMU's name of the CPU, `compiler` the target's C compiler, and `flags`
/// the options that it needs to compile and link.
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
    let probes = ProbeDirectory::new().map_err(|_| failed())?;
    let source = probes.source("try.c", &probe::exiting());
    let (source, program) = (source.map_err(|_| failed())?, probes.join("try"));
    let compiled = probes.compile(probe::compiling(compiler, &source, &program, flags));
    if !compiled.is_ok_and(|output| output.status.success()) || !program.is_file() {
        return Err(failed());
    }
    let works = |words: &[OsString]| {
        let output = probes.run(probe::running(words, &program));
        output.is_ok_and(|output| output.status.code() == Some(probe::EXIT_CODE))
    };
    if works(&[]) {
        return Ok(Emulator::default());
    }
    let name = name.ok_or(NoEmulator::NotEmulated)?;
    // If the tuple leaves the ABI open, the compiler's program decides.
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
