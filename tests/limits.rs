//! Files that others gave, of any size and content: what is no file, has no end, or would grow without one is an error that names
//! it. Each run has little memory and little time, so that what takes a gigabyte or waits for a pipe fails here.

mod content;

use crate::support::{Prefix, Said};
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

/// Runs one of our names with 200 MB to live in, and ends it when it waits.
fn limited<A: AsRef<OsStr>>(
    prefix: &Prefix,
    name: &str,
    args: impl IntoIterator<Item = A>,
) -> Said {
    let program = prefix.join("bin").join(name);
    let mut words: Vec<OsString> = ["--kill-after=5", "100", "prlimit", "--as=200000000"]
        .map(Into::into)
        .into();
    words.push(program.into());
    words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    prefix.command("timeout", words)
}

/// What may stand where a file belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stranger {
    Pipe,
    Socket,
    Device,
    Directory,
    Huge,
}

impl Stranger {
    const ALL: [Self; 5] = [
        Self::Pipe,
        Self::Socket,
        Self::Device,
        Self::Directory,
        Self::Huge,
    ];

    /// Puts it there.
    fn put(self, path: &Path) {
        let directory = path.parent().expect("a directory");
        std::fs::create_dir_all(directory).expect("a directory");
        match self {
            Self::Pipe => nix::unistd::mkfifo(path, Mode::S_IRWXU).expect("a pipe"),
            // It stays when nobody listens any more.
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

    /// What the command that reads it prints about it.
    fn said(self) -> (i32, &'static str) {
        let said = match self {
            Self::Pipe => "is a pipe, not a regular file",
            Self::Socket => "is a socket, not a regular file",
            Self::Device => "is a device, not a regular file",
            Self::Directory => "Is a directory",
            Self::Huge => "has 1099511627776 bytes, more than the limit of",
        };
        (125, said)
    }
}

/// A command of ours, the file that it reads, and what comes of a stranger there.
struct Reader {
    command: &'static str,
    path: &'static str,
    comes: fn(Stranger) -> (i32, &'static str),
}

/// What looks for files, and passes over what is none.
fn files_only(stranger: Stranger) -> (i32, &'static str) {
    match stranger {
        Stranger::Huge => stranger.said(),
        _ => (0, ""),
    }
}

/// TUPLE stands for the tuple.
const READERS: [Reader; 11] = [
    Reader {
        command: "crossmerge applets",
        path: "etc/crossmerge/crossmerge.toml",
        comes: Stranger::said,
    },
    Reader {
        command: "crossmerge applets",
        path: "etc/crossmerge/wrappers/x.toml",
        comes: Stranger::said,
    },
    Reader {
        command: "crossmerge show TUPLE",
        path: "etc/crossmerge/profiles/x.toml",
        comes: Stranger::said,
    },
    Reader {
        command: "crossmerge remove TUPLE",
        path: "etc/crossmerge/targets/TUPLE.toml",
        comes: Stranger::said,
    },
    Reader {
        command: "crossmerge site-cache list TUPLE",
        path: "etc/crossmerge/site-cache/TUPLE.toml",
        comes: Stranger::said,
    },
    Reader {
        command: "crossmerge remove TUPLE",
        path: "usr/TUPLE/var/lib/crossmerge/contents",
        comes: below_sysroot,
    },
    Reader {
        command: "crossmerge site-cache scan TUPLE src/configure",
        path: "src/configure",
        comes: |stranger| match stranger {
            Stranger::Directory => (125, "there is no `configure` in"),
            _ => stranger.said(),
        },
    },
    Reader {
        command: "TUPLE-run ./program",
        path: "program",
        // Of a file only the beginning is read, whatever its size.
        comes: |_| (126, "is not a program"),
    },
    Reader {
        command: "TUPLE-fix-root --dry-run",
        path: "usr/TUPLE/usr/lib/libx.la",
        comes: files_only,
    },
    Reader {
        command: "TUPLE-pkg-config --cflags x",
        path: "usr/TUPLE/usr/lib/pkgconfig/x.pc",
        comes: pkg_config,
    },
    // This one is exec'd.
    Reader {
        command: "TUPLE-pkg-config --exists x",
        path: "usr/TUPLE/usr/lib/pkgconfig/x.pc",
        comes: pkg_config,
    },
];

/// The real tool cannot open a directory as a package, and says so.
fn pkg_config(stranger: Stranger) -> (i32, &'static str) {
    match stranger {
        Stranger::Directory => (1, ""),
        _ => stranger.said(),
    }
}

/// A link out of a sysroot counts as missing, whatever is there. Nothing but the link stands for a device here.
fn below_sysroot(stranger: Stranger) -> (i32, &'static str) {
    match stranger {
        Stranger::Device => (0, ""),
        _ => stranger.said(),
    }
}

#[test]
fn what_is_no_file_of_its_kind_is_named_and_not_read() {
    for reader in READERS {
        let [path, command] =
            [reader.path, reader.command].map(|text| text.replace("TUPLE", TUPLE));
        let words: Vec<&str> = command.split(' ').collect();
        for stranger in Stranger::ALL {
            let prefix = Prefix::new();
            for applet in ["run", "fix-root", "pkg-config"] {
                prefix.link(&format!("{TUPLE}-{applet}"));
            }
            std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
            stranger.put(&prefix.join(&path));
            let said = limited(&prefix, words[0], &words[1..]);
            match (reader.comes)(stranger) {
                (code, "") => assert_eq!(said.code, Some(code), "{stranger:?} {said:#?}"),
                (code, error) => drop(said.fails(code, error, "")),
            }
        }
    }
}
