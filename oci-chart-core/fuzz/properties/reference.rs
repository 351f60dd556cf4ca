//! Whatever is read as a reference, location or push target prints as something that is read the same.

use oci_chart_core::name::{BaseAddress, Location, Reference, Selector};

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(reference) = Reference::parse(text) {
        assert_eq!(Reference::parse(&reference.to_string()).as_ref(), Ok(&reference));
        let _ = Selector::from_reference(&reference, None);
    }
    if let Ok(location) = Location::parse(text) {
        assert_eq!(Location::parse(&location.to_string()).as_ref(), Ok(&location));
    }
    if let Ok(base) = BaseAddress::parse(text) {
        assert_eq!(BaseAddress::parse(&base.to_string()).as_ref(), Ok(&base));
    }
}
