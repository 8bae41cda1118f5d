//! What is wrong with a target's engines on the build machine, with the command that fixes it.

use super::error::FarmError;
use crate::{
    context::Context,
    distribution::Distribution,
    layer::{Engine, engines_in, leads_to},
};
use crossmerge_plan::{env, shown::Show};
use std::{ffi::OsStr, path::PathBuf};

/// A problem, and the command that fixes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong.
    pub(crate) message: String,
    /// The command.
    pub(crate) fix: String,
}

/// Returns the engines in FEATURES of the target, each with its problem on the build machine.
pub(crate) fn problems(context: &Context) -> Result<Vec<(Engine, Option<Problem>)>, FarmError> {
    let features = setting(context, env::FEATURES.name)?;
    let engines = engines_in(&features).collect::<Vec<_>>().into_iter();
    let examined = engines.map(|engine| Ok((engine, problem(context, engine)?)));
    examined.collect()
}

/// Returns a setting of the target's Portage.
pub(super) fn setting(context: &Context, name: &str) -> Result<String, FarmError> {
    let settings = context.target_settings(&[name])?;
    let value = settings.and_then(|mut settings| settings.remove(name));
    Ok(value.unwrap_or_default())
}

fn problem(context: &Context, engine: Engine) -> Result<Option<Problem>, FarmError> {
    let (tuple, name) = (&context.tuple, engine.feature());
    let enable = format!("crossmerge farm enable {tuple} {name}");
    let Ok(program) = context.find_program(OsStr::new(engine.program())) else {
        let distribution = Distribution::of(&context.env, &context.config.broot);
        let install = distribution.install(engine.program());
        return Ok(Some(Problem {
            message: format!(
                "FEATURES contains {name}, and `{}` is not installed: Portage compiles without it",
                engine.program()
            ),
            fix: match install {
                Some(install) => format!("{install} && {enable}"),
                None => format!("crossmerge farm disable {tuple} {name}"),
            },
        }));
    };
    let missing: Vec<PathBuf> = engine
        .links(context)?
        .into_iter()
        .filter(|link| !leads_to(link, &program))
        .collect();
    Ok(missing.first().map(|first| Problem {
        message: format!(
            "FEATURES contains {name}, and `{}` does not lead to it: Portage compiles without it",
            first.shown()
        ),
        fix: enable,
    }))
}
