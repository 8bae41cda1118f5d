//! One call of an applet: the context, and what is looked up for build systems, once.

use crate::{
    context::{Context, ContextError},
    export::{ExportError, Facts},
    pkg_config::View,
};
use once_cell::unsync::OnceCell;

/// The context of a call with the facts that its layers and files share. Each is gathered when it is first needed.
#[derive(Debug)]
pub struct Call<'a> {
    /// The context.
    pub context: &'a Context,
    facts: OnceCell<Facts>,
    view: OnceCell<View>,
}

impl<'a> Call<'a> {
    /// A call for which nothing is gathered yet.
    pub fn new(context: &'a Context) -> Self {
        Self {
            context,
            facts: OnceCell::new(),
            view: OnceCell::new(),
        }
    }

    /// The same call with another environment: the facts that were gathered still hold.
    pub(crate) fn with<'b>(&self, context: &'b Context) -> Call<'b> {
        Call {
            context,
            facts: self.facts.clone(),
            view: self.view.clone(),
        }
    }

    /// What build systems are told of the target.
    pub fn facts(&self) -> Result<&Facts, ExportError> {
        self.facts.get_or_try_init(|| Facts::gather(self.context))
    }

    /// Where pkg-config searches.
    pub(crate) fn view(&self) -> Result<&View, ContextError> {
        self.view.get_or_try_init(|| View::decide(self.context))
    }
}
