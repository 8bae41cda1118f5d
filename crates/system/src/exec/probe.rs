//! Probes: small C programs, compiled for a target and run, which show what its compiler makes and whether the host runs
//! it.
//!
//! The programs are in a private directory, because another user must not be able to change one before it runs. That
//! directory is also the compiler's TMPDIR, so a compiler that is killed leaves no files elsewhere. Messages are those
//! of the C locale.

use super::{error::ExecError, run_within};
use crate::file::{self, Temporary};
use crossmerge_plan::plan::{Change, Plan, step::Step};
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

/// A program that needs no header and no library, and starts at `main` or at `_start`.
pub const BARE: &str = "int main(void) { return 0; }\nvoid _start(void) { main(); }\n";

/// The time limit of a compiler. Compilers and programs take a second, and more under QEMU or on a host under load.
const COMPILE_LIMIT: Duration = Duration::from_secs(120);
/// The time limit of a program.
pub const RUN_LIMIT: Duration = Duration::from_secs(60);

/// The directory of the sources and programs of probes. It is removed when it is dropped.
#[derive(Debug)]
pub struct ProbeDirectory(Temporary);

impl ProbeDirectory {
    /// Creates the directory.
    pub fn new() -> io::Result<Self> {
        file::temporary().map(Self)
    }

    /// Returns a path in the directory.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a source, and returns its path.
    pub fn source(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.join(name);
        fs_err::write(&path, text)?;
        Ok(path)
    }

    /// Runs a compiler.
    pub fn compile(&self, plan: Plan) -> Result<Output, ExecError> {
        run(plan, self.0.path(), COMPILE_LIMIT)
    }

    /// Runs a program, in an empty directory and in the locale in which configure scripts run their tests.
    pub fn run(&self, mut plan: Plan) -> Result<Output, ExecError> {
        let empty = file::temporary().map_err(ExecError::File)?;
        plan.env.insert("LANGUAGE".into(), Change::Set("C".into()));
        plan.enter.push(Step::Directory {
            path: empty.path().into(),
        });
        run(plan, empty.path(), RUN_LIMIT)
    }
}

fn run(mut plan: Plan, temporary: &Path, limit: Duration) -> Result<Output, ExecError> {
    plan.env.insert("LC_ALL".into(), Change::Set("C".into()));
    let temporary = Change::Set(temporary.into());
    plan.env.insert("TMPDIR".into(), temporary);
    run_within(&plan, limit)
}

/// Returns the plan that compiles and links a source. The flags are split at spaces.
pub fn compiling(compiler: &Path, source: &Path, out: &Path, flags: &str) -> Plan {
    let mut args: Vec<OsString> = vec![source.into(), "-o".into(), out.into()];
    args.extend(flags.split_whitespace().map(Into::into));
    Plan {
        program: compiler.into(),
        args,
        ..Plan::default()
    }
}

/// Returns the arguments that compile and link a source without any library.
pub fn link_bare(source: &Path, out: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-nostdlib", "-nostartfiles", "-o"].map(Into::into).into();
    args.extend([out.into(), source.into()]);
    args
}

/// Returns the plan that runs a program under an emulator, or natively if that has no words.
pub fn running(emulator: &[OsString], program: &Path) -> Plan {
    let mut words = emulator.iter().cloned().chain([program.into()]);
    Plan {
        program: words.next().unwrap_or_default().into(),
        args: words.collect(),
        ..Plan::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_prints_in_the_c_locale_and_leaves_its_files_in_the_directory() {
        let probes = ProbeDirectory::new().expect("a directory");
        let source = probes.source("compiler", "printf %s:%s $LC_ALL $TMPDIR");
        let plan = compiling(
            Path::new("/bin/sh"),
            &source.expect("a source"),
            Path::new("out"),
            "",
        );
        let output = probes.compile(plan).expect("an output");
        let wanted = format!("C:{}", probes.join("").display());
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            wanted.trim_end_matches('/')
        );
    }
}
