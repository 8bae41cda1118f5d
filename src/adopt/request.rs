//! The arguments and the plan of `adopt`.

use super::step::AdoptStep;
use crate::{applet::Wrappers, config::Config};
use crossmerge_plan::{env::Env, tuple::Tuple};
use std::ffi::OsStr;

/// The steps that adopt will do, with its report.
#[derive(Debug, Default)]
pub struct AdoptPlan {
    pub(super) steps: Vec<AdoptStep>,
    pub(super) summary: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl AdoptPlan {
    /// Renders the steps, one a line.
    pub fn to_steps(&self) -> String {
        self.steps.iter().map(|step| format!("{step}\n")).collect()
    }

    /// Renders a summary for the user: one line for each target, then the notes.
    pub fn to_text(&self) -> String {
        let nothing = self.steps.is_empty().then(|| "nothing to do".to_owned());
        let lines = self.summary.iter().cloned().chain(nothing);
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        lines.chain(notes).map(|line| line + "\n").collect()
    }

    /// Returns notes for the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// The arguments of adopt.
#[derive(Debug, Clone, Copy)]
pub struct AdoptRequest<'a> {
    /// The name by which crossmerge was called; the symlinks go to its directory.
    pub argv0: &'a OsStr,
    /// The environment.
    pub env: &'a Env,
    /// The configuration.
    pub config: &'a Config,
    /// The applets, each of which gets a symlink.
    pub wrappers: &'a Wrappers,
    /// The targets. If empty, all targets that have a wrapper of crossdev's or had one that was adopted.
    pub tuples: &'a [Tuple],
    /// Whether to undo: put the previous files back.
    pub undo: bool,
}
