//! The forms of a choice in shell and in JSON.

use super::{
    Alternative, Choice, EXIT_CODE, File, Note, Plan, SOURCE, Trial, TrialProgram, changes_to_json,
};
use crate::words::{json_string, quote};
use std::{ffi::OsStr, fmt::Write as _, path::Path};

/// The shell code of plans, split into what they have in common and what is each one's own.
struct Parts {
    /// The files of all plans.
    files: String,
    /// The lines of each plan.
    branches: Vec<String>,
    /// The command of all plans, on a line of its own. Empty if the commands differ.
    command: String,
}

impl Parts {
    /// Splits the plans of the alternatives and, last, the plan that has the choice.
    fn of(alternatives: &[Alternative], otherwise: &Plan) -> Self {
        let plans = alternatives.iter().map(|alternative| &alternative.plan);
        let has_choices = plans.clone().any(|plan| plan.choice.is_some());
        let plans: Vec<&Plan> = plans.chain([otherwise]).collect();
        let is_common = |file: &File| {
            let has = |plan: &&Plan| plan.files.contains(file);
            !has_choices && plans.iter().all(has)
        };
        let files = |plan: &Plan, wanted: bool| -> String {
            let files = plan.files.iter().filter(|file| is_common(file) == wanted);
            files.map(File::to_string).collect()
        };
        let command = otherwise.to_command();
        let is_same = !has_choices && plans.iter().all(|plan| plan.to_command() == command);
        let branch = |plan: &&Plan| {
            let branch = match plan.choice.as_ref().filter(|_| *plan != otherwise) {
                Some(choice) => choice.to_shell(plan) + "\n",
                None if is_same => files(plan, false),
                None => files(plan, false) + &plan.to_command() + "\n",
            };
            match branch.is_empty() {
                true => ":\n".into(),
                false => branch,
            }
        };
        Self {
            files: files(otherwise, true),
            branches: plans.iter().map(branch).collect(),
            command: match is_same {
                true => format!("\n{command}"),
                false => String::new(),
            },
        }
    }
}

impl TrialProgram {
    /// Formats its compilation in shell, for the path `program`.
    fn to_shell(&self, program: &str) -> String {
        let options = self.flags.split_whitespace().map(OsStr::new);
        let options: String = options
            .map(|option| format!(" {}", quote(option)))
            .collect();
        let compiler = quote(self.compiler.as_os_str());
        let source = quote(OsStr::new(SOURCE.trim_end()));
        let compile = format!(
            "trial=$(mktemp -d) && printf '%s\\n' {source} > \"$trial/trial.c\" &&\n\
             {compiler} \"$trial/trial.c\" -o {program}{options}"
        );
        let compile = match &self.kept {
            None => compile,
            Some(kept) => {
                let directory = kept.parent().unwrap_or(Path::new("/"));
                let directory = quote(directory.as_os_str());
                format!(
                    "{{ [ -x {program} ] || {{ mkdir -p {directory} && {compile} && rm -r \"$trial\"; }}; }}"
                )
            }
        };
        format!("{compile} || {}\n", Note::to_shell(self.note.as_ref()))
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "compiler": json_string(self.compiler.as_os_str()),
            "flags": self.flags,
            "source": SOURCE,
            "exit_code": EXIT_CODE,
            "kept": self.kept.as_ref().map(|path| json_string(path.as_os_str())),
            "note": self.note.as_ref().map(Note::to_json),
        })
    }
}

impl Note {
    /// Formats the command that prints it.
    fn to_shell(note: Option<&Self>) -> String {
        note.map_or_else(
            || ":".into(),
            |note| {
                format!(
                    "printf '%s\\n' {} >&2",
                    quote(OsStr::new(&note.to_text("")))
                )
            },
        )
    }

    /// Returns the lines that are printed. `message` is what the trial printed, which follows the text.
    pub fn to_text(&self, message: &str) -> String {
        let hint = self.hint.iter().map(|hint| format!("\nhint: {hint}"));
        format!(
            "crossmerge: {}{message}{}",
            self.text,
            hint.collect::<String>()
        )
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "text": self.text, "hint": self.hint })
    }
}

impl Choice {
    /// Formats the plan that has this choice: the trials as conditions, and a branch for each plan. What all plans have
    /// in common stands outside the branches.
    pub(super) fn to_shell(&self, otherwise: &Plan) -> String {
        let mut text = String::new();
        let (mut program, mut removed) = (String::new(), "");
        if let Some(its) = &self.program {
            match &its.kept {
                Some(kept) => program = quote(kept.as_os_str()),
                None => (program, removed) = ("\"$trial/trial\"".into(), "rm -r \"$trial\"\n"),
            }
            text += &its.to_shell(&program);
        }
        let parts = Parts::of(&self.alternatives, otherwise);
        text += &parts.files;
        for (at, Alternative { trial, .. }) in self.alternatives.iter().enumerate() {
            let word = if at == 0 { "if" } else { "elif" };
            let condition = match trial {
                Trial::Program { words, env, enter } => {
                    let words = words.iter().map(|word| quote(word) + " ");
                    let command = words.collect::<String>() + &program;
                    let command = super::command(env, enter, &command);
                    format!("{command} > /dev/null 2>&1; [ $? -eq {EXIT_CODE} ]")
                }
                Trial::Kernel { rule, .. } => {
                    format!("crossmerge binfmt status | grep -q '^{rule}  *native'")
                }
            };
            let branch = &parts.branches[at];
            let _ = write!(text, "{word} {condition}; then\n{removed}{branch}");
        }
        let note = match &self.note {
            Some(note) => Note::to_shell(Some(note)) + "\n",
            None => String::new(),
        };
        let branch = &parts.branches[self.alternatives.len()];
        text + &format!("else\n{removed}{note}{branch}fi{}", parts.command)
    }

    /// Returns the choice as JSON.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let alternatives = self.alternatives.iter();
        let alternatives = alternatives.map(|Alternative { trial, plan }| {
            let trial = match trial {
                Trial::Program { words, env, enter } => serde_json::json!({
                    "kind": "program",
                    "words": words.iter().map(|word| json_string(word)).collect::<Vec<_>>(),
                    "env": changes_to_json(env),
                    "enter": enter,
                }),
                Trial::Kernel { rule, header } => {
                    serde_json::json!({ "kind": "kernel", "rule": rule, "header": header })
                }
            };
            serde_json::json!({ "trial": trial, "plan": plan.to_json() })
        });
        serde_json::json!({
            "program": self.program.as_ref().map(TrialProgram::to_json),
            "alternatives": alternatives.collect::<Vec<_>>(),
            "note": self.note.as_ref().map(Note::to_json),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Change, Changes};

    /// A plan that names a file, and the trial of an emulator that needs another text of it.
    fn plan() -> (Plan, Alternative) {
        let file = |text: &str| File {
            path: "/s/file".into(),
            text: text.into(),
            printed_by: None,
        };
        let plan = |text| Plan {
            program: "/bin/tool".into(),
            args: vec!["a b".into()],
            files: vec![file(text)],
            ..Plan::default()
        };
        let trial = Trial::Program {
            words: vec!["/bin/qemu".into(), "-L".into()],
            env: Changes::new(),
            enter: Vec::new(),
        };
        let alternative = Alternative {
            trial,
            plan: plan("qemu\n"),
        };
        (plan("none\n"), alternative)
    }

    fn chosen(plan: Plan, alternative: Alternative) -> Plan {
        let note = |text: &str| Note {
            text: text.into(),
            hint: None,
        };
        Plan {
            choice: Some(Box::new(Choice {
                program: Some(TrialProgram {
                    compiler: "/bin/cc".into(),
                    flags: "-O2 -s".into(),
                    kept: None,
                    note: Some(note("no program")),
                }),
                alternatives: vec![alternative],
                note: Some(note("no emulator")),
            })),
            ..plan
        }
    }

    const COMPILES: &str = "trial=$(mktemp -d) && printf '%s\\n' 'int main(void) { return 42; }' > \"$trial/trial.c\" &&\n\
        /bin/cc \"$trial/trial.c\" -o \"$trial/trial\" -O2 -s || printf '%s\\n' 'crossmerge: no program' >&2\n\
        if env \\\n    /bin/qemu -L \"$trial/trial\" > /dev/null 2>&1; [ $? -eq 42 ]; then\nrm -r \"$trial\"\n";

    fn writes(text: &str) -> String {
        format!(
            "mkdir -p /s && cat > /s/file << 'end-of-crossmerge-file'\n{text}\nend-of-crossmerge-file\n"
        )
    }

    #[test]
    fn a_command_that_every_branch_has_stands_behind_them() {
        let (plan, alternative) = plan();
        let text = chosen(plan, alternative).to_string();
        let (qemu, none) = (writes("qemu"), writes("none"));
        let otherwise = "else\nrm -r \"$trial\"\nprintf '%s\\n' 'crossmerge: no emulator' >&2\n";
        let command = "env \\\n    /bin/tool 'a b'";
        assert_eq!(
            text,
            format!("{COMPILES}{qemu}{otherwise}{none}fi\n{command}")
        );
    }

    #[test]
    fn commands_that_differ_are_in_their_branches() {
        let (plan, mut alternative) = plan();
        alternative.plan.files = plan.files.clone();
        alternative
            .plan
            .env
            .insert("X".into(), Change::Set("1".into()));
        let text = chosen(plan, alternative).to_string();
        assert!(
            text.contains(&format!("{}if env", writes("none"))),
            "{text}"
        );
        assert!(
            text.contains("\nenv \\\n    X=1 \\\n    /bin/tool 'a b'\nelse\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\nenv \\\n    /bin/tool 'a b'\nfi"),
            "{text}"
        );
    }

    #[test]
    fn a_choice_in_a_branch_is_made_there() {
        let (plan, alternative) = plan();
        let mut outer = alternative.clone();
        outer.plan = chosen(outer.plan, alternative);
        let text = chosen(plan, outer).to_string();
        assert_eq!(text.matches("\nfi").count(), 2, "{text}");
        assert_eq!(text.matches("/bin/tool").count(), 2, "{text}");
    }
}
