//! The built-in applets and tools, as `wrappers/*.toml` defines them. This module reads the keys that pages and completions need; the
//! program's own reader of these files is stricter.

use super::{Failure, read};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// One file of `wrappers/`.
#[derive(Debug, Deserialize)]
pub(crate) struct Definition {
    pub(crate) summary: String,
    pub(crate) command: Option<String>,
    pub(crate) code: Option<String>,
    #[serde(rename = "override")]
    pub(crate) variable: Option<String>,
    #[serde(default)]
    pub(crate) layers: Vec<String>,
    pub(crate) toolchain: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, String>,
    #[serde(skip)]
    stem: String,
}

impl Definition {
    /// Reads all of them, sorted by file name.
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>, Failure> {
        let directory = root.join("wrappers");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(Failure::io(&directory))? {
            files.push(entry.map_err(Failure::io(&directory))?.path());
        }
        files.retain(|file| {
            file.extension()
                .is_some_and(|extension| extension == "toml")
        });
        files.sort();
        files.iter().map(|file| Self::of(file)).collect()
    }

    fn of(file: &Path) -> Result<Self, Failure> {
        let mut definition: Self = toml::from_str(&read(file)?)
            .map_err(|e| Failure(format!("{}: {e}", file.display())))?;
        definition.stem = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into();
        Ok(definition)
    }

    /// The applets that every target has. Empty if the file defines the tools of a toolchain.
    pub(crate) fn applets(&self) -> Vec<&str> {
        match (self.tools.is_empty(), self.names.is_empty()) {
            (false, _) => Vec::new(),
            (true, true) => vec![&self.stem],
            (true, false) => self.names.iter().map(String::as_str).collect(),
        }
    }

    /// Returns whether the tools are compilers, which have an option for the sysroot.
    pub(crate) fn compiles(&self) -> bool {
        self.stem.ends_with("-compilers")
    }

    /// The names of applets and tools, each with its real tool. The real tool is empty if the applet has no command.
    pub(crate) fn real_tools(&self) -> Vec<(&str, &str)> {
        let program = self.command.as_deref().unwrap_or_default();
        let program = program.split(' ').next().unwrap_or_default();
        let applets = self.applets().into_iter().map(|name| (name, program));
        let tools = self
            .tools
            .iter()
            .map(|(name, tool)| (name.as_str(), tool.as_str()));
        applets.chain(tools).collect()
    }
}
