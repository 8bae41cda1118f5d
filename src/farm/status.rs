//! The state of each engine for a target.

use super::{engine::Engine, error::FarmError};
use crate::{context::Context, distribution::Distribution};
use crossmerge_plan::{env, shown::Show};
use std::{ffi::OsStr, fmt::Write as _, path::PathBuf};

/// The state of all engines.
#[derive(Debug)]
pub(crate) struct Status {
    engines: Vec<EngineStatus>,
}

/// The state of one engine.
#[derive(Debug)]
struct EngineStatus {
    engine: Engine,
    /// The path of its program, or the command that installs it.
    program: Result<PathBuf, Option<String>>,
    /// Whether the target's FEATURES contain it.
    is_in_features: bool,
}

impl Status {
    /// Looks up the programs and the target's FEATURES.
    pub(crate) fn of(context: &Context) -> Result<Self, FarmError> {
        let distribution = Distribution::of(&context.env, &context.config.broot);
        let name = env::FEATURES.name;
        let settings = context.target_settings(&[name])?;
        let features = settings.and_then(|mut settings| settings.remove(name));
        let features = features.unwrap_or_default();
        let engines = Engine::ALL.map(|engine| EngineStatus {
            engine,
            program: context
                .find_program(OsStr::new(engine.program()))
                .map_err(|_| distribution.install(engine.program())),
            is_in_features: features.split_whitespace().any(|f| f == engine.feature()),
        });
        Ok(Self {
            engines: engines.into(),
        })
    }

    /// Renders a line for each engine.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for state in &self.engines {
            let program = match &state.program {
                Ok(path) => path.shown().to_string(),
                Err(Some(install)) => format!("not installed: `{install}`"),
                Err(None) => "not installed".into(),
            };
            let features = match state.is_in_features {
                true => "in FEATURES",
                false => "not in FEATURES",
            };
            let _ = writeln!(text, "{:<9} {features}; {program}", state.engine.feature());
        }
        text
    }
}
