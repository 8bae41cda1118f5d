//! `crossmerge site-cache scan`, as text and as JSON.

use super::shown::{self, confirmation, shown};
use crate::{
    context::Context,
    site_cache::{
        SiteCacheError,
        data::{Answer, Answers},
    },
    terminal::{COLUMN, Progress, table},
};
use crossmerge_autoconf::scan::{self, PlaceKind, Scan, ScriptHost, Test};
use std::{
    fmt::Write as _,
    ops::Deref,
    path::{Path, PathBuf},
};

/// How crossmerge's answer to a test compares with the script's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There is no answer.
    Missing,
    /// There is an answer, which is not given because no probe confirmed it.
    NotGiven,
    /// There is an answer to another question under this name, but not to the script's.
    AnotherTest,
    /// The answer is the script's default.
    Same,
    /// The answer differs from the script's default.
    Differs,
}

impl Standing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "no answer",
            Self::NotGiven => "not given",
            Self::AnotherTest => "unanswered: another test under this name",
            Self::Same => "same",
            Self::Differs => "differs",
        }
    }

    fn of(test: &Test, answer: Option<&Answer>, answers: &Answers, script: &str) -> Self {
        let given = answer.filter(|answer| answers.is_given(answer));
        match (answer, given.map(|answer| answer.value_for(script))) {
            (None, _) => Self::Missing,
            (_, None) => Self::NotGiven,
            (_, Some(None)) => Self::AnotherTest,
            (_, Some(Some(value))) => {
                let guess = test.default.value().map(scan::without_guess);
                match guess == Some(scan::without_guess(value)) {
                    true => Self::Same,
                    false => Self::Differs,
                }
            }
        }
    }
}

/// Scans scripts and returns the output.
pub(super) fn scan(
    context: &Context,
    paths: &[PathBuf],
    recursive: bool,
    json: bool,
) -> Result<String, SiteCacheError> {
    let answers = Answers::of(context)?;
    let host = ScriptHost::of(&context.tuple);
    let current = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &current } else { paths };
    let mut scripts = Vec::new();
    for path in paths {
        scripts.extend(scan::scripts(path, recursive)?);
    }
    let progress = Progress::of("scanning scripts", scripts.len());
    let mut scans = Vec::new();
    for script in scripts {
        let (scan, text) = scan::read(&script, &host)?;
        scans.push((script, scan, text));
        progress.step();
    }
    drop(progress);
    if json {
        let scans = scans
            .iter()
            .map(|(script, scan, text)| to_json(script, scan, text, &answers));
        return Ok(format!("{:#}\n", serde_json::Value::from_iter(scans)));
    }
    let texts: Vec<String> = scans
        .iter()
        .map(|(script, scan, text)| to_text(script, scan, text, &answers))
        .collect();
    Ok(texts.join("\n"))
}

fn answer_to<'a>(test: &Test, answers: &'a Answers) -> Option<&'a Answer> {
    answers.about(&test.variable).last().map(Deref::deref)
}

/// Returns crossmerge's answer to the script's question.
fn value_for<'a>(answer: &'a Answer, script: &str) -> &'a str {
    match answer.value {
        None => "-",
        Some(_) => answer.value_for(script).map_or("-", shown),
    }
}

/// Renders the script's name, a line for each test, and the lines that no answer can affect.
fn to_text(path: &Path, scan: &Scan, script: &str, answers: &Answers) -> String {
    let unnamed = || "a package without a name".into();
    let package = scan.package.clone().unwrap_or_else(unnamed);
    let autoconf = scan.autoconf.as_deref().unwrap_or("(no version)");
    let path = path.display();
    let mut text = format!("{path}: {package}, made by Autoconf {autoconf}\n");
    let mut rows =
        vec![["variable", "line", "in a cross build", "answer", "", "from"].map(String::from)];
    for test in &scan.tests {
        let answer = answer_to(test, answers);
        let line = match &test.lines[..] {
            [first, _, ..] => format!("{first} +{}", test.lines.len() - 1),
            lines => lines.iter().map(usize::to_string).collect(),
        };
        let mut default = test.default.to_text();
        if test.may_stop && !matches!(test.default, scan::CrossDefault::Stops) {
            default += ", or stops";
        }
        let from = answer.map_or(String::new(), |answer| {
            format!("{}, {}", answer.layer, confirmation(answer))
        });
        rows.push([
            test.variable.clone(),
            line,
            default,
            answer
                .map_or("-", |answer| value_for(answer, script))
                .into(),
            Standing::of(test, answer, answers, script).as_str().into(),
            from,
        ]);
    }
    if !scan.tests.is_empty() {
        text += &table([COLUMN; 6], &rows);
    }
    for (kind, description) in [
        (
            PlaceKind::NoVariable,
            "runs a program and keeps nothing, so it cannot be answered",
        ),
        (
            PlaceKind::Decision,
            "decides on $cross_compiling without running anything",
        ),
    ] {
        for place in scan.places.iter().filter(|place| place.kind == kind) {
            let _ = writeln!(text, "  line {}: {description}", place.line);
        }
    }
    text
}

fn to_json(path: &Path, scan: &Scan, script: &str, answers: &Answers) -> serde_json::Value {
    let tests = scan.tests.iter().map(|test| {
        let answer = answer_to(test, answers);
        let standing = Standing::of(test, answer, answers, script);
        let mut json = serde_json::to_value(test).expect("plain data");
        json["standing"] = standing.as_str().into();
        json["answer"] = answer.map_or(serde_json::Value::Null, |answer| {
            let mut json = shown::to_json(answer, answers);
            if answer.value.is_some() {
                json["value"] = answer.value_for(script).into();
            }
            json
        });
        json
    });
    let tests: Vec<_> = tests.collect();
    serde_json::json!({
        "script": path.to_string_lossy(),
        "package": scan.package,
        "autoconf": scan.autoconf,
        "tests": tests,
        "places": scan.places,
    })
}
