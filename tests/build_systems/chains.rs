//! Chains: zlib, a library that uses it, and a program that uses both, built with each build system for each target.

use super::{ARM, Machine, S390X, Target, prepared};
use std::path::Path;

/// A program that writes a picture and reads it back.
const PNG: &str = r#"
#include <png.h>
#include <stdio.h>
#include <string.h>
int main(void) {
    unsigned char out[1000], in[] = {10, 20, 30, 40, 50, 60}, back[6] = {0};
    png_alloc_size_t size = sizeof out;
    png_image image = {.version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_RGB};
    if (!png_image_write_to_memory(&image, out, &size, 0, in, 0, NULL)) return 1;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, out, size)) return 2;
    image.format = PNG_FORMAT_RGB;
    if (!png_image_finish_read(&image, NULL, back, 0, NULL)) return 3;
    printf("libpng %s: %d %d\n", png_get_libpng_ver(NULL), back[0], back[5]);
    return 0;
}
"#;

fn configure_chain(machine: &'static Machine) {
    let target = Target::new(machine);
    target.install_zlib();
    let libpng = target.libpng();
    // The caller's own flags replace the target's. These compile fastest.
    let output = target
        .shell(&format!(
            "cd {libpng}; mkdir build; cd build
             CFLAGS=-O0 $t-configure ../configure --prefix=/usr --disable-static
             make -j2 libpng16.la libpng.pc; make install-data install-exec DESTDIR=$s"
        ))
        .success();
    assert!(
        output
            .stdout
            .contains("checking whether we are cross compiling... yes")
    );
    let makefile = target.prefix.read(&format!("{libpng}/build/Makefile"));
    assert!(makefile.contains("\nCFLAGS = -O0\n"), "{makefile}");
    target.is_for_target(target.sysroot.join("usr/lib/libpng16.so"));
    // The program's build takes the compiler and its flags from the exported environment.
    target.prefix.write("png.c", PNG);
    target
        .shell("eval \"$(crossmerge export $t env)\"; $CC $CFLAGS png.c -o png $($PKG_CONFIG --cflags --libs libpng)")
        .success();
    target.is_for_target("png");
    let words = json(&target)["emulator"].clone();
    let words = words.as_array().expect("an emulator").iter();
    let words: Vec<&str> = words.filter_map(|word| word.as_str()).collect();
    let output = target
        .prefix
        .command(words[0], words[1..].iter().chain(&["./png"]))
        .success();
    assert_eq!(output.stdout, "libpng 1.6.39: 10 60\n");
}

fn json(target: &Target) -> serde_json::Value {
    let output = target
        .prefix
        .own(["export", target.machine.tuple, "json"])
        .success();
    serde_json::from_str(&output.stdout).expect("JSON")
}

fn cmake_chain(machine: &'static Machine) {
    let target = Target::new(machine);
    let (zlib, libpng) = (target.zlib(), target.libpng());
    let build = |directory: &str, options: &str| {
        let script = format!(
            "$t-cmake -S {directory} -B {directory}/build -G Ninja -DCMAKE_INSTALL_PREFIX=/usr {options}
             $t-cmake --build {directory}/build
             DESTDIR=$s $t-cmake --install {directory}/build"
        );
        target.shell(&script).success();
    };
    build(&zlib, "");
    build(&libpng, "-DPNG_TESTS=OFF -DPNG_STATIC=OFF");
    target.is_for_target(target.sysroot.join("usr/lib/libz.so"));
    target.is_for_target(target.sysroot.join("usr/lib/libpng16.so"));
    target.prefix.write("app/png.c", PNG);
    target.prefix.write(
        "app/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(app C)\nenable_testing()\n\
         find_package(PNG REQUIRED)\nfind_package(PkgConfig REQUIRED)\npkg_check_modules(Z REQUIRED zlib)\n\
         add_executable(app png.c)\ntarget_link_libraries(app PNG::PNG)\n\
         add_test(NAME app COMMAND app)\n\
         set_tests_properties(app PROPERTIES PASS_REGULAR_EXPRESSION \"libpng 1.6.39: 10 60\")\n",
    );
    target
        .shell("$t-cmake -S app -B app/build; $t-cmake --build app/build")
        .success();
    target.is_for_target("app/build/app");
    let cache = target.prefix.read("app/build/CMakeCache.txt");
    let found = |what: &str| cache.contains(&format!("{what}={}/usr", target.sysroot.display()));
    assert!(
        found("PNG_LIBRARY_RELEASE:FILEPATH") && found("Z_LIBRARY_DIRS:INTERNAL"),
        "{cache}"
    );
    let output = target.shell("cd app/build; ctest").success().stdout;
    assert!(
        output.contains("100% tests passed, 0 tests failed out of 1"),
        "{output}"
    );
}

fn meson_chain(machine: &'static Machine) {
    let target = Target::new(machine);
    target.install_zlib();
    let spng = target.unpack("libspng-0.7.3.tar.gz", "spng");
    let output = target
        .shell(&format!(
            "$t-meson setup {spng}/build {spng} --prefix=/usr --libdir=lib -Dbuild_examples=false
             $t-meson compile -C {spng}/build
             DESTDIR=$s $t-meson install -C {spng}/build"
        ))
        .success();
    assert!(
        output.stdout.contains("Build type: cross build"),
        "{}",
        output.stdout
    );
    target.is_for_target(target.sysroot.join("usr/lib/libspng.so"));
    target.prefix.write(
        "app/app.c",
        "#include <spng.h>\n#include <string.h>\n\
         int main(void) { spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER); int bad = !ctx || strcmp(spng_version_string(), \"0.7.3\");\n\
         spng_ctx_free(ctx); return bad; }\n",
    );
    target
        .prefix
        .write("app/native.c", "int main(void) { return 0; }\n");
    // Meson runs the build machine's program directly, and the target's program through the emulator.
    target.prefix.write(
        "app/meson.build",
        "project('app', 'c', version: '1')\n\
         app = executable('app', 'app.c', dependencies: dependency('spng'))\n\
         native = executable('native', 'native.c', native: true)\n\
         custom_target('ran', output: 'ran', command: [native], capture: true, build_by_default: true)\n\
         test('app', app)\n",
    );
    target
        .shell("$t-meson setup app/build app; $t-meson compile -C app/build")
        .success();
    target.is_for_target("app/build/app");
    let output = target.shell("$t-meson test -C app/build").success().stdout;
    assert!(output.contains("Ok:                 1"), "{output}");
}

/// Builds the crate below `built`, the target directory of cargo.
fn cargo_chain(machine: &'static Machine, built: &Path) {
    let mut target = Target::new(machine);
    target.prefix.set("CARGO_TARGET_DIR", built);
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        target.prefix.join("bin").display(),
        prepared("rust/bin").display()
    );
    target.prefix.set("PATH", path);
    target.install_zlib();
    let crates = std::fs::read_to_string(prepared("chain/crates/config.toml")).expect("a file");
    target.prefix.write("app/.cargo/config.toml", &crates);
    target.prefix.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\
         [dependencies]\nlibz-sys = { version = \"1\", default-features = false }\n\
         [build-dependencies]\ncc = \"1\"\n\
         [profile.dev]\ndebug = false\nincremental = false\n",
    );
    target.prefix.write(
        "app/build.rs",
        "fn main() { cc::Build::new().file(\"two.c\").compile(\"two\"); }\n",
    );
    target
        .prefix
        .write("app/two.c", "int two(void) { return 2; }\n");
    target.prefix.write(
        "app/src/main.rs",
        "extern crate libz_sys;\n\
         extern \"C\" { fn two() -> i32; }\n\
         fn version() -> String { unsafe { std::ffi::CStr::from_ptr(libz_sys::zlibVersion()) }.to_string_lossy().into() }\n\
         fn main() { println!(\"zlib {} {} {}\", version(), unsafe { two() }, cfg!(target_endian = \"big\")); }\n\
         #[test]\nfn it_runs() { assert_eq!(version(), \"1.2.13\"); }\n",
    );
    let output = target.shell("cd app; $t-cargo run --offline").success();
    let big = machine.tuple == S390X.tuple;
    assert_eq!(output.stdout, format!("zlib 1.2.13 2 {big}\n"));
    let rust = json(&target)["target"]["rust"]
        .as_str()
        .expect("a name")
        .to_owned();
    target.is_for_target(built.join(format!("{rust}/debug/app")));
    let output = target.shell("cd app; $t-cargo test --offline").success();
    assert!(output.stdout.contains("test it_runs ... ok"), "{output:#?}");
    // With the exported file in the project, cargo without a wrapper does the same.
    target.prefix.write("app/.cargo/config.toml", &crates);
    target
        .shell(
            "cd app; crossmerge export $t cargo >> .cargo/config.toml; cargo run --offline --quiet",
        )
        .success();
}

fn go_chain(machine: &'static Machine) {
    let target = Target::new(machine);
    target.install_zlib();
    target.prefix.write("app/go.mod", "module app\n\ngo 1.19\n");
    target.prefix.write(
        "app/main.go",
        "package main\n\n// #cgo pkg-config: zlib\n// #include <zlib.h>\nimport \"C\"\n\n\
         func main() {\n\tprintln(\"zlib\", C.GoString(C.zlibVersion()))\n}\n",
    );
    target.shell("cd app; $t-go build -o app").success();
    target.is_for_target("app/app");
    let words = json(&target)["emulator"].clone();
    let words: Vec<&str> = words
        .as_array()
        .expect("an emulator")
        .iter()
        .filter_map(|word| word.as_str())
        .collect();
    let output = target
        .prefix
        .command(words[0], words[1..].iter().chain(&["app/app"]))
        .success();
    assert_eq!(output.stderr, "zlib 1.2.13\n");
}

#[test]
fn configure_builds_libraries_and_a_program_for_arm() {
    configure_chain(&ARM);
}

#[test]
fn configure_builds_libraries_and_a_program_for_s390x() {
    configure_chain(&S390X);
}

#[test]
fn cmake_builds_libraries_and_a_program_for_arm() {
    cmake_chain(&ARM);
}

#[test]
fn cmake_builds_libraries_and_a_program_for_s390x() {
    cmake_chain(&S390X);
}

#[test]
fn meson_builds_libraries_and_a_program_for_arm() {
    meson_chain(&ARM);
}

#[test]
fn meson_builds_libraries_and_a_program_for_s390x() {
    meson_chain(&S390X);
}

/// The crates that run on the build machine are compiled once for both targets, as a user's cargo does.
#[test]
fn cargo_builds_a_crate_with_a_c_library_for_arm_and_s390x() {
    let built = tempfile::tempdir().expect("a temporary directory");
    for machine in [&ARM, &S390X] {
        cargo_chain(machine, built.path());
    }
}

#[test]
fn go_builds_a_program_with_a_c_library_for_arm() {
    go_chain(&ARM);
}

#[test]
fn go_builds_a_program_with_a_c_library_for_s390x() {
    go_chain(&S390X);
}
