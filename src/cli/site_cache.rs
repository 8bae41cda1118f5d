//! `crossmerge site-cache`: the answers that configure scripts are given, shown and explained.

mod scan;

use super::print;
use crate::{
    config::Config,
    context::Context,
    env::Env,
    error::Error,
    site_cache::data::{About, Answer, Answers, Obtained, Origin},
    tuple::Tuple,
};
use clap::Subcommand;
use std::{ffi::OsString, fmt::Write as _, path::PathBuf, process::ExitCode};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the answers that a configure script for the target is given
    List {
        /// The tuple
        tuple: OsString,
        /// List as well what is known and not given
        #[arg(long)]
        all: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// List the tests of configure scripts that run a program, their defaults in a cross build, and our answers
    Scan {
        /// The tuple
        tuple: OsString,
        /// The scripts, or folders that have one; without any, ./configure
        #[arg(value_name = "SCRIPT")]
        scripts: Vec<PathBuf>,
        /// Take the scripts in the folders below as well
        #[arg(long)]
        recursive: bool,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them.
pub(super) fn run(command: Command, env: Env, config: Config) -> Result<ExitCode, Error> {
    let context =
        |tuple: &OsString| Context::new(env, config, Tuple::from_os(tuple)?).map_err(Error::from);
    match command {
        Command::List { tuple, all, json } => {
            let answers = Answers::of(&context(&tuple)?)?;
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
                table(&listed, &answers)
            })
        }
        Command::Scan {
            tuple,
            scripts,
            recursive,
            json,
        } => print(&scan::scan(&context(&tuple)?, &scripts, recursive, json)?),
    }
}

/// A line for each answer: the variable, its value, its layer and who confirmed it.
fn table(listed: &[&Answer], answers: &Answers) -> String {
    let width =
        |of: fn(&Answer) -> usize| listed.iter().map(|answer| of(answer)).max().unwrap_or(0);
    let names = width(|answer| answer.name.len());
    let values = width(|answer| value(answer).len()).min(24);
    let layers = width(|answer| answer.layer.len());
    let mut text = String::new();
    for answer in listed {
        let (name, value, layer) = (&answer.name, value(answer), &answer.layer);
        let mut state = confirmation(answer);
        if !answers.is_given(answer) {
            state += ", not given";
        }
        let _ = writeln!(
            text,
            "{name:names$}  {value:values$}  {layer:layers$}  {state}"
        );
    }
    text
}

/// The value for a person.
fn value(answer: &Answer) -> &str {
    match answer.value.as_deref() {
        None => "-",
        Some("") => "''",
        Some(value) => value,
    }
}

/// Who saw that it is so.
fn confirmation(answer: &Answer) -> String {
    let mut text = match (&answer.origin, &answer.probe, answer.obtained) {
        (Origin::Person(_), None, _) => "yours".into(),
        (_, _, Some(Obtained::Learned)) | (Origin::Learned(_), ..) => "learned".into(),
        (_, Some(probe), _) => format!("probe {probe}"),
        (Origin::BuiltIn, None, _) => "unverified".to_owned(),
    };
    match answer.about {
        Some(About::Kernel) => text += ", about the kernel",
        Some(About::Filesystem) => text += ", about the file system",
        None => {}
    }
    text
}

fn to_json(answer: &Answer, answers: &Answers) -> serde_json::Value {
    let origin = match &answer.origin {
        Origin::BuiltIn => None,
        Origin::Person(file) | Origin::Learned(file) => Some(file.to_string_lossy()),
    };
    let about = answer.about.map(|about| match about {
        About::Kernel => "kernel",
        About::Filesystem => "filesystem",
    });
    let obtained = answer.obtained.map(|obtained| match obtained {
        Obtained::Probe => "probe",
        Obtained::Read => "read",
        Obtained::Learned => "learned",
    });
    serde_json::json!({
        "name": answer.name,
        "value": answer.value,
        "layer": answer.layer,
        "asker": answer.asker,
        "obtained": obtained,
        "probe": answer.probe,
        "note": answer.note,
        "about": about,
        "file": origin,
        "verified": answer.is_verified(),
        "given": answers.is_given(answer),
    })
}
