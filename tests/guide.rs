//! The documentation is true: every command of a page runs, in the page's order, and prints what the page shows.
//!
//! A block of commands is fenced as `console`. `$ ` is an ordinary user's prompt and `# ` root's. `…` stands for any
//! text, and alone on a line for any lines. Every command must succeed, except the last one of a block fenced as
//! `console fails`. A block that cannot run here is fenced as `console not run: WHY`.

mod forms;
mod machine;
mod page;

use machine::Machine;
use page::{Kind, Page};

/// Runs a page on a machine where root has run the commands in `before`. `$checkout` is the directory of the sources.
fn run(path: &str, before: &[&str]) {
    let page = Page::read(path);
    let mut machine = Machine::new();
    let checkout = format!("checkout='{}'", env!("CARGO_MANIFEST_DIR"));
    for command in [&[checkout.as_str()], before].concat() {
        let (output, code) = machine.root.run(command);
        assert_eq!(code, 0, "{command}: {output}");
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
            let (output, code) = shell.run(&step.command);
            let has_to_fail = fails && number == steps.len();
            let (at, command) = (&step.at, &step.command);
            assert_eq!(
                code != 0,
                has_to_fail,
                "{at}: the code of `{command}` is {code}; its output:\n{output}"
            );
            let lines: Vec<&str> = output.lines().collect();
            assert!(
                page::fits(&step.output, &lines),
                "{at}: `{command}` printed:\n{output}\nbut the page has:\n{}\n",
                step.output.join("\n")
            );
        }
    }
}

/// The root of a board, which an ordinary user unpacked.
const BOARD: &str = "cp -a $checkout/target/demo/roots/armel /mnt/board && mkdir -p /mnt/board/{dev,etc,proc,root,sys} && chown -R 1000:1000 /mnt/board";
/// The target of the reference pages, with programs of its own.
const TARGET: &str = "t=armv4tl-softfloat-linux-gnueabi
    cp -a /mnt/board /usr/$t && crossmerge init $t --toolchain arm-linux-gnueabi- --with-libc &&
    chown -R 1000:1000 /usr/$t";
/// An ordinary user's sources and a program for the target.
const SOURCES: &str = "cd /home/you && mkdir src && printf '#!/bin/sh\necho checked\n' > src/check && chmod +x src/check &&
    echo 'int main(void) { return puts(\"hello\") < 0; }' | $t-gcc -w -include stdio.h -x c - -o hello; cd";
/// Debian's kernel for ARMv7, and QEMU.
const KERNEL: &str = "ln -s $checkout/target/demo/boot /srv/kernel &&
    ln -s $checkout/target/demo/qemu-system/bin/qemu-system-arm /usr/local/bin";
/// The sources of an upstream project.
const BASH: &str = "tar -xf $checkout/target/demo/chain/bash-5.2.15.tar.gz -C /home/you";

/// One test for each page, named by what the page claims.
macro_rules! pages {
    ($($test:ident: $path:literal $(after [$($before:expr),+])?,)*) => {
        const RUN: &[&str] = &[$($path),*];
        $(
            #[test]
            fn $test() {
                run($path, &[$($($before),+)?]);
            }
        )*
    };
}

pages! {
    the_readme_holds: "README.md",
    chapter_1_holds: "docs/guide/1-toolchain.md" after ["sh $checkout/tests/doctor/sdk.sh /opt/sdk"],
    chapter_2_holds: "docs/guide/2-sysroot.md",
    chapter_3_holds: "docs/guide/3-emerge.md",
    chapter_4_holds: "docs/guide/4-profiles.md",
    chapter_5_holds: "docs/guide/5-site-answers.md",
    chapter_6_holds: "docs/guide/6-kernel.md" after ["ln -s $checkout/target/demo/kernel /usr/src/linux"],
    chapter_7_holds: "docs/guide/7-qemu.md" after [BOARD],
    chapter_8_holds: "docs/guide/8-board.md" after [KERNEL],
    chapter_9_holds: "docs/guide/9-by-hand.md",
    chapter_10_holds: "docs/guide/10-troubleshooting.md",
    the_page_on_chroot_holds: "docs/chroot.md" after [BOARD, TARGET, SOURCES],
    the_page_on_qemu_holds: "docs/qemu.md" after [BOARD, TARGET, SOURCES],
    the_page_on_scanning_holds: "docs/site-cache-learn.md" after [BASH],
}

#[test]
fn every_block_of_commands_is_run_or_excused() {
    let mut excused = Vec::new();
    for page in page::all() {
        assert_eq!(
            page.is_run(),
            RUN.contains(&page.path.as_str()),
            "{}: a page with `console` blocks, and no other, has a line in `pages!`",
            page.path
        );
        for line in &page.prose {
            let indented = line.strip_prefix("    ").unwrap_or_default();
            assert!(
                !has_prompt(indented),
                "{}: commands are fenced: {line}",
                page.path
            );
        }
        for block in &page.blocks {
            match block.kind() {
                Kind::Run { .. } => assert!(!block.steps().is_empty(), "{}: empty", block.at),
                Kind::Excused { why } => excused.push(format!("{}: {why}", block.at)),
                // Every command of the guide runs.
                Kind::Form => assert!(
                    !page.path.starts_with("docs/guide/")
                        && !block.lines.iter().any(|line| has_prompt(line)),
                    "{}: neither run nor excused",
                    block.at
                ),
                Kind::Data => {}
            }
        }
    }
    assert_eq!(excused.len(), EXCUSED, "{excused:#?}");
}

/// The number of blocks that cannot run on a test machine, because they compile for a long time or need a whole
/// Gentoo.
const EXCUSED: usize = 16;

fn has_prompt(line: &str) -> bool {
    line.starts_with("$ ") || line.starts_with("# ")
}
