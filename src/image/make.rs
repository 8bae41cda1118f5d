//! Makes images.

use super::{
    error::ImageError,
    format::Size,
    manifest::{ImageManifest, MadeImage},
    place::{base, check_place, checksum, old_images, with_end},
    request::ImageRequest,
    run::Runner,
    steps::ImageStep,
    work::{Work, programs},
};
use crossmerge_plan::{report, shown::Show};
use crossmerge_system::{
    exec::Interrupts,
    file::{self, Directory},
};
use nix::fcntl::{Flock, FlockArg};
use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Returns the steps as lines for the user. Writes nothing.
pub(crate) fn plan(request: &ImageRequest<'_>) -> Result<String, ImageError> {
    let work = Work::new(request)?;
    let mut text = String::new();
    for step in work.all_steps() {
        writeln!(text, "{}", step.to_text()).expect("a String takes all text");
    }
    Ok(text)
}

/// Checks whether images could be made of a root that does not exist yet.
pub(crate) fn check(request: &ImageRequest<'_>) -> Result<(), ImageError> {
    let base = base(request)?;
    let manifest = with_end(&base, "json");
    let old = old_images(&manifest)?;
    programs(request, &None)?;
    { request.formats.iter() }
        .try_for_each(|format| check_place(&with_end(&base, format.name()), &old, &manifest))
}

/// Makes the images. Returns their manifest and its path.
pub(crate) fn images(request: &ImageRequest<'_>) -> Result<(PathBuf, ImageManifest), ImageError> {
    let mut work = Work::new(request)?;
    let lock = lock(&work.tree.path)?;
    work.check_space()?;
    let clear = |path: &Path| file::remove_all(path).map_err(ImageError::write(path));
    clear(&work.work)?;
    let made = work.make(&lock);
    // A failure is reported before a file that cannot be removed, which the next run removes.
    let cleared = clear(&work.work);
    made?;
    cleared?;
    Ok((work.manifest_path, work.manifest))
}

impl Work<'_> {
    /// Carries out the steps.
    fn make(&mut self, lock: &Flock<File>) -> Result<(), ImageError> {
        // Other users may be able to write to the directory in which this one is.
        let (directory, name) = Directory::of(&self.work, &mut Vec::new())?;
        directory.directory(name, 0o700)?;
        let runner = Runner {
            env: self.request.env,
            interrupts: Interrupts::new()?,
            lock,
            log: self.work.join("log"),
            tree: &self.tree,
            programs: &self.programs,
        };
        if self.needs_copy() {
            let steps = self.making().steps_of_copy();
            runner.run_all(&steps, "the copy of the root")?;
        }
        let (mut finished, mut renames) = (Vec::new(), Vec::new());
        for (format, place) in &self.images {
            let image = self.made_at(*format, place);
            runner.run_all(&self.steps_of(*format, place), format.name())?;
            let placing = self.placing(*format, place);
            if let Some(device) = &self.device {
                if let Some(write) = placing {
                    let bytes = fs::metadata(&image)
                        .map_err(ImageError::read(&image))?
                        .len();
                    self.check_size(*format, bytes, device.bytes)?;
                    runner.run_all(&[write], format.name())?;
                }
                report::note(&format!("{} {}", device.path.shown(), format.name()));
                continue;
            }
            let made = self.made(&image, format.name())?;
            if let Some(Size(limit)) = self.request.size {
                self.check_size(*format, made.bytes, limit)?;
            }
            renames.extend(placing);
            finished.push((place.clone(), made));
        }
        if let Some(disk) = &self.disk {
            runner.run_all(&disk.steps(&self.making()), "the disk")?;
            for (image, place) in disk.made(&self.work)? {
                check_place(&place, &self.old, &self.manifest_path)?;
                finished.push((place.clone(), self.made(&image, disk.program())?));
                renames.push(ImageStep::Rename { image, place });
            }
        }
        let kept = std::mem::take(&mut self.old).into_iter();
        let beside = self.manifest_path.parent().unwrap_or(Path::new("/"));
        let kept = kept.filter(|(name, _)| beside.join(name).exists());
        self.manifest.images = kept.collect();
        for (place, made) in &finished {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            self.manifest.images.insert(name.into(), made.clone());
        }
        if self.device.is_none() {
            // First, since an image that is not listed is not replaced by the next run.
            file::replace_text(&self.manifest_path, &self.manifest.to_text())?;
        }
        runner.run_all(&renames, "the images")
    }

    fn made(&self, image: &Path, format: &str) -> Result<MadeImage, ImageError> {
        let (bytes, sha256) = checksum(image).map_err(ImageError::read(image))?;
        Ok(MadeImage {
            format: format.into(),
            bytes,
            sha256,
            time: self.manifest.time,
            files_sha256: self.manifest.files_sha256.clone(),
        })
    }
}

/// Locks the root against other runs. The lock ends with the processes that have the file open.
fn lock(root: &Path) -> Result<Flock<File>, ImageError> {
    let directory = File::open(root).map_err(ImageError::read(root))?;
    Flock::lock(directory, FlockArg::LockExclusiveNonblock)
        .map_err(|_| ImageError::Locked(root.into()))
}
