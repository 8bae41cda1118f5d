//! `farm`: compiler caches, compile servers and hosts of binary packages for a target.
//!
//! crossmerge has no scheduler and no server of its own. It sets up the programs that Portage knows: ccache, distcc and
//! icecream, and Portage's binary package hosts.

pub(crate) mod binhost;
mod compilers;
mod error;
mod hosts;
mod links;
mod problem;
mod status;

pub(crate) use compilers::{CompilerRequest, remove_links};
pub use error::FarmError;
pub(crate) use problem::problems;
pub(crate) use status::Status;
