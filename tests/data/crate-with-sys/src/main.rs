//! Prints the version of the zlib that it was linked with, and the checksum that this zlib computes.

use std::ffi::CStr;

fn main() {
    let text = b"crossmerge";
    let (version, checksum) = unsafe {
        (
            CStr::from_ptr(libz_sys::zlibVersion()),
            libz_sys::crc32(0, text.as_ptr(), text.len() as libz_sys::uInt),
        )
    };
    println!("zlib {} {checksum:08x}", version.to_string_lossy());
}
