//! Malicious directory trees, generated from bytes. The fuzz target `sysroot` and `tests/foreign_trees/generated.rs` use
//! the same ones.
//!
//! Each entry is created at a path that crossmerge reads, with a type and content that the next bytes choose.

use nix::{
    dir::Dir,
    fcntl::OFlag,
    sys::stat::{Mode, SFlag, makedev, mkdirat, mknod},
};
use std::{
    fs::{self, File, Permissions},
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

/// The most entries of a tree. Each takes some system calls.
const MOST_ENTRIES: usize = 48;

/// The paths, each with the kind of text that its reader expects.
const PLACES: [(&str, Text); 44] = [
    ("etc", Text::Settings),
    ("etc/passwd", Text::Users),
    ("etc/group", Text::Users),
    ("etc/ld.so.conf", Text::Settings),
    ("etc/portage", Text::Settings),
    ("etc/portage/make.conf", Text::Settings),
    ("etc/portage/make.conf/a", Text::Settings),
    ("etc/portage/make.conf/b/c", Text::Settings),
    ("etc/portage/repos.conf", Text::Repositories),
    ("etc/portage/repos.conf/a.conf", Text::Repositories),
    ("etc/portage/make.profile", Text::Parents),
    ("etc/portage/make.profile/parent", Text::Parents),
    ("etc/portage/make.profile/make.defaults", Text::Settings),
    ("etc/portage/profile", Text::Parents),
    ("etc/portage/profile/parent", Text::Parents),
    ("etc/portage/profile/use.force", Text::Users),
    ("etc/portage/package.env", Text::Users),
    ("usr", Text::Elf),
    ("usr/bin", Text::Script),
    ("usr/bin/a-config", Text::Script),
    ("usr/bin/b-config", Text::Script),
    ("usr/bin/program", Text::Elf),
    ("usr/lib", Text::Archive),
    ("usr/lib/liba.la", Text::Archive),
    ("usr/lib/d/libb.la", Text::Archive),
    ("usr/lib/liba.so", Text::Elf),
    ("usr/lib/aConf.sh", Text::Script),
    ("usr/lib/pkgconfig", Text::Package),
    ("usr/lib/pkgconfig/a.pc", Text::Package),
    ("usr/share/a/a.m4", Text::Script),
    ("usr/share/portage/config/make.globals", Text::Settings),
    ("usr/local/lib/libc.la", Text::Archive),
    ("lib", Text::Elf),
    ("lib/ld-linux.so.3", Text::Elf),
    ("lib/libc.so.6", Text::Elf),
    ("bin/true", Text::Elf),
    ("var", Text::Record),
    ("var/lib/crossmerge/contents", Text::Record),
    ("var/lib/crossmerge/lock", Text::Record),
    (".crossmerge-lock", Text::Record),
    ("var/db/pkg", Text::Contents),
    ("var/db/pkg/c/p-1/CONTENTS", Text::Contents),
    ("var/db/repos/a/profiles/repo_name", Text::Users),
    ("tmp", Text::Users),
];

/// The kinds of text.
#[derive(Clone, Copy)]
enum Text {
    Settings,
    Repositories,
    Parents,
    Users,
    Script,
    Archive,
    Package,
    Record,
    Contents,
    Elf,
}

impl Text {
    const ALL: [Self; 10] = [
        Self::Settings,
        Self::Repositories,
        Self::Parents,
        Self::Users,
        Self::Script,
        Self::Archive,
        Self::Package,
        Self::Record,
        Self::Contents,
        Self::Elf,
    ];

    /// Returns the pieces from which such a text is generated. This is a table: one list for each kind of file.
    fn pieces(self) -> &'static [&'static [u8]] {
        match self {
            Self::Settings => &[
                b"A=\"${A}${A}${A}x\"\n",
                b"B=$A$A$A$A\n",
                b"source /etc/portage/make.conf\n",
                b"source make.conf\nsource \"${A}\"\n",
                b"CFLAGS=\"-O2 ${CFLAGS}\"\n",
                b"DISTDIR=\"/../../..\"\n",
                b"DISTDIR=${B}\nUSE_EXPAND=\"A B C\"\n",
                b"ROOT=/\nPORTAGE_TMPDIR='",
                b"X=\"unfinished\n",
                b"\\\n\x00\xff\r\x0b",
            ],
            Self::Repositories => &[
                b"[DEFAULT]\nmain-repo = a\n",
                b"[a]\nlocation = /var/db/repos/a\n",
                b"[b]\nlocation = %(location)s%(location)s\n",
                b"x = %(y)s%(y)s\ny = %(x)s%(x)s\n",
                b"[c]\nlocation = ../../../..\nmasters = a c\n",
                b"[\n",
                b" continued\n",
                b"sync-type = %%%\n\xff",
            ],
            Self::Parents => &[
                b".\n", b"..\n", b"../profile\n", b"../make.profile\n", b"a:\n", b"a:x\n", b"/\n", b"\x00\n",
            ],
            Self::Users => &[
                b"root:x:0:0::/root:/bin/true\n",
                b"a:x:-1:4294967295:::\n",
                b"a:x:99999999999999999999:0:::\n",
                b"root:x:0:a,a,a,root\n",
                b"::::::::\n",
                b"-*\n-kernel_linux\n",
                b"\xff\n",
            ],
            Self::Script => &[
                b"#!/bin/sh\n",
                b"prefix=/usr\nexec_prefix=${prefix}\n",
                b"echo -I/usr/include -L${libdir} -L/usr/lib\n",
                b"dir=`dirname $0`\n",
                b"A_LIBS='-L/usr/lib -la'\n",
                b"cat <<EOF\n",
                b"'\"`$((\n",
                b"\x00\xff\r\n",
            ],
            Self::Archive => &[
                b"libdir='/usr/lib'\n",
                b"dependency_libs=' -L/usr/lib /usr/lib/libb.la =/usr/lib/liba.la'\n",
                b"installed=yes\n",
                b"libdir='/usr/lib\n",
                b"# \xff\n",
            ],
            Self::Package => &[
                b"Name: a\nDescription: a\nVersion: 1\n",
                b"prefix=/usr\n",
                b"prefix=${pcfiledir}/../../..\n",
                b"Cflags: -I${prefix}/include -I/etc -isystem /\n",
                b"Libs: -L${prefix}/lib -la @/etc/passwd\n",
                b"Libs.private: ${nothing}\n",
                b"\xff: \x00\n",
            ],
            Self::Record => &[
                b"pending\n",
                b"dir usr/lib\ndir etc\ndir .\n",
                b"dir ../../machine\n",
                b"obj etc/passwd 0\n",
                b"obj usr/lib/out/x e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
                b"obj etc/group e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
                b"sym usr/bin/out -> OUTSIDE\n",
                b"sym lib/out -> ..\n",
                b"obj \n",
            ],
            Self::Contents => &[
                b"obj /usr/lib/liba.la 0 0\n",
                b"dir /usr/lib\n",
                b"sym /usr/lib/x -> y 0\n",
                b"obj /../../machine/x 0 0\n",
                b"obj\n\xff",
            ],
            Self::Elf => &[
                b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x28\0\x01\0\0\0",
                b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0",
                b"\0\0\0\0\x34\0\0\0\xff\xff\xff\xff\xff\xff\xff\x05\x34\0\x20\0\xff\xff",
                b"#!/usr/bin/program\n",
                b"/lib/ld-linux.so.3\0",
                b"GLIBC_2.99\0",
            ],
        }
    }
}

/// The targets of symlinks. OUTSIDE stands for a directory outside the tree.
const TARGETS: [&str; 16] = [
    ".",
    "..",
    "../..",
    "out",
    "/",
    "/usr/lib",
    "/etc",
    "OUTSIDE",
    "OUTSIDE/secret",
    "OUTSIDE/lib",
    "../../../../../../../../../../../..OUTSIDE",
    "/nowhere",
    "/proc/self/cwd",
    "/dev/zero",
    "a/../a/../a",
    "liba.la",
];

/// The rest of the input.
struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    /// Returns the next byte, or 0 at the end.
    fn next(&mut self) -> usize {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        usize::from(*first)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next() % all.len()]
    }
}

/// Creates a tree in an existing directory. No entry is created through a symlink. Entries that cannot be created are
/// omitted.
pub fn make(bytes: &[u8], top: &Path, outside: &Path) {
    let mut bytes = Bytes(bytes);
    for _ in 0..MOST_ENTRIES {
        if bytes.0.is_empty() {
            break;
        }
        let (place, text) = bytes.of(&PLACES);
        let mut place = top.join(place);
        // Another name, below the path.
        if bytes.next() % 4 == 0 {
            place.push(bytes.of(&["out", "x", "liba.la", "é\n\u{1b}[2J", "a-config"]));
        }
        let directory = place.parent().expect("it is below the top");
        if has_link(top, directory) || fs::create_dir_all(directory).is_err() {
            continue;
        }
        // An entry that cannot be created, such as a device without privileges, is omitted.
        let _ = entry(&mut bytes, &place, text, outside);
    }
}

/// Returns whether a symlink is on the path from the top to a directory.
fn has_link(top: &Path, directory: &Path) -> bool {
    let below = directory.ancestors().take_while(|above| *above != top);
    below.into_iter().any(Path::is_symlink)
}

/// Creates one entry.
fn entry(bytes: &mut Bytes<'_>, place: &Path, text: Text, outside: &Path) -> std::io::Result<()> {
    let everything = Mode::from_bits_truncate(0o666);
    match bytes.next() % 16 {
        0..6 => {
            let text = self::text(bytes, text, outside);
            File::create_new(place)?.write_all(&text)?;
            let mode = bytes.of(&[0o644, 0o755, 0o600, 0, 0o4755, 0o666]);
            fs::set_permissions(place, Permissions::from_mode(mode))
        }
        6..11 => symlink(named(bytes.of(&TARGETS), outside), place),
        11 => Ok(mknod(place, SFlag::S_IFIFO, everything, 0)?),
        12 => Ok(mknod(place, SFlag::S_IFSOCK, everything, 0)?),
        13 => Ok(mknod(place, SFlag::S_IFCHR, everything, makedev(1, 3))?),
        14 => {
            let size = bytes.of(&[1 << 20, 1 << 30, 1 << 40]);
            let mut file = File::create_new(place)?;
            file.write_all(&self::text(bytes, text, outside))?;
            file.set_len(size)
        }
        _ => deep(
            place,
            bytes.of(&[1, 3, 40, 300]),
            bytes.of(&["d", "lib", "x\n"]),
        ),
    }
}

/// Generates a text from pieces, which may be repeated, or belong to another kind.
fn text(bytes: &mut Bytes<'_>, text: Text, outside: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..bytes.next() % 8 {
        let kind = match bytes.next() % 8 {
            0 => bytes.of(&Text::ALL),
            _ => text,
        };
        let piece = bytes.of(kind.pieces());
        let times = bytes.of(&[1, 1, 1, 1, 2, 30, 2000]);
        all.extend(piece.repeat(times));
    }
    let count = bytes.next() % 24;
    let (raw, rest) = bytes.0.split_at(count.min(bytes.0.len()));
    bytes.0 = rest;
    all.extend(raw);
    match String::from_utf8(all) {
        Ok(text) => named(&text, outside).into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

fn named(text: &str, outside: &Path) -> String {
    text.replace("OUTSIDE", &outside.display().to_string())
}

/// Creates nested directories, whose path may exceed PATH_MAX.
fn deep(place: &Path, depth: usize, name: &str) -> std::io::Result<()> {
    fs::create_dir_all(place)?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    let mut directory = Dir::open(place, flags, Mode::empty())?;
    for _ in 0..depth {
        mkdirat(&directory, name, Mode::S_IRWXU)?;
        directory = Dir::openat(&directory, name, flags, Mode::empty())?;
    }
    Ok(())
}
