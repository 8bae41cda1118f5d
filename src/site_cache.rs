//! The site cache: what configure scripts ask by running a program, answered beforehand for the target.
//!
//! `data` has the answers and `render` the config.site that gives them; the layer `site-cache` sets CONFIG_SITE to it.

pub mod data;
pub mod emulate;
mod error;
mod form;
pub mod learn;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
pub mod render;
pub mod verify;

use crate::{call::Call, config::SiteCache};
use crossmerge_plan::{plan::File, report, report::Explain};
use data::Answers;
use emulate::Emulation;
pub use error::SiteCacheError;

/// What the file is called in the target's state directory.
const FILE: &str = "config.site";

/// The config.site of the target; none where it would say nothing, or a configure script could not be told of it.
pub fn config_site(call: &Call) -> Result<Option<File>, SiteCacheError> {
    let context = call.context;
    let mode = context.settings.site_cache;
    if mode == SiteCache::Off {
        return Ok(None);
    }
    let path = context.state_directory().join(FILE);
    if path.to_string_lossy().contains(char::is_whitespace) {
        // Autoconf splits CONFIG_SITE at spaces, but for the versions between 2.50 and 2.69.
        let path = path.display();
        report::note(&format!(
            "configure scripts have to guess: CONFIG_SITE cannot be `{path}`, which holds white space"
        ));
        return Ok(None);
    }
    let answers = Answers::of(context)?;
    if answers.given().next().is_none() && mode == SiteCache::Answers {
        return Ok(None);
    }
    let command = ["crossmerge", "site-cache", "render", context.tuple.as_str()];
    Ok(Some(File {
        path,
        text: text(call, &answers),
        printed_by: Some(command.map(Into::into).into()),
    }))
}

/// The text of that file, also where no configure script is told of it.
pub fn config_site_text(call: &Call) -> Result<String, SiteCacheError> {
    Ok(text(call, &Answers::of(call.context)?))
}

fn text(call: &Call, answers: &Answers) -> String {
    let context = call.context;
    let trial = match context.settings.site_cache {
        // Why there is none is told where it is wanted.
        SiteCache::Emulate => emulate::trial(call).ok(),
        SiteCache::Answers | SiteCache::Off => None,
    };
    render::render(&context.tuple, answers, trial.as_ref())
}

/// What has to be for configure to run its tests, in the mode `emulate`; nothing where it cannot, and then a user hears why.
pub fn emulation(call: &Call) -> Option<Emulation> {
    let context = call.context;
    if context.settings.site_cache != SiteCache::Emulate {
        return None;
    }
    let trial = emulate::trial(call);
    match trial.and_then(|trial| emulate::emulation(context, &trial)) {
        Ok(emulation) => Some(emulation),
        Err(why) => {
            let (tuple, hint) = (&context.tuple, why.hint().unwrap_or_default());
            report::note(&format!(
                "configure is given answers, since programs of `{tuple}` do not run here: {why}\nhint: {hint}"
            ));
            None
        }
    }
}
