//! Cargo: its own settings, and the variables that build scripts ask for through the crates `cc` and `pkg-config`.
//!
//! Each bears the target's name, so that what is compiled for this machine (build scripts, procedural macros) does not
//! see it.

use super::{ExportError, Facts, emulator_words, text};
use crate::emulator::Emulator;
use std::fmt::Write as _;

const FILE: &str = "Cargo's configuration";

/// What Cargo and the build scripts are told.
#[derive(Debug)]
pub(crate) struct Cargo<'a> {
    /// rustc's name for the target.
    pub(crate) target: &'a str,
    linker: &'a str,
    runner: Option<Vec<&'a str>>,
    runner_has_spaces: bool,
    /// For the build scripts: name and value.
    scripts: Vec<(String, String)>,
}

impl<'a> Cargo<'a> {
    /// Takes from the facts what concerns Cargo.
    pub(crate) fn of(facts: &'a Facts) -> Result<Self, ExportError> {
        let target = facts.name(facts.target.rust.as_deref(), "Rust target", Some("rust"))?;
        let of_target = |name: &str| format!("{name}_{}", target.replace(['-', '.'], "_"));
        let mut scripts = Vec::new();
        for variable in ["CC", "CXX", "AR", "RANLIB", "PKG_CONFIG"] {
            if let Some(path) = facts.tool(variable) {
                scripts.push((of_target(variable), text(path, FILE)?.to_owned()));
            }
        }
        // Cargo's profile decides on optimisation and debugging.
        let flags = facts.flags.without_build_type();
        for variable in ["CFLAGS", "CXXFLAGS"] {
            let words = flags.words(&["CPPFLAGS", variable]);
            if !words.is_empty() {
                scripts.push((of_target(variable), words));
            }
        }
        scripts.push(("PKG_CONFIG_ALLOW_CROSS".into(), "1".into()));
        let runner = emulator_words(facts, FILE)?;
        Ok(Self {
            target,
            linker: text(facts.compiler()?, FILE)?,
            runner_has_spaces: facts.emulator.as_ref().is_some_and(Emulator::has_spaces),
            runner: runner.filter(|words| !words.is_empty()),
            scripts,
        })
    }

    /// The whole as an environment: name and value. A runner whose words have spaces in them cannot be said there.
    pub(crate) fn variables(self) -> Vec<(String, String)> {
        let name = self.target.to_uppercase().replace(['-', '.'], "_");
        let mut all = vec![
            ("CARGO_BUILD_TARGET".into(), self.target.into()),
            (format!("CARGO_TARGET_{name}_LINKER"), self.linker.into()),
        ];
        if let Some(words) = self.runner.filter(|_| !self.runner_has_spaces) {
            all.push((format!("CARGO_TARGET_{name}_RUNNER"), words.join(" ")));
        }
        all.extend(self.scripts);
        all
    }
}

/// The text of `.cargo/config.toml`.
pub(super) fn render(facts: &Facts) -> Result<String, ExportError> {
    let cargo = Cargo::of(facts)?;
    let quote = |text: &str| toml::Value::from(text).to_string();
    let target = quote(cargo.target);
    let mut file = format!(
        "[build]\ntarget = {target}\n\n[target.{target}]\nlinker = {}\n",
        quote(cargo.linker)
    );
    if let Some(words) = &cargo.runner {
        let _ = writeln!(file, "runner = {}", toml::Value::from(words.clone()));
    }
    file += "\n# For build scripts; a variable that is set already stays as it is.\n[env]\n";
    for (name, value) in &cargo.scripts {
        let _ = writeln!(file, "{name} = {}", quote(value));
    }
    Ok(file)
}
