//! What `adopt` is asked for, and what it decided.

use super::step::AdoptStep;
use crate::{applet::Wrappers, config::Config};
use crossmerge_plan::{env::Env, tuple::Tuple};
use std::ffi::OsStr;

/// What adopt will do, decided.
#[derive(Debug, Default)]
pub struct AdoptPlan {
    pub(super) steps: Vec<AdoptStep>,
    pub(super) summary: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl AdoptPlan {
    /// The steps, a line each.
    pub fn to_steps(&self) -> String {
        self.steps.iter().map(|step| format!("{step}\n")).collect()
    }

    /// What changes, for a user: a line for each target, and what they should know besides.
    pub fn to_text(&self) -> String {
        let nothing = self.steps.is_empty().then(|| "nothing to do".to_owned());
        let lines = self.summary.iter().cloned().chain(nothing);
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        lines.chain(notes).map(|line| line + "\n").collect()
    }

    /// What a user should know besides.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// Everything that adopt is asked with.
#[derive(Debug, Clone, Copy)]
pub struct AdoptRequest<'a> {
    /// The name we were called by, which tells where links go.
    pub argv0: &'a OsStr,
    /// The environment.
    pub env: &'a Env,
    /// The configuration.
    pub config: &'a Config,
    /// The applets to link.
    pub wrappers: &'a Wrappers,
    /// The targets; without any, every target that has a wrapper of crossdev's, or had one that was taken over.
    pub tuples: &'a [Tuple],
    /// Put back what was there, instead of taking it over.
    pub undo: bool,
}
