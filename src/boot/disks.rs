//! The disks of a board, and the files behind those through which a command and its output go.

use super::{error::BootError, image::ImageKind};
use crate::target::Bus;
use crossmerge_plan::words::quote_for_any_sh;
use std::{
    collections::hash_map::RandomState,
    ffi::{OsStr, OsString},
    hash::{BuildHasher, Hasher},
    io::Write,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// The script that the board's first process runs.
const GUEST: &str = include_str!("guest.sh");

/// The size of a disk for output. Its file has only the blocks that are written.
const OUTPUT: u64 = 1 << 30;

/// The size of a block of a disk.
const BLOCK: usize = 512;

/// A disk of the board.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) name: &'static str,
    pub(super) file: PathBuf,
    pub(super) read_only: bool,
    /// Whether changes are discarded.
    pub(super) snapshot: bool,
}

impl Disk {
    /// Returns QEMU's options for the disk. `number` decides on its place on the bus, and so on its name.
    pub(super) fn options(&self, bus: Bus, number: usize) -> [OsString; 4] {
        let name = self.name;
        let mut drive = OsString::from(format!("if=none,id={name},format=raw,file="));
        drive.push(escaped(&self.file));
        if self.read_only {
            drive.push(",readonly=on");
        }
        if self.snapshot {
            drive.push(",snapshot=on");
        }
        let mut device = format!("virtio-blk-{},drive={name}", bus.suffix());
        // Otherwise QEMU takes the places from the end.
        if bus == Bus::Mmio {
            device += &format!(",bus=virtio-mmio-bus.{number}");
        }
        ["-drive".into(), drive, "-device".into(), device.into()]
    }
}

/// Returns a path as a value in one of QEMU's lists of options, in which a comma is doubled.
pub(super) fn escaped(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes();
    let mut escaped = Vec::with_capacity(bytes.len());
    for byte in bytes {
        escaped.push(*byte);
        if *byte == b',' {
            escaped.push(b',');
        }
    }
    OsString::from_vec(escaped)
}

/// The files through which a command and its output go.
#[derive(Debug)]
pub(super) struct Exchange {
    directory: PathBuf,
    /// Random text that no output contains by chance.
    id: String,
}

/// The output of a command that ran in a system.
#[derive(Debug)]
pub struct RunOutput {
    /// The exit code.
    pub code: u8,
    /// The output on stdout.
    pub stdout: Vec<u8>,
    /// The output on stderr.
    pub stderr: Vec<u8>,
}

impl Exchange {
    /// Names the files. They do not exist yet.
    pub(super) fn at(directory: &Path) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self {
            directory: directory.into(),
            id: format!("crossmerge-{:016x}{:016x}", random(), random()),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Returns the path of the file with the output of the console.
    pub(super) fn console(&self) -> PathBuf {
        self.path("console")
    }

    /// Returns the path of the initramfs that crossmerge makes.
    pub(super) fn initramfs(&self) -> PathBuf {
        self.path("initramfs")
    }

    /// Returns the script of the board's first process. If `inits` is empty, the command runs without an init. If `ends`,
    /// the script shuts the system down.
    pub(super) fn script(&self, command: &str, inits: &[String], ends: bool) -> String {
        let end = "reboot || kill -INT 1";
        GUEST
            .replace("@ID@", &self.id)
            .replace("@INIT@", &quote_for_any_sh(OsStr::new(&inits.join(" "))))
            .replace("@END@", if ends { end } else { "" })
            .replace("@COMMAND@", &quote_for_any_sh(OsStr::new(command)))
    }

    /// Returns the disks of the exchange. An initramfs contains the script itself.
    pub(super) fn disks(&self, kind: &ImageKind) -> Vec<Disk> {
        let names = ["script", "out", "err", "status"];
        let names = names.into_iter().skip(usize::from(kind.is_initramfs()));
        let disk = |name| Disk {
            name,
            file: self.path(name),
            read_only: name == "script",
            snapshot: false,
        };
        names.map(disk).collect()
    }

    /// Creates the files of the disks. The guest recognises those for output by their first lines.
    pub(super) fn create(&self, script: &str) -> Result<(), BootError> {
        let write = || {
            let mut text = script.to_owned();
            // A disk consists of whole blocks.
            let padded = text.len().next_multiple_of(BLOCK);
            text.extend(std::iter::repeat_n('\n', padded - text.len()));
            fs_err::write(self.path("script"), text)?;
            for name in ["out", "err", "status"] {
                let mut file = fs_err::File::create(self.path(name))?;
                writeln!(file, "{} {name}", self.id)?;
                file.set_len(if name == "status" {
                    BLOCK as u64
                } else {
                    OUTPUT
                })?;
            }
            Ok(())
        };
        write().map_err(BootError::Temporary)
    }

    /// Returns the output if the command has ended.
    pub(super) fn output(&self) -> Result<Option<RunOutput>, BootError> {
        let status = fs_err::read(self.path("status")).map_err(BootError::Temporary)?;
        let line = status.split(|byte| *byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
        let code = line.strip_prefix(&self.id).map(str::trim);
        let Some(code) = code.and_then(|code| code.parse().ok()) else {
            return Ok(None);
        };
        Ok(Some(RunOutput {
            code,
            stdout: self.text("out")?,
            stderr: self.text("err")?,
        }))
    }

    /// Reads a disk up to the mark that the guest writes at the end.
    fn text(&self, name: &str) -> Result<Vec<u8>, BootError> {
        let path = self.path(name);
        let mark = format!("{} end", self.id);
        let mut file = fs_err::File::open(&path).map_err(BootError::Temporary)?;
        let finder = memchr::memmem::Finder::new(&mark);
        let (mut text, mut searched) = (Vec::new(), 0usize);
        loop {
            let from = searched.saturating_sub(mark.len());
            if let Some(at) = finder.find(&text[from..]) {
                text.truncate(from + at);
                return Ok(text);
            }
            searched = text.len();
            let mut chunk = std::io::Read::take(&mut file, 1 << 20);
            let read = std::io::Read::read_to_end(&mut chunk, &mut text);
            if read.map_err(BootError::Temporary)? == 0 {
                return Err(BootError::TooMuchOutput(OUTPUT >> 20));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_ends_at_the_mark_of_the_guest() {
        let directory = tempfile::tempdir().expect("a directory");
        let exchange = Exchange::at(directory.path());
        let command = "printf '%s' \"it's\" @ID@";
        let script = exchange.script(command, &["/init".into()], true);
        exchange.create(&script).expect("files");
        assert_eq!(script.matches("@ID@").count(), 1);
        assert!(script.contains("init='/init'\n"), "{script}");
        assert!(exchange.output().expect("files").is_none());
        let put = |name: &str, text: &[u8]| {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(exchange.path(name));
            file.expect(name).write_all(text).expect(name);
        };
        let long = vec![b'x'; (1 << 20) - 20];
        put(
            "out",
            &[&long[..], exchange.id.as_bytes(), b" end"].concat(),
        );
        put("err", format!("a\0b\n{} end", exchange.id).as_bytes());
        put("status", format!("{} 37\n", exchange.id).as_bytes());
        let output = exchange.output().expect("files").expect("an output");
        assert_eq!(output.code, 37);
        assert!(output.stdout == long);
        assert_eq!(output.stderr, b"a\0b\n");
    }

    #[test]
    fn a_comma_in_a_path_is_doubled() {
        assert_eq!(escaped(Path::new("/a,b,/c")), "/a,,b,,/c");
    }
}
