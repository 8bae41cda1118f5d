//! The settings of a Portage that will run in a root, as far as mounting something for it goes: where it looks for sources and for
//! repositories. The root may be anybody's, so paths are looked up as from inside, and all that is read of it has one sum.

use super::{
    ini::{self, Ini, IniOptions},
    make_conf::{self, ReadMode},
    refusal::Refusal,
    text::{self, SettingsFiles},
    variables::Vars,
};
use crossmerge_system::file::Tree;
use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

/// Where a Portage without settings looks for sources.
const DISTFILES: &str = "/var/cache/distfiles";

/// What a line of repos.conf counts besides its bytes: a section without options takes memory too.
const LINE: usize = 32;

/// The files of one root.
#[derive(Debug)]
pub struct InRoot {
    root: Rc<Tree>,
    files: SettingsFiles,
}

impl InRoot {
    /// The settings of the root behind an open tree.
    pub fn of(root: Rc<Tree>) -> Self {
        Self {
            files: SettingsFiles::in_root(Rc::clone(&root)),
            root,
        }
    }

    /// The text of a file by its path inside; `None` if there is none. What is no file, or one too many, is a refusal.
    pub fn text(&self, path: &str) -> Result<Option<Rc<str>>, Refusal> {
        self.files
            .read(path)
            .map_err(|refusal| self.outside(refusal))
    }

    /// Where Portage looks for sources: its make.globals, then its make.conf, as far as they can be read.
    pub fn distdir(&self) -> Result<PathBuf, Refusal> {
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

    /// The name and place of each repository in repos.conf; none if it cannot be understood.
    pub fn repositories(&self) -> Result<Vec<(String, String)>, Refusal> {
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
                    return Err(self.outside(Refusal::file(&file, why)));
                }
                texts.push(text);
            }
        }
        Ok(places_in(&texts))
    }

    /// Goes on without what Portage reads and crossmerge does not understand. What nobody would come to an end with stays an error.
    fn as_far_as_it_can<T>(&self, read: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
        match read {
            Err(refusal) if refusal.is_final => Err(self.outside(refusal)),
            read => Ok(read.ok()),
        }
    }

    /// The same with the path of the host.
    fn outside(&self, refusal: Refusal) -> Refusal {
        let outside = |file: PathBuf| {
            let inside = file.strip_prefix("/").map(Path::to_owned);
            self.root.path().join(inside.unwrap_or(file))
        };
        Refusal {
            file: refusal.file.map(outside),
            ..refusal
        }
    }
}

/// The name and place of each repository in the texts of a repos.conf, of which the later one wins; none where one of them cannot
/// be understood.
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
