//! `crossmerge site-cache`: shows and explains the answers for configure scripts.

mod scan;
mod shown;

use super::print::print;
use crate::{
    applet::Wrappers,
    call::Call,
    config::SiteCache,
    context::Context,
    site_cache::{
        config_site_text,
        data::{About, Answer, Answers, KnownAnswer, Obtained, Origin},
        learn, make_trial_program, verify,
    },
    terminal::{COLUMN, Column, FIRST, table},
};
use clap::Subcommand;
use crossmerge_plan::report::{Failure, UsageError};
use shown::{confirmation, shown, to_json, value};
use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    path::PathBuf,
    process::ExitCode,
    thread,
};

#[derive(Debug, Subcommand)]
pub(super) enum SiteCacheCommand {
    /// List the answers that configure scripts for the target get
    List {
        /// The target's tuple
        tuple: OsString,
        /// Also list answers that are not given
        #[arg(long)]
        all: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// List the tests of configure scripts that run a program, their defaults in a cross build, and crossmerge's
    /// answers
    Scan {
        /// The target's tuple
        tuple: OsString,
        /// The scripts, or directories that contain one; without any, ./configure
        #[arg(value_name = "SCRIPT")]
        scripts: Vec<PathBuf>,
        /// Also scan the scripts in subdirectories
        #[arg(long)]
        recursive: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Print where an answer comes from, and why it is given or not
    Explain {
        /// The target's tuple
        tuple: OsString,
        /// The cache variable, such as ac_cv_func_malloc_0_nonnull
        variable: String,
    },
    /// Run the probes with the target's compiler and libc, and compare their results with the answers
    ///
    /// The exit code is 1 if something differs, else 0.
    Verify {
        /// The target's tuple
        tuple: OsString,
        /// Run this probe only; may be given several times
        #[arg(long, value_name = "NAME")]
        probe: Vec<String>,
        /// How many probes to run at once; the default is the number of processors
        #[arg(short, long)]
        jobs: Option<usize>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the config.site that a configure script for the target reads
    Render {
        /// The target's tuple
        tuple: OsString,
    },
    /// Run a configure script with its tests under QEMU, and keep the results as the target's own answers
    ///
    /// It runs twice, with and without tests, in temporary directories; the source directory is only read.
    Learn {
        /// The target's tuple
        tuple: OsString,
        /// Print what would be learned, and keep nothing
        #[arg(long)]
        dry_run: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
        /// The script and its arguments, as for `<tuple>-configure`; without a script, ./configure
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Remove learned answers
    Forget {
        /// The target's tuple
        tuple: OsString,
        /// The cache variables
        #[arg(required_unless_present = "all")]
        variables: Vec<String>,
        /// Remove everything that was learned
        #[arg(long, conflicts_with = "variables")]
        all: bool,
    },
}

impl SiteCacheCommand {
    /// Returns the name of the target.
    pub(super) fn tuple(&self) -> &OsStr {
        match self {
            Self::List { tuple, .. }
            | Self::Scan { tuple, .. }
            | Self::Learn { tuple, .. }
            | Self::Forget { tuple, .. }
            | Self::Explain { tuple, .. }
            | Self::Verify { tuple, .. }
            | Self::Render { tuple } => tuple,
        }
    }
}

/// Runs one of the commands.
pub(super) fn run(
    command: SiteCacheCommand,
    context: Context,
    wrappers: &Wrappers,
) -> Result<ExitCode, Failure> {
    match command {
        SiteCacheCommand::List { all, json, .. } => {
            let answers = Answers::of(&context)?;
            let listed: Vec<&Answer> = answers
                .deciding()
                .filter(|answer| all || answers.is_given(answer))
                .collect();
            print(&if json {
                let rows: Vec<_> = listed
                    .iter()
                    .map(|answer| to_json(answer, &answers))
                    .collect();
                format!("{:#}\n", serde_json::Value::from(rows))
            } else {
                list(&listed, &answers)
            })
        }
        SiteCacheCommand::Scan {
            scripts,
            recursive,
            json,
            ..
        } => print(&scan::scan(&context, &scripts, recursive, json)?),
        SiteCacheCommand::Learn {
            dry_run,
            json,
            args,
            ..
        } => {
            let plan = wrappers.plan("configure", &Call::new(&context), args)?;
            let report = learn::learn(&context, plan, dry_run)?;
            print(&if json {
                format!("{:#}\n", report.to_json())
            } else {
                report.to_text()
            })
        }
        SiteCacheCommand::Forget { variables, .. } => {
            let gone = learn::forget(&context, &variables)?;
            print(
                &gone
                    .iter()
                    .map(|name| format!("{name}\n"))
                    .collect::<String>(),
            )
        }
        SiteCacheCommand::Explain { variable, .. } => {
            let answers = Answers::of(&context)?;
            match answers.about(&variable) {
                [] => Err(unknown(&context, &answers, &variable)),
                known => print(&explain(&context, &answers, known)),
            }
        }
        SiteCacheCommand::Verify {
            probe, jobs, json, ..
        } => {
            let jobs =
                jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
            let report = verify::verify(&context, &probe, jobs)?;
            print(&if json {
                serde_json::to_string_pretty(&report).expect("plain data") + "\n"
            } else {
                report.to_text()
            })?;
            Ok(ExitCode::from(u8::from(report.has_differences())))
        }
        SiteCacheCommand::Render { .. } => {
            let call = Call::new(&context);
            make_trial_program(&call);
            print(&config_site_text(&call)?)
        }
    }
}

/// Makes the error for an unknown variable, with similar names as the hint.
fn unknown(context: &Context, answers: &Answers, variable: &str) -> Failure {
    const ALIKE: usize = 3;
    let tuple = &context.tuple;
    let names: Vec<&str> = answers
        .deciding()
        .map(|answer| answer.name.as_ref())
        .collect();
    let alike = similar::get_close_matches(variable, &names, ALIKE, 0.6);
    UsageError {
        message: format!("no answer is known for `{variable}` of `{tuple}`"),
        hint: match alike[..] {
            [] => format!("`crossmerge site-cache list --all {tuple}` lists the known ones"),
            _ => format!("similar names are {}", alike.join(", ")),
        },
    }
    .into()
}

/// Explains a variable, one key and value per line. `known` lists its answers, the general first.
fn explain(context: &Context, answers: &Answers, known: &[KnownAnswer]) -> String {
    let (answer, overridden) = known.split_last().expect("the variable has an answer");
    let layer = answers.layers().filter(|(name, _)| *name == answer.layer);
    let layer = layer.last().map_or("", |(_, summary)| summary);
    let file = match &answer.origin {
        Origin::BuiltIn => None,
        Origin::User(file) | Origin::Learned(file) => Some(file.display().to_string()),
    };
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key:<10} {value}");
    };
    line("variable", &answer.name);
    line("value", value(answer));
    line("given", &why(context, answers, answer));
    line("layer", &format!("{}: {layer}", answer.layer));
    let mut optional = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            line(key, value);
        }
    };
    optional("file", file.as_deref());
    optional("asked by", answer.asker.as_deref());
    optional("obtained", answer.obtained.map(obtained));
    optional("probe", answer.probe.as_deref());
    optional("about", answer.about.map(about));
    optional("note", answer.note.as_deref());
    optional("question", answer.asked.as_deref());
    if let Some(needs) = &answer.needs {
        line("only if", &format!("the script contains `{needs}`"));
    }
    for other in answer.others.iter() {
        let value = match other.value.as_deref() {
            Some(value) => shown(value),
            None => "no answer",
        };
        let (asked, text) = (&other.asked, &other.text);
        line(
            "otherwise",
            &format!("{value}, if the script contains `{text}`: {asked}"),
        );
    }
    for other in overridden.iter().rev() {
        let source = match &other.origin {
            Origin::BuiltIn => other.layer.to_string(),
            Origin::User(file) | Origin::Learned(file) => file.display().to_string(),
        };
        line("overrides", &format!("{} of {source}", value(other)));
    }
    text
}

/// Returns whether an answer is given to scripts, and why.
fn why(context: &Context, answers: &Answers, answer: &Answer) -> String {
    let file = context.config.target_file(&context.tuple);
    let file = file.display();
    if context.settings.site_cache == SiteCache::Off {
        return format!("no: `site_cache = \"off\"` in {file}");
    }
    match (&answer.value, answers.is_given(answer)) {
        (None, _) => "no: your file disables it".into(),
        (Some(_), false) => {
            format!(
                "no: no probe confirmed it; `unverified_answers = true` in {file} gives such answers too"
            )
        }
        (Some(_), true) if !answer.is_verified() => {
            format!("yes, although no probe confirmed it: `unverified_answers = true` in {file}")
        }
        (Some(_), true) => match context.settings.site_cache {
            SiteCache::Emulate => "if configure cannot run its test".into(),
            _ => "yes".into(),
        },
    }
}

/// Returns a sentence on how an answer was obtained.
fn obtained(obtained: Obtained) -> &'static str {
    match obtained {
        Obtained::Probe => "its probe ran on targets of this kind",
        Obtained::Read => "it was read in sources or documentation",
        Obtained::Learned => "a configure script found it by running its test",
    }
}

/// Returns the subject of an answer.
fn about(about: About) -> &'static str {
    match about {
        About::Kernel => "the kernel of the target machine; under QEMU, the host's answers",
        About::Filesystem => {
            "the file system of the target machine; under QEMU, the host's answers"
        }
    }
}

/// Renders a line for each answer: the variable, its value, its layer and its confirmation.
fn list(listed: &[&Answer], answers: &Answers) -> String {
    let row = |answer: &&Answer| {
        let mut state = confirmation(answer);
        if !answers.is_given(answer) {
            state += ", not given";
        }
        let layer = answer.layer.to_string();
        [answer.name.to_string(), value(answer).into(), layer, state]
    };
    let rows: Vec<_> = listed.iter().map(row).collect();
    let values = Column { max: 24, ..COLUMN };
    table([FIRST, values, COLUMN, COLUMN], &rows)
}
