//! The checks of the sysroot's own files: what init left, what waits, and what points outside.

use super::{
    DoctorError, Finding,
    links::list,
    patient::{Patient, updated},
};
use crate::{
    context::ContextError,
    init::{TEXTS, is_half_made},
    plan::quote,
};
use std::path::{Path, PathBuf};

pub(super) fn facts(patient: &Patient) -> Result<Finding, DoctorError> {
    Ok(match patient.target() {
        Ok(target) => Finding::ok(format!("ARCH {}", target.arch)),
        // What to write in a profile is not known, so no command can be named.
        Err(e) => Finding::skipped(format!("{e}; {}", e.hint())),
    })
}

pub(super) fn sysroot(patient: &Patient) -> Result<Finding, DoctorError> {
    let sysroot = patient.sysroot.display();
    if let Err(ContextError::HostRoot {
        from_environment, ..
    }) = patient.context.foreign_sysroot()
    {
        let file = patient.context.config.target_file(patient.tuple());
        let mend = match from_environment {
            true => "unset SYSROOT".into(),
            false => format!(
                "sed -i '/^sysroot *=/d' {} && {}",
                quote(file.as_os_str()),
                patient.init_whole()
            ),
        };
        let message = format!("the sysroot is `{sysroot}`, which is this machine itself");
        return Ok(Finding::error(message, mend));
    }
    Ok(match patient.sysroot.is_dir() {
        true => Finding::ok(format!("`{sysroot}`")),
        false => {
            let message = format!("there is no folder `{sysroot}`");
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
        .filter(|path| fs_err::read_to_string(path).is_ok_and(|text| is_half_made(&text)))
        .collect();
    if !half_made.is_empty() {
        return Ok(Finding::error(
            format!("crossdev left its placeholders in {}", list(&half_made)),
            patient.init(),
        ));
    }
    if patient.portageq().is_some() && !etc.join("make.conf").exists() {
        return Ok(Finding::error(
            format!("there is no `{}`", etc.join("make.conf").display()),
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
        .map(|path| format!(" {}", quote(path.as_os_str())))
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
            let (from, to) = (quote(path.as_os_str()), quote(to.as_os_str()));
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
    let is_telling = |line: &str| {
        ["libdir=", "dependency_libs="]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let files = &patient.files().la;
    point_outside(patient, files, is_telling, "/^(libdir|dependency_libs)=/")
}

pub(super) fn config_scripts(patient: &Patient) -> Result<Finding, DoctorError> {
    let is_script = |path: &&PathBuf| fs_err::read(path).is_ok_and(|text| text.starts_with(b"#!"));
    let scripts: Vec<PathBuf> = patient
        .files()
        .scripts
        .iter()
        .filter(is_script)
        .cloned()
        .collect();
    // A comment, and the interpreter that the first line names, are no paths of the target's.
    let is_telling = |line: &str| !line.trim_start().starts_with('#');
    point_outside(patient, &scripts, is_telling, "/^[[:space:]]*#/!")
}

/// What stands before an absolute path that a linker or a compiler will use: a quote, `=`, a space, `-L`, `-R`, `-I`.
const BEFORE: &str = "['\"= ]|-[LRI]";

/// The folders of this machine that hold libraries and headers.
const FOLDERS: [&str; 3] = ["usr", "lib", "lib64"];

/// Finds the files in whose telling lines a path leads out of the sysroot. `address` says to sed which lines they are.
fn point_outside(
    patient: &Patient,
    files: &[PathBuf],
    is_telling: impl Fn(&str) -> bool,
    address: &str,
) -> Result<Finding, DoctorError> {
    let sysroot = patient.sysroot.to_string_lossy().into_owned();
    let inside = format!("{}/", sysroot.trim_end_matches('/'));
    let mut wrong = Vec::new();
    for path in files {
        let text = String::from_utf8_lossy(&fs_err::read(path)?).into_owned();
        let mut lines = text.lines().filter(|line| is_telling(line));
        if lines.any(|line| leads_out(&line.replace(&inside, "\u{0}"))) {
            wrong.push(path.clone());
        }
    }
    if wrong.is_empty() {
        return Ok(Finding::ok(match files.len() {
            0 => "there are none".into(),
            some => format!("{some} looked into"),
        }));
    }
    let quoted: String = wrong
        .iter()
        .map(|path| format!(" {}", quote(path.as_os_str())))
        .collect();
    // The sysroot goes first, so that no path gets it twice, and is then put before every path.
    let script = format!(
        "{address}{{s@{}/@/@g; s@({BEFORE})/({})([/'\" ]|$)@\\1{}/\\2\\3@g}}",
        escaped(sysroot.trim_end_matches('/'), ".[](){}*+?^$|\\@"),
        FOLDERS.join("|"),
        escaped(sysroot.trim_end_matches('/'), "@&\\"),
    );
    Ok(Finding::warning(
        format!("paths of this machine in {}", list(&wrong)),
        format!("sed -E -i {}{quoted}", quote(script.as_ref())),
    ))
}

/// Tells whether a line, from which the sysroot's own paths are taken out, has an absolute path.
fn leads_out(line: &str) -> bool {
    FOLDERS.iter().any(|folder| {
        let path = format!("/{folder}");
        line.match_indices(&path).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + path.len()..]);
            let begins = before.ends_with(['\'', '"', '=', ' '])
                || ["-L", "-R", "-I"]
                    .iter()
                    .any(|option| before.ends_with(option));
            begins && (after.is_empty() || after.starts_with(['/', '\'', '"', ' ']))
        })
    })
}

/// Escapes the characters that mean something in a part of sed's `s@…@…@`.
fn escaped(text: &str, special: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        if special.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_out_where_a_tool_would_follow_it() {
        for (line, out) in [
            ("libdir='/usr/lib'", true),
            ("dependency_libs=' -L/lib64 -lz'", true),
            ("dependency_libs=' /usr/lib/libz.la'", true),
            ("prefix=/usr", true),
            ("echo -I/usr/include", true),
            ("libdir='\u{0}usr/lib'", false),
            ("prefix=$(dirname \"$0\")/..", false),
            ("libdir=${prefix}/lib", false),
            ("url=http://x/usr", false),
            ("dir=/usrx", false),
        ] {
            assert_eq!(leads_out(line), out, "{line}");
        }
    }
}
