//! Paths as Portage computes with them: as text, normalised without looking, joined where an absolute part wins.

use super::refusal::Refusal;
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Joins two parts; a second part that is absolute stands alone.
pub(crate) fn join(base: &str, part: &str) -> String {
    if part.starts_with('/') || base.is_empty() {
        part.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{part}")
    } else {
        format!("{base}/{part}")
    }
}

/// Takes `.`, `..` and doubled slashes out of an absolute path, without asking what is a link.
pub(crate) fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Normalises a root and gives it the one slash at its end that Portage gives it.
pub(crate) fn root(name: &str, path: &str) -> Result<String, Refusal> {
    match path {
        "" => Ok("/".into()),
        path if path.starts_with('/') => Ok(format!("{}/", normalise(path).trim_end_matches('/'))),
        path => Err(Refusal::question(format!(
            "{name} is `{path}`, which is not an absolute path"
        ))),
    }
}

/// The text of a path.
pub(crate) fn text<'a>(
    name: &str,
    path: &'a (impl AsRef<OsStr> + ?Sized),
) -> Result<&'a str, Refusal> {
    let path = path.as_ref();
    path.to_str()
        .ok_or_else(|| Refusal::question(format!("{name} is not UTF-8: `{}`", path.display())))
}

/// What is at a path, links followed; `None` when nothing can be. Portage stops where it may not look, and so do we.
pub(crate) fn stat(path: &str) -> Result<Option<fs::Metadata>, Refusal> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            Err(Refusal::file(path, "may not be looked at"))
        }
        Err(_) => Ok(None),
    }
}

/// Returns whether there is a directory.
pub(crate) fn is_dir(path: &str) -> Result<bool, Refusal> {
    Ok(stat(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Returns whether both are there and are one.
pub(crate) fn same_file(a: &str, b: &str) -> bool {
    let identity = |path: &str| fs::metadata(path).map(|m| (m.dev(), m.ino()));
    matches!((identity(a), identity(b)), (Ok(a), Ok(b)) if a == b)
}

/// Follows every link of a path that is there.
pub(crate) fn resolve(path: &str) -> Result<String, Refusal> {
    let resolved = fs::canonicalize(path)
        .map_err(|e| Refusal::file(path, format!("cannot be resolved: {e}")))?;
    Ok(text("a path", &resolved)?.to_owned())
}

/// Follows every link of a path, as far as it is there.
pub(crate) fn resolve_missing(path: &str) -> Result<String, Refusal> {
    if stat(path)?.is_some() {
        return resolve(path);
    }
    let missing = |path: &str| match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(_) => Err(Refusal::file(path, "is a link to nothing")),
    };
    missing(path)?;
    match path.rsplit_once('/') {
        Some((directory, name)) if !directory.is_empty() => {
            Ok(join(&resolve_missing(directory)?, name))
        }
        _ => Ok(path.to_owned()),
    }
}

/// The first of a path and its parents that is there.
pub(crate) fn first_existing(path: &str) -> PathBuf {
    Path::new(path)
        .ancestors()
        .find(|path| {
            !matches!(fs::symlink_metadata(path), Err(e) if e.kind() == io::ErrorKind::NotFound)
        })
        .unwrap_or(Path::new("/"))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_resolved_as_far_as_it_is_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = resolve(directory.path().to_str().expect("UTF-8")).expect("a directory");
        fs::create_dir(format!("{directory}/real")).expect("a directory");
        for (link, target) in [("link", "real"), ("dangling", "nothing")] {
            std::os::unix::fs::symlink(target, format!("{directory}/{link}")).expect("a link");
        }
        for (path, wanted) in [
            ("link", Some("real")),
            ("link/a", Some("real/a")),
            ("link/a/b", Some("real/a/b")),
            ("none/a", Some("none/a")),
            ("dangling", None),
            ("dangling/a", None),
        ] {
            let is = resolve_missing(&format!("{directory}/{path}")).ok();
            let wanted = wanted.map(|wanted| format!("{directory}/{wanted}"));
            assert_eq!(is, wanted, "{path}");
        }
    }

    #[test]
    fn paths_are_normalised_as_python_does() {
        for (path, wanted) in [
            ("/", "/"),
            ("//", "/"),
            ("//a/./b//c/", "/a/b/c"),
            ("/a/../../b", "/b"),
        ] {
            assert_eq!(normalise(path), wanted, "{path}");
        }
        assert_eq!(join("/a/b", "../c"), "/a/b/../c");
        assert_eq!(join("/a/b/", "c"), "/a/b/c");
        assert_eq!(join("/a", "/c"), "/c");
        assert_eq!(root("ROOT", "/a//b/"), Ok("/a/b/".into()));
        assert_eq!(root("ROOT", "/"), Ok("/".into()));
        assert!(root("ROOT", "a").is_err());
    }
}
