//! `crossmerge targets` and `crossmerge doctor`.

use super::{invocation::Invocation, print::print};
use crate::{
    config::Config,
    doctor,
    targets::{self, Available, TargetState},
    terminal::{COLUMN, Column, FIRST, table},
};
use crossmerge_plan::{
    env::Env,
    report::{self, Failure},
};
use std::{ffi::OsString, io::Write as _, process::ExitCode};

pub(super) fn list_targets(env: &Env, config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let targets = targets::targets(env, config)?;
    if targets.is_empty() {
        say_no_targets();
    }
    if json {
        return print(&(serde_json::to_string_pretty(&targets).expect("plain data") + "\n"));
    }
    let row = |target: TargetState| {
        let toolchain = target
            .toolchain
            .map_or(String::new(), |t| format!("  ({t})"));
        let sysroot = target.sysroot.display();
        [
            target.tuple.to_string(),
            target.state.to_string(),
            format!("{sysroot}{toolchain}"),
        ]
    };
    let rows: Vec<_> = targets.into_iter().map(row).collect();
    print(&table([FIRST, Column { min: 10, ..COLUMN }, COLUMN], &rows))
}

pub(super) fn list_available(env: &Env, config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let available = targets::available(env, config)?;
    if available.is_empty() {
        report::note(
            "no cross compiler is in PATH: `crossmerge init <tuple>` prints the command that installs one",
        );
    }
    if json {
        return print(&(serde_json::to_string_pretty(&available).expect("plain data") + "\n"));
    }
    let row = |compiler: Available| {
        let remark = match (compiler.problem, compiler.targets.join(", ")) {
            (Some(problem), _) => format!(
                "  (does not work: {})",
                problem.lines().next().unwrap_or_default()
            ),
            (None, targets) if targets.is_empty() => String::new(),
            (None, targets) => format!("  (of the target {targets})"),
        };
        let prefix = compiler.prefix.display();
        [compiler.tuple.to_string(), format!("{prefix}{remark}")]
    };
    let rows: Vec<_> = available.into_iter().map(row).collect();
    print(&table([FIRST, COLUMN], &rows))
}

/// Checks targets, and prints what is wrong with them.
pub(super) fn doctor(
    invocation: &Invocation<'_>,
    names: &[OsString],
    checks: &[String],
    verbose: bool,
    json: bool,
) -> Result<ExitCode, Failure> {
    let Invocation {
        argv0,
        env,
        config,
        wrappers,
        ..
    } = invocation;
    let tuples = invocation.targets(names)?;
    let report = doctor::examine(env, config, wrappers, argv0, &tuples, checks)?;
    if report.is_empty() {
        say_no_targets();
    }
    if json {
        print(&(serde_json::to_string_pretty(&report).expect("plain data") + "\n"))?;
    } else {
        let mut stdout = anstream::stdout();
        let text = report.to_text(verbose);
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        report::printed(written, ExitCode::SUCCESS)?;
    }
    Ok(ExitCode::from(u8::from(report.has_findings())))
}

/// Prints a note on how to make the first target.
fn say_no_targets() {
    report::note(
        "there are no targets: `crossmerge init <tuple>` makes one; `crossmerge targets --available` lists the cross compilers that are installed",
    );
}
