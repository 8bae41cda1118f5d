//! What images are asked for.

use super::format::{Format, Size};
use crate::config::Config;
use crossmerge_plan::{env::Env, tuple::Tuple};
use std::{ffi::OsString, path::Path};

/// The images to make.
#[derive(Debug)]
pub(crate) struct ImageRequest<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    /// The root as the user wrote it.
    pub(crate) root: &'a Path,
    pub(crate) formats: &'a [Format],
    /// genimage's configuration for a disk.
    pub(crate) genimage: Option<&'a Path>,
    /// The directory of systemd-repart's configuration for a disk.
    pub(crate) repart: Option<&'a Path>,
    /// The images' path without the ending, or a device. `None`: the path of the root.
    pub(crate) output: Option<&'a Path>,
    pub(crate) size: Option<Size>,
    pub(crate) label: Option<&'a str>,
    /// Whether a device may be written to.
    pub(crate) erase: bool,
    /// More arguments for the program that makes the one image.
    pub(crate) options: &'a [OsString],
    /// The target. `None`: the packages say it.
    pub(crate) tuple: Option<&'a Tuple>,
}

impl ImageRequest<'_> {
    /// The number of images, where a disk counts as one.
    pub(super) fn count(&self) -> usize {
        let disks = [self.genimage.is_some(), self.repart.is_some()];
        self.formats.len() + disks.into_iter().map(usize::from).sum::<usize>()
    }
}
