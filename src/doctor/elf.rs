//! The float ABI that an ELF file is marked with. Pure.
//!
//! The numbers are `e_flags` of the processor supplements: Arm's "ELF for the Arm Architecture" (5.2), the RISC-V ELF
//! psABI ("File Header"), and the LoongArch ELF psABI ("e_flags"). Machines that mark nothing there have none.

/// The marks of one machine.
struct Marks {
    machine: u16,
    mask: u32,
    names: &'static [(u32, &'static str)],
}

const MARKS: [Marks; 3] = [
    Marks {
        machine: 40,
        mask: 0x600,
        names: &[(0x200, "soft"), (0x400, "hard")],
    },
    Marks {
        machine: 243,
        mask: 6,
        names: &[(0, "soft"), (2, "single"), (4, "double"), (6, "quad")],
    },
    Marks {
        machine: 258,
        mask: 7,
        names: &[(1, "soft"), (2, "single"), (3, "double")],
    },
];

/// Reads the float ABI from an ELF header; none when the file is not ELF, or is not marked.
pub(crate) fn float_abi(file: &[u8]) -> Option<&'static str> {
    let [0x7f, b'E', b'L', b'F', class, data, ..] = *file else {
        return None;
    };
    let number = |bytes: &[u8]| {
        let fold = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        match data {
            1 => bytes.iter().rev().fold(0, fold),
            _ => bytes.iter().fold(0, fold),
        }
    };
    let machine = number(file.get(18..20)?);
    // Behind e_entry, e_phoff and e_shoff, which are as wide as the class.
    let flags = if class == 1 { 36..40 } else { 48..52 };
    let flags = number(file.get(flags)?);
    let marks = MARKS.iter().find(|m| u32::from(m.machine) == machine)?;
    let (_, name) = marks
        .names
        .iter()
        .find(|(value, _)| *value == flags & marks.mask)?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(class: u8, data: u8, machine: u16, flags: u32) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, data]);
        let (machine, flags) = match data {
            1 => (machine.to_le_bytes(), flags.to_le_bytes()),
            _ => (machine.to_be_bytes(), flags.to_be_bytes()),
        };
        file[18..20].copy_from_slice(&machine);
        let at = if class == 1 { 36 } else { 48 };
        file[at..at + 4].copy_from_slice(&flags);
        file
    }

    #[test]
    fn the_float_abi_is_in_the_flags_of_each_byte_order_and_class() {
        for (class, data, machine, flags, wanted) in [
            (1, 1, 40, 0x0500_0200, Some("soft")),
            (1, 1, 40, 0x0500_0400, Some("hard")),
            (1, 2, 40, 0x0500_0400, Some("hard")),
            // An object: Arm's assembler leaves the marks to the linker.
            (1, 1, 40, 0x0500_0000, None),
            (2, 1, 243, 0x5, Some("double")),
            (1, 1, 243, 0x1, Some("soft")),
            (2, 1, 258, 0x43, Some("double")),
            (2, 2, 22, 0, None),
        ] {
            let file = header(class, data, machine, flags);
            assert_eq!(float_abi(&file), wanted, "{machine} {flags:#x}");
            assert_eq!(float_abi(&file[..30]), None);
        }
        assert_eq!(float_abi(b"MZ"), None);
    }
}
