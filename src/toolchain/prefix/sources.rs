//! Source archives that the user has, and the repository with an ebuild for each.
//!
//! The names are upstream's and Debian's. Debian's archives are often repacked, so they have other checksums than
//! upstream's: the Manifest of the repository has those of the files themselves.

use super::{
    error::PrefixError,
    files::{FILES, REPOSITORIES, SOURCES},
    step::PrefixStep,
};
use crossmerge_plan::words::hex;
use crossmerge_system::file::read;
use sha2::{Digest, Sha512};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// The packages of LLVM's libraries, which one archive contains.
const LLVM: &[&str] = &[
    "llvm-runtimes/compiler-rt",
    "llvm-runtimes/libunwind",
    "llvm-runtimes/libcxxabi",
    "llvm-runtimes/libcxx",
];

/// The names of archives up to the version, in upstream's and in Debian's form, and the packages that are built from each.
/// Debian's gcc-12 has the major version in its name.
const ARCHIVES: [(&str, &[&str]); 11] = [
    ("avr-libc", &["dev-embedded/avr-libc"]),
    ("binutils", &["sys-devel/binutils"]),
    ("gcc", &["sys-devel/gcc"]),
    ("gdb", &["dev-debug/gdb"]),
    ("glibc", &["sys-libs/glibc"]),
    ("linux", &["sys-kernel/linux-headers"]),
    ("llvm-project", LLVM),
    ("llvm-toolchain", LLVM),
    ("mingw-w64", &["dev-util/mingw64-runtime"]),
    ("musl", &["sys-libs/musl"]),
    ("newlib", &["sys-libs/newlib"]),
];

/// The ending of an archive.
const TAR: &str = ".tar.";

/// A source archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceArchive {
    path: PathBuf,
    packages: &'static [&'static str],
    version: String,
}

/// Lists the source archives in a directory.
pub(super) fn in_directory(directory: &Path) -> Result<Vec<SourceArchive>, PrefixError> {
    let mut archives = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some((packages, version)) = name.to_str().and_then(packages_of) else {
            continue;
        };
        archives.push(SourceArchive {
            path: entry.path(),
            packages,
            version: version.to_owned(),
        });
    }
    if archives.is_empty() {
        return Err(PrefixError::NoSources(directory.into()));
    }
    archives.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(archives)
}

/// Returns the packages and the version of an archive, by its name. Returns `None` for another file.
fn packages_of(file: &str) -> Option<(&'static [&'static str], &str)> {
    let (stem, _) = file.split_once(TAR)?;
    // LLVM's own archives are called `llvm-project-14.0.6.src.tar.xz`.
    let stem = stem.strip_suffix(".src").unwrap_or(stem);
    let is_signature = file.ends_with(".sig") || file.ends_with(".asc");
    if is_signature {
        return None;
    }
    ARCHIVES.iter().find_map(|(name, packages)| {
        let rest = stem.strip_prefix(name)?;
        let version = match stem.strip_suffix(".orig") {
            // Debian's form: `gcc-12_12.2.0.orig.tar.gz`.
            Some(_) => {
                let (major, version) = rest.strip_suffix(".orig")?.split_once('_')?;
                let is_major = |major: &str| {
                    major.is_empty() || major[1..].bytes().all(|c| c.is_ascii_digit())
                };
                is_major(major).then_some(without_suffix(version))?
            }
            // Upstream's mingw-w64-v13.0.0.
            None => {
                let version = rest.strip_prefix('-')?;
                version.strip_prefix('v').unwrap_or(version)
            }
        };
        is_version(version).then_some((*packages, version))
    })
}

/// Removes what Debian appends to the version of an archive that it has changed, such as `+dfsg` or `+Atmel3.6.2`. A name
/// with `+really` has another version before the `+`.
fn without_suffix(version: &str) -> &str {
    match version.split_once('+') {
        Some((version, suffix)) if !suffix.starts_with("really") => version,
        _ => version,
    }
}

/// Returns whether Portage accepts a version: numbers separated by dots.
fn is_version(version: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    version.split('.').all(is_number)
}

/// Returns the steps that write the repository of these archives, and copy them to where Portage searches its files.
pub(super) fn steps(
    archives: &[SourceArchive],
    eprefix: &Path,
    layout: &dyn Fn(&str) -> String,
) -> Result<Vec<PrefixStep>, PrefixError> {
    let repository = eprefix.join(REPOSITORIES).join(SOURCES);
    let write = |path: PathBuf, text: String| PrefixStep::Write {
        path,
        text: text.into(),
        is_program: false,
    };
    let keywords = keywords();
    let mut steps = vec![
        write(repository.join("metadata/layout.conf"), layout(SOURCES)),
        write(
            repository.join("profiles/repo_name"),
            format!("{SOURCES}\n"),
        ),
        write(repository.join("profiles/eapi"), "8\n".into()),
        write(repository.join("profiles/categories"), categories(archives)),
    ];
    let mut manifests: BTreeMap<PathBuf, String> = BTreeMap::new();
    for archive in archives {
        let SourceArchive {
            path,
            packages,
            version,
        } = archive;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        steps.push(PrefixStep::Copy {
            path: eprefix.join("var/cache/distfiles").join(&*file),
            from: path.clone(),
        });
        let (size, hash) = hash(path)?;
        for package in *packages {
            let directory = repository.join(package);
            let (_, package) = package.split_once('/').unwrap_or_default();
            steps.push(write(
                directory.join(format!("{package}-{version}.ebuild")),
                format!(
                    "# Written by `crossmerge toolchain prepare --sources`.\n\nEAPI=8\n\ninherit crossmerge-{package}\n\n\
                     SRC_URI=\"{file}\"\nRESTRICT+=\" fetch\"\nKEYWORDS=\"{keywords}\"\n"
                ),
            ));
            let line = format!("DIST {file} {size} SHA512 {hash}\n");
            manifests
                .entry(directory.join("Manifest"))
                .or_default()
                .push_str(&line);
        }
    }
    steps.extend(manifests.into_iter().map(|(path, text)| write(path, text)));
    Ok(steps)
}

/// Returns the text of `profiles/categories`.
fn categories(archives: &[SourceArchive]) -> String {
    let packages = archives.iter().flat_map(|archive| archive.packages);
    let categories: BTreeSet<&str> = packages
        .filter_map(|package| Some(package.split_once('/')?.0))
        .collect();
    categories
        .into_iter()
        .fold(String::new(), |text, category| text + category + "\n")
}

/// Returns the keyword of every architecture.
fn keywords() -> String {
    let list = FILES
        .iter()
        .find(|(path, _)| *path == "repository/profiles/arch.list");
    let lines = list.map_or("", |(_, text)| text).lines();
    lines.collect::<Vec<_>>().join(" ")
}

/// Returns the size and the SHA-512 of a file.
fn hash(path: &Path) -> io::Result<(u64, String)> {
    let mut file = read::open_regular(path)?;
    let mut hash = Sha512::new();
    let mut size = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hex(&hash.finalize())));
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_recognised_by_the_names_of_upstream_and_of_debian() {
        for (file, found) in [
            ("binutils-2.40.tar.xz", Some(("sys-devel/binutils", "2.40"))),
            (
                "binutils_2.40.orig.tar.xz",
                Some(("sys-devel/binutils", "2.40")),
            ),
            ("gcc-12.5.0.tar.xz", Some(("sys-devel/gcc", "12.5.0"))),
            (
                "gcc-12_12.2.0.orig.tar.gz",
                Some(("sys-devel/gcc", "12.2.0")),
            ),
            (
                "linux_6.1.176.orig.tar.xz",
                Some(("sys-kernel/linux-headers", "6.1.176")),
            ),
            (
                "llvm-project-14.0.6.src.tar.xz",
                Some(("llvm-runtimes/compiler-rt", "14.0.6")),
            ),
            (
                "llvm-toolchain-14_14.0.6.orig.tar.xz",
                Some(("llvm-runtimes/compiler-rt", "14.0.6")),
            ),
            ("musl_1.2.3.orig.tar.gz", Some(("sys-libs/musl", "1.2.3"))),
            (
                "avr-libc_2.0.0+Atmel3.6.2.orig.tar.gz",
                Some(("dev-embedded/avr-libc", "2.0.0")),
            ),
            (
                "mingw-w64_10.0.0.orig.tar.bz2",
                Some(("dev-util/mingw64-runtime", "10.0.0")),
            ),
            (
                "mingw-w64-v13.0.0.tar.bz2",
                Some(("dev-util/mingw64-runtime", "13.0.0")),
            ),
            ("glibc_2.36.orig.tar.xz", Some(("sys-libs/glibc", "2.36"))),
            (
                "newlib-4.5.0.20241231.tar.gz",
                Some(("sys-libs/newlib", "4.5.0.20241231")),
            ),
            ("musl-1.2.3.tar.gz.asc", None),
            ("gcc-12_12.2.0-14.debian.tar.xz", None),
            ("binutils_2.43.1+really2.43.orig.tar.xz", None),
            ("linux-tools_6.1.orig.tar.xz", None),
            ("hello-2.10.tar.gz", None),
        ] {
            let is = packages_of(file).map(|(packages, version)| (packages[0], version));
            assert_eq!(is, found, "{file}");
        }
        assert!(keywords().starts_with("alpha amd64 "));
    }
}
