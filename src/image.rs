//! Makes images of a root: file systems, archives and disks. Every image is written by an existing program.
//!
//! The same files make the same bytes. Times after SOURCE_DATE_EPOCH become that time, names are sorted, and the UUIDs
//! come from a checksum of the files. Programs that cannot change times get a copy of the root.
//!
//! Images are made in a directory beside their place and then renamed. A killed run leaves the old images, and the
//! next one removes what it left.

mod disk;
mod error;
mod ext4;
mod format;
mod make;
mod manifest;
mod packages;
mod place;
mod request;
mod run;
mod steps;
mod tree;
mod work;

pub(crate) use format::{Format, Size};
pub(crate) use make::{check, images, plan};
pub(crate) use manifest::ImageManifest;
pub(crate) use request::ImageRequest;
