//! Decides what is done for images, before anything is written.

use super::{
    disk::Disk,
    error::ImageError,
    ext4::Ext4Size,
    format::Format,
    manifest::{ImageManifest, MadeImage, VERSION},
    packages::{kernels, packages},
    place::{Device, absolute, base, check_place, device, old_images, with_end},
    request::ImageRequest,
    steps::{ImageStep, Making},
    tree::RootTree,
};
use crate::{context::Context, distribution::Distribution};
use crossmerge_plan::{
    env::{self, Env},
    plan::Plan,
    report,
    shown::Show,
    tuple::Tuple,
};
use crossmerge_system::{
    exec,
    file::{self, Tree, waiting},
    search, user,
};
use nix::sys::statvfs::statvfs;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The directories of programs for root.
const ROOTS_PROGRAMS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// What is decided before anything is written.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) request: &'a ImageRequest<'a>,
    pub(super) tree: RootTree,
    pub(super) manifest: ImageManifest,
    pub(super) programs: BTreeMap<&'static str, PathBuf>,
    /// PATH for the programs: see [`Making::path`].
    path: OsString,
    /// The images, each with its place.
    pub(super) images: Vec<(Format, PathBuf)>,
    pub(super) disk: Option<Disk<'a>>,
    /// The device that is written to.
    pub(super) device: Option<Device>,
    /// The manifest's place.
    pub(super) manifest_path: PathBuf,
    /// The images of earlier runs.
    pub(super) old: BTreeMap<String, MadeImage>,
    /// The directory for what is not finished.
    pub(super) work: PathBuf,
}

impl<'a> Work<'a> {
    pub(super) fn new(request: &'a ImageRequest<'a>) -> Result<Self, ImageError> {
        let count = check_options(request)?;
        let tree = RootTree::read(request.root)?;
        let base = base(request)?;
        let device = device(request, &base, count)?;
        if let (None, true) = (&device, base.is_dir() && request.output.is_some()) {
            return Err(ImageError::IsDirectory(base));
        }
        let disk = Disk::of(request, &base)?;
        let programs = programs(request, &disk)?;
        // The manifest of a device stands beside the root.
        let base = match &device {
            Some(_) => absolute(request.root),
            None => base,
        };
        let manifest_path = with_end(&base, "json");
        let parent = base.parent().unwrap_or(Path::new("/"));
        if file::canonical(parent).starts_with(&tree.path) {
            return Err(ImageError::Inside(base));
        }
        let mut images: Vec<(Format, PathBuf)> = Vec::new();
        for format in request.formats {
            let image = (*format, with_end(&base, format.name()));
            if !images.contains(&image) {
                images.push(image);
            }
        }
        let root = Tree::open_to_read(&tree.path)?;
        let manifest = manifest(request, &tree, &root)?;
        let work = Self {
            manifest,
            work: waiting(&with_end(&base, "files")),
            old: old_images(&manifest_path)?,
            path: path(request.env),
            request,
            tree,
            programs,
            images,
            disk,
            device,
            manifest_path,
        };
        work.check()?;
        Ok(work)
    }

    /// Checks what can be known before anything is written.
    fn check(&self) -> Result<(), ImageError> {
        for (format, place) in &self.images {
            if self.request.label.is_some() && !matches!(format, Format::Ext4 | Format::Erofs) {
                return Err(ImageError::Option {
                    option: "--label",
                    format: format.name().into(),
                });
            }
            if self.device.is_none() {
                check_place(place, &self.old, &self.manifest_path)?;
            }
            if let (Format::Ext4, Some(limit)) = (format, self.limit()) {
                self.check_size(*format, Ext4Size::least(&self.tree).bytes(), limit)?;
            }
        }
        if let Some(disk) = &self.disk {
            disk.check(self.request.label.is_some(), self.request.size.is_some())?;
            if let Some(place) = disk.place() {
                check_place(place, &self.old, &self.manifest_path)?;
            }
        }
        let sockets = self.tree.sockets();
        let sockets: Vec<String> = sockets.map(|path| path.shown().to_string()).collect();
        if !sockets.is_empty() {
            let sockets = sockets.join(", ");
            report::note(&format!("warning: sockets are not copied: {sockets}"));
        }
        let is_cpio = |(format, _): &(Format, _)| matches!(format, Format::Cpio(_));
        if self.images.iter().any(is_cpio) {
            let programs = self.tree.with_capabilities()?;
            let programs: Vec<String> = { programs.iter() }
                .map(|path| path.shown().to_string())
                .collect();
            if !programs.is_empty() {
                let programs = programs.join(", ");
                report::note(&format!(
                    "warning: the cpio archive does not contain the capabilities of {programs}"
                ));
            }
        }
        // The kernel lets no root of a user namespace make a device.
        match self.tree.devices().next() {
            Some(device) if self.needs_copy() && !user::acts_for_system() => {
                Err(ImageError::DeviceFile(self.tree.path.join(device)))
            }
            _ => Ok(()),
        }
    }

    /// Returns the step that moves a finished image to its place. `None` if mke2fs has written to the device itself.
    pub(super) fn placing(&self, format: Format, place: &Path) -> Option<ImageStep> {
        let image = self.made_at(format, place);
        match &self.device {
            None => Some(ImageStep::Rename {
                image,
                place: place.into(),
            }),
            Some(device) if device.path == image => None,
            Some(device) => Some(ImageStep::Write {
                image,
                device: device.path.clone(),
            }),
        }
    }

    /// Returns the size that the image may have, in bytes.
    pub(super) fn limit(&self) -> Option<u64> {
        let device = self.device.as_ref().map(|device| device.bytes);
        device.or(self.request.size.map(|size| size.0))
    }

    pub(super) fn check_size(
        &self,
        format: Format,
        needed: u64,
        size: u64,
    ) -> Result<(), ImageError> {
        if needed <= size {
            return Ok(());
        }
        Err(ImageError::TooSmall {
            format: format.name(),
            what: match &self.device {
                Some(device) => format!("`{}`", device.path.shown()),
                None => "the image".into(),
            },
            needed: needed.div_ceil(1024),
            size: size >> 10,
        })
    }

    pub(super) fn making(&self) -> Making<'_> {
        Making {
            programs: &self.programs,
            root: &self.tree.path,
            work: &self.work,
            time: self.manifest.time,
            checksum: &self.manifest.files_sha256,
            needs_init: self.tree.needs_init(),
            label: self.request.label,
            path: &self.path,
            options: self.request.options,
        }
    }

    pub(super) fn needs_copy(&self) -> bool {
        self.disk.is_some() || self.images.iter().any(|(format, _)| format.needs_copy())
    }

    pub(super) fn ext4_size(&self) -> Ext4Size {
        match self.limit() {
            Some(limit) => Ext4Size::filling(&self.tree, limit),
            None => Ext4Size::of(&self.tree),
        }
    }

    /// Returns the path at which an image is made. mke2fs writes to a device itself, because a copy would not make the
    /// unused blocks empty.
    pub(super) fn made_at(&self, format: Format, place: &Path) -> PathBuf {
        match &self.device {
            Some(device) if format == Format::Ext4 => device.path.clone(),
            _ => self.work.join(place.file_name().unwrap_or_default()),
        }
    }

    pub(super) fn steps_of(&self, format: Format, place: &Path) -> Vec<ImageStep> {
        let image = self.made_at(format, place);
        self.making().steps(format, &image, self.ext4_size())
    }

    /// Returns all steps in their order.
    pub(super) fn all_steps(&self) -> Vec<ImageStep> {
        let mut steps = Vec::new();
        if self.needs_copy() {
            steps.extend(self.making().steps_of_copy());
        }
        let mut renames = Vec::new();
        for (format, place) in &self.images {
            steps.extend(self.steps_of(*format, place));
            renames.extend(self.placing(*format, place));
        }
        if let Some(disk) = &self.disk {
            steps.extend(disk.steps(&self.making()));
            renames.extend(disk.renames(&self.work));
        }
        steps.extend(renames);
        steps
    }

    /// Checks the free space for the copy and the images.
    pub(super) fn check_space(&self) -> Result<(), ImageError> {
        let bytes = self.tree.bytes();
        let copy = if self.needs_copy() { bytes } else { 0 };
        let images = self.images.iter().map(|(format, _)| match format {
            Format::Ext4 if self.device.is_some() => 0,
            // The unused blocks take no space in a file.
            Format::Ext4 => Ext4Size::least(&self.tree).bytes(),
            Format::Cpio(Some(_)) => bytes + bytes / 2,
            Format::Cpio(None) | Format::Tar(None) => bytes,
            _ => bytes / 2,
        });
        let disk = if self.disk.is_some() { 2 * bytes } else { 0 };
        let needed = copy + images.sum::<u64>() + disk;
        let parent = self.work.parent().unwrap_or(Path::new("/"));
        let space = statvfs(parent).map_err(|e| ImageError::read(parent)(e.into()))?;
        let free = space.blocks_available() * space.fragment_size();
        if free >= needed {
            return Ok(());
        }
        Err(ImageError::Space {
            directory: parent.into(),
            free: free >> 20,
            needed: needed.div_ceil(1 << 20),
        })
    }
}

/// Checks the options that depend on the number of images. Returns that number.
fn check_options(request: &ImageRequest<'_>) -> Result<usize, ImageError> {
    let images = request.count();
    if images == 0 {
        return Err(ImageError::NoFormat);
    }
    for (option, is_given) in [
        ("--size", request.size.is_some()),
        ("--label", request.label.is_some()),
        ("--", !request.options.is_empty()),
    ] {
        if is_given && images > 1 {
            return Err(ImageError::OneImage { option, images });
        }
    }
    Ok(images)
}

/// Makes the manifest, without the images.
fn manifest(
    request: &ImageRequest<'_>,
    tree: &RootTree,
    root: &Tree,
) -> Result<ImageManifest, ImageError> {
    let packages = packages(root).map_err(ImageError::read(&tree.path))?;
    let newest = packages.iter().map(|package| package.build_time).max();
    let newest = newest.filter(|time| *time > 0);
    let time = time(request.env, || newest.unwrap_or_else(|| tree.newest()))?;
    let tuple = match request.tuple {
        Some(tuple) => Some(tuple.to_string()),
        None => {
            // Packages that only have files for every target have the CHOST of the machine that made them.
            let many = |chost: &str| packages.iter().filter(|it| it.chost == chost).count();
            let chosts = packages.iter().map(|package| &package.chost);
            let chosts = chosts.filter(|chost| !chost.is_empty());
            chosts.max_by_key(|chost| many(chost)).cloned()
        }
    };
    Ok(ImageManifest {
        version: VERSION,
        compiler: tuple.as_deref().and_then(|tuple| compiler(request, tuple)),
        tuple,
        time,
        files_sha256: tree.checksum(),
        images: BTreeMap::new(),
        kernels: kernels(root).map_err(ImageError::read(&tree.path))?,
        packages,
    })
}

/// Finds the programs.
pub(super) fn programs(
    request: &ImageRequest<'_>,
    disk: &Option<Disk<'_>>,
) -> Result<BTreeMap<&'static str, PathBuf>, ImageError> {
    let mut names: BTreeSet<&str> = ["cp", "sh"].into();
    names.extend(request.formats.iter().flat_map(|format| format.programs()));
    names.extend(disk.iter().map(Disk::program));
    let find = |name: &'static str| match search::find_program(request.env, OsStr::new(name)) {
        Ok(path) => Ok((name, path)),
        Err(_) => ROOTS_PROGRAMS
            .iter()
            .map(|directory| Path::new(directory).join(name))
            .find(|path| file::is_executable(path))
            .map(|path| (name, path))
            .ok_or_else(|| ImageError::NoProgram {
                program: name,
                hint: Distribution::of(request.env, &request.config.broot).hint(name),
            }),
    };
    names.into_iter().map(find).collect()
}

fn path(env: &Env) -> OsString {
    let usual = OsStr::new("/usr/bin:/bin");
    let mut path = env.get(env::PATH).unwrap_or(usual).to_owned();
    for directory in ROOTS_PROGRAMS {
        path.push(":");
        path.push(directory);
    }
    path
}

/// Returns SOURCE_DATE_EPOCH, or the time that is used without it.
fn time(env: &Env, usual: impl FnOnce() -> u64) -> Result<u64, ImageError> {
    let Some(value) = env.get(env::SOURCE_DATE_EPOCH) else {
        return Ok(usual());
    };
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| ImageError::BadTime(value.into()))
}

/// Returns the first line that the target's compiler prints about itself.
fn compiler(request: &ImageRequest<'_>, tuple: &str) -> Option<String> {
    let tuple = Tuple::from_os(OsStr::new(tuple)).ok()?;
    let context = Context::new(request.env.clone(), request.config.clone(), tuple).ok()?;
    let (_, compiler) = context.compiler()?;
    let output = exec::ask(&Plan {
        program: compiler,
        args: vec!["--version".into()],
        ..Plan::default()
    });
    let text = String::from_utf8_lossy(&output.ok()?.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}
