//! Archives, written and read by the system's tar.

use super::{
    error::PackError,
    manifest::{CHECKSUMS, Manifest, NAME},
    tree::walk,
};
use crate::{
    compressor::{COMPRESSORS, Compressor, XZ, ZSTD},
    distribution::Distribution,
};
use crossmerge_plan::{
    env::Env,
    plan::{Change, Changes, Plan},
};
use crossmerge_system::{exec, file::read, search};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The end of the name of an archive that is not compressed.
const PLAIN: &str = ".tar";

/// The place and the text of the name of the format in a tar archive.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// A kind of archive, and the tar that writes and reads it.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    tar: PathBuf,
    compressor: Option<&'static Compressor>,
}

/// Returns the end of the name of an archive: that of tar, and that of its compressor.
fn ends() -> impl Iterator<Item = (String, Option<&'static Compressor>)> {
    let compressed = COMPRESSORS.into_iter();
    let compressed = compressed.map(|it| (format!("{PLAIN}{}", it.end), Some(it)));
    compressed.chain([(PLAIN.to_owned(), None)])
}

/// Returns the compressor of the archive with this name. Returns `None` if no archive has such a name.
fn compressor_of(path: &Path) -> Option<Option<&'static Compressor>> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let found = ends().find(|(end, _)| name.ends_with(end.as_bytes()));
    found.map(|(_, compressor)| compressor)
}

/// Returns whether a name is that of an archive.
pub(super) fn is_name(path: &Path) -> bool {
    compressor_of(path).is_some()
}

/// Lists the ends of archives' names for the user.
pub(super) fn endings() -> String {
    let ends: Vec<String> = ends().map(|(end, _)| end).collect();
    ends.join(", ")
}

/// Returns the end of a new archive's name: that of the best compressor of zstd and xz that is installed.
pub(super) fn usual_end(env: &Env) -> String {
    match search::find_program(env, OsStr::new(ZSTD.program())) {
        Ok(_) => format!("{PLAIN}{}", ZSTD.end),
        Err(_) => format!("{PLAIN}{}", XZ.end),
    }
}

impl Archive {
    /// Decides how a new archive is written, by its name.
    pub(super) fn to_write(env: &Env, broot: &Path, path: &Path) -> Result<Self, PackError> {
        let compressor = compressor_of(path).ok_or_else(|| PackError::Name {
            name: path.into(),
            endings: endings(),
        })?;
        Self::new(env, broot, path, compressor)
    }

    /// Decides how an archive is read, by its first bytes.
    pub(super) fn to_read(env: &Env, broot: &Path, path: &Path) -> Result<Self, PackError> {
        let head = read::head(path, 512).map_err(PackError::read(path))?;
        let is_tar = head
            .get(TAR.0..)
            .is_some_and(|rest| rest.starts_with(TAR.1));
        let compressor = { COMPRESSORS.into_iter() }.find(|it| head.starts_with(it.magic));
        if compressor.is_none() && !is_tar {
            return Err(PackError::NotAnArchive {
                path: path.into(),
                why: "it does not begin as tar, zstd, xz or gzip do".into(),
            });
        }
        Self::new(env, broot, path, compressor)
    }

    /// The same archive at another path.
    pub(super) fn at(self, path: &Path) -> Self {
        Self {
            path: path.into(),
            ..self
        }
    }

    fn new(
        env: &Env,
        broot: &Path,
        path: &Path,
        compressor: Option<&'static Compressor>,
    ) -> Result<Self, PackError> {
        let find = |name: &'static str| {
            search::find_program(env, OsStr::new(name)).map_err(|_| PackError::NoProgram {
                program: name,
                install: Distribution::of(env, broot).install(name),
            })
        };
        if let Some(compressor) = compressor {
            find(compressor.program())?;
        }
        Ok(Self {
            path: path.into(),
            tar: find("tar")?,
            compressor,
        })
    }

    fn run(&self, what: &'static str, args: Vec<OsString>) -> Result<Vec<u8>, PackError> {
        let unset = ["TAR_OPTIONS", "XZ_OPT", "XZ_DEFAULTS", "GZIP"];
        let mut env: Changes = unset.map(|name| (name.into(), Change::Unset)).into();
        env.insert("LC_ALL".into(), Change::Set("C".into()));
        let plan = Plan {
            program: self.tar.clone(),
            args,
            env,
            ..Plan::default()
        };
        let output = exec::ask(&plan)?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(PackError::Failed {
                what,
                printed: first_line(&output.stderr),
            }),
        }
    }

    fn compression(&self) -> Vec<OsString> {
        match self.compressor {
            None => Vec::new(),
            Some(compressor) => vec!["-I".into(), compressor.command.into()],
        }
    }

    /// Writes the directory `tuple` in `directory` to the archive. The same files make the same archive: names are sorted,
    /// and owners, modes and times are always the same. The manifest is the first file, so that it can be read without the
    /// others.
    pub(super) fn write(&self, directory: &Path, tuple: &str, time: u64) -> Result<(), PackError> {
        let top = directory.join(tuple);
        let (names, empty) = walk(&top)?;
        let first = [NAME, CHECKSUMS].map(PathBuf::from);
        let others = names.keys().filter(|name| !first.contains(name));
        let mut text = Vec::new();
        for name in first.iter().chain(others).chain(&empty) {
            text.extend_from_slice(Path::new(tuple).join(name).as_os_str().as_bytes());
            text.push(0);
        }
        let names = directory.join("names");
        fs_err::write(&names, text).map_err(PackError::write(&names))?;
        let mut args: Vec<OsString> = vec!["--create".into()];
        args.extend(self.compression());
        let words = [
            "--format=gnu",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--mode=u=rwX,go=rX",
            "--no-recursion",
            "--null",
        ];
        args.extend(words.map(Into::into));
        args.push(format!("--mtime=@{time}").into());
        args.extend(["--directory".into(), directory.into()]);
        args.extend(["--files-from".into(), names.into()]);
        args.extend(["--file".into(), self.path.clone().into()]);
        self.run("writing the archive", args)?;
        Ok(())
    }

    /// Reads the manifest.
    pub(super) fn manifest(&self) -> Result<Manifest, PackError> {
        let mut args: Vec<OsString> = vec!["--extract".into(), "--to-stdout".into()];
        args.extend(self.compression_to_read());
        args.extend(["--file".into(), self.path.clone().into()]);
        args.extend(
            [
                "--occurrence=1",
                "--wildcards",
                "--no-wildcards-match-slash",
            ]
            .map(Into::into),
        );
        args.push(format!("*/{NAME}").into());
        let text = self
            .run("reading the archive", args)
            .map_err(|error| match error {
                PackError::Failed { printed, .. } if printed.contains("Not found in archive") => {
                    PackError::NoManifest(self.path.clone())
                }
                PackError::Failed { printed, .. } => PackError::NotAnArchive {
                    path: self.path.clone(),
                    why: printed,
                },
                error => error,
            })?;
        Manifest::parse(&String::from_utf8_lossy(&text), &self.path)
    }

    /// Unpacks the archive into a directory, without its own top directory.
    pub(super) fn extract(&self, directory: &Path) -> Result<(), PackError> {
        let mut args: Vec<OsString> = vec!["--extract".into()];
        args.extend(self.compression_to_read());
        args.extend(["--file".into(), self.path.clone().into()]);
        args.extend(["--directory".into(), directory.into()]);
        args.extend(
            [
                "--strip-components=1",
                "--no-same-owner",
                "--no-same-permissions",
            ]
            .map(Into::into),
        );
        self.run("unpacking the archive", args)
            .map_err(|error| match error {
                PackError::Failed { printed, .. } => PackError::Damaged {
                    place: self.path.clone(),
                    what: printed,
                },
                error => error,
            })?;
        Ok(())
    }

    /// The option of decompression: the compressor's name alone, since tar adds `-d`.
    fn compression_to_read(&self) -> Vec<OsString> {
        match self.compressor {
            None => Vec::new(),
            Some(compressor) => vec!["-I".into(), compressor.program().into()],
        }
    }
}

/// Returns the line that explains why tar failed: the first, because those after it only follow from it.
fn first_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or("without a message").trim().to_owned()
}
