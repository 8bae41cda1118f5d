//! The state of each engine for a target.

use super::{
    error::FarmError,
    hosts::{self, Host},
    problem::problems,
};
use crate::{
    context::Context,
    distribution::Distribution,
    layer::{Engine, EngineProblem},
};
use crossmerge_plan::shown::Show;
use std::{ffi::OsStr, fmt::Write as _, path::PathBuf};

/// The state of all engines, and the hosts of distcc.
#[derive(Debug)]
pub(crate) struct Status {
    engines: Vec<EngineStatus>,
    hosts: Vec<Host>,
    /// Whether distcc is enabled and has no host.
    lacks_hosts: bool,
}

/// The state of one engine.
#[derive(Debug)]
struct EngineStatus {
    engine: Engine,
    /// The path of its program, or the command that installs it.
    program: Result<PathBuf, Option<String>>,
    /// Whether the target's FEATURES contain it.
    is_enabled: bool,
    problem: Option<EngineProblem>,
}

impl Status {
    /// Looks up the programs, the symlinks and the target's FEATURES, and asks each host of distcc for an object.
    pub(crate) fn of(context: &Context) -> Result<Self, FarmError> {
        let distribution = Distribution::of(&context.env, &context.config.broot);
        let examined = problems(context)?;
        let engines = Engine::ALL.map(|engine| {
            let found = examined.iter().find(|(known, _)| *known == engine);
            EngineStatus {
                engine,
                program: context
                    .find_program(OsStr::new(engine.program()))
                    .map_err(|_| distribution.install(engine.program())),
                is_enabled: found.is_some(),
                problem: found.and_then(|(_, problem)| problem.clone()),
            }
        });
        let distcc = engines.iter().find(|state| state.engine == Engine::Distcc);
        let distcc = distcc.filter(|state| state.is_enabled);
        let distcc = distcc.and_then(|state| state.program.as_ref().ok());
        let hosts = distcc.map_or(Ok(Vec::new()), |distcc| hosts::examine(context, distcc))?;
        Ok(Self {
            lacks_hosts: distcc.is_some() && hosts.is_empty(),
            engines: engines.into(),
            hosts,
        })
    }

    /// Returns whether something is wrong.
    pub(crate) fn has_problems(&self) -> bool {
        self.engines.iter().any(|state| state.problem.is_some())
            || self.hosts.iter().any(|host| host.answer.is_err())
            || self.lacks_hosts
    }

    /// Renders a line for each engine and each host, with the command that fixes a problem below.
    pub(crate) fn to_text(&self, tuple: &str) -> String {
        let mut text = String::new();
        for state in &self.engines {
            let program = match &state.program {
                Ok(path) => path.shown().to_string(),
                Err(Some(install)) => format!("not installed: `{install}`"),
                Err(None) => "not installed".into(),
            };
            let (name, fix) = (state.engine.feature(), state.problem.as_ref());
            let _ = match (fix, state.is_enabled) {
                (Some(problem), _) => {
                    let (message, fix) = (&problem.message, &problem.fix);
                    writeln!(text, "{name:<9} error: {message}\n{:<9} fix: {fix}", "")
                }
                (None, true) => writeln!(text, "{name:<9} enabled; {program}"),
                (None, false) => writeln!(text, "{name:<9} not enabled; {program}"),
            };
        }
        for Host { name, answer } in &self.hosts {
            let _ = match answer {
                Ok(compiler) => writeln!(text, "{:<9} {name}: {compiler}", ""),
                Err(EngineProblem { message, fix }) => {
                    writeln!(
                        text,
                        "{:<9} {name}: error: {message}\n{:<9} fix: {fix}",
                        "", ""
                    )
                }
            };
        }
        if self.lacks_hosts {
            let _ = writeln!(
                text,
                "{:<9} error: DISTCC_HOSTS names no other machine\n{:<9} fix: crossmerge farm enable {tuple} distcc --hosts 'HOST…'",
                "", ""
            );
        }
        text
    }
}
