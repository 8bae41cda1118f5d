//! The context itself: the environment, the configuration, and the results of lookups that are made once.

use super::{error::ContextError, portage::Portage};
use crate::{
    config::{Config, TargetConfig},
    target::Target,
};
use crossmerge_plan::{
    env::{self, Env},
    tuple::Tuple,
};
use crossmerge_portage::{SettingsReader, error::SettingsError};
use once_cell::unsync::OnceCell;
use std::path::{Path, PathBuf};

/// Everything known about this invocation other than its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment.
    pub env: Env,
    /// The configuration.
    pub config: Config,
    /// The configuration of the target.
    pub settings: TargetConfig,
    /// The tuple of the target.
    pub tuple: Tuple,
    pub(super) portageq: OnceCell<Option<PathBuf>>,
    pub(super) reader: OnceCell<Result<SettingsReader, SettingsError>>,
    pub(super) portage: OnceCell<Portage>,
    pub(super) target: OnceCell<Target>,
    pub(super) has_profile: OnceCell<bool>,
    pub(super) machine_of_cc: OnceCell<Option<String>>,
}

impl Context {
    /// Creates the context and reads the configuration of the tuple.
    pub fn new(mut env: Env, config: Config, tuple: Tuple) -> Result<Self, ContextError> {
        forget_another_target(&mut env, &config, &tuple)?;
        let settings = config.target(&tuple)?;
        Ok(Self {
            env,
            config,
            settings,
            tuple,
            portageq: OnceCell::new(),
            reader: OnceCell::new(),
            portage: OnceCell::new(),
            target: OnceCell::new(),
            has_profile: OnceCell::new(),
            machine_of_cc: OnceCell::new(),
        })
    }
}

/// Removes SYSROOT and the paths derived from it if they belong to another target, as in a shell that evaluated the
/// output of `<tuple>-env` or `export env`. A tool of this target would otherwise search the other one's sysroot.
/// CHOST names the target to which they belong.
fn forget_another_target(
    env: &mut Env,
    config: &Config,
    tuple: &Tuple,
) -> Result<(), ContextError> {
    let (Some(chost), Some(sysroot)) = (env.get(env::CHOST), env.get(env::SYSROOT)) else {
        return Ok(());
    };
    let Some(other) = chost.to_str().filter(|chost| *chost != tuple.as_str()) else {
        return Ok(());
    };
    let Ok(other) = other.parse::<Tuple>() else {
        return Ok(());
    };
    let usual = || config.default_sysroot(&other);
    let sysroot = PathBuf::from(sysroot);
    if config.target(&other)?.sysroot.unwrap_or_else(usual) != sysroot {
        return Ok(());
    }
    for place in [env::ROOT, env::PORTAGE_CONFIGROOT, env::ESYSROOT] {
        // Comparing paths ignores a trailing slash.
        if env
            .get(place)
            .is_some_and(|value| Path::new(value) == sysroot)
        {
            env.unset(place);
        }
    }
    env.unset(env::SYSROOT);
    Ok(())
}
