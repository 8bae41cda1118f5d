//! The config.site: the answers as a shell file for configure scripts. Pure.
//!
//! Other scripts read it too: those that build for the build machine or for another target, and scripts that are not
//! from Autoconf. So the file itself checks which script reads it. Variables that the caller set keep their values. All
//! shells that run configure scripts can read it, also with `set -e` and `set -u`.

use super::data::{About, Answer, Answers, Obtained, Origin};
use crossmerge_plan::{tuple::Tuple, words::quote_for_any_sh};
use crossmerge_system::file::read;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// The beginning of the first line of each such file.
const FIRST: &str = "# Made by `crossmerge site-cache render ";

/// The maximum length of a line in the list of names, in bytes.
const WIDTH: usize = 120;

/// The space for one answer, in bytes, with its name in the list; most take less.
const OF_AN_ANSWER: usize = 256;

/// The file below its head.
const TEMPLATE: &str = include_str!("config.site.in");

/// The template for answers that depend on the script.
const BY_SCRIPT: &str = include_str!("by-script.in");

/// The template for a trial.
const EMULATE: &str = include_str!("emulate.in");

/// The line of a site file that makes configure find out itself whether it is cross compiling. Autoconf changes `maybe`
/// to `no` if a program ran, and to `yes` if it did not. CPython's script stops at `maybe`; with `no`, it stops if a
/// program does not run.
pub(super) const MAYBE: &str =
    "case ${PACKAGE_TARNAME-} in python) cross_compiling=no ;; *) cross_compiling=maybe ;; esac\n";

/// The line of a site file that makes configure believe that it is cross compiling, even if programs of the target run.
/// Without `--build`, it would try one.
const CROSS: &str = "case $crossmerge_answers in yes) cross_compiling=yes ;; esac\n";

/// The reason for which programs of the target may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Programs {
    /// For the tests of configure, if this trial succeeds.
    ForConfigure(Trial),
    /// For other parts of a merge. configure gets answers.
    ForOthers,
}

/// A program of the target that the file runs to find out whether such programs run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The program.
    pub program: PathBuf,
    /// The exit code that shows that it ran.
    pub exit_code: i32,
}

/// Returns the file's text: the answers that are given; with a trial, they apply only if the program does not run.
pub fn render(tuple: &Tuple, answers: &Answers, programs: Option<&Programs>) -> String {
    let given: Vec<&Answer> = answers.given().collect();
    let mut text = String::with_capacity(TEMPLATE.len() + given.len() * OF_AN_ANSWER);
    let _ = write!(
        text,
        "{FIRST}{tuple}`, which replaces this file when it runs again.\n#\n"
    );
    let _ = writeln!(text, "# The layers, from the general to the special:");
    for (name, summary) in answers.layers() {
        let _ = writeln!(text, "#   {name}: {summary}");
    }
    let emulate = match programs {
        None => String::new(),
        Some(Programs::ForOthers) => CROSS.to_owned(),
        Some(Programs::ForConfigure(trial)) => {
            let program = quote_for_any_sh(trial.program.as_os_str());
            let emulate = EMULATE.replace("@EXIT_CODE@", &trial.exit_code.to_string());
            let emulate = emulate.replace("@MAYBE@\n", MAYBE);
            emulate.replace("@PROGRAM@", &program)
        }
    };
    let template = TEMPLATE
        .replace("@EMULATE@\n", &emulate)
        .replace("@COUNT@", &given.len().to_string())
        .replace("@TUPLE@", tuple.as_str());
    // The answers come last, since they are most of the file, and every applet that sets CONFIG_SITE renders it
    // again.
    let (head, rest) = template.split_once("@NAMES@").expect("a place for names");
    let (between, tail) = rest
        .split_once("@ANSWERS@")
        .expect("a place for the answers");
    text += head;
    names(&given, &mut text);
    text += between;
    let (by_script, always): (Vec<&Answer>, Vec<&Answer>) =
        given.iter().partition(|answer| answer.is_conditional());
    for (at, answer) in always.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let value = answer.value.as_deref().unwrap_or_default();
        assign(&answer.name, value, &mut text);
        text += "  # ";
        give_origin(answer, &mut text);
    }
    if !by_script.is_empty() {
        answer_by_script(&by_script, &mut text);
    }
    text + tail
}

/// Adds the answers that depend on the script's test, and one search of the script for all their names and texts.
fn answer_by_script(answers: &[&Answer], text: &mut String) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut texts = BTreeSet::new();
    let mut cases = String::new();
    for answer in answers {
        let name = &answer.name;
        texts.insert(name.to_string());
        cases += "  # ";
        give_origin(answer, &mut cases);
        // Autoconf writes every variable that is set into the cache. A script that this one calls may share that cache
        // and have another test. So a script without the test gets no answer.
        let _ = writeln!(
            cases,
            "\n  case $crossmerge_texts in *{name}*) case $crossmerge_texts in"
        );
        for other in answer.others.iter() {
            let pattern = quoted(&other.text);
            let _ = write!(cases, "  *{pattern}*) ");
            match &other.value {
                Some(value) => assign(name, value, &mut cases),
                None => {
                    let _ = write!(cases, "crossmerge_others=\"$crossmerge_others {name}\"");
                }
            }
            let _ = writeln!(
                cases,
                " ;;  # asked by {}",
                other.asked.replace(char::is_control, "?")
            );
            texts.insert(pattern);
        }
        match &answer.needs {
            None => cases += "  *) ",
            Some(needs) => {
                let pattern = quoted(needs);
                let _ = write!(cases, "  *{pattern}*) ");
                texts.insert(pattern);
            }
        }
        assign(
            name,
            answer.value.as_deref().unwrap_or_default(),
            &mut cases,
        );
        cases += " ;;\n  esac ;; esac\n";
    }
    let texts: Vec<String> = texts
        .iter()
        .map(|text| format!("      -e {text} \\"))
        .collect();
    let block = BY_SCRIPT
        .replace("@COUNT@", &answers.len().to_string())
        .replace("@TEXTS@", &texts.join("\n"));
    // The cases are inserted last, since a text in them may contain one of the other markers.
    *text += &block.replace("@CASES@\n", &cases);
    text.truncate(text.trim_end().len());
}

/// Returns whether a file is a config.site from crossmerge, for any target.
pub fn is_ours(file: &Path) -> bool {
    // Only a regular file is read: content read from a pipe would be missing for the script.
    let first = read::head(file, FIRST.len() as u64);
    first.is_ok_and(|first| first == FIRST.as_bytes())
}

/// Adds the names as words, on several lines.
fn names(given: &[&Answer], text: &mut String) {
    let mut width = 0;
    for answer in given {
        if width > 0 && width + answer.name.len() >= WIDTH {
            *text += " \\\n";
            width = 0;
        } else if width > 0 {
            text.push(' ');
        }
        *text += &answer.name;
        width += answer.name.len() + 1;
    }
}

/// Adds a line that sets a variable if it is unset. A value with special characters does not go into `${…}`, in which
/// old shells treat quotes differently.
pub(super) fn assign(name: &str, value: &str, text: &mut String) {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_./:+,%@^-".contains(&b);
    let parts = match !value.is_empty() && value.bytes().all(is_plain) {
        true => [": ${", name, "=", value, "}"],
        false => {
            let value = value.replace('\'', "'\\''");
            return text.extend([
                "test \"${",
                name,
                "+set}\" = set || ",
                name,
                "='",
                &value,
                "'",
            ]);
        }
    };
    text.extend(parts);
}

/// Adds the origin of an answer, on one line.
fn give_origin(answer: &Answer, text: &mut String) {
    let begin = text.len();
    *text += &answer.layer;
    if let Some(asker) = &answer.asker {
        text.extend(["; asked by ", asker]);
    }
    *text += "; ";
    match (&answer.origin, &answer.probe, answer.obtained) {
        (Origin::User(file), ..) => text.extend(["set in ", &file.to_string_lossy()]),
        (_, _, Some(Obtained::Learned)) | (Origin::Learned(_), ..) => *text += "learned",
        (Origin::BuiltIn, Some(probe), _) => text.extend(["probe ", probe]),
        (Origin::BuiltIn, None, _) => *text += "unverified",
    }
    match answer.about {
        None => {}
        Some(About::Kernel) => *text += "; about the kernel",
        Some(About::Filesystem) => *text += "; about the file system",
    }
    // `build.rs` rejects control characters.
    if answer.origin != Origin::BuiltIn && text[begin..].contains(char::is_control) {
        let plain = text[begin..].replace(char::is_control, "?");
        text.replace_range(begin.., &plain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_unchanged_and_only_if_unset() {
        for (value, line) in [
            ("yes", ": ${x=yes}"),
            (
                "guessing yes",
                "test \"${x+set}\" = set || x='guessing yes'",
            ),
            ("", "test \"${x+set}\" = set || x=''"),
            ("it's", "test \"${x+set}\" = set || x='it'\\''s'"),
            ("a}b", "test \"${x+set}\" = set || x='a}b'"),
        ] {
            let mut text = String::new();
            assign("x", value, &mut text);
            assert_eq!(text, line);
        }
    }
}
