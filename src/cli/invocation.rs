//! One invocation of `crossmerge`: what every command has besides its own options.

use super::name::NameReader;
use crate::{applet::Wrappers, config::Config, context::Context};
use crossmerge_plan::{env::Env, report::Failure, tuple::Tuple};
use std::ffi::{OsStr, OsString};

/// One invocation of `crossmerge`.
#[derive(Clone)]
pub(super) struct Invocation<'a> {
    pub(super) argv0: &'a OsStr,
    pub(super) env: Env,
    pub(super) config: Config,
    pub(super) wrappers: &'a Wrappers,
    /// The arguments as they were typed, for hints.
    pub(super) typed: Vec<OsString>,
}

impl Invocation<'_> {
    /// Reads the CPU families, which only a command that has a name to look up needs.
    pub(super) fn reader(&self) -> Result<NameReader, Failure> {
        NameReader::new(&self.config, self.wrappers, self.typed.clone())
    }

    /// Returns the tuple of the target that a name means.
    pub(super) fn target(&self, name: &OsStr) -> Result<Tuple, Failure> {
        self.reader()?.target(name)
    }

    /// Returns the tuples of the targets that names mean.
    pub(super) fn targets(&self, names: &[OsString]) -> Result<Vec<Tuple>, Failure> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let reader = self.reader()?;
        names.iter().map(|name| reader.target(name)).collect()
    }

    /// Makes the context of a target.
    pub(super) fn into_context(self, tuple: Tuple) -> Result<Context, Failure> {
        Ok(Context::new(self.env, self.config, tuple)?)
    }
}
