//! The search for programs in PATH.

use crate::{
    file::{Identity, is_executable},
    user,
};
use crossmerge_plan::{
    env::{self, Env},
    report,
};
use std::{
    ffi::OsStr,
    fs::{Metadata, read_link},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Once,
};

/// The search path if PATH is not set.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The initial size of the buffer for a path, in bytes.
const LONG: usize = 256;

/// Why a program was not found.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// No directory of PATH has the program, apart from crossmerge's own commands.
    #[error("the real tool `{program}` was not found in PATH")]
    NoTool {
        /// The program.
        program: String,
    },
    /// A file of that name exists and is not executable.
    #[error("`{path}` exists and is not executable", path = .path.display())]
    NotExecutable {
        /// The first such file.
        path: PathBuf,
    },
}

impl SearchError {
    /// Returns the exit code: 127 for a program that does not exist, 126 for one that is not executable.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoTool { .. } => report::NOT_FOUND,
            Self::NotExecutable { .. } => report::NOT_EXECUTABLE,
        }
    }
}

/// Finds a real tool in PATH and returns its absolute path. Skips crossmerge under any name, so that it never starts
/// itself.
///
/// # Errors
///
/// A [`SearchError`] if PATH contains no such program, or only files that are not executable.
pub fn find_program(env: &Env, name: &OsStr) -> Result<PathBuf, SearchError> {
    let own = Identity::own().ok();
    search(env, name, |candidate, metadata| {
        Some(Identity::of(metadata)) != own && !is_link_of_another(candidate)
    })
}

/// Finds a command that the user named and returns its absolute path. It may be this program under another name.
///
/// # Errors
///
/// As for [`find_program`].
pub fn find_command(env: &Env, name: &OsStr) -> Result<PathBuf, SearchError> {
    search(env, name, |_, _| true)
}

/// Returns whether a shell would find the command in the environment's PATH.
pub fn has_command(env: &Env, name: &OsStr) -> bool {
    find_candidate(env, name, |path| path.is_file() && is_executable(path)).is_some()
}

/// Returns whether a command is a symlink of another installation of crossmerge, such as one in `~/.local` beside one
/// in `/usr/local`. Two installations that took each other for the real tool would start each other for ever.
pub fn is_link_of_another(command: &Path) -> bool {
    let target = read_link(command);
    target.is_ok_and(|target| target.file_name() == Some(OsStr::new("crossmerge")))
}

fn search(
    env: &Env,
    name: &OsStr,
    may_be: impl Fn(&Path, &Metadata) -> bool,
) -> Result<PathBuf, SearchError> {
    let mut not_executable = None;
    let found = find_candidate(env, name, |candidate| {
        let metadata = candidate.metadata();
        if !metadata.is_ok_and(|metadata| metadata.is_file() && may_be(candidate, &metadata)) {
            return false;
        }
        let is_found = is_executable(candidate);
        if !is_found {
            not_executable.get_or_insert_with(|| candidate.to_owned());
        }
        is_found
    });
    if let Some(found) = found {
        warn_of_relative(name, &found);
        return Ok(match is_normal(&found) {
            true => found,
            false => std::path::absolute(&found).unwrap_or(found),
        });
    }
    Err(match not_executable {
        Some(path) => SearchError::NotExecutable { path },
        None => SearchError::NoTool {
            program: name.to_string_lossy().into_owned(),
        },
    })
}

/// Returns whether a path is absolute and `std::path::absolute`, which copies it by components, would not change it.
fn is_normal(path: &Path) -> bool {
    let mut pairs = path.as_os_str().as_bytes().windows(2);
    path.is_absolute() && !pairs.any(|pair| matches!(pair, b"//" | b"/."))
}

/// Warns root, once, if a program was found by a relative entry of PATH, which depends on the working directory. There
/// is no warning for a name with a `/`, because the user chose the path.
fn warn_of_relative(name: &OsStr, found: &Path) {
    static WARNED: Once = Once::new();
    let has_slash = name.as_bytes().contains(&b'/');
    if found.is_absolute() || has_slash || !user::acts_for_system() {
        return;
    }
    WARNED.call_once(|| {
        let name = name.display();
        report::note(&format!(
            "warning: `{name}` is run as root from the current directory, because PATH has an empty or relative entry; to fix it: remove \
             such entries from PATH"
        ));
    });
}

/// Returns the directories of an environment's PATH.
pub fn path(env: &Env) -> Vec<PathBuf> {
    entries(env).map(PathBuf::from).collect()
}

/// Returns the entries of an environment's PATH, with `.` for an empty one, which means the current directory.
fn entries(env: &Env) -> impl Iterator<Item = &OsStr> {
    let path = env.get(env::PATH).unwrap_or(OsStr::new(DEFAULT_PATH));
    let entries = path.as_bytes().split(|byte| *byte == b':');
    entries.map(|entry| match entry {
        [] => OsStr::new("."),
        entry => OsStr::from_bytes(entry),
    })
}

/// Returns the first path that a name may mean and for which the function returns true: the name itself if it has a
/// `/`, otherwise one in each directory of PATH. The paths share one buffer, because most of them do not exist.
fn find_candidate(
    env: &Env,
    name: &OsStr,
    mut is_it: impl FnMut(&Path) -> bool,
) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return is_it(Path::new(name)).then(|| name.into());
    }
    let mut candidate = PathBuf::with_capacity(LONG);
    let found = entries(env).any(|directory| {
        candidate.as_mut_os_string().clear();
        candidate.as_mut_os_string().push(directory);
        candidate.push(name);
        is_it(&candidate)
    });
    found.then_some(candidate)
}
