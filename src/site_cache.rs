//! The site cache: answers for the tests of configure scripts that run a program, for cross builds.
//!
//! `data` contains the answers, and `render` writes the config.site that gives them. The layer `site-cache` sets
//! CONFIG_SITE to that file.

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
use crossmerge_plan::{plan::File, report};
use crossmerge_system::exec::choice;
use data::Answers;
use emulate::{Emulation, Purpose};
pub use error::SiteCacheError;
use render::Programs;

/// The file's name in the target's state directory.
const FILE: &str = "config.site";

/// Returns the config.site of the target; `None` if it would contain no answers, or if CONFIG_SITE cannot contain its
/// path.
pub fn config_site(call: &Call) -> Result<Option<File>, SiteCacheError> {
    let context = call.context;
    let mode = context.settings.site_cache;
    if mode == SiteCache::Off {
        return Ok(None);
    }
    let path = context.state_directory().join(FILE);
    if path.to_string_lossy().contains(char::is_whitespace) {
        // Autoconf splits CONFIG_SITE at spaces, except in versions 2.50 to 2.69.
        let path = path.display();
        report::note(&format!(
            "configure scripts have to guess: CONFIG_SITE cannot be `{path}`, because the path contains white space"
        ));
        return Ok(None);
    }
    let answers = Answers::of(context)?;
    let is_needed = mode == SiteCache::Emulate || context.settings.runs_target_programs();
    if answers.given().next().is_none() && !is_needed {
        return Ok(None);
    }
    let command = ["crossmerge", "site-cache", "render", context.tuple.as_str()];
    Ok(Some(File {
        path,
        text: text(call, &answers),
        printed_by: Some(command.map(Into::into).into()),
    }))
}

/// Returns the text of that file, even if configure scripts do not get it.
pub fn config_site_text(call: &Call) -> Result<String, SiteCacheError> {
    Ok(text(call, &Answers::of(call.context)?))
}

fn text(call: &Call, answers: &Answers) -> String {
    let context = call.context;
    let settings = &context.settings;
    let programs = match settings.site_cache {
        // `emulation` reports the reason if there is no program.
        SiteCache::Emulate => emulate::program(call).ok().and_then(emulate::trial),
        SiteCache::Answers | SiteCache::Off => settings
            .runs_target_programs()
            .then_some(Programs::ForOthers),
    };
    render::render(&context.tuple, answers, programs.as_ref())
}

/// Makes the program that the file tries in the mode `emulate`. Without it, the file gives answers.
pub(crate) fn make_trial_program(call: &Call) {
    if call.context.settings.site_cache == SiteCache::Emulate
        && let Ok(program) = emulate::program(call)
    {
        let _ = choice::make(&program);
    }
}

/// Returns the trials that show what configure needs to run its tests in the mode `emulate`. If it cannot run them,
/// prints the reason and returns `None`.
pub fn emulation(call: &Call) -> Option<Emulation> {
    let is_wanted = call.context.settings.site_cache == SiteCache::Emulate;
    is_wanted
        .then(|| emulation_for(call, Purpose::Configure))
        .flatten()
}

/// Returns the trials that show what pkg_postinst needs to run programs of the target, if the target's file asks for
/// that. Returns `None` in the mode `emulate`, in which they run anyway. If they cannot run, prints the reason and
/// returns `None`.
pub(crate) fn target_programs(call: &Call) -> Option<Emulation> {
    let settings = &call.context.settings;
    let is_wanted = settings.runs_target_programs() && settings.site_cache != SiteCache::Emulate;
    is_wanted
        .then(|| emulation_for(call, Purpose::Postinst))
        .flatten()
}

fn emulation_for(call: &Call, purpose: Purpose) -> Option<Emulation> {
    match emulate::emulation(call, purpose) {
        Ok(emulation) => Some(emulation),
        Err(why) => {
            report::line(&why.to_note(call.context, purpose).to_text(""));
            None
        }
    }
}
