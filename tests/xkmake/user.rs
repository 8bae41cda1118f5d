//! An ordinary user with sources, a cross compiler and crossmerge. There is no Portage, and root prepared nothing.

use crate::support::{CROSSMERGE, Output, Prefix, prepared};
use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

const NOBODY: u32 = 65534;

/// Mounts the sources where the user can read them, and becomes the user.
const AS_USER: &str = r#"
    mount --bind "$1" sources
    cd home
    exec setpriv --reuid=65534 --regid=65534 --clear-groups /bin/bash -euc "$2"
"#;

/// Starts a virtual machine and ends it as soon as it has printed the text.
const BOOT: &str = r#"
    words=$1; shift
    "$@" -nodefaults -display none -serial stdio -no-reboot > output 2>&1 < /dev/null &
    until grep -aq "$words" output; do
        kill -0 $! || { cat output; exit 1; }
        sleep 0.2
    done
    kill $!
"#;

/// The user, whose home directory is `home`. The sources are in `../sources`, and the environment variable `t` has
/// the tuple.
pub(super) struct User {
    prefix: Prefix,
    sources: PathBuf,
}

impl User {
    /// A user with sources that tests/setup prepared under that name, and the tuple to build them for.
    pub(super) fn new(sources: &str, tuple: &str) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests need root: run `make check` as root"
        );
        let mut prefix = Prefix::new();
        fs::set_permissions(prefix.path(), Permissions::from_mode(0o755)).expect("a mode");
        // The user may not read the directory in which cargo builds.
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

    /// Unpacks a vendor's toolchain into `../vendor`, outside PATH. It is Debian's toolchain of this prefix, under
    /// other names.
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

    /// Runs a bash script as the user.
    pub(super) fn run(&self, script: &str) -> Output {
        let words = ["--mount", "/bin/sh", "-ec", AS_USER, "sh"].map(OsStr::new);
        let sources = self.sources.as_os_str();
        let args = words.into_iter().chain([sources, OsStr::new(script)]);
        self.prefix.command("unshare", args)
    }

    /// Writes a file, and makes the user the owner of it and the directories above it.
    pub(super) fn write(&self, path: &str, text: &str) {
        let file = self.prefix.write(&format!("home/{path}"), text);
        let home = self.prefix.join("home");
        for directory in file.ancestors().skip(1).take_while(|place| *place != home) {
            chown(directory, Some(NOBODY), Some(NOBODY)).expect("an owner");
        }
    }

    /// Copies a file that root may read.
    pub(super) fn copy(&self, from: &Path, path: &str) {
        let to = self.prefix.join("home").join(path);
        fs::copy(from, &to).expect("a copy");
        chown(to, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }

    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.place(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// The absolute path of a file in the user's home directory.
    pub(super) fn place(&self, path: &str) -> String {
        self.prefix.join("home").join(path).display().to_string()
    }

    /// Starts a virtual machine of QEMU's, waits until it prints the text, and returns all of its output.
    pub(super) fn boot(&self, words: &str, qemu: &str, args: &[&str]) -> String {
        let qemu = prepared(qemu).display().to_string();
        let script = format!("cd '{}'\n{BOOT}", self.place(""));
        let boot = ["180", "/bin/sh", "-ec", &script, "sh", words, &qemu];
        let args = boot.iter().chain(args);
        self.prefix.command("timeout", args).success();
        String::from_utf8_lossy(&self.read("output")).into_owned()
    }
}
