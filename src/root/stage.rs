//! What makes a root a stage: a system that builds packages itself, as Gentoo's stage3 archives contain it.

use super::error::RootError;
use crate::{context::Context, profile};
use crossmerge_plan::words::quote_line;
use crossmerge_system::file::{self, Directory};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// The directory of ebuild repositories in the stage.
const REPOSITORIES: &str = "var/db/repos";

/// The symlink to the profile.
const LINK: &str = "etc/portage/make.profile";

/// The repository that Portage knows without a configuration.
const GENTOO: &str = "gentoo";

/// The settings of the target that the stage keeps, so that it builds packages as they were built for it.
const SETTINGS: [&str; 7] = [
    "CHOST",
    "CFLAGS",
    "CXXFLAGS",
    "FCFLAGS",
    "FFLAGS",
    "ACCEPT_KEYWORDS",
    "ACCEPT_LICENSE",
];

/// The configuration of Portage in the stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Native {
    /// Directories without content: those of the ebuild repositories, which users sync.
    directories: Vec<PathBuf>,
    /// Files that no package installs. A file that exists in the root stays as it is.
    files: Vec<(PathBuf, String)>,
    /// The target of `etc/portage/make.profile`.
    profile: PathBuf,
}

impl Native {
    /// Derives the configuration from that of the target.
    pub(super) fn of(context: &Context) -> Result<Self, RootError> {
        let repositories = context.repositories()?.unwrap_or_default();
        let current = profile::current(&context.configroot());
        let found = current.as_deref().and_then(|directory| {
            repositories.all.iter().find_map(|repository| {
                let profiles = file::canonical(&repository.location).join("profiles");
                let inside = directory.strip_prefix(profiles).ok()?;
                Some((repository.name.as_str(), inside.to_owned()))
            })
        });
        let Some((repository, inside)) = found else {
            return Err(RootError::NoProfile {
                tuple: context.tuple.to_string(),
            });
        };
        let main = repositories.main.as_deref().unwrap_or(repository);
        let mut names = vec![main, repository];
        names.dedup();
        let settings = context.target_settings(&SETTINGS)?.unwrap_or_default();
        let mut conf =
            "# The settings with which `crossmerge stage` built the packages.\n".to_owned();
        for name in SETTINGS {
            if let Some(value) = settings.get(name).filter(|value| !value.is_empty()) {
                writeln!(conf, "{name}=\"{value}\"").expect("a String takes all text");
            }
        }
        let mut files = vec![("etc/portage/make.conf".into(), conf)];
        if names != [GENTOO] {
            let mut text = format!("[DEFAULT]\nmain-repo = {main}\n");
            for name in &names {
                write!(text, "\n[{name}]\nlocation = /{REPOSITORIES}/{name}\n")
                    .expect("a String takes all text");
            }
            files.push(("etc/portage/repos.conf/stage.conf".into(), text));
        }
        let profile = Path::new("../..").join(REPOSITORIES).join(repository);
        Ok(Self {
            directories: { names.iter() }
                .map(|name| Path::new(REPOSITORIES).join(name))
                .collect(),
            files,
            profile: profile.join("profiles").join(inside),
        })
    }

    /// Writes the configuration into a root.
    pub(super) fn write(&self, root: &Path) -> Result<(), RootError> {
        for directory in &self.directories {
            Directory::make(&root.join(directory), &mut Vec::new())?;
        }
        for (path, text) in &self.files {
            let path = root.join(path);
            let parent = path.parent().unwrap_or(root);
            Directory::make(parent, &mut Vec::new())?;
            if path.symlink_metadata().is_err() {
                file::replace_text(&path, text)?;
            }
        }
        let link = root.join(LINK);
        let (etc, name) = Directory::of(&link, &mut Vec::new())?;
        if etc.stat(name)?.is_none() {
            etc.link(name, &self.profile)?;
        }
        Ok(())
    }

    /// Renders the writes as shell commands.
    pub(super) fn to_shell(&self, root: &Path) -> String {
        let quoted = |path: &Path| quote_line(root.join(path).as_os_str());
        let directories = self.directories.iter();
        let mut text: String = directories
            .map(|path| format!("install -d {}\n", quoted(path)))
            .collect();
        for (path, content) in &self.files {
            let path = quoted(path);
            write!(text, "install -D /dev/stdin {path} <<'END'\n{content}END\n")
                .expect("a String takes all text");
        }
        let profile = quote_line(self.profile.as_os_str());
        text + &format!("ln -s {profile} {}\n", quoted(Path::new(LINK)))
    }

    /// Returns the content of the files, for comparison with an earlier run.
    pub(super) fn inputs(&self) -> String {
        let texts: String = { self.files.iter() }
            .map(|(_, text)| text.as_str())
            .collect();
        format!("{texts}{}", self.profile.display())
    }
}
