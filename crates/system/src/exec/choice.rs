//! Carries out the trials of a choice: see [`Choice`].

use super::{
    error::ExecError,
    native,
    probe::{self, ProbeDirectory, RUN_LIMIT},
};
use crate::file;
use crossmerge_plan::{
    env::Env,
    plan::{Alternative, Choice, EXIT_CODE, Note, Plan, SOURCE, Trial, TrialProgram},
    report,
};
use std::{
    convert::Infallible,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Output,
};

/// Carries out the plan's trials, and then the plan that they choose, as [`super::exec`] does.
pub fn exec(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    super::exec(decide(plan)?, env)
}

/// Carries out the trials of the plan, and returns the plan that they choose.
pub fn decide(mut plan: &Plan) -> Result<&Plan, ExecError> {
    while let Some(choice) = &plan.choice {
        match chosen(choice)? {
            Some(alternative) => plan = &alternative.plan,
            None => break,
        }
    }
    Ok(plan)
}

/// Returns the first alternative whose trial succeeds. If none does, prints the note and returns `None`.
fn chosen(choice: &Choice) -> Result<Option<&Alternative>, ExecError> {
    let made = match &choice.program {
        None => None,
        Some(program) => match make(program)? {
            Some(made) => Some(made),
            None => {
                print(program.note.as_ref(), "");
                return Ok(None);
            }
        },
    };
    let mut last = None;
    for alternative in &choice.alternatives {
        let succeeds = match (&alternative.trial, &made) {
            (Trial::Kernel { header, .. }, _) => native::kernel_runs(header),
            (trial, Some(made)) => {
                let output = made.run(trial);
                let succeeds = output.as_ref().is_ok_and(is_success);
                last = Some(output);
                succeeds
            }
            (_, None) => false,
        };
        if succeeds {
            return Ok(Some(alternative));
        }
    }
    print(choice.note.as_ref(), &last.map_or(String::new(), complaint));
    Ok(None)
}

fn print(note: Option<&Note>, message: &str) {
    if let Some(note) = note {
        report::line(&note.to_text(message));
    }
}

fn is_success(output: &Output) -> bool {
    output.status.code() == Some(EXIT_CODE.into())
}

/// Returns why a trial failed, after a colon: the first line that the program or its emulator printed.
fn complaint(output: Result<Output, ExecError>) -> String {
    match output {
        Ok(output) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let first = stderr.lines().next();
            first.map_or(String::new(), |line| format!(": {line}"))
        }
        Err(ExecError::TimedOut { .. }) => {
            format!(": it was stopped after {} seconds", RUN_LIMIT.as_secs())
        }
        // The program does not start, which the note states.
        Err(_) => String::new(),
    }
}

/// A compiled program, with the directory of its source.
#[derive(Debug)]
pub struct MadeProgram {
    path: PathBuf,
    directory: ProbeDirectory,
}

impl MadeProgram {
    /// Carries out a trial of the program, and returns whether it succeeds.
    pub fn runs(&self, trial: &Trial) -> bool {
        self.run(trial).is_ok_and(|output| is_success(&output))
    }

    fn run(&self, trial: &Trial) -> Result<Output, ExecError> {
        let (words, env, enter) = match trial {
            Trial::Program { words, env, enter } => (words.as_slice(), env.clone(), enter.clone()),
            Trial::Kernel { .. } => Default::default(),
        };
        self.directory.run(Plan {
            env,
            enter,
            ..probe::running(words, &self.path)
        })
    }
}

/// Compiles the program, unless it is kept and exists. Returns `None` if the compiler fails. Any user may run a kept
/// program, since Portage may build as another user.
pub fn make(program: &TrialProgram) -> Result<Option<MadeProgram>, ExecError> {
    let directory = ProbeDirectory::new().map_err(ExecError::File)?;
    if let Some(kept) = program.kept.as_ref().filter(|kept| kept.exists()) {
        let path = kept.clone();
        return Ok(Some(MadeProgram { path, directory }));
    }
    let source = directory.source("trial.c", SOURCE);
    let (source, mut path) = (source.map_err(ExecError::File)?, directory.join("trial"));
    let compiling = probe::compiling(&program.compiler, &source, &path, &program.flags);
    let compiled = directory.compile(compiling);
    if !compiled.is_ok_and(|output| output.status.success()) || !path.is_file() {
        return Ok(None);
    }
    if let Some(kept) = &program.kept {
        keep(kept, &path).map_err(ExecError::File)?;
        path = kept.clone();
    }
    Ok(Some(MadeProgram { path, directory }))
}

/// Copies a program to its place, and removes the other programs in that directory. One that another run is just
/// writing has a name that begins with a dot.
fn keep(kept: &Path, made: &Path) -> io::Result<()> {
    file::put_program(kept, &fs_err::read(made)?)?;
    for entry in fs_err::read_dir(kept.parent().unwrap_or(Path::new("/")))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or(OsStr::new("."));
        if path != kept && !name.as_encoded_bytes().starts_with(b".") {
            file::remove(&path)?;
        }
    }
    Ok(())
}
