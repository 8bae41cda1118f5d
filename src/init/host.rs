//! The settings of the host's Portage that a new target takes over.

use super::error::InitError;
use crate::context::Context;
use crossmerge_plan::tuple::Tuple;
use crossmerge_portage as portage;
use crossmerge_portage::{Repositories, Settings};

/// The settings and repositories of the host's Portage.
#[derive(Debug)]
pub(crate) struct HostPortage {
    pub(crate) settings: Settings,
    pub(crate) repositories: Repositories,
}

impl HostPortage {
    /// Reads them. Returns `None` without Portage.
    pub(crate) fn ask(context: &Context) -> Result<Option<Self>, InitError> {
        let Some(mut settings) = context.host_settings(portage::INIT)? else {
            return Ok(None);
        };
        let abis = settings["MULTILIB_ABIS"].split_whitespace();
        let abis: Vec<String> = abis.map(|abi| format!("CHOST_{abi}")).collect();
        let names: Vec<&str> = abis.iter().map(String::as_str).collect();
        if !names.is_empty() {
            settings.extend(context.host_settings(&names)?.unwrap_or_default());
        }
        let repositories = Repositories::parse(&settings["PORTAGE_REPOSITORIES"]);
        Ok(Some(Self {
            settings,
            repositories,
        }))
    }

    /// Refuses a tuple for which the host has native tools.
    pub(crate) fn check_foreign(&self, tuple: &Tuple) -> Result<(), InitError> {
        let native = self.settings.iter().find(|(name, value)| {
            (*name == "CBUILD" || name.starts_with("CHOST_")) && value.as_str() == tuple.as_str()
        });
        match native {
            None => Ok(()),
            Some((name, _)) => Err(InitError::Native {
                tuple: tuple.clone(),
                what: match name.strip_prefix("CHOST_") {
                    None => "the CBUILD".into(),
                    Some(abi) => format!("the CHOST of the ABI {abi}"),
                },
            }),
        }
    }
}
