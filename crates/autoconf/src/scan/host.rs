//! The fields of a tuple, under the names that configure scripts use.

use crossmerge_plan::tuple::Tuple;

/// The host of a configure script (`--host`), in the form of `config.sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptHost {
    pub(super) alias: String,
    pub(super) cpu: String,
    pub(super) vendor: String,
    pub(super) os: String,
}

impl ScriptHost {
    /// Splits a tuple into its fields. The vendor is `unknown` if the tuple has none. `config.sub` supplies a vendor
    /// for some CPUs, but no known script checks for one that the tuple does not name.
    pub fn of(tuple: &Tuple) -> Self {
        let vendor = tuple.vendor();
        let rest = tuple.as_str().strip_prefix(tuple.cpu()).unwrap_or_default();
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let os = match vendor {
            Some(vendor) => rest
                .strip_prefix(vendor)
                .unwrap_or(rest)
                .trim_start_matches('-'),
            None => rest,
        };
        let os = match os {
            "" => "none",
            "linux" => "linux-gnu",
            os => os,
        };
        Self {
            alias: tuple.to_string(),
            cpu: tuple.cpu().into(),
            vendor: vendor.unwrap_or("unknown").into(),
            os: os.into(),
        }
    }

    /// Returns `cpu-vendor-os`.
    pub fn canonical(&self) -> String {
        format!("{}-{}-{}", self.cpu, self.vendor, self.os)
    }
}
