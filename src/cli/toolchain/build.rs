//! `crossmerge toolchain build`: builds a toolchain, makes its target and tests it.

use super::{
    lookup::{at_portage, note},
    test,
};
use crate::{
    cli::{init::initialise, invocation::Invocation, print::print},
    config::ToolchainKind,
    context::Context,
    init::InitOptions,
    terminal,
    toolchain::{
        self, Outcome, Step, StepFailure, ToolchainRequest, ToolchainWork, is_first_compiler,
        prefix::Prefix,
    },
};
use crossmerge_plan::{report::Failure, tuple::Tuple};
use crossmerge_system::file::read;
use nix::fcntl::Flock;
use std::{fs::File, io, path::PathBuf, process::ExitCode};

/// The stage after which a toolchain is complete.
const LAST_STAGE: u8 = 4;

/// What is built, and how.
pub(in crate::cli) struct BuildOptions {
    pub(in crate::cli) request: ToolchainRequest,
    pub(in crate::cli) verbose: bool,
    pub(in crate::cli) files_only: bool,
    /// Whether the finished toolchain is tested.
    pub(in crate::cli) test: bool,
    /// Whether the whole log of a failed step is printed.
    pub(in crate::cli) show_log: bool,
}

/// Builds a toolchain, and makes its target.
pub(in crate::cli) fn build(
    invocation: Invocation<'_>,
    options: BuildOptions,
) -> Result<ExitCode, Failure> {
    let request = &options.request;
    let (env, config, prefix) = at_portage(&invocation)?;
    let context = Context::new(env, config, request.tuple.clone())?;
    // An error that can be known in advance comes before the lock, which is a file.
    let mut work = ToolchainWork::new(&context, request)?;
    // With `-P -p`, each call of emerge would show what it does to an unchanged system.
    if work.only_pretends() {
        return print(&work.to_text());
    }
    if !options.files_only {
        toolchain::check_requirements(&work, &context.env)?;
    }
    let lock = toolchain::lock(&context.config, &request.category())?;
    if !work.is_current(&context.config)? {
        work = ToolchainWork::new(&context, request)?;
    }
    if options.files_only {
        toolchain::write_files(&context, &mut work, &lock)?;
    } else if let Some(code) = run_steps(&context, &mut work, &lock, &options)? {
        return Ok(code);
    }
    // An unfinished toolchain has no libc.
    let is_finished = work.plan.stage == LAST_STAGE && !options.files_only;
    let test = options.test && is_finished;
    let place = prefix.map(|prefix| Place::of_prefix(&prefix, &context.tuple));
    make_target(invocation, &context, place, work.plan.request.llvm, test)
}

/// Runs the steps that are left. Returns an exit code if they did not all succeed, after a message with the reason.
fn run_steps(
    context: &Context,
    work: &mut ToolchainWork,
    lock: &Flock<File>,
    options: &BuildOptions,
) -> Result<Option<ExitCode>, Failure> {
    let tuple = &context.tuple;
    let all = work.done.len();
    let left = work.done.iter().filter(|is_done| !**is_done).count();
    note(&match left {
        0 => format!("{tuple}: all {all} steps are done"),
        left => format!(
            "{tuple}: {left} of {all} steps; their logs are in {}",
            work.machine.host.logs.display()
        ),
    });
    Ok(
        match toolchain::run(context, work, lock, options.verbose)? {
            Outcome::Done => None,
            Outcome::Refused(failure) => Some(refused(&failure)),
            Outcome::Failed(failure) => {
                if options.show_log
                    && let Ok(mut log) = read::open_regular(&failure.log)
                {
                    // The message below names the log, if it cannot be printed.
                    let _ = io::copy(&mut log, &mut io::stderr().lock());
                }
                Some(failed(&failure, tuple))
            }
            Outcome::Interrupted(signal) => {
                terminal::error(
                    &"crossmerge",
                    &format!("interrupted by {signal}"),
                    Some(&format!(
                        "go on with the same command, or `crossmerge toolchain build {tuple}`"
                    )),
                );
                Some(ExitCode::from(128 + signal as u8))
            }
        },
    )
}

/// Where a toolchain is that does not belong to the machine's own Portage.
pub(super) struct Place {
    /// The directory of its commands.
    pub(super) bin: PathBuf,
    pub(super) sysroot: PathBuf,
}

impl Place {
    /// Returns the place of a toolchain in a prefix.
    pub(super) fn of_prefix(prefix: &Prefix, tuple: &Tuple) -> Self {
        Self {
            bin: prefix.bin(),
            sysroot: prefix.eprefix().join("usr").join(tuple.as_str()),
        }
    }
}

/// Makes the toolchain's target, unless there is no CPU family or no compiler for it yet, and tests its compiler.
pub(super) fn make_target(
    invocation: Invocation<'_>,
    context: &Context,
    place: Option<Place>,
    llvm: bool,
    test: bool,
) -> Result<ExitCode, Failure> {
    let tuple = context.tuple.clone();
    if context.config.facts(&tuple).is_err() {
        note(&format!(
            "{tuple}: there is no family of its CPU in profiles/, so no target is made"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let kind = match llvm {
        true => ToolchainKind::Llvm,
        false => ToolchainKind::Gnu,
    };
    let driver = kind.driver();
    let init = match place {
        None => InitOptions {
            clang_target: llvm,
            by_crossdev: true,
            ..InitOptions::default()
        },
        Some(place) if !place.bin.join(format!("{tuple}-{driver}")).exists() => {
            note(&format!(
                "{tuple}: there is no compiler yet, so no target is made"
            ));
            return Ok(ExitCode::SUCCESS);
        }
        Some(place) if is_first_compiler(&place.bin.join(format!("{tuple}-{driver}"))) => {
            note(&format!(
                "{tuple}: the compiler was built before there was a libc, so no target is made; `crossmerge toolchain build {tuple} --stage full` completes it"
            ));
            return Ok(ExitCode::SUCCESS);
        }
        // The target is the build machine's, and its toolchain and sysroot are elsewhere.
        Some(place) => InitOptions {
            toolchain: Some(place.bin.join(format!("{tuple}-")).into()),
            sysroot: Some(place.sysroot),
            ..InitOptions::default()
        },
    };
    let (argv0, wrappers) = (invocation.argv0, invocation.wrappers);
    let (env, config) = (invocation.env, invocation.config);
    let target = Context::new(env.clone(), config.clone(), tuple.clone())?;
    let code = initialise(argv0, target, wrappers, &init, false)?;
    match test {
        // init may have adopted the compiler.
        true => test::after_build(&Context::new(env, config, tuple)?, wrappers, argv0),
        false => Ok(code),
    }
}

/// Returns what is known about a failure: the message, and the text of the hint.
fn explained(failure: &StepFailure) -> (String, String) {
    let step = Step {
        name: &failure.title,
        elapsed: failure.elapsed,
        log: &failure.log,
    };
    match &failure.cause {
        Some(cause) => (cause.message(&step), cause.hint(&step)),
        None => (
            format!("{} failed", failure.title),
            format!("the log is {}", failure.log.display()),
        ),
    }
}

/// Prints why Portage refused the packages.
fn refused(failure: &StepFailure) -> ExitCode {
    let (message, hint) = explained(failure);
    let message =
        format!("{message}\n    nothing was built, and the files in etc/portage are as they were");
    terminal::error(&"crossmerge", &message, Some(&hint));
    ExitCode::FAILURE
}

/// Prints why a step failed.
fn failed(failure: &StepFailure, tuple: &Tuple) -> ExitCode {
    let (message, hint) = explained(failure);
    let hint =
        format!("{hint}\n      then `crossmerge toolchain build {tuple}` goes on with this step");
    terminal::error(&"crossmerge", &message, Some(&hint));
    ExitCode::FAILURE
}
