//! Finds out which version of Portage a `portageq` belongs to. It reads files only, in microseconds, since every call
//! of an applet needs the answer.
//!
//! Python's rules for finding a module have many exceptions. So crossmerge checks every directory where this Python may
//! find Portage, and all of them have to contain the same version. Anything else is a [`SettingsError`], and
//! crossmerge asks portageq.

use super::{error::SettingsError, version::Version};
use crossmerge_plan::env::{self, Env};
use crossmerge_system::{
    file::{Identity, read, real_path},
    script::Script,
    search::find_program,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// An installed Portage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: Version,
    /// The directory of the package `portage` of each Python that may run it.
    pub packages: BTreeSet<PathBuf>,
}

/// The directories below a Python's prefix that contain its packages.
const LIBRARIES: [&str; 2] = ["lib", "lib64"];

/// The names of the package directory: Python's own and Debian's.
const SITES: [&str; 2] = ["site-packages", "dist-packages"];

/// Finds the Portage that a portageq starts.
///
/// # Errors
///
/// A [`SettingsError`] if the Portage is not found, has no release number, or if several versions may be started.
pub fn find(portageq: &Path, env: &Env) -> Result<Installed, SettingsError> {
    let unknown = |reason: &str| SettingsError {
        file: Some(portageq.to_owned()),
        ..SettingsError::query(format!("{reason}, so the version of Portage is unknown"))
    };
    if env.get(env::PYTHONHOME).is_some() {
        return Err(unknown("PYTHONHOME is set"));
    }
    let mut packages = BTreeMap::new();
    for script in scripts(portageq) {
        let python =
            Python::of(&script, env).ok_or_else(|| unknown("is not a script of a known Python"))?;
        packages.extend(python.packages(env));
    }
    let mut versions = BTreeSet::new();
    // `lib` and `lib64` may be one directory.
    let mut known = BTreeSet::new();
    for (package, identity) in &packages {
        let file = package.join("__init__.py");
        if !known.insert(identity) {
            continue;
        }
        let text = read::read_to_string(&file, read::SETTINGS).unwrap_or_default();
        let version = version_in(&text).ok_or_else(|| SettingsError {
            file: Some(file),
            ..SettingsError::query("does not state a release of Portage")
        })?;
        versions.insert(version);
    }
    match versions.into_iter().collect::<Vec<_>>().as_slice() {
        [version] => Ok(Installed {
            version: *version,
            packages: packages.into_keys().collect(),
        }),
        [] => Err(unknown("its Python has no Portage")),
        [one, .., other] => Err(unknown(&format!("may start Portage {one} or {other}"))),
    }
}

/// Returns the scripts that a portageq may run: itself, or one for each Python that Gentoo's python-exec can choose.
fn scripts(portageq: &Path) -> Vec<PathBuf> {
    let real = real_path(portageq).unwrap_or_default();
    let wrapper = real
        .file_name()
        .is_some_and(|name| name.as_bytes().starts_with(b"python-exec"));
    let directory = real.parent().filter(|_| wrapper);
    let Some(pythons) = directory.and_then(|directory| fs::read_dir(directory).ok()) else {
        return vec![portageq.to_owned()];
    };
    let scripts = pythons
        .flatten()
        .map(|python| python.path().join("portageq"));
    scripts.filter(|script| script.is_file()).collect()
}

/// A Python: the prefix that it is installed in, and the name of its directory in `lib`.
#[derive(Debug, PartialEq, Eq)]
struct Python {
    prefix: PathBuf,
    name: String,
    /// Whether it is a virtual environment, which has only its own packages.
    is_venv: bool,
}

impl Python {
    /// Returns the Python that a script's first line names; `None` if that is unknown.
    fn of(script: &Path, env: &Env) -> Option<Self> {
        let head = read::head(script, 512).ok()?;
        let Script {
            interpreter: program,
            argument,
        } = Script::of(&head)?;
        let interpreter = match program.file_name()?.as_bytes() {
            b"env" => {
                let words = argument?;
                let words = words.as_bytes().split(u8::is_ascii_whitespace);
                let python = { words }.find(|word| !word.is_empty())?;
                find_program(env, OsStr::from_bytes(python)).ok()?
            }
            // pip writes this line if the path of its Python is too long for the kernel's `#!`.
            b"sh" => {
                let line = head.split(|byte| *byte == b'\n').nth(1)?;
                let line = line.strip_prefix(b"'''exec' ")?;
                let path = match line.strip_prefix(b"\"") {
                    Some(quoted) => quoted.split(|byte| *byte == b'"').next()?,
                    None => line.split(|byte| *byte == b' ').next()?,
                };
                OsStr::from_bytes(path).into()
            }
            _ => program,
        };
        let above = |file: &Path| Some(file.parent()?.parent()?.to_owned());
        let own = above(&interpreter)?;
        let config = read::read_to_string(&own.join("pyvenv.cfg"), read::SETTINGS).ok();
        if config.as_deref().is_some_and(has_system_packages) {
            return None;
        }
        // An ordinary user may be able to read root's virtual environment but not the Python that created it.
        let named = config.as_deref().and_then(name_in);
        let real = real_path(&interpreter);
        let name = match &real {
            Ok(real) => real.file_name()?.to_str()?.to_owned(),
            Err(_) => named?,
        };
        let number = name.strip_prefix("python3.")?;
        let number = number.strip_suffix('t').unwrap_or(number);
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let is_venv = config.is_some();
        Some(Self {
            prefix: if is_venv { own } else { above(&real.ok()?)? },
            name,
            is_venv,
        })
    }

    /// Returns every package `portage` that this Python may import, with the identity of its `__init__.py`.
    fn packages(&self, env: &Env) -> Vec<(PathBuf, Identity)> {
        let mut places: Vec<PathBuf> = env
            .get(env::PYTHONPATH)
            .map(|path| std::env::split_paths(path).collect())
            .unwrap_or_default();
        let mut prefixes = vec![self.prefix.clone()];
        if !self.is_venv {
            prefixes.push("/usr/local".into());
            prefixes.extend(env.get(env::PYTHONUSERBASE).map(PathBuf::from));
            prefixes.extend(
                env.get(env::HOME)
                    .map(|home| Path::new(home).join(".local")),
            );
        }
        for library in prefixes
            .iter()
            .flat_map(|prefix| LIBRARIES.map(|name| prefix.join(name)))
        {
            for directory in [library.join(&self.name), library.join("python3")] {
                places.extend(SITES.map(|site| directory.join(site)));
            }
        }
        let packages = places.into_iter().map(|place| place.join("portage"));
        let with_identity = packages.filter_map(|package| {
            let metadata = package.join("__init__.py").metadata().ok()?;
            let is_file = metadata.is_file();
            is_file.then(|| (package, Identity::of(&metadata)))
        });
        with_identity.collect()
    }
}

/// Returns the name of a virtual environment's Python from the version in its `pyvenv.cfg`: `python3.11` for `version =
/// 3.11.7`.
fn name_in(config: &str) -> Option<String> {
    let pairs = config.lines().filter_map(|line| line.split_once('='));
    let mut versions = pairs.filter(|(key, _)| ["version", "version_info"].contains(&key.trim()));
    let (major, rest) = versions.next()?.1.trim().split_once('.')?;
    Some(format!("python{major}.{}", rest.split('.').next()?))
}

/// Returns whether a virtual environment also has the system's packages.
fn has_system_packages(config: &str) -> bool {
    let pairs = config.lines().filter_map(|line| line.split_once('='));
    let mut pairs = pairs.map(|(key, value)| (key.trim(), value.trim()));
    pairs.any(|(key, value)| {
        key.eq_ignore_ascii_case("include-system-site-packages")
            && !value.eq_ignore_ascii_case("false")
    })
}

/// Returns the one release that `portage/__init__.py` assigns to VERSION. A checkout, and a package that was not built,
/// has none.
fn version_in(text: &str) -> Option<Version> {
    const ASSIGNS: &str = "VERSION = ";
    let mut releases = text.match_indices(ASSIGNS).filter_map(|(at, _)| {
        let before = text[..at].rsplit('\n').next()?;
        let value = text[at + ASSIGNS.len()..].lines().next()?;
        let value = value
            .split('#')
            .next()
            .filter(|_| before.trim().is_empty())?
            .trim();
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c))?;
        value.trim_matches(quote).parse().ok()
    });
    let release = releases.next();
    releases.next().is_none().then_some(release).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_virtual_environment_names_its_python() {
        for (config, wanted) in [
            ("home = /usr/bin\nversion = 3.11.7\n", Some("python3.11")),
            ("version_info = 3.12.0.final.0\n", Some("python3.12")),
            ("home = /usr/bin\n", None),
            ("version = 3\n", None),
        ] {
            assert_eq!(name_in(config).as_deref(), wanted, "{config}");
        }
    }

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, text).expect(file);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect(file);
    }

    /// Returns what is found below a root. `@` in the arguments is replaced by the root.
    fn found(
        files: &[(&str, &str)],
        links: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<String, String> {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path().canonicalize().expect("a directory");
        let at = root.to_str().expect("UTF-8");
        for (file, text) in files {
            write(&root, file, &text.replace('@', at));
        }
        for (link, target) in links {
            let link = root.join(link);
            fs::create_dir_all(link.parent().expect("a directory")).expect("a directory");
            symlink(target.replace('@', at), link).expect("a symlink");
        }
        let env: Env = environment
            .iter()
            .map(|(name, value)| (*name, value.replace('@', at)))
            .collect();
        match find(&root.join("usr/bin/portageq"), &env) {
            Ok(installed) => Ok(installed.version.to_string()),
            Err(error) => Err(error.reason),
        }
    }

    const OLD: &str = "VERSION = '3.0.45'\nif VERSION == \"HEAD\":\n            VERSION = \"HEAD\"\n    VERSION = _LazyVersion()\n";
    const NEW: &str = "            VERSION = \"HEAD\"\n    VERSION = _LazyVersion()\nelse:\n    VERSION = \"3.0.69.3\"\n";
    const SYSTEM: &str = "#!@/usr/bin/python3.12\nimport portage\n";

    /// This is a table: one row for each case.
    #[test]
    fn the_version_is_found_however_portage_is_installed() {
        let python = ("usr/bin/python3.12", "");
        let package = ("usr/lib/python3.12/site-packages/portage/__init__.py", NEW);
        let script = ("usr/bin/portageq", SYSTEM);
        let wrapped = ("usr/lib/python-exec/python3.12/portageq", SYSTEM);
        let of_13 = "#!@/usr/bin/python3.13\n";
        let two: [(&str, &str); 6] = [
            python,
            package,
            wrapped,
            ("usr/bin/python3.13", ""),
            ("usr/lib/python-exec/python3.13/portageq", of_13),
            ("usr/lib/python-exec/python-exec2", ""),
        ];
        let exec = [("usr/bin/portageq", "../lib/python-exec/python-exec2")];
        let venv = [
            ("python/bin/python3.11", ""),
            (
                "usr/pyvenv.cfg",
                "home = /x\ninclude-system-site-packages = false\n",
            ),
            ("usr/lib/python3.11/site-packages/portage/__init__.py", OLD),
        ];
        let link = [("usr/bin/python3", "@/python/bin/python3.11")];
        let with = |files: &[(&'static str, &'static str)], more: (&'static str, &'static str)| {
            let mut files = files.to_vec();
            files.push(more);
            files
        };
        let of_13_has = |text| ("usr/lib/python3.13/site-packages/portage/__init__.py", text);
        let home = [("HOME", "@/home")];
        for (what, files, links, environment, wanted) in [
            (
                "plain",
                vec![python, package, script],
                &[][..],
                &[][..],
                Ok("3.0.69.3"),
            ),
            (
                "lib64",
                vec![
                    python,
                    script,
                    (
                        "usr/lib64/python3.12/site-packages/portage/__init__.py",
                        OLD,
                    ),
                ],
                &[],
                &[],
                Ok("3.0.45"),
            ),
            (
                "python-exec",
                with(&two, of_13_has(NEW)),
                &exec,
                &[],
                Ok("3.0.69.3"),
            ),
            (
                "two versions",
                with(&two, of_13_has(OLD)),
                &exec,
                &[],
                Err("may start Portage 3.0.45 or 3.0.69.3"),
            ),
            (
                "a venv",
                with(&venv, ("usr/bin/portageq", "#!@/usr/bin/python3\n")),
                &link,
                &[],
                Ok("3.0.45"),
            ),
            (
                "a long path",
                with(
                    &venv,
                    (
                        "usr/bin/portageq",
                        "#!/bin/sh\n'''exec' \"@/usr/bin/python3\" \"$0\" \"$@\"\n' '''\n",
                    ),
                ),
                &link,
                &[],
                Ok("3.0.45"),
            ),
            (
                "env",
                vec![
                    python,
                    package,
                    ("usr/bin/portageq", "#!/usr/bin/env python3\n"),
                ],
                &[("usr/bin/python3", "python3.12")],
                &[("PATH", "@/usr/bin")],
                Ok("3.0.69.3"),
            ),
            (
                "the user's own",
                with(
                    &[python, package, script],
                    (
                        "home/.local/lib/python3.12/site-packages/portage/__init__.py",
                        OLD,
                    ),
                ),
                &[],
                &home,
                Err("may start"),
            ),
            (
                "PYTHONPATH",
                with(&[python, package, script], ("x/portage/__init__.py", OLD)),
                &[],
                &[("PYTHONPATH", "@/x")],
                Err("may start"),
            ),
            (
                "PYTHONHOME",
                vec![python, package, script],
                &[],
                &[("PYTHONHOME", "@")],
                Err("PYTHONHOME is set"),
            ),
            (
                "no Portage",
                vec![python, script],
                &[],
                &[],
                Err("its Python has no Portage"),
            ),
            (
                "a checkout",
                vec![
                    python,
                    script,
                    (
                        "usr/lib/python3.12/site-packages/portage/__init__.py",
                        "VERSION = \"HEAD\"\n",
                    ),
                ],
                &[],
                &[],
                Err("does not state a release"),
            ),
            (
                "another program",
                vec![("usr/bin/portageq", "#!/bin/bash\n")],
                &[],
                &[],
                Err("is not a script"),
            ),
            (
                "a binary",
                vec![("usr/bin/portageq", "\u{7f}ELF")],
                &[],
                &[],
                Err("is not a script"),
            ),
        ] {
            let is = found(&files, links, environment);
            match wanted {
                Ok(version) => assert_eq!(is.as_deref(), Ok(version), "{what}"),
                Err(reason) => assert!(
                    is.as_ref().is_err_and(|is| is.contains(reason)),
                    "{what}: {is:?}"
                ),
            }
        }
    }
}
