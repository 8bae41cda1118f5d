//! `<tuple>-xkmake`: what is said before make starts. Beside it: real trees that are configured, built, installed and started.

mod person;
mod screen;
mod whole;

use crate::support::{Prefix, prepared};

const ARM: &str = "armv7a-unknown-linux-gnueabi";

/// A machine without Portage, and a target with Debian's compiler.
fn machine() -> Prefix {
    let prefix = Prefix::new();
    let init = ["init", ARM, "--toolchain", "arm-linux-gnueabi-"];
    prefix.own(init).success();
    prefix
}

#[test]
fn what_would_go_wrong_is_said_before_make_starts() {
    let prefix = machine();
    let tree = prepared("kernel").display().to_string();
    prefix.write(
        "other/.config",
        "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/riscv 6.1.0 Kernel Configuration\n#\nCONFIG_RISCV=y\n",
    );
    prefix.write("project/Makefile", "all:\n\tcc x.c\n");
    let out = format!("O={}", prefix.join("other").display());
    let inside = format!("{tree}/kernel");
    let arch = format!("{tree}/arch/arm");
    let cases: [(&[&str], &str, &str); 8] = [
        (
            &["-C", &tree, &out, "zImage"],
            "was made for ARCH=riscv",
            "defconfig",
        ),
        (&["all"], "there is no Makefile in", "-C DIR"),
        (
            &["-C", &inside],
            "is no kernel tree, but a folder in one",
            &tree,
        ),
        (
            &["-C", &arch],
            "is no kernel tree, but a folder in one",
            &tree,
        ),
        (
            &["-C", "project"],
            "does not know CROSS_COMPILE",
            "-env make",
        ),
        (
            &["-C", &tree, "ARCH=nonesuch", "defconfig"],
            "does not know ARCH=nonesuch",
            "unset ARCH",
        ),
        (
            &["-C", &tree, "modules_install"],
            "make cannot install to `/mnt/my board`, which INSTALL_MOD_PATH names",
            "ln -s '/mnt/my board' root && ",
        ),
        (
            &["-C", &tree, "zImage", "install", "INSTALL_PATH=/a b"],
            "make cannot install to `/a b`, which INSTALL_PATH names",
            "-xkmake install INSTALL_PATH=$PWD/root",
        ),
    ];
    let prefix = prefix.with("ROOT", "/mnt/my board");
    for (args, error, hint) in cases {
        let said = prefix.run(&format!("{ARM}-xkmake"), args);
        said.fails(125, error, hint);
    }
}
