//! `crossmerge toolchain`.

mod prepare;

use super::{
    init::initialise,
    invocation::Invocation,
    print::print,
    toolchain_args::{ToolchainCommand, ToolchainOptions},
};
use crate::{
    config::Config,
    context::Context,
    init::InitOptions,
    terminal,
    toolchain::{
        self, Extra, Outcome, Part, Removal, Step, StepFailure, ToolchainError, ToolchainRecord,
        ToolchainRequest, ToolchainWork, prefix::Prefix,
    },
};
use crossmerge_plan::{
    env::{self, Env},
    plan::Change,
    report::{self, Failure, UsageError},
    tuple::Tuple,
};
use crossmerge_system::{file::read, search};
use nix::fcntl::Flock;
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Write as _},
    process::ExitCode,
};

/// Runs one of the commands.
pub(super) fn toolchain(
    invocation: Invocation<'_>,
    command: ToolchainCommand,
) -> Result<ExitCode, Failure> {
    match command {
        ToolchainCommand::Plan { options, json } => {
            let request = request(&invocation, options)?;
            let (env, config, _) = at_portage(&invocation)?;
            let context = Context::new(env, config, request.tuple.clone())?;
            let work = ToolchainWork::new(&context, &request)?;
            print(&match json {
                true => work.to_json(),
                false => work.to_text(),
            })
        }
        ToolchainCommand::Build {
            options,
            verbose,
            files_only,
        } => {
            let options = BuildOptions {
                request: request(&invocation, options)?,
                verbose,
                files_only,
                show_log: false,
            };
            build(invocation, options)
        }
        ToolchainCommand::Status { tuples, json } => status(&invocation, &tuples, json),
        ToolchainCommand::Log { tuple, step } => log(&invocation, &tuple, step.as_deref()),
        ToolchainCommand::Remove { tuple, dry_run } => {
            let (tuple, llvm) = target(&invocation, &tuple)?;
            remove(
                invocation,
                ToolchainRequest {
                    llvm,
                    ..ToolchainRequest::new(tuple)
                },
                dry_run,
            )
        }
        ToolchainCommand::Prepare(options) => prepare::prepare(&invocation, &options),
        ToolchainCommand::List => {
            let (_, config, _) = at_portage(&invocation)?;
            let categories = ToolchainRecord::categories(&config).into_iter();
            print(
                &categories
                    .map(|category| format!("{category}\n"))
                    .collect::<String>(),
            )
        }
    }
}

/// The environment and the configuration of the Portage that builds toolchains: that in PATH, else the one that
/// `toolchain prepare` has installed. The second value is the latter.
fn at_portage(invocation: &Invocation<'_>) -> Result<(Env, Config, Option<Prefix>), Failure> {
    let (env, config) = (invocation.env.clone(), invocation.config.clone());
    if search::find_program(&env, OsStr::new("emerge")).is_ok() {
        return Ok((env, config, None));
    }
    let Some(prefix) = Prefix::find(&env) else {
        return Ok((env, config, None));
    };
    let mut path = prefix.bin().into_os_string();
    if let Some(others) = env.get(env::PATH) {
        path.push(":");
        path.push(others);
    }
    let changes = [
        (
            env::PORTAGE_OVERRIDE_EPREFIX,
            prefix.eprefix().as_os_str().to_owned(),
        ),
        (env::PATH, path),
    ];
    let changes = changes.map(|(variable, value)| (variable.name.into(), Change::Set(value)));
    let env = env.changed(&changes.into_iter().collect());
    let config = Config::read(&env)?;
    Ok((env, config, Some(prefix)))
}

/// What is built, and how.
pub(super) struct BuildOptions {
    pub(super) request: ToolchainRequest,
    pub(super) verbose: bool,
    pub(super) files_only: bool,
    /// Whether the whole log of a failed step is printed.
    pub(super) show_log: bool,
}

/// Builds a toolchain, and makes its target.
pub(super) fn build(
    invocation: Invocation<'_>,
    options: BuildOptions,
) -> Result<ExitCode, Failure> {
    let request = &options.request;
    let (env, config, prefix) = at_portage(&invocation)?;
    let context = Context::new(env, config, request.tuple.clone())?;
    // An error that can be known in advance comes before the lock, which is a file.
    let work = ToolchainWork::new(&context, request)?;
    // With `-P -p`, each call of emerge would show what it does to an unchanged system.
    if work.only_pretends() {
        return print(&work.to_text());
    }
    if !options.files_only {
        toolchain::check_requirements(&work, &context.env)?;
    }
    let lock = toolchain::lock(&context.config, &request.category())?;
    let mut work = ToolchainWork::new(&context, request)?;
    if options.files_only {
        toolchain::write_files(&context, &mut work, &lock)?;
    } else if let Some(code) = run_steps(&context, &mut work, &lock, &options)? {
        return Ok(code);
    }
    make_target(invocation, &context, prefix, work.plan.request.llvm)
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

/// Makes the toolchain's target, unless there is no CPU family or no compiler for it yet.
fn make_target(
    invocation: Invocation<'_>,
    context: &Context,
    prefix: Option<Prefix>,
    llvm: bool,
) -> Result<ExitCode, Failure> {
    let tuple = context.tuple.clone();
    if context.config.facts(&tuple).is_err() {
        note(&format!(
            "{tuple}: there is no family of its CPU in profiles/, so no target is made"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let init = match prefix {
        None => InitOptions {
            clang_target: llvm,
            by_crossdev: true,
            ..InitOptions::default()
        },
        Some(prefix) if !prefix.bin().join(format!("{tuple}-gcc")).exists() => {
            note(&format!(
                "{tuple}: there is no compiler yet, so no target is made"
            ));
            return Ok(ExitCode::SUCCESS);
        }
        // The target is the build machine's, and its toolchain and sysroot are in the prefix.
        Some(prefix) => InitOptions {
            sysroot: Some(prefix.eprefix().join("usr").join(tuple.as_str())),
            toolchain: Some(prefix.bin().join(format!("{tuple}-")).into()),
            ..InitOptions::default()
        },
    };
    let (argv0, wrappers) = (invocation.argv0, invocation.wrappers);
    let context = invocation.into_context(tuple)?;
    initialise(argv0, context, wrappers, &init, false)
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

fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints the steps of toolchains.
fn status(
    invocation: &Invocation<'_>,
    names: &[OsString],
    json: bool,
) -> Result<ExitCode, Failure> {
    let (_, config, _) = at_portage(invocation)?;
    let mut categories = ToolchainRecord::categories(&config);
    if !names.is_empty() {
        let mut wanted = Vec::new();
        for name in names {
            wanted.push(category_of(invocation, &config, name)?);
        }
        categories.retain(|category| wanted.contains(category));
    }
    let mut records = Vec::new();
    for category in categories {
        if let Some(record) = ToolchainRecord::read(&config, &category)? {
            records.push((category, record));
        }
    }
    print(&match json {
        true => {
            let values: Vec<_> = records
                .iter()
                .map(|(category, record)| toolchain::status_json(category, record))
                .collect();
            format!("{:#}\n", serde_json::Value::from(values))
        }
        false => {
            let texts = records.iter();
            texts
                .map(|(category, record)| toolchain::status_text(category, record))
                .collect()
        }
    })
}

/// Returns the tuple of the target that a name means, and whether it names an LLVM toolchain.
fn target(invocation: &Invocation<'_>, name: &OsStr) -> Result<(Tuple, bool), Failure> {
    let (name, llvm) = toolchain::without_category(&name.to_string_lossy());
    let tuple = match toolchain::other_cpu(&name) {
        Some(tuple) => tuple,
        None => invocation.reader()?.tuple(name.as_ref())?,
    };
    Ok((tuple, llvm))
}

/// Returns the category of a recorded toolchain.
fn category_of(
    invocation: &Invocation<'_>,
    config: &Config,
    name: &OsStr,
) -> Result<String, Failure> {
    let (tuple, llvm) = target(invocation, name)?;
    let categories = ToolchainRecord::categories(config);
    let named = |llvm| {
        ToolchainRequest {
            llvm,
            ..ToolchainRequest::new(tuple.clone())
        }
        .category()
    };
    let of_gcc = categories.contains(&named(false));
    let category = named(llvm || !of_gcc);
    match categories.contains(&category) {
        true => Ok(category),
        false => Err(ToolchainError::NoRecord { tuple }.into()),
    }
}

/// Prints the log of a step.
fn log(invocation: &Invocation<'_>, name: &OsStr, step: Option<&str>) -> Result<ExitCode, Failure> {
    let (_, config, _) = at_portage(invocation)?;
    let category = category_of(invocation, &config, name)?;
    let record = ToolchainRecord::read(&config, &category)?.unwrap_or_default();
    let found = match step {
        None => toolchain::last_failure(&record).or(record.step.last()),
        Some(name) => record.step.iter().find(|step| step.name == name),
    };
    let Some(found) = found else {
        let names: Vec<&str> = record.step.iter().map(|step| step.name.as_str()).collect();
        let expected = format!("a step of {category}: {}", names.join(", "));
        return Err(invalid(step.unwrap_or_default(), &expected));
    };
    let mut file = read::open_regular(&found.log).map_err(|source| ToolchainError::Read {
        path: found.log.clone(),
        source,
    })?;
    let copied = io::copy(&mut file, &mut io::stdout().lock()).map(drop);
    Ok(report::printed(copied, ExitCode::SUCCESS)?)
}

/// Removes a toolchain.
pub(super) fn remove(
    invocation: Invocation<'_>,
    request: ToolchainRequest,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let category = request.category();
    let (env, config, _) = at_portage(&invocation)?;
    let context = Context::new(env, config, request.tuple.clone())?;
    let decide = || toolchain::removal(&context, request.clone());
    let steps = decide()?;
    if dry_run {
        return print(&toolchain::removal_text(&steps));
    }
    let lock = toolchain::lock(&context.config, &category)?;
    let steps = decide()?;
    toolchain::remove(&context, &steps, &category, &lock)?;
    let kept: Vec<Removal> = { steps.iter() }
        .filter(|step| matches!(step, Removal::Keep(_)))
        .cloned()
        .collect();
    note(toolchain::removal_text(&kept).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Makes the request that the options describe. Without options, it is that of the last build.
fn request(
    invocation: &Invocation<'_>,
    options: ToolchainOptions,
) -> Result<ToolchainRequest, Failure> {
    let (tuple, llvm) = target(invocation, &options.tuple)?;
    let mut request = ToolchainRequest {
        llvm: llvm || options.llvm,
        stage: options.stage.map(|stage| stage as u8),
        abis: options.abis,
        stable: options.stable,
        output: options.output,
        emerge_options: options.emerge_opt,
        headers: options.headers_first.then_some(true),
        posix_threads: options.posix_threads,
        ..ToolchainRequest::new(tuple)
    };
    let versions = [
        (Part::Binutils, options.binutils),
        (Part::Gcc, options.gcc),
        (Part::Kernel, options.kernel),
        (Part::Libc, options.libc),
        (Part::Gdb, options.gdb),
    ];
    for (part, version) in versions {
        let Some(text) = version else { continue };
        let version = text
            .parse()
            .map_err(|()| invalid(&text, "a version, such as 2.45 or >=2.45"))?;
        request.parts.entry(part).or_default().version = Some(version);
    }
    for text in &options.env {
        let (part, assignment) = match text.split_once(':') {
            Some((part, assignment)) if part_of(part).is_ok() => (Some(part_of(part)?), assignment),
            _ => (None, text.as_str()),
        };
        let lines = match part {
            Some(part) => &mut request.parts.entry(part).or_default().environment,
            None => &mut request.environment,
        };
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&assignment_line(assignment).ok_or_else(|| invalid(text, "NAME=VALUE"))?);
    }
    for text in &options.repository {
        let (part, directory) = text
            .split_once('=')
            .ok_or_else(|| invalid(text, "PART=DIRECTORY"))?;
        request.parts.entry(part_of(part)?).or_default().repository = Some(directory.into());
    }
    for name in &options.extra {
        request.extra.push(match name.as_str() {
            "gcc" => Extra::Gcc,
            "gdb" => Extra::Gdb,
            name => {
                let package = name.parse();
                Extra::Package(
                    package.map_err(|()| invalid(name, "gcc, gdb or CATEGORY/NAME"))?,
                    None,
                )
            }
        });
    }
    let usual = ToolchainRequest {
        llvm: request.llvm,
        ..ToolchainRequest::new(request.tuple.clone())
    };
    if request == usual
        && let (_, config, _) = at_portage(invocation)?
        && let Some(record) = ToolchainRecord::read(&config, &usual.category())?
        && let Some(recorded) = record.request
    {
        return Ok(recorded);
    }
    Ok(request)
}

fn part_of(name: &str) -> Result<Part, Failure> {
    let known = Part::NAMES.iter().find(|(known, _)| *known == name);
    let names = || {
        let names: Vec<&str> = Part::NAMES.iter().map(|(name, _)| *name).collect();
        format!("one of the parts {}", names.join(", "))
    };
    match known {
        Some((_, part)) => Ok(*part),
        None => Err(invalid(name, &names())),
    }
}

/// Returns an assignment with its value in quotes. `None` if it is not one.
fn assignment_line(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('`', "\\`");
    (is_name && !value.contains('\n')).then(|| format!("{name}=\"{value}\""))
}

fn invalid(value: &str, expected: &str) -> Failure {
    UsageError {
        message: format!("`{value}` is not {expected}"),
        hint: "`crossmerge toolchain build --help` explains the options".into(),
    }
    .into()
}
