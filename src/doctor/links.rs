//! The checks of the target's symlinks: that they exist, lead to crossmerge, and are the ones that a shell finds.

use super::{
    examination::Examination,
    finding::{CheckResult, DoctorError},
};
use crate::{
    crossdev::target_of,
    init,
    links::{self, is_our_command},
};
use crossmerge_plan::{shown::Show, words::quote_line};
use std::path::{Path, PathBuf};

pub(super) fn links(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    let wanted = links::names(exam.context, exam.wrappers);
    for name in &wanted {
        let link = links::place(exam.context, &exam.bindir, name);
        match link.symlink_metadata() {
            Err(_) => missing.push(name.as_str()),
            // A symlink to a `crossmerge` that was moved or removed.
            Ok(_) if !link.exists() && is_our_command(&link) => missing.push(name),
            Ok(_) if !is_our_command(&link) => others.push(link),
            Ok(_) => {}
        }
    }
    if !others.is_empty() && others.iter().all(|link| is_crossdevs(link)) {
        let message = format!("crossdev's: {}", list(&others));
        return Ok(CheckResult::error(message, exam.adopt()));
    }
    if !others.is_empty() {
        let moves = others.iter().map(|link| {
            let mut old = link.clone().into_os_string();
            old.push(".old");
            format!(
                "mv {} {} && ",
                quote_line(link.as_os_str()),
                quote_line(&old)
            )
        });
        return Ok(CheckResult::error(
            format!("not crossmerge's: {}", list(&others)),
            moves.collect::<String>() + &exam.init(),
        ));
    }
    Ok(match missing.len() {
        0 => CheckResult::ok(format!("{} in `{}`", wanted.len(), exam.bindir.shown())),
        _ => {
            let missing: Vec<PathBuf> = missing.iter().map(PathBuf::from).collect();
            CheckResult::error(
                format!("not in `{}`: {}", exam.bindir.shown(), list(&missing)),
                exam.init(),
            )
        }
    })
}

pub(super) fn path(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let found_first = |name: &String| {
        let mut paths = exam.context.path().into_iter().map(|f| f.join(name));
        paths.find(|path| path.is_file())
    };
    let wanted = links::names(exam.context, exam.wrappers);
    let shadowed: Vec<PathBuf> = wanted
        .iter()
        .filter_map(found_first)
        .filter(|path| !is_our_command(path))
        .collect();
    let adopted = exam.context.settings.toolchain.as_ref();
    let replaced = |adopted| init::shadowed(exam.context, exam.wrappers, &exam.bindir, adopted);
    if let Some(tool) = adopted.and_then(replaced) {
        let options = init::InitOptions::default();
        let message = format!(
            "`{}` is a real tool, and the target's symlink shadows it for every user with this PATH",
            tool.shown()
        );
        let fix = format!(
            "crossmerge remove {} && {}",
            exam.tuple(),
            init::instead(exam.context, &options)
        );
        return Ok(CheckResult::error(message, fix));
    }
    let bindir = quote_line(exam.bindir.as_os_str());
    let fix = format!("export PATH={bindir}:\"$PATH\"");
    if wanted.iter().any(|name| found_first(name).is_none()) {
        let message = format!("`{}` is not in PATH", exam.bindir.shown());
        return Ok(CheckResult::warning(message, fix));
    }
    Ok(match shadowed.is_empty() {
        true => CheckResult::ok(""),
        false => {
            let adopt = shadowed.iter().all(|link| is_crossdevs(link));
            let fix = if adopt { exam.adopt() } else { fix };
            CheckResult::error(
                format!("before crossmerge's in PATH: {}", list(&shadowed)),
                fix,
            )
        }
    })
}

/// Returns whether a file is one of crossdev's wrappers, which `adopt` takes over.
fn is_crossdevs(link: &Path) -> bool {
    target_of(link).is_some()
}

/// Joins the first few paths of a list for a message.
pub(super) fn list(paths: &[PathBuf]) -> String {
    const MOST: usize = 4;
    let shown: Vec<String> = paths
        .iter()
        .take(MOST)
        .map(|path| format!("`{}`", path.shown()))
        .collect();
    match paths.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}
