//! Programs in PATH, the facts about the tuple, and the compilers.

use super::{error::ContextError, invocation::Context};
use crate::{config::ToolchainKind, target::Target};
use crossmerge_plan::{
    env,
    plan::{Changes, Plan},
};
use crossmerge_system::{
    exec,
    file::{is_executable, own_directory},
    search,
};
use std::{ffi::OsStr, path::PathBuf};

impl Context {
    /// Finds a real tool in PATH, as [`search::find_program`] does.
    pub fn find_program(&self, name: &OsStr) -> Result<PathBuf, ContextError> {
        Ok(search::find_program(&self.env, name)?)
    }

    /// Finds a command that the user named, as [`search::find_command`] does.
    pub fn find_command(&self, name: &OsStr) -> Result<PathBuf, ContextError> {
        Ok(search::find_command(&self.env, name)?)
    }

    /// Returns whether a shell would find the command.
    pub fn has_command(&self, name: &OsStr) -> bool {
        search::has_command(&self.env, name)
    }

    /// Returns the directories of PATH.
    pub fn path(&self) -> Vec<PathBuf> {
        search::path(&self.env)
    }

    /// Finds one of the target's tools, which may be crossmerge under another name: in PATH, else among the symlinks to
    /// crossmerge.
    pub fn find_tool(&self, name: &OsStr) -> Option<PathBuf> {
        let linked = || {
            let link = self
                .settings
                .bindir
                .clone()
                .or_else(own_directory)?
                .join(name);
            (link.is_file() && is_executable(&link)).then_some(link)
        };
        self.find_command(name).ok().or_else(linked)
    }

    /// The facts about the tuple.
    pub fn target(&self) -> Result<Target, ContextError> {
        let facts = || self.config.facts(&self.tuple);
        Ok(self.target.get_or_try_init(facts)?.clone())
    }

    /// The target's real C compiler: that of the adopted toolchain, whether it exists or not, else `<tuple>-gcc` or
    /// `<tuple>-clang` in PATH.
    pub fn compiler(&self) -> Option<(ToolchainKind, PathBuf)> {
        if let Some(adopted) = &self.settings.toolchain {
            return Some((adopted.kind, adopted.compiler()));
        }
        [ToolchainKind::Gnu, ToolchainKind::Llvm]
            .into_iter()
            .find_map(|kind| {
                let name = format!("{}-{}", self.tuple, kind.driver());
                Some((kind, self.find_program(OsStr::new(&name)).ok()?))
            })
    }

    /// The flags that select the tuple's CPU. Empty if the adopted compiler selects it itself.
    pub(crate) fn cpu_flags<'t>(&self, target: &'t Target) -> &'t str {
        let adopted = self.settings.toolchain.as_ref();
        adopted.map_or(&*target.cflags, |adopted| adopted.kind.cpu_flags(target))
    }

    /// CBUILD in the environment, else in Portage's settings, else from the native compiler. `None` if none of them
    /// has it.
    pub fn cbuild(&self) -> Result<Option<String>, ContextError> {
        if let Some(cbuild) = self.env.get(env::CBUILD).filter(|value| !value.is_empty()) {
            return Ok(Some(cbuild.to_string_lossy().into_owned()));
        }
        let cbuild = self.portage()?.host_setting(env::CBUILD.name);
        Ok(match cbuild.filter(|cbuild| !cbuild.is_empty()) {
            Some(cbuild) => Some(cbuild.to_owned()),
            None => self.machine_of_cc(),
        })
    }

    /// The tuple that the native compiler prints for `-dumpmachine`.
    pub fn machine_of_cc(&self) -> Option<String> {
        self.machine_of_cc.get_or_init(|| self.ask_cc()).clone()
    }

    fn ask_cc(&self) -> Option<String> {
        let plan = Plan {
            program: self.find_program(OsStr::new("cc")).ok()?,
            args: vec!["-dumpmachine".into()],
            env: Changes::new(),
            ..Plan::default()
        };
        let output = exec::ask(&plan).ok()?;
        let machine = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !machine.is_empty()).then_some(machine)
    }
}
