//! What is wrong with a target's engines on the build machine, with the command that fixes it.

use super::error::FarmError;
use crate::{
    context::Context,
    layer::{Engine, EngineProblem, engines_in},
};
use crossmerge_plan::env;

/// Returns the engines in FEATURES of the target, each with its problem on the build machine.
pub(crate) fn problems(
    context: &Context,
) -> Result<Vec<(Engine, Option<EngineProblem>)>, FarmError> {
    let features = setting(context, env::FEATURES.name)?;
    let engines = engines_in(&features).collect::<Vec<_>>().into_iter();
    let examined = engines.map(|engine| Ok((engine, engine.problem(context)?)));
    examined.collect()
}

/// Returns a setting of the target's Portage.
pub(super) fn setting(context: &Context, name: &str) -> Result<String, FarmError> {
    let settings = context.target_settings(&[name])?;
    let value = settings.and_then(|mut settings| settings.remove(name));
    Ok(value.unwrap_or_default())
}
