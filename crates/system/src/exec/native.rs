//! Whether the kernel runs a kind of programs itself, found by trying.
//!
//! Many kernels also run programs of a related CPU (32-bit ones, if configured), and no interface lists them. So
//! crossmerge makes a program of that kind whose dynamic linker cannot exist, and starts it. A kernel that supports
//! the kind looks for the linker (ENOTDIR); one that does not fails with ENOEXEC. The order is that of Linux's
//! `fs/binfmt_elf.c`. Nothing runs.

use super::start_error;
use crate::elf::Layout;
use std::{
    io::{self, Write},
    os::fd::AsRawFd,
    path::Path,
};

/// A path below a file that is not a directory.
const NO_LINKER: &[u8] = b"/dev/null/none\0";

/// Returns whether the kernel runs programs with such a header. It does not count if a binfmt_misc rule handles them.
pub fn kernel_runs(header: &[u8]) -> bool {
    asked(header).unwrap_or(false)
}

fn asked(header: &[u8]) -> io::Result<bool> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    let Some(program) = program(header) else {
        return Ok(false);
    };
    let mut file: std::fs::File = memfd_create("crossmerge", MFdFlags::MFD_CLOEXEC)?.into();
    file.write_all(&program)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let refusal = start_error(Path::new(&path));
    Ok(refusal.is_some_and(|why| {
        matches!(
            why.kind(),
            io::ErrorKind::NotADirectory | io::ErrorKind::NotFound
        )
    }))
}

/// Makes a program with the CPU of the header and one program header, which names the linker.
pub fn program(header: &[u8]) -> Option<Vec<u8>> {
    let layout = Layout::of(header)?;
    let (head, entry) = (layout.at(52, 64), layout.at(32, 56));
    let mut program = header.to_vec();
    // A rule's magic may be shorter than a header, and has all that matters.
    program.truncate(head);
    program.resize(head + entry, 0);
    let linker = (head + entry) as u64;
    // e_type, e_version, e_entry, e_phoff, e_shoff, e_ehsize, e_phentsize, e_phnum; then p_type, p_offset, p_filesz.
    for (narrow, wide, number) in [
        (16..18, 16..18, 2),
        (20..24, 20..24, 1),
        (24..28, 24..32, 0),
        (28..32, 32..40, head as u64),
        (32..36, 40..48, 0),
        (40..42, 52..54, head as u64),
        (42..44, 54..56, entry as u64),
        (44..46, 56..58, 1),
        (52..56, 64..68, 3),
        (56..60, 72..80, linker),
        (68..72, 96..104, NO_LINKER.len() as u64),
    ] {
        layout.put(&mut program[layout.at(narrow, wide)], number);
    }
    program.extend(NO_LINKER);
    Some(program)
}
