//! Files from other users, of any size and content. A special file, an endless file and one that would expand without
//! end are errors, which name the file. Each run has little memory and time, so a run that needs a gigabyte or waits
//! for a pipe fails.

mod content;

use crate::support::{Output, Prefix};
use nix::sys::stat::Mode;
use std::{
    ffi::{OsStr, OsString},
    fs::{File, Permissions},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    path::Path,
};

pub(crate) const TUPLE: &str = "armv7a-unknown-linux-gnueabihf";

/// Runs a command of crossmerge with 200 MB of memory, and kills it if it hangs.
fn limited<A: AsRef<OsStr>>(
    prefix: &Prefix,
    name: &str,
    args: impl IntoIterator<Item = A>,
) -> Output {
    let program = prefix.join("bin").join(name);
    let mut words: Vec<OsString> = ["--kill-after=5", "100", "prlimit", "--as=200000000"]
        .map(Into::into)
        .into();
    words.push(program.into());
    words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    prefix.command("timeout", words)
}

/// What may stand in place of a regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpecialFile {
    Pipe,
    Socket,
    Device,
    Directory,
    Huge,
}

impl SpecialFile {
    const ALL: [Self; 5] = [
        Self::Pipe,
        Self::Socket,
        Self::Device,
        Self::Directory,
        Self::Huge,
    ];

    /// Creates it at a path.
    fn put(self, path: &Path) {
        let directory = path.parent().expect("a directory");
        std::fs::create_dir_all(directory).expect("a directory");
        match self {
            Self::Pipe => nix::unistd::mkfifo(path, Mode::S_IRWXU).expect("a pipe"),
            // The socket file stays after its listener is closed.
            Self::Socket => drop(UnixListener::bind(path).expect("a socket")),
            Self::Device => symlink("/dev/zero", path).expect("a link"),
            Self::Directory => std::fs::create_dir(path).expect("a directory"),
            Self::Huge => {
                let file = File::create(path).expect("a file");
                file.set_len(1 << 40).expect("a hole");
                let everything = Permissions::from_mode(0o755);
                file.set_permissions(everything).expect("ours");
            }
        }
    }

    /// The exit code and the error that the reading command prints.
    fn expected(self) -> (i32, &'static str) {
        let error = match self {
            Self::Pipe => "is a pipe, not a regular file",
            Self::Socket => "is a socket, not a regular file",
            Self::Device => "is a device, not a regular file",
            Self::Directory => "Is a directory",
            Self::Huge => "has 1099511627776 bytes, more than the limit of",
        };
        (125, error)
    }
}

/// A command, the file that it reads, and the expected result for each special file there.
struct Reader {
    command: &'static str,
    path: &'static str,
    expects: fn(SpecialFile) -> (i32, &'static str),
}

/// Commands that search for files skip anything that is not a regular file.
fn files_only(special: SpecialFile) -> (i32, &'static str) {
    match special {
        SpecialFile::Huge => special.expected(),
        _ => (0, ""),
    }
}

/// The commands. TUPLE stands for the tuple.
const READERS: [Reader; 11] = [
    Reader {
        command: "crossmerge applets",
        path: "etc/crossmerge/crossmerge.toml",
        expects: SpecialFile::expected,
    },
    Reader {
        command: "crossmerge applets",
        path: "etc/crossmerge/wrappers/x.toml",
        expects: SpecialFile::expected,
    },
    Reader {
        command: "crossmerge show TUPLE",
        path: "etc/crossmerge/profiles/x.toml",
        expects: SpecialFile::expected,
    },
    Reader {
        command: "crossmerge remove TUPLE",
        path: "etc/crossmerge/targets/TUPLE.toml",
        expects: SpecialFile::expected,
    },
    Reader {
        command: "crossmerge site-cache list TUPLE",
        path: "etc/crossmerge/site-cache/TUPLE.toml",
        expects: SpecialFile::expected,
    },
    Reader {
        command: "crossmerge remove TUPLE",
        path: "usr/TUPLE/var/lib/crossmerge/contents",
        expects: below_sysroot,
    },
    Reader {
        command: "crossmerge site-cache scan TUPLE src/configure",
        path: "src/configure",
        expects: |special| match special {
            SpecialFile::Directory => (125, "there is no `configure` in"),
            _ => special.expected(),
        },
    },
    Reader {
        command: "TUPLE-run ./program",
        path: "program",
        // Only the beginning of the file is read, whatever its size.
        expects: |_| (126, "is not a program"),
    },
    Reader {
        command: "TUPLE-fix-root --dry-run",
        path: "usr/TUPLE/usr/lib/libx.la",
        expects: files_only,
    },
    Reader {
        command: "TUPLE-pkg-config --cflags x",
        path: "usr/TUPLE/usr/lib/pkgconfig/x.pc",
        expects: pkg_config,
    },
    // The applet exec's the real tool.
    Reader {
        command: "TUPLE-pkg-config --exists x",
        path: "usr/TUPLE/usr/lib/pkgconfig/x.pc",
        expects: pkg_config,
    },
];

/// The real tool's error if the package is a directory.
fn pkg_config(special: SpecialFile) -> (i32, &'static str) {
    match special {
        SpecialFile::Directory => (1, ""),
        _ => special.expected(),
    }
}

/// A symlink out of a sysroot counts as missing, whatever its target is. Here only the device is such a symlink.
fn below_sysroot(special: SpecialFile) -> (i32, &'static str) {
    match special {
        SpecialFile::Device => (0, ""),
        _ => special.expected(),
    }
}

#[test]
fn a_special_file_in_place_of_a_regular_one_is_named_and_not_read() {
    for reader in READERS {
        let [path, command] =
            [reader.path, reader.command].map(|text| text.replace("TUPLE", TUPLE));
        let words: Vec<&str> = command.split(' ').collect();
        for special in SpecialFile::ALL {
            let prefix = Prefix::new();
            for applet in ["run", "fix-root", "pkg-config"] {
                prefix.link(&format!("{TUPLE}-{applet}"));
            }
            std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
            special.put(&prefix.join(&path));
            let output = limited(&prefix, words[0], &words[1..]);
            match (reader.expects)(special) {
                (code, "") => assert_eq!(output.code, Some(code), "{special:?} {output:#?}"),
                (code, error) => drop(output.fails(code, error, "")),
            }
        }
    }
}
