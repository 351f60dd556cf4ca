//! The fuzz targets' properties over their seeds, and over every prefix and many one-byte changes of each, as plain tests.

use std::path::Path;

#[path = "../../fuzz/properties/archive.rs"]
mod archive;
#[cfg(feature = "keyless")]
#[path = "../../fuzz/properties/bundle.rs"]
mod bundle;
#[path = "../../fuzz/properties/challenge.rs"]
mod challenge;
#[path = "../../fuzz/properties/constraint.rs"]
mod constraint;
#[path = "../../fuzz/properties/evidence.rs"]
mod evidence;
#[cfg(feature = "pgp")]
#[path = "../../fuzz/properties/keyring.rs"]
mod keyring;
#[path = "../../fuzz/properties/manifest.rs"]
mod manifest;
#[path = "../../fuzz/properties/policy.rs"]
mod policy;
#[path = "../../fuzz/properties/provenance.rs"]
mod provenance;
#[path = "../../fuzz/properties/pull_secret.rs"]
mod pull_secret;
#[path = "../../fuzz/properties/reference.rs"]
mod reference;
#[path = "../../fuzz/properties/registries.rs"]
mod registries;
#[path = "../../fuzz/properties/signature.rs"]
mod signature;
#[path = "../../fuzz/properties/statement.rs"]
mod statement;
#[path = "../../fuzz/properties/yaml.rs"]
mod yaml;

use crate::support::rng::Rng;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in fs_err::read_dir(folder).unwrap() {
        let seed = fs_err::read(entry.unwrap().path()).unwrap();
        for length in 0..=seed.len() {
            check(&seed[..length]);
        }
        let mut rng = Rng::new(seed.len() as u64);
        for _ in 0..500 {
            let mut changed = seed.clone();
            for _ in 0..=rng.below(3) {
                let at = rng.below(changed.len());
                changed[at] = rng.below(256) as u8;
            }
            check(&changed);
        }
        seeds += 1;
    }
    assert!(seeds > 1, "{target} has no seeds");
}

#[test]
fn archives() {
    replay("archive", archive::check);
}

#[test]
fn challenges() {
    replay("challenge", challenge::check);
}

#[test]
fn pull_secrets() {
    replay("pull_secret", pull_secret::check);
}

#[test]
fn constraints() {
    replay("constraint", constraint::check);
}

#[cfg(feature = "pgp")]
#[test]
fn key_rings() {
    replay("keyring", keyring::check);
}

#[test]
fn manifests() {
    replay("manifest", manifest::check);
}

#[test]
fn policies_of_others() {
    replay("policy", policy::check);
    for long in [".*", "[^/]+/", "\\*", "a@", "\\"] {
        policy::check(format!("^https://h/{}$", long.repeat(300_000)).as_bytes());
    }
}

#[test]
fn provenance_files() {
    replay("provenance", provenance::check);
}

#[test]
fn references() {
    replay("reference", reference::check);
}

#[test]
fn registries_and_proxies() {
    replay("registries", registries::check);
}

#[cfg(feature = "keyless")]
#[test]
fn bundles() {
    replay("bundle", bundle::check);
}

#[test]
fn evidence() {
    replay("evidence", evidence::check);
}

#[test]
fn signatures() {
    replay("signature", signature::check);
}

#[test]
fn statements() {
    replay("statement", statement::check);
}

#[test]
fn yaml_documents() {
    replay("yaml", yaml::check);
}
