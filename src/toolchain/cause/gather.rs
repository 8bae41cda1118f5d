//! Reads what a cause needs from the build machine: the facts, and the config.logs of a package.

use super::machine::{ConfigLog, Machine};
use std::{fs, path::Path, time::UNIX_EPOCH};

/// The number of directories below a work directory that are searched. gcc's has 5000 when it is unpacked.
const DIRECTORIES: usize = 50_000;

impl Machine {
    /// Reads the facts. `settings` is the directory `etc/portage`, and `oom_kills_before` is [`oom_kills`] at the
    /// beginning of the step.
    pub fn read(settings: &Path, portage_tmpdir: &Path, oom_kills_before: Option<u64>) -> Self {
        let space = nix::sys::statvfs::statvfs(portage_tmpdir).ok();
        let kills = oom_kills().zip(oom_kills_before);
        Self {
            settings: settings.to_owned(),
            portage_tmpdir: portage_tmpdir.to_owned(),
            free_space: space.map(|space| space.blocks_available() * space.fragment_size()),
            memory: fs::read_to_string("/proc/meminfo")
                .ok()
                .and_then(|text| number(&text, "MemTotal:"))
                .map(|kibibytes| kibibytes * 1024),
            oom_kills: kills.map(|(now, before)| now.saturating_sub(before)),
        }
    }
}

/// Returns the number of processes that the kernel has ended for want of memory since it started (proc(5), `oom_kill` of
/// `/proc/vmstat`). Returns `None` if a container hides it.
pub fn oom_kills() -> Option<u64> {
    number(&fs::read_to_string("/proc/vmstat").ok()?, "oom_kill")
}

/// Returns the number after a key.
fn number(text: &str, key: &str) -> Option<u64> {
    let mut lines = text.lines();
    lines.find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(key)).then(|| words.next()?.parse().ok())?
    })
}

/// Finds the config.logs below the work directories of a package, of any version. What cannot be read is omitted.
pub fn config_logs(portage_tmpdir: &Path, category: &str, name: &str) -> Vec<ConfigLog> {
    let packages = portage_tmpdir.join("portage").join(category);
    let mut directories: Vec<_> = fs::read_dir(packages)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let directory = entry.file_name();
            let version = directory
                .to_str()
                .and_then(|it| it.strip_prefix(name)?.strip_prefix('-'));
            version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        })
        .map(|entry| entry.path().join("work"))
        .collect();
    let mut found = Vec::new();
    let mut read = 0;
    while let Some(directory) = directories.pop() {
        read += 1;
        if read > DIRECTORIES {
            break;
        }
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() && entry.file_name() == "config.log" {
                let modified = entry.metadata().ok().and_then(|data| data.modified().ok());
                let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                found.push(ConfigLog {
                    path: entry.path(),
                    modified: since.map_or(0, |since| {
                        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
                    }),
                });
            }
        }
    }
    found.sort_by(|one, other| (other.modified, &one.path).cmp(&(one.modified, &other.path)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_logs_of_a_package_are_found_with_the_newest_first() {
        let tmpdir = tempfile::tempdir().expect("a directory");
        let make = |path: &str, seconds: u64| {
            let path = tmpdir.path().join("portage/cross-x").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(&path, "").expect("a file");
            let time = UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            let file = fs::File::options().write(true).open(&path).expect("a file");
            file.set_modified(time).expect("a time");
        };
        make("gcc-12/work/build/config.log", 5);
        make("gcc-12/work/build/x/libgcc/config.log", 9);
        make("gcc-12/temp/config.log", 20);
        make("gcc-config-2/work/config.log", 30);
        let found = config_logs(tmpdir.path(), "cross-x", "gcc");
        let ends: Vec<&str> = { found.iter() }
            .filter_map(|one| one.path.to_str()?.split("/work/").nth(1))
            .collect();
        assert_eq!(ends, ["build/x/libgcc/config.log", "build/config.log"]);
    }

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let text = "oom_kill_disable 0\noom_kill 3\n";
        assert_eq!(number(text, "oom_kill"), Some(3));
        assert_eq!(number(text, "oom"), None);
    }
}
