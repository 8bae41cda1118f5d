//! The kernel that a board starts, with its device tree and the modules that it needs for the disks.

use super::{
    error::BootError,
    image::{ImageKind, kernel_module},
    request::BootRequest,
};
use crate::{context::Context, target::Board};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// The beginnings of the names under which the kernel's `make install` and distributions install the image.
const INSTALLED: [&str; 2] = ["vmlinuz", "vmlinux"];

/// A kernel.
#[derive(Debug)]
pub(super) struct Kernel {
    /// The file that QEMU starts.
    pub(super) image: PathBuf,
    /// The file of the device tree, if the board needs one.
    pub(super) dtb: Option<PathBuf>,
    /// The modules for the disks that the kernel lacks, in the order in which they have to be loaded.
    pub(super) modules: Vec<PathBuf>,
}

impl Kernel {
    /// Finds the kernel: the given one, that of the target's file, or an installed one in the root or the sysroot.
    pub(super) fn find(
        context: &Context,
        request: &BootRequest,
        board: &Board,
        kind: &ImageKind,
    ) -> Result<Self, BootError> {
        let settings = &context.settings;
        let configured = settings.boot.kernel.as_ref();
        let configured = configured.or(settings.kernel.tree.as_ref());
        let image = match request.kernel.as_ref().or(configured) {
            Some(kernel) => of_path(kernel, board)?,
            None => {
                let roots = [
                    matches!(kind, ImageKind::Directory { .. }).then(|| request.image.clone()),
                    Some(context.sysroot()),
                ];
                let mut roots = roots.iter().flatten();
                let found = roots.find_map(|root| installed(&root.join("boot")));
                found.ok_or_else(|| BootError::NoKernel {
                    tuple: context.tuple.clone(),
                    goals: board.goals.clone(),
                    image: board.image.clone(),
                })?
            }
        };
        let dtb = match (&request.dtb, &board.dtb) {
            (Some(dtb), _) => Some(dtb.clone()),
            (None, Some(name)) => {
                Some(
                    device_tree(&image, name).ok_or_else(|| BootError::NoDeviceTree {
                        kernel: image.clone(),
                        name: name.clone(),
                        machine: board.machine.clone(),
                    })?,
                )
            }
            (None, None) => None,
        };
        let modules = modules(&image, board).map_err(BootError::Image)?;
        if let (false, None, Some(module)) = (kind.is_initramfs(), &request.initrd, modules.last())
        {
            return Err(BootError::Modular {
                kernel: image,
                module: module.clone(),
            });
        }
        Ok(Self {
            image,
            dtb,
            modules,
        })
    }
}

/// Returns the image at a path, which may be the directory in which the kernel was built.
fn of_path(kernel: &Path, board: &Board) -> Result<PathBuf, BootError> {
    let metadata = fs_err::metadata(kernel).map_err(BootError::Image)?;
    if !metadata.is_dir() {
        return Ok(kernel.into());
    }
    let built = kernel.join(&board.image);
    match built.is_file() {
        true => Ok(built),
        false => installed(kernel).ok_or_else(|| BootError::NotBuilt {
            directory: kernel.into(),
            image: board.image.clone(),
            goals: board.goals.clone(),
        }),
    }
}

/// Returns the newest image in a directory such as `/boot`.
fn installed(directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    let images = entries.filter(|entry| {
        let name = entry.file_name();
        INSTALLED
            .iter()
            .any(|beginning| name.to_string_lossy().starts_with(beginning))
    });
    let files = images.filter(|entry| entry.path().is_file());
    let newest = files.max_by_key(|entry| {
        let time = entry.metadata().and_then(|metadata| metadata.modified());
        (time.ok(), entry.file_name())
    });
    newest.map(|entry| entry.path())
}

/// Returns the version at the end of the name of an installed kernel.
fn version(image: &Path) -> Option<&str> {
    let name = image.file_name()?.to_str()?;
    Some(name.split_once('-')?.1)
}

/// Finds the device tree that was built or installed with a kernel. Since Linux 6.5 those of 32-bit Arm are in
/// directories by vendor.
fn device_tree(image: &Path, name: &str) -> Option<PathBuf> {
    let beside = image.parent()?;
    let mut places = vec![beside.join("dts"), beside.into()];
    if let Some(version) = version(image) {
        places.push(beside.join("dtbs").join(version));
        let root = beside.parent().unwrap_or(beside);
        places.push(root.join(format!("usr/lib/linux-image-{version}")));
    }
    for place in places {
        let below = std::fs::read_dir(&place).into_iter().flatten().flatten();
        let below = below.map(|entry| entry.path().join(name));
        let mut files = [place.join(name)].into_iter().chain(below);
        if let Some(file) = files.find(|file| file.is_file()) {
            return Some(file);
        }
    }
    None
}

/// Returns the modules for the disks, with those that they depend on first. A module without a file is built in, or the
/// kernel's modules are not installed beside it.
fn modules(image: &Path, board: &Board) -> io::Result<Vec<PathBuf>> {
    let root = image.parent().and_then(Path::parent);
    let directory = version(image)
        .and_then(|version| Some(root?.join("lib/modules").join(version).join("kernel")))
        .filter(|directory| directory.is_dir());
    let Some(directory) = directory else {
        return Ok(Vec::new());
    };
    let mut files = BTreeMap::new();
    gather(&directory, &mut files)?;
    let mut modules = Vec::new();
    for name in board.bus.modules() {
        add(name, &files, &mut modules)?;
    }
    Ok(modules)
}

/// Collects the modules below a directory, by name. `-` and `_` are the same in the name of a module.
fn gather(directory: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            gather(&path, files)?;
        } else if path.extension() == Some(OsStr::new("ko")) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            files.insert(stem.replace('-', "_"), path);
        }
    }
    Ok(())
}

/// Adds a module behind those that it depends on.
fn add(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    modules: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let Some(file) = files.get(&name.replace('-', "_")) else {
        return Ok(());
    };
    if modules.contains(file) {
        return Ok(());
    }
    let content = kernel_module(file).map_err(io::Error::other)?;
    for dependency in dependencies(&content) {
        add(dependency, files, modules)?;
    }
    modules.push(file.clone());
    Ok(())
}

/// Returns the names in the field `depends` of a module's information.
fn dependencies(module: &[u8]) -> Vec<&str> {
    const FIELD: &[u8] = b"\0depends=";
    let Some(at) = memchr::memmem::find(module, FIELD) else {
        return Vec::new();
    };
    let rest = &module[at + FIELD.len()..];
    let end = memchr::memchr(0, rest).unwrap_or(rest.len());
    let names = std::str::from_utf8(&rest[..end]).unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_loaded_behind_those_that_they_depend_on() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, depends: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            let text = format!("\x7fELF\0license=GPL\0depends={depends}\0retpoline=Y\0");
            std::fs::write(path, text).expect("a file");
        };
        write("block/virtio_blk.ko", "virtio-ring,virtio");
        write("virtio/virtio_ring.ko", "virtio");
        write("virtio/virtio.ko", "");
        write("virtio/other.ko", "virtio_blk");
        let mut files = BTreeMap::new();
        gather(directory.path(), &mut files).expect("a directory");
        let mut modules = Vec::new();
        for name in ["virtio_blk", "virtio_ring", "virtio_mmio"] {
            add(name, &files, &mut modules).expect("files");
        }
        let names: Vec<_> = modules.iter().filter_map(|path| path.file_stem()).collect();
        assert_eq!(names, ["virtio", "virtio_ring", "virtio_blk"]);
    }

    #[test]
    fn the_newest_installed_kernel_and_its_device_tree_are_found() {
        let directory = tempfile::tempdir().expect("a directory");
        let boot = directory.path().join("boot");
        std::fs::create_dir_all(boot.join("dtbs/6.1/arm")).expect("a directory");
        for name in ["config-6.1", "System.map", "dtbs/6.1/arm/board.dtb"] {
            std::fs::write(boot.join(name), "").expect("a file");
        }
        assert_eq!(installed(&boot), None);
        for name in ["vmlinuz-6.0", "vmlinuz-6.1"] {
            std::fs::write(boot.join(name), "").expect("a file");
        }
        let kernel = installed(&boot).expect("a kernel");
        assert_eq!(kernel, boot.join("vmlinuz-6.1"));
        let dtb = device_tree(&kernel, "board.dtb").expect("a device tree");
        assert_eq!(dtb, boot.join("dtbs/6.1/arm/board.dtb"));
        assert_eq!(device_tree(&kernel, "other.dtb"), None);
    }
}
