//! The checks against the profile: the sysroot's layout, the compiler's ABI and its library directories.

use super::{
    examination::{Examination, PROFILE_LINK},
    finding::{CheckResult, DoctorError},
    links::list,
};
use crate::{
    abi::Abi,
    config::ToolchainKind,
    libraries,
    profile::{ProfileSettings, Usr},
};
use crossmerge_plan::shown::Show;
use crossmerge_system::{exec::probe::link_bare, file::read};
use std::{ffi::OsString, path::PathBuf};

fn set_auto(exam: &Examination) -> String {
    format!("crossmerge profile set {} auto", exam.tuple())
}

/// Returns the settings of the linked profile, or `None` if it cannot be read without Portage.
fn linked_profile<'p>(exam: &'p Examination) -> Result<Option<&'p ProfileSettings>, DoctorError> {
    match exam.etc_portage().join(PROFILE_LINK).is_dir() {
        true => exam.profile(),
        false => Ok(None),
    }
}

pub(super) fn layout(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(profile) = linked_profile(exam)? else {
        return Ok(CheckResult::skipped(
            "there is no profile to compare it with",
        ));
    };
    let sysroot = exam.sysroot.shown();
    Ok(match (Usr::of(&exam.sysroot), profile.usr) {
        (_, None) => CheckResult::ok("the profile fits either layout"),
        (Some(has), Some(wants)) if has == wants => CheckResult::ok(has.as_str()),
        (Some(has), Some(wants)) => {
            let (has, wants) = (has.as_str(), wants.as_str());
            let message = format!("the profile expects {wants}, but `{sysroot}` is {has}");
            match profile.checks_usr {
                true => {
                    let message = format!("{message}: the profile aborts each merge");
                    CheckResult::error(message, set_auto(exam))
                }
                false => CheckResult::warning(message, set_auto(exam)),
            }
        }
        (None, Some(Usr::Merged)) => CheckResult::warning(
            format!(
                "`{sysroot}` has no symlink `bin`: the first package with a file in `/bin` would create a directory, but the profile \
                 expects merged-usr"
            ),
            exam.init(),
        ),
        (None, Some(wants)) => CheckResult::ok(wants.as_str()),
    })
}

pub(super) fn abi(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(profile) = linked_profile(exam)? else {
        return Ok(CheckResult::not_for_this_target(
            "there is no profile to compare it with",
        ));
    };
    if profile.abi_flags.is_empty() {
        return Ok(CheckResult::not_for_this_target(
            "the profile has no flags for an ABI",
        ));
    }
    let own = exam
        .target()
        .map_or("", |target| exam.context.cpu_flags(target));
    let make = |flags: &str, name: &str| -> Result<Option<Abi>, DoctorError> {
        let (source, out) = (exam.scratch("probe.c"), exam.scratch(name));
        let mut args: Vec<OsString> = flags.split_whitespace().map(Into::into).collect();
        args.extend(link_bare(&source, &out));
        let output = exam.compile(args)??;
        Ok(match output.status.success() {
            true => Abi::of(&read::head(&out, read::ELF_HEADER)?),
            false => None,
        })
    };
    let with = make(&format!("{own} {}", profile.abi_flags), "abi-profile")?;
    Ok(match (make(own, "abi-own")?, with) {
        (None, _) => CheckResult::not_for_this_target("the object is not ELF"),
        (own, with) if own == with => CheckResult::ok(&*profile.abi_flags),
        (_, with) => {
            let what = match with {
                Some(_) => "produces another ABI",
                None => "cannot link",
            };
            CheckResult::error(
                format!(
                    "the compiler {what} with `{}` from the profile",
                    profile.abi_flags
                ),
                set_auto(exam),
            )
        }
    })
}

pub(super) fn libraries(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let context = exam.context;
    let Some(adopted) = &context.settings.toolchain else {
        return Ok(CheckResult::ok("those for which the compiler was built"));
    };
    let unsafe_option = adopted
        .options
        .iter()
        .find(|option| libraries::runs_programs_of_sysroot(option));
    if let Some(option) = unsafe_option {
        let message = format!(
            "an earlier release recorded `{option}`, with which GCC would run programs of the sysroot; crossmerge omits it from each call"
        );
        return Ok(CheckResult::warning(message, exam.init()));
    }
    if let Some(libdir) = linked_profile(exam)?.map(|profile| &*profile.libdir)
        && libraries::is_libdir(libdir)
        && !libraries::searches(context, libdir)
    {
        let message = format!(
            "the profile installs libraries to `{libdir}`, which the compiler does not search"
        );
        return Ok(CheckResult::warning(message, exam.init()));
    }
    if adopted.kind == ToolchainKind::Gnu
        && let (Some(links), Some(libdir)) = (
            &adopted.start_files,
            adopted.libdirs.as_ref().and_then(|names| names.first()),
        )
    {
        let link = links.join(libdir).join("crt1.o");
        let wanted = context
            .own_sysroot()
            .join("usr")
            .join(libdir)
            .join("crt1.o");
        if fs_err::read_link(&link).ok().as_ref() != Some(&wanted) {
            let message = format!("`{}` does not lead to `{}`", link.shown(), wanted.shown());
            return Ok(CheckResult::warning(message, exam.init()));
        }
    }
    let found: Vec<PathBuf> = libraries::directories(context, &exam.sysroot);
    Ok(match found.is_empty() {
        true => CheckResult::ok("there are none yet"),
        false => CheckResult::ok(list(&found)),
    })
}
