//! `<tuple>-pkg-config`: the real pkg-config, restricted to the sysroot, whose output is checked.
//!
//! `search.rs` decides where it searches. This module decides which queries concern pkg-config itself and
//! need no sysroot, which output contains flags and has to be checked, and what happens if a flag names a path
//! outside the sysroot. All other queries are exec'd directly.

mod allowed;
pub(crate) mod bounds;
mod flags;
mod package;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
mod search;
mod view;

use crate::{
    config::LeakPolicy,
    context::{Context, ContextError},
};
use allowed::OutsidePackages;
use bounds::AllowedDirectories;
use crossmerge_plan::{
    env, passes_on,
    plan::{Change, Plan},
    report::{self, Explain},
};
use crossmerge_system::{
    exec::{self, ExecError},
    file,
};
use flags::Flag;
use search::CallersPath;
pub(crate) use search::PkgConfigSearch;
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fmt::Write as _,
    io::{self, Write as _},
    os::unix::{ffi::OsStrExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{ExitCode, Output},
    time::Duration,
};

/// Options about pkg-config itself, which need no sysroot.
const ABOUT_ITSELF: [&str; 5] = [
    "about",
    "atleast-pkgconfig-version",
    "dump-personality",
    "help",
    "version",
];

/// The prefixes of options whose output contains flags.
const ABOUT_FLAGS: [&str; 3] = ["cflags", "libs", "env"];

/// How long the real pkg-config may take until it prints its answer. It reads files of the sysroot. If another user owns
/// that and puts a FIFO in place of a file, pkg-config would wait for it for ever.
const SILENCE: Duration = Duration::from_secs(60);

/// How many flags outside the sysroot are listed. Fixing the first ones usually fixes the others.
const MOST_LINES: usize = 100;

/// An error of `<tuple>-pkg-config`.
#[derive(Debug, thiserror::Error)]
pub enum PkgConfigError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A `.pc` file is a pipe or device, which the real tool would wait for or read without end.
    #[error(transparent)]
    NotRegular(io::Error),
    /// The real tool did not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The output contains paths of the host.
    #[error("{0}")]
    Leak(Leak),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

/// Output with paths outside the sysroot.
#[derive(Debug)]
pub struct Leak {
    program: PathBuf,
    sysroot: PathBuf,
    /// One line for each flag, with its origin.
    lines: Vec<String>,
    config: PathBuf,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` printed paths outside the sysroot `{}`:",
            self.program.display(),
            self.sysroot.display()
        )?;
        self.lines
            .iter()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Leak {
    fn hint(&self) -> String {
        format!(
            "in each of these .pc files, put `${{pc_sysrootdir}}` before the path; or, if the path is right, allow it with `extra_prefixes = [\"DIR\"]` or `leaks = \"warn\"` in `{}`",
            self.config.display()
        )
    }
}

impl Explain for PkgConfigError {
    passes_on!(Context, Exec);

    fn own_hint(&self) -> Option<String> {
        match self {
            Self::Leak(leak) => Some(leak.hint()),
            Self::NotRegular(e) => file::hint(e),
            _ => None,
        }
    }
}

/// A query about packages, read once from the arguments of the real tool.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    /// The packages, as one text.
    packages: String,
    /// Whether the output contains flags.
    asks_for_flags: bool,
    /// Whether the output is the value of a variable, which may be a path.
    asks_for_variable: bool,
    /// Whether the output consists of assignments.
    has_assignments: bool,
    /// Whether the flags are in the syntax of Microsoft's compiler.
    is_msvc: bool,
    /// Whether a missing package is not reported.
    is_silent: bool,
}

impl Query {
    /// Reads the arguments. Abbreviated options that print flags count, since the real tools accept them.
    fn of(args: &[OsString]) -> Self {
        let mut query = Self::default();
        for arg in args {
            let Some(option) = option(arg) else {
                query.packages += &arg.to_string_lossy();
                query.packages.push(' ');
                continue;
            };
            let mut about_flags = ABOUT_FLAGS.iter().map(|about| about.as_bytes());
            query.asks_for_flags |= !option.is_empty()
                && about_flags.any(|about| option.starts_with(about) || about.starts_with(option));
            match option {
                b"variable" => query.asks_for_variable = true,
                b"env" => query.has_assignments = true,
                b"msvc-syntax" => query.is_msvc = true,
                b"silence-errors" | b"exists" => query.is_silent = true,
                _ => {}
            }
        }
        query
    }
}

/// Returns whether a query concerns pkg-config itself and no package, so that no facts of the target are needed.
pub(crate) fn asks_about_itself(args: &[OsString]) -> bool {
    let mut value_comes = false;
    args.iter().all(|arg| {
        let is_value = std::mem::take(&mut value_comes) && !arg.as_bytes().starts_with(b"-");
        let option = option(arg);
        value_comes =
            option == Some(b"atleast-pkgconfig-version") && !arg.as_bytes().contains(&b'=');
        is_value
            || option
                .is_some_and(|option| ABOUT_ITSELF.iter().any(|about| about.as_bytes() == option))
    })
}

/// Returns the name of an option, without its dashes and its value.
fn option(arg: &OsStr) -> Option<&[u8]> {
    let bytes = arg.as_bytes();
    let name = bytes.strip_prefix(b"-")?;
    let name = name.strip_prefix(b"-").unwrap_or(name);
    name.split(|byte| *byte == b'=').next()
}

/// Runs a query about packages as planned. Returns only if nothing was exec'd.
// Inlined, it would enlarge the stack on which the plan is made, by a page.
#[inline(never)]
pub(crate) fn run(
    context: &Context,
    search: &PkgConfigSearch,
    plan: &Plan,
) -> Result<ExitCode, PkgConfigError> {
    let query = Query::of(&plan.args);
    package::check_readable(&query.packages, &search.directories())
        .map_err(PkgConfigError::NotRegular)?;
    note_dropped_directories(search, &query);
    let leaks = context.settings.leaks;
    let sysroot = &search.sysroot.sysroot;
    let is_audited =
        query.asks_for_flags && leaks != LeakPolicy::Allow && !sysroot.as_os_str().is_empty();
    let allowed = match query.asks_for_flags || query.asks_for_variable {
        true => OutsidePackages::of(context, search, &query.packages),
        false => None,
    };
    if !is_audited && allowed.is_none() {
        match exec::exec(plan, &context.env)? {}
    }
    let mut output = exec::capture(plan, &context.env, SILENCE)?;
    if output.status.success() {
        if let Some(allowed) = &allowed {
            output.stdout = allowed.keep(&output.stdout);
        }
        let bounds = AllowedDirectories::of(context, sysroot);
        let flags = match is_audited {
            true => flags_of(&query, &output),
            false => Vec::new(),
        };
        let found = leaking(&flags, &bounds);
        if let Some(allowed) = &allowed {
            for flag in allowed.missing(&flags) {
                report::note(&format!(
                    "warning: `{}` names a directory that does not exist",
                    flag.display()
                ));
            }
        }
        if !found.is_empty() {
            match without_fdo_rules(plan, &query, sysroot, allowed.as_ref(), flags, &bounds)? {
                Some(better) => output = better,
                None => {
                    let leak = explained(context, plan, search, &query, &found);
                    match leaks {
                        LeakPolicy::Error => return Err(PkgConfigError::Leak(leak)),
                        _ => report::note(&format!("warning: {leak}")),
                    }
                }
            }
        }
    } else if query.asks_for_flags {
        note_packages_of_build_machine(plan, search, &query)?;
    }
    io::stdout()
        .write_all(&output.stdout)
        .map_err(PkgConfigError::Output)?;
    Ok(match (output.status.code(), output.status.signal()) {
        (Some(code), _) => ExitCode::from(u8::try_from(code).unwrap_or(report::OWN_FAILURE)),
        // The exit code that a shell returns for a signal.
        (None, signal) => ExitCode::from(u8::try_from(128 + signal.unwrap_or(0)).unwrap_or(128)),
    })
}

/// Returns the flags in the output that name a path.
fn flags_of(query: &Query, output: &Output) -> Vec<Flag> {
    let mut words = flags::split(&output.stdout);
    // `--env=X` prints assignments, whose values contain further words.
    if query.has_assignments {
        let value = |word: &OsString| {
            word.as_bytes()
                .split(|byte| *byte == b'=')
                .skip(1)
                .collect::<Vec<_>>()
                .join(&b'=')
        };
        words = words
            .iter()
            .flat_map(|word| flags::split(&value(word)))
            .collect();
    }
    if query.is_msvc {
        words = words.into_iter().map(flags::from_msvc).collect();
    }
    flags::places(&words)
}

/// Returns the flags outside the sysroot, without duplicates.
fn leaking(flags: &[Flag], bounds: &AllowedDirectories) -> Vec<Flag> {
    let mut seen = BTreeSet::new();
    let new = flags
        .iter()
        .filter(|flag| seen.insert((&flag.text, &flag.path)));
    new.filter(|flag| !bounds.hold(&flag.path))
        .cloned()
        .collect()
}

/// Repeats the query without PKG_CONFIG_FDO_SYSROOT_RULES, by which pkgconf 3.0.0 and 3.0.1 ignore the sysroot (its
/// issue 571). The second output is used only if its sole difference from the first is the sysroot before the paths
/// that were outside.
fn without_fdo_rules(
    plan: &Plan,
    query: &Query,
    sysroot: &Path,
    allowed: Option<&OutsidePackages>,
    first: Vec<Flag>,
    bounds: &AllowedDirectories,
) -> Result<Option<Output>, ExecError> {
    let mut plan = plan.clone();
    let rules = env::PKG_CONFIG_FDO_SYSROOT_RULES.name;
    plan.env.insert(rules.into(), Change::Unset);
    // The first run has already printed the messages on stderr.
    let mut second = exec::run_within(&plan, SILENCE)?;
    if let Some(allowed) = allowed {
        second.stdout = allowed.keep(&second.stdout);
    }
    let corrected = |flag: Flag| match bounds.hold(&flag.path) {
        true => flag.path,
        false => {
            let mut path = sysroot.as_os_str().to_owned();
            path.push(flag.path);
            path.into()
        }
    };
    let wanted: BTreeSet<PathBuf> = first.into_iter().map(corrected).collect();
    let is_wanted = |flag: &Flag| wanted.contains(&flag.path);
    let good = second.status.success() && flags_of(query, &second).iter().all(is_wanted);
    Ok(good.then_some(second))
}

fn explained(
    context: &Context,
    plan: &Plan,
    search: &PkgConfigSearch,
    query: &Query,
    found: &[Flag],
) -> Leak {
    let sysroot = &search.sysroot.sysroot;
    let packages = package::closure(
        &query.packages,
        &search.directories(),
        &sysroot.to_string_lossy(),
    );
    let fields = package::fields(&packages);
    let mut lines: Vec<String> = Vec::new();
    lines.extend(found.iter().take(MOST_LINES).map(|flag| {
        let mut line = format!("{}", flag.text.display());
        let _ = match package::origin(flag, &fields) {
            Some((path, field)) => write!(line, "  from {field} of {}", path.display()),
            None => write!(line, "  from no field in this form"),
        };
        line
    }));
    if let Some(more) = found.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    Leak {
        program: plan.program.clone(),
        sysroot: sysroot.clone(),
        lines,
        config: context.config.target_file(&context.tuple),
    }
}

/// Prints a note on packages that the build machine has and the sysroot lacks, after the real tool has failed. The
/// real tool advises to add a directory to PKG_CONFIG_PATH, which would find the build machine's.
fn note_packages_of_build_machine(
    plan: &Plan,
    search: &PkgConfigSearch,
    query: &Query,
) -> Result<(), ExecError> {
    if query.is_silent {
        return Ok(());
    }
    let missing = package::missing(&query.packages, &search.directories());
    if missing.is_empty() {
        return Ok(());
    }
    let mut question = plan.clone();
    question.args = ["--variable=pc_path", "pkg-config"].map(Into::into).into();
    for change in question.env.values_mut() {
        *change = Change::Unset;
    }
    let answer = exec::ask(&question)?.stdout;
    let places = OsStr::from_bytes(answer.trim_ascii_end());
    let places: Vec<PathBuf> = std::env::split_paths(places).collect();
    let there = missing
        .iter()
        .filter_map(|name| Some((name, package::find(name, &places)?)));
    let there: Vec<String> = there
        .map(|(name, path)| format!("`{name}` (`{}`)", path.display()))
        .collect();
    if !there.is_empty() {
        report::note(&format!(
            "the build machine has {}, and the sysroot `{}` does not: merge or install it there",
            there.join(", "),
            search.sysroot.sysroot.display()
        ));
    }
    Ok(())
}

/// Prints a note if directories of PKG_CONFIG_PATH were dropped and contain a package of the query.
fn note_dropped_directories(search: &PkgConfigSearch, query: &Query) {
    let Some(CallersPath { all, kept }) = &search.path else {
        return;
    };
    let places = [all.clone(), search.directories()].concat();
    let is_dropped = |directory: &Path| {
        all.iter().any(|all| all == directory) && !kept.iter().any(|kept| kept == directory)
    };
    let touched = package::closure(&query.packages, &places, "");
    let missed: Vec<String> = touched
        .iter()
        .filter(|package| package.path().parent().is_some_and(is_dropped))
        .map(|package| format!("`{}`", package.path().display()))
        .collect();
    if !missed.is_empty() {
        report::note(&format!(
            "PKG_CONFIG_PATH names directories outside the sysroot, which are not used, so {} is not found",
            missed.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(Into::into).collect()
    }

    #[test]
    fn queries_about_pkg_config_itself_are_recognised() {
        for (text, about) in [
            ("--version", true),
            ("--about", true),
            ("--help", true),
            ("--dump-personality", true),
            ("--atleast-pkgconfig-version 0.9.0", true),
            ("--atleast-pkgconfig-version=0.9.0", true),
            ("-version", true),
            ("", true),
            ("--version --cflags zlib", false),
            ("--atleast-version 1 zlib", false),
            ("--version zlib", false),
            ("--exists zlib", false),
        ] {
            assert_eq!(asks_about_itself(&args(text)), about, "{text}");
        }
    }

    #[test]
    fn queries_whose_output_has_flags_are_recognised() {
        for (text, flags) in [
            ("--cflags zlib", true),
            ("--libs zlib", true),
            ("--cflags-only-I zlib", true),
            ("--libs-only-other --static zlib", true),
            ("--env=ZLIB zlib", true),
            ("-libs zlib", true),
            ("--cfl zlib", true),
            ("--exists zlib", false),
            ("--modversion zlib", false),
            ("--variable=libdir zlib", false),
            ("--errors-to-stdout --print-errors --exists zlib", false),
            ("--list-all", false),
            ("zlib", false),
        ] {
            assert_eq!(Query::of(&args(text)).asks_for_flags, flags, "{text}");
        }
    }
}
