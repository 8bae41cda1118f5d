//! The context: all lookups on the system that a plan depends on.
//!
//! An expensive lookup, such as a query to portageq, is made once, when a layer first needs it. Layers and plans access
//! the system only through the context.

mod error;
mod invocation;
mod paths;
mod portage;
mod settings;
mod toolchain;

pub use error::ContextError;
pub use invocation::Context;
pub use portage::Portage;
