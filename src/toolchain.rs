//! Cross toolchains: plans and builds them with Portage, as crossdev does.
//!
//! A request, the build machine's Portage and the facts of `toolchains/` become a [`plan::ToolchainPlan`]: the files
//! that configure the toolchain's packages, and the calls of emerge in their order.

mod abi;
pub mod cause;
mod change;
mod class;
mod error;
mod files;
mod gcc_stage;
mod host;
mod installed;
mod link;
mod machine;
mod options;
#[cfg(test)]
mod oracle;
pub(crate) mod pack;
mod part;
mod plan;
pub mod prefix;
mod record;
mod remove;
mod request;
mod requirements;
mod run;
mod show;
mod status;
mod step;
mod threads;
mod unfinished;
mod user;
mod version;
mod work;

pub(crate) use cause::Step;
pub(crate) use class::{Part, other_cpu, without_category};
pub use error::ToolchainError;
pub(crate) use gcc_stage::is_first_compiler;
pub(crate) use installed::{
    categories as installed_categories, packages as installed_packages, take_versions,
};
pub(crate) use options::{CrossdevCommand, CrossdevError, OptionsError, read as read_options};
pub(crate) use record::{RecordedContent, StepState, ToolchainRecord};
pub(crate) use remove::{Removal, of_request as removal, run as remove, to_text as removal_text};
pub(crate) use request::{Extra, ToolchainRequest};
pub(crate) use requirements::check as check_requirements;
pub(crate) use run::{Failure as StepFailure, Outcome, lock, run, write_files};
pub(crate) use show::{repository as show_repository, target as show_target};
pub(crate) use status::{last_failure, to_json as status_json, to_text as status_text};
pub(crate) use work::ToolchainWork;
