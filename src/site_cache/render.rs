//! The config.site: the answers as a file for any configure script's shell. Pure.
//!
//! It is read by a script that knows already for whom it was called, and by others as well: those for the build machine, those
//! for another target, and what is no script of Autoconf's. So the file itself looks whom it speaks to. Whatever the caller
//! says wins. All shells that run configure scripts take it, with `set -e` and `set -u` too.

use super::data::{About, Answer, Answers, Obtained, Origin};
use crossmerge_plan::{tuple::Tuple, words::quote_for_any_sh};
use crossmerge_system::file::read;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// How the first line of each such file begins.
const FIRST: &str = "# Made by `crossmerge site-cache render ";

/// The longest line of the list of names, in bytes.
const WIDTH: usize = 120;

/// The bytes that an answer takes in the file, with its name in the list; most take less.
const OF_AN_ANSWER: usize = 256;

/// The file below its head.
const TEMPLATE: &str = include_str!("config.site.in");

/// What answers that depend on the script add to it.
const BY_SCRIPT: &str = include_str!("by-script.in");

/// What a trial adds to it.
const EMULATE: &str = include_str!("emulate.in");

/// The line of a site file by which configure finds out itself whether it is cross compiling. Autoconf turns `maybe` into `no` when a program
/// ran, and into `yes` when it did not. CPython's script ends at `maybe`; from `no`, it ends when a program does not run.
pub(super) const MAYBE: &str =
    "case ${PACKAGE_TARNAME-} in python) cross_compiling=no ;; *) cross_compiling=maybe ;; esac\n";

/// A program of the target, for the file to try whether such programs run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The program.
    pub program: PathBuf,
    /// The exit code by which it is known that it ran.
    pub exit_code: i32,
}

/// The file's text: the answers that are given; with a trial, only where the program does not run.
pub fn render(tuple: &Tuple, answers: &Answers, trial: Option<&Trial>) -> String {
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
    let emulate = trial.map_or(String::new(), |trial| {
        let program = quote_for_any_sh(trial.program.as_os_str());
        let emulate = EMULATE.replace("@EXIT_CODE@", &trial.exit_code.to_string());
        let emulate = emulate.replace("@MAYBE@\n", MAYBE);
        emulate.replace("@PROGRAM@", &program)
    });
    let template = TEMPLATE
        .replace("@EMULATE@\n", &emulate)
        .replace("@COUNT@", &given.len().to_string())
        .replace("@TUPLE@", tuple.as_str());
    // Last, since they are most of the file, and every applet that tells configure scripts of it makes it anew.
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

/// Adds the answers that depend on which question the script asks, and one search of the script for all their names and texts.
fn answer_by_script(answers: &[&Answer], text: &mut String) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut texts = BTreeSet::new();
    let mut cases = String::new();
    for answer in answers {
        let name = &answer.name;
        texts.insert(name.to_string());
        cases += "  # ";
        give_origin(answer, &mut cases);
        // Autoconf writes every variable that is set into the cache, and a script that this one calls may share that cache and ask
        // another question. So a script that does not ask is not answered.
        let _ = writeln!(
            cases,
            "\n  case $crossmerge_texts in *{name}*) case $crossmerge_texts in"
        );
        for other in &answer.others {
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
    // Last, since a text may contain one of the other marks.
    *text += &block.replace("@CASES@\n", &cases);
    text.truncate(text.trim_end().len());
}

/// Returns whether a file is a config.site of ours, for whatever target.
pub fn is_ours(file: &Path) -> bool {
    // What comes out of a pipe would be missing to the script.
    let first = read::head(file, FIRST.len() as u64);
    first.is_ok_and(|first| first == FIRST.as_bytes())
}

/// Adds the names as words over several lines.
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

/// Adds what gives a variable its value unless it has one. A value that is not plain is kept out of `${…}`, in which old shells
/// take quotes for other things.
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

/// Adds where an answer comes from, in one line.
fn give_origin(answer: &Answer, text: &mut String) {
    let begin = text.len();
    *text += &answer.layer;
    if let Some(asker) = &answer.asker {
        text.extend(["; asked by ", asker]);
    }
    *text += "; ";
    match (&answer.origin, &answer.probe, answer.obtained) {
        (Origin::User(file), ..) => text.extend(["said in ", &file.to_string_lossy()]),
        (_, _, Some(Obtained::Learned)) | (Origin::Learned(_), ..) => *text += "learned",
        (Origin::BuiltIn, Some(probe), _) => text.extend(["probe ", probe]),
        (Origin::BuiltIn, None, _) => *text += "unverified",
    }
    match answer.about {
        None => {}
        Some(About::Kernel) => *text += "; about the kernel",
        Some(About::Filesystem) => *text += "; about the file system",
    }
    if text[begin..].contains(char::is_control) {
        let plain = text[begin..].replace(char::is_control, "?");
        text.replace_range(begin.., &plain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_given_whole_and_only_where_there_is_none() {
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
