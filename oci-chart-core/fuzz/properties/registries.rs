//! Whatever is read as a list of registries, a mirror or a proxy is used without a panic, and shows no password.

use oci_chart_core::store::{Mirror, ProxyUrl, RegistriesYaml};

pub(crate) fn check(bytes: &[u8]) {
    if let Ok(file) = RegistriesYaml::parse(bytes) {
        let _ = format!("{file:?} {:?}", file.credentials());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mirror) = Mirror::parse(text) {
        assert!(mirror.path().starts_with('/') && mirror.path().ends_with('/'), "{mirror:?}");
        assert_eq!(mirror.repository("charts/web"), "charts/web");
    }
    if let Ok(proxy) = ProxyUrl::parse(text) {
        let shown = proxy.to_string();
        let host = shown.split("://").nth(1).and_then(|rest| rest.split('/').next());
        assert!(host.is_some_and(|host| !host.contains('@')), "{shown}");
        assert!(ProxyUrl::parse(&shown).is_ok(), "{shown}");
    }
}
