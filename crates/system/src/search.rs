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
    candidates(env, name).any(|path| path.is_file() && is_executable(&path))
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
    for candidate in candidates(env, name) {
        let metadata = candidate.metadata();
        if !metadata.is_ok_and(|metadata| metadata.is_file() && may_be(&candidate, &metadata)) {
            continue;
        }
        if is_executable(&candidate) {
            warn_of_relative(name, &candidate);
            return Ok(std::path::absolute(&candidate).unwrap_or(candidate));
        }
        not_executable.get_or_insert(candidate);
    }
    Err(match not_executable {
        Some(path) => SearchError::NotExecutable { path },
        None => SearchError::NoTool {
            program: name.to_string_lossy().into_owned(),
        },
    })
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
    let path = env.get(env::PATH).unwrap_or(OsStr::new(DEFAULT_PATH));
    // An empty entry is the current directory.
    let directory = |entry: PathBuf| match entry.as_os_str().is_empty() {
        true => ".".into(),
        false => entry,
    };
    std::env::split_paths(path).map(directory).collect()
}

fn candidates(env: &Env, name: &OsStr) -> impl Iterator<Item = PathBuf> {
    let (named, directories) = match name.as_bytes().contains(&b'/') {
        true => (Some(name.into()), Vec::new()),
        false => (None, path(env)),
    };
    let in_path = directories
        .into_iter()
        .map(move |directory| directory.join(name));
    named.into_iter().chain(in_path)
}
