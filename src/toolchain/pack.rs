//! Packing a finished toolchain, to take it to another machine: as binary packages for Portage, or as an archive that
//! needs none; and unpacking both.
//!
//! An archive contains the files of the toolchain's packages below `usr` of Portage's prefix, in a directory named after the
//! tuple. GCC and binutils find their own parts and the sysroot relative to their programs, so the directory may stand
//! anywhere. What does not follow them is changed when the archive is made ([`tree`]), and text files when it is unpacked.

mod archive;
mod error;
mod finished;
mod make;
mod manifest;
mod needs;
mod packages;
mod place;
mod relocate;
mod tree;
mod unpack;

pub(crate) use error::PackError;
pub(crate) use make::{PackRequest, pack};
pub(crate) use manifest::Manifest;
pub(crate) use packages::{manifest_of as manifest_of_packages, unpack as unpack_packages};
pub(crate) use unpack::{Unpacked, default_directory, unpack as unpack_archive};
