//! The checks of what the profile expects: of the sysroot's layout, of the compiler's ABI and of its library directories.

use super::{
    finding::{DoctorError, Finding},
    links::list,
    patient::{PROFILE_LINK, Patient},
    probe::link_bare,
};
use crate::{
    abi::Abi,
    config::ToolchainKind,
    libraries,
    profile::{Says, Usr},
};
use crossmerge_plan::shown::Show;
use crossmerge_system::file::read;
use std::{ffi::OsString, path::PathBuf};

fn set_auto(patient: &Patient) -> String {
    format!("crossmerge profile set {} auto", patient.tuple())
}

/// What the linked profile says, where there is a Portage to read it.
fn says<'p>(patient: &'p Patient) -> Result<Option<&'p Says>, DoctorError> {
    match patient.etc_portage().join(PROFILE_LINK).is_dir() {
        true => patient.profile(),
        false => Ok(None),
    }
}

pub(super) fn layout(patient: &Patient) -> Result<Finding, DoctorError> {
    let Some(says) = says(patient)? else {
        return Ok(Finding::skipped("there is no profile to compare it with"));
    };
    let sysroot = patient.sysroot.shown();
    Ok(match (Usr::of(&patient.sysroot), says.usr) {
        (_, None) => Finding::ok("the profile fits either layout"),
        (Some(has), Some(wants)) if has == wants => Finding::ok(has.as_str()),
        (Some(has), Some(wants)) => {
            let (has, wants) = (has.as_str(), wants.as_str());
            let message = format!("the profile expects {wants}, and `{sysroot}` is {has}");
            match says.checks_usr {
                true => {
                    let message = format!("{message}: it ends each merge");
                    Finding::error(message, set_auto(patient))
                }
                false => Finding::warning(message, set_auto(patient)),
            }
        }
        (None, Some(Usr::Merged)) => Finding::warning(
            format!(
                "`{sysroot}` has no symlink `bin`: the first package with a file in `/bin` makes a directory of it, and the profile \
                 expects merged-usr"
            ),
            patient.init(),
        ),
        (None, Some(wants)) => Finding::ok(wants.as_str()),
    })
}

pub(super) fn abi(patient: &Patient) -> Result<Finding, DoctorError> {
    let Some(says) = says(patient)? else {
        return Ok(Finding::not_for_this_target(
            "there is no profile to compare it with",
        ));
    };
    if says.abi_flags.is_empty() {
        return Ok(Finding::not_for_this_target(
            "the profile has no flags for an ABI",
        ));
    }
    let own = patient.target().map_or("", |target| &target.cflags);
    let make = |flags: &str, name: &str| -> Result<Option<Abi>, DoctorError> {
        let (source, out) = (patient.scratch("probe.c"), patient.scratch(name));
        let mut args: Vec<OsString> = flags.split_whitespace().map(Into::into).collect();
        args.extend(link_bare(&source, &out));
        let output = patient.compile(args)??;
        Ok(match output.status.success() {
            true => Abi::of(&read::head(&out, read::ELF_HEADER)?),
            false => None,
        })
    };
    let with = make(&format!("{own} {}", says.abi_flags), "abi-profile")?;
    Ok(match (make(own, "abi-own")?, with) {
        (None, _) => Finding::not_for_this_target("the object is not ELF"),
        (own, with) if own == with => Finding::ok(&*says.abi_flags),
        (_, with) => {
            let what = match with {
                Some(_) => "makes another ABI",
                None => "cannot link",
            };
            Finding::error(
                format!(
                    "the compiler {what} with `{}` of the profile",
                    says.abi_flags
                ),
                set_auto(patient),
            )
        }
    })
}

pub(super) fn libraries(patient: &Patient) -> Result<Finding, DoctorError> {
    let context = patient.context;
    let Some(adopted) = &context.settings.toolchain else {
        return Ok(Finding::ok("as the compiler was built for them"));
    };
    let unsafe_option = adopted
        .options
        .iter()
        .find(|option| libraries::runs_programs_of_sysroot(option));
    if let Some(option) = unsafe_option {
        let message = format!(
            "an earlier release recorded `{option}`, by which GCC would run programs of the sysroot; it is left out of each call"
        );
        return Ok(Finding::warning(message, patient.init()));
    }
    if let Some(libdir) = says(patient)?.map(|says| &*says.libdir)
        && libraries::is_libdir(libdir)
        && !libraries::searches(context, libdir)
    {
        let message = format!(
            "the profile installs libraries to `{libdir}`, where the compiler does not search"
        );
        return Ok(Finding::warning(message, patient.init()));
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
            return Ok(Finding::warning(message, patient.init()));
        }
    }
    let found: Vec<PathBuf> = libraries::directories(context, &patient.sysroot);
    Ok(match found.is_empty() {
        true => Finding::ok("there are none yet"),
        false => Finding::ok(list(&found)),
    })
}
