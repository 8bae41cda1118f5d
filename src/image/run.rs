//! Carries out steps.

use super::{error::ImageError, place::write_to, steps::ImageStep, tree::RootTree};
use crate::steps::last_lines;
use crossmerge_plan::{
    env::Env,
    plan::{Change, Plan},
};
use crossmerge_system::{
    exec::{self, Interrupts, Job, JobEnd},
    file::{Directory, has_capabilities},
};
use nix::{
    fcntl::Flock,
    sys::{
        stat::{UtimensatFlags, utimensat},
        time::TimeSpec,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs::{self, File, Metadata},
    io,
    os::{
        fd::AsFd,
        unix::{
            ffi::OsStrExt,
            fs::{MetadataExt, symlink},
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

/// The time that a program has to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// Carries out steps.
pub(super) struct Runner<'a> {
    pub(super) env: &'a Env,
    pub(super) interrupts: Interrupts,
    pub(super) lock: &'a Flock<File>,
    pub(super) log: PathBuf,
    pub(super) tree: &'a RootTree,
    pub(super) programs: &'a BTreeMap<&'static str, PathBuf>,
}

impl Runner<'_> {
    pub(super) fn run_all(&self, steps: &[ImageStep], image: &str) -> Result<(), ImageError> {
        steps.iter().try_for_each(|step| self.run(step, image))
    }

    fn run(&self, step: &ImageStep, image: &str) -> Result<(), ImageError> {
        match step {
            ImageStep::Run(plan) => {
                let program = step.program().unwrap_or_default().to_string_lossy();
                self.program(plan, &program, image)
            }
            ImageStep::Times { tree, time } => self.set_times(tree, *time),
            ImageStep::LinkInit { tree, time } => keeping_times(tree, || {
                let link = tree.join("init");
                symlink("sbin/init", &link).map_err(ImageError::write(&link))?;
                set_times(&link, seconds(*time))
            }),
            ImageStep::UnlinkInit(tree) => keeping_times(tree, || {
                let link = tree.join("init");
                fs_err::remove_file(&link).map_err(ImageError::write(&link))
            }),
            ImageStep::Names { file, with_init } => {
                let mut names: Vec<&Path> = self.tree.files.keys().map(PathBuf::as_path).collect();
                if *with_init {
                    names.push(Path::new("init"));
                }
                let mut text = Vec::new();
                for name in names {
                    text.extend_from_slice(name.as_os_str().as_bytes());
                    text.push(0);
                }
                fs_err::write(file, text).map_err(ImageError::write(file))
            }
            ImageStep::ChangeTimes { image: path, time } => {
                self.set_change_times(path, *time, image)
            }
            ImageStep::Rename { image, place } => {
                let synced = File::open(image).and_then(|file| file.sync_all());
                synced.map_err(ImageError::write(image))?;
                fs::rename(image, place).map_err(ImageError::write(place))?;
                Ok(Directory::of(place, &mut Vec::new())?.0.sync_names()?)
            }
            ImageStep::Write { image, device } => write_to(image, device),
        }
    }

    /// Runs a program, which ends with this process, however that ends.
    fn program(&self, plan: &Plan, program: &str, image: &str) -> Result<(), ImageError> {
        let log = File::create(&self.log).map_err(ImageError::write(&self.log))?;
        let job = Job::start(plan, self.env, &log, &[self.lock.as_fd()])?;
        let status = match job.wait(&self.interrupts, GRACE)? {
            JobEnd::Exited(status) => status,
            JobEnd::Interrupted(signal) => return Err(ImageError::Interrupted(signal)),
        };
        if status.success() {
            return Ok(());
        }
        let printed = last_lines(&self.log);
        Err(ImageError::Failed {
            program: program.into(),
            image: image.into(),
            printed: match printed.is_empty() {
                true => status.to_string(),
                false => printed,
            },
        })
    }

    /// Sets the times of a copy: those of the root, or `time` where they are later.
    fn set_times(&self, copy: &Path, time: u64) -> Result<(), ImageError> {
        // A directory after the files in it.
        for name in self.tree.files.keys().rev() {
            let path = copy.join(name);
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                // A socket, or a file that was removed from the root.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(ImageError::read(&path)(e)),
            };
            // cp(1) is silent about attributes that the file system of the copy does not have.
            let is_kept = |path: &Path| has_capabilities(path).map_err(ImageError::read(path));
            if metadata.is_file() && is_kept(&self.tree.path.join(name))? && !is_kept(&path)? {
                return Err(ImageError::Capabilities(path));
            }
            // The time of the last access too, which mke2fs also copies.
            set_times(&path, modified(&metadata).min(seconds(time)))?;
        }
        Ok(())
    }

    /// Sets the time of the last change of each used inode.
    fn set_change_times(&self, path: &Path, time: u64, image: &str) -> Result<(), ImageError> {
        let listed = exec::ask(&Plan {
            program: self.programs["dumpe2fs"].clone(),
            args: vec![path.into()],
            ..Plan::default()
        })?;
        let mut commands = String::new();
        for inode in used_inodes(&String::from_utf8_lossy(&listed.stdout)) {
            writeln!(commands, "set_inode_field <{inode}> ctime @{time}")
                .expect("a String takes all text");
        }
        let file = self.log.with_file_name("debugfs");
        fs_err::write(&file, commands).map_err(ImageError::write(&file))?;
        let plan = Plan {
            program: self.programs["debugfs"].clone(),
            args: vec!["-w".into(), "-f".into(), file.into(), path.into()],
            env: [(
                "E2FSPROGS_FAKE_TIME".into(),
                Change::Set(time.to_string().into()),
            )]
            .into(),
            ..Plan::default()
        };
        self.program(&plan, "debugfs", image)
    }
}

/// Changes the names in a directory, and keeps the directory's times.
fn keeping_times(
    directory: &Path,
    change: impl FnOnce() -> Result<(), ImageError>,
) -> Result<(), ImageError> {
    let metadata = fs::symlink_metadata(directory).map_err(ImageError::read(directory))?;
    change()?;
    set_times(directory, modified(&metadata))
}

/// Returns the time of a file's last change.
fn modified(metadata: &Metadata) -> TimeSpec {
    TimeSpec::new(metadata.mtime(), metadata.mtime_nsec())
}

fn seconds(time: u64) -> TimeSpec {
    TimeSpec::new(time.try_into().unwrap_or(i64::MAX), 0)
}

/// Sets the times of a file or a symlink itself.
fn set_times(path: &Path, time: TimeSpec) -> Result<(), ImageError> {
    let at = nix::fcntl::AT_FDCWD;
    utimensat(at, path, &time, &time, UtimensatFlags::NoFollowSymlink)
        .map_err(|e| ImageError::write(path)(e.into()))
}

/// Returns the used inodes in the text that dumpe2fs prints: all except the free ones of each group, and except those
/// before 11 that the file system reserves, of which the root directory is one.
fn used_inodes(text: &str) -> BTreeSet<u64> {
    let number = |line: &str, name: &str| -> Option<u64> {
        let (found, value) = line.split_once(':')?;
        (found == name).then(|| value.trim().parse().ok())?
    };
    let count = text.lines().find_map(|line| number(line, "Inode count"));
    let mut used: BTreeSet<u64> = (11..=count.unwrap_or(0)).collect();
    let free = { text.lines() }.filter_map(|line| line.trim().strip_prefix("Free inodes: "));
    for range in free.flat_map(|line| line.split(", ")) {
        let mut ends = range.split('-').map(str::parse::<u64>);
        let Some(Ok(first)) = ends.next() else {
            continue;
        };
        let last = ends.next().and_then(Result::ok).unwrap_or(first);
        used.retain(|inode| !(first..=last).contains(inode));
    }
    used.insert(2);
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_used_inodes_are_those_that_are_not_free() {
        let text = "Inode count:              24\nFree inodes:              5\n\n  \
                    Free inodes: 14-16, 18\n  Free inodes: 24\n";
        let used: Vec<u64> = used_inodes(text).into_iter().collect();
        assert_eq!(used, [2, 11, 12, 13, 17, 19, 20, 21, 22, 23]);
    }
}
