//! What a root is to contain, and where it is.

use super::{error::RootError, stage::Native};
use crate::context::Context;
use crossmerge_system::file::{read, without_dots};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The paths that only a build needs: headers, static libraries and the files by which builds find them; and documents.
const MASK: [&str; 12] = [
    "/usr/include",
    "/usr/lib*/*.a",
    "/usr/lib*/*.la",
    "/usr/lib*/*.o",
    "/usr/lib*/pkgconfig",
    "/usr/lib*/cmake",
    "/usr/share/pkgconfig",
    "/usr/share/aclocal",
    "/usr/share/doc",
    "/usr/share/man",
    "/usr/share/info",
    "/usr/share/gtk-doc",
];

/// What a root is to contain.
#[derive(Debug, Clone)]
pub(crate) struct RootRequest {
    pub(super) places: Places,
    /// Packages and sets, as emerge takes them.
    pub(super) packages: Vec<String>,
    /// The words of INSTALL_MASK.
    pub(super) mask: Vec<String>,
    /// Globs of leftovers that stay.
    pub(super) keep: Vec<String>,
    pub(super) hooks: Option<PathBuf>,
    pub(super) kernel: Option<PathBuf>,
    /// Locales that are compiled.
    pub(super) locales: Vec<Locale>,
    /// The configuration of Portage in the root, if it is a stage.
    pub(super) native: Option<Native>,
}

/// A locale: `de_DE.UTF-8`, `ca_ES.UTF-8@valencia`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Locale {
    name: String,
    /// The locale's source, without its directory.
    source: String,
    charset: String,
}

impl Locale {
    fn parse(name: &str) -> Result<Self, RootError> {
        let wrong = || RootError::BadLocale(name.into());
        let (language, rest) = name.split_once('.').ok_or_else(wrong)?;
        let (charset, modifier) = match rest.split_once('@') {
            Some((charset, modifier)) => (charset, format!("@{modifier}")),
            None => (rest, String::new()),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
        if language.is_empty() || charset.is_empty() || !name.chars().all(is_plain) {
            return Err(wrong());
        }
        Ok(Self {
            source: format!("{language}{modifier}"),
            charset: charset.into(),
            name: name.into(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the arguments of localedef(1) that compile it.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        ["-i", &self.source, "-f", &self.charset, &self.name]
            .map(OsString::from)
            .into()
    }
}

/// The paths of a root that is built. All of them are in one directory, so that renames suffice.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The root.
    pub(super) root: PathBuf,
    /// The new root, until it replaces the other one.
    pub(super) new: PathBuf,
    /// The directory of the record, the lock, the logs, and the old root before it is removed.
    pub(super) work: PathBuf,
}

impl Places {
    /// Returns the paths that belong to a root.
    pub(super) fn of(root: &Path) -> Result<Self, RootError> {
        let absolute = without_dots(&std::path::absolute(root)?);
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(RootError::HostRoot { root: root.into() });
        };
        let with = |before: &str, after: &str| {
            let mut new = OsString::from(before);
            new.push(name);
            new.push(after);
            parent.join(new)
        };
        Ok(Self {
            new: with("", ".new"),
            work: with(".", ".crossmerge-root"),
            root: absolute,
        })
    }

    /// Returns the path of the record.
    pub(super) fn record(&self) -> PathBuf {
        self.work.join("record.toml")
    }

    /// Returns the path of a step's log.
    pub(super) fn log(&self, step: &str) -> PathBuf {
        self.work.join(format!("{step}.log"))
    }

    /// Returns the path to which the old root is moved before it is removed.
    pub(super) fn old(&self) -> PathBuf {
        self.work.join("old")
    }
}

impl RootRequest {
    /// Combines the arguments with the target's configuration, whose packages count if the arguments name none.
    pub(crate) fn of(
        context: &Context,
        root: &Path,
        mut packages: Vec<String>,
        file: Option<&Path>,
        sets: Vec<String>,
    ) -> Result<Self, RootError> {
        let places = Places::of(root)?;
        if context.config.is_own_root(&places.root) {
            return Err(RootError::HostRoot { root: root.into() });
        }
        if let Some(file) = file {
            let text = read::read_to_string(file, read::CONFIGURATION)?;
            let lines = text
                .lines()
                .map(|line| line.split('#').next().unwrap_or_default());
            packages.extend(lines.flat_map(str::split_whitespace).map(str::to_owned));
        }
        packages.extend(sets.into_iter().map(|set| match set.starts_with('@') {
            true => set,
            false => format!("@{set}"),
        }));
        let settings = &context.settings;
        if packages.is_empty() {
            packages.clone_from(&settings.root.packages);
        }
        if packages.is_empty() {
            return Err(RootError::NoPackages {
                file: context.config.target_file(&context.tuple),
            });
        }
        if let Some(option) = packages.iter().find(|package| package.starts_with('-')) {
            return Err(RootError::NotAPackage(option.clone()));
        }
        let own = || MASK.map(str::to_owned).to_vec();
        let mut mask = settings.root.mask.clone().unwrap_or_else(own);
        // INSTALL_MASK of the environment would replace that of the target's make.conf.
        let portage = context.target_settings(&["INSTALL_MASK"])?;
        let portage = portage.and_then(|mut settings| settings.remove("INSTALL_MASK"));
        mask.extend(
            portage
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned),
        );
        Ok(Self {
            places,
            packages,
            mask,
            keep: settings.root.keep.clone(),
            hooks: settings.root.hooks.clone(),
            kernel: settings.kernel.tree.clone(),
            locales: { settings.root.locales.iter() }
                .map(|name| Locale::parse(name))
                .collect::<Result<_, _>>()?,
            native: None,
        })
    }

    /// Returns the request for a stage: the packages of a system, all of their files, and a configuration of Portage.
    pub(crate) fn of_stage(
        context: &Context,
        root: &Path,
        packages: Vec<String>,
    ) -> Result<Self, RootError> {
        let all = [vec!["@system".into()], packages].concat();
        let request = Self::of(context, root, all, None, Vec::new())?;
        Ok(Self {
            mask: Vec::new(),
            kernel: None,
            native: Some(Native::of(context)?),
            ..request
        })
    }

    /// Returns whether a run of [`build`](super::build) would go on with a new root.
    pub(crate) fn has_begun(&self) -> bool {
        self.places.new.is_dir()
    }

    /// Returns the hook of a step, if the directory of hooks has one.
    pub(super) fn hook(&self, when: &str, step: &str) -> Option<PathBuf> {
        let path = self.hooks.as_ref()?.join(format!("{when}-{step}"));
        path.is_file().then_some(path)
    }

    /// Returns everything on which the result depends, for comparison with an earlier run.
    pub(super) fn inputs(&self) -> Vec<String> {
        let words = |name: &str, words: &[String]| format!("{name} {}", words.join(" "));
        let path = |name: &str, path: &Option<PathBuf>| {
            let path = path.as_deref().unwrap_or(Path::new(""));
            format!("{name} {}", path.display())
        };
        vec![
            words("packages", &self.packages),
            words("mask", &self.mask),
            words("keep", &self.keep),
            path("hooks", &self.hooks),
            path("kernel", &self.kernel),
            words(
                "locales",
                &self
                    .locales
                    .iter()
                    .map(|it| it.name.clone())
                    .collect::<Vec<_>>(),
            ),
            self.native.as_ref().map(Native::inputs).unwrap_or_default(),
        ]
    }
}

/// Returns the last name of a path, for messages.
pub(super) fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}
