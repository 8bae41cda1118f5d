//! The environment for a shell's `eval`, like Yocto's environment-setup: for build systems that read the environment,
//! and for interactive use.

use super::{error::ExportError, facts::Facts};
use crossmerge_plan::{
    env,
    plan::{Change, Changes},
    words::quote_for_any_sh,
};
use std::{fmt::Write as _, path::Path};

/// Renders assignments for any sh, whatever the paths contain. The changes are those of `<tuple>-env`.
pub(super) fn render(facts: &Facts, changes: &Changes) -> Result<String, ExportError> {
    facts.compiler()?;
    let mut file = String::new();
    let mut directories: Vec<&Path> = Vec::new();
    for tool in &facts.tools {
        let directory = tool
            .path
            .parent()
            .filter(|directory| directory.is_absolute());
        directories.extend(directory.filter(|directory| !directories.contains(directory)));
    }
    for directory in directories {
        let directory = quote_for_any_sh(directory.as_os_str());
        let _ = writeln!(
            file,
            "case \":$PATH:\" in *:{directory}:*) ;; *) export PATH={directory}\":$PATH\" ;; esac"
        );
    }
    // The PATH of this process may differ from that of the shell that evaluates the text.
    let changes = changes.iter().filter(|(name, _)| *name != env::PATH.name);
    for (name, change) in changes {
        let name = name.display();
        let _ = match change {
            Change::Set(value) => writeln!(file, "export {name}={}", quote_for_any_sh(value)),
            Change::Unset => writeln!(file, "unset {name}"),
        };
    }
    if let Some(config_site) = &facts.config_site {
        // The file reads the caller's own config.site first. If CONFIG_SITE names crossmerge's file for another target,
        // the caller's own is already recorded.
        file += "case ${CONFIG_SITE-} in */crossmerge/*/config.site) ;; *) export CROSSMERGE_CONFIG_SITE=\"${CONFIG_SITE-}\" ;; esac\n";
        let config_site = quote_for_any_sh(config_site.as_os_str());
        let _ = writeln!(file, "export CONFIG_SITE={config_site}");
    }
    Ok(file)
}

/// Returns the variables of a compiler for the build machine: Autoconf's and Gentoo's.
pub(crate) fn build_names(variable: &str) -> [String; 2] {
    [format!("{variable}_FOR_BUILD"), format!("BUILD_{variable}")]
}
