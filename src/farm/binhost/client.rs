//! `farm use`: a target installs the packages that another machine serves.

use super::{
    binrepos::{name_of, own_file},
    error::BinhostError,
    index::{self, Facts, Index, KEY},
    keys::{Gpg, Key, KeyPlaces, read_keys},
    settings::{PackageSettings, USE, verifying},
};
use crate::{
    context::Context,
    init::{FileChange, block, change_files, etc_portage},
};
use crossmerge_portage::installed;
use crossmerge_system::file::{self, Directory, read};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The arguments of `farm use`.
#[derive(Debug)]
pub(crate) struct UseRequest {
    /// The address of the packages.
    pub(crate) url: String,
    /// The file with the public key of the host. Without it, the key of an earlier call.
    pub(crate) key: Option<PathBuf>,
    /// Only print the changes.
    pub(crate) dry_run: bool,
}

/// Configures a host. Returns the changes and the warnings.
pub(crate) fn use_host(
    context: &Context,
    request: &UseRequest,
) -> Result<(String, Vec<String>), BinhostError> {
    let url = request.url.trim_end_matches('/');
    let is_address = url.contains("://") || url.starts_with('/');
    if !is_address || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(BinhostError::NoAddress { url: url.into() });
    }
    let settings = PackageSettings::of(context)?;
    check_portage(context)?;
    let mut warnings = Vec::new();
    match index::fetch_index(context, url)? {
        Some(index) => {
            let facts = index::fetch_facts(context, url);
            warnings.extend(compare(url, &settings, &index, &facts)?);
        }
        None => warnings.push(format!(
            "only Portage can fetch from `{url}`, so nothing is known about its packages yet"
        )),
    }
    let etc = etc_portage(context)?;
    let name = name_of(url);
    let places = KeyPlaces::of(context);
    if let Some(directory) = places.closed() {
        return Err(BinhostError::NotReachable { directory });
    }
    let gpg = Gpg::find(context)?;
    let keys = host_keys(context, &gpg, &places, request, url)?;
    let changes = [
        FileChange::Block {
            file: own_file(&etc),
            name: format!("{USE} {name}"),
            lines: Some(section(context, url, &name)),
        },
        FileChange::Block {
            file: etc.join("make.conf"),
            name: USE.into(),
            lines: Some(verifying(&places.trusted())),
        },
    ];
    if request.dry_run {
        return Ok((change_files(context, &changes, true)?, warnings));
    }
    let file = places.host(&name);
    Directory::make(file.parent().unwrap_or(&file), &mut Vec::new())?;
    file::put(&file, &keys)?;
    make_trusted(context, &gpg, &places)?;
    let mut text = change_files(context, &changes, false)?;
    for key in gpg.keys_in(&file)? {
        text += &format!("trusted  key {}\n", key.fingerprint);
    }
    Ok((text, warnings))
}

/// Removes a host, or all hosts that `farm use` has configured. Hosts in a user's own lines stay.
pub(crate) fn stop_using(
    context: &Context,
    url: Option<&str>,
    dry_run: bool,
) -> Result<String, BinhostError> {
    let etc = etc_portage(context)?;
    let file = own_file(&etc);
    let text = read::read_to_string(&file, read::SETTINGS).unwrap_or_default();
    let blocks: Vec<String> = block::names(&text);
    let of_hosts = |name: &&String| name.starts_with(&format!("{USE} "));
    let all: Vec<String> = blocks.iter().filter(of_hosts).cloned().collect();
    let gone: Vec<String> = match url {
        None => all.clone(),
        Some(url) => {
            let name = format!("{USE} {}", name_of(url.trim_end_matches('/')));
            all.iter().filter(|it| **it == name).cloned().collect()
        }
    };
    if let (Some(url), true) = (url, gone.is_empty()) {
        return Err(BinhostError::NotUsed {
            tuple: context.tuple.clone(),
            url: url.into(),
        });
    }
    let places = KeyPlaces::of(context);
    let mut report = String::new();
    for name in &gone {
        let change = FileChange::Block {
            file: file.clone(),
            name: name.clone(),
            lines: None,
        };
        report += &change_files(context, &[change], dry_run)?;
        if !dry_run {
            let host = name.strip_prefix(&format!("{USE} "));
            file::remove(&places.host(host.unwrap_or_default()))?;
        }
    }
    if gone.len() == all.len() {
        let change = FileChange::Block {
            file: etc.join("make.conf"),
            name: USE.into(),
            lines: None,
        };
        report += &change_files(context, &[change], dry_run)?;
    }
    if !dry_run {
        make_trusted(context, &Gpg::find(context)?, &places)?;
    }
    Ok(report)
}

/// Makes the trusted keys again. The own key is one of them if the target signs its packages.
fn make_trusted(context: &Context, gpg: &Gpg, places: &KeyPlaces) -> Result<(), BinhostError> {
    let settings = PackageSettings::of(context)?;
    let home = PathBuf::from(settings.get("BINPKG_GPG_SIGNING_GPG_HOME"));
    let key = settings.get("BINPKG_GPG_SIGNING_KEY");
    let own = match settings.has_feature("binpkg-signing") && home.is_dir() {
        true => Some(gpg.public(&home, key)?),
        false => None,
    };
    gpg.make_trusted(places, own.as_deref())
}

/// Returns the text of the host's keys: those of the argument, else those of an earlier call. If these have expired, the
/// host's own file may have the same key with a later date.
fn host_keys(
    context: &Context,
    gpg: &Gpg,
    places: &KeyPlaces,
    request: &UseRequest,
    url: &str,
) -> Result<Vec<u8>, BinhostError> {
    let known = places.host(&name_of(url));
    let file = request.key.clone().unwrap_or_else(|| known.clone());
    if request.key.is_none() && !known.is_file() {
        return Err(BinhostError::NoKey {
            tuple: context.tuple.clone(),
            url: url.into(),
        });
    }
    let text = read_keys(&file)?;
    let keys = gpg.keys_in(&file)?;
    match check_keys(&file, &keys) {
        Err(error @ BinhostError::BadKey { .. }) if request.key.is_none() => {
            let renewed = renewed(context, gpg, url, &keys);
            renewed.ok_or(error)
        }
        checked => checked.map(|()| text),
    }
}

/// Fetches the keys of a host again. Returns them if they are the same keys, and valid now: only their owner can change
/// the date of a key.
fn renewed(context: &Context, gpg: &Gpg, url: &str, keys: &[Key]) -> Option<Vec<u8>> {
    let text = index::fetch(context, &format!("{url}/{KEY}"), |file| {
        read::read(file, read::CONFIGURATION)
    });
    let text = text.ok().flatten()?;
    let directory = file::temporary().ok()?;
    let file = directory.path().join(KEY);
    file::put(&file, &text).ok()?;
    let new = gpg.keys_in(&file).ok()?;
    check_keys(&file, &new).ok()?;
    let is_known = |new: &Key| keys.iter().any(|key| key.fingerprint == new.fingerprint);
    new.iter().all(is_known).then_some(text)
}

/// Checks that a file has public keys, and that they can be used.
fn check_keys(file: &Path, keys: &[Key]) -> Result<(), BinhostError> {
    if keys.iter().any(Key::is_secret) {
        return Err(BinhostError::SecretKey { file: file.into() });
    }
    if keys.is_empty() {
        return Err(BinhostError::NotAKey { file: file.into() });
    }
    let bad = keys.iter().find_map(|key| Some((key, key.fault()?)));
    match bad {
        None => Ok(()),
        Some((key, state)) => Err(BinhostError::BadKey {
            file: file.into(),
            fingerprint: key.fingerprint.clone(),
            state,
        }),
    }
}

/// Compares the host's packages with what this target would build. Another CHOST is an error, other differences are
/// warnings.
fn compare(
    url: &str,
    settings: &PackageSettings,
    index: &Index,
    facts: &Facts,
) -> Result<Vec<String>, BinhostError> {
    let own = settings.chost();
    if let Some(theirs) = index.chosts.iter().find(|theirs| *theirs != own) {
        return Err(BinhostError::OtherChost {
            url: url.into(),
            theirs: theirs.clone(),
            own: own.into(),
        });
    }
    let mut warnings = Vec::new();
    let mut differ = |name: &str, theirs: &str, own: &str| {
        if !theirs.is_empty() && !own.is_empty() && theirs != own {
            warnings.push(format!(
                "the packages were built with {name} `{theirs}`, and this target has `{own}`"
            ));
        }
    };
    differ("the profile", index.get("PROFILE"), &settings.profile);
    differ("CFLAGS", &facts.cflags, &settings.cflags());
    Ok(warnings)
}

/// Refuses a Portage that does not verify the packages of one host. With `FEATURES=binpkg-request-signature`, Portage
/// rejects the packages that it builds itself too, unless it signs them.
fn check_portage(context: &Context) -> Result<(), BinhostError> {
    let portageq = context.find_program(OsStr::new("portageq"));
    let portageq = portageq.map_err(|_| BinhostError::NoPortage)?;
    let Ok(installed) = installed::find(&portageq, &context.env) else {
        return Ok(());
    };
    let knows = |package: &PathBuf| {
        let text = read::read_to_string(&package.join("binrepo/config.py"), read::SETTINGS);
        text.is_ok_and(|text| text.contains("verify_signature"))
    };
    match installed.packages.iter().all(knows) {
        true => Ok(()),
        false => Err(BinhostError::OldPortage),
    }
}

/// Renders the section of binrepos.conf.
fn section(context: &Context, url: &str, name: &str) -> String {
    format!(
        "[{name}]\nsync-uri = {url}\nlocation = {}\nverify-signature = true\n",
        location(context, name).display()
    )
}

/// Returns the directory for packages that are fetched from a host. Portage's default is one directory for all targets.
pub(crate) fn location(context: &Context, name: &str) -> PathBuf {
    context.sysroot().join("var/cache/binhost").join(name)
}
