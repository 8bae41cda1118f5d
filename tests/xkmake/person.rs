//! An ordinary user with sources, a cross compiler and crossmerge: no Portage, and nothing that root prepared.

use crate::support::{CROSSMERGE, Prefix, Said, prepared};
use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::PathBuf,
};

const NOBODY: u32 = 65534;

/// Shows the sources where the user may see them, and becomes the user.
const AS_USER: &str = r#"
    mount --bind "$1" sources
    cd home
    exec setpriv --reuid=65534 --regid=65534 --clear-groups /bin/bash -euc "$2"
"#;

/// Starts a machine and ends it as soon as it has said the words.
const BOOT: &str = r#"
    words=$1; shift
    "$@" -nodefaults -display none -serial stdio -no-reboot > said 2>&1 < /dev/null &
    until grep -aq "$words" said; do
        kill -0 $! || { cat said; exit 1; }
        sleep 0.2
    done
    kill $!
"#;

/// The user, at home in `home`; the sources are in `../sources`, and the environment has the tuple in `t`.
pub(super) struct Person {
    prefix: Prefix,
    sources: PathBuf,
}

impl Person {
    /// The user who has the sources that tests/setup prepared under that name, and a tuple to build them for.
    pub(super) fn new(sources: &str, tuple: &str) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests need root: run `make check` as root"
        );
        let mut prefix = Prefix::new();
        fs::set_permissions(prefix.path(), Permissions::from_mode(0o755)).expect("a mode");
        // The user may not see the directory that cargo builds in.
        fs::remove_file(prefix.join("bin/crossmerge")).expect("the link");
        fs::copy(CROSSMERGE, prefix.join("bin/crossmerge")).expect("a copy");
        for directory in ["home", "sources"] {
            fs::create_dir(prefix.join(directory)).expect(directory);
        }
        chown(prefix.join("home"), Some(NOBODY), Some(NOBODY)).expect("an owner");
        prefix.put_first_in_path(&["home/bin"]);
        prefix.set("HOME", prefix.join("home"));
        prefix.set("t", tuple);
        Self {
            prefix,
            sources: prepared(sources),
        }
    }

    /// Unpacks a vendor's toolchain where no PATH leads: Debian's, whose names begin so, under names of its own in `../vendor`.
    pub(super) fn unpack_toolchain(&self, debian: &str) {
        fs::create_dir(self.prefix.join("vendor")).expect("a directory");
        for tool in fs::read_dir("/usr/bin").expect("/usr/bin") {
            let tool = tool.expect("an entry");
            if let Some(name) = tool.file_name().to_string_lossy().strip_prefix(debian) {
                let link = self.prefix.join(format!("vendor/sdk-{name}"));
                symlink(tool.path(), link).expect("a link");
            }
        }
    }

    /// Runs a script of bash as the user.
    pub(super) fn run(&self, script: &str) -> Said {
        let words = ["--mount", "/bin/sh", "-ec", AS_USER, "sh"].map(OsStr::new);
        let sources = self.sources.as_os_str();
        let args = words.into_iter().chain([sources, OsStr::new(script)]);
        self.prefix.command("unshare", args)
    }

    /// Writes a file, and makes the user the owner of the directories that it lies in.
    pub(super) fn write(&self, path: &str, text: &str) {
        let file = self.prefix.write(&format!("home/{path}"), text);
        let home = self.prefix.join("home");
        for directory in file.ancestors().skip(1).take_while(|place| *place != home) {
            chown(directory, Some(NOBODY), Some(NOBODY)).expect("an owner");
        }
    }

    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.place(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// The whole path of something of the user's.
    pub(super) fn place(&self, path: &str) -> String {
        self.prefix.join("home").join(path).display().to_string()
    }

    /// Starts a machine of QEMU's until it says the words; gives all that it said.
    pub(super) fn boot(&self, words: &str, qemu: &str, args: &[&str]) -> String {
        let qemu = prepared(qemu).display().to_string();
        let script = format!("cd '{}'\n{BOOT}", self.place(""));
        let boot = ["180", "/bin/sh", "-ec", &script, "sh", words, &qemu];
        let args = boot.iter().chain(args);
        self.prefix.command("timeout", args).success();
        String::from_utf8_lossy(&self.read("said")).into_owned()
    }
}
