//! Files: reading and writing them safely when other users may change the directories.
//!
//! [`put`] writes a single file, such as a toolchain file that build directories refer to: completely or not at all,
//! and only if its content changes. [`Directory`] is the only code that creates, renames or removes anything.

pub mod beneath;
pub mod budget;
mod capability;
mod directory;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
pub mod hostile;
mod lock;
mod owner;
mod path;
mod places;
#[cfg(any(test, feature = "fuzzing"))]
pub mod properties;
mod put;
pub mod read;
mod refused;
mod temporary;
mod trust;
mod walk;

pub use beneath::{Node, Tree, find_nofollow_to_change, open_in_root};
pub use capability::has_capabilities;
pub use directory::{Directory, is_kind, open_path};
pub use error::{FileError, hint, is_refusal};
pub use lock::{take, take_in};
pub use path::{
    Identity, below, canonical, is_executable, own_directory, real_directory, real_path,
    without_dots,
};
pub use places::{Directories, Places};
pub use temporary::{Temporary, temporary};
pub use trust::{OtherUsers, WritableByOthers, others, writable_by_others};

pub use put::{
    FILE_MODE, PROGRAM_MODE, check_writable, keep, new_name, put, put_program, remove, remove_all,
    replace, replace_text, waiting,
};
