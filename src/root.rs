//! Runtime roots: the directory trees that are copied to a device, or exported over NFS.
//!
//! [`RootFiles`] is one walk over a root. [`check`] compares it with the facts about the tuple, with the rules of the
//! dynamic linker and with Portage's database of installed packages. [`Sizes`] is the space that each package takes.
//! Both only read, never follow a symlink out of the root, and limit what they read of each file.

mod check;
mod error;
mod finding;
mod linker;
mod merged;
mod provider;
mod size;
mod walk;

pub(crate) use check::{CheckRequest, check};
pub(crate) use error::RootError;
pub(crate) use merged::tuple_of;
pub(crate) use size::Sizes;
