//! `export`: the facts of a target, as the file that each build system reads.
//!
//! The facts are looked up once ([`Facts`]); each format is a pure function of them. The build systems' applets use
//! the same formats and tables, so that a project builds with an exported file as it does with `<tuple>-cmake`.

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
pub(crate) use compiler_files::{Gcc, c_compiler_beside, of_clang};
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

/// The format of a file.
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
    /// Returns its name on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value().expect("no format is hidden");
        value.get_name().to_owned()
    }

    /// Finds the format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::from_str(name, false).ok()
    }

    /// Returns the name of the file that an applet keeps.
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

    /// Returns whether the file contains the emulator.
    pub(crate) fn has_emulator(self) -> bool {
        matches!(self, Self::Cmake | Self::Meson | Self::Cargo | Self::Json)
    }

    /// Renders the file from the facts.
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

    /// Returns the arguments that make the file.
    fn command(self, tuple: &str) -> String {
        format!("export {tuple} {}", self.name())
    }

    /// Returns the first line, which marks a file as made by crossmerge.
    fn first_line(self, tuple: &str) -> String {
        let command = self.command(tuple);
        match self {
            Self::Json => json::first_line(&command),
            _ => format!(
                "# Made by `crossmerge {command}`, which replaces this file when it runs again."
            ),
        }
    }

    /// Checks that a file may be replaced: it does not exist, or the same export made it.
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
    /// Looks up the facts that only this format needs, except for the emulator.
    pub(crate) fn find_facts_for(&mut self, format: Format, context: &Context) {
        match format {
            Format::Cmake => self.find_cmake_facts(context),
            _ if format.has_emulator() => {
                self.find_build_system_facts(context, Gcc::of(context).as_ref())
            }
            _ => {}
        }
    }

    /// Looks up the facts that only this format needs, and tries to find the emulator. Prints a note if the user could
    /// fix that there is none.
    pub fn find_facts_and_emulator_for(&mut self, format: Format, context: &Context) {
        self.find_facts_for(format, context);
        if format.has_emulator()
            && let Some(why) = self.find_emulator(context)
            && why.is_surprising()
        {
            report::note(&why.to_note(context.tuple.as_str()));
        }
    }
}

/// Makes the file for builds inside another build. It names no emulator, since finding one takes a compilation, so it
/// has another name than an applet's own file.
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

/// Makes the file of an applet. It keeps its path, since a build directory may refer to it at any time.
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
