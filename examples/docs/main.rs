//! `make docs`: generates the manual pages and the shells' completions from the program's own description of its commands, and checks
//! the documents' links.
//!
//! It is not part of the program, so that it adds neither to its size nor to its start time. Its dependencies are those of the tests.
//!
//! usage: docs DATE DIRECTORY    writes DIRECTORY/man and DIRECTORY/completions; DATE is the date of the pages, such as 2026-01-31

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

/// The error message for the user.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Prepends the path of the file to the error of a system call.
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

#[expect(
    clippy::print_stderr,
    reason = "a program reports its errors on stderr"
)]
fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let made = match &args[..] {
        [date, directory] => make(&date.to_string_lossy(), Path::new(directory)),
        _ => Err(Failure("usage: docs DATE DIRECTORY".into())),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("docs: error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Writes all files below a directory. The tests call it too.
pub(crate) fn make(date: &str, directory: &Path) -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let broken = links::broken(root).map_err(Failure::io(root))?;
    if !broken.is_empty() {
        return Err(Failure(format!("broken links:\n{}", broken.join("\n"))));
    }
    let below = |directory: &'static str| {
        move |(place, text)| (Path::new(directory).join::<PathBuf>(place), text)
    };
    let pages = pages::pages(root, date)?.into_iter().map(below("man"));
    let completions = completions::files(root)?
        .into_iter()
        .map(below("completions"));
    let files: Vec<(PathBuf, String)> = pages.chain(completions).collect();
    // An earlier version may have made files that this one does not.
    for kind in ["man", "completions"] {
        match fs::remove_dir_all(directory.join(kind)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::io(&directory.join(kind))(e));
            }
            _ => {}
        }
    }
    for (place, text) in files {
        let path = directory.join(place);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(Failure::io(parent))?;
        fs::write(&path, text).map_err(Failure::io(&path))?;
    }
    Ok(())
}
