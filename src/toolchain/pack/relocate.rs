//! The paths of a toolchain in its files: those in texts are replaced, and those that GCC prefers to its own directory are
//! removed. Pure.

use memchr::memmem;

/// The bytes that end a path in a text.
const END: &[u8] = b" \t\n\r\"'`:;,()<>=\\";

/// Where a toolchain was, and where it is now.
#[derive(Debug, Clone)]
pub(super) struct Relocation<'a> {
    /// The directory that contained its files: `usr` in Portage's prefix.
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) tuple: &'a str,
}

impl Relocation<'_> {
    /// Replaces the paths of the toolchain in a text. A path counts if it is below the old directory and names the tuple:
    /// without a prefix, that directory is `/usr`, and most paths below it are others. Returns `None` if there is none.
    pub(super) fn text(&self, text: &[u8]) -> Option<Vec<u8>> {
        let start = format!("{}/", self.from);
        let mut new = Vec::with_capacity(text.len());
        let mut kept = 0;
        for place in memmem::find_iter(text, start.as_bytes()) {
            let before = &text[..place];
            let is_start = before.last().is_none_or(|byte| is_end(*byte)) && !is_in_sysroot(before);
            let rest = &text[place..];
            let length = rest.iter().position(|byte| is_end(*byte));
            let path = &rest[..length.unwrap_or(rest.len())];
            let names_tuple = memmem::find(path, self.tuple.as_bytes()).is_some();
            if place < kept || !is_start || !names_tuple {
                continue;
            }
            new.extend_from_slice(&text[kept..place]);
            new.extend_from_slice(self.to.as_bytes());
            kept = place + self.from.len();
        }
        if kept == 0 {
            return None;
        }
        new.extend_from_slice(&text[kept..]);
        Some(new)
    }

    /// Empties the paths of the assembler and the linker with which GCC was configured (`--with-as`, `--with-ld`). GCC
    /// starts them if they exist, whatever toolchain they belong to, and else those in its own directories. Returns
    /// whether there were any.
    pub(super) fn empty_tools(&self, program: &mut [u8]) -> bool {
        let mut found = false;
        for tool in ["as", "ld"] {
            let path = format!("\0{}/bin/{}-{tool}\0", self.from, self.tuple);
            let places: Vec<usize> = memmem::find_iter(program, path.as_bytes()).collect();
            for place in places {
                program[place + 1] = 0;
                found = true;
            }
        }
        found
    }
}

/// Returns whether a byte ends a path.
fn is_end(byte: u8) -> bool {
    END.contains(&byte)
}

/// Returns whether a path after this text is one of a linker script below the sysroot: `SEARCH_DIR("=/usr/lib")`.
fn is_in_sysroot(before: &[u8]) -> bool {
    before.ends_with(b"\"=") || before.ends_with(b"(=")
}

/// Returns whether a file is text, by its beginning.
pub(super) fn is_text(content: &[u8]) -> bool {
    !content[..content.len().min(8192)].contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_toolchain_are_replaced_in_texts() {
        let moved = Relocation {
            from: "/p/usr",
            to: "/opt/t",
            tuple: "arm-x",
        };
        let text = b"SEARCH_DIR(\"/p/usr/lib64/binutils/arm-x/2.40/lib\"); SEARCH_DIR(\"=/p/usr/arm-x/lib\");\nprefix=/p/usr/arm-x\n";
        let new = moved.text(text).expect("a change");
        let text = String::from_utf8(new).expect("text");
        assert_eq!(
            text,
            "SEARCH_DIR(\"/opt/t/lib64/binutils/arm-x/2.40/lib\"); SEARCH_DIR(\"=/p/usr/arm-x/lib\");\nprefix=/opt/t/arm-x\n"
        );
        assert_eq!(moved.text(b"/p/usr/lib/other and /q/p/usr/arm-x"), None);
    }

    #[test]
    fn without_a_prefix_other_paths_below_usr_stay() {
        let moved = Relocation {
            from: "/usr",
            to: "/opt/t",
            tuple: "arm-x",
        };
        let new = moved
            .text(b"\"/usr/lib/gcc/arm-x/14\" /usr/bin/env /sys/usr/arm-x")
            .expect("a change");
        assert_eq!(
            new,
            b"\"/opt/t/lib/gcc/arm-x/14\" /usr/bin/env /sys/usr/arm-x"
        );
    }

    #[test]
    fn the_configured_assembler_is_emptied() {
        let moved = Relocation {
            from: "/p/usr",
            to: "/opt",
            tuple: "arm-x",
        };
        let mut program =
            b"..\0/p/usr/bin/arm-x-as\0..\0/p/usr/bin/arm-x-ld\0..\0/p/usr/bin/arm-x-ld.bfd\0"
                .to_vec();
        assert!(moved.empty_tools(&mut program));
        assert_eq!(
            program,
            b"..\0\0p/usr/bin/arm-x-as\0..\0\0p/usr/bin/arm-x-ld\0..\0/p/usr/bin/arm-x-ld.bfd\0"
        );
        assert!(!moved.empty_tools(&mut program));
    }
}
