//! `make docs`: the manual pages and the shells' completions, made of what the program knows of itself, and a look at the
//! documents' links.
//!
//! It is no part of the program, so that neither its size nor its start pays for it, and needs nothing but what the tests need.
//!
//! usage: docs DATE FOLDER    writes FOLDER/man and FOLDER/completions; DATE is what the pages bear, as 2026-01-31

pub(crate) mod applets;
mod completions;
pub(crate) mod links;
mod markdown;
mod pages;
mod roff;
mod values;

use std::{
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What a person reads when it did not work.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Names the file that a system call was about.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(Failure::io(path))
}

#[expect(clippy::print_stderr, reason = "it has nothing else to say it on")]
fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let made = match &args[..] {
        [date, folder] => make(&date.to_string_lossy(), Path::new(folder)),
        _ => Err(Failure("usage: docs DATE FOLDER".into())),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("docs: error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Makes everything below a folder. The tests do it by this too.
pub(crate) fn make(date: &str, folder: &Path) -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let broken = links::broken(root).map_err(Failure::io(root))?;
    if !broken.is_empty() {
        return Err(Failure(format!(
            "links that lead nowhere:\n{}",
            broken.join("\n")
        )));
    }
    let below = |folder: &'static str| {
        move |(place, text)| (Path::new(folder).join::<PathBuf>(place), text)
    };
    let pages = pages::pages(root, date)?.into_iter().map(below("man"));
    let completions = completions::files(root)?
        .into_iter()
        .map(below("completions"));
    let files: Vec<(PathBuf, String)> = pages.chain(completions).collect();
    // What an earlier version made is gone.
    for kind in ["man", "completions"] {
        match fs::remove_dir_all(folder.join(kind)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::io(&folder.join(kind))(e));
            }
            _ => {}
        }
    }
    for (place, text) in files {
        let path = folder.join(place);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(Failure::io(parent))?;
        fs::write(&path, text).map_err(Failure::io(&path))?;
    }
    Ok(())
}
