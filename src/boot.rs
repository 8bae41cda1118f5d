//! `crossmerge boot`: starts an image, or a directory, on a virtual board of QEMU's system emulator.
//!
//! The facts of the boards are in `profiles/`. [`Boot::new`] makes all lookups, [`Boot::plan`] is pure, and the plan is
//! either executed, with the console in the terminal, or run beside crossmerge to run one command in the system.
//!
//! The command does not go through the console, on which the kernel, init and a login print. crossmerge starts the
//! board with a shell script as its first process (`guest.sh`). It executes the image's own init, and beside it runs
//! the command when the system is up. Command and output are on additional disks of the board.

mod cpio;
mod disks;
mod error;
mod image;
mod kernel;
mod request;
mod run;

pub use error::BootError;
pub use image::tuple_of;
pub use request::BootRequest;

use crate::{context::Context, target::Board};
use crossmerge_plan::{plan::Plan, tuple::Tuple};
use crossmerge_system::{exec, file};
use disks::{Disk, Exchange};
use image::{ImageKind, Initramfs};
use kernel::Kernel;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::{
    convert::Infallible,
    ffi::{OsStr, OsString},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// The memory that a kernel and its programs need besides an initramfs, in MiB.
const BESIDE_INITRAMFS: u64 = 128;

/// A boot: everything that was looked up for it.
#[derive(Debug)]
pub struct Boot<'a> {
    context: &'a Context,
    request: &'a BootRequest,
    board: Board,
    kind: ImageKind,
    kernel: Kernel,
    qemu: PathBuf,
    /// The memory in MiB.
    memory: u64,
    append: String,
}

/// Returns the fragment of a kernel configuration with which a kernel boots on the virtual board of a tuple.
///
/// # Errors
///
/// [`BootError::NoBoard`], or the error of reading the CPU families.
pub fn kernel_config(context: &Context) -> Result<String, BootError> {
    Ok(board(context, &context.tuple)?.kernel_config())
}

fn board(context: &Context, tuple: &Tuple) -> Result<Board, BootError> {
    let board = context.config.board(tuple)?;
    board.ok_or_else(|| BootError::NoBoard(tuple.clone()))
}

impl<'a> Boot<'a> {
    /// Makes all lookups: the board, the kind of the image, the kernel, QEMU and the memory.
    ///
    /// # Errors
    ///
    /// A [`BootError`] if one of them does not exist or does not fit the others.
    pub fn new(context: &'a Context, request: &'a BootRequest) -> Result<Self, BootError> {
        let settings = &context.settings.boot;
        let tuple = request.board.as_ref().or(settings.board.as_ref());
        let board = board(context, tuple.unwrap_or(&context.tuple))?;
        let kind = ImageKind::of(&request.image)?;
        let kernel = Kernel::find(context, request, &board, &kind)?;
        let program = format!("qemu-system-{}", board.qemu);
        let qemu = context
            .find_program(OsStr::new(&program))
            .map_err(|_| BootError::NoQemu(program))?;
        let appended = [settings.append.as_deref(), request.append.as_deref()];
        let append = appended.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if matches!(kind, ImageKind::Disk) && last_value(&append, "root").is_none() {
            return Err(BootError::NoRoot(request.image.clone()));
        }
        Ok(Self {
            memory: memory(request, settings.memory.as_deref(), &board, &kind)?,
            context,
            request,
            board,
            kind,
            kernel,
            qemu,
            append,
        })
    }

    /// Returns QEMU's command with the console in the terminal. `initramfs` is the file of an image that crossmerge
    /// makes of a directory.
    fn interactive(&self, initramfs: Option<&Path>) -> Plan {
        let mut args = self.machine();
        args.extend(["-serial", "mon:stdio"].map(OsString::from));
        let init = match &self.kind {
            ImageKind::Directory { init, .. } if init != Path::new("/init") => {
                format!("rdinit={}", init.display())
            }
            _ => String::new(),
        };
        self.plan(args, initramfs, &[], &init)
    }

    /// Returns QEMU's command that runs a command in the system: the console goes to a file, and the board has the
    /// disks of the exchange.
    fn running(&self, initramfs: Option<&Path>, exchange: &Exchange) -> Plan {
        let mut args = self.machine();
        let console = exchange.console();
        let mut chardev = OsString::from("file,id=console,path=");
        chardev.push(disks::escaped(&console));
        args.extend(["-chardev".into(), chardev]);
        args.extend(["-serial", "chardev:console"].map(OsString::from));
        let init = match self.kind.is_initramfs() {
            true => format!("rdinit=/bin/sh -- {}", image::SCRIPT),
            false => "init=/bin/sh -- /dev/vdb".into(),
        };
        self.plan(args, initramfs, &exchange.disks(&self.kind), &init)
    }

    /// Returns QEMU's options for the machine itself.
    fn machine(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let mut option = |name: &str, value: &str| args.extend([name.into(), value.into()]);
        option("-M", &self.board.machine);
        if let Some(cpu) = &self.board.cpu {
            option("-cpu", cpu);
        }
        option("-m", &format!("{}M", self.memory));
        // A network card would need the file of its boot ROM, which distributions package separately.
        option("-nic", "none");
        option("-display", "none");
        args.extend(["-nodefaults", "-no-reboot"].map(OsString::from));
        args
    }

    /// Completes QEMU's command with the kernel, its arguments and the disks. `init` comes last, because arguments for
    /// init may follow it.
    fn plan(
        &self,
        mut args: Vec<OsString>,
        initramfs: Option<&Path>,
        exchanged: &[Disk],
        init: &str,
    ) -> Plan {
        let mut file = |name: &str, path: &Path| args.extend([name.into(), path.into()]);
        file("-kernel", &self.kernel.image);
        if let Some(dtb) = &self.kernel.dtb {
            file("-dtb", dtb);
        }
        let given = match self.kind {
            ImageKind::Initramfs(_) => Some(&*self.request.image),
            _ => self.request.initrd.as_deref(),
        };
        if let Some(initramfs) = initramfs.or(given) {
            file("-initrd", initramfs);
        }
        let mut words = vec![format!("console={}", self.board.console)];
        match &self.kind {
            ImageKind::FileSystem { name, read_only } => words.extend([
                "root=/dev/vda".into(),
                format!("rootfstype={name}"),
                if *read_only { "ro" } else { "rw" }.into(),
                "rootwait".into(),
            ]),
            ImageKind::Disk => words.extend(["rw".into(), "rootwait".into()]),
            ImageKind::Directory { .. } | ImageKind::Initramfs(_) => {}
        }
        // With -no-reboot, QEMU ends if the kernel panics.
        words.extend(["panic=-1".into(), self.append.clone(), init.into()]);
        words.retain(|word| !word.is_empty());
        args.extend(["-append".into(), words.join(" ").into()]);
        let root = (!self.kind.is_initramfs()).then(|| Disk {
            name: "root",
            file: self.request.image.clone(),
            read_only: self.kind.is_read_only(),
            snapshot: !self.request.write && !self.kind.is_read_only(),
        });
        for (number, disk) in root.iter().chain(exchanged).enumerate() {
            args.extend(disk.options(self.board.bus, number));
        }
        Plan {
            program: self.qemu.clone(),
            args,
            ..Plan::default()
        }
    }

    /// Returns the command that would run, with an invented path for each temporary file.
    pub fn dry_run(&self) -> Plan {
        let directory = std::env::temp_dir().join("crossmerge-boot");
        let exchange = Exchange::at(&directory);
        let is_made = matches!(self.kind, ImageKind::Directory { .. });
        match self.request.run {
            Some(_) => {
                let initramfs = self.kind.is_initramfs().then(|| exchange.initramfs());
                self.running(initramfs.as_deref(), &exchange)
            }
            None => self.interactive(is_made.then(|| exchange.initramfs()).as_deref()),
        }
    }

    /// Executes QEMU with the console in the terminal. Returns only if it fails.
    ///
    /// # Errors
    ///
    /// The error of packing the directory, or of starting QEMU.
    pub fn exec(&self) -> Result<Infallible, BootError> {
        let env = &self.context.env;
        if !matches!(self.kind, ImageKind::Directory { .. }) {
            return Ok(exec::exec(&self.interactive(None), env)?);
        }
        // QEMU inherits the descriptor of a file that no longer has a name, so nothing is left when it ends.
        let directory = file::temporary().map_err(BootError::Temporary)?;
        let path = directory.path().join("initramfs");
        Initramfs::pack(&self.request.image, &path, None)?;
        let packed = fs_err::File::open(&path).map_err(BootError::Temporary)?;
        drop(directory);
        fcntl(&packed, FcntlArg::F_SETFD(FdFlag::empty()))
            .map_err(|e| BootError::Temporary(e.into()))?;
        let name = format!("/proc/self/fd/{}", packed.as_raw_fd());
        Ok(exec::exec(&self.interactive(Some(name.as_ref())), env)?)
    }

    /// Returns the programs that may be the system's init, in the kernel's order. Empty if the command runs without
    /// one.
    fn inits(&self) -> Vec<String> {
        let name = match self.kind.is_initramfs() {
            true => "rdinit",
            false => "init",
        };
        let inits = match last_value(&self.append, name) {
            Some("/bin/sh") => &[][..],
            Some(init) => return vec![init.into()],
            None if self.kind.is_initramfs() => &["/init", "/sbin/init"],
            None => &["/sbin/init", "/etc/init", "/bin/init"],
        };
        inits.iter().map(|init| (*init).to_owned()).collect()
    }
}

/// Returns the last value of an argument of the kernel.
fn last_value<'a>(append: &'a str, name: &str) -> Option<&'a str> {
    let words = append.split_whitespace().rev();
    words
        .filter_map(|word| word.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Returns the board's memory in MiB: what the user wants, or enough for the kernel and an initramfs.
fn memory(
    request: &BootRequest,
    configured: Option<&str>,
    board: &Board,
    kind: &ImageKind,
) -> Result<u64, BootError> {
    let wanted = match request.memory.as_deref().or(configured) {
        Some(text) => Some(megabytes(text).ok_or_else(|| BootError::Memory(text.into()))?),
        None => None,
    };
    let least = kind.memory() + BESIDE_INITRAMFS;
    let memory = wanted.unwrap_or(board.memory.max(least));
    match board.memory_max {
        Some(most) if memory > most => Err(BootError::TooMuchMemory {
            machine: board.machine.clone(),
            memory,
            most,
            image: (wanted.is_none()).then(|| request.image.clone()),
        }),
        _ => Ok(memory),
    }
}

/// Parses an amount of memory in MiB. A number alone is in MiB, as in QEMU.
fn megabytes(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'M' | b'm' => (&text[..text.len() - 1], 1),
        b'G' | b'g' => (&text[..text.len() - 1], 1 << 10),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_qemu_reads_it() {
        for (text, number) in [
            ("256", Some(256)),
            ("256M", Some(256)),
            ("2G", Some(2048)),
            ("1g", Some(1024)),
            ("0", None),
            ("", None),
            ("M", None),
            ("1.5G", None),
            ("99999999999999999999G", None),
        ] {
            assert_eq!(megabytes(text), number, "{text}");
        }
    }

    #[test]
    fn the_last_argument_of_a_name_counts() {
        let append = "init=/a quiet root=/dev/vda2 init=/b initcall=x";
        assert_eq!(last_value(append, "init"), Some("/b"));
        assert_eq!(last_value(append, "root"), Some("/dev/vda2"));
        assert_eq!(last_value(append, "quiet"), None);
    }
}
