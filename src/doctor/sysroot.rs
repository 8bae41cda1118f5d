//! The checks of the sysroot's files: init's own, updates that wait to be merged, and paths that lead out of the
//! sysroot.

use super::{
    examination::{Examination, updated},
    finding::{CheckResult, DoctorError},
    links::list,
};
use crate::{
    context::ContextError,
    fix_root::{self, EscapingSymlink, SysrootFile, SysrootFileKind},
    init::{TEXTS, is_half_made},
};
use crossmerge_plan::{env, report::Explain, shown::Show, words::quote_line};
use crossmerge_system::file::read;
use std::path::{Path, PathBuf};

pub(super) fn facts(exam: &Examination) -> Result<CheckResult, DoctorError> {
    Ok(match exam.target() {
        Ok(target) => CheckResult::ok(format!("ARCH {}", target.arch)),
        // The facts of a new family are unknown, so no command could add them.
        Err(e) => CheckResult::skipped(format!("{e}; {}", e.hint().unwrap_or_default())),
    })
}

pub(super) fn sysroot(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let sysroot = exam.sysroot.shown();
    if let Err(ContextError::HostRoot {
        from_environment, ..
    }) = exam.context.foreign_sysroot()
    {
        let file = exam.context.config.target_file(exam.tuple());
        let fix = match from_environment {
            true => "unset SYSROOT".into(),
            false => format!(
                "sed -i '/^sysroot *=/d' {} && {}",
                quote_line(file.as_os_str()),
                exam.init_whole()
            ),
        };
        let message = format!("the sysroot is `{sysroot}`, which is the host itself");
        return Ok(CheckResult::error(message, fix));
    }
    Ok(match exam.sysroot.is_dir() {
        true => CheckResult::ok(format!("`{sysroot}`")),
        false => {
            let message = format!("there is no directory `{sysroot}`");
            CheckResult::error(message, exam.init_whole())
        }
    })
}

pub(super) fn init(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let record = exam.record()?;
    if record.pending {
        let message = "an init was interrupted";
        return Ok(CheckResult::error(message, exam.init()));
    }
    let etc = exam.etc_portage();
    let half_made: Vec<PathBuf> = TEXTS
        .iter()
        .map(|name| etc.join(name))
        .filter(|path| {
            read::read_to_string(path, read::SETTINGS).is_ok_and(|text| is_half_made(&text))
        })
        .collect();
    if !half_made.is_empty() {
        return Ok(CheckResult::error(
            format!("crossdev left its placeholders in {}", list(&half_made)),
            exam.init(),
        ));
    }
    if exam.portageq().is_some() && !etc.join("make.conf").exists() {
        return Ok(CheckResult::error(
            format!("there is no `{}`", etc.join("make.conf").shown()),
            exam.init(),
        ));
    }
    // A package may have replaced a libc that init copied, so only files that init would write again are checked.
    let lost: Vec<PathBuf> = record
        .paths()
        .filter(|path| path.starts_with("etc") && !is_update(path))
        .map(|path| exam.sysroot.join(path))
        .filter(|path| path.symlink_metadata().is_err())
        .collect();
    Ok(match lost.is_empty() {
        true => CheckResult::ok(""),
        false => CheckResult::warning(
            format!(
                "init wrote these files, but they are missing: {}",
                list(&lost)
            ),
            exam.init(),
        ),
    })
}

fn is_update(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    updated(&name).is_some()
}

pub(super) fn leftovers(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let leftovers = &exam.files().leftovers;
    if leftovers.is_empty() {
        return Ok(CheckResult::ok(""));
    }
    let files: String = leftovers
        .iter()
        .map(|path| format!(" {}", quote_line(path.as_os_str())))
        .collect();
    Ok(CheckResult::warning(
        format!("temporary files that were not renamed: {}", list(leftovers)),
        format!("rm -rf{files}"),
    ))
}

pub(super) fn updates(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let updates = &exam.files().updates;
    if updates.is_empty() {
        return Ok(CheckResult::ok(""));
    }
    // In the order of their numbers, so that the newest is moved last.
    let moves: Vec<String> = updates
        .iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let to = path.with_file_name(updated(name)?);
            let (from, to) = (quote_line(path.as_os_str()), quote_line(to.as_os_str()));
            Some(format!("mv --backup=numbered {from} {to}"))
        })
        .collect();
    Ok(CheckResult::warning(
        format!(
            "waiting: {}; the command installs the new text and keeps the old as `NAME.~1~`; to keep the old text, remove the new file instead",
            list(updates)
        ),
        moves.join(" && "),
    ))
}

pub(super) fn la_files(exam: &Examination) -> Result<CheckResult, DoctorError> {
    point_outside(exam, SysrootFileKind::LibtoolArchive)
}

pub(super) fn config_scripts(exam: &Examination) -> Result<CheckResult, DoctorError> {
    point_outside(exam, SysrootFileKind::ConfigScript)
}

/// Finds the files of a kind whose text fix-root would change.
fn point_outside(exam: &Examination, kind: SysrootFileKind) -> Result<CheckResult, DoctorError> {
    let of_kind = || exam.installed().map(|files| files.of_kind(kind));
    let wrong: Vec<&SysrootFile> = of_kind()?.filter(|found| found.points_outside()).collect();
    if wrong.is_empty() {
        return Ok(CheckResult::ok(match of_kind()?.count() {
            0 => "there are none".into(),
            some => format!("{some} checked"),
        }));
    }
    let paths: Vec<PathBuf> = wrong.iter().map(|found| found.path.clone()).collect();
    let message = format!("paths of the host in {}", list(&paths));
    let fix = fix_root(exam, wrong.iter().map(|found| &found.owner));
    Ok(CheckResult::warning(message, fix))
}

/// Finds the symlinks that fix-root would make relative, and those to a file that only the host has.
pub(super) fn symlinks(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let symlinks = &exam.installed()?.symlinks;
    let (fixable, lost): (Vec<_>, Vec<_>) = symlinks
        .iter()
        .partition(|symlink| symlink.relative.is_some());
    let shown = |symlinks: &[&EscapingSymlink]| {
        let paths: Vec<PathBuf> = symlinks
            .iter()
            .map(|symlink| symlink.path.clone())
            .collect();
        list(&paths)
    };
    if !fixable.is_empty() {
        let message = format!("they lead to the host: {}", shown(&fixable));
        let fix = fix_root(exam, fixable.iter().map(|symlink| &symlink.owner));
        return Ok(CheckResult::warning(message, fix));
    }
    // A symlink to a directory outside is a user's decision.
    let lost: Vec<&EscapingSymlink> = lost
        .into_iter()
        .filter(|symlink| symlink.path.is_file())
        .collect();
    if lost.is_empty() {
        return Ok(CheckResult::ok(""));
    }
    let files: String = lost
        .iter()
        .map(|symlink| format!(" {}", quote_line(symlink.path.as_os_str())))
        .collect();
    Ok(CheckResult::warning(
        format!(
            "they lead to files of the host that the sysroot lacks: {}; install those files in the sysroot, or",
            shown(&lost)
        ),
        format!("rm{files}"),
    ))
}

/// Returns the command that fixes the target's sysroot.
fn fix_root<'a>(
    exam: &Examination,
    owners: impl IntoIterator<Item = &'a Option<String>>,
) -> String {
    let env = &exam.context.env;
    // fix-root reads these variables, and doctor does not.
    let sysroot = match [env::ROOT, env::STAGEDIR]
        .iter()
        .any(|name| env.get(*name).is_some())
    {
        true => format!("SYSROOT={} ", quote_line(exam.sysroot.as_os_str())),
        false => String::new(),
    };
    sysroot + &fix_root::fix(exam.tuple(), owners)
}
