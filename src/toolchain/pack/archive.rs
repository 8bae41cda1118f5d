//! Archives, written and read by the system's tar.

use super::{
    error::PackError,
    manifest::{CHECKSUMS, Manifest, NAME},
    tree::walk,
};
use crate::distribution::Distribution;
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

/// The kinds of archives: the end of the name, the compressor with its options, and the first bytes. The same
/// compressor makes the same archive on every machine, whatever its number of CPUs: xz compresses otherwise with a single
/// thread.
const KINDS: [(&str, &str, &[u8]); 4] = [
    (".tar.zst", "zstd -T0 -12", b"\x28\xb5\x2f\xfd"),
    (".tar.xz", "xz -T2 -6", b"\xfd7zXZ\0"),
    (".tar.gz", "gzip -n -9", b"\x1f\x8b"),
    (".tar", "", b""),
];

/// The place and the text of the name of the format in a tar archive.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// A kind of archive, and the tar that writes and reads it.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    tar: PathBuf,
    compressor: &'static str,
}

/// Returns whether a name is that of an archive.
pub(super) fn is_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    KINDS.iter().any(|(end, ..)| name.ends_with(end.as_bytes()))
}

/// Lists the ends of archives' names for the user.
pub(super) fn endings() -> String {
    KINDS.map(|(end, ..)| end).join(", ")
}

/// Returns the end of a new archive's name: that of the best compressor that is installed.
pub(super) fn usual_end(env: &Env) -> &'static str {
    match search::find_program(env, OsStr::new("zstd")) {
        Ok(_) => KINDS[0].0,
        Err(_) => KINDS[1].0,
    }
}

impl Archive {
    /// Decides how a new archive is written, by its name.
    pub(super) fn to_write(env: &Env, broot: &Path, path: &Path) -> Result<Self, PackError> {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let kind = KINDS
            .iter()
            .find(|(end, ..)| name.ends_with(end.as_bytes()));
        let (_, compressor, _) = kind.ok_or_else(|| PackError::Name {
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
        let kind = match is_tar {
            true => KINDS.last(),
            false => {
                { KINDS.iter() }.find(|(_, _, magic)| !magic.is_empty() && head.starts_with(magic))
            }
        };
        let (_, compressor, _) = kind.ok_or_else(|| PackError::NotAnArchive {
            path: path.into(),
            why: "it does not begin as tar, zstd, xz or gzip do".into(),
        })?;
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
        compressor: &'static str,
    ) -> Result<Self, PackError> {
        let find = |name: &'static str| {
            search::find_program(env, OsStr::new(name)).map_err(|_| PackError::NoProgram {
                program: name,
                install: Distribution::of(env, broot).install(name),
            })
        };
        if let Some(program) = compressor.split(' ').next().filter(|name| !name.is_empty()) {
            find(program)?;
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
            "" => Vec::new(),
            program => vec!["-I".into(), program.into()],
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
        match self.compressor.split(' ').next() {
            None | Some("") => Vec::new(),
            Some(program) => vec!["-I".into(), program.into()],
        }
    }
}

/// Returns the line that explains why tar failed: the first, because those after it only follow from it.
fn first_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or("without a message").trim().to_owned()
}
