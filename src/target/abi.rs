//! Compares a compiler's ABI with the tuple's.

use super::{
    Target,
    family::Text,
    mark::{Macros, Mark, Mismatch},
};

impl Target {
    /// Compares the ABI of a compiler, by its predefined macros, with that of the tuple. Returns `None` if they are
    /// the same, or if either is not known.
    pub fn other_abi(&self, macros: &Macros) -> Option<Mismatch> {
        let of = |what: &'static str, wanted: &Option<String>, name: fn(&Mark) -> Option<&Text>| {
            let wanted = wanted.as_deref()?;
            let fits = |mark: &&Mark| {
                !mark.macros.is_empty() && mark.macros.iter().all(|wanted| macros.has(wanted))
            };
            let marks = self.marks.iter().filter(|mark| name(mark).is_some());
            let made = marks.filter(fits).find_map(name)?;
            (made != wanted).then(|| Mismatch {
                what,
                made: made.to_string(),
                wanted: wanted.to_owned(),
            })
        };
        of("ABI", &self.elf_abi, |mark| mark.elf_abi.as_ref())
            .or_else(|| of("float ABI", &self.float_abi, |mark| mark.float_abi.as_ref()))
    }

    /// Returns the float ABI with which the header of a linked ELF file is marked. Returns `None` if the file is not
    /// ELF, is for another machine, or is not marked.
    pub(crate) fn float_abi_of(&self, header: &[u8]) -> Option<&str> {
        let [0x7f, b'E', b'L', b'F', class, data, ..] = *header else {
            return None;
        };
        let number = |bytes: &[u8]| {
            let fold = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
            match data {
                1 => bytes.iter().rev().fold(0, fold),
                _ => bytes.iter().fold(0, fold),
            }
        };
        if number(header.get(18..20)?) != u32::from(self.elf_machine) {
            return None;
        }
        // After e_entry, e_phoff and e_shoff, whose size depends on the class.
        let flags = if class == 1 { 36..40 } else { 48..52 };
        let flags = number(header.get(flags)?);
        let fits = |mark: &&Mark| {
            mark.elf_flags
                .is_some_and(|wanted| flags & wanted.mask == wanted.value)
        };
        self.marks
            .iter()
            .filter(fits)
            .find_map(|mark| mark.float_abi.as_deref())
    }
}
