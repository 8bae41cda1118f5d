//! The few settings of a Portage inside a root that decide what to mount for it: the directories of its distfiles and
//! repositories. Another user may own the root, so paths are looked up as from inside it, and one limit applies to
//! everything that is read.

use super::{
    error::SettingsError,
    ini::{self, Ini, IniOptions},
    make_conf::{self, ReadMode},
    text::{self, SettingsFiles},
    variables::Vars,
};
use crossmerge_system::file::Tree;
use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

/// Portage's default for DISTDIR.
const DISTFILES: &str = "/var/cache/distfiles";

/// The cost of a line of repos.conf in addition to its bytes: a section without options takes memory too.
const LINE: usize = 32;

/// The files of one root.
#[derive(Debug)]
pub struct InRoot {
    root: Rc<Tree>,
    files: SettingsFiles,
}

impl InRoot {
    /// Returns the files of the root that an open tree contains.
    pub fn of(root: Rc<Tree>) -> Self {
        Self {
            files: SettingsFiles::in_root(Rc::clone(&root)),
            root,
        }
    }

    /// Returns the text of a file by its path inside the root; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// A [`SettingsError`] if the path is not a regular file, or if the file exceeds the limit.
    pub fn text(&self, path: &str) -> Result<Option<Rc<str>>, SettingsError> {
        self.files.read(path).map_err(|error| self.outside(error))
    }

    /// Returns DISTDIR from make.globals and make.conf, as far as they can be read.
    ///
    /// # Errors
    ///
    /// A final [`SettingsError`]: Portage could not read the files either.
    pub fn distdir(&self) -> Result<PathBuf, SettingsError> {
        let mut place = PathBuf::from(DISTFILES);
        for (file, reading) in [
            ("/usr/share/portage/config/make.globals", ReadMode::File),
            ("/etc/portage/make.conf", ReadMode::Sourcing),
        ] {
            let mut variables = Vars::new();
            let read = make_conf::read(&self.files, file, reading, &mut variables);
            let set = self.as_far_as_it_can(read)?.flatten();
            let set = set.and_then(|mut set| set.remove("DISTDIR"));
            place = set
                .map(PathBuf::from)
                .filter(|set| set.is_absolute())
                .unwrap_or(place);
        }
        Ok(place)
    }

    /// Returns the name and directory of each repository in repos.conf; no repositories if it is not understood.
    ///
    /// # Errors
    ///
    /// A final [`SettingsError`], or one for a repos.conf that is too long.
    pub fn repositories(&self) -> Result<Vec<(String, String)>, SettingsError> {
        let mut texts = Vec::new();
        let mut length = 0;
        for path in [
            "/usr/share/portage/config/repos.conf",
            "/etc/portage/repos.conf",
        ] {
            let files = text::recursive_files(&self.files, path);
            for file in self.as_far_as_it_can(files)?.into_iter().flatten() {
                let text = self.as_far_as_it_can(self.files.read(&file))?.flatten();
                let Some(text) = text else { continue };
                length += text.len() + LINE * text.lines().count();
                if length > ini::MOST {
                    let why = format!("makes repos.conf longer than {} bytes", ini::MOST);
                    return Err(self.outside(SettingsError::file(&file, why)));
                }
                texts.push(text);
            }
        }
        Ok(places_in(&texts))
    }

    /// Turns an error into `None`: a file that crossmerge does not understand has no effect on the mounts. A final
    /// error stays an error, because Portage could not read the file either.
    fn as_far_as_it_can<T>(
        &self,
        read: Result<T, SettingsError>,
    ) -> Result<Option<T>, SettingsError> {
        match read {
            Err(error) if error.is_final => Err(self.outside(error)),
            read => Ok(read.ok()),
        }
    }

    /// Replaces the path inside the root by the host's path.
    fn outside(&self, error: SettingsError) -> SettingsError {
        let outside = |file: PathBuf| {
            let inside = file.strip_prefix("/").map(Path::to_owned);
            self.root.path().join(inside.unwrap_or(file))
        };
        SettingsError {
            file: error.file.map(outside),
            ..error
        }
    }
}

/// Returns the name and directory of each repository in the texts of a repos.conf, in which later texts override
/// earlier ones; no repositories if one of the texts is not understood.
pub(super) fn places_in(texts: &[impl AsRef<str>]) -> Vec<(String, String)> {
    let mut all = Ini::default();
    let mut texts = texts.iter().map(AsRef::as_ref);
    if texts.any(|text| all.read("repos.conf", text).is_err()) {
        return Vec::new();
    }
    let place = |(name, options): &(String, IniOptions)| {
        let location = options.iter().rev().find(|(key, _)| key == "location");
        location.map(|(_, place)| (name.clone(), place.trim().to_owned()))
    };
    all.sections.iter().filter_map(place).collect()
}
