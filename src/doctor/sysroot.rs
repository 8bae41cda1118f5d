//! The checks of the sysroot's own files: what init left, what waits, and what points outside.

use super::{
    finding::{DoctorError, Finding},
    links::list,
    patient::{Patient, updated},
};
use crate::{
    context::ContextError,
    fix_root,
    fix_root::{Found, Kind, Stray},
    init::{TEXTS, is_half_made},
};
use crossmerge_plan::{env, report::Explain, shown::Show, words::quote_line};
use crossmerge_system::file::read;
use std::path::{Path, PathBuf};

pub(super) fn facts(patient: &Patient) -> Result<Finding, DoctorError> {
    Ok(match patient.target() {
        Ok(target) => Finding::ok(format!("ARCH {}", target.arch)),
        // What to write in a profile is not known, so no command can be named.
        Err(e) => Finding::skipped(format!("{e}; {}", e.hint().unwrap_or_default())),
    })
}

pub(super) fn sysroot(patient: &Patient) -> Result<Finding, DoctorError> {
    let sysroot = patient.sysroot.shown();
    if let Err(ContextError::HostRoot {
        from_environment, ..
    }) = patient.context.foreign_sysroot()
    {
        let file = patient.context.config.target_file(patient.tuple());
        let fix = match from_environment {
            true => "unset SYSROOT".into(),
            false => format!(
                "sed -i '/^sysroot *=/d' {} && {}",
                quote_line(file.as_os_str()),
                patient.init_whole()
            ),
        };
        let message = format!("the sysroot is `{sysroot}`, which is the host itself");
        return Ok(Finding::error(message, fix));
    }
    Ok(match patient.sysroot.is_dir() {
        true => Finding::ok(format!("`{sysroot}`")),
        false => {
            let message = format!("there is no directory `{sysroot}`");
            Finding::error(message, patient.init_whole())
        }
    })
}

pub(super) fn init(patient: &Patient) -> Result<Finding, DoctorError> {
    let record = patient.record()?;
    if record.pending {
        let message = "an init was cut short before its end";
        return Ok(Finding::error(message, patient.init()));
    }
    let etc = patient.etc_portage();
    let half_made: Vec<PathBuf> = TEXTS
        .iter()
        .map(|name| etc.join(name))
        .filter(|path| {
            read::read_to_string(path, read::SETTINGS).is_ok_and(|text| is_half_made(&text))
        })
        .collect();
    if !half_made.is_empty() {
        return Ok(Finding::error(
            format!("crossdev left its placeholders in {}", list(&half_made)),
            patient.init(),
        ));
    }
    if patient.portageq().is_some() && !etc.join("make.conf").exists() {
        return Ok(Finding::error(
            format!("there is no `{}`", etc.join("make.conf").shown()),
            patient.init(),
        ));
    }
    // A libc that init copied may be replaced by a package's; what is asked here is what init would write again.
    let lost: Vec<PathBuf> = record
        .paths()
        .filter(|path| path.starts_with("etc") && !is_update(path))
        .map(|path| patient.sysroot.join(path))
        .filter(|path| path.symlink_metadata().is_err())
        .collect();
    Ok(match lost.is_empty() {
        true => Finding::ok(""),
        false => Finding::warning(
            format!("init wrote it, and it is gone: {}", list(&lost)),
            patient.init(),
        ),
    })
}

fn is_update(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    updated(&name).is_some()
}

pub(super) fn leftovers(patient: &Patient) -> Result<Finding, DoctorError> {
    let leftovers = &patient.files().leftovers;
    if leftovers.is_empty() {
        return Ok(Finding::ok(""));
    }
    let files: String = leftovers
        .iter()
        .map(|path| format!(" {}", quote_line(path.as_os_str())))
        .collect();
    Ok(Finding::warning(
        format!("never renamed into place: {}", list(leftovers)),
        format!("rm -rf{files}"),
    ))
}

pub(super) fn updates(patient: &Patient) -> Result<Finding, DoctorError> {
    let updates = &patient.files().updates;
    if updates.is_empty() {
        return Ok(Finding::ok(""));
    }
    // In the order of their numbers, so that the last one stays.
    let moves: Vec<String> = updates
        .iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let to = path.with_file_name(updated(name)?);
            let (from, to) = (quote_line(path.as_os_str()), quote_line(to.as_os_str()));
            Some(format!("mv --backup=numbered {from} {to}"))
        })
        .collect();
    Ok(Finding::warning(
        format!(
            "waiting: {}; the command takes the new text and keeps the old as `NAME.~1~`, and `rm` of the new one keeps the old",
            list(updates)
        ),
        moves.join(" && "),
    ))
}

pub(super) fn la_files(patient: &Patient) -> Result<Finding, DoctorError> {
    point_outside(patient, Kind::LibtoolArchive)
}

pub(super) fn config_scripts(patient: &Patient) -> Result<Finding, DoctorError> {
    point_outside(patient, Kind::ConfigScript)
}

/// Finds the files of a kind that fix-root would give another text.
fn point_outside(patient: &Patient, kind: Kind) -> Result<Finding, DoctorError> {
    let of_kind = || patient.installed().map(|files| files.of_kind(kind));
    let wrong: Vec<&Found> = of_kind()?.filter(|found| found.points_outside()).collect();
    if wrong.is_empty() {
        return Ok(Finding::ok(match of_kind()?.count() {
            0 => "there are none".into(),
            some => format!("{some} looked into"),
        }));
    }
    let paths: Vec<PathBuf> = wrong.iter().map(|found| found.path.clone()).collect();
    let message = format!("paths of the host in {}", list(&paths));
    let fix = fix_root(patient, wrong.iter().map(|found| &found.owner));
    Ok(Finding::warning(message, fix))
}

/// Finds the symlinks that fix-root would make relative, and those to a file that the build machine alone has.
pub(super) fn symlinks(patient: &Patient) -> Result<Finding, DoctorError> {
    let strays = &patient.installed()?.strays;
    let (fixable, lost): (Vec<_>, Vec<_>) =
        strays.iter().partition(|stray| stray.relative.is_some());
    let shown = |strays: &[&Stray]| {
        let paths: Vec<PathBuf> = strays.iter().map(|stray| stray.path.clone()).collect();
        list(&paths)
    };
    if !fixable.is_empty() {
        let message = format!("they lead to the host: {}", shown(&fixable));
        let fix = fix_root(patient, fixable.iter().map(|stray| &stray.owner));
        return Ok(Finding::warning(message, fix));
    }
    // A directory that is kept elsewhere is somebody's decision.
    let lost: Vec<&Stray> = lost
        .into_iter()
        .filter(|stray| stray.path.is_file())
        .collect();
    if lost.is_empty() {
        return Ok(Finding::ok(""));
    }
    let files: String = lost
        .iter()
        .map(|stray| format!(" {}", quote_line(stray.path.as_os_str())))
        .collect();
    Ok(Finding::warning(
        format!(
            "they lead to files of the host, which the sysroot lacks: {}; install those there, or",
            shown(&lost)
        ),
        format!("rm{files}"),
    ))
}

/// The command that corrects the target's sysroot.
fn fix_root<'a>(patient: &Patient, owners: impl IntoIterator<Item = &'a Option<String>>) -> String {
    let env = &patient.context.env;
    // These name another sysroot to fix-root, and nothing to doctor.
    let sysroot = match [env::ROOT, env::STAGEDIR]
        .iter()
        .any(|name| env.get(*name).is_some())
    {
        true => format!("SYSROOT={} ", quote_line(patient.sysroot.as_os_str())),
        false => String::new(),
    };
    sysroot + &fix_root::fix(patient.tuple(), owners)
}
