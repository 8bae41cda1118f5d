//! The checks of binary packages: those that the target makes, and those that it takes from other machines.

use super::{
    examination::Examination,
    finding::{CheckResult, DoctorError},
};
use crate::{
    context::Context,
    farm::binhost::{
        self, BinhostError, PackageSettings,
        binrepos::{self, Section},
        keys::{Gpg, KeyPlaces},
    },
};
use crossmerge_plan::{report::Explain as _, shown::Show, words::quote_line};
use std::path::PathBuf;

/// The feature with which Portage accepts every package.
const IGNORE: &str = "binpkg-ignore-signature";

/// The file that a user copies from the host, in fixes.
const KEY: &str = "crossmerge.asc";

pub(super) fn packages(exam: &Examination) -> Result<CheckResult, DoctorError> {
    Ok(made(exam).unwrap_or_else(|error| failed(&error)))
}

pub(super) fn binrepos(exam: &Examination) -> Result<CheckResult, DoctorError> {
    Ok(fetched(exam).unwrap_or_else(|error| failed(&error)))
}

/// Returns the result of a check that ended with an error.
fn failed(error: &BinhostError) -> CheckResult {
    match error.hint() {
        Some(hint) => CheckResult::error(error.to_string(), hint),
        None => CheckResult::skipped(error.to_string()),
    }
}

/// Checks PKGDIR, the key with which packages are signed, and whether a web server may read them.
fn made(exam: &Examination) -> Result<CheckResult, BinhostError> {
    let context = exam.context;
    let settings = PackageSettings::of(context)?;
    if let Some(found) = binhost::mixture(context, &settings)? {
        return Ok(match found.is_error {
            true => CheckResult::error(found.text, found.fix),
            false => CheckResult::warning(found.text, found.fix),
        });
    }
    let pkgdir = settings.pkgdir();
    if !settings.has_feature("binpkg-signing") {
        return Ok(CheckResult::ok(format!("`{}`; not signed", pkgdir.shown())));
    }
    let serve = format!("crossmerge farm serve {}", exam.tuple());
    let places = KeyPlaces::of(context);
    let gpg = Gpg::find(context)?;
    let home = PathBuf::from(settings.get("BINPKG_GPG_SIGNING_GPG_HOME"));
    let key = gpg.secret_key(&home)?;
    let fault = match &key {
        None => Some("missing"),
        Some(key) => key.fault(),
    };
    if let Some(fault) = fault {
        let home = home.shown();
        return Ok(CheckResult::error(
            format!("the key in `{home}`, with which Portage signs packages, is {fault}"),
            serve,
        ));
    }
    let trusted = places.trusted();
    let knows = || -> Result<bool, BinhostError> {
        let keys = gpg.public_keys(&trusted)?;
        let mut own = keys.iter().filter(|known| {
            key.as_ref()
                .is_some_and(|key| key.fingerprint == known.fingerprint)
        });
        Ok(own.any(|known| known.fault().is_none()))
    };
    let is_ours = settings.get("BINPKG_GPG_VERIFY_GPG_HOME") == trusted.to_string_lossy();
    if is_ours && (!trusted.is_dir() || !knows()?) {
        return Ok(CheckResult::error(
            format!(
                "`{}` lacks the key with which Portage signs packages, so Portage accepts none that it makes",
                trusted.shown()
            ),
            serve,
        ));
    }
    if let Some((path, _)) = binhost::unreadable(&pkgdir)?.first() {
        return Ok(CheckResult::warning(
            format!(
                "other users, such as a web server, may not read `{}`",
                path.shown()
            ),
            serve,
        ));
    }
    Ok(CheckResult::ok(format!("`{}`; signed", pkgdir.shown())))
}

/// Checks the hosts in binrepos.conf: where their packages are kept, and whether they are verified with a valid key.
fn fetched(exam: &Examination) -> Result<CheckResult, BinhostError> {
    let context = exam.context;
    let sections = binrepos::sections(&exam.etc_portage());
    if sections.is_empty() {
        return Ok(CheckResult::not_for_this_target(
            "the target uses no packages of other machines",
        ));
    }
    let settings = PackageSettings::of(context)?;
    if settings.has_feature(IGNORE) {
        let file = quote_line(exam.etc_portage().join("make.conf").as_os_str());
        let line = quote_line(format!("FEATURES=\"${{FEATURES}} -{IGNORE}\"").as_ref());
        return Ok(CheckResult::error(
            format!(
                "FEATURES contains `{IGNORE}`, so Portage installs any package that a host offers"
            ),
            format!("printf '%s\\n' {line} >> {file}"),
        ));
    }
    for section in &sections {
        let found = located(exam, &settings, section).or_else(|| unverified(section));
        if let Some(found) = found {
            return Ok(found);
        }
    }
    let gpg = Gpg::find(context)?;
    let home = PathBuf::from(settings.get("BINPKG_GPG_VERIFY_GPG_HOME"));
    let places = KeyPlaces::of(context);
    for section in &sections {
        if let Some(found) = untrusted(context, &gpg, &places, &home, section)? {
            return Ok(found);
        }
    }
    let urls: Vec<String> = sections
        .iter()
        .map(|it| format!("`{}`", it.url()))
        .collect();
    Ok(CheckResult::ok(urls.join(", ")))
}

/// Finds a host whose packages are kept outside the sysroot.
fn located(
    exam: &Examination,
    settings: &PackageSettings,
    section: &Section,
) -> Option<CheckResult> {
    let context = exam.context;
    let location = match section.get("location") {
        // With PORTAGE_BINHOST, Portage keeps the packages in PKGDIR.
        None if !settings.get("PORTAGE_BINHOST").is_empty() => return None,
        None => format!(
            "{}/var/cache/binhost/{}",
            context.eprefix().display(),
            section.name
        ),
        Some(location) => expanded(exam, location),
    };
    if PathBuf::from(&location).starts_with(&exam.sysroot) {
        return None;
    }
    let own = binhost::location(context, &section.name);
    Some(CheckResult::error(
        format!(
            "packages of `{}` are kept in `{}`, outside the sysroot, where those of other targets may replace them",
            section.name.shown(),
            location.shown()
        ),
        set(section, "location", &own.display().to_string()),
    ))
}

/// Replaces the variables that Portage knows in binrepos.conf.
fn expanded(exam: &Examination, value: &str) -> String {
    let root = format!("{}/", exam.sysroot.display());
    let configroot = exam.context.configroot();
    let eprefix = exam.context.eprefix();
    value
        .replace("%(ROOT)s", &root)
        .replace("%(EROOT)s", &root)
        .replace("%(PORTAGE_CONFIGROOT)s", &configroot.to_string_lossy())
        .replace("%(EPREFIX)s", &eprefix.to_string_lossy())
}

/// Finds a host whose packages are not verified.
fn unverified(section: &Section) -> Option<CheckResult> {
    (!section.is_verified()).then(|| {
        CheckResult::error(
            format!(
                "Portage does not verify the packages of `{}`, so it installs what anyone on the way sends",
                section.name.shown()
            ),
            set(section, "verify-signature", "true"),
        )
    })
}

/// Finds a host whose key is missing or cannot be used.
fn untrusted(
    context: &Context,
    gpg: &Gpg,
    places: &KeyPlaces,
    home: &PathBuf,
    section: &Section,
) -> Result<Option<CheckResult>, BinhostError> {
    let again = format!(
        "crossmerge farm use {} {}",
        context.tuple,
        quote_line(section.url().as_ref())
    );
    let file = places.host(&section.name);
    let keys = match home.is_dir() {
        true => gpg.public_keys(home)?,
        false => Vec::new(),
    };
    let is_own = *home == places.trusted();
    let (name, home) = (section.name.shown(), home.shown());
    // The keys of another directory belong to its owner, who may trust one by the signature of another.
    if !is_own {
        return Ok(keys.is_empty().then(|| {
            CheckResult::error(
                format!("`{home}` has no key with which to verify the packages of `{name}`"),
                format!("{again} --key {KEY}"),
            )
        }));
    }
    if !file.is_file() {
        return Ok(Some(CheckResult::error(
            format!("no key is known with which to verify the packages of `{name}`"),
            format!("{again} --key {KEY}"),
        )));
    }
    for key in gpg.keys_in(&file)? {
        let known = keys
            .iter()
            .find(|known| known.fingerprint == key.fingerprint);
        let fault = match known {
            None => Some("missing"),
            Some(known) => known.fault(),
        };
        if let Some(fault) = fault {
            return Ok(Some(CheckResult::error(
                format!(
                    "the key {} of `{name}` in `{home}` is {fault}",
                    key.fingerprint
                ),
                again,
            )));
        }
    }
    Ok(None)
}

/// Returns the command that sets a value of a section.
fn set(section: &Section, key: &str, value: &str) -> String {
    let name = section.name.replace(['.', '*', '/'], ".");
    let script = match section.has_own(key) {
        true => {
            format!("/^[[]{name}]/,/^[[]/s|^[[:space:]]*{key}[[:space:]]*[=:].*|{key} = {value}|I")
        }
        false => format!("/^[[]{name}]/a {key} = {value}"),
    };
    format!(
        "sed -i {} {}",
        quote_line(script.as_ref()),
        quote_line(section.file.as_os_str())
    )
}
