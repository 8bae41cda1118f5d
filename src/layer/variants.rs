//! The parts of a plan that depend on a trial: on how the host runs the target's programs.

use crossmerge_plan::plan::{
    Alternative, Changes, Choice, File, Note, Plan, Trial, TrialProgram, step::Step,
};
use std::{ffi::OsString, mem};

/// The variants of a plan, of which the first whose trial succeeds is carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variants {
    /// The program that the trials run.
    pub(crate) program: Option<TrialProgram>,
    /// The variants, in order of preference.
    pub(crate) all: Vec<Variant>,
    /// The note that is printed if no trial succeeds.
    pub(crate) note: Option<Note>,
}

/// What a plan has if a trial succeeds.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    /// The trial.
    pub(crate) trial: Trial,
    /// Further changes to the environment.
    pub(crate) env: Changes,
    /// The variables that the plan then does not change.
    pub(crate) unchanged: Vec<OsString>,
    /// Files, each in place of one with the same path.
    pub(crate) files: Vec<File>,
    /// The steps before the program.
    pub(crate) enter: Vec<Step>,
}

impl Variant {
    /// Creates a variant that is the plan itself.
    pub(crate) fn new(trial: Trial) -> Self {
        Self {
            trial,
            env: Changes::new(),
            unchanged: Vec::new(),
            files: Vec::new(),
            enter: Vec::new(),
        }
    }

    /// Returns the plan with the changes of this variant.
    fn of(&self, mut plan: Plan) -> Plan {
        plan.env.extend(self.env.clone());
        for name in &self.unchanged {
            plan.env.remove(name);
        }
        for file in &self.files {
            match plan.files.iter_mut().find(|known| known.path == file.path) {
                Some(known) => *known = file.clone(),
                None => plan.files.push(file.clone()),
            }
        }
        plan.enter.extend(self.enter.iter().cloned());
        if let Some(choice) = &mut plan.choice {
            for alternative in &mut choice.alternatives {
                let inner = mem::take(&mut alternative.plan);
                alternative.plan = self.of(inner);
            }
        }
        plan
    }
}

impl Variants {
    /// Returns the plan with a choice among the variants. A choice that it has already is made after this one, in a
    /// variant of this one.
    pub(crate) fn complete(self, plan: Plan) -> Plan {
        let alternative = |variant: &Variant| Alternative {
            trial: variant.trial.clone(),
            plan: variant.of(plan.clone()),
        };
        let choice = Choice {
            alternatives: self.all.iter().map(alternative).collect(),
            program: self.program,
            note: self.note,
        };
        Plan {
            choice: Some(Box::new(choice)),
            ..plan
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossmerge_plan::plan::Change;

    #[test]
    fn a_variant_replaces_only_what_it_names() {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.into(),
            printed_by: None,
        };
        let trial = || Trial::Program {
            words: vec!["qemu".into()],
            env: Changes::new(),
            enter: Vec::new(),
        };
        let set = |value: &str| Change::Set(value.into());
        let plan = Plan {
            program: "/bin/true".into(),
            env: Changes::from([("A".into(), set("1")), ("B".into(), set("2"))]),
            files: vec![file("/a", "none"), file("/b", "other")],
            ..Plan::default()
        };
        let variants = Variants {
            all: vec![Variant {
                env: Changes::from([("C".into(), set("3"))]),
                unchanged: vec!["A".into()],
                files: vec![file("/a", "qemu")],
                ..Variant::new(trial())
            }],
            ..Variants::default()
        };
        let completed = variants.clone().complete(plan.clone());
        assert_eq!((&completed.env, &completed.files), (&plan.env, &plan.files));
        let choice = completed.choice.as_ref().expect("a choice");
        let chosen = &choice.alternatives[0].plan;
        assert_eq!(
            chosen.env,
            Changes::from([("B".into(), set("2")), ("C".into(), set("3"))])
        );
        assert_eq!(chosen.files, [file("/a", "qemu"), file("/b", "other")]);
        let twice = variants.complete(completed);
        let outer = twice.choice.expect("a choice");
        assert!(outer.alternatives[0].plan.choice.is_some());
    }
}
