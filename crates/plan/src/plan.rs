//! A plan: the program, its arguments and the changes to the environment, decided and not yet done.
//!
//! `crossmerge plan` prints it, as shell that can be pasted or as JSON; `exec.rs` does it. Pure.

pub mod step;

use crate::words::{json_string, quote};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};
use step::Step;

/// What happens to one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets this value.
    Set(OsString),
    /// It is taken out.
    Unset,
}

/// The changes to the environment, by the variable's name.
pub type Changes = BTreeMap<OsString, Change>;

/// A file that has to be there before the tool starts: it is named in the tool's arguments, and kept by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    /// The command that prints the text, where that is too long to be read in a plan.
    pub printed_by: Option<Vec<String>>,
}

/// One call of a real tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The real tool, as an absolute path.
    pub program: PathBuf,
    /// Its arguments: ours first, then the caller's, byte for byte.
    pub args: Vec<OsString>,
    /// What its environment has that ours has not.
    pub env: Changes,
    /// Files that are written first, where they do not say the same already.
    pub files: Vec<File>,
    /// What is done next to our surroundings, in this order.
    pub enter: Vec<Step>,
}

/// Writes the plan as here-documents for its files and one `env` command over several lines, with every byte quoted so that it can be
/// pasted. With steps, the command is what a shell runs that has done them.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| write!(f, "{file}"))?;
        let mut program = quote(self.program.as_os_str());
        for arg in &self.args {
            program += &format!(" {}", quote(arg));
        }
        let environment = self.environment();
        match self.enter.as_slice() {
            [] => write!(f, "{environment} \\\n    {program}"),
            steps => f.write_str(&step::wrapped(steps, &environment, &program)),
        }
    }
}

/// Writes the file as a here-document, or as the output of its command.
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

impl Plan {
    /// The `env` command up to the program.
    fn environment(&self) -> String {
        let mut text = String::from("env");
        if self.enter.contains(&Step::EmptyEnvironment) {
            text += " -i";
        }
        // `env -u` only stands before the assignments.
        for (name, change) in &self.env {
            if *change == Change::Unset {
                text += &format!(" -u {}", quote(name));
            }
        }
        for (name, change) in &self.env {
            if let Change::Set(value) = change {
                text += &format!(" \\\n    {}={}", quote(name), quote(value));
            }
        }
        text
    }

    /// The plan as data. A string that is not UTF-8 becomes `{"bytes": […]}`, a variable that is unset `null`.
    pub fn to_json(&self) -> serde_json::Value {
        let env: serde_json::Map<_, _> = self
            .env
            .iter()
            .map(|(name, change)| {
                let value = match change {
                    Change::Set(value) => json_string(value),
                    Change::Unset => serde_json::Value::Null,
                };
                (name.to_string_lossy().into_owned(), value)
            })
            .collect();
        serde_json::json!({
            "program": json_string(self.program.as_os_str()),
            "args": self.args.iter().map(|arg| json_string(arg)).collect::<Vec<_>>(),
            "env": env,
            "files": self.files.iter().map(File::to_json).collect::<Vec<_>>(),
            "enter": self.enter,
        })
    }
}

impl File {
    /// The file as data: its path, and its text or the command that prints it.
    fn to_json(&self) -> serde_json::Value {
        let path = json_string(self.path.as_os_str());
        match &self.printed_by {
            Some(command) => serde_json::json!({ "path": path, "printed_by": command }),
            None => serde_json::json!({ "path": path, "text": self.text }),
        }
    }
}

/// Writes changes as shell for `eval`: `export NAME=value` and `unset NAME`, one a line.
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
