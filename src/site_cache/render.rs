//! The config.site: the answers as a file for any configure script's shell. Pure.
//!
//! It is read by a script that knows already for whom it was called, and by others as well: those for the build machine, those
//! for another target, and what is no script of Autoconf's. So the file itself looks whom it speaks to. Whatever the caller
//! says wins. All shells that run configure scripts take it, with `set -e` and `set -u` too.

use super::data::{About, Answer, Answers, Obtained, Origin};
use crate::{export::quote_for_any_sh, tuple::Tuple};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// How the first line of each such file begins.
const FIRST: &str = "# Made by `crossmerge site-cache render ";

/// The longest line of the list of names, in bytes.
const WIDTH: usize = 120;

/// The file below its head.
const TEMPLATE: &str = include_str!("config.site.in");

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
    let mut text = format!("{FIRST}{tuple}`, which replaces this file when it runs again.\n#\n");
    let _ = writeln!(text, "# The layers, from the general to the special:");
    for (name, summary) in answers.layers() {
        let _ = writeln!(text, "#   {name}: {summary}");
    }
    let given: Vec<&Answer> = answers.given().collect();
    let emulate = trial.map_or(String::new(), |trial| {
        let program = quote_for_any_sh(trial.program.as_os_str());
        let emulate = EMULATE.replace("@EXIT_CODE@", &trial.exit_code.to_string());
        let emulate = emulate.replace("@MAYBE@\n", MAYBE);
        emulate.replace("@PROGRAM@", &program)
    });
    let lines = given.iter().map(|answer| {
        let value = answer.value.as_deref().unwrap_or_default();
        format!(
            "{}  # {}",
            assignment(&answer.name, value),
            provenance(answer)
        )
    });
    text + &TEMPLATE
        .replace("@EMULATE@\n", &emulate)
        .replace("@COUNT@", &given.len().to_string())
        .replace("@TUPLE@", tuple.as_str())
        .replace("@NAMES@", &names(&given))
        .replace("@ANSWERS@", &lines.collect::<Vec<_>>().join("\n"))
}

/// Tells whether a file is a config.site of ours, for whatever target.
pub fn is_ours(file: &Path) -> bool {
    use std::io::Read;
    let mut first = [0; FIRST.len()];
    let read = fs_err::File::open(file).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == *FIRST.as_bytes()
}

/// The names as words over several lines.
fn names(given: &[&Answer]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for answer in given {
        if width > 0 && width + answer.name.len() >= WIDTH {
            text += " \\\n";
            width = 0;
        } else if width > 0 {
            text.push(' ');
        }
        text += &answer.name;
        width += answer.name.len() + 1;
    }
    text
}

/// Gives a variable its value unless it has one. A value that is not plain is kept out of `${…}`, in which old shells take
/// quotes for other things.
fn assignment(name: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:+,%@^-".contains(c);
    match !value.is_empty() && value.chars().all(is_plain) {
        true => format!(": ${{{name}={value}}}"),
        false => {
            let value = value.replace('\'', "'\\''");
            format!("test \"${{{name}+set}}\" = set || {name}='{value}'")
        }
    }
}

/// Where an answer comes from, in one line.
fn provenance(answer: &Answer) -> String {
    let mut parts = vec![answer.layer.to_string()];
    parts.extend(
        answer
            .asker
            .as_ref()
            .map(|asker| format!("asked by {asker}")),
    );
    parts.push(match (&answer.origin, &answer.probe, answer.obtained) {
        (Origin::Person(file), ..) => format!("said in {}", file.display()),
        (_, _, Some(Obtained::Learned)) | (Origin::Learned(_), ..) => "learned".into(),
        (Origin::BuiltIn, Some(probe), _) => format!("probe {probe}"),
        (Origin::BuiltIn, None, _) => "unverified".into(),
    });
    parts.extend(answer.about.map(|about| match about {
        About::Kernel => "about the kernel".into(),
        About::Filesystem => "about the file system".into(),
    }));
    parts.join("; ").replace(char::is_control, "?")
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
            assert_eq!(assignment("x", value), line);
        }
    }
}
