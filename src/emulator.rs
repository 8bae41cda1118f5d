//! How the host runs a target's programs: natively, or under QEMU. Found by trying it.
//!
//! An empty program is compiled for the target, linked with the target's libc, and run. So the result is known to
//! work with the compiler and the sysroot as they are. A command tries at once ([`find`]); a plan has the trials as
//! data ([`Candidates`]), which are carried out before the tool starts.

use crate::{
    context::Context,
    qemu::{self, rule},
    target::Target,
};
use crossmerge_plan::plan::{Note, Trial, TrialProgram};
use crossmerge_system::exec::choice;
use std::{ffi::OsString, path::Path};

/// The words that precede a program of the target on a command line. Empty if the kernel runs it natively.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emulator(Vec<OsString>);

/// The emulators that may run a target's programs.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    /// The program with which they are tried.
    pub(crate) program: TrialProgram,
    /// The emulators, in order of preference. The first is none at all.
    pub(crate) emulators: Vec<Emulator>,
    /// Why there is none, if none of them works.
    pub(crate) otherwise: NoEmulator,
}

/// Why the host cannot run the target's programs.
#[derive(Debug, Clone, thiserror::Error)]
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

    /// Returns the trial of this emulator.
    pub(crate) fn trial(&self) -> Trial {
        Trial::Program {
            words: self.0.clone(),
            env: crossmerge_plan::plan::Changes::new(),
            enter: Vec::new(),
        }
    }
}

impl Candidates {
    /// Finds the emulators that may run the target's programs, and starts none. `compiler` is the target's C compiler,
    /// and `flags` the options that it needs to compile and link.
    pub(crate) fn of(
        context: &Context,
        target: &Target,
        compiler: Option<&Path>,
        flags: &str,
        sysroot: &Path,
    ) -> Result<Self, NoEmulator> {
        let compiler = compiler.ok_or(NoEmulator::NoCompiler)?;
        let named = compiler.display().to_string();
        let rules = rule::all(&context.config).unwrap_or_default();
        // If the tuple leaves the ABI open, the compiler decides for which of these its programs are.
        let others = rules
            .iter()
            .filter(|rule| rule.is_of(target))
            .map(|rule| &rule.qemu);
        let others = others.filter(|qemu| Some(*qemu) != target.qemu.as_ref());
        let names = target.qemu.iter().chain(others);
        let mut emulators = vec![Emulator::default()];
        let mut otherwise = match &target.qemu {
            None => NoEmulator::NotEmulated,
            Some(qemu) => NoEmulator::NotInstalled(qemu.clone()),
        };
        for path in names.flat_map(|qemu| qemu::programs(&context.env, qemu)) {
            otherwise = NoEmulator::DoesNotRun {
                compiler: named.clone(),
                emulator: path.file_name().unwrap_or_default().display().to_string(),
            };
            let mut words = vec![path.into(), "-L".into(), sysroot.into()];
            if let Some(cpu) = &context.settings.cpu {
                words.extend(["-cpu".into(), cpu.into()]);
            }
            emulators.push(Emulator(words));
        }
        Ok(Self {
            program: TrialProgram {
                compiler: compiler.into(),
                flags: flags.into(),
                kept: None,
                note: None,
            },
            emulators,
            otherwise,
        })
    }

    /// Returns the notes for a compiler that fails, and for no emulator that works. `None` if the user could not fix it.
    pub(crate) fn notes(&self, tuple: &str) -> (Option<Note>, Option<Note>) {
        let note = |why: &NoEmulator| {
            why.is_surprising().then(|| Note {
                text: why.to_note(tuple),
                hint: None,
            })
        };
        (note(&self.does_not_compile()), note(&self.otherwise))
    }

    fn does_not_compile(&self) -> NoEmulator {
        NoEmulator::DoesNotCompile(self.program.compiler.display().to_string())
    }

    /// Tries them, and returns the first that works.
    fn find(self) -> Result<Emulator, NoEmulator> {
        let Some(made) = choice::make(&self.program).ok().flatten() else {
            return Err(self.does_not_compile());
        };
        let works = |emulator: &Emulator| made.runs(&emulator.trial());
        let found = self.emulators.into_iter().find(works);
        found.ok_or(self.otherwise)
    }
}

/// Finds the emulator of a target by trying. `compiler` is the target's C compiler, and `flags` the options that it
/// needs to compile and link.
pub fn find(
    context: &Context,
    target: &Target,
    compiler: Option<&Path>,
    flags: &str,
    sysroot: &Path,
) -> Result<Emulator, NoEmulator> {
    Candidates::of(context, target, compiler, flags, sysroot)?.find()
}
