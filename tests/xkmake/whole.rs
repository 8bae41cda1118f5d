//! Whole source trees. An ordinary user builds them with `crossmerge init` and `<tuple>-xkmake` only, and starts the
//! result.
//!
//! Tests that only `make kernels` runs are marked as ignored, because they take minutes.

use super::user::User;
use crate::support::prepared;

const ARM: &str = "armv7a-vendor-linux-gnueabi";
const RISCV: &str = "riscv64-vendor-linux-gnu";

const QEMU_ARM: &str = "qemu-system/bin/qemu-system-arm";
const QEMU_RISCV: &str = "qemu-system-riscv/bin/qemu-system-riscv64";

/// The options that tinyconfig lacks: they make a kernel that prints something on QEMU's machine, and a module. Parts
/// that take long to build are turned off.
const FOR_ARM: &str = "CONFIG_MMU=y
CONFIG_PRINTK=y
CONFIG_DEBUG_KERNEL=y
CONFIG_DEBUG_LL=y
CONFIG_DEBUG_LL_UART_PL01X=y
CONFIG_DEBUG_UART_PHYS=0x09000000
CONFIG_DEBUG_UART_VIRT=0xf9000000
CONFIG_EARLY_PRINTK=y
CONFIG_MODULES=y
CONFIG_CRC7=m
CONFIG_INIT_STACK_NONE=y
# CONFIG_BINFMT_ELF is not set
# CONFIG_CACHE_L2X0 is not set
# CONFIG_COMPACTION is not set
# CONFIG_FTRACE is not set
# CONFIG_IOMMU_SUPPORT is not set
# CONFIG_SHMEM is not set
# CONFIG_VDSO is not set
";

/// QEMU's machine for this configuration, and the image that it starts.
const START_ARM: [&str; 8] = [
    "-M",
    "virt",
    "-m",
    "64",
    "-kernel",
    "out/arch/arm/boot/zImage",
    "-append",
    "earlyprintk",
];

/// The configuration for QEMU's RISC-V machine. The firmware prints the kernel's messages.
const FOR_RISCV: &str = "CONFIG_PRINTK=y
CONFIG_TTY=y
CONFIG_RISCV_SBI_V01=y
CONFIG_SERIAL_EARLYCON_RISCV_SBI=y
CONFIG_MODULES=y
CONFIG_CRC7=m
# CONFIG_BINFMT_ELF is not set
# CONFIG_COMPACTION is not set
# CONFIG_FTRACE is not set
# CONFIG_SHMEM is not set
# CONFIG_UNIX98_PTYS is not set
# CONFIG_VT is not set
";

/// Initialises the target with the vendor's toolchain, or with the script's arguments.
const SETUP: &str =
    "crossmerge init $t --sysroot board --bindir bin \"${@:---toolchain=$HOME/../vendor/sdk-}\"
    mkdir out\n";

/// Builds outside the sources, which are not the user's. The programs for the build machine take seconds to optimise.
const X: &str = "x() { $t-xkmake -s -C ../sources O=../home/out HOSTCFLAGS=-O0 \"$@\"; }\n";

/// Configures a kernel from tinyconfig and a fragment.
const CONFIGURE: &str = "x tinyconfig; cat fragment >> out/.config; x olddefconfig\n";

/// Checks the first bytes of an ELF file: class, byte order, and machine.
fn is_elf(file: &[u8], class: u8, machine: [u8; 2]) {
    assert_eq!(file[..6], [b"\x7fELF".as_slice(), &[class, 1]].concat());
    assert_eq!(file[18..20], machine);
}

/// Configures a kernel, builds targets of its Makefile, installs its modules into the sysroot and elsewhere, and
/// builds a driver outside its tree.
fn builds_with_modules(targets: &str) -> User {
    let user = User::new("kernel", ARM);
    user.unpack_toolchain("arm-linux-gnueabi-");
    user.write("fragment", FOR_ARM);
    // A make with a job server calls `<tuple>-xkmake`.
    user.write(
        "Makefile",
        &format!(
            "kernel:\n\t+$(t)-xkmake -s -C ../sources O=../home/out HOSTCFLAGS=-O0 {targets}\n"
        ),
    );
    let configure = format!("{SETUP}{X}{CONFIGURE}");
    user.run(&configure).success();
    let output = user.run("make -s -j2").success();
    assert!(!output.stderr.contains("jobserver"), "{output:#?}");
    // `modules_install` copies the lists of what is built in, which only a whole kernel has.
    let install = format!(
        "{X}touch out/modules.builtin out/modules.builtin.modinfo
        x modules_install > log; x modules_install INSTALL_MOD_PATH=$HOME/elsewhere >> log
        find board elsewhere -name crc7.ko"
    );
    let output = user.run(&install).success().stdout;
    let modules: Vec<&str> = output.lines().collect();
    assert_eq!(modules.len(), 2, "{output}");
    for (module, root) in modules.iter().zip(["board", "elsewhere"]) {
        assert!(module.starts_with(root), "{module}");
        // EM_ARM.
        is_elf(&user.read(module), 1, [40, 0]);
    }
    // A driver outside the kernel's tree, whose Makefile would use the host's ARCH and no prefix.
    user.write(
        "driver/Makefile",
        "CONFIG_HELLO ?= m\nexport CONFIG_HELLO\nifneq ($(KERNELRELEASE),)\nobj-$(CONFIG_HELLO) := hello.o\nelse\n\
         ARCH := $(shell uname -m)\nCROSS_COMPILE =\nall:\n\t$(MAKE) ARCH=$(ARCH) CROSS_COMPILE=$(CROSS_COMPILE) -C $(KDIR) M=$(CURDIR) modules\nendif\n",
    );
    user.write(
        "driver/hello.c",
        "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\nstatic int __init hello(void) { return 0; }\nmodule_init(hello);\n",
    );
    user.run("$t-xkmake -s -C driver KDIR=$HOME/out").success();
    is_elf(&user.read("driver/hello.ko"), 1, [40, 0]);
    user
}

/// The part of `a_user_builds_a_kernel_that_starts_with_init_and_xkmake_alone` that takes seconds: without the image.
#[test]
fn a_user_builds_and_installs_modules_with_init_and_xkmake_alone() {
    builds_with_modules("modules");
}

#[test]
#[ignore = "`make kernels` runs it"]
fn a_user_builds_a_kernel_that_starts_with_init_and_xkmake_alone() {
    let user = builds_with_modules("zImage modules");
    user.boot("Linux version 6", QEMU_ARM, &START_ARM);
}

/// The first file of OpenSBI's build. `make kernels` builds and starts all of it.
#[test]
fn opensbi_is_configured_and_compiled_for_riscv() {
    let user = User::new("opensbi", RISCV);
    user.unpack_toolchain("riscv64-linux-gnu-");
    let build = format!("{SETUP}{X}x PLATFORM=generic $HOME/out/lib/sbi/sbi_string.o");
    user.run(&build).success();
    // EM_RISCV.
    is_elf(&user.read("out/lib/sbi/sbi_string.o"), 2, [243, 0]);
}

#[test]
fn clang_compiles_the_first_files_of_a_kernel() {
    let user = User::new("kernel", ARM);
    let build = format!("set -- --llvm\n{SETUP}{X}x tinyconfig; x init/calibrate.o");
    user.run(&build).success();
    let object = user.read("out/init/calibrate.o");
    is_elf(&object, 1, [40, 0]);
    let config = String::from_utf8_lossy(&user.read("out/.config")).into_owned();
    for symbol in ["CC_IS_CLANG", "LD_IS_LLD", "AS_IS_LLVM"] {
        assert!(config.contains(&format!("CONFIG_{symbol}=y")), "{symbol}");
    }
}

#[test]
fn firmware_is_built_for_bare_metal_and_starts() {
    let user = User::new("kernel", "arm-unknown-eabi");
    user.write(
        "Makefile",
        "firmware.elf: firmware.c\n\t$(CROSS_COMPILE)gcc -mcpu=cortex-a15 -ffreestanding -nostdlib -Ttext=0x40010000 -o $@ $<\n",
    );
    user.write(
        "firmware.c",
        r#"
        __attribute__((naked)) void _start(void) { __asm__("ldr sp, =0x40100000\n\tb say"); }
        void say(void) {
            for (const char *c = "bare metal says hello\n"; *c; c++)
                *(volatile unsigned *)0x09000000 = *c;
            for (;;)
                ;
        }
        "#,
    );
    user.run(
        "crossmerge init $t --sysroot board --bindir bin --toolchain arm-none-eabi-\n$t-xkmake",
    )
    .success();
    let args = ["-M", "virt", "-m", "64", "-kernel", "firmware.elf"];
    user.boot("bare metal says hello", QEMU_ARM, &args);
}

#[test]
#[ignore = "`make kernels` runs it"]
fn a_kernel_of_clang_starts() {
    let user = User::new("kernel", ARM);
    user.write("fragment", FOR_ARM);
    let build = format!("set -- --llvm\n{SETUP}{X}{CONFIGURE}x -j2 zImage modules");
    user.run(&build).success();
    let output = user.boot("Linux version 6", QEMU_ARM, &START_ARM);
    assert!(output.contains("clang version"), "{output}");
}

/// The init of a small root with a login on the console.
const INITTAB: &str = "::sysinit:/bin/busybox mount -t proc proc /proc\n\
                       ::respawn:/bin/busybox getty -n -l /bin/sh 115200 ttyAMA0 vt100\n";

/// Makes an ext4 image of a root with busybox and a kernel's modules, boots it, and runs a command in it.
const BOOT_EXT4: &str = "
    mkdir -p root/bin root/sbin root/proc root/dev root/sys root/etc
    cp busybox root/bin/; chmod 755 root/bin/busybox
    for name in sh sleep insmod lsmod uname mount grep; do ln -s busybox root/bin/$name; done
    ln -s ../bin/busybox root/sbin/init; cp inittab root/etc/
    mkdir -p root/usr/lib; ln -s usr/lib root/lib
    x modules_install INSTALL_MOD_PATH=$HOME/root > log
    rm root/lib/modules/*/build root/lib/modules/*/source
    PATH=$PATH:/usr/sbin mke2fs -q -t ext4 -d root root.ext4 64M
    XDG_STATE_HOME=$HOME/state crossmerge boot root.ext4 --target $t --kernel out --run \
        'uname -m; grep ext4 /proc/mounts; insmod /lib/modules/*/kernel/drivers/net/dummy.ko && lsmod'
";

#[test]
#[ignore = "`make kernels` runs it"]
fn a_kernel_of_the_fragment_boots_an_image_with_a_login() {
    let user = User::new("kernel", ARM);
    user.unpack_toolchain("arm-linux-gnueabi-");
    user.write("inittab", INITTAB);
    let configure = format!(
        "{SETUP}{X}crossmerge kernel-config $t > fragment
        KCONFIG_ALLCONFIG=$HOME/fragment x allnoconfig; x -j2 zImage modules"
    );
    user.run(&configure).success();
    user.copy(&prepared("boot/bin/busybox"), "busybox");
    let output = user.run(&format!("{X}{BOOT_EXT4}")).success().stdout;
    for word in ["armv7l\n", "/dev/root / ext4 rw", "\ndummy "] {
        assert!(output.contains(word), "no {word:?} in {output}");
    }
}

#[test]
#[ignore = "`make kernels` runs it"]
fn u_boot_for_arm_starts() {
    let user = User::new("u-boot", ARM);
    user.unpack_toolchain("arm-linux-gnueabi-");
    let build = format!("{SETUP}{X}x qemu_arm_defconfig; x -j2");
    user.run(&build).success();
    let args = ["-M", "virt", "-m", "64", "-bios", "out/u-boot.bin"];
    user.boot("U-Boot 20", QEMU_ARM, &args);
}

#[test]
#[ignore = "`make kernels` runs it"]
fn a_riscv_kernel_starts_from_opensbi() {
    let firmware = User::new("opensbi", RISCV);
    firmware.unpack_toolchain("riscv64-linux-gnu-");
    let build = format!("{SETUP}{X}x PLATFORM=generic -j2");
    firmware.run(&build).success();
    // EM_RISCV.
    let elf = firmware.read("out/platform/generic/firmware/fw_dynamic.elf");
    is_elf(&elf, 2, [243, 0]);
    let user = User::new("kernel", RISCV);
    user.unpack_toolchain("riscv64-linux-gnu-");
    user.write("fragment", FOR_RISCV);
    let build = format!("{SETUP}{X}{CONFIGURE}x -j2 Image modules; x modules_install");
    user.run(&build).success();
    let bios = firmware.place("out/platform/generic/firmware/fw_dynamic.bin");
    let args = [
        "-M",
        "virt",
        "-m",
        "128",
        "-bios",
        &bios,
        "-kernel",
        "out/arch/riscv/boot/Image",
        "-append",
        "earlycon=sbi",
    ];
    let output = user.boot("Linux version 6", QEMU_RISCV, &args);
    assert!(output.contains("OpenSBI v1"), "{output}");
}
