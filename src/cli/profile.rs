//! `crossmerge profile`.

use super::{args::ProfileCommand, init::initialise, invocation::Invocation, print::print};
use crate::{
    init::InitOptions,
    profile::{self, ProfileError},
};
use crossmerge_plan::report::Failure;
use std::{fmt::Write as _, path::Path, process::ExitCode};

pub(super) fn profile(
    invocation: Invocation<'_>,
    command: ProfileCommand,
) -> Result<ExitCode, Failure> {
    let tuple = invocation.target(command.tuple())?;
    let (argv0, wrappers) = (invocation.argv0, invocation.wrappers);
    let context = invocation.into_context(tuple)?;
    if !matches!(command, ProfileCommand::List { .. }) {
        context.existing_sysroot()?;
    }
    if let ProfileCommand::Set { profile, .. } = command {
        let options = InitOptions {
            profile: Some(profile),
            ..InitOptions::default()
        };
        return initialise(argv0, context, wrappers, &options, false);
    }
    let target = context.config.facts(&context.tuple)?;
    let repositories = context.repositories()?.ok_or(ProfileError::NoPortage)?;
    let all = profile::list(&context, &target, &repositories)?;
    let current = profile::current(&context.configroot());
    let is_current =
        |directory: &Path| directory.canonicalize().ok() == current && current.is_some();
    let mut text = String::new();
    match command {
        ProfileCommand::List { .. } => {
            for (number, profile) in (1..).zip(&all) {
                let mark = if is_current(&profile.directory) {
                    " *"
                } else {
                    ""
                };
                let status = profile.status.as_str();
                let _ = writeln!(text, "  [{number}]  {} ({status}){mark}", profile.name);
            }
        }
        _ => {
            let directory = current
                .clone()
                .ok_or_else(|| ProfileError::None(context.tuple.clone()))?;
            let known = all.iter().find(|profile| is_current(&profile.directory));
            let name = known.map_or(directory.display().to_string(), |profile| {
                profile.name.clone()
            });
            let settings = profile::settings(&context, &repositories, &directory)?;
            for (key, value) in [
                ("profile", name.as_str()),
                (
                    "status",
                    known.map_or("-", |profile| profile.status.as_str()),
                ),
                ("path", &directory.display().to_string()),
                ("arch", &settings.arch),
                ("kernel", &settings.kernel),
                ("elibc", &settings.elibc),
                ("chost", &settings.chost),
            ] {
                let _ = writeln!(
                    text,
                    "{key:<8} {}",
                    if value.is_empty() { "-" } else { value }
                );
            }
        }
    }
    print(&text)
}
