//! What a person reads when something failed: the name we were called by, the situation, one hint, an exit code.

use crate::{
    adopt::AdoptError, applet::AppletError, argv0::NameError, config::ConfigError,
    context::ContextError, doctor::DoctorError, exec::ExecError, export::ExportError,
    fix_root::FixRootError, init::InitError, layer::LayerError, pkg_config::PkgConfigError,
    portage::PortageError, qemu::binfmt::BinfmtError, report::OWN_FAILURE, tuple::TupleError,
};
use std::io;

/// Any failure of ours. Each module says what happened; this collects them for `main`.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is a module's own error, documented there"
)]
pub enum Error {
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    #[error(transparent)]
    Applet(#[from] AppletError),
    #[error(transparent)]
    Binfmt(#[from] BinfmtError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Doctor(#[from] DoctorError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    FixRoot(#[from] FixRootError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Layer(#[from] LayerError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    PkgConfig(#[from] PkgConfigError),
    #[error(transparent)]
    Portage(#[from] PortageError),
    #[error(transparent)]
    Profile(#[from] crate::profile::ProfileError),
    #[error(transparent)]
    SiteCache(#[from] crate::site_cache::SiteCacheError),
    #[error(transparent)]
    Verify(#[from] crate::site_cache::verify::VerifyError),
    #[error(transparent)]
    Learn(#[from] crate::site_cache::learn::LearnError),
    #[error(transparent)]
    Tuple(#[from] TupleError),
    #[error("{message}")]
    Usage { message: String, hint: String },
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The line that says how to go on.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Adopt(e) => e.hint(),
            Self::Applet(e) => e.hint(),
            Self::Binfmt(e) => e.hint(),
            Self::Config(e) => e.hint(),
            Self::Context(e) => e.hint(),
            Self::Doctor(e) => e.hint(),
            Self::Exec(e) => e.hint(),
            Self::FixRoot(e) => return e.hint(),
            Self::Export(e) => e.hint(),
            Self::Init(e) => e.hint(),
            Self::Layer(e) => e.hint(),
            Self::Name(e) => e.hint(),
            Self::PkgConfig(e) => return e.hint(),
            Self::Portage(e) => e.hint(),
            Self::Profile(e) => e.hint(),
            Self::SiteCache(e) => e.hint(),
            Self::Verify(e) => e.hint(),
            Self::Learn(e) => e.hint(),
            Self::Tuple(e) => e.hint(),
            Self::Usage { hint, .. } => hint.clone(),
            Self::Output(_) => return None,
        })
    }

    /// 126 and 127 as shells have them, [`OWN_FAILURE`] for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Adopt(e) => e.exit_code(),
            Self::Applet(e) => e.exit_code(),
            Self::Context(e) => e.exit_code(),
            Self::Export(e) => e.exit_code(),
            Self::Init(e) => e.exit_code(),
            Self::Layer(e) => e.exit_code(),
            Self::Learn(e) => e.exit_code(),
            Self::PkgConfig(e) => e.exit_code(),
            Self::Verify(e) => e.exit_code(),
            Self::Exec(e) | Self::Portage(PortageError::Exec(e)) => e.exit_code(),
            _ => OWN_FAILURE,
        }
    }
}
