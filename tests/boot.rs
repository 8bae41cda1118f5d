//! `crossmerge boot` and `crossmerge kernel-config`: QEMU's command for each board, the errors before it starts, what a
//! command in the system returns, and one boot of a kernel of Debian's.

use crate::support::{Prefix, prepared};
use std::{collections::BTreeSet, os::unix::fs::symlink, path::Path};

/// A stand-in for QEMU, which answers as the script on the board does. It prints its arguments to the console, and
/// runs the shell code in the file `guest` with the disks in `$out`, `$err` and `$status`, and their mark in `$id`.
const QEMU: &str = r#"#!/bin/sh
for arg; do
    case $arg in
        if=none,id=out,*) out=${arg##*file=} ;;
        if=none,id=err,*) err=${arg##*file=} ;;
        if=none,id=status,*) status=${arg##*file=} ;;
        file,id=console,*) console=${arg##*path=} ;;
    esac
done
echo "console of $*" > "$console"
read -r id name < "$out"
put() { printf '%s' "$2" | dd of="$1" conv=notrunc status=none; }
. "$GUEST"
"#;

/// A prefix with a stand-in for each QEMU, and images of every kind.
fn machine() -> Prefix {
    let mut prefix = Prefix::new();
    for name in [
        "arm", "aarch64", "riscv64", "x86_64", "i386", "ppc64", "s390x", "mips", "mipsel",
    ] {
        prefix.script(&format!("qemu/qemu-system-{name}"), QEMU);
    }
    prefix.put_first_in_path(&["qemu"]);
    prefix.write("kernel", "");
    prefix.write("board.dtb", "");
    let mut image = vec![0; 4096];
    image[1080..1082].copy_from_slice(b"\x53\xef");
    std::fs::write(prefix.join("ext4"), image).expect("an image");
    std::fs::write(prefix.join("squashfs"), "hsqs").expect("an image");
    std::fs::write(prefix.join("cpio"), "070701").expect("an image");
    let mut disk = vec![0; 4096];
    disk[512..520].copy_from_slice(b"EFI PART");
    std::fs::write(prefix.join("disk"), disk).expect("an image");
    prefix.write("root/sbin/init", "");
    prefix
}

const TUPLE: &str = "armv7a-unknown-linux-gnueabihf";

/// The board of each tuple, as docs/boot.md has it.
fn rows() -> Vec<Vec<String>> {
    let text = include_str!("../docs/boot.md");
    let table = text
        .lines()
        .skip_while(|line| !line.starts_with("| tuples"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    })
    .collect()
}

#[test]
fn the_page_has_the_facts_of_every_board() {
    let mut boards = BTreeSet::new();
    for file in
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles")).expect("profiles")
    {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        let family: toml::Table = text.parse().expect("TOML");
        for board in family
            .get("board")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = |key: &str| {
                board
                    .get(key)
                    .and_then(toml::Value::as_str)
                    .unwrap_or("-")
                    .to_owned()
            };
            let globs = board["tuple"].as_array().expect("globs").iter();
            let cpus = globs.map(|glob| {
                glob.as_str()
                    .expect("a glob")
                    .replace("-*linux*", "")
                    .replace("linux*", "")
            });
            let cpus: Vec<String> = cpus.collect();
            boards.insert(vec![
                cpus.join(", "),
                format!("qemu-system-{}", text("qemu")),
                text("machine"),
                text("cpu"),
                text("console"),
                text("image"),
            ]);
        }
    }
    let rows: BTreeSet<_> = rows().into_iter().map(|row| row[..6].to_vec()).collect();
    assert_eq!(rows, boards);
}

#[test]
fn each_board_has_its_command() {
    let prefix = machine();
    let end = ["--kernel", "kernel", "--dtb", "board.dtb", "--dry-run"];
    for (tuple, qemu, words) in [
        (
            TUPLE,
            "arm",
            "-M 'virt,highmem=off' -cpu cortex-a15 -m 512M",
        ),
        (
            "armv4tl-softfloat-linux-gnueabi",
            "arm",
            "-M versatilepb -m 256M",
        ),
        (
            "armv5tel-softfloat-linux-gnueabi",
            "arm",
            "virtio-blk-pci,drive=root",
        ),
        (
            "aarch64-unknown-linux-gnu",
            "aarch64",
            "console=ttyAMA0 root=/dev/vda rootfstype=ext4 rw rootwait panic=-1",
        ),
        (
            "aarch64-unknown-linux-musl",
            "aarch64",
            "virtio-blk-device,drive=root,bus=virtio-mmio-bus.0",
        ),
        ("riscv64-unknown-linux-gnu", "riscv64", "console=ttyS0 "),
        ("x86_64-pc-linux-gnu", "x86_64", "-M pc "),
        ("i686-pc-linux-gnu", "i386", "-M pc "),
        ("powerpc64le-unknown-linux-gnu", "ppc64", "console=hvc0 "),
        ("s390x-ibm-linux-gnu", "s390x", "virtio-blk-ccw,drive=root"),
        ("mipsel-unknown-linux-gnu", "mipsel", "-cpu 24Kf"),
    ] {
        let output = prefix.own(["boot", "ext4", "--target", tuple].into_iter().chain(end));
        let output = output.success().stdout;
        assert!(
            output.contains(&format!("qemu/qemu-system-{qemu} ")),
            "{output}"
        );
        for word in [
            words,
            "-nic none",
            "-serial mon:stdio",
            "snapshot=on",
            "-no-reboot",
        ] {
            assert!(output.contains(word), "{tuple}: no `{word}` in {output}");
        }
    }
    let config = prefix.own(["kernel-config", "arm64"]).success().stdout;
    for symbol in [
        "DEVTMPFS",
        "VIRTIO_BLK",
        "VIRTIO_MMIO",
        "SERIAL_AMBA_PL011_CONSOLE",
        "EXT4_FS",
    ] {
        assert!(config.contains(&format!("CONFIG_{symbol}=y\n")), "{config}");
    }
}

#[test]
fn the_kind_of_the_image_decides_how_the_kernel_finds_the_root() {
    let prefix = machine();
    for (args, words, not) in [
        (
            &["ext4", "--write"][..],
            "root=/dev/vda rootfstype=ext4 rw",
            "snapshot",
        ),
        (&["squashfs"], "rootfstype=squashfs ro", "snapshot"),
        (&["squashfs"], "readonly=on", "-initrd"),
        (
            &["cpio"],
            "-initrd cpio -append 'console=ttyAMA0 panic=-1'",
            "-drive",
        ),
        (&["root"], "panic=-1 rdinit=/sbin/init'", "-drive"),
        (
            &["disk", "--append", "root=/dev/vda2 quiet"],
            "rw rootwait panic=-1 root=/dev/vda2 quiet'",
            "rootfstype",
        ),
        (
            &["cpio", "--run", "id"],
            "rdinit=/bin/sh -- /.crossmerge/run'",
            "id=script",
        ),
        (
            &["ext4", "--run", "id"],
            "init=/bin/sh -- /dev/vdb'",
            "mon:stdio",
        ),
        (&["ext4", "--run", "id"], "id=script,format=raw", "-initrd"),
        (&["cpio", "--memory", "1G"], "-m 1024M", "-drive"),
        (
            &["cpio", "--board", "aarch64-unknown-linux-gnu"],
            "qemu-system-aarch64",
            "qemu-system-arm",
        ),
    ] {
        let end = ["--target", TUPLE, "--kernel", "kernel", "--dry-run"];
        let output = prefix
            .own(["boot"].iter().chain(args).chain(&end))
            .success();
        assert!(output.stdout.contains(words), "{args:?}: {output:#?}");
        assert!(!output.stdout.contains(not), "{args:?}: {output:#?}");
    }
}

#[test]
fn the_kernel_is_found_where_it_was_built_or_installed() {
    let prefix = machine();
    let find = |args: &[&str]| {
        let args = ["boot", "root", "--target", TUPLE, "--dry-run"]
            .iter()
            .chain(args);
        prefix.own(args)
    };
    let none = find(&[]);
    none.fails(125, "there is no kernel", "crossmerge kernel-config");
    prefix.write(&format!("usr/{TUPLE}/boot/vmlinuz-6.1"), "");
    let sysroot = format!("usr/{TUPLE}/boot/vmlinuz-6.1");
    assert!(find(&[]).success().stdout.contains(&sysroot));
    prefix.write("root/boot/vmlinuz-6.2", "");
    assert!(
        find(&[])
            .success()
            .stdout
            .contains("-kernel root/boot/vmlinuz-6.2")
    );
    let built = "tree/arch/arm/boot/zImage";
    let tree = ["--kernel", "tree"];
    std::fs::create_dir(prefix.join("tree")).expect("a directory");
    find(&tree).fails(125, "has no kernel", "-xkmake zImage modules");
    prefix.write(built, "");
    assert!(find(&tree).success().stdout.contains(built));
    prefix.write(
        &format!("etc/crossmerge/targets/{TUPLE}.toml"),
        &format!(
            "[boot]\nkernel = {:?}\nmemory = \"300M\"\nappend = \"quiet\"\n",
            prefix.join("tree")
        ),
    );
    let output = find(&[]).success().stdout;
    for word in [built, "-m 300M", "panic=-1 quiet"] {
        assert!(output.contains(word), "{output}");
    }
}

#[test]
fn what_does_not_fit_is_an_error_before_qemu_starts() {
    let prefix = machine();
    prefix.write("text", "text");
    prefix.write("odd.json", "{}");
    prefix.write("odd", "");
    prefix.write("installed/boot/vmlinuz-1", "");
    let module = "\x7fELF\0depends=\0";
    prefix.write("installed/lib/modules/1/kernel/virtio_blk.ko", module);
    let arm5 = "armv5tel-softfloat-linux-gnueabi";
    for (args, error, hint) in [
        (&["ext4"][..], "no manifest beside `ext4`", "--target"),
        (&["odd"], "does not name a tuple", "--target"),
        (&["missing", "--target", TUPLE], "missing", ""),
        (
            &["text", "--target", TUPLE],
            "is no image that boots",
            "od -c",
        ),
        (
            &["ext4", "--target", "avr"],
            "no virtual board for `avr`",
            "--board",
        ),
        (
            &["disk", "--target", TUPLE],
            "is a disk with partitions",
            "root=/dev/vda2",
        ),
        (
            &["bin", "--target", TUPLE],
            "has neither /sbin/init",
            "rdinit=",
        ),
        (
            &["ext4", "--target", arm5],
            "needs the device tree `versatile-pb.dtb`",
            "-xkmake dtbs",
        ),
        (
            &[
                "ext4",
                "--target",
                arm5,
                "--dtb",
                "board.dtb",
                "--memory",
                "512M",
            ],
            "has at most 256 MiB",
            "256M",
        ),
        (
            &["ext4", "--target", TUPLE, "--memory", "much"],
            "is no amount",
            "512M",
        ),
        (
            &["ext4", "--target", TUPLE, "--kernel", "installed/boot"],
            "before it has loaded `installed/lib/modules/1/kernel/virtio_blk.ko`",
            "--initrd",
        ),
    ] {
        let kernel = ["--kernel", "kernel"];
        let kernel = if args.contains(&"--kernel") {
            &[][..]
        } else {
            &kernel
        };
        let output = prefix.own(["boot", "--dry-run"].iter().chain(args).chain(kernel));
        output.fails(125, error, hint);
    }
}

#[test]
fn a_command_in_the_system_has_its_output_and_exit_code() {
    let mut prefix = machine();
    let guest = prefix.write("guest", "");
    prefix.set("GUEST", &guest);
    let run = |script: &str, more: &[&str]| {
        prefix.write("guest", script);
        let args = [
            "boot", "cpio", "--target", TUPLE, "--kernel", "kernel", "--run", "id",
        ];
        prefix.own(args.iter().chain(more))
    };
    let answer = r#"put "$out" "uid=0
$id end"; put "$err" "oops$id end"; put "$status" "$id 37
"; sleep 1000"#;
    let output = run(answer, &[]);
    assert_eq!(
        (output.code, &*output.stdout, &*output.stderr),
        (Some(37), "uid=0\n", "oops")
    );
    run("exit 1", &[]).fails(125, "the board ended before the command did", "boot.log");
    let output = run(
        "echo 'Kernel panic' >> \"$console\"; sleep 1000",
        &["--timeout", "1"],
    );
    let output = output.fails(125, "did not end within 1 seconds", "--timeout");
    assert!(output.stderr.contains("\n    Kernel panic"), "{output:#?}");
}

/// The init of a small root: it mounts the usual file systems, and a login waits on the console.
const INITTAB: &str = "::sysinit:/bin/busybox mount -t proc proc /proc
::sysinit:/bin/busybox mount -t devtmpfs dev /dev
ttyAMA0::respawn:/bin/busybox getty 115200 ttyAMA0 vt100
";

/// The init of an initramfs for a kernel that has the drivers of the disk as modules. The kernel passes the words behind
/// `--` to it.
const EARLY: &str = "#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/sbin/modprobe -a virtio_mmio virtio_blk crc32c_generic ext4
/bin/busybox mount -t ext4 /dev/vda /new
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /bin/sh \"$@\"
";

/// Runs `crossmerge` as an ordinary user with subordinate IDs.
const AS_USER: &str = "for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done
    chown -R 200989:200989 board/home
    exec setpriv --reuid=65534 --regid=65534 --clear-groups bin/crossmerge \"$@\"";

/// Makes a root with Debian's statically linked busybox for 32-bit Arm.
fn root(prefix: &Prefix) {
    // The host's may be another version, or missing.
    symlink(
        prepared("qemu-system/bin/qemu-system-arm"),
        prefix.join("bin/qemu-system-arm"),
    )
    .expect("QEMU");
    for directory in ["bin", "sbin", "proc", "dev", "root"] {
        std::fs::create_dir_all(prefix.join("board").join(directory)).expect("a directory");
    }
    std::fs::copy(
        prepared("boot/bin/busybox"),
        prefix.join("board/bin/busybox"),
    )
    .expect("busybox");
    for name in ["sh", "sleep", "uname", "insmod", "mount", "cat", "stat"] {
        symlink("busybox", prefix.join(format!("board/bin/{name}"))).expect(name);
    }
    symlink("../bin/busybox", prefix.join("board/sbin/init")).expect("init");
    prefix.write("board/etc/inittab", INITTAB);
}

#[test]
fn a_root_boots_with_a_kernel_of_debian() {
    let prefix = Prefix::new();
    root(&prefix);
    let kernel = prepared("boot/boot").display().to_string();
    let command = "uname -m; cat /proc/1/comm; exit 3";
    let args = [
        "boot", "board", "--target", TUPLE, "--kernel", &kernel, "--run", command,
    ];
    let output = prefix.own(args);
    assert_eq!(
        (output.code, &*output.stdout, &*output.stderr),
        (Some(3), "armv7l\ninit\n", ""),
        "{output:#?}"
    );
}

/// Makes an initramfs with the modules of Debian's kernel.
fn initramfs(prefix: &Prefix) {
    prefix.script("early/init", EARLY);
    let script = "cd early; mkdir bin sbin dev proc new lib; cp $1/bin/busybox bin; ln -s ../bin/busybox sbin/modprobe
        cp -R $1/lib/modules lib; for modules in lib/modules/*; do /sbin/depmod -b . ${modules##*/}; done
        find . | cpio --quiet -o -H newc > ../early.cpio";
    let boot = prepared("boot").display().to_string();
    prefix
        .command("/bin/sh", ["-ec", script, "sh", &boot])
        .success();
}

#[test]
fn an_ordinary_users_file_system_boots_with_the_owners_of_its_files() {
    crate::support::needs_root();
    let mut prefix = Prefix::new();
    root(&prefix);
    initramfs(&prefix);
    prefix.write("board/home/board/file", "");
    let users = "root:x:0:0::/root:/bin/sh\nboard:x:990:990::/home/board:/bin/sh\n";
    prefix.write("board/etc/passwd", users);
    prefix.write("board/etc/group", "root:x:0:\nboard:x:990:\n");
    prefix.write("ids", "65534:200000:65536\n");
    prefix.become_user(65534);
    let kernel = prepared("boot/boot").display().to_string();
    let command = "stat -c '%U %n' /home/board/file /bin/busybox; mount";
    for (args, wanted) in [
        (&["image", "board", "ext4"][..], &[][..]),
        (
            &[
                "boot",
                "board.ext4",
                "--target",
                TUPLE,
                "--kernel",
                &kernel,
                "--initrd",
                "early.cpio",
                "--run",
                command,
            ],
            &[
                "board /home/board/file\nroot /bin/busybox\n",
                "/dev/vda on / type ext4 (rw",
            ],
        ),
    ] {
        let words = ["--mount", "/bin/sh", "-ec", AS_USER, "sh"];
        let output = prefix.command("unshare", words.iter().chain(args));
        let output = output.success();
        for part in wanted {
            assert!(output.stdout.contains(part), "no {part:?} in {output:#?}");
        }
    }
}
