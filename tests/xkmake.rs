//! `<tuple>-xkmake`: a real kernel is configured, built, installed and started; and what is said before make starts.

use crate::support::{Prefix, prepared};
use std::fs;

const ARM: &str = "armv7a-unknown-linux-gnueabi";

/// What the least configuration lacks to say something on a machine of QEMU's, and a module.
const FRAGMENT: &str = "CONFIG_MMU=y
CONFIG_ARCH_VIRT=y
CONFIG_PRINTK=y
CONFIG_DEBUG_KERNEL=y
CONFIG_DEBUG_LL=y
CONFIG_DEBUG_LL_UART_PL01X=y
CONFIG_DEBUG_UART_PHYS=0x09000000
CONFIG_DEBUG_UART_VIRT=0xf9000000
CONFIG_EARLY_PRINTK=y
CONFIG_MODULES=y
CONFIG_CRC7=m
";

/// Starts the image and ends QEMU as soon as the kernel has said who it is.
const BOOT: &str = r#"$1 -M virt -m 64 -nodefaults -display none -serial stdio -kernel out/arch/arm/boot/zImage -append earlyprintk -no-reboot > said 2>&1 &
until grep -aq 'Linux version 6' said; do
    kill -0 $! || { cat said; exit 1; }
    sleep 0.2
done
kill $!"#;

/// A machine without Portage, and a target with Debian's compiler.
fn machine() -> Prefix {
    let prefix = Prefix::new();
    let init = ["init", ARM, "--toolchain", "arm-linux-gnueabi-"];
    prefix.own(init).success();
    prefix
}

#[test]
fn a_kernel_is_built_and_starts_with_init_and_xkmake_alone() {
    let prefix = machine();
    fs::create_dir(prefix.join("out")).expect("a folder");
    let tree = prepared("kernel").display().to_string();
    let out = format!("O={}", prefix.join("out").display());
    let make = |goals: &[&str]| {
        let args = ["-s", "-C", &tree, &out, "-j2"];
        let with_root = prefix.with("ROOT", prefix.join("board"));
        let args = args.iter().chain(goals);
        with_root.run(&format!("{ARM}-xkmake"), args).success();
    };
    make(&["tinyconfig"]);
    prefix.append("out/.config", FRAGMENT);
    make(&["olddefconfig"]);
    make(&["zImage", "modules"]);
    make(&["modules_install"]);

    let find = ["-c", "find board -name crc7.ko"];
    let module = prefix.command("/bin/sh", find).success().stdout;
    let module = fs::read(prefix.join(module.trim())).expect("the module");
    // 32 bits, little-endian; EM_ARM.
    assert!(module.starts_with(b"\x7fELF\x01\x01"));
    assert_eq!(module[18..20], [40, 0]);

    let qemu = prepared("qemu-system/bin/qemu-system-arm");
    let qemu = qemu.display().to_string();
    let boot = ["180", "/bin/sh", "-c", BOOT, "sh", &qemu];
    prefix.command("timeout", boot).success();
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
    let cases: [(&[&str], &str, &str); 5] = [
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
            &["-C", "project"],
            "does not know CROSS_COMPILE",
            "-env make",
        ),
        (
            &["-C", &tree, "ARCH=nonesuch", "defconfig"],
            "does not know ARCH=nonesuch",
            "unset ARCH",
        ),
    ];
    for (args, error, hint) in cases {
        let said = prefix.run(&format!("{ARM}-xkmake"), args);
        said.fails(125, error, hint);
    }
}
