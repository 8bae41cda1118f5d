//! The definition of an applet, as `wrappers/*.toml` has it.

use super::error::AppletError;
use crate::{config::ToolchainKind, context::Context, layer::Layer};
use serde::Deserialize;
use std::{collections::BTreeMap, ffi::OsStr, path::PathBuf};

/// One file of `wrappers/`. `build.rs` writes out the built-in ones by these fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapper {
    /// A summary of one line.
    pub summary: String,
    /// The command line, with shell quotes. The placeholders `{tuple}`, `{sysroot}`, `{tool}` and `{options}` (those
    /// of the adopted toolchain) are filled in. The caller's arguments replace `{args}`, else go to the end. A word
    /// after them with `{libdir}` is repeated for each library directory, and one with `{start-files}` for each
    /// directory of start files. Without a command, the applet prints the environment, or runs the given command in
    /// it.
    pub(super) command: Option<String>,
    /// The names of the applet, if they differ from the file's name.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// The possible names of the command's program, in order of preference; `{cbuild}` stands for the build machine's
    /// tuple.
    #[serde(default)]
    pub(super) programs: Vec<String>,
    /// The environment variable that replaces the command.
    #[serde(default, rename = "override")]
    pub(super) override_variable: Option<String>,
    /// The environment variable, or setting of the target's Portage, that contains further options of the caller.
    #[serde(default)]
    pub(super) options_from: Option<String>,
    /// If an argument matches one of these globs, or there are none, only the first word of `command` is run. A glob
    /// that begins with a dash may match any argument, another only the first.
    #[serde(default)]
    pub(super) bare_with: Vec<String>,
    /// Caller options that suppress all options of `command`. An identical option always does.
    #[serde(default)]
    pub(super) yields_to: Vec<String>,
    /// Globs over the caller's arguments: the tool does not get those that match one.
    #[serde(default)]
    pub(super) omits: Vec<String>,
    /// The environment layers, applied in this order.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// The name of the code that the applet runs in addition to its command, or instead of one: see [`super::Code`].
    pub code: Option<String>,
    /// The kind of the adopted toolchain that has the tools.
    pub(super) toolchain: Option<ToolchainKind>,
    /// The names of the applet, with the tool that each one runs. Without any, the applet has the file's name.
    #[serde(default)]
    pub(super) tools: BTreeMap<String, String>,
}

impl Wrapper {
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, AppletError> {
        let malformed = |message| AppletError::Malformed {
            file: file.into(),
            message,
        };
        let wrapper: Self =
            toml::from_str(text).map_err(|e| malformed(e.to_string().trim_end().into()))?;
        if wrapper.toolchain.is_some() == wrapper.tools.is_empty() {
            return Err(malformed("`toolchain` and `tools` go together".into()));
        }
        Ok(wrapper)
    }

    /// Returns the first existing name of the program, if the wrapper's own command runs.
    pub(super) fn preferred(
        &self,
        command: &str,
        program: &OsStr,
        context: &Context,
    ) -> Option<PathBuf> {
        let own = command.split_whitespace().next();
        if self.programs.is_empty() || own.is_none_or(|own| program != own) {
            return None;
        }
        let named = |name: &String| match name.contains("{cbuild}") {
            true => Some(name.replace("{cbuild}", &context.quick_cbuild()?)),
            false => Some(name.clone()),
        };
        let mut names = self.programs.iter().filter_map(named);
        names.find_map(|name| context.find_program(name.as_ref()).ok())
    }

    /// Returns the names of its applets. `build.rs` uses the same rule for the built-in ones.
    pub(super) fn names<'w>(&'w self, stem: &'w str) -> Vec<&'w str> {
        let names = self.tools.keys().chain(&self.names).map(String::as_str);
        let names: Vec<&str> = names.collect();
        if names.is_empty() { vec![stem] } else { names }
    }
}
