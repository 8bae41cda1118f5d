//! Which programs the kernel runs by itself, found by asking it.
//!
//! Many kernels run another CPU's programs beside their own (32-bit ones, if they were built so), and nothing says which. So
//! the kernel is given a program of that kind whose dynamic linker cannot exist: one that knows the kind goes on to look for
//! the linker (ENOTDIR), one that does not says ENOEXEC. That order is the one in Linux's `fs/binfmt_elf.c`. Nothing runs.

use crossmerge_system::{elf, elf::Layout, exec};
use std::{
    io::{self, Write},
    os::fd::AsRawFd,
    path::Path,
};

/// A path below what is no directory.
const NO_LINKER: &[u8] = b"/dev/null/none\0";

/// Returns whether the kernel runs programs with such a header. One that a rule of binfmt_misc takes away from it does not count.
pub fn runs(header: &[u8]) -> bool {
    let own = || elf::head(Path::new("/proc/self/exe"));
    own().is_ok_and(|own| is_same_kind(&own, header)) || asked(header).unwrap_or(false)
}

/// Class, byte order and machine are the same.
fn is_same_kind(a: &[u8], b: &[u8]) -> bool {
    a.len() >= 20 && b.len() >= 20 && a[..6] == b[..6] && a[18..20] == b[18..20]
}

fn asked(header: &[u8]) -> io::Result<bool> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    let Some(program) = program(header) else {
        return Ok(false);
    };
    let mut file: std::fs::File = memfd_create("crossmerge", MFdFlags::MFD_CLOEXEC)?.into();
    file.write_all(&program)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let refusal = exec::start_error(Path::new(&path));
    Ok(refusal.is_some_and(|why| {
        matches!(
            why.kind(),
            io::ErrorKind::NotADirectory | io::ErrorKind::NotFound
        )
    }))
}

/// A program with the CPU of the header and one program header, which names the linker.
pub(super) fn program(header: &[u8]) -> Option<Vec<u8>> {
    let layout = Layout::of(header)?;
    let (head, entry) = (layout.at(52, 64), layout.at(32, 56));
    let mut program = header.to_vec();
    // A rule's magic is shorter, and says what counts.
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
