//! The commands of `crossmerge` itself, and of `emerge-wrapper`.
//!
//! clap serves our own name only. What is printed on stdout is the answer; what is said on stderr is for a user.

mod name;
mod print;
mod site_cache;

use self::name::{Listed, Reader};
use crate::{
    adopt,
    applet::{Code, Wrappers},
    call::Call,
    config::Config,
    context::Context,
    doctor, export,
    export::{ExportError, Format},
    fix_root::FixRootError,
    init,
    init::{Options, Request, Subject},
    layer, profile,
    profile::ProfileError,
    qemu::{
        binfmt,
        binfmt::{Action, BinfmtError, Status},
    },
    site_cache::config_site,
    targets,
    targets::TargetState,
    terminal,
    terminal::HINT,
};
use clap::{Args, Parser, Subcommand, ValueHint, builder::PossibleValuesParser};
use crossmerge_plan::{
    env,
    env::Env,
    report,
    report::{Failure, OutputError, UsageError},
    tuple::Tuple,
};
use crossmerge_system::file;
use print::print;
use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    io::{self, Write as _},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Cross-compile for other machines: with Portage, or with any cross toolchain.
#[derive(Debug, Parser)]
#[command(
    name = "crossmerge",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a target: its links, its sysroot and etc/portage in it
    ///
    /// A second run changes nothing but what your machine's settings changed. What you edited is never overwritten.
    Init(Init),
    /// Print what is known about a tuple: ARCH, word size, emulator, the names that build systems have for it
    ///
    /// Without a tuple it lists the CPU families, with examples of tuples and the other names of each.
    Show {
        /// The tuple or another name of it, such as arm64; it need not be a target
        tuple: Option<OsString>,
        /// Print a JSON object; without a tuple, an array of the families
        #[arg(long)]
        json: bool,
        /// Print examples of tuples only, one a line
        #[arg(long, conflicts_with_all = ["tuple", "json"])]
        examples: bool,
    },
    /// Print what `<tuple>-<applet> args…` would run, as shell that can be pasted
    #[command(after_help = "\
Examples:
  crossmerge plan armv7a-unknown-linux-gnueabihf emerge --pretend app-editors/nano
  crossmerge plan --json aarch64-unknown-linux-gnu cmake -B build")]
    Plan {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The target's tuple
        tuple: OsString,
        /// The applet, of those that `crossmerge applets` lists
        applet: String,
        /// Its arguments, passed on as they are: an option of `plan` itself stands before the tuple
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Print what a build system has to know of a target, as the file that it reads
    #[command(after_help = "\
Examples:
  crossmerge export aarch64-unknown-linux-gnu cmake toolchain.cmake
  eval \"$(crossmerge export aarch64-unknown-linux-gnu env)\"

docs/build-systems.md says how each file is used.")]
    Export {
        /// The target's tuple
        tuple: OsString,
        /// What the file is for
        format: Format,
        /// Write this file, instead of printing its text, as `-` does
        file: Option<PathBuf>,
        /// Replace a file that something else made
        #[arg(long, requires = "file")]
        force: bool,
    },
    /// List the names of the applets that every target has, one a line
    Applets,
    /// List the targets of the host and their state
    ///
    /// The states are `ready`; `no-compiler`, ready but for that; `adopted`, set up by crossdev, whose wrappers are ours now;
    /// `foreign`, set up by crossdev or by hand; `unfinished`, an init that was cut short; `half-made`, crossdev's placeholders in
    /// its make.conf; `bare`, a sysroot without etc/portage on a machine with Portage; `missing`, no sysroot; `unreadable`, one that
    /// you may not read.
    Targets {
        /// List the cross compilers that are installed instead, each with a tuple that it serves
        #[arg(long)]
        available: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong with targets, and which command fixes it
    ///
    /// It changes nothing. The exit code is 0 when nothing is wrong, 1 when something is. docs/doctor.md explains each check.
    Doctor {
        /// The targets' tuples; without any, every target of the host
        tuples: Vec<OsString>,
        /// Make this check alone, and those that it needs; may be given several times
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(doctor::check_names()))]
        check: Vec<String>,
        /// Print a line for every check, not for the findings alone
        #[arg(short, long)]
        verbose: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show, register or install the kernel's rules that hand foreign programs to QEMU
    #[command(subcommand)]
    Binfmt(BinfmtCommand),
    /// List, show or set a target's Portage profile
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show, check and learn the answers that configure scripts are given
    ///
    /// A configure script asks some things by running a program, which it cannot do in a cross build. site-cache(5) says more.
    #[command(subcommand)]
    SiteCache(site_cache::Command),
    /// Take over the wrappers of crossdev's targets, or put them back
    Adopt {
        /// The tuples; without any, every target of crossdev's
        tuples: Vec<OsString>,
        /// Put back what was there before
        #[arg(long)]
        undo: bool,
        /// Print the steps, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Undo what init did; what you edited or merged stays
    Remove {
        /// The target's tuple
        tuple: OsString,
        /// Print what would go, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  crossmerge init armv7a-unknown-linux-gnueabihf
  crossmerge init arm64
  crossmerge init aarch64-unknown-linux-gnu --toolchain aarch64-linux-gnu- --with-libc
  crossmerge init riscv64-unknown-linux-musl --llvm --sysroot /srv/riscv --dry-run

Then `crossmerge doctor <tuple>` says what is missing, and <tuple>-emerge, -configure, -cmake and others build for it.")]
struct Init {
    /// The tuple, such as aarch64-unknown-linux-gnu, or another name of it, such as arm64; `crossmerge show` lists them
    tuple: OsString,
    /// Print the writes as a diff, and touch nothing
    #[arg(long)]
    dry_run: bool,
    /// Keep the target here instead of in `/usr/<tuple>`, from now on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    sysroot: Option<PathBuf>,
    /// Make the links here instead of beside crossmerge, from now on
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    bindir: Option<PathBuf>,
    /// Adopt the toolchain whose tools' names begin so: arm-linux-gnueabi-, /opt/sdk/bin/arm-vendor-; or `none`
    ///
    /// Without it, init adopts the cross compiler that is installed for the tuple, with its libc.
    #[arg(long, value_name = "PREFIX", conflicts_with = "llvm")]
    toolchain: Option<OsString>,
    /// Adopt clang and lld, which work for every tuple
    #[arg(long)]
    llvm: bool,
    /// Copy the adopted toolchain's libc into the sysroot
    #[arg(long)]
    with_libc: bool,
    /// Link this profile: embedded, a name of `crossmerge profile list`, or auto for the best that fits
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

#[derive(Debug, Subcommand)]
enum BinfmtCommand {
    /// Print what the kernel has for each of our rules
    Status {
        #[command(flatten)]
        which: Which,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print the lines that register the rules
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Register rules with the kernel, until the machine is switched off
    Register {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
    /// Take registered rules away
    Unregister {
        #[command(flatten)]
        which: Which,
        /// Print the writes as shell, and touch nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write files to /etc/binfmt.d, which register rules when the machine starts
    Install {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
        /// Remove the files instead
        #[arg(long, conflicts_with = "credentials")]
        uninstall: bool,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// The tuple for whose programs the rule is
    #[arg(conflicts_with = "all")]
    tuple: Option<OsString>,
    /// Every rule, where QEMU is installed and the kernel does not run such programs itself
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
struct How {
    /// Add flag C: QEMU gets the rights of a set-user-ID program. Whoever may start one can be root then
    #[arg(long)]
    credentials: bool,
    /// Print the writes as shell, and touch nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// List the profiles of the target's ARCH and libc; `*` is the one that is linked
    List {
        /// The target's tuple
        tuple: OsString,
    },
    /// Print the target's profile and what it says
    Show {
        /// The target's tuple
        tuple: OsString,
    },
    /// Link another profile
    Set {
        /// The target's tuple
        tuple: OsString,
        /// Its name or its number in the list, or auto for the best that fits
        profile: String,
    },
}

/// Describes the command line of `crossmerge`: for its pages and its completions.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// The command that was typed, without its options and arguments: `crossmerge profile set`.
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
    let words = closed_behind_applet(options_of_commands(args));
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
    // Read where a name is: the other commands need no families.
    let reader = || Reader::new(&config, wrappers, typed);
    match cli.command {
        Command::Init(options) => {
            let tuple = reader()?.tuple(&options.tuple)?;
            let dry_run = options.dry_run;
            let adopt_nothing = options.toolchain.as_ref().is_some_and(|t| t == "none");
            let options = Options {
                sysroot: options.sysroot,
                bindir: options.bindir,
                toolchain: options.toolchain.filter(|_| !adopt_nothing),
                llvm: options.llvm,
                find: true,
                adopt_nothing,
                clang_target: is_llvm(&env),
                by_crossdev: false,
                with_libc: options.with_libc,
                profile: options.profile,
            };
            initialise(
                argv0,
                Context::new(env, config, tuple)?,
                wrappers,
                &options,
                dry_run,
            )
        }
        Command::Show {
            tuple,
            json,
            examples,
        } => {
            let reader = reader()?;
            let Some(tuple) = tuple.filter(|tuple| tuple != "help") else {
                let families = reader.families();
                return print(&if examples {
                    Listed::to_examples(&families)
                } else if json {
                    serde_json::to_string_pretty(&families).expect("plain data") + "\n"
                } else {
                    Listed::to_text(&families)
                });
            };
            let target = config.facts(&reader.tuple(&tuple)?)?;
            print(&if json {
                serde_json::to_string_pretty(&target).expect("plain data") + "\n"
            } else {
                target.to_text()
            })
        }
        Command::Plan {
            json,
            tuple,
            applet,
            args,
        } => {
            let tuple = reader()?.target(&tuple)?;
            let context = Context::new(env, config, tuple)?;
            if wrappers.code(&applet) == Some(Code::FixRoot) {
                return Err(FixRootError::NoPlan(context.tuple).into());
            }
            let plan = wrappers.plan(&applet, &Call::new(&context), args)?;
            print(&if json {
                format!("{:#}\n", plan.to_json())
            } else {
                format!("{plan}\n")
            })
        }
        Command::Export {
            tuple,
            format,
            file,
            force,
        } => {
            let tuple = reader()?.target(&tuple)?;
            let context = Context::new(env, config, tuple)?;
            let file = file.filter(|file| file != Path::new("-"));
            export_file(&context, format, file.as_deref(), force)
        }
        Command::Applets => {
            let names = wrappers.applets().map(|(name, _)| format!("{name}\n"));
            print(&names.collect::<String>())
        }
        Command::Targets {
            available: true,
            json,
        } => list_available(&env, &config, json),
        Command::Targets { json, .. } => list_targets(&env, &config, json),
        Command::Doctor {
            tuples,
            check,
            verbose,
            json,
        } => {
            let tuples = targets(reader, &tuples)?;
            let report = doctor::examine(&env, &config, wrappers, argv0, &tuples, &check)?;
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
        Command::Binfmt(command) => {
            let tuple = command.which().tuple.as_deref();
            let tuple = tuple.map(|tuple| reader()?.target(tuple)).transpose()?;
            binfmt_command(command, tuple, &env, &config)
        }
        Command::Profile(command) => {
            let tuple = reader()?.target(command.tuple())?;
            let context = Context::new(env, config, tuple)?;
            profile_command(argv0, command, context, wrappers)
        }
        Command::SiteCache(command) => {
            let tuple = reader()?.target(command.tuple())?;
            site_cache::run(command, Context::new(env, config, tuple)?, wrappers)
        }
        Command::Adopt {
            tuples,
            undo,
            dry_run,
        } => {
            let tuples = targets(reader, &tuples)?;
            let request = adopt::Request {
                argv0,
                env: &env,
                config: &config,
                wrappers,
                tuples: &tuples,
                undo,
            };
            if dry_run {
                let plan = request.plan()?;
                plan.notes().iter().for_each(|note| report::note(note));
                return print(&plan.to_steps());
            }
            io::stderr()
                .write_all(request.run()?.to_text().as_bytes())
                .map_err(OutputError::from)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Remove { tuple, dry_run } => {
            let tuple = reader()?.target(&tuple)?;
            let adopted = adopt::Record::read(&config)?.paths_of(&tuple);
            let mut text = String::new();
            if !adopted.is_empty() {
                let request = adopt::Request {
                    argv0,
                    env: &env,
                    config: &config,
                    wrappers,
                    tuples: std::slice::from_ref(&tuple),
                    undo: true,
                };
                let plan = match dry_run {
                    true => request.plan()?,
                    false => request.run()?,
                };
                text.push_str(&plan.to_text());
            }
            let context = Context::new(env, config, tuple)?;
            text.push_str(&init::remove(&context, wrappers, argv0, &adopted, dry_run)?);
            print(&text)
        }
    }
}

/// The targets that names mean.
fn targets(
    reader: impl FnOnce() -> Result<Reader, Failure>,
    names: &[OsString],
) -> Result<Vec<Tuple>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let reader = reader()?;
    names.iter().map(|name| reader.target(name)).collect()
}

fn list_targets(env: &Env, config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let targets = targets::targets(env, config)?;
    if targets.is_empty() {
        say_no_targets();
    }
    if json {
        return print(&(serde_json::to_string_pretty(&targets).expect("plain data") + "\n"));
    }
    let widest = |length: fn(&TargetState) -> usize| targets.iter().map(length).max();
    let width = widest(|target| target.tuple.len()).unwrap_or(0);
    let state_width = widest(|target| target.state.len()).unwrap_or(0).max(10);
    let mut text = String::new();
    for target in targets {
        let toolchain = target
            .toolchain
            .map_or(String::new(), |t| format!("  ({t})"));
        let _ = writeln!(
            text,
            "{:width$}  {:state_width$}  {}{toolchain}",
            target.tuple,
            target.state,
            target.sysroot.display()
        );
    }
    print(&text)
}

fn list_available(env: &Env, config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let available = targets::available(env, config)?;
    if available.is_empty() {
        report::note(
            "no cross compiler is in PATH: `crossmerge init <tuple>` prints the command that installs one",
        );
    }
    if json {
        return print(&(serde_json::to_string_pretty(&available).expect("plain data") + "\n"));
    }
    let width = available.iter().map(|compiler| compiler.tuple.len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for compiler in available {
        let remark = match (compiler.problem, compiler.targets.join(", ")) {
            (Some(problem), _) => format!(
                "  (does not work: {})",
                problem.lines().next().unwrap_or_default()
            ),
            (None, targets) if targets.is_empty() => String::new(),
            (None, targets) => format!("  (of the target {targets})"),
        };
        let _ = writeln!(
            text,
            "{:width$}  {}{remark}",
            compiler.tuple,
            compiler.prefix.display()
        );
    }
    print(&text)
}

/// Tells what to do where there is no target yet.
fn say_no_targets() {
    report::note(
        "there are no targets: `crossmerge init <tuple>` makes one; `crossmerge targets --available` lists the cross compilers that are installed",
    );
}

/// Ends the options of `plan` behind the applet: clap would take one of the applet's for one of ours, and its `--` for that end.
fn closed_behind_applet(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_word = |(_, arg): &(usize, &OsString)| !arg.as_bytes().starts_with(b"-");
    let mut words = args.iter().enumerate().filter(is_word);
    let is_plan = words.next().is_some_and(|(_, arg)| arg == "plan");
    if let (true, Some((applet, _))) = (is_plan, words.nth(1)) {
        args.insert(applet + 1, "--".into());
    }
    args
}

/// Takes `help` and `version`, which other programs have as commands, as the options that they are here: `help init` is `init --help`.
fn options_of_commands(mut args: Vec<OsString>) -> Vec<OsString> {
    if args[0] == "help" {
        args.remove(0);
        args.push("--help".into());
    } else if args == ["version"] {
        args = vec!["--version".into()];
    }
    args
}

/// What `crossmerge` alone prints: what it is for, and where to begin.
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

/// Runs `emerge-wrapper`, as crossdev and people who know crossdev call it.
pub fn emerge_wrapper(
    argv0: &OsStr,
    args: Vec<OsString>,
    env: Env,
    config: Config,
    wrappers: &Wrappers,
) -> Result<ExitCode, Failure> {
    let mut args = args.into_iter().peekable();
    if args
        .peek()
        .is_some_and(|arg| arg == "--help" || arg == "-h")
    {
        return print(WRAPPER_HELP);
    }
    let usage = |message: &str| {
        Failure::from(UsageError {
        message: message.into(),
        hint: "`emerge-wrapper --target <tuple> --init` makes the commands, then `<tuple>-emerge <package>` builds; `--help` says more".into(),
    })
    };
    if args.next_if(|arg| arg == "--target").is_none() {
        return Err(usage(
            "emerge-wrapper does not know for which target: `--target <tuple>` is missing",
        ));
    }
    let tuple = Tuple::from_os(
        &args
            .next()
            .ok_or_else(|| usage("`--target` has no tuple behind it"))?,
    )?;
    if args.peek().is_some_and(|arg| arg == "--init") {
        if let Some(extra) = args.nth(1) {
            return Err(usage(&format!(
                "`{}` has no meaning behind `--init`",
                extra.display()
            )));
        }
        let options = Options {
            by_crossdev: true,
            clang_target: is_llvm(&env),
            ..Options::default()
        };
        return initialise(
            argv0,
            Context::new(env, config, tuple)?,
            wrappers,
            &options,
            false,
        );
    }
    // The option names the tuple, so a CHOST in the environment does not.
    let context = Context::new(env, config, tuple)?;
    crate::run::run_applet("emerge", wrappers, &context, args.collect())
}

const WRAPPER_HELP: &str = "\
Usage: emerge-wrapper --target <tuple> --init
       emerge-wrapper --target <tuple> [emerge's arguments]

The first form makes a target: the links <tuple>-emerge and others beside this program, and etc/portage in the
sysroot. It is `crossmerge init <tuple>`, which has more options. With LLVM=yes in the environment the target is set
up for clang.

The second form is `<tuple>-emerge`.
";

fn initialise(
    argv0: &OsStr,
    mut context: Context,
    wrappers: &Wrappers,
    options: &Options,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let subject = &Subject {
        target: context.config.facts(&context.tuple)?,
        families: context.config.families()?,
    };
    let request = Request {
        argv0,
        wrappers,
        subject,
        options,
    };
    if dry_run {
        let plan = request.plan(&mut context)?;
        plan.notes().iter().for_each(|note| report::note(note));
        return print(&plan.to_diff()?);
    }
    let plan = request.init(&mut context)?;
    // Nothing can be said when stderr is gone, and it is done.
    let _ = io::stderr().write_all(plan.to_text().as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn export_file(
    context: &Context,
    format: Format,
    file: Option<&Path>,
    force: bool,
) -> Result<ExitCode, Failure> {
    let call = Call::new(context);
    let mut facts = call.facts()?.clone();
    facts.take_flags_of(&context.env);
    facts.look_for(format, context);
    // The files that the text names.
    let mut named = Vec::new();
    if format == Format::Env {
        // Without a compiler that is the error, whatever else is missing.
        facts.compiler()?;
        named.extend(config_site(&call)?);
        facts.config_site = named.first().map(|file| file.path.clone());
        let prepared = layer::for_export(&call, &facts)?;
        facts.environment = prepared.env;
        named.extend(prepared.files);
    }
    if format == Format::Cargo
        && let Ok(file) = export::nested_file(context, Format::Cmake, &facts)
    {
        facts.toolchain_file = Some(file.path.clone());
        named.push(file);
    }
    let text = format.render(&facts)?;
    if let Some(path) = file {
        match format.check_ours(path, context.tuple.as_str()) {
            Err(ExportError::NotOurs { .. }) if force => {}
            checked => checked?,
        }
    }
    // Nothing is written before the last refusal.
    for file in named {
        file::put(&file.path, file.text.as_bytes()).map_err(ExportError::File)?;
    }
    let Some(path) = file else {
        return print(&text);
    };
    file::put(path, text.as_bytes()).map_err(ExportError::File)?;
    report::note(&format!("wrote `{}`", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn is_llvm(env: &Env) -> bool {
    env.get(env::LLVM).is_some_and(|llvm| llvm == "yes")
}

impl BinfmtCommand {
    fn which(&self) -> &Which {
        match self {
            Self::Status { which, .. }
            | Self::Show { which }
            | Self::Register { which, .. }
            | Self::Unregister { which, .. }
            | Self::Install { which, .. } => which,
        }
    }
}

impl ProfileCommand {
    fn tuple(&self) -> &OsStr {
        let (Self::List { tuple } | Self::Show { tuple } | Self::Set { tuple, .. }) = self;
        tuple
    }
}

fn binfmt_command(
    command: BinfmtCommand,
    tuple: Option<Tuple>,
    env: &Env,
    config: &Config,
) -> Result<ExitCode, Failure> {
    let may_be_all = match &command {
        BinfmtCommand::Status { .. } | BinfmtCommand::Show { .. } => true,
        command => command.which().all,
    };
    if tuple.is_none() && !may_be_all {
        return Err(BinfmtError::NoSubject.into());
    }
    let subject = binfmt::Subject::of(env, config, tuple.as_ref())?;
    let (action, credentials, dry_run) = match command {
        BinfmtCommand::Status { json, .. } => {
            let status = subject.status()?;
            return print(&if json {
                serde_json::to_string_pretty(&status).expect("plain data") + "\n"
            } else {
                Status::to_text(&status)
            });
        }
        BinfmtCommand::Show { .. } => {
            return Ok(report::print(&subject.show())?);
        }
        BinfmtCommand::Register { how, .. } => (Action::Register, how.credentials, how.dry_run),
        BinfmtCommand::Unregister { dry_run, .. } => (Action::Unregister, false, dry_run),
        BinfmtCommand::Install { how, uninstall, .. } => {
            let action = if uninstall {
                Action::Uninstall
            } else {
                Action::Install
            };
            (action, how.credentials, how.dry_run)
        }
    };
    let text = subject.act(action, credentials, dry_run)?;
    let is_told = dry_run || matches!(action, Action::Install | Action::Uninstall);
    print(if is_told { &text } else { "" })
}

fn profile_command(
    argv0: &OsStr,
    command: ProfileCommand,
    context: Context,
    wrappers: &Wrappers,
) -> Result<ExitCode, Failure> {
    if !matches!(command, ProfileCommand::List { .. }) {
        context.existing_sysroot()?;
    }
    if let ProfileCommand::Set { profile, .. } = command {
        let options = Options {
            profile: Some(profile),
            ..Options::default()
        };
        return initialise(argv0, context, wrappers, &options, false);
    }
    let target = context.config.facts(&context.tuple)?;
    let repositories = context.repositories()?.ok_or(ProfileError::NoPortage)?;
    let all = profile::list(&context, &target, &repositories)?;
    let current = profile::current(&context.configroot());
    let is_current =
        |directory: &Path| directory.canonicalize().ok() == current && current.is_some();
    let mut text = String::new();
    match command {
        ProfileCommand::List { .. } => {
            for (number, profile) in (1..).zip(&all) {
                let mark = if is_current(&profile.directory) {
                    " *"
                } else {
                    ""
                };
                let status = profile.status.as_str();
                let _ = writeln!(text, "  [{number}]  {} ({status}){mark}", profile.name);
            }
        }
        _ => {
            let directory = current
                .clone()
                .ok_or_else(|| ProfileError::None(context.tuple.clone()))?;
            let known = all.iter().find(|profile| is_current(&profile.directory));
            let name = known.map_or(directory.display().to_string(), |profile| {
                profile.name.clone()
            });
            let says = profile::says(&context, &repositories, &directory)?;
            for (key, value) in [
                ("profile", name.as_str()),
                (
                    "status",
                    known.map_or("-", |profile| profile.status.as_str()),
                ),
                ("directory", &directory.display().to_string()),
                ("arch", &says.arch),
                ("kernel", &says.kernel),
                ("elibc", &says.elibc),
                ("chost", &says.chost),
            ] {
                let _ = writeln!(
                    text,
                    "{key:<9} {}",
                    if value.is_empty() { "-" } else { value }
                );
            }
        }
    }
    print(&text)
}

const AFTER_APPLETS: &str = "
Other names: emerge-<tuple> is <tuple>-emerge; cross-<applet> takes the tuple from CHOST; emerge-wrapper is crossdev's.
A tuple names a machine as CPU, vendor, kernel and libc: armv7a-unknown-linux-gnueabihf.

Examples:
  crossmerge init armv7a-unknown-linux-gnueabihf
  armv7a-unknown-linux-gnueabihf-emerge app-editors/nano

Exit codes: 0 it was done; 1 `doctor` or `site-cache verify` found something; 125 crossmerge failed, and says why; an
applet's are its tool's own, or 127 when there is no such tool and 126 when it may not be run.

Manual pages: crossmerge(1), crossmerge-applets(1), crossmerge.toml(5)";

fn after_help(wrappers: &Wrappers) -> String {
    let mut text = String::from("Applets, each called as `<tuple>-<applet>`:\n");
    for (name, wrapper) in wrappers.applets() {
        let _ = writeln!(text, "  {name:<12}  {}", wrapper.summary);
    }
    text + AFTER_APPLETS
}
