//! The fields of a tuple, as configure scripts name them.

use crossmerge_plan::tuple::Tuple;

/// The machine that a script configures for, as its `config.sub` would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptHost {
    pub(super) alias: String,
    pub(super) cpu: String,
    pub(super) vendor: String,
    pub(super) os: String,
}

impl ScriptHost {
    /// Takes a tuple apart. `config.sub` knows a vendor for some CPUs; no script is known to ask for that of a tuple that names
    /// none, so it is `unknown` here.
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

    /// `cpu-vendor-os`.
    pub fn canonical(&self) -> String {
        format!("{}-{}-{}", self.cpu, self.vendor, self.os)
    }
}
