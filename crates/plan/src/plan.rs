//! Plans: the program to run, its arguments and the changes to its environment.
//!
//! `crossmerge plan` prints a plan as shell code to paste, or as JSON. `exec.rs` carries it out. This module is pure.

mod choice;
pub mod step;

use crate::words::{json_string, quote};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};
use step::Step;

/// A change to one environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets it to this value.
    Set(OsString),
    /// Removes it.
    Unset,
}

/// The changes to the environment, by the variable's name.
pub type Changes = BTreeMap<OsString, Change>;

/// A file that the tool's arguments name. It is written before the tool starts and kept, because build directories
/// refer to its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// The command that prints the content, if that is too long to be shown in a plan.
    pub printed_by: Option<Vec<String>>,
}

/// One run of a real tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The real tool, as an absolute path.
    pub program: PathBuf,
    /// Its arguments: crossmerge's first, then the caller's, byte for byte.
    pub args: Vec<OsString>,
    /// The changes to the environment that it inherits.
    pub env: Changes,
    /// The files to write first. A file that already has the same content is not written.
    pub files: Vec<File>,
    /// The steps to carry out next, in this order: namespaces, mounts, root.
    pub enter: Vec<Step>,
    /// The trials that may choose another plan. `None` if everything is decided.
    pub choice: Option<Box<Choice>>,
}

/// The exit code of a program for trials. No emulator or shell uses it for its own errors.
pub const EXIT_CODE: u8 = 42;

/// The C source of that program.
pub const SOURCE: &str = "int main(void) { return 42; }\n";

/// What only a trial can decide: the trials, each with the plan that is carried out if it succeeds. If none does, the plan that
/// has the choice is. `exec/choice.rs` carries them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The program that the trials run. It is compiled before them; if that fails, there are no trials.
    pub program: Option<TrialProgram>,
    /// The trials in their order. The first that succeeds counts.
    pub alternatives: Vec<Alternative>,
    /// The note that is printed if none succeeds.
    pub note: Option<Note>,
}

/// A program for the target, which ends at once with [`EXIT_CODE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialProgram {
    /// The C compiler, as an absolute path.
    pub compiler: PathBuf,
    /// Its options, separated by spaces.
    pub flags: String,
    /// The path at which the program is kept: it is compiled if that does not exist, and then replaces all others in
    /// its directory. `None` for a program that is removed after the trials.
    pub kept: Option<PathBuf>,
    /// The note that is printed if it cannot be compiled.
    pub note: Option<Note>,
}

/// A plan, and the trial that decides on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The trial.
    pub trial: Trial,
    /// The plan that is carried out if it succeeds.
    pub plan: Plan,
}

/// A trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// Whether the program ends with its exit code.
    Program {
        /// The words before it: an emulator with its options, or none.
        words: Vec<OsString>,
        /// The changes to its environment.
        env: Changes,
        /// The steps to carry out first.
        enter: Vec<Step>,
    },
    /// Whether the kernel itself runs programs with this ELF header.
    Kernel {
        /// The name of the rule of binfmt_misc for such programs.
        rule: String,
        /// The header.
        header: Vec<u8>,
    },
}

/// A note for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What does not work, and what happens instead.
    pub text: String,
    /// The text of the `hint:` line.
    pub hint: Option<String>,
}

/// Formats the plan as shell code to paste: a here-document for each file, then one `env` command over several lines.
/// If there are steps, a shell that carries them out runs this command. If trials choose among several plans, each is
/// in a branch of its own.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.choice {
            None => {
                self.files.iter().try_for_each(|file| write!(f, "{file}"))?;
                f.write_str(&self.to_command())
            }
            Some(choice) => f.write_str(&choice.to_shell(self)),
        }
    }
}

/// Formats the file as a here-document, or as a command whose output is redirected to it.
impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const END: &str = "end-of-crossmerge-file";
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let (directory, path) = (quote(directory.as_os_str()), quote(self.path.as_os_str()));
        write!(f, "mkdir -p {directory} && ")?;
        match &self.printed_by {
            Some(command) => writeln!(f, "{} > {path}", shell_words::join(command)),
            None => {
                writeln!(f, "cat > {path} << '{END}'")?;
                writeln!(f, "{}\n{END}", self.text.trim_end_matches('\n'))
            }
        }
    }
}

/// Formats a command with its environment and the steps before it.
fn command(env: &Changes, enter: &[Step], program: &str) -> String {
    let environment = environment(env, enter);
    match enter {
        [] => format!("{environment} \\\n    {program}"),
        steps => step::wrapped(steps, &environment, program),
    }
}

/// Returns the `env` command, up to the program.
fn environment(env: &Changes, enter: &[Step]) -> String {
    let mut text = String::from("env");
    if enter.contains(&Step::EmptyEnvironment) {
        text += " -i";
    }
    // `env` takes options only before the assignments.
    for (name, change) in env {
        if *change == Change::Unset {
            text += &format!(" -u {}", quote(name));
        }
    }
    for (name, change) in env {
        if let Change::Set(value) = change {
            text += &format!(" \\\n    {}={}", quote(name), quote(value));
        }
    }
    text
}

/// Returns the changes as a JSON object. A variable to remove becomes `null`.
fn changes_to_json(changes: &Changes) -> serde_json::Value {
    let changes = changes.iter().map(|(name, change)| {
        let value = match change {
            Change::Set(value) => json_string(value),
            Change::Unset => serde_json::Value::Null,
        };
        (name.to_string_lossy().into_owned(), value)
    });
    serde_json::Value::Object(changes.collect())
}

impl Plan {
    /// Formats the command, without the files.
    fn to_command(&self) -> String {
        let mut program = quote(self.program.as_os_str());
        for arg in &self.args {
            program += &format!(" {}", quote(arg));
        }
        command(&self.env, &self.enter, &program)
    }

    /// Returns the plan as JSON. A string that is not UTF-8 becomes `{"bytes": […]}`, a variable to remove `null`.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({
            "program": json_string(self.program.as_os_str()),
            "args": self.args.iter().map(|arg| json_string(arg)).collect::<Vec<_>>(),
            "env": changes_to_json(&self.env),
            "files": self.files.iter().map(File::to_json).collect::<Vec<_>>(),
            "enter": self.enter,
        });
        if let Some(choice) = &self.choice {
            json["choice"] = choice.to_json();
        }
        json
    }
}

impl File {
    /// Returns the file as JSON: its path, and its content or the command that prints it.
    fn to_json(&self) -> serde_json::Value {
        let path = json_string(self.path.as_os_str());
        match &self.printed_by {
            Some(command) => serde_json::json!({ "path": path, "printed_by": command }),
            None => serde_json::json!({ "path": path, "text": self.text }),
        }
    }
}

/// Returns the changes as shell code for `eval`: one `export NAME=value` or `unset NAME` per line.
pub fn exports(changes: &Changes) -> String {
    changes
        .iter()
        .map(|(name, change)| match change {
            Change::Set(value) => format!("export {}={}\n", quote(name), quote(value)),
            Change::Unset => format!("unset {}\n", quote(name)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    #[test]
    fn a_plan_reads_as_shell_and_as_json() {
        let plan = Plan {
            program: "/usr/bin/emerge".into(),
            args: vec![
                "a b".into(),
                OsStr::from_bytes(b"\xff'\n").into(),
                "two\nlines".into(),
            ],
            env: BTreeMap::from([
                ("ROOT".into(), Change::Set("/r".into())),
                ("PKG_CONFIG_PATH".into(), Change::Unset),
                ("EPREFIX".into(), Change::Set("".into())),
            ]),
            files: vec![File {
                path: "/srv/a b/toolchain.cmake".into(),
                text: "set(A \"$B\")\n".into(),
                printed_by: None,
            }],
            enter: Vec::new(),
            choice: None,
        };
        assert_eq!(
            plan.to_string(),
            "mkdir -p '/srv/a b' && cat > '/srv/a b/toolchain.cmake' << 'end-of-crossmerge-file'\n\
             set(A \"$B\")\nend-of-crossmerge-file\n\
             env -u PKG_CONFIG_PATH \\\n    EPREFIX='' \\\n    ROOT=/r \\\n    \
             /usr/bin/emerge 'a b' $'\\377\\'\\012' 'two\nlines'"
        );
        assert_eq!(
            plan.to_json().to_string(),
            r#"{"args":["a b",{"bytes":[255,39,10]},"two\nlines"],"enter":[],"env":{"EPREFIX":"","PKG_CONFIG_PATH":null,"ROOT":"/r"},"files":[{"path":"/srv/a b/toolchain.cmake","text":"set(A \"$B\")\n"}],"program":"/usr/bin/emerge"}"#
        );
        assert_eq!(
            exports(&plan.env),
            "export EPREFIX=''\nunset PKG_CONFIG_PATH\nexport ROOT=/r\n"
        );
    }
}
