//! The committed header is what the sources say. `BLESS=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "a header that cannot be read is a failed test")]

mod c_header;

use std::path::Path;

use c_header::Header;

#[test]
fn the_committed_header_is_the_sources_header() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(directory.join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new().with_config(config).with_crate(directory).generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = with_initialisers(&String::from_utf8(text).unwrap());
    let path = directory.join("include/oci_chart.h");
    if std::env::var_os("BLESS").is_some() {
        fs_err::write(&path, text).unwrap();
        return;
    }
    let committed = fs_err::read_to_string(&path).unwrap();
    assert!(
        committed == text,
        "include/oci_chart.h is not what the sources say: BLESS=1 cargo test --test header"
    );
}

#[test]
fn header_manifest_and_library_have_one_version() {
    let header = Header::committed();
    let part = |name: &str| -> u32 { header.defines[name].parse().unwrap() };
    let version = ["MAJOR", "MINOR", "PATCH"].map(|name| part(&format!("OCI_CHART_VERSION_{name}")));
    assert_eq!(env!("CARGO_PKG_VERSION"), version.map(|part| part.to_string()).join("."));
    assert_eq!(oci_chart::oci_chart_version_number(), part("OCI_CHART_VERSION_NUMBER"));
    // SAFETY: lives for ever.
    let text = unsafe { std::ffi::CStr::from_ptr(oci_chart::oci_chart_version()) };
    assert_eq!(text.to_str().unwrap(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_comment_names_its_parameters_right() {
    for function in &Header::committed().functions {
        assert!(!function.comment.is_empty(), "{} says nothing", function.name);
        for name in function.may_be_null() {
            assert!(
                function.parameters.iter().any(|parameter| parameter.name == name),
                "{} has no parameter {name}",
                function.name
            );
        }
        if let Some(out) = function.parameters.iter().find(|parameter| parameter.is_handed_over()) {
            assert!(function.comment.contains("_free()"), "{}: who frees {}?", function.name, out.name);
        }
        if !function.returns_status() {
            continue;
        }
        let last = function.parameters.last().unwrap();
        assert_eq!(
            (last.name.as_str(), last.kind.as_str()),
            ("err", "oci_chart_error **"),
            "{}",
            function.name
        );
    }
}

/// Callers without a compiler of C, as purego and ctypes are, pass what goes into a register as a number: no structs by value, no fractions, and
/// never more than there is.
#[test]
fn every_argument_and_result_is_a_number_or_a_pointer() {
    let numbers = ["int32_t", "uint32_t", "uint64_t", "size_t", "oci_chart_status"];
    let is_plain = |kind: &str| kind.ends_with('*') || kind.ends_with("_callback") || numbers.contains(&kind);
    for function in &Header::committed().functions {
        let of = &function.name;
        assert!(is_plain(&function.returns) || function.returns == "void", "{of} gives {}", function.returns);
        for parameter in &function.parameters {
            assert!(is_plain(&parameter.kind), "{of} takes {} {}", parameter.kind, parameter.name);
            // An enumeration would let numbers in that it does not have.
            assert_ne!(parameter.kind, "oci_chart_status", "{of}");
        }
    }
}

/// The header with an _INIT macro behind each struct that begins with its size: all members, so that no compiler misses one.
fn with_initialisers(text: &str) -> String {
    let mut lines = Vec::new();
    let mut members: Option<usize> = None;
    for line in text.lines() {
        lines.push(line.to_owned());
        let code = line.trim_start();
        match &mut members {
            None if code == "size_t struct_size;" => members = Some(0),
            Some(_) if code.starts_with('}') => {
                let name = code.trim_start_matches('}').trim_end_matches(';').trim();
                let zeros = ", 0".repeat(members.take().unwrap());
                if name != "oci_chart_event" {
                    let upper = name.to_uppercase();
                    lines.push(format!("\n/**\n * An {name} with every default.\n */"));
                    lines.push(format!("#define {upper}_INIT {{ sizeof({name}){zeros} }}"));
                }
            }
            Some(count) if code.ends_with(';') && !code.starts_with('*') => *count += 1,
            _ => {}
        }
    }
    lines.join("\n") + "\n"
}
