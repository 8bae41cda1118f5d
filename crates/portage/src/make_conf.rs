//! Reads files of assignments: make.conf, make.globals, make.defaults and profile.env.
//!
//! Portage reads them leniently: after a line that it does not understand, it keeps the assignments so far and ignores
//! the rest of the file. crossmerge does the same. It refuses a file on which Portage itself fails, such as one with a
//! quote that is not closed.

use super::{
    error::SettingsError,
    shlex::Shlex,
    text::{self, SettingsFiles},
    variables::Vars,
};

/// The way in which a file of assignments is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadMode {
    /// One file, with expansion: make.globals, and make.defaults if directories are not allowed.
    File,
    /// A file or a directory of files, with expansion: make.defaults.
    Recursive,
    /// A file or a directory of files, with expansion and `source`: make.conf.
    Sourcing,
    /// One file, with expansion and `source`: the files of `env`.
    OneSourcing,
}

/// Reads assignments. Each value is expanded with `variables` and then added to them. Returns `None` if there is no
/// file.
pub(crate) fn read(
    files: &SettingsFiles,
    path: &str,
    reading: ReadMode,
    variables: &mut Vars,
) -> Result<Option<Vars>, SettingsError> {
    let paths = match reading {
        ReadMode::File | ReadMode::OneSourcing => vec![path.to_owned()],
        ReadMode::Recursive | ReadMode::Sourcing => text::recursive_files(files, path)?,
    };
    let mut all = None;
    for path in paths {
        if let Some(text) = read_text(files, &path)? {
            files.spend(&path, text.len())?;
            let sourcing = matches!(reading, ReadMode::Sourcing | ReadMode::OneSourcing);
            let mut shlex = Shlex::new(files, &path, text, sourcing);
            assignments(&mut shlex, variables, all.get_or_insert_default(), true)?;
        } else if matches!(reading, ReadMode::Recursive | ReadMode::Sourcing) {
            all.get_or_insert_default();
        }
    }
    Ok(all)
}

/// Reads assignments without expansion: profile.env.
pub(crate) fn read_raw(files: &SettingsFiles, path: &str) -> Result<Vars, SettingsError> {
    let mut all = Vars::new();
    if let Some(text) = read_text(files, path)? {
        let mut shlex = Shlex::new(files, path, text, false);
        assignments(&mut shlex, &mut Vars::new(), &mut all, false)?;
    }
    Ok(all)
}

/// Returns the text of one file; `None` if it is a directory.
fn read_text(files: &SettingsFiles, path: &str) -> Result<Option<std::rc::Rc<str>>, SettingsError> {
    match files.read(path) {
        Err(_) if files.is_dir(path) => Ok(None),
        text => text,
    }
}

pub(super) fn assignments(
    shlex: &mut Shlex,
    variables: &mut Vars,
    all: &mut Vars,
    expand: bool,
) -> Result<(), SettingsError> {
    loop {
        let mut name = shlex.token(variables)?;
        if name.as_deref() == Some("export") {
            name = shlex.token(variables)?;
        }
        let Some(name) = name else {
            return Ok(());
        };
        if shlex.token(variables)?.as_deref() != Some("=") {
            return Ok(());
        }
        let Some(value) = shlex.token(variables)? else {
            return Ok(());
        };
        // Names with characters outside ASCII are kept without a check. No query or reference can name them.
        if name.starts_with(|c: char| c.is_ascii_digit())
            || name.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_')
        {
            continue;
        }
        let value = match expand {
            true => {
                super::varexpand::varexpand(&value, variables).ok_or_else(|| shlex.too_long())?
            }
            false => value,
        };
        shlex.spend(value.len())?;
        if expand {
            variables.insert(name.clone(), value.clone());
        }
        all.insert(name, value);
    }
}
