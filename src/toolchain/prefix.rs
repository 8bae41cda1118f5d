//! The prefix: a directory with a Portage and an ebuild repository of crossmerge's own, for a host without Gentoo.
//!
//! [`PrepareRequest::plan`] examines the host and the directory, and decides on a list of steps. [`PrepareRequest::run`]
//! does them under a lock. The record in the prefix is written first and marks the directory as crossmerge's. It is
//! complete only after the last step, so an interrupted run is continued by the next one.

mod error;
mod files;
mod needs;
mod place;
mod prepare;
mod remove;
mod sources;
mod step;

pub use error::PrefixError;
pub(super) use needs::check_programs;
pub use place::Prefix;
pub use prepare::{PreparePlan, PrepareRequest};
pub use remove::remove;
