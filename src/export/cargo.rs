//! The settings of Cargo, and the variables that build scripts read through crates such as `cc`, `pkg-config`,
//! `bindgen` and `cmake`.
//!
//! The name of each variable contains the target's name, so that it does not affect programs for the build machine
//! (build scripts, procedural macros). For those, the `HOST_` variables name the build machine's tools: the plain
//! variables may name the target's.

use super::{
    error::ExportError,
    facts::Facts,
    text::{emulator_words, text},
};
use crate::emulator::Emulator;
use std::fmt::Write as _;

const FILE: &str = "Cargo's configuration";

/// The settings of Cargo and of build scripts.
#[derive(Debug)]
pub(crate) struct Cargo<'a> {
    /// rustc's name for the target.
    pub(crate) target: &'a str,
    linker: &'a str,
    runner: Option<Vec<&'a str>>,
    runner_has_spaces: bool,
    /// The variables of build scripts: name and value.
    scripts: Vec<(String, String)>,
}

impl<'a> Cargo<'a> {
    /// Selects the facts that concern Cargo.
    pub(crate) fn of(facts: &'a Facts) -> Result<Self, ExportError> {
        let target = facts.name(facts.target.rust.as_deref(), "Rust target", Some("rust"))?;
        let of_target = |name: &str| format!("{name}_{}", target.replace(['-', '.'], "_"));
        let upper = target.to_uppercase().replace(['-', '.'], "_");
        let mut scripts = Vec::new();
        for variable in ["CC", "CXX", "AR", "RANLIB", "PKG_CONFIG"] {
            if let Some(path) = facts.tool(variable) {
                scripts.push((of_target(variable), text(path, FILE)?.to_owned()));
            }
        }
        // Cargo's profile sets optimisation and debugging.
        let flags = facts.flags.without_build_type();
        for variable in ["CFLAGS", "CXXFLAGS"] {
            let words = flags.words(&["CPPFLAGS", variable]);
            if !words.is_empty() {
                scripts.push((of_target(variable), words));
            }
        }
        scripts.push(("PKG_CONFIG_ALLOW_CROSS".into(), "1".into()));
        let sysroot = text(&facts.sysroot, FILE)?;
        scripts.push((of_target("PKG_CONFIG_SYSROOT_DIR"), sysroot.into()));
        // libclang finds neither the sysroot nor GCC's C++ headers. bindgen splits this value as a shell does.
        let clang_args: Vec<String> = facts
            .clang_args()
            .iter()
            .map(|word| shell_word(word))
            .collect();
        let clang_args = clang_args.join(" ");
        scripts.push((of_target("BINDGEN_EXTRA_CLANG_ARGS"), clang_args));
        if let Some(path) = &facts.toolchain_file {
            scripts.push((of_target("CMAKE_TOOLCHAIN_FILE"), text(path, FILE)?.into()));
        }
        // For pq-sys, whose variable has the target's name in capitals.
        if let Some(path) = facts.config_tool("pg_config") {
            scripts.push((format!("PG_CONFIG_{upper}"), text(path, FILE)?.into()));
        }
        // mpi-sys and PyO3 read these for the target only; winresource is only active for Windows.
        if let Some(path) = facts.config_tool("mpicc") {
            scripts.push(("MPICC".into(), text(path, FILE)?.into()));
        }
        if let Some(path) = &facts.python {
            scripts.push(("PYO3_CROSS_LIB_DIR".into(), text(path, FILE)?.into()));
        }
        if let Some(path) = facts
            .tool("WINDRES")
            .filter(|_| facts.target.goos == Some("windows"))
        {
            scripts.push(("WINDRES".into(), text(path, FILE)?.into()));
        }
        for tool in &facts.build_tools {
            let name = format!("HOST_{}", tool.variable);
            scripts.push((name, text(&tool.path, FILE)?.into()));
        }
        // The plain variables may contain the target's flags.
        for name in ["HOST_CFLAGS", "HOST_CXXFLAGS"] {
            scripts.push((name.into(), String::new()));
        }
        if let Some(path) = facts.helper("pkg-config") {
            scripts.push(("HOST_PKG_CONFIG".into(), text(path, FILE)?.into()));
        }
        let runner = emulator_words(facts, FILE)?;
        Ok(Self {
            target,
            linker: text(facts.compiler()?, FILE)?,
            runner_has_spaces: facts.emulator.as_ref().is_some_and(Emulator::has_spaces),
            runner: runner.filter(|words| !words.is_empty()),
            scripts,
        })
    }

    /// Returns the settings as environment variables. A runner is omitted if its words contain spaces, which its
    /// variable cannot express.
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

/// Quotes a word for a program that splits a list as a shell does, only if it needs quotes: some programs that split
/// such a list do not understand quotes.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    match word.chars().all(is_plain) && !word.is_empty() {
        true => word.into(),
        false => shell_words::quote(word).into_owned(),
    }
}

/// Renders `.cargo/config.toml`.
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
    file += "\n# For build scripts; a variable that is set keeps its value.\n[env]\n";
    for (name, value) in &cargo.scripts {
        let _ = writeln!(file, "{name} = {}", quote(value));
    }
    Ok(file)
}
