//! No bytes make the reader of provenance files panic, and what it reads it can say again.

use oci_chart_core::{Digest, chart::Provenance};

pub(crate) fn check(bytes: &[u8]) {
    let Ok(prov) = Provenance::parse(bytes) else { return };
    assert!(prov.text().chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
    let hash = prov.hashes().join(", ");
    if !hash.is_empty() {
        let written =
            Provenance::assemble(prov.text(), &hash, prov.signature()).expect("what we write we read");
        let again = Provenance::parse(&written).expect("read once already");
        assert_eq!(again, prov);
    }
    for (name, sum) in prov.files() {
        let Ok(digest) = sum.parse::<Digest>() else { continue };
        assert!(prov.find(&digest, name).is_ok() && prov.check_digest(&digest).is_ok());
    }
    assert!(prov.check_digest(&Digest::of(b"nobody has this")).is_err());
}
