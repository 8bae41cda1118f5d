//! The commands of `crossmerge` itself, of `emerge-wrapper` and of `crossdev`.
//!
//! clap parses the arguments of `crossmerge` only, not those of applets. stdout is for the result; messages for the
//! user go to stderr.

mod adopt;
mod args;
mod binfmt;
mod boot;
mod crossdev;
mod emerge_wrapper;
mod export;
mod farm;
mod image;
mod init;
mod invocation;
mod name;
mod print;
mod profile;
mod root;
mod root_build;
mod show;
mod site_cache;
mod stage;
mod targets;
mod toolchain;
mod toolchain_args;
mod user_namespace;

pub use crossdev::crossdev;
pub use emerge_wrapper::emerge_wrapper;

use crate::{
    applet::Wrappers,
    config::Config,
    terminal::{self, HINT},
};
use args::{Cli, Command};
use crossmerge_plan::{
    env::Env,
    report::{self, Failure, OutputError, UsageError},
};
use invocation::Invocation;
use print::print;
use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    io::Write as _,
    os::unix::ffi::OsStrExt,
    process::ExitCode,
};

/// Returns the command line of `crossmerge`, for its manual pages and its completions.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Returns the command without its options and arguments: `crossmerge profile set`.
fn subcommand(typed: &[OsString]) -> String {
    let mut command = command();
    let mut words = vec!["crossmerge".to_owned()];
    for word in typed.iter().filter_map(|word| word.to_str()) {
        let Some(found) = command.find_subcommand(word).cloned() else {
            break;
        };
        words.push(word.to_owned());
        command = found;
    }
    words.join(" ")
}

/// Runs `crossmerge` under its own name.
pub fn crossmerge(
    argv0: &OsStr,
    args: Vec<OsString>,
    env: Env,
    config: Config,
    wrappers: &Wrappers,
) -> Result<ExitCode, Failure> {
    if args.is_empty() {
        anstream::stderr()
            .write_all(first_page().as_bytes())
            .map_err(OutputError::from)?;
        return Ok(ExitCode::from(report::OWN_FAILURE));
    }
    let typed = args.clone();
    let words = words_for_clap(args);
    let words = std::iter::once(OsString::from("crossmerge")).chain(words);
    let help = after_help(wrappers);
    let command = command().after_help(help);
    let cli = match command
        .try_get_matches_from(words)
        .and_then(|matches| <Cli as clap::FromArgMatches>::from_arg_matches(&matches))
    {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let (message, hint) = terminal::message_and_hint(&error, &subcommand(&typed));
            return Err(UsageError { message, hint }.into());
        }
        Err(answer) => return Ok(report::printed(answer.print(), ExitCode::SUCCESS)?),
    };
    let invocation = Invocation {
        argv0,
        env,
        config,
        wrappers,
        typed,
    };
    run(invocation, cli.command)
}

/// Runs one of the commands.
fn run(invocation: Invocation<'_>, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(options) => init::init(invocation, options),
        Command::Show {
            tuple,
            json,
            examples,
        } => show::show(&invocation, tuple, json, examples),
        Command::Plan {
            json,
            tuple,
            applet,
            args,
        } => show::plan(invocation, &tuple, &applet, args, json),
        Command::Export {
            tuple,
            format,
            file,
            force,
        } => export::export(invocation, &tuple, format, file, force),
        Command::Applets => {
            let names = invocation
                .wrappers
                .applets()
                .map(|(name, _)| format!("{name}\n"));
            print(&names.collect::<String>())
        }
        Command::Targets {
            available: true,
            json,
        } => targets::list_available(&invocation.env, &invocation.config, json),
        Command::Targets { json, .. } => {
            targets::list_targets(&invocation.env, &invocation.config, json)
        }
        Command::Doctor {
            tuples,
            check,
            verbose,
            json,
        } => targets::doctor(&invocation, &tuples, &check, verbose, json),
        Command::Boot(args) => boot::boot(invocation, args),
        Command::KernelConfig { tuple } => boot::kernel_config(invocation, &tuple),
        Command::Binfmt(command) => binfmt::binfmt(&invocation, command),
        Command::Profile(command) => profile::profile(invocation, command),
        Command::SiteCache(command) => {
            let wrappers = invocation.wrappers;
            let tuple = invocation.target(command.tuple())?;
            site_cache::run(command, invocation.into_context(tuple)?, wrappers)
        }
        Command::Adopt {
            tuples,
            undo,
            dry_run,
        } => adopt::adopt(&invocation, &tuples, undo, dry_run),
        Command::Toolchain(command) => toolchain::toolchain(invocation, command),
        Command::Root(command) => root::root(invocation, command),
        Command::Farm(command) => farm::farm(invocation, command),
        Command::Stage(options) => stage::stage(invocation, options),
        Command::Image(options) => image::image(&invocation, &options),
        Command::Remove { tuple, dry_run } => init::remove(invocation, &tuple, dry_run),
    }
}

/// Inserts `--` after the applet of `plan`: clap would take an option of the applet for one of `plan`, and drop its
/// `--`.
fn closed_behind_applet(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_word = |(_, arg): &(usize, &OsString)| !arg.as_bytes().starts_with(b"-");
    let mut words = args.iter().enumerate().filter(is_word);
    let is_plan = words.next().is_some_and(|(_, arg)| arg == "plan");
    if let (true, Some((applet, _))) = (is_plan, words.nth(1)) {
        args.insert(applet + 1, "--".into());
    }
    args
}

/// Converts the arguments of `crossmerge` to those that [`command`] reads.
pub fn words_for_clap(args: Vec<OsString>) -> Vec<OsString> {
    built_root(closed_behind_applet(options_of_commands(args)))
}

/// Inserts `build` into `root TUPLE DIR`.
fn built_root(mut args: Vec<OsString>) -> Vec<OsString> {
    let Some(next) = args.get(1).filter(|_| args[0] == "root") else {
        return args;
    };
    let command = command();
    let root = command.find_subcommand("root");
    let is_command = root.is_some_and(|root| root.find_subcommand(next).is_some());
    if !is_command && !next.as_bytes().starts_with(b"-") {
        args.insert(1, "build".into());
    }
    args
}

/// Converts `help` and `version`, which are commands in other programs, to the options `--help` and `--version`:
/// `help init` is `init --help`.
fn options_of_commands(mut args: Vec<OsString>) -> Vec<OsString> {
    if args[0] == "help" {
        args.remove(0);
        args.push("--help".into());
    } else if args == ["version"] {
        args = vec!["--version".into()];
    }
    args
}

/// Returns what `crossmerge` without arguments prints: its purpose, and the first commands.
fn first_page() -> String {
    let row = |command: &str, about: &str| format!("  {HINT}{command:<26}{HINT:#}  {about}\n");
    let commands = command();
    let names: Vec<&str> = commands
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    [
        "Cross-compile for other machines: with Portage, or with any cross toolchain\n\n",
        &row("crossmerge init arm64", "make a target: its commands, its sysroot, its compiler"),
        &row("crossmerge doctor arm64", "check it, and print the command that fixes each fault"),
        &row("crossmerge targets", "list the targets"),
        "\nThen aarch64-unknown-linux-gnu-emerge, -configure, -cmake, -gcc and others build for it.\n\n",
        &format!("Commands: {}\n", names.join(", ")),
        "`crossmerge --help` explains them and lists the applets, `crossmerge init --help` one; the manual is crossmerge(1).\n",
    ]
    .concat()
}

const AFTER_APPLETS: &str = "
Other names: emerge-<tuple> is <tuple>-emerge; cross-<applet> takes the tuple from CHOST; emerge-wrapper and crossdev are Gentoo's.
A tuple names a machine as CPU, vendor, kernel and libc: armv7a-unknown-linux-gnueabihf.

Examples:
  crossmerge init armv7a-unknown-linux-gnueabihf
  armv7a-unknown-linux-gnueabihf-emerge app-editors/nano

Exit codes: 0 success; 1 `doctor` or `site-cache verify` found something; 125 crossmerge failed, with a message; an
applet's are its tool's own, or 127 if the tool does not exist and 126 if it is not executable.

Manual pages: crossmerge(1), crossmerge-applets(1), crossmerge.toml(5)";

fn after_help(wrappers: &Wrappers) -> String {
    let mut text = String::from("Applets, each called as `<tuple>-<applet>`:\n");
    for (name, wrapper) in wrappers.applets() {
        let _ = writeln!(text, "  {name:<12}  {}", wrapper.summary);
    }
    text + AFTER_APPLETS
}
