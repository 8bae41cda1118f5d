//! Portage's settings for one invocation.

use crossmerge_portage::Settings;

/// Portage's settings for the host and for the target.
#[derive(Debug, Clone, Default)]
pub struct Portage {
    pub(super) host: Settings,
    pub(super) target: Settings,
}

impl Portage {
    /// A setting of the host. `None` if Portage is not installed.
    pub fn host_setting(&self, name: &str) -> Option<&str> {
        self.host.get(name).map(String::as_str)
    }

    /// A setting of the target. Empty if it is not set, or Portage is not installed.
    pub fn target_setting(&self, name: &str) -> &str {
        self.target.get(name).map_or("", String::as_str)
    }
}
