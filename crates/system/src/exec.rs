//! Carries out plans. This is the only code that starts programs.
//!
//! The steps of a plan are carried out by the process that then executes the program: by this process for [`exec`],
//! otherwise by a child process that runs crossmerge under one of the names in `inner.rs`.
//!
//! # Errors
//!
//! Functions fail with an [`ExecError`] if a file of the plan cannot be written, if a step fails, if the program does not
//! start, or if it prints more than [`ANSWER`] bytes on one stream. A program that ends with an exit code other than 0
//! is no error.

mod answer;
mod enter;
mod error;
mod image;
mod init;
mod inner;
mod printed;
mod start;
mod writable;

pub use enter::EnterError;
pub use printed::PrintedPath;

use crate::{file, file::read::ANSWER};
use crossmerge_plan::{
    env::Env,
    plan::{Plan, step::Step},
};
pub use error::ExecError;
use image::{become_program, image_of};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use start::command;
use std::{
    convert::Infallible,
    ffi::{OsStr, OsString},
    fs,
    io::{self, Read, Seek},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitCode, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs an internal entry point (see `inner.rs`). Returns `None` if `argv0` is not the name of one.
pub fn run_inner(argv0: &OsStr, args: &[OsString]) -> Option<Result<ExitCode, ExecError>> {
    match argv0.to_str()? {
        inner::ENTER => {
            Some(inner::parse(args).and_then(|plan| match exec(&plan, &Env::capture())? {}))
        }
        inner::INIT => Some(init::run(args)),
        inner::INSIDE => Some(init::enter(args).map(|never| match never {})),
        inner::IDS => Some(enter::write_ids(args).map_err(ExecError::from)),
        _ => None,
    }
}

/// Returns whether `argv0` is the name of an internal entry point.
pub fn is_inner(argv0: &OsStr) -> bool {
    [inner::ENTER, inner::INIT, inner::INSIDE, inner::IDS]
        .iter()
        .any(|name| argv0 == *name)
}

/// Writes the plan's files, except those that already have the same content.
pub fn write_files(plan: &Plan) -> Result<(), ExecError> {
    let mut files = plan.files.iter();
    files.try_for_each(|file| file::keep(&file.path, file.text.as_bytes()).map_err(ExecError::File))
}

/// Returns the command of a child process that carries out the steps and then executes the program.
fn child(plan: &Plan) -> Command {
    match plan.enter.as_slice() {
        [] => command(plan),
        _ => inner::command(inner::ENTER, plan),
    }
}

/// Writes the plan's files, carries out its steps and executes the program. If the steps enter a PID namespace, this
/// process waits for the program instead and ends with its exit code. The plan's changes apply to `env`. Returns only
/// if it fails.
pub fn exec(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    write_files(plan)?;
    if let Some((Step::Namespaces(namespaces), rest)) = plan.enter.split_first()
        && namespaces.processes
    {
        let rest = Plan {
            enter: rest.to_vec(),
            files: Vec::new(),
            ..plan.clone()
        };
        return init::supervise(namespaces, &rest);
    }
    enter::all(&plan.enter, None)?;
    become_program(plan, env)
}

/// Runs the program and returns its output. It inherits stdin and stderr.
pub fn capture(plan: &Plan, env: &Env) -> Result<Output, ExecError> {
    if !plan.enter.is_empty() {
        let child = child(plan).stdout(Stdio::piped()).spawn();
        return answer(plan, child);
    }
    let running = image_of(plan, env).and_then(|image| image.start());
    running
        .and_then(image::Running::collect)
        .map_err(|source| ExecError::new(plan, source))?
        .ok_or_else(|| ExecError::TooMuch(plan.program.clone()))
}

/// Returns the output of a child process.
fn answer(plan: &Plan, child: io::Result<Child>) -> Result<Output, ExecError> {
    child
        .and_then(answer::collect)
        .map_err(|source| ExecError::new(plan, source))?
        .ok_or_else(|| ExecError::TooMuch(plan.program.clone()))
}

/// Runs the program in a directory, with stdin on `/dev/null`, and returns its output. If it does not end
/// within the time, it is killed. Processes of its group that it leaves behind are killed too.
pub fn run_within(plan: &Plan, directory: &Path, limit: Duration) -> Result<Output, ExecError> {
    const PAUSE: Duration = Duration::from_millis(2);
    // Files instead of pipes: a program that fills a pipe, or whose child keeps it open, would not end.
    let place = file::temporary().map_err(ExecError::File)?;
    let create = |name| {
        let mut options = fs::File::options();
        let options = options.read(true).write(true).create_new(true);
        options
            .open(place.path().join(name))
            .map_err(ExecError::File)
    };
    let (mut stdout, mut stderr) = (create("stdout")?, create("stderr")?);
    let mut command = child(plan);
    command
        .current_dir(directory)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().map_err(ExecError::File)?)
        .stderr(stderr.try_clone().map_err(ExecError::File)?);
    let mut child = command
        .spawn()
        .map_err(|source| ExecError::new(plan, source))?;
    let end = Instant::now() + limit;
    let status = loop {
        match child.try_wait().map_err(ExecError::File)? {
            Some(status) => break Some(status),
            None if Instant::now() < end => thread::sleep(PAUSE),
            None => break None,
        }
    };
    if let Ok(id) = i32::try_from(child.id()) {
        // Kills processes that it left behind. An error means that there are none.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let Some(status) = status else {
        let _ = child.wait();
        return Err(ExecError::TimedOut {
            path: plan.program.clone(),
            limit,
        });
    };
    let read = |file: &mut fs::File| {
        let mut bytes = Vec::new();
        file.rewind().map_err(ExecError::File)?;
        let read = file.take(ANSWER + 1).read_to_end(&mut bytes);
        read.map_err(ExecError::File)?;
        match bytes.len() as u64 > ANSWER {
            true => Err(ExecError::TooMuch(plan.program.clone())),
            false => Ok(bytes),
        }
    };
    Ok(Output {
        status,
        stdout: read(&mut stdout)?,
        stderr: read(&mut stderr)?,
    })
}

/// Starts a program and returns the kernel's error. Returns `None` if the program did start, and kills it.
pub fn start_error(program: &Path) -> Option<io::Error> {
    let plan = Plan {
        program: program.into(),
        ..Plan::default()
    };
    let mut command = command(&plan);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => {
            // An error means that it has ended just now.
            let _ = child.kill();
            let _ = child.wait();
            None
        }
        Err(why) => Some(why),
    }
}

/// Runs the programs in parallel, with stdin on `/dev/null`, and returns their outputs in the order of the plans.
pub fn query(plans: &[Plan]) -> Result<Vec<Output>, ExecError> {
    let started: Vec<_> = plans
        .iter()
        .map(|plan| {
            let mut command = child(plan);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.spawn()
        })
        .collect();
    // All children are waited for before the first failure is returned.
    let answers: Vec<_> = started
        .into_iter()
        .zip(plans)
        .map(|(child, plan)| answer(plan, child))
        .collect();
    answers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_prints_too_much_is_killed() {
        let plan = |script: &str| Plan {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            ..Plan::default()
        };
        for endless in ["exec yes", "exec yes >&2"] {
            let result = query(&[plan(endless), plan("echo a; echo b >&2; exit 3")]);
            assert!(matches!(result, Err(ExecError::TooMuch(_))), "{result:?}");
        }
        let outputs = query(&[plan("echo a; echo b >&2; exit 3")]).expect("an output");
        let output = &outputs[0];
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            (&output.stdout[..], &output.stderr[..]),
            (&b"a\n"[..], &b"b\n"[..])
        );
        let much = plan("yes | head -c 9000000; yes | head -c 9000000 >/dev/null");
        let much = capture(&much, &Env::capture()).expect("an answer");
        assert_eq!(much.stdout.len(), 9_000_000);
    }

    #[test]
    fn a_program_that_does_not_end_is_not_waited_for() {
        let run = |script: &str| {
            let plan = Plan {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), script.into()],
                env: crossmerge_plan::plan::Changes::new(),
                ..Plan::default()
            };
            run_within(&plan, Path::new("/"), Duration::from_millis(500))
        };
        let start = Instant::now();
        for endless in [
            "exec sleep 1000",
            "sleep 1000; :",
            "trap '' TERM; sleep 1000",
        ] {
            let result = run(endless);
            assert!(
                matches!(result, Err(ExecError::TimedOut { .. })),
                "{result:?}"
            );
        }
        assert!(start.elapsed() < Duration::from_secs(100));
        let code = |script: &str| run(script).expect("an output").status.code();
        assert_eq!(code("exit 42"), Some(42));
        assert_eq!(code("kill -9 $$"), None);
        // The child keeps the output open.
        assert_eq!(code("sleep 1000 & exit 3"), Some(3));
    }
}
