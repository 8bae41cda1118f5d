//! The checks of the caller's environment variables.

use super::{
    examination::Examination,
    finding::{CheckResult, DoctorError},
};
use crate::{config::SiteCache, layer::overrides};
use crossmerge_plan::{env, shown::Show, words::quote};
use std::path::Path;

pub(super) fn environment(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let env = &exam.context.env;
    let tuple = exam.tuple();
    let mut wrong = Vec::new();
    let mut unset = Vec::new();
    let mut blame = |name: &'static str, message: String| {
        wrong.push(message);
        unset.push(name);
    };
    if let Some(chost) = env.get(env::CHOST)
        && chost != tuple.as_str()
    {
        blame(
            env::CHOST.name,
            format!(
                "CHOST is `{}`, and overrides the name of `{tuple}-emerge`",
                chost.shown()
            ),
        );
    }
    if let (Some(cbuild), Some(Ok(host))) = (env.get(env::CBUILD), exam.host()) {
        let own = &host.settings[env::CBUILD.name];
        if cbuild != own.as_str() {
            blame(
                env::CBUILD.name,
                format!("CBUILD is `{}`, but the host is `{own}`", cbuild.shown()),
            );
        }
    }
    if let Some(sysroot) = env.get(env::SYSROOT)
        && (!Path::new(sysroot).is_absolute()
            || !Path::new(sysroot).is_dir()
            || is_root(Path::new(sysroot)))
    {
        blame(
            env::SYSROOT.name,
            format!(
                "SYSROOT is `{}`, which is not a target's sysroot",
                sysroot.shown()
            ),
        );
    }
    if let Some(root) = env.get(env::ROOT)
        && !Path::new(root).is_absolute()
    {
        blame(
            env::ROOT.name,
            format!("ROOT is `{}`, which is not an absolute path", root.shown()),
        );
    }
    if let Some(configroot) = env.get(env::PORTAGE_CONFIGROOT)
        && !Path::new(configroot).join("etc/portage").is_dir()
    {
        blame(
            env::PORTAGE_CONFIGROOT.name,
            format!(
                "PORTAGE_CONFIGROOT is `{}`, which has no etc/portage",
                configroot.shown()
            ),
        );
    }
    for overridden in overrides::found(exam.context) {
        blame(overridden.name, overridden.message);
    }
    Ok(match unset.is_empty() {
        true => CheckResult::ok(""),
        false => CheckResult::error(wrong.join("; "), format!("unset {}", unset.join(" "))),
    })
}

/// Returns whether a path is the host's root directory, however it is spelt.
pub(super) fn is_root(path: &Path) -> bool {
    path.components().eq(Path::new("/").components())
}

pub(super) fn config_site(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let env = &exam.context.env;
    if let Some(named) = env.get_name("CONFIG_SITE") {
        let named = named.to_string_lossy().into_owned();
        let missing: Vec<String> = named
            .split_whitespace()
            .filter(|file| !Path::new(file).is_file())
            .map(|file| format!("`{file}`"))
            .collect();
        return Ok(match missing.is_empty() {
            true => CheckResult::ok(format!("CONFIG_SITE is {}", quote(named.as_ref()))),
            false => CheckResult::warning(
                format!(
                    "CONFIG_SITE names {}, which does not exist",
                    missing.join(", ")
                ),
                "unset CONFIG_SITE",
            ),
        });
    }
    let given = match exam.context.settings.site_cache {
        SiteCache::Answers => "the target's answers",
        SiteCache::Emulate => "the target's answers, and runs its programs",
        SiteCache::Off => "no answers, since `site_cache` is off, and guesses",
    };
    Ok(CheckResult::ok(format!("not set; configure gets {given}")))
}
