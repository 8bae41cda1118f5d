//! Applets: the behaviours of the binary. Each is a file of `wrappers/`: a command line and the environment layers it
//! gets.
//!
//! From a definition, a [`Context`] and the caller's arguments comes the [`Plan`]. The definitions are read on every
//! call; they are a few lines each.

mod command;
mod configure;

pub use command::prefixed;
pub use configure::ConfigureError;

use crate::{
    config::{Config, ConfigError, Kind},
    context::{Context, ContextError},
    export::ExportError,
    layer::{self, Layer},
    plan::Plan,
};
use command::CommandLine;
use serde::Deserialize;
use std::{collections::BTreeMap, ffi::OsString};

/// The wrappers that are built in: file stem and text.
pub const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/wrappers.rs"));

/// One file of `wrappers/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapper {
    /// One line for a person.
    pub summary: String,
    /// The command line, with shell quotes; `{tuple}`, `{sysroot}`, `{tool}` and `{options}`
    /// (of the adopted toolchain) stand for what they say. Without one,
    /// the applet prints the environment, or runs the command it is given in it.
    command: Option<String>,
    /// The environment variable that replaces the command.
    #[serde(default, rename = "override")]
    override_variable: Option<String>,
    /// The environment variable, or setting of the target's Portage, that holds options of the caller's too.
    #[serde(default)]
    options_from: Option<String>,
    /// Globs over the caller's arguments with which, as without any, the command is its first word alone: one that
    /// begins with a dash may stand anywhere, another only first.
    #[serde(default)]
    bare_with: Vec<String>,
    /// Options of the caller's, besides the same ones, that make the command's own step aside.
    #[serde(default)]
    yields_to: Vec<String>,
    /// The environment layers, applied in this order.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// The behaviour of ours that the applet has beside its command, or in place of one.
    pub code: Option<Code>,
    /// Which adopted toolchain has the tools.
    toolchain: Option<Kind>,
    /// The names that the applet goes by and the tool each one runs. Without any, the file's name is the applet's.
    #[serde(default)]
    tools: BTreeMap<String, String>,
}

/// What an applet does that is more than a command line and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Finds the configure script to run: `applet/configure.rs`.
    Configure,
    /// Corrects files of the sysroot that point at the machine: `fix_root.rs`.
    FixRoot,
    /// Looks at what comes back for paths of the machine: `pkg_config.rs`.
    PkgConfig,
}

/// Every definition, by file stem.
#[derive(Debug, Clone)]
pub struct Wrappers(BTreeMap<String, Wrapper>);

/// Why an applet has no plan.
#[derive(Debug, thiserror::Error)]
pub enum AppletError {
    /// A look at the system failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// Configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A build system cannot be told of the target.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// There is nothing to configure.
    #[error(transparent)]
    Configure(#[from] configure::ConfigureError),
    /// A definition is not what the schema asks for.
    #[error("wrapper `{file}`: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// No definition has that name.
    #[error("there is no applet `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A command line that a shell could not split either.
    #[error(
        "{from} is no command line: {text:?} has a quote that never ends, or nothing in it, or is not UTF-8"
    )]
    CommandLine {
        /// Where it stands.
        from: String,
        /// The text.
        text: String,
    },
    /// A compiler link of ours, and no toolchain behind it.
    #[error("no toolchain was adopted for `{tuple}` that has `{tool}`")]
    NoToolchain {
        /// The tuple.
        tuple: String,
        /// The applet.
        tool: String,
    },
}

impl AppletError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Context(e) => e.hint(),
            Self::Config(e) => e.hint(),
            Self::Export(e) => e.hint(),
            Self::Configure(e) => e.hint(),
            Self::Malformed { file, .. } => {
                format!("mend `{file}`; wrappers/README.md has the form")
            }
            Self::Unknown { known, .. } => format!("the applets are {known}"),
            Self::CommandLine { from, .. } => format!("mend {from}"),
            Self::NoToolchain { tuple, .. } => {
                format!(
                    "adopt one with `crossmerge init {tuple} --toolchain PREFIX`, or remove this link"
                )
            }
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Context(e) => e.exit_code(),
            Self::Export(e) => e.exit_code(),
            _ => crate::error::OWN_FAILURE,
        }
    }
}

impl Wrappers {
    /// Reads every definition.
    pub fn read(config: &Config) -> Result<Self, AppletError> {
        let wrappers =
            config
                .sources("wrappers", BUILT_IN)?
                .into_iter()
                .map(|(stem, (file, text))| {
                    let malformed = |message| AppletError::Malformed {
                        file: file.clone(),
                        message,
                    };
                    let wrapper: Wrapper = toml::from_str(&text)
                        .map_err(|e| malformed(e.to_string().trim_end().into()))?;
                    if wrapper.toolchain.is_some() == wrapper.tools.is_empty() {
                        return Err(malformed("`toolchain` and `tools` go together".into()));
                    }
                    Ok((stem, wrapper))
                });
        Ok(Self(wrappers.collect::<Result<_, AppletError>>()?))
    }

    /// The applets that every target has: name and definition.
    pub fn applets(&self) -> impl Iterator<Item = (&str, &Wrapper)> {
        self.0
            .iter()
            .filter(|(_, w)| w.tools.is_empty())
            .map(|(stem, w)| (stem.as_str(), w))
    }

    /// The applets of a toolchain: name, and the tool behind it.
    pub fn tools(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        let of_kind = self.0.values().filter(move |w| w.toolchain == Some(kind));
        of_kind.flat_map(|w| {
            w.tools
                .iter()
                .map(|(name, tool)| (name.as_str(), tool.as_str()))
        })
    }

    /// Every name that a link may end in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let tools = self.0.values().flat_map(|w| w.tools.keys());
        tools
            .map(String::as_str)
            .chain(self.applets().map(|(name, _)| name))
    }

    /// Decides what `<tuple>-<name> args…` runs.
    pub fn plan(
        &self,
        name: &str,
        context: &Context,
        args: Vec<OsString>,
    ) -> Result<Plan, AppletError> {
        let (wrapper, tool) = self.find(name, context)?;
        if wrapper.code == Some(Code::Configure) {
            return configure::plan(context, &wrapper.layers, args);
        }
        let env = layer::apply(&wrapper.layers, context)?;
        let CommandLine {
            mut words,
            rest,
            files,
        } = match &wrapper.command {
            None => CommandLine::of_caller(args),
            Some(command) => wrapper.command_line(name, command, context, args, tool)?,
        };
        // Nothing to run: the plan is its environment, and `env` without arguments prints it.
        if words.is_empty() {
            words.push("env".into());
        }
        let program = words.remove(0);
        let program = match (tool, &wrapper.command) {
            // An adopted tool is named by its whole path already.
            (Some(_), _) => program.into(),
            (None, Some(_)) => context.find_program(&program)?,
            (None, None) => context.find_command(&program)?,
        };
        Ok(Plan {
            program,
            args: words.into_iter().chain(rest).collect(),
            env,
            files,
        })
    }

    /// Tells whether `<tuple>-<name>` without arguments prints the environment for `eval`.
    pub fn prints_environment(&self, name: &str, args: &[OsString]) -> bool {
        args.is_empty()
            && self
                .0
                .get(name)
                .is_some_and(|w| w.command.is_none() && w.code.is_none())
    }

    /// What an applet does beside its command.
    pub fn code(&self, name: &str) -> Option<Code> {
        self.0.get(name)?.code
    }

    /// Tells whether an applet sets Portage up for its target.
    pub fn uses_portage(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|w| w.layers.contains(&Layer::Portage))
    }

    fn find<'a>(
        &'a self,
        name: &str,
        context: &'a Context,
    ) -> Result<(&'a Wrapper, Option<&'a str>), AppletError> {
        if let Some(wrapper) = self.0.get(name).filter(|w| w.tools.is_empty()) {
            return Ok((wrapper, None));
        }
        if !self.names().any(|known| known == name) {
            let known: Vec<_> = self.applets().map(|(name, _)| name).collect();
            return Err(AppletError::Unknown {
                name: name.into(),
                known: known.join(", "),
            });
        }
        let adopted = context.settings.toolchain.as_ref();
        let fits = |w: &&Wrapper| w.toolchain.is_some() && w.toolchain == adopted.map(|t| t.kind);
        let found = self
            .0
            .values()
            .filter(fits)
            .find_map(|w| Some((w, w.tools.get(name)?.as_str())));
        found
            .map(|(wrapper, tool)| (wrapper, Some(tool)))
            .ok_or_else(|| AppletError::NoToolchain {
                tuple: context.tuple.to_string(),
                tool: name.into(),
            })
    }
}
