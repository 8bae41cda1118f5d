//! Files that others gave, of any size and content: what is no file, has no end, or would grow without one is an error that names
//! it. Each run has little memory and little time, so that what takes a gigabyte or waits for a pipe fails here.

mod content;

use crate::support::{Prefix, Said};
use std::{ffi::OsStr, fs::File, os::unix::fs::symlink, path::Path};

pub(crate) const TUPLE: &str = "armv7a-unknown-linux-gnueabihf";

/// Runs one of our names with 200 MB to live in, and ends it when it waits.
fn limited<A: AsRef<OsStr>>(
    prefix: &Prefix,
    name: &str,
    args: impl IntoIterator<Item = A>,
) -> Said {
    let program = prefix.join("bin").join(name);
    let mut words: Vec<std::ffi::OsString> = ["--kill-after=5", "100", "prlimit", "--as=200000000"]
        .map(Into::into)
        .into();
    words.push(program.into());
    words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    prefix.command("timeout", words)
}

/// What may stand where a file belongs.
#[derive(Debug, Clone, Copy)]
enum Stranger {
    Pipe,
    Device,
    Huge,
}

impl Stranger {
    const ALL: [Self; 3] = [Self::Pipe, Self::Device, Self::Huge];

    /// Puts it there, and gives what is said of it.
    fn put(self, path: &Path) -> &'static str {
        let folder = path.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("a folder");
        let _ = std::fs::remove_file(path);
        match self {
            Self::Pipe => {
                nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
                "is a pipe and no regular file"
            }
            Self::Device => {
                symlink("/dev/zero", path).expect("a link");
                "is a device and no regular file"
            }
            Self::Huge => {
                let file = File::create(path).expect("a file");
                file.set_len(1 << 40).expect("a hole");
                "has 1099511627776 bytes, and a file of its kind is read up to"
            }
        }
    }
}

/// A command of ours, and the file that it reads.
fn readers() -> Vec<(&'static str, String, Vec<String>)> {
    let own = |words: &str| {
        let words = words.split_whitespace();
        words
            .map(|word| word.replace("TUPLE", TUPLE))
            .collect::<Vec<_>>()
    };
    vec![
        (
            "crossmerge",
            "etc/crossmerge/crossmerge.toml".into(),
            own("applets"),
        ),
        (
            "crossmerge",
            "etc/crossmerge/wrappers/x.toml".into(),
            own("applets"),
        ),
        (
            "crossmerge",
            "etc/crossmerge/profiles/x.toml".into(),
            own("show TUPLE"),
        ),
        (
            "crossmerge",
            format!("etc/crossmerge/targets/{TUPLE}.toml"),
            own("remove TUPLE"),
        ),
        (
            "crossmerge",
            format!("etc/crossmerge/site-cache/{TUPLE}.toml"),
            own("site-cache list TUPLE"),
        ),
        (
            "crossmerge",
            format!("usr/{TUPLE}/var/lib/crossmerge/contents"),
            own("remove TUPLE"),
        ),
        (
            "crossmerge",
            "src/configure".into(),
            own("site-cache scan TUPLE src/configure"),
        ),
        ("run", "program".into(), own("./program")),
        (
            "fix-root",
            format!("usr/{TUPLE}/usr/lib/libx.la"),
            own("--dry-run"),
        ),
    ]
}

#[test]
fn what_is_no_file_of_its_kind_is_named_and_not_read() {
    for (name, path, args) in readers() {
        for stranger in Stranger::ALL {
            let prefix = Prefix::new();
            for applet in ["run", "fix-root"] {
                prefix.link(&format!("{TUPLE}-{applet}"));
            }
            std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
            let file = prefix.join(&path);
            let error = stranger.put(&file);
            let name = match name {
                "crossmerge" => name.to_owned(),
                applet => format!("{TUPLE}-{applet}"),
            };
            let said = limited(&prefix, &name, &args);
            // Only a file counts as a program, and only its beginning is read, whatever its size.
            let (code, error) = match (name.ends_with("-run"), stranger) {
                (true, Stranger::Huge) => (126, "is no program"),
                (true, _) => (127, "there is no"),
                (false, _) => (125, error),
            };
            said.fails(code, error, "");
        }
    }
}
