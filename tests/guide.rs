//! The documentation is true: every command of a page is run, in the order of the page, and prints what the page says.
//!
//! A block of commands is fenced as `console`. `$ ` is the prompt of an ordinary user, `# ` that of root; `…` stands for any text, and alone on a
//! line for any lines. A command has to succeed, but for the last one of a block fenced as `console fails`. What cannot be run here is
//! fenced as `console not run: WHY`.

mod machine;
mod page;

use machine::Machine;
use page::{Kind, Page};

/// Runs a page, on a machine where root ran some commands before, in the checkout.
fn run(path: &str, before: &[&str]) {
    let page = Page::read(path);
    let mut machine = Machine::new();
    for command in before {
        let command = format!("(cd '{}' && {command})", env!("CARGO_MANIFEST_DIR"));
        let (said, code) = machine.root.run(&command);
        assert_eq!(code, 0, "{command}: {said}");
    }
    for block in &page.blocks {
        let Kind::Run { fails } = block.kind() else {
            continue;
        };
        let steps = block.steps();
        for (number, step) in (1..).zip(&steps) {
            let shell = if step.as_root {
                &mut machine.root
            } else {
                &mut machine.user
            };
            let (said, code) = shell.run(&step.command);
            let has_to_fail = fails && number == steps.len();
            let (at, command) = (&step.at, &step.command);
            assert_eq!(
                code != 0,
                has_to_fail,
                "{at}: the code of `{command}` is {code}; it says:\n{said}"
            );
            let lines: Vec<&str> = said.lines().collect();
            assert!(
                page::fits(&step.output, &lines),
                "{at}: `{command}` says:\n{said}\nand the page:\n{}\n",
                step.output.join("\n")
            );
        }
    }
}

/// A board's root, as somebody unpacked it.
const ROOT: &str =
    "cp -a target/demo/roots/armel /mnt/board && mkdir -p /mnt/board/etc /mnt/board/root";

/// One test a page, named by what it claims.
macro_rules! pages {
    ($($test:ident: $path:literal $(after $before:expr)?,)*) => {
        const RUN: &[&str] = &[$($path),*];
        $(
            #[test]
            fn $test() {
                run($path, &[$($before)?]);
            }
        )*
    };
}

pages! {
    chapter_1_holds: "docs/guide/1-toolchain.md" after "sh tests/doctor/sdk.sh /opt/sdk",
    chapter_2_holds: "docs/guide/2-sysroot.md",
    chapter_3_holds: "docs/guide/3-emerge.md",
    chapter_4_holds: "docs/guide/4-profiles.md",
    chapter_5_holds: "docs/guide/5-site-answers.md",
    chapter_6_holds: "docs/guide/6-kernel.md",
    chapter_7_holds: "docs/guide/7-qemu.md" after ROOT,
    chapter_8_holds: "docs/guide/8-by-hand.md",
    chapter_9_holds: "docs/guide/9-troubleshooting.md",
}

#[test]
fn no_block_of_commands_is_neither_run_nor_excused() {
    let mut excused = Vec::new();
    for page in page::all() {
        assert_eq!(
            page.is_run(),
            RUN.contains(&page.path.as_str()),
            "{}: a page with `console` blocks has a line in `pages!`",
            page.path
        );
        for block in &page.blocks {
            match block.kind() {
                Kind::Run { .. } => assert!(!block.steps().is_empty(), "{}: empty", block.at),
                Kind::Excused { why } => excused.push(format!("{}: {why}", block.at)),
                Kind::Form | Kind::Data => {}
            }
        }
    }
    assert!(excused.len() <= 8, "{excused:#?}");
}
