//! The environment for a shell's `eval`, in the manner of Yocto's environment-setup: for everything that asks the
//! environment, and for a user at a prompt.

use super::{error::ExportError, facts::Facts};
use crossmerge_plan::{
    env,
    plan::{Change, Changes},
    words::quote_for_any_sh,
};
use std::{fmt::Write as _, path::Path};

/// The text: assignments that any sh takes, whatever is in the paths. The changes are those of `<tuple>-env`.
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
    // The caller's PATH is that of another moment.
    let changes = changes.iter().filter(|(name, _)| *name != env::PATH.name);
    for (name, change) in changes {
        let name = name.display();
        let _ = match change {
            Change::Set(value) => writeln!(file, "export {name}={}", quote_for_any_sh(value)),
            Change::Unset => writeln!(file, "unset {name}"),
        };
    }
    if let Some(config_site) = &facts.config_site {
        // It reads the caller's own first. Where the one before is of another target of ours, the caller's is known
        // already.
        file += "case ${CONFIG_SITE-} in */crossmerge/*/config.site) ;; *) export CROSSMERGE_CONFIG_SITE=\"${CONFIG_SITE-}\" ;; esac\n";
        let config_site = quote_for_any_sh(config_site.as_os_str());
        let _ = writeln!(file, "export CONFIG_SITE={config_site}");
    }
    Ok(file)
}

/// The names that a compiler of the build machine goes by: autoconf's, and Gentoo's.
pub(crate) fn build_names(variable: &str) -> [String; 2] {
    [format!("{variable}_FOR_BUILD"), format!("BUILD_{variable}")]
}
