//! Does a plan: the only place that starts a program.
//!
//! A plan with steps is entered by the process that becomes the program: this one for [`exec`], else a child that is us under one of
//! the names in `inner.rs`.

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
    process::{Child, Command, ExitCode, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs what one of those names asks for; none when we were called by another.
pub fn run_inner(argv0: &OsStr, args: &[OsString]) -> Option<Result<ExitCode, ExecError>> {
    match argv0.to_str()? {
        inner::ENTER => {
            Some(inner::parse(args).and_then(|plan| match exec(&plan, &Env::capture())? {}))
        }
        inner::INIT => Some(init::run(args)),
        inner::INSIDE => Some(init::enter(args).map(|never| match never {})),
        inner::IDS => Some(enter::tell_ids(args).map_err(ExecError::from)),
        _ => None,
    }
}

/// Returns whether we were started under one of those names.
pub fn is_inner(argv0: &OsStr) -> bool {
    [inner::ENTER, inner::INIT, inner::INSIDE, inner::IDS]
        .iter()
        .any(|name| argv0 == *name)
}

/// Writes the plan's files, where they do not say the same already.
pub fn write_files(plan: &Plan) -> Result<(), ExecError> {
    let mut files = plan.files.iter();
    files.try_for_each(|file| file::keep(&file.path, file.text.as_bytes()).map_err(ExecError::File))
}

/// The program as a child's command, which does the steps first.
fn child(plan: &Plan) -> Command {
    match plan.enter.as_slice() {
        [] => command(plan),
        _ => inner::command(inner::ENTER, plan),
    }
}

/// Writes the plan's files, does its steps and becomes the program; or stays, when the steps make it the first of a namespace of
/// processes, and ends as the program does. The environment is the one that the plan changes. Returns only when that fails.
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

/// Runs the program, and collects what it says on stdout; stdin and stderr are ours.
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

/// What a child says, all of it.
fn answer(plan: &Plan, child: io::Result<Child>) -> Result<Output, ExecError> {
    child
        .and_then(answer::collect)
        .map_err(|source| ExecError::new(plan, source))?
        .ok_or_else(|| ExecError::TooMuch(plan.program.clone()))
}

/// Runs the program, silent and without standard input, and says how it ended; none when it did not start, or not end
/// within the time.
pub fn try_within(plan: &Plan, limit: Duration) -> Option<ExitStatus> {
    const PAUSE: Duration = Duration::from_millis(2);
    let mut command = child(plan);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => thread::sleep(PAUSE),
            _ => {
                // It may have ended just now; either way it is gone after this.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Runs the program in a directory, without standard input, and collects what it says; none when it does not end within the time, and
/// then everything that it started is ended too.
pub fn run_within(
    plan: &Plan,
    directory: &Path,
    limit: Duration,
) -> Result<Option<Output>, ExecError> {
    const PAUSE: Duration = Duration::from_millis(2);
    // Not pipes: a program that fills one, or leaves it to a child, would not end.
    let place = file::temporary().map_err(ExecError::File)?;
    let said = |name| {
        let mut options = fs::File::options();
        let options = options.read(true).write(true).create_new(true);
        options
            .open(place.path().join(name))
            .map_err(ExecError::File)
    };
    let (mut stdout, mut stderr) = (said("stdout")?, said("stderr")?);
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
        // What it left behind goes too. There may be nothing.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let Some(status) = status else {
        let _ = child.wait();
        return Ok(None);
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
    Ok(Some(Output {
        status,
        stdout: read(&mut stdout)?,
        stderr: read(&mut stderr)?,
    }))
}

/// Starts a program that should not start, and gives the kernel's reason; none when it did start, and then it is stopped.
pub fn refusal(program: &Path) -> Option<io::Error> {
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
            // It may have ended just now; either way it is gone after this.
            let _ = child.kill();
            let _ = child.wait();
            None
        }
        Err(why) => Some(why),
    }
}

/// Runs the programs beside each other, without standard input, and collects what each one says, in their order.
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
    // Every child is waited for before the first failure is told.
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
    fn a_program_that_does_not_stop_talking_is_ended() {
        let plan = |script: &str| Plan {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            ..Plan::default()
        };
        for talks in ["exec yes", "exec yes >&2"] {
            let said = query(&[plan(talks), plan("echo a; echo b >&2; exit 3")]);
            assert!(matches!(said, Err(ExecError::TooMuch(_))), "{said:?}");
        }
        let said = query(&[plan("echo a; echo b >&2; exit 3")]).expect("an answer");
        let said = &said[0];
        assert_eq!(said.status.code(), Some(3));
        assert_eq!(
            (&said.stdout[..], &said.stderr[..]),
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
            let status = try_within(&plan, Duration::from_millis(500));
            status.and_then(|status| status.code())
        };
        let start = Instant::now();
        assert_eq!(run("exec sleep 1000"), None);
        assert!(start.elapsed() < Duration::from_secs(100));
        assert_eq!(run("exit 42"), Some(42));
        assert_eq!(run("kill -9 $$"), None);
    }
}
