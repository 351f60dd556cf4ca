use std::ffi::c_char;

use oci_chart_core::{
    Location,
    name::{ChartVersion, Selector, Target, VersionReq},
};
use serde_json::{Map, Value};

use crate::{
    error::oci_chart_error,
    ffi::{Out, text},
    guard::guard,
    status::oci_chart_status,
};

/// Takes a target apart, as JSON with the members `location`, `host`, `repository`, `tag`, `digest` and `selector` (what is meant: a tag, a
/// digest, a range); what it does not have is missing. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_target_parse(
    target: *const c_char,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_target_parse", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let target = Target::parse(unsafe { text(target, "target") }?)?;
        let selector = target.selector(None)?;
        out.give_text(parts(&target, &selector));
        Ok(())
    })
}

/// Whether `version` satisfies `constraint` (`^1.2`, `>=1.2 <2`): sets `out` to 1 or 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_version_matches(
    constraint: *const c_char,
    version: *const c_char,
    out: *mut i32,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_version_matches", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (constraint, version) = unsafe { (text(constraint, "constraint")?, text(version, "version")?) };
        let (constraint, version) = (VersionReq::parse(constraint)?, ChartVersion::parse(version)?);
        out.put(i32::from(constraint.matches(&version)));
        Ok(())
    })
}

fn parts(target: &Target, selector: &Selector) -> String {
    let mut all = Map::new();
    let mut put = |name: &str, value: String| all.insert(name.to_owned(), Value::from(value));
    put("location", target.location().to_string());
    if let Location::Registry(address) = target.location() {
        put("host", address.host().to_string());
        put("repository", address.repository().to_string());
    }
    if let Some(tag) = target.tag() {
        put("tag", tag.to_string());
    }
    if let Some(digest) = target.digest() {
        put("digest", digest.to_string());
    }
    put("selector", selector.to_string());
    Value::from(all).to_string()
}
