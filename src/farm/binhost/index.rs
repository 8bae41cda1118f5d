//! Portage's index of binary packages, `Packages`: a header of `KEY: value` lines, and after an empty line such a
//! paragraph for each package. A package has a CHOST of its own if it differs from that of the header.

use super::error::BinhostError;
use crate::context::Context;
use crossmerge_plan::plan::{Change, Plan};
use crossmerge_system::{exec, file};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// The name of Portage's index.
pub(super) const INDEX: &str = "Packages";

/// The file beside the index in which `farm serve` states what the index does not.
pub(super) const FACTS: &str = "crossmerge.toml";

/// The file beside the index with the public key.
pub(super) const KEY: &str = "crossmerge.asc";

/// How the programs that fetch a file are called: before the name of the new file, and before the address.
const FETCHERS: [(&str, &[&str], &str); 2] = [
    ("wget", &["-nv", "-t", "2", "-T", "20"], "-O"),
    ("curl", &["-fsSL", "--connect-timeout", "20"], "-o"),
];

/// What a host's index states.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) header: BTreeMap<String, String>,
    /// The number of packages.
    pub(super) packages: usize,
    /// The CHOST of the packages. Without packages, that of the header.
    pub(super) chosts: BTreeSet<String>,
}

/// What `farm serve` states about the packages, because Portage's index does not.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    /// The tuple of the target.
    pub(super) tuple: String,
    /// CFLAGS of the target's make.conf.
    pub(super) cflags: String,
    /// The fingerprint of the key with which packages are signed.
    pub(super) key: String,
}

impl Index {
    /// Reads an index.
    pub(super) fn read(file: &Path) -> std::io::Result<Self> {
        let file = fs_err::File::open(file)?;
        Self::parse(BufReader::new(file))
    }

    fn parse(text: impl BufRead) -> std::io::Result<Self> {
        let mut index = Self::default();
        let (mut is_header, mut is_package, mut chost) = (true, false, None::<String>);
        let lines = text.lines().chain([Ok(String::new())]);
        for line in lines {
            let line = line?;
            match line.split_once(':') {
                None if line.trim().is_empty() => {
                    if is_package {
                        let own = index.header.get("CHOST").cloned();
                        index.chosts.extend(chost.take().or(own));
                        index.packages += 1;
                    }
                    is_header &= index.header.is_empty();
                    (is_package, chost) = (false, None);
                }
                Some((key, value)) if is_header => {
                    index.header.insert(key.to_owned(), value.trim().to_owned());
                }
                Some(("CPV", _)) => is_package = true,
                Some(("CHOST", value)) => chost = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        if index.packages == 0 {
            let own = index.header.get("CHOST").cloned();
            index.chosts.extend(own);
        }
        Ok(index)
    }

    /// Returns a value of the header, or an empty text.
    pub(super) fn get(&self, key: &str) -> &str {
        self.header.get(key).map_or("", String::as_str)
    }
}

/// Reads the index at an address. Returns `None` if only Portage's own commands can fetch from it, such as `ssh://`.
pub(super) fn fetch_index(context: &Context, url: &str) -> Result<Option<Index>, BinhostError> {
    let Some(index) = fetch(context, &format!("{url}/{INDEX}"), Index::read)? else {
        return Ok(None);
    };
    match index.get("VERSION").is_empty() {
        true => Err(BinhostError::NoIndex { url: url.into() }),
        false => Ok(Some(index)),
    }
}

/// Reads what `farm serve` states at an address. A host without that file states nothing.
pub(super) fn fetch_facts(context: &Context, url: &str) -> Facts {
    let text = fetch(context, &format!("{url}/{FACTS}"), |file| {
        fs_err::read_to_string(file)
    });
    let facts = text.ok().flatten().map(|text| toml::from_str(&text));
    facts.and_then(Result::ok).unwrap_or_default()
}

/// Fetches a file, and reads it. Returns `None` if no program here can fetch it.
pub(super) fn fetch<T>(
    context: &Context,
    url: &str,
    read: impl Fn(&Path) -> std::io::Result<T>,
) -> Result<Option<T>, BinhostError> {
    let failed = |message: &str| BinhostError::Fetch {
        url: url.to_owned(),
        message: message.to_owned(),
    };
    let (scheme, path) = url.split_once("://").unwrap_or(("file", url));
    match scheme {
        "file" => read(Path::new(path))
            .map(Some)
            .map_err(|e| failed(&e.to_string())),
        "http" | "https" | "ftp" => {
            let directory = file::temporary()?;
            let new = directory.path().join("fetched");
            let output = exec::ask(&fetcher(context, url, &new)?)?;
            if output.status.success() {
                return Ok(Some(read(&new)?));
            }
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text.lines().rev().find(|line| !line.trim().is_empty());
            Err(failed(last.unwrap_or("no reason is known").trim()))
        }
        _ => Ok(None),
    }
}

/// Returns the command that fetches a file.
fn fetcher(context: &Context, url: &str, new: &Path) -> Result<Plan, BinhostError> {
    let find = |name: &str| context.find_program(OsStr::new(name)).ok();
    let mut found = FETCHERS
        .iter()
        .filter_map(|(name, options, output)| Some((find(name)?, options, output)));
    let Some((program, options, output)): Option<(PathBuf, _, _)> = found.next() else {
        return Err(BinhostError::NoProgram("wget"));
    };
    let mut args: Vec<OsString> = options.iter().map(OsString::from).collect();
    args.extend([output.into(), new.into(), url.into()]);
    Ok(Plan {
        program,
        args,
        env: [("LC_ALL".into(), Change::Set("C".into()))].into(),
        ..Plan::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chost_of_a_package_is_its_own_or_that_of_the_header() {
        let header = "ARCH: arm\nCHOST: arm-a\nPROFILE: embedded\nVERSION: 0\n";
        for (packages, number, chosts) in [
            ("", 0, vec!["arm-a"]),
            ("\nCPV: a/b-1\nSIZE: 1\n\nCPV: a/c-1\n\n", 2, vec!["arm-a"]),
            (
                "\nBUILD_ID: 1\nCHOST: arm-b\nCPV: a/b-1\n\nCPV: a/c-1\n",
                2,
                vec!["arm-a", "arm-b"],
            ),
            ("\nCHOST: arm-b\nCPV: a/b-1\n\n", 1, vec!["arm-b"]),
        ] {
            let text = format!("{header}{packages}");
            let index = Index::parse(text.as_bytes()).expect("an index");
            assert_eq!(index.packages, number, "{text}");
            assert_eq!(index.get("PROFILE"), "embedded");
            assert_eq!(index.chosts.iter().collect::<Vec<_>>(), chosts, "{text}");
        }
    }
}
