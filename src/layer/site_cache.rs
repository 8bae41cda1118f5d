//! The `site-cache` layer: CONFIG_SITE, and the file with the target's answers that it names; in the mode `emulate`,
//! the environment in which configure runs its tests itself.

use super::{
    changes::{Prepared, set},
    variants::{Variant, Variants},
};
use crate::{
    call::Call,
    context::Context,
    export::build_names,
    site_cache::{self, SiteCacheError, render},
};
use crossmerge_plan::{env, plan::Trial};
use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

/// Sets CONFIG_SITE if there are answers.
#[inline(never)]
pub(super) fn site_cache(call: &Call, prepared: &mut Prepared) -> Result<(), SiteCacheError> {
    let Some(file) = site_cache::config_site(call)? else {
        return Ok(());
    };
    let names = &mut prepared.env;
    set(
        names,
        env::CROSSMERGE_CONFIG_SITE.name,
        callers(call.context),
    );
    set(names, env::CONFIG_SITE.name, &file.path);
    prepared.files.push(file);
    let Some(emulation) = site_cache::emulation(call) else {
        return Ok(());
    };
    let variant = |trial: Trial| {
        let Trial::Program { env, enter, .. } = trial.clone() else {
            return Variant::new(trial);
        };
        // In this mode configure believes that it does not cross compile, and gives these variables the target's
        // flags (bash, ncurses). Without values, they default to the target's compiler, whose programs run.
        let names = ["CC", "CXX"].iter().flat_map(|tool| build_names(tool));
        Variant {
            env,
            enter,
            unchanged: names.map(OsString::from).collect(),
            ..Variant::new(trial)
        }
    };
    prepared.variants.push(Variants {
        program: Some(emulation.program),
        all: emulation.trials.into_iter().map(variant).collect(),
        note: Some(emulation.note),
    });
    Ok(())
}

/// Returns the caller's own CONFIG_SITE. If the value is a file of crossmerge's, the file that this one reads.
fn callers(context: &Context) -> OsString {
    let named = context.env.get(env::CONFIG_SITE).unwrap_or_default();
    let inherited = context.env.get(env::CROSSMERGE_CONFIG_SITE);
    let is_ours = |word: &OsStr| render::is_ours(Path::new(word));
    let text = named.to_string_lossy();
    let words: Vec<&OsStr> = match is_ours(named) {
        true => vec![named],
        false => text.split_whitespace().map(OsStr::new).collect(),
    };
    if !words.iter().any(|word| is_ours(word)) {
        return named.to_owned();
    }
    let words = words.into_iter();
    let words = words.filter_map(|word| if is_ours(word) { inherited } else { Some(word) });
    words.collect::<Vec<_>>().join(OsStr::new(" "))
}
