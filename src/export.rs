//! `export`: what each build system is told about a target, as the file that it reads.
//!
//! The facts are looked up once ([`Facts`]); each format is a pure function of them. The applets of the build systems
//! use the same formats and tables, so that a project that keeps an exported file builds as `<tuple>-cmake` does.

mod cargo;
mod cmake;
mod compiler_files;
mod facts;
pub(crate) mod go;
mod json;
mod meson;
mod shell;
pub(crate) mod tools;

pub(crate) use cargo::Cargo;
pub(crate) use compiler_files::{Gcc, of_clang};
pub(crate) use facts::FLAGS;
pub use facts::{Clang, Facts, Flags};
pub(crate) use shell::build_names;
pub use tools::{Asked, Tool};

use crate::{
    context::{Context, ContextError},
    file::{self, read},
    report,
    words::quote,
};
use clap::ValueEnum;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A toolchain file of CMake
    Cmake,
    /// A cross file of Meson
    Meson,
    /// A native file of Meson: the build machine's compilers
    MesonNative,
    /// Cargo's .cargo/config.toml
    Cargo,
    /// A file for GOENV
    Go,
    /// A shell's environment, for eval
    Env,
    /// The facts themselves
    Json,
}

/// Why there is no such file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A look at the system failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// Nothing to compile with.
    #[error(
        "there is no compiler for `{tuple}`: neither `{tuple}-gcc` nor `{tuple}-clang` is in PATH"
    )]
    NoCompiler {
        /// The tuple.
        tuple: String,
        /// The prefix of a toolchain that may be the target's; none where none was seen.
        toolchain: Option<String>,
    },
    /// The build system has no name for the target.
    #[error("`{tuple}` has no {what}, as far as is known")]
    NoName {
        /// The tuple.
        tuple: String,
        /// What is missing.
        what: &'static str,
        /// The key in `profiles/`; none where it cannot be taught.
        key: Option<&'static str>,
        /// The folder of a person's own profiles.
        folder: String,
    },
    /// A variable of the caller's would turn the build into one for another machine.
    #[error("{message}")]
    Overridden {
        /// The variable.
        name: &'static str,
        /// The variable, its value, and for which machine it builds.
        message: String,
    },
    /// A value that the file's form cannot hold.
    #[error("{value:?} cannot stand in {file}: {reason}")]
    Unwritable {
        /// The value.
        value: PathBuf,
        /// The kind of file.
        file: &'static str,
        /// What is wrong with the value.
        reason: &'static str,
    },
    /// A file of somebody's is in the way.
    #[error("`{path}` is there, and was not made by `crossmerge {command}`", path = .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The command that would have made it.
        command: String,
    },
    /// A folder is in the way.
    #[error("`{path}` is a folder", path = .path.display())]
    IsAFolder {
        /// The folder.
        path: PathBuf,
        /// What the file could be called.
        name: &'static str,
    },
    /// A device or a pipe is in the way.
    #[error("`{path}` is no regular file, and is not replaced by one", path = .0.display())]
    NotAFile(PathBuf),
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl ExportError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Context(e) => e.hint(),
            Self::NoCompiler { tuple, toolchain } => {
                let prefix = toolchain.as_deref().unwrap_or("PREFIX");
                format!("adopt a toolchain with `crossmerge init {tuple} --toolchain {prefix}`")
            }
            Self::NoName {
                key: Some(key),
                folder,
                ..
            } => format!(
                "if there is one, teach it: `{key}` in a file of yours in `{folder}`; profiles/README.md has the form"
            ),
            Self::NoName { tuple, .. } => {
                format!("`{tuple}-env` and make build for any system")
            }
            Self::Overridden { name, .. } => format!("`unset {name}`"),
            Self::Unwritable { .. } => "choose a place whose name is plain text".into(),
            Self::NotOurs { path, command } => format!(
                "`crossmerge {command} --force {}` replaces it",
                quote(path.as_os_str())
            ),
            Self::IsAFolder { path, name } => {
                let file = path.join(name);
                format!("name the file: {}", quote(file.as_os_str()))
            }
            Self::NotAFile(_) => "name another place, or none, and the text is printed".into(),
            Self::File(e) => {
                file::hint(e).unwrap_or_else(|| "look at the permissions of its folder".into())
            }
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Context(e) => e.exit_code(),
            _ => report::OWN_FAILURE,
        }
    }
}

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("no format is hidden");
        value.get_name().to_owned()
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    /// What the file is called where an applet keeps it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Cmake => "toolchain.cmake",
            Self::Meson => "cross.ini",
            Self::MesonNative => "native.ini",
            Self::Cargo => "config.toml",
            Self::Go => "go.env",
            Self::Env => "environment.sh",
            Self::Json => "facts.json",
        }
    }

    /// Tells whether the file says what runs the target's programs.
    fn has_emulator(self) -> bool {
        matches!(self, Self::Cmake | Self::Meson | Self::Cargo | Self::Json)
    }

    /// The file's text, from the facts alone.
    pub fn render(self, facts: &Facts) -> Result<String, ExportError> {
        let body = match self {
            Self::Cmake => cmake::render(facts)?,
            Self::Meson => meson::cross(facts)?,
            Self::MesonNative => meson::native(facts)?,
            Self::Cargo => cargo::render(facts)?,
            Self::Go => go::render(facts)?,
            Self::Env => shell::render(facts, &facts.environment)?,
            Self::Json => return Ok(json::render(facts, &self.command(&facts.target.tuple))),
        };
        Ok(format!("{}\n{body}", self.first_line(&facts.target.tuple)))
    }

    /// The arguments that make the file.
    fn command(self, tuple: &str) -> String {
        format!("export {tuple} {}", self.name())
    }

    /// The line by which a file of ours is known.
    fn first_line(self, tuple: &str) -> String {
        let command = self.command(tuple);
        match self {
            Self::Json => json::first_line(&command),
            _ => format!(
                "# Made by `crossmerge {command}`, which replaces this file when it runs again."
            ),
        }
    }

    /// Checks that what is at a path may be replaced: nothing, or what an export of the same made.
    pub fn check_ours(self, path: &Path, tuple: &str) -> Result<(), ExportError> {
        if path.is_dir() {
            return Err(ExportError::IsAFolder {
                path: path.into(),
                name: self.file_name(),
            });
        }
        if path.exists() && !path.is_file() {
            return Err(ExportError::NotAFile(path.into()));
        }
        let wanted = self.first_line(tuple) + "\n";
        let first = match read::head(path, wanted.len() as u64) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            first => first?,
        };
        match first == wanted.as_bytes() {
            true => Ok(()),
            false => Err(ExportError::NotOurs {
                path: path.into(),
                command: self.command(tuple),
            }),
        }
    }
}

/// A path as text, for a file of that kind, in which no line break can stand.
fn text<'a>(path: &'a Path, file: &'static str) -> Result<&'a str, ExportError> {
    let refuse = |reason| ExportError::Unwritable {
        value: path.into(),
        file,
        reason,
    };
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
    match text.contains(char::is_control) {
        true => Err(refuse("it holds a control character")),
        false => Ok(text),
    }
}

/// The words of an emulator as text, for a file of that kind.
fn emulator_words<'a>(
    facts: &'a Facts,
    file: &'static str,
) -> Result<Option<Vec<&'a str>>, ExportError> {
    let Some(emulator) = &facts.emulator else {
        return Ok(None);
    };
    let words = emulator.words().iter();
    words
        .map(|word| text(Path::new(word), file))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The file for builds inside another build. No emulator is looked for, which takes a compilation, so it has another name than an applet's
/// own.
pub(crate) fn nested_file(
    context: &Context,
    format: Format,
    facts: &Facts,
) -> Result<crate::plan::File, ExportError> {
    let facts = Facts {
        emulator: None,
        ..facts.clone()
    };
    Ok(crate::plan::File {
        path: context
            .state_folder()
            .join(format!("nested-{}", format.file_name())),
        text: format.render(&facts)?,
        printed_by: None,
    })
}

/// The file of an applet's own, which stays where it is for as long as a build folder may name it.
pub fn kept_file(
    context: &Context,
    format: Format,
    facts: &Facts,
) -> Result<crate::plan::File, ExportError> {
    Ok(crate::plan::File {
        path: context.state_folder().join(format.file_name()),
        text: format.render(facts)?,
        printed_by: None,
    })
}
