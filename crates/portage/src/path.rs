//! Paths as Portage handles them: as text. Normalising does not consult the file system, and joining an absolute path
//! replaces the base.

use super::error::SettingsError;
use crossmerge_system::file::{real_directory, real_path};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Joins two paths. An absolute second path replaces the first.
pub(crate) fn join(base: &str, part: &str) -> String {
    if part.starts_with('/') || base.is_empty() {
        part.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{part}")
    } else {
        format!("{base}/{part}")
    }
}

/// Removes `.`, `..` and doubled slashes from an absolute path, without regard to symlinks.
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

/// Normalises the path of a root. As in Portage, it then ends in one slash.
pub(crate) fn root(name: &str, path: &str) -> Result<String, SettingsError> {
    match path {
        "" => Ok("/".into()),
        path if path.starts_with('/') => Ok(format!("{}/", normalise(path).trim_end_matches('/'))),
        path => Err(SettingsError::query(format!(
            "{name} is `{path}`, which is not an absolute path"
        ))),
    }
}

/// Returns a path as text.
pub(crate) fn text<'a>(
    name: &str,
    path: &'a (impl AsRef<OsStr> + ?Sized),
) -> Result<&'a str, SettingsError> {
    let path = path.as_ref();
    path.to_str()
        .ok_or_else(|| SettingsError::query(format!("{name} is not UTF-8: `{}`", path.display())))
}

/// Returns the metadata of the file at a path, with symlinks followed; `None` if it does not exist. Portage fails if
/// permission is denied, so that is an error.
pub(crate) fn stat(path: &str) -> Result<Option<fs::Metadata>, SettingsError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Err(denied(path)),
        Err(_) => Ok(None),
    }
}

/// Returns the error that permission is denied.
pub(crate) fn denied(path: &str) -> SettingsError {
    SettingsError::file(path, "cannot be read: permission denied")
}

/// Returns whether the path is a directory.
pub(crate) fn is_dir(path: &str) -> Result<bool, SettingsError> {
    Ok(stat(path)?.is_some_and(|metadata| metadata.is_dir()))
}

/// Returns whether both paths exist and are the same file.
pub(crate) fn same_file(a: &str, b: &str) -> bool {
    let identity = |path: &str| fs::metadata(path).map(|m| (m.dev(), m.ino()));
    identity(a).is_ok_and(|a| identity(b).is_ok_and(|b| a == b))
}

/// Resolves every symlink of an existing path.
pub(crate) fn resolve(path: &str) -> Result<String, SettingsError> {
    let resolved = real_path(Path::new(path))
        .map_err(|e| SettingsError::file(path, format!("cannot be resolved: {e}")))?;
    Ok(text("a path", &resolved)?.to_owned())
}

/// Resolves every symlink of a directory's path; returns `None` if it is not an existing directory.
pub(crate) fn resolve_directory(path: &str) -> Result<Option<String>, SettingsError> {
    match real_directory(Path::new(path)) {
        Ok(resolved) => Ok(Some(text("a path", &resolved)?.to_owned())),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Err(denied(path)),
        Err(_) => Ok(None),
    }
}

/// Resolves the symlinks of the part of a path that exists.
pub(crate) fn resolve_missing(path: &str) -> Result<String, SettingsError> {
    if stat(path)?.is_some() {
        return resolve(path);
    }
    let missing = |path: &str| match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(_) => Err(SettingsError::file(path, "is a dangling symlink")),
    };
    missing(path)?;
    match path.rsplit_once('/') {
        Some((directory, name)) if !directory.is_empty() => {
            Ok(join(&resolve_missing(directory)?, name))
        }
        _ => Ok(path.to_owned()),
    }
}

/// Returns the path if it exists, else its nearest existing parent.
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
    fn a_path_is_resolved_as_far_as_it_exists() {
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
