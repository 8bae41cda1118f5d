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
    /// The command line, with shell quotes; `{tuple}`, `{sysroot}`, `{tool}` and `{options}` (of the adopted
    /// toolchain) stand for what they say. The caller's arguments go where `{args}` is, else to the end; a word with
    /// `{libdir}` behind them is repeated for each library directory, and one with `{start-files}` for each directory
    /// of start files. Without a command, the applet prints the environment, or runs the command it is given in it.
    pub(super) command: Option<String>,
    /// The names that the applet goes by, when the file's is not the only one.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// The names that the command's program may have, the preferred first; `{cbuild}` stands for the machine's tuple.
    #[serde(default)]
    pub(super) programs: Vec<String>,
    /// The environment variable that replaces the command.
    #[serde(default, rename = "override")]
    pub(super) override_variable: Option<String>,
    /// The environment variable, or setting of the target's Portage, that holds options of the caller's too.
    #[serde(default)]
    pub(super) options_from: Option<String>,
    /// Globs over the caller's arguments with which, as without any, the command is its first word alone: one that
    /// begins with a dash may stand anywhere, another only first.
    #[serde(default)]
    pub(super) bare_with: Vec<String>,
    /// Options of the caller's, besides the same ones, that make the command's own step aside.
    #[serde(default)]
    pub(super) yields_to: Vec<String>,
    /// The environment layers, applied in this order.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// The behaviour of ours that the applet has beside its command, or in place of one.
    pub code: Option<Code>,
    /// Which adopted toolchain has the tools.
    pub(super) toolchain: Option<ToolchainKind>,
    /// The names that the applet goes by and the tool each one runs. Without any, the file's name is the applet's.
    #[serde(default)]
    pub(super) tools: BTreeMap<String, String>,
}

/// What an applet does that is more than a command line and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Enters the target's root: `qemu/chroot.rs`.
    Chroot,
    /// Finds the configure script to run: `applet/configure.rs`.
    Configure,
    /// Corrects files of the sysroot that point at the machine: `fix_root.rs`.
    FixRoot,
    /// Looks at what comes back for paths of the machine: `pkg_config.rs`.
    PkgConfig,
    /// Chooses the QEMU by the header of the program: `qemu/run.rs`.
    Run,
    /// Fits make to the kernel tree that it is called for: `applet/xkmake.rs`.
    Xkmake,
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

    /// The first of the names of the program that is there, when it is the wrapper's own command that runs.
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

    /// The names of its applets. `build.rs` names the built-in ones by the same rule.
    pub(super) fn names<'w>(&'w self, stem: &'w str) -> Vec<&'w str> {
        let names = self.tools.keys().chain(&self.names).map(String::as_str);
        let names: Vec<&str> = names.collect();
        if names.is_empty() { vec![stem] } else { names }
    }
}
