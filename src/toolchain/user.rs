//! The user's settings for one toolchain, below `etc/portage/crossdev/<tuple>`: one file for each variable, whose text
//! replaces the option. Pure.

use super::{
    class::{Part, words},
    error::ToolchainError,
    host::ToolchainHost,
    request::ToolchainRequest,
};
use std::collections::BTreeMap;

/// The files that replace an option.
pub(crate) const SETTINGS: [&str; 11] = [
    "MULTILIB_ABIS",
    "USE",
    "BVER",
    "GVER",
    "KVER",
    "LVER",
    "DVER",
    "STAGE",
    "CFLAGS",
    "LDFLAGS",
    "ASFLAGS",
];

/// The file of further variables, in the format of make.conf.
pub(crate) const VARIABLES: &str = "env";

/// Applies the settings to a request. `variables` are those of the file [`VARIABLES`].
pub(crate) fn apply(
    settings: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
    request: &mut ToolchainRequest,
    host: &mut ToolchainHost,
) -> Result<(), ToolchainError> {
    host.variables.extend(variables.clone());
    for (name, text) in settings {
        let value = text.trim();
        let invalid = |expected| ToolchainError::Setting {
            name: name.clone(),
            value: value.into(),
            expected,
        };
        let part = match name.as_str() {
            "MULTILIB_ABIS" => {
                request.abis = words(value).collect();
                continue;
            }
            "USE" => {
                host.flags = words(value).collect();
                continue;
            }
            "STAGE" => match value.parse() {
                Ok(stage @ 0..=4) => {
                    request.stage = Some(stage);
                    continue;
                }
                _ => return Err(invalid("a stage, from 0 to 4")),
            },
            "BVER" => Part::Binutils,
            "GVER" => Part::Gcc,
            "KVER" => Part::Kernel,
            "LVER" => Part::Libc,
            "DVER" => Part::Gdb,
            flags => {
                host.variables.insert(flags.into(), value.into());
                continue;
            }
        };
        let version = value.parse().map_err(|()| invalid("a version"))?;
        request.parts.entry(part).or_default().version = Some(version);
    }
    Ok(())
}
