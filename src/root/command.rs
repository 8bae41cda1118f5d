//! The commands of the steps: applets of the target, and hooks.

use super::error::RootError;
use crate::{applet::Wrappers, call::Call, context::Context};
use crossmerge_plan::{
    plan::{Change, Plan},
    words::quote_line,
};
use crossmerge_system::exec::{self, choice};
use std::{ffi::OsString, path::PathBuf};

/// An applet of the target, or a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) program: Program,
    /// The variables that are set for it.
    pub(super) environment: Vec<(&'static str, OsString)>,
    pub(super) args: Vec<OsString>,
    /// Whether the target's programs run in it, unless `run_target_programs` of the target's file is false.
    pub(super) runs_target: bool,
}

/// What a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Program {
    /// The applet of this name.
    Applet(&'static str),
    Hook(PathBuf),
}

impl Command {
    /// Decides what it runs, and writes the files that this needs.
    pub(super) fn plan(&self, context: &Context, wrappers: &Wrappers) -> Result<Plan, RootError> {
        let variables = { self.environment.iter() }
            .map(|(name, value)| (OsString::from(name), Change::Set(value.clone())));
        let name = match &self.program {
            Program::Applet(name) => name,
            Program::Hook(path) => {
                return Ok(Plan {
                    program: path.clone(),
                    args: self.args.clone(),
                    env: variables.collect(),
                    ..Plan::default()
                });
            }
        };
        let env = context.env.changed(&variables.clone().collect());
        let mut own = Context::new(env, context.config.clone(), context.tuple.clone())?;
        if self.runs_target {
            own.settings.run_target_programs.get_or_insert(true);
        }
        let plan = wrappers.plan(name, &Call::new(&own), self.args.clone())?;
        let mut plan = choice::decide(&plan)?.clone();
        exec::write_files(&plan)?;
        for (name, change) in variables {
            plan.env.entry(name).or_insert(change);
        }
        Ok(plan)
    }

    /// Renders it as a shell command.
    pub(super) fn to_shell(&self, context: &Context) -> String {
        let variables = self.environment.iter();
        let variables = variables.map(|(name, value)| format!("{name}={} ", quote_line(value)));
        let program = match &self.program {
            Program::Applet(name) => format!("{}-{name}", context.tuple),
            Program::Hook(path) => quote_line(path.as_os_str()),
        };
        let args = self.args.iter().map(|arg| format!(" {}", quote_line(arg)));
        format!(
            "{}{program}{}",
            variables.collect::<String>(),
            args.collect::<String>()
        )
    }
}
