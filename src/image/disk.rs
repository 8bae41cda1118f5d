//! Disks with partitions, made by genimage or systemd-repart from the user's own configuration.

use super::{
    error::ImageError,
    request::ImageRequest,
    steps::{ImageStep, Making},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The name of a disk that is not finished.
const RAW: &str = "raw";

/// A disk to make.
#[derive(Debug)]
pub(super) enum Disk<'a> {
    /// genimage, which may make several files. Those that its configuration takes as input are searched beside it.
    Genimage {
        configuration: &'a Path,
        /// The directory of the results.
        output: PathBuf,
    },
    /// systemd-repart, which makes one file.
    Repart {
        definitions: &'a Path,
        place: PathBuf,
    },
}

impl<'a> Disk<'a> {
    /// Returns the disk of a request, if it asks for one.
    pub(super) fn of(request: &ImageRequest<'a>, base: &Path) -> Result<Option<Self>, ImageError> {
        let no_configuration = |path: &Path, source| ImageError::NoConfiguration {
            path: path.into(),
            source,
        };
        if let Some(configuration) = request.genimage {
            fs::File::open(configuration).map_err(|e| no_configuration(configuration, e))?;
            return Ok(Some(Self::Genimage {
                configuration,
                output: base.parent().unwrap_or(Path::new("/")).into(),
            }));
        }
        let Some(definitions) = request.repart else {
            return Ok(None);
        };
        fs::read_dir(definitions).map_err(|e| no_configuration(definitions, e))?;
        let mut name = base.file_name().unwrap_or_default().to_owned();
        name.push(".raw");
        Ok(Some(Self::Repart {
            definitions,
            place: base.with_file_name(name),
        }))
    }

    /// The name of its program.
    pub(super) fn program(&self) -> &'static str {
        match self {
            Self::Genimage { .. } => "genimage",
            Self::Repart { .. } => "systemd-repart",
        }
    }

    /// Checks the options: both programs take label and size from the configuration.
    pub(super) fn check(&self, label: bool, size: bool) -> Result<(), ImageError> {
        for (option, is_given) in [("--label", label), ("--size", size)] {
            if is_given {
                return Err(ImageError::Option {
                    option,
                    format: format!("the configuration of {}", self.program()),
                });
            }
        }
        Ok(())
    }

    /// The place of the image, if it is known before.
    pub(super) fn place(&self) -> Option<&Path> {
        match self {
            Self::Genimage { .. } => None,
            Self::Repart { place, .. } => Some(place),
        }
    }

    /// Returns the steps.
    pub(super) fn steps(&self, making: &Making<'_>) -> Vec<ImageStep> {
        let root = making.copy().into_os_string();
        let mut args = match self {
            Self::Genimage {
                configuration,
                output,
            } => vec![
                "--rootpath".into(),
                root,
                "--tmppath".into(),
                making.work.join("tmp").into(),
                "--inputpath".into(),
                output.into(),
                "--outputpath".into(),
                results(making.work).into(),
                "--config".into(),
                configuration.into(),
            ],
            Self::Repart { definitions, .. } => {
                let option = |name: &str, value: &Path| {
                    let mut option = std::ffi::OsString::from(name);
                    option.push(value);
                    option
                };
                vec![
                    "--empty=create".into(),
                    "--size=auto".into(),
                    "--dry-run=no".into(),
                    format!("--seed={}", making.uuid(0)).into(),
                    option("--definitions=", definitions),
                    option("--root=", Path::new(&root)),
                    making.work.join(RAW).into(),
                ]
            }
        };
        let last = args.len() - usize::from(matches!(self, Self::Repart { .. }));
        args.splice(last..last, making.options.iter().cloned());
        vec![making.run(self.program(), args)]
    }

    /// Returns the renames, as far as they are known before.
    pub(super) fn renames(&self, work: &Path) -> Option<ImageStep> {
        let Self::Repart { place, .. } = self else {
            return None;
        };
        Some(ImageStep::Rename {
            image: work.join(RAW),
            place: place.clone(),
        })
    }

    /// Returns the images that were made, each with its place.
    pub(super) fn made(&self, work: &Path) -> Result<Vec<(PathBuf, PathBuf)>, ImageError> {
        let output = match self {
            Self::Repart { place, .. } => return Ok(vec![(work.join(RAW), place.clone())]),
            Self::Genimage { output, .. } => output,
        };
        let results = results(work);
        let mut made = Vec::new();
        for entry in fs::read_dir(&results).map_err(ImageError::read(&results))? {
            let entry = entry.map_err(ImageError::read(&results))?;
            made.push((entry.path(), output.join(entry.file_name())));
        }
        made.sort();
        match made.is_empty() {
            true => Err(ImageError::NoImage),
            false => Ok(made),
        }
    }
}

/// The directory in which genimage makes its images.
fn results(work: &Path) -> PathBuf {
    work.join("genimage")
}
