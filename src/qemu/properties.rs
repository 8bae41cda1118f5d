//! Properties of any profile of a CPU family, and of the beginning of any program.

use super::{
    binfmt::table::Entry,
    content::Content,
    rule::{self, Rule},
};
use crate::target::{self, ELF_KIND_LEN, Source, Target};
use crossmerge_plan::{report::Explain, tuple::Tuple};
use crossmerge_system::{
    elf::{self, ElfHeader, HEADER_LEN, Layout},
    exec::native::program,
    script::Script,
};
use std::{io, path::Path, sync::LazyLock};

/// The built-in CPU families.
static FAMILIES: LazyLock<Vec<Source>> =
    LazyLock::new(|| Source::built_in().map(|(_, source)| source).collect());

/// A target whose files are marked with their float ABI.
static ARM: LazyLock<Target> = LazyLock::new(|| {
    let tuple = "arm-unknown-linux-gnueabi".parse().expect("a tuple");
    Target::of(&tuple, &FAMILIES, "").expect("its facts are built in")
});

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| rules(&FAMILIES).expect("what is built in"));

fn rules(sources: &[Source]) -> Option<Vec<Rule>> {
    let kinds = target::elf_kinds(sources).ok()?;
    Some(kinds.iter().map(Rule::from).collect())
}

/// Checks that a profile is rejected with a message and a hint, or gives consistent facts and rules.
pub(crate) fn profile(data: &[u8]) {
    // The first line is the tuple.
    let Some((tuple, text)) = std::str::from_utf8(data)
        .ok()
        .and_then(|t| t.split_once('\n'))
    else {
        return;
    };
    let sources = [Source::own("own.toml".into(), text.into())];
    if let Ok(tuple) = tuple.parse::<Tuple>() {
        match Target::of(&tuple, &sources, "profiles") {
            Ok(target) => {
                assert_eq!(target.tuple, tuple.as_str());
                assert!(target.to_text().lines().count() >= 20);
            }
            Err(error) => assert!(!error.to_string().is_empty() && error.hint().is_some()),
        }
        // A profile need not know the tuple.
        let _ = Target::of(&tuple, &FAMILIES, "profiles");
    }
    for rule in rules(&sources).iter().flatten() {
        assert_eq!(rule.magic.len(), rule.mask.len());
        assert!((ELF_KIND_LEN..=HEADER_LEN).contains(&rule.magic.len()));
        assert!(rule.matches(&rule.magic), "a rule takes its own magic");
        let line = rule.registration(Path::new("/q"), "F");
        assert!(line.starts_with(b":qemu-") && line.ends_with(b":/q:F"));
    }
}

/// Checks that a header is read to its end, that nothing outside the file is read, and that no two rules match it.
pub(crate) fn elf(data: &[u8]) {
    let header = &data[..data.len().min(HEADER_LEN)];
    let read = |bytes: &mut [u8], place: u64| {
        let from = usize::try_from(place).unwrap_or(usize::MAX);
        let until = from.saturating_add(bytes.len());
        let there = data.get(from..until);
        bytes.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    };
    if let Ok(Some(linker)) = elf::interpreter_in(header, read) {
        let linker = linker.into_os_string().into_encoded_bytes();
        assert!(!linker.contains(&0) && linker.len() <= data.len());
    }
    let of_elf = Layout::of(header);
    if let (Some(kind), Some(layout)) = (ElfHeader::of(header), of_elf) {
        assert_eq!(kind.bits, layout.at(32, 64));
        if let Some(program) = program(header) {
            assert_eq!(program[..6], header[..6]);
            assert_eq!(
                ElfHeader::of(&program).map(|made| (made.machine, made.bits, made.is_program())),
                Some((kind.machine, kind.bits, true))
            );
        }
    }
    if let Some(rule) = rule::of_header(&RULES, header) {
        assert!(header.starts_with(b"\x7fELF"));
        assert!(header.len() >= rule.magic.len());
    }
    if let Some(Script {
        interpreter,
        argument,
    }) = Script::of(header)
    {
        assert!(of_elf.is_none());
        let length = interpreter.as_os_str().len() + argument.map_or(0, |argument| argument.len());
        assert!(length <= HEADER_LEN);
    }
    Content::of(Path::new("x.c"), header);
    ARM.float_abi_of(data);
    if let Some(entry) = Entry::parse("qemu-x", data) {
        entry.takes(header);
        let same = RULES.iter().filter(|rule| entry.is_of(rule));
        assert!(same.count() <= RULES.len());
    }
}
