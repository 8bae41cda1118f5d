//! `export`: what each build system is told about a target, as the file that it reads.
//!
//! The facts are looked up once ([`Facts`]); each format is a pure function of them. The applets of the build systems
//! use the same formats and tables, so that a project that keeps an exported file builds as `<tuple>-cmake` does.

mod cargo;
mod cmake;
mod compiler_files;
mod error;
mod facts;
pub(crate) mod go;
mod json;
mod meson;
mod shell;
mod text;
pub(crate) mod tools;

pub(crate) use cargo::Cargo;
pub(crate) use compiler_files::{Gcc, of_clang};
pub(crate) use facts::FLAGS;
pub use facts::{Clang, Facts, Flags};
pub(crate) use shell::build_names;
pub use tools::{ReadBy, Tool};

use crate::context::Context;
use clap::ValueEnum;
use crossmerge_plan::report;
use crossmerge_system::file::read;
pub use error::ExportError;
use std::{io, path::Path};

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

    /// Returns whether the file says what runs the target's programs.
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
            return Err(ExportError::IsADirectory {
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

impl Facts {
    /// Looks up what the format names besides, an emulator too, and tells a user who could help that there is none.
    pub fn look_for(&mut self, format: Format, context: &Context) {
        match format {
            Format::Cmake => self.look_for_cmake(context),
            _ if format.has_emulator() => self.look_further(context, Gcc::of(context).as_ref()),
            _ => {}
        }
        if format.has_emulator()
            && let Some(why) = self.find_emulator(context)
            && why.is_surprising()
        {
            report::note(&why.to_note(context.tuple.as_str()));
        }
    }
}

/// The file for builds inside another build. No emulator is looked for, which takes a compilation, so it has another
/// name than an applet's own.
pub(crate) fn nested_file(
    context: &Context,
    format: Format,
    facts: &Facts,
) -> Result<crossmerge_plan::plan::File, ExportError> {
    let facts = Facts {
        emulator: None,
        ..facts.clone()
    };
    Ok(crossmerge_plan::plan::File {
        path: context
            .state_directory()
            .join(format!("nested-{}", format.file_name())),
        text: format.render(&facts)?,
        printed_by: None,
    })
}

/// The file of an applet's own, which stays where it is for as long as a build directory may name it.
pub fn kept_file(
    context: &Context,
    format: Format,
    facts: &Facts,
) -> Result<crossmerge_plan::plan::File, ExportError> {
    Ok(crossmerge_plan::plan::File {
        path: context.state_directory().join(format.file_name()),
        text: format.render(facts)?,
        printed_by: None,
    })
}
