//! Binary packages that one machine builds and others install: what the serving machine needs, and what its clients
//! need.
//!
//! Portage makes, signs, fetches and verifies the packages, GnuPG keeps the keys, and any web server serves the
//! directory. `serve` and `client` decide on the settings, and write them as blocks of the target's make.conf and
//! binrepos.conf. Every target has its own keys (`keys`), so a client accepts the packages of one target only.

pub(crate) mod binrepos;
mod client;
mod error;
mod index;
pub(crate) mod keys;
mod serve;
mod settings;

pub(crate) use client::{UseRequest, location, stop_using, use_host};
pub(crate) use error::BinhostError;
pub(crate) use serve::{serve, stop_serving, unreadable};
pub(crate) use settings::{PackageSettings, mixture};
