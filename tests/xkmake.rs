//! `<tuple>-xkmake`: the variables that make gets for each kind of source tree, and the errors before make starts.
//! Its submodules configure, build, install and start real trees.

mod screen;
mod user;
mod whole;

use crate::support::{Prefix, prepared};

const ARM: &str = "armv7a-unknown-linux-gnueabi";

/// A prefix without Portage, and a target with Debian's compiler.
fn machine() -> Prefix {
    let prefix = Prefix::new();
    let init = ["init", ARM, "--toolchain", "arm-linux-gnueabi-"];
    prefix.own(init).success();
    prefix
}

#[test]
fn errors_are_found_before_make_starts() {
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
            "is not a kernel tree, but a directory in one",
            &tree,
        ),
        (
            &["-C", &arch],
            "is not a kernel tree, but a directory in one",
            &tree,
        ),
        (
            &["-C", "project"],
            "does not use CROSS_COMPILE",
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
        let output = prefix.run(&format!("{ARM}-xkmake"), args);
        output.fails(125, error, hint);
    }
}

/// A stand-in for a kernel's source tree, whose make prints its variables.
const KERNEL: &str = "# vmlinux INSTALL_MOD_PATH
say = @echo \"ARCH=$(ARCH) CROSS_COMPILE=$(notdir $(CROSS_COMPILE)) $(INSTALL_MOD_PATH)\"
all: FORCE
\t$(say)
%: FORCE
\t$(say)
Makefile FORCE: ;
";

#[test]
fn a_module_gets_the_target_in_every_form_of_its_makefile() {
    let prefix = machine();
    prefix.write("kernel/Makefile", KERNEL);
    let kernel = prefix.join("kernel").display().to_string();
    let call = "$(MAKE) --no-print-directory -C $(KDIR)";
    let all = format!("KDIR ?= /x\nall:\n\t{call} M=$(CURDIR) modules\n");
    let printed = format!(
        "ARCH=arm CROSS_COMPILE=arm-linux-gnueabi- {}\n",
        prefix.join(format!("usr/{ARM}")).display()
    );
    let asks = |body: &str| format!("ifneq ($(KERNELRELEASE),)\n{body}\nelse\n{all}endif\n");
    let (plain, guarded) = ("obj-m := x.o\n", "CONFIG_X ?= m\nobj-$(CONFIG_X) := x.o");
    let cases: [(&str, &str, String); 17] = [
        ("textbook", "Makefile", plain.to_owned() + &all),
        ("config", "Makefile", asks(guarded)),
        ("gnu", "GNUmakefile", asks(plain)),
        ("lower", "makefile", asks(plain)),
        (
            "included",
            "Makefile",
            format!("include $(CURDIR)/x.mk\n{all}"),
        ),
        (
            "split",
            "Makefile",
            format!("all:\n\t{call} M=$(CURDIR)/src modules\n"),
        ),
        (
            "old",
            "Makefile",
            format!("all:\n\t{call} SUBDIRS=$(PWD) modules\n"),
        ),
        (
            "exported",
            "Makefile",
            format!("export KBUILD_EXTMOD := $(CURDIR)\nall:\n\t{call}\n"),
        ),
        (
            "joined",
            "Makefile",
            format!("all:\n\t{call} \\\n\t\tM=$(CURDIR) \\\n\t\tmodules\n"),
        ),
        (
            "flags",
            "Makefile",
            format!(
                "FLAGS = -C $(KDIR) M=$(CURDIR)\nall:\n\t{} $(FLAGS)\n",
                "$(MAKE) --no-print-directory"
            ),
        ),
        ("dkms", "Makefile", format!("all:\n\t{call}\n")),
        (
            "below",
            "Makefile",
            "all:\n\t@$(MAKE) --no-print-directory -C driver\n".into(),
        ),
        (
            "shell",
            "Makefile",
            format!("{}{all}", "ARCH ?= $(shell uname -m)\nCROSS_COMPILE ?=\n"),
        ),
        // An assignment in a Makefile overrides the environment.
        (
            "assigned",
            "Makefile",
            format!("{}{all}", "ARCH := $(shell uname -m)\nCROSS_COMPILE =\n"),
        ),
        (
            "vendors",
            "Makefile",
            format!(
                "{}{all}",
                "ifeq (1,1)\nARCH = x86_64\nendif\nexport CROSS_COMPILE := /opt/x/bin/arm-\n"
            ),
        ),
        (
            "handed",
            "Makefile",
            format!(
                "ARCH ?= $(shell uname -m)\nCROSS_COMPILE ?=\nall:\n\t{} M=$(CURDIR) modules\n",
                call.replace("-C", "ARCH=$(ARCH) CROSS_COMPILE=$(CROSS_COMPILE) -C")
            ),
        ),
        (
            "itself",
            "Makefile",
            format!("ARCH := $(subst x,x,$(ARCH))\n{all}"),
        ),
    ];
    for (name, file, text) in cases {
        prefix.write(&format!("{name}/{file}"), &text);
        prefix.write(&format!("{name}/x.mk"), guarded);
        let kdir = format!("KDIR={kernel}");
        if name == "dkms" {
            prefix.write("dkms/dkms.conf", "PACKAGE_NAME=x\n");
        }
        if name == "below" {
            prefix.write("below/driver/Makefile", &(plain.to_owned() + &all));
        }
        let output = prefix.run(&format!("{ARM}-xkmake"), ["-s", "-C", name, &kdir]);
        assert_eq!(output.success().stdout, printed, "{name}");
    }
    // The caller's arguments override the Makefile's assignments too.
    let kdir = format!("KDIR={kernel}");
    let args = [
        "-s",
        "-C",
        "assigned",
        &kdir,
        "ARCH=um",
        "CROSS_COMPILE=mine-",
    ];
    let output = prefix.run(&format!("{ARM}-xkmake"), args).success().stdout;
    assert!(
        output.starts_with("ARCH=um CROSS_COMPILE=mine- /"),
        "{output}"
    );
    // A Makefile that the caller names with `-f`.
    prefix.write("named/other", &(plain.to_owned() + &all));
    let args = ["-s", "-C", "named", "-f", "other", &kdir];
    let output = prefix.run(&format!("{ARM}-xkmake"), args).success().stdout;
    assert_eq!(output, printed);
    prefix.write("kbuild/Kbuild", plain);
    let output = prefix.run(&format!("{ARM}-xkmake"), ["-C", "kbuild"]);
    output.fails(125, "there is no Makefile in", "-xkmake -C KERNEL M=");
}

#[test]
fn a_program_uses_the_sysroot_and_firmware_only_the_toolchain() {
    let prefix = Prefix::new();
    let init = [
        "init",
        ARM,
        "--toolchain",
        "arm-linux-gnueabi-",
        "--with-libc",
    ];
    prefix.own(init).success();
    prefix.write(&format!("usr/{ARM}/usr/include/ours.h"), "#define OURS 0\n");
    let source = "#include <ours.h>\n#include <stdlib.h>\nint main(void) { return OURS; }\n";
    for (name, makefile) in [
        (
            "plain",
            "CC = $(CROSS_COMPILE)gcc\nx: x.c\n\t$(CC) -o $@ $<\n",
        ),
        // make has a default for CC, so this assigns nothing.
        (
            "default",
            "CC ?= $(CROSS_COMPILE)gcc\nx: x.c\n\t$(CC) -o $@ $<\n",
        ),
        (
            "empty",
            "CROSS_COMPILE =\nCC = $(CROSS_COMPILE)gcc\nx: x.c\n\t$(CC) -o $@ $<\n",
        ),
        ("included", "include config.mk\nx: x.c\n\t$(CC) -o $@ $<\n"),
        (
            "arch",
            "ARCH ?= $(shell uname -m)\nCC = $(CROSS_COMPILE)gcc\nx: x.c arch-$(ARCH)\n\t$(CC) -o $@ $<\n",
        ),
        (
            "libraries",
            "PKG_CONFIG ?= $(CROSS_COMPILE)pkg-config\nCC = $(CROSS_COMPILE)gcc\nx: x.c\n\t$(PKG_CONFIG) --version\n\t$(CC) -o $@ $<\n",
        ),
    ] {
        prefix.write(&format!("{name}/Makefile"), makefile);
        prefix.write(&format!("{name}/config.mk"), "CC = $(CROSS_COMPILE)gcc\n");
        prefix.write(&format!("{name}/arch-arm"), "");
        prefix.write(&format!("{name}/x.c"), source);
        prefix.run(&format!("{ARM}-xkmake"), ["-C", name]).success();
        let program = std::fs::read(prefix.join(format!("{name}/x"))).expect(name);
        // EM_ARM.
        assert_eq!(program[18..20], [40, 0], "{name}");
    }
    // In the kernel's own source tree, only its tools are programs, in whichever directory make starts.
    prefix.write("linux/Makefile", KERNEL);
    prefix.write("linux/arch/arm/Kconfig", "");
    prefix.write("linux/Kbuild", "");
    let tool = "-include ../scripts/Makefile.include\nall:\n\t@echo \"ARCH=$(ARCH) CROSS_COMPILE=$(notdir $(CROSS_COMPILE)) $(PKG_CONFIG)\"\n";
    prefix.write("linux/tools/x/Makefile", tool);
    prefix.write("linux/drivers/x/Makefile", "obj-$(CONFIG_X) += x.o\n");
    let ours = format!("ARCH=arm CROSS_COMPILE={ARM}- ");
    for (args, printed) in [
        (&["-C", "linux", "tools/x"] as &[&str], &*ours),
        (&["-C", "linux", "kselftest-all"], &ours),
        (&["-C", "linux/tools/x"], &ours),
        (
            &["-C", "linux", "zImage"],
            "ARCH=arm CROSS_COMPILE=arm-linux-gnueabi- ",
        ),
    ] {
        let output = prefix.run(&format!("{ARM}-xkmake"), [&["-s"], args].concat());
        assert!(output.stdout.starts_with(printed), "{args:?}: {output:#?}");
    }
    let output = prefix.run(&format!("{ARM}-xkmake"), ["-C", "linux/drivers/x"]);
    output.fails(
        125,
        "is not a kernel tree, but a directory in one",
        "build from its top",
    );
    // Firmware gets no sysroot.
    prefix
        .own(["init", "arm-unknown-eabi", "--toolchain", "arm-none-eabi-"])
        .success();
    prefix.write(
        "firmware/Makefile",
        "all:\n\t@echo $(notdir $(CROSS_COMPILE))\n",
    );
    let output = prefix.run("arm-unknown-eabi-xkmake", ["-s", "-C", "firmware"]);
    assert_eq!(output.success().stdout, "arm-none-eabi-\n");
}
