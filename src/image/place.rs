//! The places of images: files beside the root or elsewhere, or a device.

use super::{
    error::ImageError,
    manifest::{ImageManifest, MadeImage},
    request::ImageRequest,
};
use crossmerge_plan::words::hex;
use crossmerge_system::file::{self, read};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// A block device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// Returns the images' path without the ending.
pub(super) fn base(request: &ImageRequest<'_>) -> Result<PathBuf, ImageError> {
    let base = absolute(request.output.unwrap_or(request.root));
    match base.file_name() {
        None => Err(ImageError::IsDirectory(base)),
        Some(_) => Ok(base),
    }
}

/// Returns an absolute path without `.` and a slash at the end.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    file::without_dots(&path)
}

pub(super) fn with_end(base: &Path, end: &str) -> PathBuf {
    let mut name = base.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(end);
    base.with_file_name(name)
}

/// Opens the device, if the output is one, to know its size and whether it is in use.
pub(super) fn device(
    request: &ImageRequest<'_>,
    path: &Path,
    images: usize,
) -> Result<Option<Device>, ImageError> {
    let is_device = fs::metadata(path).is_ok_and(|it| it.file_type().is_block_device());
    if !is_device {
        return Ok(None);
    }
    if images != 1 || request.formats.is_empty() {
        return Err(ImageError::OneImage {
            option: "--output DEVICE",
            images,
        });
    }
    if !request.erase {
        return Err(ImageError::Device(path.into()));
    }
    // Without O_CREAT, O_EXCL refuses a device that is mounted or part of another (open(2)).
    let mut options = File::options();
    let options = options.write(true).custom_flags(nix::libc::O_EXCL);
    let in_use = |source| ImageError::DeviceInUse {
        path: path.into(),
        source,
    };
    let mut file = options.open(path).map_err(in_use)?;
    let bytes = io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(ImageError::read(path))?;
    Ok(Some(Device {
        path: path.into(),
        bytes,
    }))
}

/// Reads the images of earlier runs. Another file with the manifest's name is an error.
pub(super) fn old_images(path: &Path) -> Result<BTreeMap<String, MadeImage>, ImageError> {
    match read::read_to_string(path, read::CONTENTS) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(e) => Err(ImageError::read(path)(e)),
        Ok(text) => match ImageManifest::parse(&text) {
            Some(manifest) => Ok(manifest.images),
            None => Err(ImageError::Exists {
                path: path.into(),
                manifest: path.into(),
            }),
        },
    }
}

/// Checks that a file at an image's place may be replaced.
pub(super) fn check_place(
    place: &Path,
    old: &BTreeMap<String, MadeImage>,
    manifest: &Path,
) -> Result<(), ImageError> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    match fs::symlink_metadata(place) {
        Ok(there) if there.is_dir() => Err(ImageError::IsDirectory(place.into())),
        Ok(_) if !old.contains_key(name.as_ref()) => Err(ImageError::Exists {
            path: place.into(),
            manifest: manifest.into(),
        }),
        _ => Ok(()),
    }
}

/// Returns the size and the checksum of a file.
pub(super) fn checksum(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hex(&sum.finalize()))),
            count => {
                sum.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

/// Copies an image to a device.
pub(super) fn write_to(image: &Path, device: &Path) -> Result<(), ImageError> {
    let mut from = File::open(image).map_err(ImageError::read(image))?;
    let to = File::options()
        .write(true)
        .custom_flags(nix::libc::O_EXCL)
        .open(device);
    let mut to = to.map_err(ImageError::write(device))?;
    io::copy(&mut from, &mut to)
        .and_then(|_| to.flush())
        .and_then(|()| to.sync_all())
        .map_err(ImageError::write(device))
}
