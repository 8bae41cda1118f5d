//! The checks of the links: there, ours, and what a shell finds.

use super::{
    finding::{DoctorError, Finding},
    patient::Patient,
};
use crate::{crossdev::target_of, init, links, links::is_our_command};
use crossmerge_plan::{shown::Show, words::quote_line};
use std::path::{Path, PathBuf};

pub(super) fn links(patient: &Patient) -> Result<Finding, DoctorError> {
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    let wanted = links::names(patient.context, patient.wrappers);
    for name in &wanted {
        let link = links::place(patient.context, &patient.bindir, name);
        match link.symlink_metadata() {
            Err(_) => missing.push(name.as_str()),
            // Ours and gone: a link to a crossmerge that was moved away.
            Ok(_) if !link.exists() && is_our_command(&link) => missing.push(name),
            Ok(_) if !is_our_command(&link) => others.push(link),
            Ok(_) => {}
        }
    }
    if !others.is_empty() && others.iter().all(|link| is_crossdevs(link)) {
        let message = format!("crossdev's: {}", list(&others));
        return Ok(Finding::error(message, patient.adopt()));
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
        return Ok(Finding::error(
            format!("not crossmerge's: {}", list(&others)),
            moves.collect::<String>() + &patient.init(),
        ));
    }
    Ok(match missing.len() {
        0 => Finding::ok(format!("{} in `{}`", wanted.len(), patient.bindir.shown())),
        _ => {
            let missing: Vec<PathBuf> = missing.iter().map(PathBuf::from).collect();
            Finding::error(
                format!("not in `{}`: {}", patient.bindir.shown(), list(&missing)),
                patient.init(),
            )
        }
    })
}

pub(super) fn path(patient: &Patient) -> Result<Finding, DoctorError> {
    let found_first = |name: &String| {
        let mut paths = patient.context.path().into_iter().map(|f| f.join(name));
        paths.find(|path| path.is_file())
    };
    let wanted = links::names(patient.context, patient.wrappers);
    let shadowed: Vec<PathBuf> = wanted
        .iter()
        .filter_map(found_first)
        .filter(|path| !is_our_command(path))
        .collect();
    let adopted = patient.context.settings.toolchain.as_ref();
    let replaced =
        |adopted| init::shadowed(patient.context, patient.wrappers, &patient.bindir, adopted);
    if let Some(tool) = adopted.and_then(replaced) {
        let options = init::Options::default();
        let message = format!(
            "`{}` is a real tool, and a link of the target replaces it for everyone with this PATH",
            tool.shown()
        );
        let fix = format!(
            "crossmerge remove {} && {}",
            patient.tuple(),
            init::instead(patient.context, &options)
        );
        return Ok(Finding::error(message, fix));
    }
    let bindir = quote_line(patient.bindir.as_os_str());
    let fix = format!("export PATH={bindir}:\"$PATH\"");
    if wanted.iter().any(|name| found_first(name).is_none()) {
        let message = format!("`{}` is not in PATH", patient.bindir.shown());
        return Ok(Finding::warning(message, fix));
    }
    Ok(match shadowed.is_empty() {
        true => Finding::ok(""),
        false => {
            let adopt = shadowed.iter().all(|link| is_crossdevs(link));
            let fix = if adopt { patient.adopt() } else { fix };
            Finding::error(format!("found before ours: {}", list(&shadowed)), fix)
        }
    })
}

/// Returns whether it is a wrapper of crossdev's, which adopt takes over.
fn is_crossdevs(link: &Path) -> bool {
    target_of(link).is_some()
}

/// The first few of a list, for a line.
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
