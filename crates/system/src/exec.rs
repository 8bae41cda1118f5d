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
//!
//! # Long work
//!
//! A [`Job`] runs beside this process and ends with it, together with all processes that it starts. [`Interrupts`]
//! turns SIGINT, SIGTERM and SIGHUP into data, and [`wait_for`] waits for both.

mod child;
pub mod choice;
mod enter;
mod error;
mod image;
mod init;
mod inner;
mod interrupts;
mod job;
pub mod native;
mod printed;
pub mod probe;
mod start;
mod tree;
mod writable;

pub use enter::EnterError;
pub use interrupts::{Interrupts, wait_for};
pub use job::{Job, JobEnd};
pub use printed::PrintedPath;

use crate::file;
use child::{Child, Killed, Limit};
use crossmerge_plan::{
    env::Env,
    plan::{Plan, step::Step},
};
pub use error::ExecError;
use image::{Pinned, Streams, become_program};
use std::{
    convert::Infallible,
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::{ExitCode, Output},
    time::Duration,
};

/// Runs an internal entry point (see `inner.rs`). Returns `None` if `argv0` is not the name of one.
pub fn run_inner(argv0: &OsStr, args: &[OsString]) -> Option<Result<ExitCode, ExecError>> {
    match argv0.to_str()? {
        inner::ENTER => {
            Some(inner::parse(args).and_then(|plan| match carry_out(&plan, &Env::capture())? {}))
        }
        inner::INIT => Some(init::run(args)),
        inner::INSIDE => Some(init::enter(args).map(|never| match never {})),
        inner::IDS => Some(enter::write_ids(args).map_err(ExecError::from)),
        inner::TREE => Some(tree::run(args)),
        _ => None,
    }
}

/// Returns whether `argv0` is the name of an internal entry point.
pub fn is_inner(argv0: &OsStr) -> bool {
    [
        inner::ENTER,
        inner::INIT,
        inner::INSIDE,
        inner::IDS,
        inner::TREE,
    ]
    .iter()
    .any(|name| argv0 == *name)
}

/// Writes the plan's files, except those that already have the same content.
pub fn write_files(plan: &Plan) -> Result<(), ExecError> {
    let mut files = plan.files.iter();
    files.try_for_each(|file| file::keep(&file.path, file.text.as_bytes()).map_err(ExecError::File))
}

/// Writes the plan's files, carries out its steps and executes the program. If the steps enter a PID namespace, this
/// process waits for the program instead and ends with its exit code. The plan's changes apply to `env`. Returns only
/// if it fails. Its trials have been carried out: see [`choice`].
pub fn exec(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    write_files(plan)?;
    writable::warn_of(plan);
    carry_out(plan, env)
}

/// Carries out the steps and executes the program.
fn carry_out(plan: &Plan, env: &Env) -> Result<Infallible, ExecError> {
    if let Some((Step::Namespaces(namespaces), rest)) = plan.enter.split_first()
        && namespaces.processes
    {
        let rest = Plan {
            enter: rest.to_vec(),
            files: Vec::new(),
            choice: None,
            ..plan.clone()
        };
        return init::supervise(namespaces, &rest, env);
    }
    // Without steps, the pages with their code are not brought into memory.
    if !plan.enter.is_empty() {
        enter::all(&plan.enter, None)?;
    }
    become_program(plan, env)
}

/// Starts a child process that carries out the steps and then executes the program.
fn start(plan: &Plan, env: &Env, streams: &Streams, leads: bool) -> io::Result<Child> {
    writable::warn_of(plan);
    inner::image(plan, env)?.start(streams, leads)
}

/// Waits for a child process and returns its output.
fn output(plan: &Plan, child: io::Result<Child>, limit: Limit) -> Result<Output, ExecError> {
    let path = || plan.program.clone();
    match child.and_then(|child| child.collect(limit)) {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(Killed::TooMuch)) => Err(ExecError::TooMuch(path())),
        Ok(Err(Killed::TimedOut(limit))) => Err(ExecError::TimedOut {
            path: path(),
            limit,
        }),
        Err(source) => Err(ExecError::new(plan, source)),
    }
}

/// Runs the program and returns what it prints on stdout. It inherits stdin and stderr, and runs on the current CPU. If
/// it prints nothing for the given time, it is killed: it may read files of a sysroot, whose owner can put a FIFO in
/// place of one at any moment.
pub fn capture(plan: &Plan, env: &Env, silence: Duration) -> Result<Output, ExecError> {
    let _pinned = Pinned::to_current_cpu();
    let child = start(plan, env, &Streams::CAPTURED, false);
    output(plan, child, Limit::Silence(silence))
}

/// Runs the program with stdin on `/dev/null`, and returns its output. If it does not end within the time, it is killed.
/// Processes of its group that it leaves behind are killed too.
pub fn run_within(plan: &Plan, limit: Duration) -> Result<Output, ExecError> {
    let child = start(plan, &Env::capture(), &Streams::ASKED, true);
    output(plan, child, Limit::Total(limit))
}

/// Starts a program and returns the kernel's error. Returns `None` if the program did start, and kills it.
pub fn start_error(program: &Path) -> Option<io::Error> {
    let plan = Plan {
        program: program.into(),
        ..Plan::default()
    };
    match start(&plan, &Env::capture(), &Streams::SILENT, false) {
        Ok(child) => {
            child.stop();
            None
        }
        Err(why) => Some(why),
    }
}

/// Runs the program with stdin on `/dev/null`, and returns its output.
pub fn ask(plan: &Plan) -> Result<Output, ExecError> {
    let child = start(plan, &Env::capture(), &Streams::ASKED, false);
    output(plan, child, Limit::None)
}

/// Runs the programs in parallel, with stdin on `/dev/null`, and returns their outputs in the order of the plans.
pub fn query(plans: &[Plan]) -> Result<Vec<Output>, ExecError> {
    let env = Env::capture();
    let started: Vec<_> = plans
        .iter()
        .map(|plan| start(plan, &env, &Streams::ASKED, false))
        .collect();
    // All children are waited for before the first failure is returned.
    let outputs: Vec<_> = started
        .into_iter()
        .zip(plans)
        .map(|(child, plan)| output(plan, child, Limit::None))
        .collect();
    outputs.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        sync::atomic::{AtomicBool, Ordering},
        thread,
        time::Instant,
    };

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
        let much = capture(&much, &Env::capture(), LONG).expect("an answer");
        assert_eq!(much.stdout.len(), 9_000_000);
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_that_prints_nothing_for_too_long_is_not_waited_for() {
        let run = |script: &str, silence: Duration| {
            let plan = Plan {
                program: "/bin/sh".into(),
                args: vec!["-c".into(), script.into()],
                ..Plan::default()
            };
            capture(&plan, &Env::capture(), silence)
        };
        let start = Instant::now();
        for silent in ["exec sleep 1000", "echo a; exec sleep 1000"] {
            let result = run(silent, Duration::from_millis(300));
            assert!(
                matches!(result, Err(ExecError::TimedOut { .. })),
                "{result:?}"
            );
        }
        assert!(start.elapsed() < LONG);
        // Each pause is shorter than the limit, and all of them are longer.
        let slow = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done";
        let output = run(slow, Duration::from_millis(2500)).expect("an output");
        assert_eq!(output.stdout, b"1\n2\n3\n4\n5\n6\n");
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
            run_within(&plan, Duration::from_millis(500))
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
        // The process that it leaves behind keeps the output open, and is killed.
        let output = run("sleep 1000 & echo $!; exit 3").expect("an output");
        assert_eq!(output.status.code(), Some(3));
        let left = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{left}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        let start = Instant::now();
        while runs() {
            assert!(start.elapsed() < Duration::from_secs(10), "{left} runs");
            thread::yield_now();
        }
    }

    #[test]
    fn what_another_thread_prints_is_in_no_answer() {
        let plan = Plan {
            program: "/bin/echo".into(),
            args: vec!["a".into()],
            ..Plan::default()
        };
        let env = Env::capture();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // libtest captures `print!`, and not this.
                let mut stdout = io::stdout();
                while !done.load(Ordering::Relaxed) {
                    let _ = stdout.write_all(b" ").and_then(|()| stdout.flush());
                }
            });
            let answers: Vec<_> = (0..300).map(|_| capture(&plan, &env, LONG)).collect();
            done.store(true, Ordering::Relaxed);
            for answer in answers {
                assert_eq!(answer.expect("an answer").stdout, b"a\n");
            }
        });
    }
}
