//! Runtime roots: the directory trees that are copied to a device, or exported over NFS.
//!
//! [`RootFiles`] is one walk over a root. [`check`] compares it with the facts about the tuple, with the rules of the
//! dynamic linker and with Portage's database of installed packages. [`Sizes`] is the space that each package takes.
//! Both only read, never follow a symlink out of the root, and limit what they read of each file.
//!
//! [`RootRequest`] is what a root is to contain. [`build`] makes it: a list of steps, as data, which can be printed, and
//! which the next run takes up again after an interruption. [`resolve`] is the list of packages that Portage would merge.
//! A stage is a root with the configuration for building packages itself.

mod build;
mod check;
mod command;
mod error;
mod finding;
mod linker;
mod merged;
mod provider;
mod record;
mod request;
mod resolve;
mod size;
mod stage;
mod step;
mod walk;

pub(crate) use build::{RootOutcome, build, to_text};
pub(crate) use check::{CheckRequest, check};
pub(crate) use error::RootError;
pub(crate) use finding::RootReport;
pub(crate) use merged::tuple_of;
pub(crate) use request::RootRequest;
pub(crate) use resolve::resolve;
pub(crate) use size::{Sizes, readable};
