//! The steps that make an image, as data. Pure.

use super::{
    ext4::{BLOCK, Ext4Size, INODE},
    format::Format,
};
use crossmerge_plan::{
    plan::{Change, Changes, Plan},
    words::quote,
};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ImageStep {
    /// Runs a program.
    Run(Plan),
    /// Sets the times of all files of a copy: a later time than this becomes this one.
    Times { tree: PathBuf, time: u64 },
    /// Makes the symlink `init` to `sbin/init` in a copy: the kernel starts `/init` of an initramfs.
    LinkInit { tree: PathBuf, time: u64 },
    /// Removes it, because other images are made of the same copy.
    UnlinkInit(PathBuf),
    /// Writes the paths of the root's files to a file, each with a NUL after it.
    Names { file: PathBuf, with_init: bool },
    /// Sets the times at which inodes were changed, which the older mke2fs copies from the files.
    ChangeTimes { image: PathBuf, time: u64 },
    /// Copies an image to a device.
    Write { image: PathBuf, device: PathBuf },
    /// Renames an image to its place.
    Rename { image: PathBuf, place: PathBuf },
}

/// What the steps depend on.
#[derive(Debug)]
pub(super) struct Making<'a> {
    /// The programs by their names, each with its absolute path.
    pub(super) programs: &'a BTreeMap<&'static str, PathBuf>,
    /// The root.
    pub(super) root: &'a Path,
    /// The directory for everything that is not finished.
    pub(super) work: &'a Path,
    /// SOURCE_DATE_EPOCH.
    pub(super) time: u64,
    /// The checksum of the files.
    pub(super) checksum: &'a str,
    /// Whether an initramfs needs a symlink `/init`.
    pub(super) needs_init: bool,
    /// The label of file systems.
    pub(super) label: Option<&'a str>,
    /// PATH, also with the directories of programs for root, which users' PATH does not have everywhere.
    pub(super) path: &'a OsStr,
    /// More arguments for the program that makes the image.
    pub(super) options: &'a [OsString],
}

impl Making<'_> {
    /// The copy of the root.
    pub(super) fn copy(&self) -> PathBuf {
        self.work.join("root")
    }

    /// Makes the copy, with times that do not depend on when the root was made.
    pub(super) fn steps_of_copy(&self) -> Vec<ImageStep> {
        let mut source = self.root.as_os_str().to_owned();
        source.push("/.");
        let mut copied = self.copy().into_os_string();
        copied.push("/");
        let words = ["--archive", "--reflink=auto", "--one-file-system", "--"];
        let args = words.map(OsString::from).into_iter();
        vec![
            self.run("cp", args.chain([source, copied]).collect()),
            ImageStep::Times {
                tree: self.copy(),
                time: self.time,
            },
        ]
    }

    /// Makes an image in the work directory, or an ext4 file system on a device.
    pub(super) fn steps(&self, format: Format, image: &Path, size: Ext4Size) -> Vec<ImageStep> {
        let path = |path: &Path| path.as_os_str().to_owned();
        let root = match format.needs_copy() {
            true => path(&self.copy()),
            false => path(self.root),
        };
        match format {
            Format::Ext4 => {
                let (id, seed) = (self.uuid(0), self.uuid(32));
                let mut args = words(["-q", "-F", "-t", "ext4", "-m", "0"]);
                args.extend(words([
                    "-b".into(),
                    BLOCK.to_string(),
                    "-I".into(),
                    INODE.to_string(),
                ]));
                args.extend(words([
                    "-N".into(),
                    size.inodes.to_string(),
                    "-U".into(),
                    id,
                ]));
                // mke2fs uses only the last `-E`.
                args.extend(words([
                    "-E".into(),
                    format!("hash_seed={seed},lazy_itable_init=0"),
                ]));
                args.extend(self.label.iter().flat_map(|label| words(["-L", label])));
                args.extend(self.options.iter().cloned());
                args.extend([OsString::from("-d"), root, path(image)]);
                args.push(size.blocks.to_string().into());
                let changes = ImageStep::ChangeTimes {
                    image: image.into(),
                    time: self.time,
                };
                vec![self.run("mke2fs", args), changes]
            }
            Format::Squashfs => {
                let mut args = vec![root, path(image)];
                args.extend(words(["-noappend", "-no-progress", "-quiet"]));
                args.extend(self.options.iter().cloned());
                vec![self.run("mksquashfs", args)]
            }
            Format::Erofs => {
                let mut args = words(["--quiet".into(), format!("-T{}", self.time)]);
                args.push(format!("-U{}", self.uuid(0)).into());
                args.extend(self.label.map(|label| format!("-L{label}").into()));
                args.extend(self.options.iter().cloned());
                args.extend([path(image), root]);
                vec![self.run("mkfs.erofs", args)]
            }
            Format::Cpio(compressor) => {
                let names = self.work.join("names");
                let plain = self.work.join("cpio");
                let mut args = words([
                    "--create",
                    "--quiet",
                    "--null",
                    "--format=newc",
                    "--reproducible",
                ]);
                args.extend(self.options.iter().cloned());
                args.extend(["--directory".into(), root, "--file".into(), path(&plain)]);
                let cpio = self.reading("cpio", args, &names);
                let (tree, time) = (self.copy(), self.time);
                let listed = ImageStep::Names {
                    file: names,
                    with_init: self.needs_init,
                };
                let mut steps = match self.needs_init {
                    true => vec![
                        ImageStep::LinkInit {
                            tree: tree.clone(),
                            time,
                        },
                        listed,
                        cpio,
                        ImageStep::UnlinkInit(tree),
                    ],
                    false => vec![listed, cpio],
                };
                match compressor {
                    None => steps.push(ImageStep::Rename {
                        image: plain,
                        place: image.into(),
                    }),
                    Some(compressor) => {
                        let program = compressor.program();
                        let mut args: Vec<_> = compressor.options().collect();
                        args.extend(["-c".into(), path(&plain)]);
                        steps.push(self.writing(program, args, image));
                    }
                }
                steps
            }
            Format::Tar(compressor) => {
                let mut args = words([
                    "--create",
                    "--sort=name",
                    "--numeric-owner",
                    "--format=posix",
                ]);
                args.extend(words([
                    "--one-file-system",
                    "--xattrs",
                    "--xattrs-include=*",
                ]));
                // A name without the number of the process, and no times of access and change.
                args.push(
                    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime".into(),
                );
                args.extend(words([
                    format!("--mtime=@{}", self.time),
                    "--clamp-mtime".into(),
                ]));
                args.extend(compressor.iter().flat_map(|it| words(["-I", it.command])));
                args.extend(self.options.iter().cloned());
                args.extend([
                    "--directory".into(),
                    root,
                    "--file".into(),
                    path(image),
                    ".".into(),
                ]);
                vec![self.run("tar", args)]
            }
        }
    }

    /// Runs a program.
    pub(super) fn run(&self, program: &str, args: Vec<OsString>) -> ImageStep {
        ImageStep::Run(Plan {
            program: self.programs[program].clone(),
            args,
            env: self.environment(),
            ..Plan::default()
        })
    }

    /// Runs a program with a file as its stdin.
    fn reading(&self, program: &str, args: Vec<OsString>, file: &Path) -> ImageStep {
        self.redirected("exec \"$@\" < \"$0\"", program, args, file)
    }

    /// Runs a program with a file as its stdout.
    fn writing(&self, program: &str, args: Vec<OsString>, file: &Path) -> ImageStep {
        self.redirected("exec \"$@\" > \"$0\"", program, args, file)
    }

    fn redirected(
        &self,
        script: &str,
        program: &str,
        args: Vec<OsString>,
        file: &Path,
    ) -> ImageStep {
        let mut words = vec!["-c".into(), script.into(), file.as_os_str().to_owned()];
        words.push(self.programs[program].clone().into());
        words.extend(args);
        self.run("sh", words)
    }

    /// The environment of every program.
    fn environment(&self) -> Changes {
        let mut changes = Changes::new();
        // Variables by which a user gives the programs options would change the image.
        for name in [
            "TAR_OPTIONS",
            "XZ_OPT",
            "XZ_DEFAULTS",
            "GZIP",
            "ZSTD_CLEVEL",
            "ZSTD_NBTHREADS",
            "MKE2FS_CONFIG",
            "MKE2FS_FIRST_META_BG",
            "MKE2FS_SYNC",
        ] {
            changes.insert(name.into(), Change::Unset);
        }
        changes.insert("LC_ALL".into(), Change::Set("C".into()));
        changes.insert("PATH".into(), Change::Set(self.path.into()));
        let time = OsString::from(self.time.to_string());
        // e2fsprogs before 1.47.1 knows only the second name.
        for name in ["SOURCE_DATE_EPOCH", "E2FSPROGS_FAKE_TIME"] {
            changes.insert(name.into(), Change::Set(time.clone()));
        }
        changes
    }

    /// Makes a UUID of 32 digits of the checksum: version 8, whose bits mean nothing (RFC 9562).
    pub(super) fn uuid(&self, from: usize) -> String {
        let digits = &self.checksum[from..from + 32];
        format!(
            "{}-{}-8{}-8{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[13..16],
            &digits[17..20],
            &digits[20..]
        )
    }
}

impl ImageStep {
    /// Returns the program and the arguments that the user wants to see in an error. `None` if it runs no program.
    pub(super) fn program(&self) -> Option<&OsStr> {
        let Self::Run(plan) = self else {
            return None;
        };
        match plan.args.first().is_some_and(|arg| arg == "-c") {
            // The shell opens the file, and runs this program.
            true => Path::new(&plan.args[3]).file_name(),
            false => plan.program.file_name(),
        }
    }

    /// Returns the step as a line for the user: a command, or a sentence in a comment.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Run(plan) => {
                let words = std::iter::once(plan.program.as_os_str());
                let words = words.chain(plan.args.iter().map(OsString::as_os_str));
                let words: Vec<String> = words.map(quote).collect();
                words.join(" ")
            }
            Self::Times { tree, time } => {
                format!(
                    "# set the times of {} to {time} where they are later",
                    quote(tree.as_os_str())
                )
            }
            Self::LinkInit { tree, .. } => {
                format!("ln -s sbin/init {}", quote(tree.join("init").as_os_str()))
            }
            Self::UnlinkInit(tree) => {
                format!("rm {}", quote(tree.join("init").as_os_str()))
            }
            Self::Names { file, .. } => format!(
                "# write the names of the files to {}",
                quote(file.as_os_str())
            ),
            Self::ChangeTimes { image, time } => {
                format!(
                    "# set the change times of the inodes of {} to {time}",
                    quote(image.as_os_str())
                )
            }
            Self::Write { image, device } => {
                format!(
                    "# copy {} to {}",
                    quote(image.as_os_str()),
                    quote(device.as_os_str())
                )
            }
            Self::Rename { image, place } => format!(
                "mv {} {}",
                quote(image.as_os_str()),
                quote(place.as_os_str())
            ),
        }
    }
}

fn words<const N: usize, W: Into<OsString>>(words: [W; N]) -> Vec<OsString> {
    words.map(Into::into).into()
}
